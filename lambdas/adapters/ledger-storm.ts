// Which services had a signal lately, account-wide: many at once have a shared cause, and no release of one of them is it.
import type { Instant } from '../domain/vocabulary.ts';
import { type Item, type Key, type LedgerTable, range, text, updateIf } from './ledger-table.ts';

export interface StormWindows {
  readonly current: readonly string[];
  readonly previous: readonly string[];
  /** The run that told on-call of the storm in the running window. */
  readonly announcedBy: string | null;
}

const windowStart = (now: Date, minutes: number, back = 0): Instant => {
  const length = minutes * 60_000;
  return new Date((Math.floor(now.getTime() / length) - back) * length).toISOString();
};
const stormKey = (start: Instant): Key => ({ pk: 'ACCOUNT', sk: `STORM#${start}` });
const services = (item: Item | undefined): string[] => (item?.['services']?.SS ?? []).toSorted();

/** The services of the running window and of the one before. */
export async function readStorm(table: LedgerTable, minutes: number, now: Date): Promise<StormWindows> {
  const [current, previous] = [stormKey(windowStart(now, minutes)), stormKey(windowStart(now, minutes, 1))];
  const items = await range(table, { pk: 'ACCOUNT', from: previous.sk, to: current.sk, newestFirst: true, limit: 2 });
  const at = (key: Key) => items.find((item) => item['sk']?.S === key.sk);
  return { current: services(at(current)), previous: services(at(previous)), announcedBy: at(current)?.['announcedBy']?.S ?? null };
}

/** Adds the service to the running window. @returns everybody in it, this service included. */
export async function addToStorm(table: LedgerTable, service: string, minutes: number, now: Date): Promise<readonly string[]> {
  const after = await updateIf(table, stormKey(windowStart(now, minutes)), {
    UpdateExpression: 'ADD services :service',
    ExpressionAttributeValues: { ':service': { SS: [service] } },
  });
  return services(after ?? undefined);
}

/** Claims the one page that a storm sends in a window. @returns true for one rollback, however often it asks. */
export const claimStormPage = (table: LedgerTable, rollbackId: string, minutes: number, now: Date): Promise<boolean> =>
  claimPage(table, { rollbackId, attribute: 'announcedBy', minutes }, now);

/** Claims the one page about a dependency that makes several services sick. @returns as for a storm. */
export const claimSharedPage = (table: LedgerTable, claim: { readonly rollbackId: string; readonly dependency: string; readonly minutes: number }, now: Date): Promise<boolean> =>
  claimPage(table, { rollbackId: claim.rollbackId, attribute: `shared-${claim.dependency}`, minutes: claim.minutes }, now);

async function claimPage(table: LedgerTable, { rollbackId, attribute, minutes }: { readonly rollbackId: string; readonly attribute: string; readonly minutes: number }, now: Date): Promise<boolean> {
  const claimed = await updateIf(table, stormKey(windowStart(now, minutes)), {
    UpdateExpression: 'SET #by = :me',
    ConditionExpression: 'attribute_not_exists(#by) OR #by = :me',
    ExpressionAttributeNames: { '#by': attribute },
    ExpressionAttributeValues: { ':me': text(rollbackId) },
  });
  return claimed !== null;
}
