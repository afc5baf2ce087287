// A beginning that people were not told of: the workflow goes on without its announcement, so it is at the end that somebody learns of it.
import type { JsonObject } from '../domain/vocabulary.ts';
import { plain } from './messages-text.ts';
import { errorText, type Ending } from './report-outcome.ts';

const told = 'nobody was told that it began';

/**
 * Names why, and wakes somebody where the outcome would have let everybody sleep: what no retry of the workflow mended, nobody else tells.
 * @param untold `{Error, Cause}` of the announcement that failed, if one did.
 */
export function withUntold(ending: Ending, untold: JsonObject | null | undefined): Ending {
  if (untold === null || untold === undefined) return ending;
  const reason = { code: 'not-announced', text: plain(`${told}: ${errorText(untold)}`, 600) };
  return { ...ending, reasons: [reason, ...ending.reasons], ...(ending.page ? {} : { page: true, headline: `${ending.headline}; ${told}` }) };
}

/** Well again, and a page only because people had not been told that it began. */
export const isOnlyUntold = ({ outcome, reasons }: Pick<Ending, 'outcome' | 'reasons'>): boolean =>
  outcome === 'recovered' && reasons.some(({ code }) => code === 'not-announced') && !reasons.some(({ code }) => code === 'late-signal');
