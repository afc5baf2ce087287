// Two versions behind one alias and behind one listener, with real requests: what each serves, what the Watch makes of it, and what the audit keeps.
import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putKnownGood, putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { readMetrics } from '../../lambdas/adapters/metrics.ts';
import { type ServiceInput, serviceSchema } from '../../lambdas/config/schema.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import { findInMetrics } from '../../lambdas/domain/metric-findings.ts';
import type { MetricsRead } from '../../lambdas/domain/metrics.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import { shiftPlan } from '../../lambdas/domain/shift-plan.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import type { MetricsPort } from '../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../sandbox/clock.ts';
import { LoadBalancing } from '../../sandbox/services/elbv2/load-balancing.ts';
import { LambdaAliases } from '../../sandbox/services/lambda/aliases.ts';
import { AliasFront } from '../../sandbox/shop/alias-front.ts';
import { Backend } from '../../sandbox/shop/backend.ts';
import { Shop } from '../../sandbox/shop/shop.ts';
import { Releases } from '../../sandbox/shop/version.ts';
import { makePast } from '../../sandbox/stage/made-past.ts';
import { alarmInput, place, Rig, serviceInput } from './assess-rig.ts';

const healthyMinutes = 6;
const sharedMinutes = 9;
const aMinute = 60_000;
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

let rig: Rig;
/** When the requests that are made now are made. */
let at = 0;
let end = 0;
let metrics: MetricsPort;
beforeAll(async () => {
  rig = new Rig();
  await rig.start();
  metrics = { record: (datum) => rig.cloudWatch.record({ ...datum, at }) };
});
afterAll(async () => {
  agent.destroy();
  await rig.stop();
});
beforeEach(() => {
  rig.calm('5xx', 'latency');
  end = Math.floor(rig.clock.now() / aMinute) * aMinute;
});

const get = (port: number, path: string): Promise<void> => new Promise((resolve, reject) => {
  http.get({ host: '127.0.0.1', port, path, agent }, (response) => response.on('end', resolve).resume()).on('error', reject);
});

/** So many minutes of real requests, the last of which ends so many minutes back. */
async function serve(port: number, { minutes, back, perMinute }: { readonly minutes: number; readonly back: number; readonly perMinute: number }): Promise<void> {
  for (let index = 0; index < minutes; index += 1) {
    at = end - (back + minutes - index) * aMinute + 1000;
    await Promise.all(Array.from({ length: perMinute }, () => get(port, '/catalogue')));
  }
}

/** A healthy past of a day, then a release that shares the traffic. */
async function share(port: number, namespace: string, { perMinute, begin }: { readonly perMinute: number; readonly begin: () => void | Promise<void> }): Promise<void> {
  await serve(port, { minutes: healthyMinutes, back: sharedMinutes, perMinute });
  makePast(rig.cloudWatch.store, { namespace, now: end - sharedMinutes * aMinute, healthyMinutes, minutes: 1440 });
  await begin();
  await serve(port, { minutes: sharedMinutes, back: 0, perMinute });
}

