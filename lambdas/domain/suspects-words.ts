// One suspect in one line, for reasons, messages and reports.
import type { Suspect } from './workflow.ts';

/** More reasons than this say nothing new. */
const mostReasons = 5;

/** The heaviest reasons first: `payments 5.1.0 (78 %): payments is sick itself, not later than this service; began 3 min before the fault; but it is one step away`. */
export function suspectLine(suspect: Suspect | undefined): string {
  if (suspect === undefined) return 'nobody';
  const { kind, service, release, share, reasons } = suspect;
  const name = kind === 'release' ? `${service} ${release?.version ?? ''}` : kind === 'sickness' ? `${service} itself, without a release` : 'something that is not on record';
  const why = reasons.toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, mostReasons).map(({ text, weight }) => (weight < 0 ? `but ${text}` : text)).join('; ');
  return `${name} (${Math.round(share * 100)} %)${why === '' ? '' : `: ${why}`}`;
}

/** Numbered, likeliest first. Without anything on record there is nothing to rank. */
export const suspectLines = (suspects: readonly Suspect[]): string[] =>
  (suspects.every(({ kind }) => kind === 'other') ? [] : suspects.map((suspect, index) => `${index + 1}. ${suspectLine(suspect)}`));
