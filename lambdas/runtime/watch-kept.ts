// Keeps what a Watch concludes, with all that it was concluded from, on a chain of the audit of its own: seldom, and never a look that says the same again.
import type { AuditStore } from '../adapters/audit-store.ts';
import type { BakeQuestion } from '../domain/bake.ts';
import { noMemory, type WatchMemory } from '../domain/bake-memory.ts';
import type { FailedQuestion, Left, LeftQuestion, Settled, SettleQuestion } from '../domain/bake-end.ts';
import type { Started, StartQuestion } from '../domain/bake-start.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditCursor, JsonObject } from '../domain/vocabulary.ts';
import type { WatchLooked } from '../domain/workflow.ts';

export interface WatchKeeping {
  readonly audit: Pick<AuditStore, 'append' | 'seal'>;
  readonly clock: Clock;
  readonly codeVersion: string;
}

/** What was asked and what came of it, by the verb of the Watch: the answer, and what was kept as known good or taken back with it. */
export type Conclusion =
  | { readonly verb: 'record'; readonly question: FailedQuestion; readonly looked: WatchLooked }
  | { readonly verb: 'start'; readonly question: StartQuestion } & Started
  | { readonly verb: 'look'; readonly question: BakeQuestion; readonly looked: WatchLooked }
  | { readonly verb: 'left'; readonly question: LeftQuestion } & Left
  | { readonly verb: 'settle'; readonly question: SettleQuestion } & Settled;

/** Whose conclusion it is. `isLast`: nothing comes after it, whatever the answer. */
export interface Watcher {
  readonly service: string;
  readonly watchId: string;
  readonly isLast?: boolean;
}

/** A release whose alarm flaps for days must not fill the table; what is done about it is kept all the same. */
const mostChanges = 40;

/** One chain for each execution of the Watch. No name of a rollback, of a service or of an execution holds a `#`. */
export const watchChain = (service: string, watchId: string): string => `watch#${service}#${watchId}`;

/**
 * Writes a row when the answer, its reasons or what rollbacks were started for are others than before, and closes the chain with the last one. Safe to repeat.
 * @returns the answer, which remembers what was kept. That of a rollback to be started waits for no record: it says so itself when it has none.
 * @throws what the audit throws, for every other answer.
 */
export async function keep(watcher: Watcher, conclusion: Conclusion, parts: WatchKeeping, memory: WatchMemory | null = null): Promise<WatchLooked> {
  const { looked } = conclusion;
  const said = saidBy(looked);
  const { kept = null } = memory ?? noMemory;
  if (looked.answer === 'continue' && kept !== null && (kept.said === said || kept.at.length >= mostChanges)) return looked;
  try {
    const at = await write(watcher, conclusion, parts, kept?.at ?? null);
    return { ...looked, memory: { ...(looked.memory ?? noMemory), kept: { said, at } } };
  } catch (error) {
    // A repeat of the call that closed it.
    if (error instanceof Error && error.name === 'ChainSealed') return looked;
    if (looked.answer !== 'signal') throw error;
    return { ...looked, reasons: [...looked.reasons, { code: 'not-recorded', text: `That was not recorded: ${error instanceof Error ? error.message : String(error)}` }] };
  }
}

async function write({ service, watchId, isLast }: Watcher, conclusion: Conclusion, { audit, clock, codeVersion }: WatchKeeping, before: AuditCursor | null): Promise<AuditCursor> {
  const { looked } = conclusion;
  const about = { rollbackId: watchChain(service, watchId), service, at: clock.now().toISOString() };
  const at = await audit.append({ ...about, kind: 'watched', data: { ...conclusion, codeVersion } as unknown as JsonObject }, before);
  return looked.answer === 'ended' || isLast === true ? audit.seal({ ...about, data: { outcome: looked.reasons[0]?.code ?? looked.answer } }, at) : at;
}

const saidBy = ({ answer, reasons, memory }: WatchLooked): string =>
  JSON.stringify([answer, [...new Set(reasons.map(({ code }) => code))].toSorted(), [...memory?.told ?? []].toSorted()]);
