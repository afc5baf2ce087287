// A rollback that the Watch started and that left the release alone: the Watch goes on, starts no second one for the same signal, and one for the next.
import { describe, expect, it } from 'vitest';
import { type BakeQuestion, watchLook } from '../../../lambdas/domain/bake.ts';
import { afterCoolDown, noMemory, type WatchMemory } from '../../../lambdas/domain/bake-memory.ts';
import { decide } from '../../../lambdas/domain/decide.ts';
import { measured, reading, since } from './metric-samples.ts';
import { alarm, journeys, minute, question, quiet, release, rollback, watchTrigger } from './samples.ts';

const bakeMinutes = 30;
const about = { ...release({ journeysFailedAtStart: [] }), left: null };
const calm = [quiet('5xx'), quiet('latency')];
const firing = [alarm('5xx'), quiet('latency')];
const worse = (until: number) => reading({ until, errors: since(2, 0.04) });

/** One look after another, each with what the one before left. */
function looks(...each: readonly (Partial<BakeQuestion> & { readonly at: number })[]) {
  let memory: WatchMemory | null = null;
  return each.map(({ at, ...over }) => {
    const looked = watchLook({
      service: 'checkout', release: about, rollbacks: [], bakeMinutes, hasJourneys: true, now: minute(at), alarms: calm, delivered: [], deployments: [],
      evidence: journeys(true), externalTools: [], releases: [release()], traffic: { status: 'enough', requests: 900, minimum: 50, minutes: 60 }, quarantined: [],
      lockedBy: null, looksLeft: 1500, memory, ...over,
    });
    memory = looked.memory ?? null;
    return looked;
  });
}

const answers = (looked: ReturnType<typeof looks>) => looked.map(({ answer }) => answer);
const names = (looked: ReturnType<typeof looks>) => looked.flatMap(({ rollback: started }) => (started === null ? [] : [started.name]));
const codes = (looked: ReturnType<typeof looks>) => looked.at(-1)?.reasons.map(({ code }) => code);

describe('after a rollback that left the release alone', () => {
  it('the same signal starts no second one while it lasts, or cannot be read', () => {
    const unread = [quiet('5xx', { state: 'INSUFFICIENT_DATA' }), quiet('latency')];
    const looked = looks({ at: 9, alarms: firing }, { at: 10, alarms: firing }, { at: 11, alarms: unread }, { at: 12, alarms: firing });
    expect(answers(looked)).toEqual(['signal', 'continue', 'continue', 'continue']);
    expect(looked.every(({ waitSeconds }) => waitSeconds === 60)).toBe(true);
  });

  it('starts another one, under another name, once it was quiet', () => {
    const looked = looks({ at: 9, alarms: firing }, { at: 10 }, { at: 11, alarms: firing }, { at: 12, alarms: firing });
    expect(answers(looked)).toEqual(['signal', 'continue', 'signal', 'continue']);
    expect(new Set(names(looked)).size).toBe(2);
    expect(looked[0]?.rollback?.input).toEqual(looked[2]?.rollback?.input);
  });

  it('a second signal starts one beside the first: two may be what is needed', () => {
    const both = { alarms: firing, evidence: journeys(false) };
    const looked = looks({ at: 9, alarms: firing }, { at: 10, ...both }, { at: 11, ...both });
    expect(answers(looked)).toEqual(['signal', 'signal', 'continue']);
    expect(looked[1]?.rollback?.input).toMatchObject({ event: { detail: { alarms: ['5xx'], journeys: ['buy'] } } });
  });

  it('metrics that got worse later start one, which no alarm would', () => {
    const looked = looks({ at: 9, alarms: firing, metrics: reading() }, { at: 10, metrics: reading() }, { at: 15, metrics: worse(15) }, { at: 16, metrics: worse(16) });
    expect(answers(looked)).toEqual(['signal', 'continue', 'signal', 'continue']);
    expect(looked[2]?.rollback?.input).toMatchObject({ event: { detail: { alarms: [], metrics: true } } });
  });

  it('the watch ends when a rollback of this release acted, and not for one of another release', () => {
    const of = (id: string) => [rollback({ release: { id, version: 'v' } })];
    expect(answers(looks({ at: 9, alarms: firing }, { at: 10, alarms: firing, rollbacks: of('r-0') }, { at: 11, rollbacks: of('r-2') }))).toEqual(['signal', 'continue', 'ended']);
  });

  it('the version is good after a bake without a signal, but not while a rollback is undecided', () => {
    const blinked = [quiet('5xx', { since: minute(10) }), quiet('latency')];
    const looked = looks({ at: 9, alarms: firing }, { at: 33, alarms: blinked }, { at: 41, alarms: blinked, lockedBy: 'rb-9' }, { at: 42, alarms: blinked });
    expect(answers(looked)).toEqual(['signal', 'continue', 'continue', 'known-good']);
    expect(looked[2]?.reasons).toMatchObject([{ code: 'rollback-undecided' }]);
  });
});

