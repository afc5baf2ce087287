// Claims the page about one incident of a service: several runs that leave the same thing alone for the same reason wake people once.
import { type Item, type Key, get, number, serviceKey, text, updateIf } from './ledger-table.ts';
import { hasHeard, type Mailbox } from './notices-once.ts';

/** What on-call is told of once. */
export interface Incident {
  readonly service: string;
  /** Null where no release is suspected. */
  readonly releaseId: string | null;
  /** Code of the reason that decided. */
  readonly reason: string;
}

/** As long as a person needs to get up and look. Whoever is still needed after that is called again. */
export const toldMinutes = 15;

const keyOf = ({ service, releaseId, reason }: Incident): Key => serviceKey(service, `TOLD#${releaseId ?? 'none'}#${reason}`);

/**
 * Asks, before a page is sent, whether another rollback has told on-call of the same incident less than 15 minutes ago. Safe to repeat: a claim of its own counts for
 * ever. A rollback that claimed and then did not tell, because it died or because its topic is broken, loses the claim to whoever asks next (decision 0006).
 * @returns the id of the rollback that told; null when this one has to.
 */
export async function tellerOf(mailbox: Mailbox, rollbackId: string, incident: Incident): Promise<string | null> {
  const { table } = mailbox;
  if (await claim(mailbox, incident, { rollbackId, over: rollbackId })) return null;
  const teller = (await get(table, keyOf(incident)))?.['rollbackId']?.S;
  if (teller === undefined) return null;
  if (await hasHeard(mailbox, { rollbackId: teller, kind: 'ended' }, 'on-call')) return teller;
  await claim(mailbox, incident, { rollbackId, over: teller });
  return null;
}

/** @param about `over`: whose claim may be replaced before it has run out. @returns false when it is somebody else's. */
async function claim({ table, clock }: Mailbox, incident: Incident, about: { readonly rollbackId: string; readonly over: string }): Promise<boolean> {
  const now = clock.now().getTime();
  const values: Item = { ':me': text(about.rollbackId), ':over': text(about.over), ':now': number(now), ':until': number(now + toldMinutes * 60_000) };
  const claimed = await updateIf(table, keyOf(incident), {
    UpdateExpression: 'SET rollbackId = :me, toldUntil = :until',
    ConditionExpression: 'attribute_not_exists(rollbackId) OR toldUntil <= :now OR rollbackId = :over',
    ExpressionAttributeValues: values,
  });
  return claimed !== null;
}
