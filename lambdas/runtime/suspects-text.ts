// Who could have done it, as a block of messages and of the incident report.
import { suspectLines } from '../domain/suspects-words.ts';
import type { Assessment } from '../domain/workflow.ts';
import { plain, utc } from './messages-text.ts';

/** More suspects than this are no help at night. */
const most = 5;

/** One line each, likeliest first, with when a release began; empty where nobody was looked for, or nothing is on record. */
export function suspectsText(assessment: Pick<Assessment, 'suspects'> | null): string[] {
  const suspects = (assessment?.suspects ?? []).slice(0, most);
  return suspectLines(suspects).map((line, index) => {
    const began = suspects[index]?.release?.startedAt;
    return `${plain(line, 400)}${began === undefined ? '' : ` (began ${utc(began)})`}`;
  });
}
