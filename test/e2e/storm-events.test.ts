// A storm of events, as `npm run storm` plays it, small: for many services and for one, within the account's quotas.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { seedRelease, synthesizeMany } from '../../bin/storm-parts.ts';
import { playStorm, type StormResult } from '../../sandbox/storm/storm.ts';
import { brokenPromises } from '../../sandbox/storm/storm-lines.ts';

async function play(services: number, events: number): Promise<StormResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ripcord-storm-'));
  try {
    return await playStorm({ services, events, seconds: 6, directory, synthesize: synthesizeMany, release: seedRelease });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('many events of many services: a few are put back, the brake tells on-call once, and all others end at the door', async () => {
  const result = await play(12, 240);
  expect(brokenPromises(result, { services: 12, events: 240 })).toEqual([]);
  expect(result.counts.outcomes.get('joined (storm)')).toBeGreaterThan(20);
  // Far less than one look at alarms a run: that is what keeps the storm within nine a second.
  expect(result.counts.apis.get('cloudwatch:DescribeAlarms')?.asked).toBeLessThan(120);
}, 170_000);

test('many events of one service: one rollback, and everybody else joins it', async () => {
  const result = await play(1, 150);
  expect(brokenPromises(result, { services: 1, events: 150 })).toEqual([]);
  expect(result.counts.changes).toEqual(new Map([['service-1', 1]]));
  expect(result.counts.outcomes.get('recovered')).toBe(1);
  expect(result.counts.outcomes.get('joined')).toBeGreaterThan(100);
}, 170_000);
