// Scenarios about what starts a rollback and what must not.
import { checkEndedAs, checkMetricsProved, checkPaged, checkRecovered, expectNoChange, judgedIn } from './facts.ts';
import { alarms, judgedSignals, shopMetrics, shopService, trafficMetric, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const alreadyInAlarm: Scenario = {
  name: 'already-in-alarm',
  summary: 'the alarm is in ALARM before the release starts, so no event will come: the Watch catches the bad release',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: {
      alarms: [{ name: alarms.errors }],
      metrics: shopMetrics(workload),
      minimum: 2,
      holdSeconds: 240,
      traffic: { none: 'the demo counts no requests in this scenario' },
    },
    policy: {
      approval: { none: 'the demo shop takes no money, so nobody has to be asked' },
      // Short, so that the release of 1.0.0 is no suspect any more when blue has its bad minute.
      bakeMinutes: 3, releaseWindowMinutes: 5, coolDownMinutes: 1, dailyBudget: 3,
    },
  }),
  async play(stage) {
    await stage.announce('1.0.0');
    await stage.minutes(8);
    stage.makePast(6);
    stage.say('blue has a bad minute of its own: the alarm fires with no release behind it');
    stage.sicken('blue', { errorShare: 0.5 });
    await stage.until('the error alarm fires', () => stage.alarmState(alarms.errors) === 'ALARM', 6);
    const first = await stage.ended(10);
    checkEndedAs(stage, first, ['left']);
    // The traffic moves a minute later, so each minute that the alarm counts has half a minute of errors: of blue's, and then of green's.
    await stage.secondOfMinute(30);
    stage.say('blue is well again, and a bad green is released before the alarm has cleared');
    stage.sicken('blue', {});
    stage.sicken('green', { errorShare: 0.5, checkoutBroken: true });
    await stage.release('2.0.0');
    stage.check('the alarm never left ALARM', stage.alarmState(alarms.errors) === 'ALARM', stage.alarmState(alarms.errors));
    const run = await stage.ended(30);
    // It began in the minute in which the Watch saw it: of so few minutes the judge says only that it is too early.
    checkMetricsProved(stage, await checkRecovered(stage, run), /too few periods since the release|error rate [1-9]/);
    stage.check('the Watch started it', JSON.stringify(run.input).includes('ripcord.watch'), JSON.stringify(run.input).slice(0, 120));
  },
};

export const noRelease: Scenario = {
  name: 'no-release',
  summary: 'the service gets sick and nothing was released: no rollback, a page',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { signals: judgedSignals(workload) }),
  async play(stage) {
    await stage.minutes(4);
    stage.makePast(3);
    stage.say('blue gets sick by itself');
    stage.sicken('blue', { errorShare: 0.5, delayMs: 250 });
    const run = await stage.ended(12);
    checkEndedAs(stage, run, ['left']);
    checkPaged(stage, /no release/i);
    const rows = await stage.audit(run.rollbackId);
    const [read] = rows.flatMap(({ data }) => (data['question'] as { readonly metrics?: { readonly status: string } } | undefined)?.metrics?.status ?? []);
    stage.check('the metrics were read, and accuse no release, as there is none', read === 'read' && judgedIn(rows).length === 0, `${read ?? 'not read'}; ${judgedIn(rows)[0]?.summary ?? 'they have no say'}`);
    expectNoChange(stage, 'at all');
  },
};

export const duplicateStorm: Scenario = {
  name: 'duplicate-storm',
  summary: 'two alarms, each event delivered twice, and other tools shouting too: one rollback, the rest join it',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: {
      alarms: [{ name: alarms.errors }, { name: alarms.latency }],
      external: ['datadog'],
      minimum: 2,
      holdSeconds: 240,
      traffic: { none: 'the storm is about events, not about traffic' },
    },
  }),
  async play(stage) {
    stage.deliverEveryEventTwice();
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.sicken('green', { errorShare: 0.5, delayMs: 250 });
    await stage.until('an alarm fires', () => stage.alarmState(alarms.errors) === 'ALARM' || stage.alarmState(alarms.latency) === 'ALARM', 8);
    for (let index = 0; index < 5; index += 1)
      stage.putSignal({ service: stage.service, tool: 'datadog', id: `monitor-${index}`, status: 'firing', summary: 'error budget burns' });
    const run = await stage.ended(25);
    await checkRecovered(stage, run);
    const others = stage.rollbacks().filter((other) => other.rollbackId !== run.rollbackId);
    stage.check('many runs were started', others.length >= 6, `${others.length} besides the one that acted`);
    stage.check('none of them acted', others.every((other) => other.outcome !== 'recovered'), others.map((other) => other.outcome ?? other.status).join(' '));
    stage.check('the listener was changed once', stage.changes().length === 1, stage.changes().join(', '));
  },
};

export const secondSignalMissing: Scenario = {
  name: 'second-signal-missing',
  summary: 'one alarm alone, journeys pass: it is held, looked at again, and a person is told; nothing is rolled back',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: { alarms: [{ name: alarms.errors }, { name: alarms.latency }], minimum: 2, holdSeconds: 75, traffic: trafficMetric(workload) },
  }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('green is slow, and nothing else is wrong with it');
    stage.sicken('green', { delayMs: 700 });
    const run = await stage.ended(20);
    checkEndedAs(stage, run, ['left']);
    checkPaged(stage, /signal/i);
    const looks = (await stage.audit(run.rollbackId)).filter((row) => row.kind === 'assessed');
    stage.check('it looked more than once', looks.length > 1, `${looks.length} looks`);
    expectNoChange(stage, 'at all');
  },
};

export const flapping: Scenario = {
  name: 'flapping',
  summary: 'rolled back, rolled forward by the pipeline, bad again: the budget and the cool-down hand it to a person',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: judgedSignals(workload),
    policy: {
      approval: { none: 'the demo shop takes no money, so nobody has to be asked' },
      bakeMinutes: 3, releaseWindowMinutes: 240, coolDownMinutes: 1, dailyBudget: 1, askTimeoutMinutes: 3,
    },
  }),
  async play(stage) {
    await stage.minutes(4);
    stage.makePast(3);
    await stage.release('2.0.0');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const first = await stage.ended(25);
    checkMetricsProved(stage, await checkRecovered(stage, first));
    await stage.minutes(2);
    stage.say('the pipeline ships another build to green, and it is as bad');
    await stage.release('2.0.1');
    const second = await stage.ended(30);
    checkEndedAs(stage, second, ['left', 'rejected', 'stopped']);
    checkPaged(stage, /budget/i);
    stage.check('the listener was changed by Ripcord once', stage.changes().length === 1, stage.changes().join(', '));
    const weights = await stage.weights();
    stage.check('green still has the traffic: a person decides', weights['green'] === 100, JSON.stringify(weights));
  },
};
