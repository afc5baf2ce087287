// Scenarios about what only the metrics show.
import { checkQuietEnd, checkRecovered, expectNoChange, judgedIn } from './facts.ts';
import { alarms, shopMetrics, shopPolicy, shopService, trafficMetric } from './shop-service.ts';
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
    policy: shopPolicy({ bakeMinutes: 20 }),
    signals: {
      alarms: [{ name: alarms.errors }, { name: alarms.latency }],
      metrics: shopMetrics(workload),
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

/** A sixth of what this shop answers fails anyway: a canary with a fifth of the traffic has to add more than half of that before the whole shows it. */
const usualErrors = 0.16;
const canaryErrors = 0.46;

export const sickCanary: Scenario = {
  name: 'sick-canary',
  summary: 'a release with a fifth of the traffic fails three times as often as the version before, which the service as a whole hardly shows: found by its own metrics, and put back for them alone (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: stableSide(workload) }, {
    journeys: {}, verification: { none: 'a sixth of its requests fails anyway, so no journey would pass' },
    signals: { metrics: shopMetrics(workload), minimum: 1, holdSeconds: 240, traffic: trafficMetric(workload) },
  }),
  async play(stage) {
    stage.say('a sixth of what blue answers fails, day and night: an alarm on it would never be quiet, so the service has none');
    stage.sicken('blue', { errorShare: usualErrors, areErrorsEven: true }, true);
    stage.pace(80);
    await stage.minutes(8);
    stage.makePast(6);
    stage.sicken('green', { errorShare: canaryErrors, areErrorsEven: true });
    await stage.release('2.0.0', { canaryPercent: 20 });
    expectNoChange(stage, 'before the metrics have shown anything');
    const run = await stage.ended(60);
    const rows = await checkRecovered(stage, run);
    stage.check('the Watch started it, because of the metrics', JSON.stringify(run.input).includes('"metrics":true'), JSON.stringify(run.input).slice(0, 300));
    const words = judgedIn(rows).find(({ status }) => status === 'firing')?.summary ?? 'no signal of metrics';
    stage.check('both versions are told side by side', /^metrics: green fails [345]\d(\.\d)? % of its requests, blue at the same minutes [12]\d(\.\d)? %/.test(words), words);
    stage.check('the harm is that of the new version, not of the whole', words.includes('ROLL BACK: green error rate'), words);
    stage.check('the recovery was proven by the metrics', JSON.stringify(rows).includes('metrics-recovered'), rows.map(({ kind }) => kind).join(' '));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};

/** The words of the first message under one of its headings. */
const under = (text: string, heading: string): string => text.split(`${heading}\n`)[1]?.split('\n\n')[0] ?? '';

export const nobodyKnowsWhy: Scenario = {
  name: 'nobody-knows-why',
  summary: 'a release goes bad and nobody knows why: the first message names the release, the evidence, before and after, what is done and what happens next (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: stableSide(workload) }, {
    signals: {
      alarms: [{ name: alarms.errors }, { name: alarms.latency }],
      metrics: shopMetrics(workload),
      minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload),
    },
  }),
  async play(stage) {
    await stage.minutes(8);
    stage.makePast(6);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('green goes bad: four of ten requests fail, and the rest are slow');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    const first = stage.messages().find(({ topic }) => topic === 'on-call');
    const text = first?.text ?? 'no message';
    const shows = (fact: string, holds: boolean, evidence = text): void => stage.check(`the first message ${fact}`, holds, evidence);
    shows('came before the rollback was proven', first !== undefined && first.at < (run.stoppedAt ?? 0), first?.subject);
    shows('names the service, the release and where it goes', /rolling back checkout from 2\.0\.0 to \S+/.test(first?.subject ?? ''), first?.subject);
    shows('says who released it, when, and what it touched', /Release: 2\.0\.0 \(release-2\.0\.0\) by pipeline, began .* UTC, finished; touched code/.test(text));
    const evidence = under(text, 'Evidence');
    shows('holds the evidence', evidence.includes(alarms.errors) && evidence.includes(alarms.latency), evidence);
    shows('says how it is, and how it was before', /metrics: .*error rate [\d.]+ % in the last .*, [\d.]+ % in the hour before the release; latency [\d.]+ ms in the last .*, [\d.]+ ms in the hour before|metrics: .*expected /.test(evidence), evidence);
    shows('ranks who could have done it', /1\. checkout 2\.0\.0 \(\d+ %\): began \d+ min before the fault/.test(under(text, 'Who could have done it')), under(text, 'Who could have done it'));
    shows('says what is being done, and how long that takes', /About \d+ s until users are safe[^]*1\. web \(alb-weights\): blue 0 → 100, green 100 → 0/.test(under(text, 'What is being done')), under(text, 'What is being done'));
    shows('says what is not undone', under(text, 'What is NOT undone').includes('Data that 2.0.0 wrote'), under(text, 'What is NOT undone'));
    shows('says what happens next', under(text, 'What happens next').length > 0, under(text, 'What happens next'));
    checkQuietEnd(stage);
  },
};
