// A storm of events, as `npm run storm` plays it, small: for many services and for one, within quotas that are as much smaller.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { seedRelease, synthesizeMany } from '../../bin/storm-parts.ts';
import { playStorm, type StormResult } from '../../sandbox/storm/storm.ts';
import { brokenPromises } from '../../sandbox/storm/storm-lines.ts';

/** So few events keep within AWS's rates by themselves; with a quarter of them some calls are too many. */
const quotaShare = 0.25;

async function play(services: number, events: number): Promise<StormResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ripcord-storm-'));
  try {
    return await playStorm({ services, events, seconds: 6, quotaShare, directory, synthesize: synthesizeMany, release: seedRelease });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const throttled = ({ counts }: StormResult): number => [...counts.apis.values()].reduce((sum, count) => sum + count.throttled, 0);

// `brokenPromises` holds it to: every run ended, each service changed once at most, one page, every lock free, every record of a run of its own sealed, no role refused anything, no call or step tried too often.
test('many events of many services: no more are put back than the brake lets pass, on-call is told once, and all others leave or join', async () => {
  const [services, events] = [12, 144];
  const result = await play(services, events);
  expect(brokenPromises(result, { services, events })).toEqual([]);
  expect(result.counts.changes.size).toBeLessThanOrEqual(2);
  // Its row in the record and the anchor of its chain, at the least.
  expect(result.counts.recorded.rows).toBeGreaterThanOrEqual(2);
  expect(result.counts.outcomes.get('joined (storm)')).toBeGreaterThan(0);
  expect(throttled(result)).toBeGreaterThan(0);
  expect(Math.max(...result.counts.callTries.most.values())).toBeGreaterThan(1);
  expect(result.counts.stepTries.most.size > 0).toBe(result.counts.triedAgain > 0);
  // Far less than one look at alarms a run: that is what keeps the storm within nine a second.
  expect(result.counts.apis.get('cloudwatch:DescribeAlarms')?.asked).toBeLessThan(events / 2);
}, 120_000);

test('many events of one service: one rollback, and everybody else joins it', async () => {
  const events = 120;
  const result = await play(1, events);
  expect(brokenPromises(result, { services: 1, events })).toEqual([]);
  expect(result.counts.changes).toEqual(new Map([['service-1', 1]]));
  expect(result.counts.outcomes.get('recovered')).toBe(1);
  expect(result.counts.outcomes.get('joined')).toBeGreaterThan(events / 2);
}, 120_000);
