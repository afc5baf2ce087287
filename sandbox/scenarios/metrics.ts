// Scenarios about what only the metrics show.
import { checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { alarms, shopService, trafficMetric } from './shop-service.ts';
import type { JsonValue, Scenario, Workload } from './scenario.ts';

interface Assessed {
  readonly question?: { readonly alarms?: readonly { readonly state: string }[] };
  readonly decision?: { readonly signals?: readonly { readonly kind: string; readonly status: string; readonly summary: string }[] };
}

/** Blue is always the good side: the short life of a sandbox is too short to see it bake. */
const stableSide = (workload: Workload): JsonValue => ({ strategy: 'alb-weights', listenerArn: workload.listenerArn, targetGroups: { ...workload.targetGroups }, good: { side: 'blue' } });

/** A sandbox lives for minutes and the judge wants a day: its yesterday is synthesized, from healthy minutes that were really measured. */
export const noAlarmSeesIt: Scenario = {
  name: 'no-alarm-sees-it',
  summary: 'a release makes everything slower, but stays below every alarm: its metrics accuse it, and prove the recovery (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: stableSide(workload) }, {
    // The judge waits out what may be a warm-up: a bake must be longer than that.
    policy: { approval: { none: 'the demo shop takes no money, so nobody has to be asked' }, bakeMinutes: 20, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 },
    signals: {
      alarms: [{ name: alarms.errors }, { name: alarms.latency }],
      metrics: [{ kind: 'alb-target-group', name: 'shop', loadBalancer: workload.loadBalancer, percentile: 'p50' }],
      minimum: 1, holdSeconds: 240, traffic: trafficMetric(workload),
    },
  }),
  async play(stage) {
    await stage.minutes(8);
    stage.makePast(6);
    stage.say('green answers a tenth of a second later than blue; the alarm is set to two tenths');
    stage.sicken('green', { delayMs: 100 });
    await stage.release('2.0.0');
    expectNoChange(stage, 'before the metrics have shown anything');
    const run = await stage.ended(40);
    const rows = await checkRecovered(stage, run);
    stage.check('the Watch started it, because of the metrics', JSON.stringify(run.input).includes('"metrics":true'), JSON.stringify(run.input).slice(0, 300));
    const assessed = rows.filter(({ kind }) => kind === 'assessed').map(({ data }) => data as Assessed);
    const states = assessed.flatMap(({ question }) => question?.alarms?.map(({ state }) => state) ?? []);
    stage.check('no alarm fired', states.length > 0 && states.every((state) => state === 'OK'), states.join(', '));
    const words = assessed.at(-1)?.decision?.signals?.find(({ kind, status }) => kind === 'metrics' && status === 'firing')?.summary ?? 'no signal of metrics';
    stage.check('the audit says what was seen, and what was usual', /ROLL BACK: latency .* expected /.test(words), words);
    stage.check('the recovery was proven by the metrics too', JSON.stringify(rows).includes('metrics-recovered'), rows.map(({ kind }) => kind).join(' '));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};
