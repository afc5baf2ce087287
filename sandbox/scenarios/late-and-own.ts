// Scenarios about what a release is: one that went bad long after it was finished, and Ripcord's own, which is none.
import { checkMetricsProved, checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { alarms, errorMetrics, fleetTarget, judgedSignals, shopService, trafficMetric, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const anHourLater: Scenario = {
  name: 'an-hour-later',
  summary: 'the release finished an hour ago, passed its pipeline and its bake: it goes bad under new data, and is rolled back to the version that was good before it',
  traffic: 'load-balancer',
  // Errors and journeys alone: in a whole hour a busy computer is slow once, and that is not this story.
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    signals: { alarms: [{ name: alarms.errors }], metrics: errorMetrics(workload), minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload) },
  }),
  async play(stage) {
    await stage.minutes(5);
    stage.makePast(4);
    await stage.release('2.0.0');
    stage.say('the pipeline is green; an hour passes');
    await stage.pass(60);
    expectNoChange(stage, 'in a healthy hour');
    stage.check('the release baked, and was called good itself', stage.watches().some(({ answers }) => answers.some((answer) => answer.includes('"answer":"known-good"'))), `${stage.watches().length} watched`);
    await stage.minutes(2);
    stage.say('new data arrives that 2.0.0 cannot read');
    stage.sicken('green', { errorShare: 0.5, checkoutBroken: true });
    const run = await stage.ended(25);
    const rows = await checkRecovered(stage, run);
    checkMetricsProved(stage, rows);
    stage.check('the record names the release of an hour ago', /Release 2\.0\.0 by pipeline began at/.test(JSON.stringify(rows)), rows.map(({ kind }) => kind).join(' '));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};

export const ownRollback: Scenario = {
  name: 'own-rollback',
  summary: "Ripcord's own redeployment looks like a release to CodeDeploy, and its events come twice: nobody watches it as one, and it starts nothing",
  traffic: 'codedeploy',
  service: (workload) => shopService(workload, { fleet: fleetTarget(workload) }, { signals: judgedSignals(workload) }),
  async play(stage) {
    stage.deliverEveryEventTwice();
    await stage.minutes(4);
    stage.makePast(3);
    const bad = await stage.release('2.0.0');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(40);
    checkMetricsProved(stage, await checkRecovered(stage, run));
    stage.say('the events of its deployment arrived while its metrics recovered; nothing may come of them');
    await stage.minutes(2);
    await stage.until('every Watch and every run has ended', () => stage.watches().every(({ isOver }) => isOver) && stage.rollbacks().every(({ status }) => status !== 'RUNNING'), 15);
    const deployments = stage.watches().map(({ input, answers }) => ({ id: deploymentOf(input), answer: answers[0] ?? '' }));
    const own = deployments.filter(({ id }) => id !== bad);
    stage.check('CodeDeploy told of a deployment that Ripcord made', own.length > 0, deployments.map(({ id }) => id).join(', '));
    stage.check('every Watch of it ended at once', own.every(({ answer }) => answer.includes('"kind":"ignored"')), own.map(({ answer }) => answer.slice(0, 160)).join(' | '));
    stage.check('Ripcord redeployed once', stage.changes().filter((call) => call === 'codedeploy:CreateDeployment').length === 1, stage.changes().join(', '));
    const after = stage.rollbacks().filter(({ startedAt }) => startedAt > (run.stoppedAt ?? 0));
    stage.check('no run was started by it', after.every(({ input }) => !own.some(({ id }) => JSON.stringify(input).includes(id))), after.map(({ rollbackId, outcome }) => `${rollbackId} ${outcome ?? ''}`).join(', ') || 'no further run');
    checkQuietEnd(stage);
  },
};

const deploymentOf = (input: unknown): string => (input as { readonly event?: { readonly detail?: { readonly deploymentId?: string } } }).event?.detail?.deploymentId ?? 'no deployment';
