// Scenarios about a release and the same service in another Region, where that release has not come: does it share the harm?
import { checkPaged, checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { alarms, shopService, trafficMetric } from './shop-service.ts';
import type { AuditRow, RollbackRun, Scenario, ServiceDocument, Stage, Workload } from './scenario.ts';

const [elsewhere, region] = ['shop-elsewhere', 'us-east-1'];
const outage = { errorShare: 0.5 };

/**
 * Two signals are needed and there are two, one alarm and the metrics: what these say decides. The journey asks whether anything answers at all,
 * which it does throughout.
 */
const comparedWith = (workload: Workload, others: Readonly<Record<string, Workload>>): ServiceDocument =>
  shopService(workload, { web: { strategy: 'alb-weights', listenerArn: workload.listenerArn, targetGroups: { ...workload.targetGroups }, good: { side: 'blue' } } }, {
    journeys: { answers: { allowLoopback: [workload.host], requests: [{ name: 'health', url: `${workload.url}/health` }] } },
    signals: {
      alarms: [{ name: alarms.errors }], minimum: 2, holdSeconds: 300, traffic: trafficMetric(workload),
      metrics: [{ kind: 'alb-target-group', name: 'shop', loadBalancer: workload.loadBalancer, percentile: 'p50' }],
      controls: [{ kind: 'alb-target-group', region, loadBalancer: others[elsewhere]?.loadBalancer ?? '', percentile: 'p50' }],
    },
    verification: { passesInARow: 2, intervalSeconds: 60, deadlineMinutes: 12 },
    policy: { approval: { none: 'the demo shop takes no money, so nobody has to be asked' }, bakeMinutes: 20, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 },
  });

interface Assessed {
  readonly decision?: { readonly signals?: readonly { readonly kind: string; readonly status: string; readonly summary: string }[] };
}

/** What the metrics said at the last look of a run, and with which status. */
function lastWord(rows: readonly AuditRow[]): string {
  const signals = rows.filter(({ kind }) => kind === 'assessed').at(-1)?.data as Assessed | undefined;
  const found = signals?.decision?.signals?.find(({ kind }) => kind === 'metrics');
  return found === undefined ? 'no signal of metrics' : `${found.status}: ${found.summary}`;
}

async function releaseAndWait(stage: Stage): Promise<void> {
  await stage.minutes(5);
  stage.makePast(4);
  await stage.release('2.0.0');
  await stage.minutes(1);
}

async function endedRun(stage: Stage): Promise<{ readonly run: RollbackRun; readonly rows: readonly AuditRow[] }> {
  const run = await stage.ended(40);
  return { run, rows: await stage.audit(run.rollbackId) };
}

export const sharedAcrossRegions: Scenario = {
  name: 'shared-across-regions',
  summary: 'a global dependency falls sick right after a good release: the same shop in us-east-1, which has not got it, shares the harm; nothing is rolled back, and the page says so (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  elsewhere: { [elsewhere]: region },
  service: comparedWith,
  async play(stage) {
    await releaseAndWait(stage);
    stage.say('what every Region depends on is sick: half of all requests fail, here on both sides and in us-east-1');
    for (const side of ['green', 'blue'] as const) stage.sicken(side, outage);
    stage.sickenOther(elsewhere, outage);
    const { run, rows } = await endedRun(stage);
    stage.check('it was left as it is', run.outcome === 'left', `${run.outcome ?? ''}: ${run.headline}`);
    expectNoChange(stage, 'at all');
    const word = lastWord(rows);
    stage.check('the metrics accuse nobody, as us-east-1 shares it', word.startsWith('unknown: metrics: shop in us-east-1 got worse as well.') && word.includes('NOT THE RELEASE'), word);
    checkPaged(stage, /shop in us-east-1 got worse as well/);
  },
};

export const onlyThisRegion: Scenario = {
  name: 'only-this-region',
  summary: 'the counterpart: the same harm by the release alone, while the shop in us-east-1 stays flat: rolled back, and the record says what it was compared with (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  elsewhere: { [elsewhere]: region },
  service: comparedWith,
  async play(stage) {
    await releaseAndWait(stage);
    stage.say('the new version fails half of its requests; us-east-1 has the old one and is well');
    stage.sicken('green', outage);
    const { run, rows } = await endedRun(stage);
    await checkRecovered(stage, run);
    const word = lastWord(rows);
    stage.check('the metrics accuse the release, as us-east-1 does not share it', /^firing: metrics: ROLL BACK: .*1 comparison service (stayed flat|did not share it)/.test(word), word);
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};
