// A computer that is busy with something else: time, traffic and what is timed are as they would be without it.
import { setTimeout as wallWait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { loadBalancerDimension } from '../../../sandbox/services/elbv2/records.ts';
import { Load } from '../../../sandbox/shop/load.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { steadyNow, steadySleep } from '../../../sandbox/steady-time.ts';
import { minute, rigAtSpeed, until, type Rig } from './rig.ts';

let rig: Rig<SpedUpClock>;
let shop: Shop;
let load: Load;

beforeEach(async () => {
  rig = rigAtSpeed(100);
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'v1' } });
  await shop.start();
  load = new Load({ clock: rig.clock, target: () => shop.url, requestsPerSecond: 100 });
});

afterEach(async () => {
  load.stop();
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

/** Nothing of this process goes on for so long. */
function stall(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it('loses no minute in a stall, while everybody waits', async () => {
  await wallWait(30);
  const before = rig.clock.now();
  stall(600);
  expect(rig.clock.now() - before).toBeLessThan(3 * 1000);
  await rig.clock.sleep(minute);
  expect(rig.clock.now() - before).toBeGreaterThanOrEqual(minute);
});

it('lets work take as long as it takes', () => {
  const done = rig.clock.work();
  const before = rig.clock.now();
  stall(300);
  expect(rig.clock.now() - before).toBeGreaterThanOrEqual(299);
  done();
});

it('times an answer without the stalls on its way, and no shorter than a sick version makes it', async () => {
  const stalls = setInterval(() => stall(100), 5);
  await fetch(shop.url);
  clearInterval(stalls);
  const seconds = (): number => {
    const dimensions = { LoadBalancer: loadBalancerDimension(shop.loadBalancerArn) };
    const samples = rig.cloudwatch.store.read({ namespace: 'AWS/ApplicationELB', name: 'TargetResponseTime', dimensions }, { start: 0, end: rig.clock.now() + minute, periodSeconds: 60 });
    return Math.max(...[...samples.values()].map(({ maximum }) => maximum));
  };
  expect(seconds()).toBeLessThan(0.2);
  await shop.blue.instances[0]?.install({ name: 'v2', sickness: { latencyMilliseconds: 250 } });
  await fetch(shop.url);
  expect(seconds()).toBeGreaterThanOrEqual(0.25);
});

it('sleeps through a stall', async () => {
  const before = steadyNow();
  const slept = steadySleep(100);
  stall(300);
  await slept;
  expect(steadyNow() - before).toBeGreaterThanOrEqual(100);
});

it('has as many users in a minute in which functions work as in any other', async () => {
  load.start();
  await until(() => load.totals.ok > 20, 'users come');
  const done = rig.clock.work();
  await wallWait(100);
  const [before, at] = [load.totals.ok, rig.clock.now()];
  await wallWait(1500);
  const seconds = (rig.clock.now() - at) / 1000;
  expect(seconds).toBeGreaterThan(1);
  // One request a sandbox second, and those on their way.
  expect(load.totals.ok - before).toBeLessThan(seconds + 5);
  expect(load.totals.ok - before).toBeGreaterThan(0);
  done();
});
