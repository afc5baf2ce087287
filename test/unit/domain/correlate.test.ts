// Which release is suspected, and which never is.
import { describe, expect, it } from 'vitest';
import { correlate } from '../../../lambdas/domain/correlate.ts';
import { decide } from '../../../lambdas/domain/decide.ts';
import { faultOf } from '../../../lambdas/domain/fault.ts';
import { chooseGood } from '../../../lambdas/domain/known-good.ts';
import { faultsOf } from '../../../lambdas/domain/signals.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import { alarm, alarmTrigger, deployment, deploymentTrigger, minute, personTrigger, question, release, rollback, watchTrigger } from './samples.ts';

const suspectOf = (asked: Question) => {
  const { suspect, refusal } = correlate(asked, faultsOf(asked));
  return suspect?.id ?? refusal?.code;
};
/** One alarm whose first bad datapoint lies between two minutes. */
const fault = (from: number, to: number, since = to + 2) => ({ alarms: [alarm('5xx', { fault: { from: minute(from), to: minute(to) }, since: minute(since) })] });

/** A day of bake, and a window of four hours. */
const baking = (over: Parameters<typeof release>[0]) => question({ policy: { bakeMinutes: 1440 }, releases: [release(over)] });

describe('the suspect', () => {
  it.each<[string, Question, string]>([
    ['the release that began before the fault', question(), 'r-2'],
    ['a release that began within the first bad period', question({ releases: [release({ startedAt: minute(5.5) })] }), 'r-2'],
    ['a release that began within the skew of clocks after it', question({ releases: [release({ startedAt: minute(6.1) })] }), 'r-2'],
    ['nobody, when the release began after the fault', question({ releases: [release({ startedAt: minute(6.5) })] }), 'no-release'],
    ['nobody, when the release is older than the window', question({ releases: [release({ startedAt: minute(-236), finishedAt: minute(-234) })] }), 'no-release'],
    ['a release that is older than the window and bakes still', baking({ startedAt: minute(-360), finishedAt: minute(-358) }), 'r-2'],
    ['one that took so long to go out that only its bake is not over', baking({ startedAt: minute(-1500), finishedAt: minute(-1435) }), 'r-2'],
    ['nobody, when the bake was over too', baking({ startedAt: minute(-1500), finishedAt: minute(-1436) }), 'no-release'],
    ['a release at the very end of the window', question({ releases: [release({ startedAt: minute(-235) })] }), 'r-2'],
    ['the newest of two that began before the fault', question({ releases: [release(), release({ id: 'r-1', version: 'v1', startedAt: minute(-20) })] }), 'r-2'],
    ['nobody, when a newer version is live', question({ releases: [release({ id: 'r-3', version: 'v3', startedAt: minute(8) }), release()] }), 'newer-release'],
    ['the release before, when the newer one is of the same version', question({ releases: [release({ id: 'd-3', origin: 'codedeploy', startedAt: minute(8) }), release()] }), 'r-2'],
    ['nobody, when a pipeline announced another of the same name', question({ releases: [release({ id: 'build-3', version: 'latest', startedAt: minute(8) }), release({ version: 'latest' })] }), 'newer-release'],
    ['the release before, when its pipeline ships the same build again', question({ releases: [release({ id: `r-2@${minute(8)}`, startedAt: minute(8) }), release()] }), 'r-2'],
    ['nobody, when a person asked and another of the same name began since', question({ trigger: personTrigger(), startedAt: minute(7), releases: [release({ id: 'build-3', version: 'latest', startedAt: minute(8) }), release({ version: 'latest' })] }), 'newer-release'],
    ['a deployment that only CodeDeploy knows', question({ releases: [], deployments: [deployment()] }), 'd-2'],
    ['nobody, when the deployment is a rollback', question({ releases: [], deployments: [deployment({ nature: 'rollback' })] }), 'no-release'],
    ['nobody, when the deployment is upkeep', question({ releases: [], deployments: [deployment({ nature: 'upkeep' })] }), 'no-release'],
    ['nobody, when CodeDeploy undid the release', question({ releases: [release({ id: 'd-2' })], deployments: [deployment({ id: 'd-9', nature: 'rollback', undoes: 'd-2' })] }), 'no-release'],
    ['the release whose undoing still runs', question({ releases: [release({ id: 'd-2' })], deployments: [deployment({ id: 'd-9', nature: 'rollback', undoes: 'd-2', status: 'in-progress', finishedAt: null })] }), 'd-2'],
    ['nobody, when ECS undid the release by itself', question({ releases: [release({ status: 'failed', undoneAt: minute(4) })] }), 'no-release'],
    ['nobody, when the Watch tells of a failure that ECS undid meanwhile', question({ trigger: watchTrigger({ alarms: [], journeys: [] }), releases: [release({ status: 'failed', undoneAt: minute(4) })], alarms: [] }), 'already-undone'],
    ['the release before one that was undone, which is not what is live', question({ releases: [release({ id: 'r-3', version: 'v3', startedAt: minute(8), status: 'stopped', undoneAt: minute(9) }), release()] }), 'r-2'],
    ['nobody, when Ripcord rolled the release back', question({ rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' } })] }), 'no-release'],
    ['nobody, when going back from the release did not help', question({ rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' }, outcome: 'not-recovered' })] }), 'no-release'],
    ['the release that lost only its flags', question({ rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' }, keepsRelease: true })] }), 'r-2'],
    ['the release whose rollback failed', question({ rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' }, outcome: 'failed' })] }), 'r-2'],
    ['the failed deployment itself, however old the alarms are', question({ trigger: deploymentTrigger, releases: [], deployments: [deployment({ status: 'failed' })], alarms: [] }), 'd-2'],
    ['the release that the Watch names', question({ trigger: watchTrigger(), alarms: [alarm('5xx', { since: minute(-60), fault: null })] }), 'r-2'],
    ['the newest release, whatever its age, when a person asks', question({ trigger: personTrigger(), releases: [release({ startedAt: minute(-5000) })] }), 'r-2'],
  ])('is %s', (_name, asked, expected) => {
    expect(suspectOf(asked)).toBe(expected);
  });

  it('is found by any alarm that fires, not only the one that sent the event', () => {
    const late = alarm('latency', { fault: null, since: minute(9) });
    expect(suspectOf(question({ ...fault(-10, -9, -8), releases: [release()] }))).toBe('no-release');
    expect(suspectOf(question({ alarms: [...fault(-10, -9, -8).alarms, late], releases: [release()] }))).toBe('r-2');
  });
});

describe('a release in a bake that is longer than the window', () => {
  it('is decided about alike by the run of the alarm and by that of its Watch', () => {
    const known = { knownGoods: [{ version: 'v1', since: minute(-5000), basis: 'baked' as const, targets: ['web', 'app'] }] };
    const asked = { ...baking({ startedAt: minute(-360), finishedAt: minute(-358) }), ...known };
    const [byAlarm, byWatch] = [decide(asked), decide({ ...asked, trigger: watchTrigger({ alarms: ['5xx'], journeys: [] }) })];
    expect([byAlarm.verdict, byAlarm.releaseId]).toEqual(['roll-back', 'r-2']);
    expect([byWatch.verdict, byWatch.releaseId, byWatch.suspects]).toEqual([byAlarm.verdict, byAlarm.releaseId, byAlarm.suspects]);
  });
});

describe('a release that failed and that ECS undid by itself hours ago', () => {
  const ecs = (revision: number, over: Partial<ReturnType<typeof release>>) => release({ id: `ecs-svc/${revision}`, version: `shop:${revision}`, previousVersion: `shop:${revision - 1}`, origin: 'ecs', touched: [], ...over });
  const failed = ecs(8, { startedAt: minute(-184), finishedAt: minute(-180), status: 'failed' });
  const asked = (...releases: ReturnType<typeof release>[]) => decide(question({
    releases, alarms: [alarm('latency')], trigger: alarmTrigger({ alarm: 'latency' }), knownGoods: [{ version: 'shop:6', since: minute(-900), basis: 'baked', targets: ['web', 'app'] }],
  }));
  const live = ecs(7, { startedAt: minute(-190), finishedAt: minute(-188) });

  it('accuses nobody: one alarm is one signal, as if it had never been', () => {
    const decided = asked({ ...failed, undoneAt: minute(-179) }, live);
    expect([decided.verdict, decided.reasons.map(({ code }) => code)]).toEqual([asked(live).verdict, asked(live).reasons.map(({ code }) => code)]);
    expect([decided.verdict, decided.releaseId, decided.reasons.map(({ code }) => code)]).toEqual(['hold', 'ecs-svc/7', expect.arrayContaining(['too-few-signals'])]);
    expect(decided.signals).toContainEqual(expect.objectContaining({ kind: 'deployment', source: 'ecs-svc/7', status: 'quiet' }));
  });

  it('accuses still where nobody saw it undone: then it is what is live', () => {
    expect(asked(failed, live)).toMatchObject({ verdict: 'roll-back', releaseId: 'ecs-svc/8' });
  });
});

describe('the beginning of a fault', () => {
  it('is the first bad period, but never later than the alarm: its datapoints are renewed while it fires', () => {
    expect(faultOf({ since: minute(8), fault: { from: minute(5), to: minute(6) } })).toEqual({ from: minute(5), to: minute(6) });
    expect(faultOf({ since: minute(8), fault: { from: minute(20), to: minute(21) } })).toEqual({ from: minute(8), to: minute(8) });
  });

  it('is the change of state where there are no datapoints, and unknown without that', () => {
    expect(faultOf({ since: minute(8), fault: null })).toEqual({ from: minute(8), to: minute(8) });
    expect(faultOf({ since: null, fault: null })).toBeNull();
  });
});

const good = (version: string, at: number) => ({ version, since: minute(at), basis: 'baked' as const, targets: ['web'] });
const chosen = (over: Parameters<typeof question>[0]) => chooseGood(question(over), release())?.version ?? null;

describe('the known good version', () => {
  it.each<[string, Parameters<typeof question>[0], string | null]>([
    ['the newest', { knownGoods: [good('v1', -100), good('v0', -900)] }, 'v1'],
    ['not the suspect\'s own version', { knownGoods: [good('v2', -100), good('v0', -900)] }, 'v0'],
    ['not one that was rolled back once', { knownGoods: [good('v1', -100), good('v0', -900)], quarantined: ['v1'] }, 'v0'],
    ['not one that is younger than the suspect', { knownGoods: [good('v3', 1), good('v0', -900)] }, 'v0'],
    ['none, when nothing is proven', { knownGoods: [] }, null],
    ['from CodeDeploy\'s history: live for a bake time', { knownGoods: [], deployments: [deployment({ id: 'd-1', version: 'v1', startedAt: minute(-90), finishedAt: minute(-61) })] }, 'v1'],
    ['not what was live for less than a bake time', { knownGoods: [], deployments: [deployment({ id: 'd-1', version: 'v1', startedAt: minute(-90), finishedAt: minute(-59) })] }, null],
    ['not what another deployment replaced too soon', { knownGoods: [], deployments: [
      deployment({ id: 'd-0', version: 'v0', startedAt: minute(-200), finishedAt: minute(-190) }), deployment({ id: 'd-1', version: 'v1', startedAt: minute(-150), finishedAt: minute(-20) }),
    ] }, null],
    ['not a deployment that failed', { knownGoods: [], deployments: [deployment({ id: 'd-1', version: 'v1', startedAt: minute(-300), finishedAt: minute(-290), status: 'failed' })] }, null],
    ['the ledger\'s, even where history has a newer one', { knownGoods: [good('v0', -900)], deployments: [deployment({ id: 'd-1', version: 'v1', startedAt: minute(-300), finishedAt: minute(-290) })] }, 'v0'],
  ])('is %s', (_name, over, version) => {
    expect(chosen(over)).toBe(version);
  });

  it('may be of any age before now when no release is suspected', () => {
    expect(chooseGood(question({ knownGoods: [good('v1', -1)] }), null)?.version).toBe('v1');
  });
});
