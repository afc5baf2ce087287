// A release that ECS rolls out by itself, told by ECS's own events alone: it goes bad, and the task definition before it is put back.
import { checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { shopService, tasksTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const ecsRelease: Scenario = {
  name: 'ecs-service',
  summary: 'a rolling release that only ECS tells of goes bad: the task definition before it is put back, and that deployment is taken for no release',
  traffic: 'ecs',
  service: (workload) => shopService(workload, { tasks: tasksTarget(workload) }),
  async play(stage) {
    stage.say('four tasks run 1.0.0');
    await stage.minutes(5);
    const deploymentId = await stage.release('2.0.0');
    await stage.minutes(1);
    expectNoChange(stage, 'while 2.0.0 is healthy');
    stage.check('the Watch heard of it from ECS', stage.watches().some(({ input }) => JSON.stringify(input).includes(deploymentId) && JSON.stringify(input).includes('aws.ecs')), stage.watches().map(({ name }) => name).join(', '));
    stage.say('2.0.0 goes bad');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(40);
    await checkRecovered(stage, run);
    stage.check('the service was updated once', stage.changes().join() === 'ecs:UpdateService', stage.changes().join(', '));
    const weights = await stage.weights();
    stage.check('every task runs 1.0.0', weights['blue'] === 100, JSON.stringify(weights));
    await stage.minutes(7);
    const watched = stage.watches().filter(({ isOver }) => !isOver);
    stage.check('nobody watches the rollback as a release', watched.length === 0 && stage.rollbacks().length <= 3, `${watched.length} watches, ${stage.rollbacks().length} rollbacks`);
    checkQuietEnd(stage);
  },
};
