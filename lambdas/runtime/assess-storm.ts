// The storm brake in a run that looked: counts the service once it is known to be sick, decides with everybody who is, and claims the one page.
import { addToStorm, claimSharedPage, claimStormPage, type Counted, type StormWindows } from '../adapters/ledger-storm.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { isCounted } from '../domain/counted.ts';
import { type Decision, decide } from '../domain/decide.ts';
import { modeOf } from '../domain/demands.ts';
import type { Question } from '../domain/question.ts';

export interface StormParts {
  readonly table: LedgerTable;
  readonly storm: { readonly minutes: number };
}

/** What is known of the windows, and which group this service is of. */
export interface InStorm {
  readonly windows: Pick<StormWindows, 'current' | 'previous'>;
  readonly group: string;
  readonly now: Date;
}

export interface Decided {
  readonly question: Question;
  readonly decision: Decision;
}

/** Services with a signal in the two windows, each once. */
export const namesIn = ({ current, previous }: InStorm['windows']): string[] => [...new Set([...current, ...previous].map(({ service }) => service))].toSorted();

/** The part of a question that is about who else is sick. */
export function companyOf(windows: InStorm['windows'], own: Counted): Pick<Question['storm'], 'services' | 'groups'> {
  const groups = Object.fromEntries([...windows.previous, ...windows.current, own].filter(({ service, group }) => group !== service).map(({ service, group }) => [service, group]));
  return { services: namesIn(windows), ...(Object.keys(groups).length === 0 ? {} : { groups }) };
}

/** The verdict among everybody who is sick, and whether this run is the one to tell of it. */
export async function decideInStorm(question: Question, parts: StormParts, about: InStorm): Promise<Decided> {
  return withPage(await counted(question, parts, about), parts, about.now);
}

/**
 * A service is written once a window: the row grows with the storm, and one row takes 1,000 units a second. Who is about to act writes again, since the answer
 * says who was counted while this run looked.
 */
async function counted(question: Question, { table, storm }: StormParts, { windows, group, now }: InStorm): Promise<Decided> {
  const decision = decide(question);
  const own = { service: question.service, group };
  const isWritten = windows.current.some(({ service }) => service === own.service);
  if (!isCounted(question, decision) || (isWritten && decision.verdict !== 'roll-back')) return { question, decision };
  const current = await addToStorm(table, own, storm.minutes, now);
  const among = { ...question, storm: { ...question.storm, ...companyOf({ current, previous: windows.previous }, own) } };
  return { question: among, decision: decide(among) };
}

/** Only a run that would send the one page about a shared cause claims it: one that joins another or is muted would use it up, and nobody be told. */
async function withPage({ question, decision }: Decided, { table, storm: { minutes } }: StormParts, now: Date): Promise<Decided> {
  const { rollbackId } = question;
  const isAbout = (shared: string): boolean => decision.page && decision.reasons.some(({ code }) => code === shared);
  const dependency = isAbout('shared-dependency') ? decision.suspects.find(({ kind }) => kind === 'sickness')?.service : undefined;
  // In shadow nobody is woken, so the one page is left to a run that acts.
  if (modeOf(question) === 'shadow' || (dependency === undefined && !isAbout('storm'))) return { question, decision };
  const isMine = await (dependency === undefined ? claimStormPage(table, rollbackId, minutes, now) : claimSharedPage(table, { rollbackId, dependency, minutes }, now));
  if (isMine) return { question, decision };
  const announced = { ...question, storm: { ...question.storm, isAnnounced: true } };
  return { question: announced, decision: decide(announced) };
}