describe('metrics that turn worse, well, and worse again', () => {
  /** A look at each minute from the fifteenth on: worse by so many points of errors, or by such a factor of latency; 0 is well. */
  const turning = (...each: readonly (number | { readonly latency: number })[]) => looks(...each.map((harm, index) => {
    const at = 15 + index;
    const made = typeof harm === 'number' ? { errors: since(2, harm / 100) } : { latency: since(2, harm.latency, 1) };
    return { at, bakeMinutes: 400, metrics: harm === 0 ? reading({ until: at }) : reading({ until: at, ...made }) };
  }));
  const started = (looked: ReturnType<typeof looks>) => looked.flatMap(({ rollback: run }, index) => (run === null ? [] : [index]));
  const flaps = (count: number): number[] => Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 4 : 0));

  it('start one rollback, and another only after ten minutes, twenty, forty, and an hour', () => {
    expect(started(turning(...flaps(200)))).toEqual([0, 10, 30, 70, 130, 190]);
  });

  it('start another one when they stay worse until then, and say so meanwhile', () => {
    const looked = turning(4, 0, ...Array.from({ length: 12 }, () => 4));
    expect(started(looked)).toEqual([0, 10]);
    expect(new Set(names(looked)).size).toBe(2);
    expect(looked[2]?.reasons).toMatchObject([{ code: 'baking' }, { code: 'worse-again', text: expect.stringContaining(`started at ${minute(15)}; if that lasts, or gets much worse, another one is started, at ${minute(25)} at the latest`) as string }]);
    expect(looked[11]?.reasons).toMatchObject([{ code: 'baking' }]);
  });

  it('are another harm when they are twice as bad, whether they were well in between or not', () => {
    expect(started(turning(4, 0, 5, 9, 9, 9))).toEqual([0, 3]);
    expect(started(turning(4, 5, 9, 9))).toEqual([0, 2]);
  });

  it('are another harm in another kind of signal', () => {
    expect(started(turning(4, 0, { latency: 3 }, { latency: 3 }, 4))).toEqual([0, 2]);
  });

  it('do not keep back a rollback for an alarm, which weighs them too', () => {
    const metrics = (at: number) => ({ at, metrics: worse(at) });
    const looked = looks(metrics(15), { at: 16, metrics: reading({ until: 16 }) }, metrics(17), { ...metrics(18), alarms: firing }, { at: 19, metrics: reading({ until: 19 }) }, metrics(28), metrics(37), metrics(38));
    expect(started(looked)).toEqual([0, 3, 7]);
    expect(looked[3]?.rollback?.input).toMatchObject({ event: { detail: { alarms: ['5xx'], metrics: true } } });
  });
});

describe('metrics and a version that is called good', () => {
  it('have to be quiet for a whole bake after they were worse', () => {
    const looked = looks({ at: 15, metrics: worse(15) }, { at: 33, metrics: reading({ until: 33 }) });
    expect(answers(looked)).toEqual(['signal', 'continue']);
    expect(codes(looked)).toEqual(['not-quiet-long-enough']);
    expect(codes(looks({ at: 15, metrics: worse(15) }, { at: 46, metrics: reading({ until: 46 }) }))).toEqual(['baked']);
  });

  it('say so where they had no say at its end, and until when they had one', () => {
    const late = { at: 13 * 60, bakeMinutes: 12.5 * 60, metrics: reading({ until: 13 * 60 }) };
    const [, good] = looks({ at: 20, bakeMinutes: late.bakeMinutes, metrics: reading({ until: 20 }) }, late);
    expect(good).toMatchObject({ answer: 'known-good', reasons: [{ code: 'baked' }, { code: 'metrics-not-judged', text: expect.stringContaining(`until ${minute(20)}`) as string }] });
    expect(codes(looks(late))).toEqual(['baked', 'metrics-not-judged']);
    const { metrics: _, ...unread } = late;
    expect(looks({ at: 20, bakeMinutes: late.bakeMinutes, metrics: reading({ until: 20 }) }, { ...unread, isTooOldToJudge: true })[1]).toEqual({ ...good, memory: expect.anything() as unknown });
    expect(codes(looks({ at: 33, metrics: reading({ until: 33 }) }))).toEqual(['baked']);
  });

  it('can say that a service without alarms is well', () => {
    expect(codes(looks({ at: 33, alarms: [], metrics: reading({ until: 33 }) }))).toEqual(['baked']);
    expect(codes(looks({ at: 33, alarms: [] }))).toEqual(['no-alarms']);
    const shared = reading({ until: 33, errors: since(2, 0.3) }, [measured('payments', { until: 33, errors: since(2, 0.3) })]);
    expect(codes(looks({ at: 33, alarms: [], metrics: shared }))).toContain('no-alarms');
  });
});