describe('an alias with a twentieth of its traffic on a new version', () => {
  let front: AliasFront;
  let backend: Backend;
  let service = '';
  let count = 0;
  const sick = { name: 'sick', sickness: { errorRate: 0.75, areErrorsEven: true } } as const;
  // What fails anyway: a release has to add more than half of it to be seen in the whole.
  const usual = { name: 'usual', sickness: { errorRate: 0.1, areErrorsEven: true } } as const;

  async function played(released: 'sick' | 'usual', begin: () => void = () => undefined): Promise<void> {
    service = `canary-${(count += 1)}`;
    const aliases = new LambdaAliases({ place, clock: rig.clock });
    aliases.createFunction(service);
    for (const name of ['usual', released]) aliases.publishVersion(service, name);
    aliases.createAlias(service, 'live', '1');
    const releases = new Releases();
    for (const version of [sick, usual]) releases.add(version);
    backend = new Backend();
    front = new AliasFront({ aliases, functionName: service, alias: 'live', releases, instance: { clock: rig.clock, backend, carts: new Map() }, metrics });
    const port = await front.start();
    const targets = { fn: { strategy: 'lambda-alias', functionName: service, alias: 'live', good: 'last-known-good' } } as const;
    const signals: ServiceInput['signals'] = { ...serviceInput.signals, minimum: 1, metrics: [{ kind: 'lambda', functionName: service, alias: 'live', percentile: 'p50' }] };
    // With no other release: one of some minutes before would leave open what is usual.
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, targets, signals, verification: { deadlineMinutes: 15 } }) });
    const startedAt = new Date(end - sharedMinutes * aMinute).toISOString();
    await share(port, 'AWS/Lambda', { perMinute: 300, begin: () => {
      aliases.updateAlias(service, 'live', { RoutingConfig: { AdditionalVersionWeights: { 2: 0.05 } } });
      begin();
    } });
    await putRelease(rig.table, rig.release(service, { id: `${service}:live:2@${startedAt}`, version: '2', previousVersion: '1', startedAt, finishedAt: null, status: 'in-progress', origin: 'lambda-alias', left: null }), 'w-1');
    await putKnownGood(rig.table, service, { version: '1', since: rig.at(-600), basis: 'baked', states: { fn: { version: '1', weights: {} } } });
    await front.stop();
    backend.stop();
  }

  const looked = async () => {
    const releaseId = `${service}:live:2@${new Date(end - sharedMinutes * aMinute).toISOString()}`;
    return watch({ verb: 'look', watchId: 'w-1', watch: { service, releaseId, kind: 'started', reason: null, steps: [], hasJourneys: false }, look: 1, evidence: { at: rig.at(0), results: [] } }, rig.parts);
  };
  const assessed = async (given: unknown) => {
    const said = await rig.assess(rig.input(service, given));
    const [row] = await rig.audited(`rb-${service}`);
    return { said, summary: said.signals.find(({ kind }) => kind === 'metrics')?.summary ?? '', question: row?.['question'] as Question, decision: row?.['decision'] };
  };

  it('is found by the Watch while the alias as a whole shows a few percent more, and goes back for that alone', async () => {
    await played('sick');
    const signal = await looked();
    expect(signal).toMatchObject({ answer: 'signal', rollback: { input: { event: { detail: { alarms: [], metrics: true } } } } });
    const { said, summary, question, decision } = await assessed('rollback' in signal ? signal.rollback?.input : null);
    expect([said.verdict, said.knownGood?.version]).toEqual(['roll-back', '1']);
    expect(summary).toMatch(/^metrics: version 2 fails [6-9]\d(\.\d)? % of its requests, version 1 at the same minutes \d+(\.\d)? %/);
    // Kept whole, so that anybody comes to the same verdict from it; and without the versions apart, nobody comes to it.
    expect(decide(question)).toEqual(decision);
    const { shift, ...whole } = question.metrics as MetricsRead;
    const [release] = question.releases.filter(({ status }) => status === 'in-progress');
    expect(findInMetrics(whole, release ?? null, question.now)?.verdict).not.toBe('worse');
    const [pair] = shift?.pairs ?? [];
    const served = (counts: readonly (number | null)[] | undefined): number => (counts ?? []).reduce((sum: number, one) => sum + (one ?? 0), 0);
    // One more where a minute of the wall clock has begun meanwhile.
    expect([sharedMinutes, sharedMinutes + 1]).toContain(pair?.released.requests.length);
    expect(served(pair?.released.requests) + served(pair?.before.requests)).toBe(sharedMinutes * 300);
    expect(JSON.stringify(question).length).toBeLessThan(120_000);
  }, 60_000);

  it('is not blamed for what both versions have: looked at again, and no rollback', async () => {
    await played('usual', () => backend.fail(0.4));
    expect(await looked()).toMatchObject({ answer: 'continue', rollback: null });
    rig.fire('5xx', 'latency');
    const { said, summary, question, decision } = await assessed(alarmInput(service));
    expect([said.verdict, said.reasons.map(({ code }) => code)]).toEqual(['hold', expect.arrayContaining(['metrics-unrelated']) as unknown]);
    expect(summary).toContain('version 1 got worse as well.');
    expect(decide(question)).toEqual(decision);
  }, 60_000);

  it('is read in one call, in which nothing is asked twice', async () => {
    const config = serviceSchema.parse({ ...serviceInput, targets: { fn: { strategy: 'lambda-alias', functionName: service, alias: 'live', good: 'last-known-good' } } });
    const startedAt = rig.at(-9);
    const shift = shiftPlan(config, { id: `${service}:live:2@${startedAt}`, origin: 'lambda-alias', version: '2', previousVersion: '1', startedAt, status: 'in-progress' }, rig.at(0));
    const from = rig.server.calls.list().length;
    await readMetrics(rig.parts, { metrics: [{ kind: 'lambda', functionName: service, alias: 'live', percentile: 'p50' }], shift }, new Date(rig.clock.now()));
    const asked = rig.server.calls.list().slice(from).map(({ operation, input }) => [operation, (input as { MetricDataQueries?: unknown[] }).MetricDataQueries?.length]);
    // The alias: requests, errors, latency; each version: requests and errors, as nothing says which latency counts.
    expect(asked).toEqual([['GetMetricData', 3 + 2 * 2]]);
  });
});

