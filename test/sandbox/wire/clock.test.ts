// Sandbox time: faster than the wall, continuous, and over when the sandbox stops.
import { setTimeout as wallWait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ClockStopped, SpedUpClock } from '../../../sandbox/clock.ts';

let clock: SpedUpClock;
afterEach(() => clock.stop());

test('a minute of sandbox time takes a fraction of a second', async () => {
  clock = new SpedUpClock({ speed: 600, startAt: 1_000_000 });
  const wall = performance.now();
  await clock.sleep(60_000);
  expect(performance.now() - wall).toBeLessThan(2000);
  expect(performance.now() - wall).toBeGreaterThan(95);
  expect(clock.now()).toBeGreaterThanOrEqual(1_060_000 - 600);
});

test('time starts where it is told, and never goes back', () => {
  clock = new SpedUpClock({ speed: 1000, startAt: 5 });
  let last = clock.now();
  expect(last).toBeGreaterThanOrEqual(5);
  for (let i = 0; i < 1000; i += 1) {
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test('a sleep ends with an error when the sandbox stops, and none begins afterwards', async () => {
  clock = new SpedUpClock();
  const sleeping = clock.sleep(3_600_000);
  clock.stop();
  await expect(sleeping).rejects.toBeInstanceOf(ClockStopped);
  await expect(clock.sleep(1)).rejects.toBeInstanceOf(ClockStopped);
});

test('a repetition beats until it is cancelled, without overlapping a slow run', async () => {
  clock = new SpedUpClock({ speed: 100 });
  let running = 0;
  let most = 0;
  let beats = 0;
  const cancel = clock.every(1000, async () => {
    running += 1;
    most = Math.max(most, running);
    beats += 1;
    await wallWait(25);
    running -= 1;
  });
  await wallWait(300);
  cancel();
  const counted = beats;
  await wallWait(60);
  expect(most).toBe(1);
  expect(counted).toBeGreaterThan(4);
  expect(beats).toBe(counted);
});

test('a repetition goes on after a run that failed, and ends with the sandbox', async () => {
  const errors: unknown[] = [];
  clock = new SpedUpClock({ speed: 100, onError: (error) => errors.push(error) });
  clock.every(1000, () => {
    throw new Error('run failed');
  });
  await wallWait(100);
  clock.stop();
  const counted = errors.length;
  await wallWait(50);
  expect(counted).toBeGreaterThan(1);
  expect(errors).toHaveLength(counted);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a speed of %s is refused', (speed) => {
  clock = new SpedUpClock();
  expect(() => new SpedUpClock({ speed })).toThrow('speed');
});

test('while somebody works, a second lasts a second; afterwards time flies again', async () => {
  clock = new SpedUpClock({ speed: 1000, startAt: 0 });
  const slept = clock.sleep(60_000);
  const rest = clock.work();
  const alsoRest = clock.work();
  await wallWait(100);
  const busy = clock.now();
  expect(busy).toBeLessThan(1000);
  rest();
  rest();
  await wallWait(30);
  expect(clock.now()).toBeLessThan(2000);
  alsoRest();
  await slept;
  expect(clock.now()).toBeGreaterThanOrEqual(60_000 - 1000);
});

test('a clock can be held from its start: no moment of it goes by until it is let go', async () => {
  const held = new SpedUpClock({ speed: 1000, startAt: 5, isHeld: true });
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect([held.now(), held.isHeld]).toEqual([5, true]);
  held.hold()();
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect([held.now() > 5000, held.isHeld]).toEqual([true, false]);
});

test('held time wakes the earliest first, and of those at one moment whoever began to wait first', async () => {
  const held = new SpedUpClock({ startAt: 1_000_000, isHeld: true });
  const woken: string[] = [];
  for (const [name, milliseconds] of [['late', 300], ['one', 200], ['two', 200], ['early', 100], ['three', 200]] as const) void held.sleep(milliseconds).then(() => woken.push(name));
  const drop = held.every(200, () => void woken.push('beat'));
  await held.step();
  await held.advance(1_000_250);
  expect(woken).toEqual(['early', 'one', 'two', 'three', 'beat']);
  drop();
  await held.step();
  await held.step();
  expect(woken.at(-1)).toBe('late');
  expect(await held.step()).toBe(false);
});