describe('harm that metrics alone see and that was there before the release', () => {
  const before = (until: number): Partial<BakeQuestion> => ({ holdSeconds: 300, metrics: reading({ until, errors: since(-12, 0.04) }) });
  const at = (minutes: number, over: Partial<BakeQuestion> = {}) => ({ at: minutes, ...before(minutes), ...over });

  it('starts one run once it has lasted for the hold, and no other one', () => {
    const looked = looks(at(5), at(8), at(10), at(11), at(25), at(40));
    expect(answers(looked)).toEqual(['continue', 'continue', 'signal', 'continue', 'continue', 'continue']);
    expect(looked[2]).toMatchObject({ waitSeconds: 60, reasons: [{ code: 'harm-from-before' }], rollback: { input: { event: { detail: { releaseId: 'r-2', alarms: [], journeys: [], metrics: true } } } } });
    expect(names(looked)).toHaveLength(1);
  });

  it('begins anew after a look that did not find it', () => {
    const unread = { holdSeconds: 300, metrics: { status: 'unknown', why: 'throttled' } as const };
    for (const other of [unread, { holdSeconds: 300, metrics: reading({ until: 8 }) }])
      expect(answers(looks(at(5), { at: 8, ...other }, at(11), at(15), at(16)))).toEqual(['continue', 'continue', 'continue', 'continue', 'signal']);
  });

  it('is left to what fires beside it, to lost traffic, and to what was asked before anybody was told', () => {
    const older = { alarms: [alarm('5xx', { since: minute(-11), fault: null })] };
    expect(answers(looks(at(5), at(11, older), at(12)))).toEqual(['continue', 'continue', 'signal']);
    const fewer = (until: number) => at(until, { metrics: reading({ until, requests: (m) => (m >= -12 ? 100 : 1000) }, [measured('other', { until })]) });
    expect(answers(looks(fewer(5), fewer(11)))).toEqual(['continue', 'continue']);
    const looked = looks({ at: 5, metrics: before(5).metrics }, { at: 11, metrics: before(11).metrics });
    expect([answers(looked), looked[1]?.memory]).toEqual([['continue', 'continue'], expect.not.objectContaining({ fromBeforeSince: expect.anything() as string })]);
  });

  it('is told beside what fires for days, and beside a journey alone; not beside what this watch started a run for', () => {
    const days = { alarms: [alarm('backup-age', { since: minute(-7200), fault: { from: minute(-7203), to: minute(-7201) } }), quiet('latency')] };
    const fails = { evidence: journeys(false) };
    for (const over of [days, { alarms: [alarm('backup-age', { since: minute(-46) })] }, fails]) expect(answers(looks(at(5, over), at(9, over), at(10, over), at(11, over)))).toEqual(['continue', 'continue', 'signal', 'continue']);
    const muchHeard = looks(at(5, { ...days, ...fails }), at(10, days), at(11, days), at(12));
    expect([answers(muchHeard), muchHeard.at(0)?.rollback?.input]).toEqual([['signal', 'continue', 'continue', 'signal'], expect.objectContaining({ event: expect.objectContaining({ detail: expect.objectContaining({ alarms: ['backup-age'] }) as object }) as object })]);
  });

  it('is paged by the run though an alarm of days ago fires', () => {
    const trigger = watchTrigger({ alarms: [], journeys: [], metrics: true });
    const alarms = [alarm('backup-age', { since: minute(-7200), fault: { from: minute(-7203), to: minute(-7201) } }), quiet('latency')];
    const asked = (now: number) => decide(question({ trigger, alarms, startedAt: minute(11), now: minute(now), metrics: reading({ until: now, errors: since(-12, 0.04) }) }));
    expect(asked(11)).toMatchObject({ verdict: 'hold', page: false });
    expect(asked(17)).toMatchObject({ page: true });
  });

  it('is looked at again by the run, which then pages', () => {
    const trigger = watchTrigger({ alarms: [], journeys: [], metrics: true });
    const asked = (now: number, metrics = reading({ until: now, errors: since(-12, 0.04) })) => decide(question({ trigger, alarms: calm, startedAt: minute(11), now: minute(now), metrics }));
    expect(asked(11)).toMatchObject({ verdict: 'hold', page: false });
    expect(asked(17)).toMatchObject({ verdict: 'leave', page: true, headline: expect.stringContaining('needs a person') as string });
    expect(asked(17, reading({ until: 17 }))).toMatchObject({ verdict: 'leave', page: false });
  });
});

describe('a cool-down', () => {
  const until = minute(37);
  const told: WatchMemory = { ...noMemory, runs: 1, told: ['alarm/5xx', 'metrics/metrics', 'quarantined'], weighed: { at: minute(9), waitMinutes: 10, harm: { errors: 0.3 } } };

  it('lets go of what a rollback was started for when it is over, once, but for a version that is out again', () => {
    const within = afterCoolDown(told, until, minute(36));
    expect(within).toEqual({ ...told, coolDownUntil: until });
    const past = afterCoolDown(within, until, minute(37));
    expect(past).toEqual({ ...noMemory, runs: 1, told: ['quarantined'] });
    expect(afterCoolDown({ ...past, told: ['alarm/5xx'] }, until, minute(38)).told).toEqual(['alarm/5xx']);
  });

  it('that was over before the first look, or that a later one prolongs, lets nothing go', () => {
    expect(afterCoolDown(told, until, minute(40))).toEqual(told);
    expect(afterCoolDown(told, null, minute(40))).toEqual(told);
    expect(afterCoolDown({ ...told, coolDownUntil: until }, minute(60), minute(40))).toEqual({ ...told, coolDownUntil: minute(60) });
  });
});
