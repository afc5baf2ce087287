// How many cases a property is tried with: few in CI, as many times more as `npm run properties -- --times` says.
export interface Cases {
  readonly numRuns: number;
  readonly seed?: number;
}

const given = (name: string): number | null => {
  const text = process.env[name] ?? '';
  return text === '' ? null : Number(text);
};

/** 1 in CI. */
export const times = given('PROPERTY_TIMES') ?? 1;
const seed = given('PROPERTY_SEED');

/** @param count of cases in CI. */
export const manyCases = (count: number): Cases => ({ numRuns: Math.max(1, Math.round(count * times)), ...(seed === null ? {} : { seed }) });

/** How long a test of so many milliseconds may take. */
export const patience = (milliseconds: number): number => milliseconds * Math.max(1, times);
