// Which services were sick lately, account-wide: many at once have a shared cause, and no release of one of them is it.
import type { Instant } from '../domain/vocabulary.ts';
import { type Item, type Key, type LedgerTable, number, range, text, updateIf } from './ledger-table.ts';

/** A service that was counted, and which others dependencies join it with; alone it is its own group. */
export interface Counted {
  readonly service: string;
  readonly group: string;
}

export interface StormWindows {
  readonly current: readonly Counted[];
  readonly previous: readonly Counted[];
  /** The run that told on-call of this storm; null when none did within two windows. */
  readonly announcedBy: string | null;
}

const windowStart = (now: Date, minutes: number, back = 0): Instant => {
  const length = minutes * 60_000;
  return new Date((Math.floor(now.getTime() / length) - back) * length).toISOString();
};
const stormKey = (start: Instant): Key => ({ pk: 'ACCOUNT', sk: `STORM#${start}` });
/** Sorts behind every window, so that one Query reads it with them. */
const toldKey: Key = { pk: 'ACCOUNT', sk: 'STORM#TOLD' };
const sharedKey = (dependency: string): Key => ({ pk: 'ACCOUNT', sk: `SHARED#${dependency}` });
/** Three rows are there; more only where `minutes` was changed or a clock is ahead. */
const mostRows = 50;

const separator = '@';
const written = ({ service, group }: Counted): string => (group === service ? service : `${service}${separator}${group}`);
/** One a service, also where it was counted before and after a deployment changed its group. */
function countedIn(item: Item | undefined): Counted[] {
  const counted = (item?.['services']?.SS ?? []).toSorted().map((one): Counted => {
    const [service = one, group = service] = one.split(separator);
    return { service, group };
  });
  return counted.filter(({ service }, index) => counted.findLastIndex((one) => one.service === service) === index);
}

/** The services of the running window and of the one before. */
export async function readStorm(table: LedgerTable, minutes: number, now: Date): Promise<StormWindows> {
  const [current, previous] = [stormKey(windowStart(now, minutes)), stormKey(windowStart(now, minutes, 1))];
  const items = await range(table, { pk: 'ACCOUNT', from: previous.sk, to: toldKey.sk, newestFirst: true, limit: mostRows });
  const at = (key: Key) => items.find((item) => item['sk']?.S === key.sk);
  const told = at(toldKey);
  const isTold = Number(told?.['toldUntil']?.N ?? 0) > now.getTime();
  return { current: countedIn(at(current)), previous: countedIn(at(previous)), announcedBy: isTold ? told?.['rollbackId']?.S ?? null : null };
}

/** Adds the service to the running window. @returns everybody in it, this service included. */
export async function addToStorm(table: LedgerTable, counted: Counted, minutes: number, now: Date): Promise<readonly Counted[]> {
  const after = await updateIf(table, stormKey(windowStart(now, minutes)), {
    UpdateExpression: 'ADD services :service',
    ExpressionAttributeValues: { ':service': { SS: [written(counted)] } },
  });
  return countedIn(after ?? undefined);
}

/**
 * Claims the one page that a storm sends, for two windows from now: whoever is counted now is not counted any more by then.
 * @returns true for one rollback, however often it asks.
 */
export const claimStormPage = (table: LedgerTable, rollbackId: string, minutes: number, now: Date): Promise<boolean> => claimPage(table, toldKey, { rollbackId, minutes }, now);

/** Claims the one page about a dependency that makes several services sick. @returns as for a storm. */
export const claimSharedPage = (table: LedgerTable, { rollbackId, dependency, minutes }: { readonly rollbackId: string; readonly dependency: string; readonly minutes: number }, now: Date): Promise<boolean> =>
  claimPage(table, sharedKey(dependency), { rollbackId, minutes }, now);

async function claimPage(table: LedgerTable, key: Key, { rollbackId, minutes }: { readonly rollbackId: string; readonly minutes: number }, now: Date): Promise<boolean> {
  const claimed = await updateIf(table, key, {
    UpdateExpression: 'SET rollbackId = :me, toldUntil = :until',
    ConditionExpression: 'attribute_not_exists(rollbackId) OR toldUntil <= :now OR rollbackId = :me',
    ExpressionAttributeValues: { ':me': text(rollbackId), ':now': number(now.getTime()), ':until': number(now.getTime() + 2 * minutes * 60_000) },
  });
  return claimed !== null;
}
