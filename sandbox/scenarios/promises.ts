// Scenarios about the alarms that Ripcord makes of what a service promises: a bad release burns the budget, and a quiet night proves nothing.
import { checkEndedAs, checkPaged, checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { alarms, shopMetrics, shopService, trafficMetric, webTarget } from './shop-service.ts';
import type { JsonValue, Scenario, Stage, Workload } from './scenario.ts';

/** As `ProtectedService` names them: the engine's name, the service's, and what is watched. The shop has some 40 requests a minute, enough for a median. */
const made = { share: 'ripcord-checkout-error-share', fast: 'ripcord-checkout-burn-fast', slow: 'ripcord-checkout-burn-slow', latency: 'ripcord-checkout-latency-p50' } as const;
const slowest = 'ripcord-checkout-latency-p90';

/** Two lines: where it is measured, and what users are promised. */
const promise = (workload: Workload, latency: JsonValue, minimumRequests: number): Record<string, JsonValue> => ({
  metrics: shopMetrics(workload),
  slo: { availability: 99.9, latency, minimumRequests },
});

const states = (stage: Stage, names: readonly string[] = Object.values(made)): string => names.map((name) => `${name.slice('ripcord-checkout-'.length)} ${stage.alarmState(name)}`).join(', ');

interface Assessed {
  readonly decision?: { readonly signals?: readonly { readonly source: string; readonly group: string; readonly status: string }[]; readonly reasons?: readonly { readonly code: string }[] };
}

const lastAssessed = async (stage: Stage, rollbackId: string): Promise<Assessed> =>
  (await stage.audit(rollbackId)).findLast(({ kind }) => kind === 'assessed')?.data ?? {};

export const budgetBurns: Scenario = {
  name: 'budget-burns',
  summary: 'nobody wrote an alarm: those that Ripcord made of the promised availability and latency see the bad release, count once a group, and prove the recovery',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: { alarms: [], ...promise(workload, { p50Ms: 200 }, 100), minimum: 2, holdSeconds: 300, traffic: trafficMetric(workload) },
    verification: { passesInARow: 3, intervalSeconds: 15, deadlineMinutes: 15 },
  }),
  async play(stage) {
    await stage.minutes(6);
    stage.check('every alarm that was made is OK', Object.values(made).every((name) => stage.alarmState(name) === 'OK'), states(stage));
    await stage.release('2.0.0');
    await stage.minutes(1);
    expectNoChange(stage, 'while green is healthy');
    stage.say('green goes bad: four of ten requests fail, and the rest are slow');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    await stage.until('the budget burns', () => stage.alarmState(made.fast) === 'ALARM', 6);
    stage.say(`the alarms: ${states(stage)}`);
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    const { decision } = await lastAssessed(stage, run.rollbackId);
    const firing = (decision?.signals ?? []).filter(({ status, source }) => status === 'firing' && source.startsWith('ripcord-checkout-'));
    stage.check('alarms that were made accused it', firing.length > 0, firing.map(({ source }) => source).join(', '));
    stage.check('those of errors are one group', firing.filter(({ source }) => source !== made.latency).every(({ group }) => group === 'errors'), firing.map(({ source, group }) => `${source} in ${group}`).join(', '));
    stage.check('every alarm is OK again', Object.values(made).every((name) => stage.alarmState(name) === 'OK'), states(stage));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};

export const lowTraffic: Scenario = {
  name: 'low-traffic',
  summary: 'at night three of five requests fail: an alarm without a floor shouts, those with one have no verdict; nothing is rolled back, nothing is called good, a person is told',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: {
      alarms: [{ name: alarms.errors }], ...promise(workload, { p90Ms: 200 }, 200), minimum: 1, holdSeconds: 60,
      traffic: { metric: { namespace: workload.metrics.namespace, name: workload.metrics.requests, dimensions: { ...workload.metrics.dimensions } }, minimumRequests: 200, minutes: 2 },
    },
  }),
  async play(stage) {
    stage.say('it is night: a few requests a minute');
    stage.pace(2);
    await stage.minutes(4);
    await stage.release('2.0.0');
    stage.say('three of five requests of green fail');
    stage.sicken('green', { errorShare: 0.6 });
    const run = await stage.ended(25);
    stage.check('the alarm without a floor fired', stage.alarmState(alarms.errors) === 'ALARM', stage.alarmState(alarms.errors));
    const floored = [made.share, made.fast, made.slow, slowest];
    stage.check('no alarm with a floor did', floored.every((name) => stage.alarmState(name) !== 'ALARM'), states(stage, floored));
    stage.check('they do not say that it is well either', [made.share, slowest].every((name) => stage.alarmState(name) === 'INSUFFICIENT_DATA'), states(stage, floored));
    checkEndedAs(stage, run, ['left']);
    checkPaged(stage, /requests in \d+ minutes/);
    const { decision } = await lastAssessed(stage, run.rollbackId);
    stage.check('too few requests are the reason', (decision?.reasons ?? []).some(({ code }) => code === 'too-little-traffic'), (decision?.reasons ?? []).map(({ code }) => code).join(', '));
    const unknown = (decision?.signals ?? []).filter(({ source }) => source === made.share || source === slowest);
    stage.check('what has no data counts as unknown, not as quiet', unknown.length === 2 && unknown.every(({ status }) => status === 'unknown'), unknown.map(({ source, status }) => `${source} ${status}`).join(', '));
    expectNoChange(stage, 'at all');
    await stage.until('every Watch has ended', () => stage.watches().every(({ isOver }) => isOver), 30);
    const good = stage.watches().flatMap(({ answers }) => answers).filter((answer) => answer.includes('"answer":"known-good"'));
    stage.check('no Watch called it good', good.length === 0, good[0]?.slice(0, 200) ?? `${stage.watches().length} watched`);
  },
};
