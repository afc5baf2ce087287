// The same order for the same seed.

/** Fisher and Yates, with the numbers of mulberry32. */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const out = [...items];
  const random = numbers(seed);
  for (let last = out.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [out[last], out[other]] = [out[other] as T, out[last] as T];
  }
  return out;
}

/** Tommy Ettinger's mulberry32 (public domain): numbers from 0 to 1, the same for each seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