describe('a listener with a tenth of its traffic on a new target group', () => {
  it('shows each side by itself, and the sick one is found', async () => {
    const clock = new SpedUpClock({ speed: 100 });
    const elb = new LoadBalancing({ place, clock, metrics });
    const shop = new Shop({ elb, clock, name: 'sides', blue: { name: 'usual' }, green: { name: 'sick', sickness: { errorRate: 0.5 } } });
    await shop.start();
    await share(Number(new URL(shop.url).port), 'AWS/ApplicationELB', { perMinute: 200, begin: async () => {
      shop.shift({ blue: 90, green: 10 });
      // The listener follows a moment after the call.
      await clock.sleep(2000);
    } });
    await shop.stop();
    elb.stop();
    clock.stop();
    const loadBalancer = shop.loadBalancerArn;
    const targetGroups = { blue: shop.blue.targetGroupArn, green: shop.green.targetGroupArn };
    const entry = { kind: 'alb-target-group', loadBalancer, percentile: 'p50' } as const;
    const config = serviceSchema.parse({
      ...serviceInput, targets: { web: { strategy: 'alb-weights', listenerArn: shop.listenerArn, targetGroups, good: 'last-known-good' } },
      signals: { ...serviceInput.signals, metrics: [entry] }, verification: { deadlineMinutes: 15 },
    });
    const release = { id: 'r-9', origin: 'event', version: '2.0.0', previousVersion: '1.0.0', startedAt: new Date(end - sharedMinutes * aMinute).toISOString(), status: 'in-progress' } as const;
    const now = new Date(end);
    const reading = await readMetrics(rig.parts, { metrics: [entry], shift: shiftPlan(config, release, now.toISOString()) }, now) as MetricsRead;
    const [pair] = reading.shift?.pairs ?? [];
    expect([pair?.released.name, pair?.before.name, pair?.before.errors?.every((failed) => failed === 0)]).toEqual(['green', 'blue', true]);
    expect(pair?.released.requests.map((requests, minute) => (requests ?? 0) + (pair.before.requests[minute] ?? 0))).toEqual(Array.from({ length: sharedMinutes }, () => 200));
    const found = findInMetrics(reading, release, now.toISOString());
    expect(found?.verdict).toBe('worse');
    expect(found?.text).toMatch(/^green fails \d\d(\.\d)? % of its requests, blue at the same minutes 0 %/);
  }, 60_000);
});
