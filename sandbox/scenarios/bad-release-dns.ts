// A release behind weighted DNS turns bad: one batch puts the records back, and the TTL is waited out before the proof.
import { checkQuietEnd, checkRecovered } from './facts.ts';
import { dnsTarget, shopService } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const badReleaseDns: Scenario = {
  name: 'route53-weights',
  summary: 'a release behind weighted DNS goes bad: one batch puts the records back, the TTL is waited out, then the proof',
  traffic: 'dns',
  service: (workload) => shopService(workload, { dns: dnsTarget(workload) }),
  async play(stage) {
    stage.say('blue answers everybody that asks DNS');
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(2);
    stage.say('green goes bad');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(25);
    const rows = await checkRecovered(stage, run);
    const weights = await stage.weights();
    stage.check('DNS points to blue alone', (weights['blue'] ?? 0) > 0 && weights['green'] === 0, JSON.stringify(weights));
    const made = rows.findIndex((row) => row.kind === 'change-made');
    const verified = rows.find((row) => row.kind === 'verified');
    const waited = (Date.parse(verified?.at ?? '') - Date.parse(rows[made]?.at ?? '')) / 1000;
    stage.check('the TTL of 60 s was waited out before the first proof', waited >= 60, `${waited.toFixed(0)} s`);
    checkQuietEnd(stage);
  },
};
