// Scenarios about events that never arrive: the poll finds what they would have told.
import { checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { alarms, fleetTarget, shopService, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const lostRelease: Scenario = {
  name: 'lost-release-events',
  summary: 'a CodeDeploy deployment whose events get lost: the poll finds the release and has it watched, once; it goes bad, and is rolled back',
  traffic: 'codedeploy',
  service: (workload) => shopService(workload, { fleet: fleetTarget(workload) }, {
    // Longer than the poll may take to find the release: it must not be called good before it goes bad.
    policy: { approval: { none: 'the demo shop takes no money, so nobody has to be asked' }, bakeMinutes: 10, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 },
  }),
  async play(stage) {
    stage.say('version 1.0.0 runs on the fleet');
    await stage.minutes(5);
    stage.loseEvents('aws.codedeploy');
    const deploymentId = await stage.release('2.0.0');
    stage.check('no event told of the release', stage.watches().length === 0, stage.watches().map(({ name }) => name).join(', ') || 'no Watch');
    await stage.until('the poll finds the release', () => stage.watches().length > 0, 12);
    stage.say('the poll has found the release; version 2.0.0 goes bad');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    const weights = await stage.weights();
    stage.check('the whole fleet runs 1.0.0', weights['blue'] === 100, JSON.stringify(weights));
    await stage.minutes(6);
    const found = stage.watches().filter(({ name }) => name.startsWith('poll-'));
    stage.check('the poll started one Watch of it, and of the rollback none', found.length === 1 && JSON.stringify(found[0]?.input).includes(deploymentId), found.map(({ input }) => JSON.stringify(input)).join(' '));
    checkQuietEnd(stage);
  },
};

export const lostAlarm: Scenario = {
  name: 'lost-alarm-events',
  summary: 'a release goes bad after its bake, and the events of its alarms get lost: the poll finds the alarms and starts the rollback, once',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.until('the Watch of the release is over', () => stage.watches().length > 0 && stage.watches().every(({ isOver }) => isOver), 20);
    expectNoChange(stage, 'while green is healthy');
    stage.loseEvents('aws.cloudwatch');
    stage.say('green goes bad, and nobody hears the alarms');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    await stage.until('the error alarm fires', () => stage.alarmState(alarms.errors) === 'ALARM', 8);
    const run = await stage.ended(30);
    await checkRecovered(stage, run);
    stage.check('the poll started it', run.rollbackId.startsWith('poll-') && JSON.stringify(run.input).includes('the poll'), `${run.rollbackId}: ${JSON.stringify(run.input).slice(0, 200)}`);
    await stage.minutes(6);
    stage.check('the poll started no other', stage.rollbacks().length === 1, stage.rollbacks().map(({ rollbackId, outcome }) => `${rollbackId}: ${outcome ?? 'running'}`).join(', '));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
  },
};
