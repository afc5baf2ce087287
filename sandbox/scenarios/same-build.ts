// The pipeline ships a build again that was rolled back: that exact version is held, without waiting for it to hurt anybody; a fix passes.
import { checkEndedAs, checkPaged, checkRecovered } from './facts.ts';
import { shopPolicy, shopService, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

const coolDownMinutes = 4;

export const sameBuildAgain: Scenario = {
  name: 'same-build-again',
  summary: 'the pipeline ships the build again that was rolled back: within the cool-down a person is paged, afterwards it goes back before an alarm fires; a fix passes',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { policy: shopPolicy({ coolDownMinutes }) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    await checkRecovered(stage, await stage.ended(25));
    stage.say('the pipeline ships 2.0.0 again; what broke it sleeps for now, so no alarm will fire');
    stage.sicken('green', {});
    await stage.release('2.0.0');
    const early = await stage.ended(10);
    checkEndedAs(stage, early, ['left']);
    checkPaged(stage, /2\.0\.0 was rolled back before/);
    stage.check('within the cool-down Ripcord changed nothing more', stage.changes().length === 1, stage.changes().join(', '));
    await stage.minutes(coolDownMinutes + 1);
    stage.say('and once more, when the cool-down is over');
    await stage.release('2.0.0');
    const again = await stage.ended(20);
    await checkRecovered(stage, again);
    stage.check('no alarm was needed', JSON.stringify(again.input).includes('"quarantined":true'), JSON.stringify(again.input));
    const weights = await stage.weights();
    stage.check('all traffic is back on blue', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    await stage.minutes(coolDownMinutes + 1);
    stage.say('the fix comes out');
    await stage.release('2.0.1');
    const before = stage.rollbacks().length;
    await stage.minutes(4);
    const live = await stage.weights();
    stage.check('the fix is left alone', stage.rollbacks().length === before && live['green'] === 100, `${stage.rollbacks().length - before} more runs, ${JSON.stringify(live)}`);
  },
};
