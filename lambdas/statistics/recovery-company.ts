// Whose is what a rollback left of a harm? What moved in the same minutes elsewhere answers it.
import { calledMoves, explains, movesOf, sharingOf } from './comparison.ts';
import type { HarmLeft } from './recovery.ts';
import type { Comparison } from './series.ts';

export interface Beside {
  readonly controls: readonly Comparison[];
  /** What the service calls: a third of the harm there explains it. */
  readonly dependencies: readonly Comparison[];
  /** Index of the first period that began after the release, in all of the series. */
  readonly releaseIndex: number;
}

/**
 * Names those that show what is left of one signal, as the judge of releases asks it; empty where none does.
 * Null where none has a signal of this kind with data enough to be asked.
 */
export const sharersOf = ({ kind, from, until, effect }: HarmLeft, { controls, dependencies, releaseIndex }: Beside): readonly string[] | null => {
  const window = { from: from - releaseIndex, until: until - releaseIndex, effect };
  const moves = movesOf(kind, controls, releaseIndex, window);
  if (sharingOf(moves, until - releaseIndex) === 'shared') return moves.filter(({ shared }) => shared > 0).map(({ name }) => name);
  const called = calledMoves(kind, dependencies, releaseIndex, window);
  const [worst] = called.filter((one) => explains(one)).toSorted((a, b) => b.effect - a.effect);
  if (worst !== undefined) return [worst.name];
  return moves.length + called.length === 0 ? null : [];
};
