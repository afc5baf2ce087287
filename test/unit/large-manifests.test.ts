// The largest manifests that a pipeline may send, with as many releases as are read: what is decided still fits a row, and people still see what the one concerned says.
import { beforeEach, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { newestReleases } from '../../lambdas/adapters/ledger.ts';
import { parseReleaseEvent } from '../../lambdas/domain/release-event.ts';
import type { JsonObject, Release, ReleaseManifest } from '../../lambdas/domain/vocabulary.ts';
import type { Watching } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { watchChain } from '../../lambdas/runtime/watch-kept.ts';
import { reportInput } from '../../lambdas/runtime/watchdog.ts';
import { alarmInput, rig, service, useRig } from './assess-rig.ts';

useRig('large');
/** What `fitted` leaves of the metrics, in characters. */
const metricsCharacters = 200_000;

let newest: Release;
beforeEach(async () => {
  await rig.attach(service);
  rig.fire('5xx', 'latency');
  for (let number = 0; number < newestReleases; number += 1) newest = await released(number);
});

const padded = (start: string, length: number): string => start.padEnd(length, 'x');
const largest = (number: number): ReleaseManifest => ({
  approvals: Array.from({ length: 20 }, (_, index) => ({ by: padded(`ada ${index} of ${number} `, 200), at: rig.at(-30) })),
  backup: { reference: padded('arn:aws:rds:eu-west-1:111122223333:snapshot:', 300), at: rig.at(-30) }, databaseFloor: padded('v1', 200), url: padded('https://ci.example.com/', 2000),
});

/** The newest one of all began three minutes ago, each other a minute before the next; all are of the window. */
async function released(number: number): Promise<Release> {
  const minutes = number - newestReleases - 2;
  const [id, version, previousVersion, actor] = [padded(`build-${number}-`, 60), padded(`v2-${number}-`, 40), padded(`v2-${number - 1}-`, 40), 'pipeline'];
  const manifest = largest(number);
  // No more than what an event may say.
  parseReleaseEvent({ service, event: { source: 'ripcord.release', 'detail-type': 'Release Started', time: rig.at(minutes), detail: { service, releaseId: id, version, previousVersion, actor, ...manifest } } });
  const release = rig.release(service, { id, version, previousVersion, actor, startedAt: rig.at(minutes), finishedAt: rig.at(minutes + 0.5), touched: ['code', 'configuration', 'infrastructure', 'database'], manifest });
  await putRelease(rig.table, release, 'w-1');
  return release;
}

/** Writes a row again with metrics that are as large as they can be. */
const withMetrics = async (rollbackId: string, kind: 'assessed' | 'watched', data: object & { readonly question?: unknown }) =>
  rig.parts.audit.append({ rollbackId: `${rollbackId}-metrics`, service, kind, at: rig.at(0), data: { ...data, question: { ...data.question as JsonObject, metrics: 'm'.repeat(metricsCharacters) } } }, null);

it('a verdict fits its row, with metrics beside it, and says whole what the release concerned says', async () => {
  const assessment = await rig.assess(rig.input(service, alarmInput(service)));
  expect(assessment.release).toMatchObject({ id: newest.id, manifest: newest.manifest });
  // One of the rig's own is among the newest, so that one more is read from before them.
  expect(assessment.passed).toHaveLength(newestReleases + 1);
  const rows = await new AuditRows(rig.table.client, 'audit').read(`rb-${service}`);
  const [data] = await rig.audited(`rb-${service}`);
  await withMetrics(`rb-${service}`, 'assessed', data ?? {});
  expect(replayRows(rows)).toMatchObject([{ result: 'same', verdict: assessment.verdict }]);
  // What the Watchdog puts together from the row when the execution dies.
  const { assessment: again } = reportInput({ name: `rb-${service}`, status: 'TIMED_OUT', startDate: 0 }, rows);
  expect(again?.release?.manifest).toEqual(newest.manifest);
});

it('a look of the Watch fits its row, with metrics beside it', async () => {
  const watching = { service, releaseId: newest.id, hasJourneys: true, steps: [] } as unknown as Watching;
  await watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, looksLeft: 1400, memory: null, evidence: { at: rig.at(0), results: [] } }, rig.parts);
  const [data] = await rig.audited(watchChain(service, 'w-1'));
  expect(data).toMatchObject({ verb: 'look', question: { release: { id: newest.id } }, looked: { answer: 'signal' } });
  expect(data?.['question']).toHaveProperty('releases.length', newestReleases);
  await withMetrics('w-1', 'watched', data ?? {});
});
