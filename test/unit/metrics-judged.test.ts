// Metrics against the real client and the sandbox's CloudWatch: read beside everything else, kept in the audit, and reason enough for the Watch.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Watching } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { alarmInput, nextService, place, rig, service, serviceInput, useRig } from './assess-rig.ts';

useRig('measured');
beforeEach(async () => {
  const named = (name: string) => ({ namespace: 'Measured', name, dimensions: { Service: service } });
  await rig.attach(service, { signals: { ...serviceInput.signals, metrics: [{ kind: 'own', requests: named('Requests'), errors: named('Errors') }] }, verification: { deadlineMinutes: 15 }, policy: { ...serviceInput.policy, bakeMinutes: 5 } });
  rig.storm.services = 1000;
  rig.calm('5xx', 'latency');
});

/** A day of minutes with a thousand requests each; so many of them fail since the release began, ten minutes ago. */
function aDay(failing: number, region = place.region): void {
  const end = Math.floor(rig.clock.now() / 60_000) * 60_000;
  const add = (name: string, at: number, sum: number): void => rig.cloudWatch.storeIn(region).add({
    namespace: 'Measured', name, dimensions: { Service: service }, samples: { count: sum, sum, minimum: 1, maximum: 1, values: null }, at, resolution: 60,
  });
  for (let back = 1; back <= 1440; back += 1) {
    const at = end - back * 60_000;
    add('Requests', at, 1000 + (back % 7));
    if (back <= 9 && failing > 0) add('Errors', at, failing);
    else if (back % 11 === 0) add('Errors', at, 1);
  }
}

const metricsOf = (signals: readonly { readonly kind: string; readonly status: string; readonly summary: string }[]) => signals.find(({ kind }) => kind === 'metrics');

describe('Assess', () => {
  it('reads metrics in no further step, takes them for the second signal, and keeps what they were judged by', async () => {
    aDay(40);
    rig.fire('5xx');
    rig.steps = 0;
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(rig.steps).toBe(4);
    expect(said.verdict).toBe('roll-back');
    expect(metricsOf(said.signals)).toMatchObject({ status: 'firing', summary: expect.stringContaining('ROLL BACK: error rate') as string });
    const [row] = await rig.audited(`rb-${service}`);
    expect(decide(row?.['question'] as Question)).toEqual(row?.['decision']);
    const size = JSON.stringify(row).length;
    expect(size).toBeGreaterThan(5000);
    expect(size).toBeLessThan(120_000);
  });

  it('finds metrics quiet that are as ever, and holds the one alarm', async () => {
    aDay(0);
    rig.fire('5xx');
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect([said.verdict, metricsOf(said.signals)?.status]).toEqual(['hold', 'quiet']);
  });
});

describe('a service with a control in another Region', () => {
  const there = 'us-east-1';
  beforeEach(async () => {
    const named = (name: string) => ({ namespace: 'Measured', name, dimensions: { Service: service } });
    const own = { kind: 'own' as const, requests: named('Requests'), errors: named('Errors') };
    const signals = { ...serviceInput.signals, metrics: [{ ...own, name: 'shop' }], controls: [{ ...own, name: 'shop', region: there }] };
    await rig.attach(service, { signals, verification: { deadlineMinutes: 15 }, policy: { ...serviceInput.policy, bakeMinutes: 5 } });
    rig.fire('5xx');
  });
  afterEach(() => rig.server.faults.clear());
  const assessed = async () => {
    rig.steps = 0;
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    const { steps } = rig;
    const [row] = await rig.audited(`rb-${service}`);
    return { said, steps, metrics: metricsOf(said.signals), question: row?.['question'] as Question, decision: row?.['decision'] };
  };

  it('is compared with it in no further step', async () => {
    aDay(40);
    aDay(0, there);
    const { said, steps, metrics } = await assessed();
    expect([steps, said.verdict, metrics?.status]).toEqual([4, 'roll-back', 'firing']);
    expect(metrics?.summary).toContain('1 comparison service stayed flat');
  });

  it('is not blamed for what that Region has as well', async () => {
    aDay(40);
    aDay(40, there);
    const { said, metrics } = await assessed();
    expect([said.verdict, metrics?.status]).toEqual(['hold', 'unknown']);
    expect(metrics?.summary).toMatch(/^metrics: shop in us-east-1 got worse as well\. /);
  });

  it('has its own metrics where that Region does not answer, waits for it, and decides again the same from what the audit keeps', async () => {
    aDay(40);
    rig.server.faults.add({ name: 'silent', when: ({ region }) => region === there, effect: { kind: 'error', status: 503 } });
    const { said, metrics, question, decision } = await assessed();
    expect([said.verdict, metrics?.status]).toEqual(['hold', 'unknown']);
    expect(metrics?.summary).toMatch(/^metrics: The controls of us-east-1 could not be read: .*ServiceUnavailable.* error rate [34]\.\d+ % in the last 5 minutes/);
    expect(question.metrics).toMatchObject({ status: 'read', metrics: [{ name: 'shop' }], controls: [], unread: [{ region: there, names: ['shop in us-east-1'] }] });
    expect(decide(question)).toEqual(decision);
  });
});

describe('the Watch', () => {
  const watching = async (began: number): Promise<Watching> => {
    const release = rig.release(service, { id: 'build-3', version: 'v3', startedAt: rig.at(began), finishedAt: rig.at(began + 0.5) });
    await putRelease(rig.table, release, 'w-1');
    return { service, releaseId: 'build-3', kind: 'started', reason: null, steps: [], hasJourneys: false };
  };
  const look = async (began = -9.5) => watch({ verb: 'look', watchId: 'w-1', watch: await watching(began), look: 1, evidence: { at: rig.at(0), results: [] } }, rig.parts);

  it('starts a rollback that no alarm asked for', async () => {
    aDay(40);
    expect(await look()).toMatchObject({ answer: 'signal', rollback: { input: { service, event: { detail: { releaseId: 'build-3', alarms: [], journeys: [], metrics: true } } } } });
  });

  it('goes on while they are as ever', async () => {
    aDay(0);
    expect(await look()).toMatchObject({ answer: 'continue', rollback: null });
  });

  it.each([['until the judge says nothing more, after half a day', -719, 1], ['and no more after that', -721, 0]])('pays for metrics %s', async (_, began, reads) => {
    // With no younger release, which would have a watch of its own.
    nextService();
    const metrics = [{ kind: 'own' as const, requests: { namespace: 'Measured', name: 'Requests' }, errors: { namespace: 'Measured', name: 'Errors' } }];
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, signals: { ...serviceInput.signals, metrics }, verification: { deadlineMinutes: 15 }, policy: { ...serviceInput.policy, bakeMinutes: 1440 } }) });
    const before = rig.server.calls.list().length;
    expect(await look(began)).toMatchObject({ answer: 'continue' });
    expect(rig.server.calls.list().slice(before).filter(({ operation }) => operation === 'GetMetricData')).toHaveLength(reads);
    const [row] = (await rig.audited(`watch#${service}#w-1`)).slice(-1);
    expect((row?.['question'] as { readonly isTooOldToJudge?: true } | undefined)?.isTooOldToJudge).toBe(reads === 0 ? true : undefined);
  });

  it('calls nothing good of which it has no metrics', async () => {
    expect(await look()).toMatchObject({ answer: 'continue', reasons: expect.arrayContaining([{ code: 'not-quiet', text: expect.stringContaining('no value of them at all') as string }]) as unknown });
  });
});
