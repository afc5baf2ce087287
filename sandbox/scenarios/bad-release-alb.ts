// A release behind a load balancer turns bad: the weights go back, and the recovery is proven.
import { checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { shopService, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const badReleaseAlb: Scenario = {
  name: 'alb-weights',
  summary: 'a release behind a load balancer goes bad: traffic goes back to blue, proven by journeys, alarms and weights',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    stage.say('blue serves everybody');
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    expectNoChange(stage, 'while green is healthy');
    stage.say('green goes bad: four of ten requests fail, and the rest are slow');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(25);
    await checkRecovered(stage, run);
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    checkQuietEnd(stage);
  },
};
