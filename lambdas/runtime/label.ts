// A label that came as an event: checked, and added once to the chain of such labels of one rollback.
import type { AuditRecord } from '../adapters/audit-record.ts';
import { dataIn } from '../audit/data.ts';
import { cursorAt } from '../audit/entry.ts';
import { eventChain } from '../audit/label-chains.ts';
import { isRefusal, Refusal, RipcordError } from '../domain/errors.ts';
import { parseInstant } from '../domain/instants.ts';
import { rollbackIdOf } from './answer-request.ts';
import type { Log } from './logger.ts';
import { plain } from './messages-text.ts';

/** `ripcord.label`, detail-type `Label`. Anybody who may put events can have written any of it. */
export interface LabelEvent {
  readonly id: string;
  /** To the second; the sender may have chosen it. */
  readonly time: string;
  readonly detail: { readonly rollback?: unknown; readonly label?: unknown; readonly by?: unknown; readonly comment?: unknown };
}

export interface LabelParts {
  readonly audit: Pick<AuditRecord, 'append' | 'last' | 'newest'>;
}

/** Labels among which one that is delivered again is looked for: however long a chain grows, the next row costs one page. */
const remembered = 100;

interface Label {
  readonly rollback: string;
  readonly opinion: 'right' | 'wrong';
  readonly by: string;
  readonly comment: string;
}

export interface AddedLabel {
  readonly chain: string;
  readonly added: boolean;
}

/**
 * A label that no retry mends is answered and logged, not thrown: nobody is woken because of a typing error.
 * @throws RipcordError as `addLabel`, what may pass by itself.
 */
export async function takeLabel(event: LabelEvent, parts: LabelParts, log: Pick<Log, 'error'>): Promise<AddedLabel | { readonly refused: string }> {
  try {
    return await addLabel(event, parts);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log.error('a label was refused', error, { eventId: event.id });
    return { refused: error.message };
  }
}

/**
 * @returns `added: false` when this very event was added before: EventBridge delivers at least once.
 * @throws Refusal for what is no label, names no rollback, or is older than the newest 100 of it; RipcordError (`not-ended`) while the rollback runs, so that it is delivered again.
 */
export async function addLabel(event: LabelEvent, parts: LabelParts): Promise<AddedLabel> {
  const { rollback, opinion, by, comment } = labelOf(event);
  const last = await parts.audit.last(rollback);
  if (last === null) throw new Refusal('unknown-rollback', `The label names rollback "${plain(rollback, 80)}", and no record of one has that name.`);
  if (last.kind !== 'sealed') throw new RipcordError('retry', 'not-ended', `Rollback ${plain(rollback, 80)} has not ended: there is nothing to judge yet.`);
  const chain = eventChain(rollback);
  const at = parseInstant(event.time) ?? event.time;
  const before = await parts.audit.newest(chain, remembered);
  if (before.some((row) => dataIn(row)?.['eventId'] === event.id)) return { chain, added: false };
  const oldest = before[remembered - 1];
  if (oldest !== undefined && at < oldest.at) throw new Refusal('label-too-old', `The label is older than the newest ${remembered} of rollback ${plain(rollback, 80)}: whether it is on record already is not looked up that far back.`);
  const [newest] = before;
  // All of the row comes from the event: delivered twice at the same moment it is the same row, and the store keeps one.
  await parts.audit.append({
    rollbackId: chain, service: last.service, kind: 'labelled', at,
    data: { rollbackId: rollback, opinion, comment, by, isVerified: false, eventId: event.id, sealedAt: last.hash },
  }, newest === undefined ? null : cursorAt(newest));
  return { chain, added: true };
}

function labelOf({ time, detail: { rollback, label, by, comment = '' } }: LabelEvent): Label {
  const wrong = (why: string): Refusal => new Refusal('bad-label', `This is no label: ${why}.`);
  // What Step Functions takes as the name of an execution: nothing else can lead into another chain.
  const name = rollbackIdOf(rollback);
  if (name === null) throw wrong('`rollback` must be the name of an execution');
  if (label !== 'right' && label !== 'wrong') throw wrong('`label` must be right or wrong');
  if (typeof by !== 'string' || by.trim() === '') throw wrong('`by` must say who says so');
  if (typeof comment !== 'string') throw wrong('`comment` must be text');
  if (parseInstant(time) === null) throw wrong('`time` must be an instant');
  return { rollback: name, opinion: label, by: by.slice(0, 200), comment: comment.slice(0, 1000) };
}
