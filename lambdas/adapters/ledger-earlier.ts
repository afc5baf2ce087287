// Reads further back than the newest releases: what a migration did stays, however many releases came since.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { beganAt } from '../domain/passed.ts';
import { forVerdict } from '../domain/readings.ts';
import type { Instant, KnownGood, Release } from '../domain/vocabulary.ts';
import type { EarlierRelease } from '../domain/way-choice.ts';
import { releaseOf } from './ledger-history.ts';
import { type Item, type LedgerTable, serviceKey, text } from './ledger-table.ts';

/** Some weeks of a team that deploys every 20 minutes; the question has to fit one audit row. */
const most = { pages: 4, rowsAPage: 250, kept: 100 };

export interface Earlier {
  /** Newest first: those that touched the database or name a floor, and those that brought the version asked for. */
  readonly releases: readonly EarlierRelease[];
  /** Releases that began before this were not read; null when all were. */
  readonly unreadBefore: Instant | null;
}

/**
 * The releases before this one that say something of the database, back to the beginning of a known good version, or of the whole record.
 * @param until null for the whole record. @param bound at most so many releases are looked at and kept: 1,000 and 100.
 */
export async function readEarlier(table: LedgerTable, before: Pick<Release, 'service' | 'startedAt' | 'id'>, until: Pick<KnownGood, 'version' | 'since'> | null, bound = most): Promise<Earlier> {
  const { pk, sk } = serviceKey(before.service, `RELEASE#${before.startedAt}#${before.id}`);
  const releases: EarlierRelease[] = [];
  let last: Item | undefined = { pk: text(pk), sk: text(sk) };
  for (let page = 0; page < bound.pages && last !== undefined; page += 1) {
    const answer: { readonly Items?: Item[] | undefined; readonly LastEvaluatedKey?: Item | undefined } = await table.client.send(new QueryCommand({
      TableName: table.name, ConsistentRead: true, ScanIndexForward: false, Limit: bound.rowsAPage, ExclusiveStartKey: last,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :release)',
      FilterExpression: `contains(touched, :database) OR contains(manifest, :floor)${until === null ? '' : ' OR contains(#data, :version)'}`,
      ExpressionAttributeValues: {
        ':pk': text(pk), ':release': text('RELEASE#'), ':database': text('"database"'), ':floor': text('"databaseFloor":"'),
        ...(until === null ? {} : { ':version': text(`"version":${JSON.stringify(until.version)}`) }),
      },
      ...(until === null ? {} : { ExpressionAttributeNames: { '#data': 'data' } }),
    }));
    releases.push(...(answer.Items ?? []).map((item) => shortened(forVerdict(releaseOf(item)))));
    last = answer.LastEvaluatedKey;
    if (releases.length > bound.kept || (until !== null && beganAt(releases, until) !== null)) break;
  }
  const kept = releases.slice(0, bound.kept);
  const end = kept.length < releases.length ? kept.at(-1)?.startedAt : last?.['sk']?.S?.split('#')[1];
  return { releases: kept, unreadBefore: end ?? null };
}

const shortened = ({ id, version, previousVersion, startedAt, status, touched, manifest }: Release): EarlierRelease =>
  ({ id, version, previousVersion, startedAt, status, touched, ...(manifest === undefined ? {} : { manifest }) });
