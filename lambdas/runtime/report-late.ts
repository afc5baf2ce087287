// The last look of a rollback that has ended: what was left to it between its record and the end of its lock is told by a message of its own.
import { sendOnce } from '../adapters/notices-once.ts';
import type { Message } from '../adapters/notices.ts';
import type { AuditRow } from '../audit/entry.ts';
import type { DeliveredSignal } from '../domain/ledger.ts';
import type { Instant } from '../domain/vocabulary.ts';
import type { ReportInput } from '../domain/workflow.ts';
import { firing, keyOf, lastLookedAt, lateText, readFrom } from './late-signals.ts';
import type { Surroundings } from './messages.ts';
import { isToldForAll } from './report-told.ts';
import { executionPage, plain, section, subjectOf } from './messages-text.ts';
import type { ReportParts } from './report.ts';
import { type Ending, serviceOf } from './report-outcome.ts';

/** What a record says of the signals that it has read. */
export interface Heard {
  /** Instant of the last look before them. */
  readonly lookedAt: Instant;
  /** Keys of all that were read then, looked at before or not. */
  readonly heard: readonly string[];
}

/** Signals that were left to this run, newest first. One without the lock has nobody who joined it; one that died in its first look may have had the lock. */
export async function leftToRun(input: ReportInput, { signalsOfOthers }: Pick<ReportParts, 'signalsOfOthers'>, lookedAt: Instant): Promise<readonly DeliveredSignal[]> {
  const { rollbackId, assessment } = input;
  const service = serviceOf(input);
  if (service === null || assessment?.fence === null) return [];
  const all = await signalsOfOthers({ service, rollbackId, from: readFrom(lookedAt) });
  return all.filter(({ leftTo }) => leftTo === rollbackId || (leftTo === undefined && assessment !== null));
}

/** What a record of before says of it: nothing in those of earlier versions. */
export const heardIn = (said: Partial<Heard>, input: ReportInput, rows: readonly AuditRow[]): Heard => ({ lookedAt: said.lookedAt ?? lastLookedAt(input, rows), heard: said.heard ?? [] });

/**
 * Reads the signals once more, to be asked when the lock is free: from then on nobody leaves any to this run. Tells of what fires and is not in the record,
 * once however often it is asked. In shadow nobody is told: the service's own alarms wake people.
 */
export async function tellLate(input: ReportInput, parts: ReportParts, about: { readonly ending: Ending; readonly said: Heard; readonly around: Surroundings }): Promise<void> {
  const { ending, said: { lookedAt, heard }, around } = about;
  if (input.assessment?.mode === 'shadow') return;
  const unheard = firing(await leftToRun(input, parts, lookedAt), lookedAt).filter((signal) => !heard.includes(keyOf(signal)));
  if (unheard.length === 0) return;
  parts.log.warn('signals came in after the record was sealed', { signals: unheard.map(keyOf) });
  await sendOnce(parts, { rollbackId: input.rollbackId, kind: 'late', message: lateMessage(input, { ending, unheard }, around) });
}

/** A page, unless the same people were just paged about this service, or about all. */
function lateMessage(input: ReportInput, { ending, unheard }: { readonly ending: Ending; readonly unheard: readonly DeliveredSignal[] }, around: Surroundings): Message {
  const { rollbackId } = input;
  const service = serviceOf(input) ?? 'unknown service';
  const isPage = !ending.page && !isToldForAll(input);
  const texts = unheard.slice(0, 10).map(lateText);
  return {
    audience: ['on-call'], urgency: isPage ? 'page' : 'notice',
    subject: subjectOf(`${isPage ? 'PAGE ' : ''}Ripcord: ${service}: a new signal came in as its rollback ended: look at it`),
    text: [
      `${service}: ${unheard.length === 1 ? 'a new signal' : `${unheard.length} new signals`} came in as the rollback ended. Its record was closed by then.`, '',
      section('What to do now', ['YOU have to look: what came in last was not looked at by Ripcord, and nothing happens by itself about it.']), '',
      section('What came in', texts), '',
      section('How the rollback ended', [plain(ending.headline, 400)]), '',
      section('Read on', [
        `Execution: ${executionPage(around.machineArn, rollbackId)}`,
        ...(around.runbook === null ? [] : [`Runbook of the service: ${plain(around.runbook, 300)}`]),
        ...(around.owner === '' ? [] : [`Owner: ${plain(around.owner, 200)}`]),
        `Rollback id: ${plain(rollbackId, 80)}`,
      ]),
    ].join('\n'),
    event: { detailType: 'Late Signal', detail: { rollbackId, service, outcome: ending.outcome, page: isPage, signals: texts } },
  };
}
