// What users notice of a way back while it is taken, and how long that lasts: of one target, and of a whole rung.

/**
 * Worst last. `mixed`: some users get the old side, some the new, until it is over. `unknown` is none of the others: it is said, and never taken for the best.
 * `interruption`: for a while nothing, or next to nothing, answers.
 */
export const downtimes = ['none', 'mixed', 'less-capacity', 'unknown', 'interruption'] as const;
export type Downtime = (typeof downtimes)[number];

export interface WayEffect {
  readonly downtime: Downtime;
  /** What that follows from, as a sentence without its full stop. */
  readonly text: string;
  /** Until the last user is safe, without the proof. */
  readonly seconds: number;
  /** `known`: the seconds follow from the catalogue or from what was read. `typical`: nobody can say for this target. */
  readonly basis: 'known' | 'typical';
}

const worse = (one: Downtime, other: Downtime): number => downtimes.indexOf(other) - downtimes.indexOf(one);

/**
 * Of several targets: the worst that users notice with every sentence that says so. Waves go one after the other, the targets of one side by side.
 * @returns null where one of them is not known to have any, as in questions of before it was asked.
 */
export function effectOf(waves: readonly (readonly string[])[], of: (id: string) => WayEffect | undefined): WayEffect | null {
  const all = waves.map((ids) => ids.map((id) => ({ id, effect: of(id) })));
  const found = all.flatMap((wave) => wave.flatMap(({ id, effect }) => (effect === undefined ? [] : [{ id, ...effect }])));
  if (found.length === 0 || found.length < all.flat().length) return null;
  const downtime = found.map((one) => one.downtime).toSorted(worse)[0] ?? 'unknown';
  return {
    downtime,
    text: found.filter((one) => one.downtime === downtime).map(({ id, text }) => `${id}: ${text}`).join('; '),
    seconds: all.reduce((sum, wave) => sum + Math.max(0, ...wave.map(({ effect }) => effect?.seconds ?? 0)), 0),
    basis: found.every(({ basis }) => basis === 'known') ? 'known' : 'typical',
  };
}
