// Seeded random numbers for the bench: the same seed draws the same cases on every machine.

/** Uniform in [0, 1). */
export type Random = () => number;

/** mulberry32 (T. Ettinger, public domain): 32 bits of state are plenty for drawing test cases. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

/** FNV-1a, 32 bits, with a final mix: fixes the split and per-series choices by the series' name alone. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
};

export const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

/** Integer from `low` to `high`, both included. */
export const integer = (random: Random, low: number, high: number): number => low + Math.floor(random() * (high - low + 1));

export const pick = <T>(random: Random, all: readonly T[]): T => {
  const chosen = all[Math.floor(random() * all.length)];
  if (chosen === undefined) throw new Error('pick: nothing to pick from');
  return chosen;
};

/** Fisher-Yates on a copy. */
export const shuffled = <T>(random: Random, all: readonly T[]): T[] => {
  const copy = [...all];
  for (let index = copy.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const [one, two] = [copy[index], copy[other]];
    if (one !== undefined && two !== undefined) [copy[index], copy[other]] = [two, one];
  }
  return copy;
};

/** Standard normal (Box-Muller). */
export const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Binomial: exact up to 50 trials or for rare successes, normal approximation beyond. */
export const binomial = (random: Random, trials: number, share: number): number => {
  const count = Math.round(trials);
  if (!(count > 0 && share > 1e-12)) return 0;
  if (share >= 1) return count;
  const mean = count * share;
  if (count > 50 && mean > 30 && count - mean > 30)
    return Math.min(count, Math.max(0, Math.round(mean + Math.sqrt(mean * (1 - share)) * normal(random))));
  if (count <= 50) {
    let hits = 0;
    for (let index = 0; index < count; index += 1) if (random() < share) hits += 1;
    return hits;
  }
  // Gaps between successes are geometric: the cost grows with the successes, not with the trials.
  const scale = Math.log(1 - share);
  let position = 0;
  for (let hits = 0; ; hits += 1) {
    position += Math.floor(Math.log(1 - random()) / scale) + 1;
    if (position > count) return hits;
  }
};
