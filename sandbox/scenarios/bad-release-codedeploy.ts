// A CodeDeploy deployment that passed turns bad: the last known good revision is redeployed, past the alarm that would block it.
import { checkQuietEnd, checkRecovered } from './facts.ts';
import { fleetTarget, shopService } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const badReleaseCodeDeploy: Scenario = {
  name: 'codedeploy',
  summary: 'a CodeDeploy deployment that succeeded goes bad: the last known good revision is redeployed, past the alarm that would block it',
  traffic: 'codedeploy',
  service: (workload) => shopService(workload, { fleet: fleetTarget(workload) }),
  async play(stage) {
    stage.say('version 1.0.0 runs on the fleet');
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.say('version 2.0.0 goes bad');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    stage.check('Ripcord redeployed, and stopped nothing', stage.changes().includes('codedeploy:CreateDeployment') && !stage.changes().includes('codedeploy:StopDeployment'), stage.changes().join(', '));
    const weights = await stage.weights();
    stage.check('the whole fleet runs 1.0.0', weights['blue'] === 100, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};

export const codeDeployInProgress: Scenario = {
  name: 'codedeploy-in-progress',
  summary: 'a CodeDeploy deployment goes bad while it runs: it is stopped with rollback, and the rollback is followed to its end',
  traffic: 'codedeploy',
  service: (workload) => shopService(workload, { fleet: fleetTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    stage.sicken('green', { errorShare: 0.8, delayMs: 400 });
    await stage.release('2.0.0', { finish: false });
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    stage.check('the running deployment was stopped', stage.changes().includes('codedeploy:StopDeployment'), stage.changes().join(', '));
    const weights = await stage.weights();
    stage.check('the whole fleet runs 1.0.0', weights['blue'] === 100, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};
