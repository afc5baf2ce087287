// What all weighted strategies share: comparing distributions, which one is good, and whether the live one may be changed.
import type { Reason, TargetState } from '../domain/vocabulary.ts';
import type { PlanQuestion, StateReading } from './strategy.ts';

/** Name of a side (or of a stranger) to its weight. Only the proportions mean something. */
export type Weights = { readonly [side: string]: number };

/** What each weighted strategy captures, besides its own documents. */
export type WeightedState = {
  /** Every side of the catalogue; 0 for a side that is not attached. */
  readonly weights: Weights;
  /** Destinations that the catalogue does not name. */
  readonly strangers: Weights;
};

export const total = (weights: Weights): number => Object.values(weights).reduce((sum, weight) => sum + weight, 0);

/** True when both send the same share of traffic everywhere: 1:1 is 50:50, and nothing is only nothing. */
export function sameShares(one: Weights, other: Weights): boolean {
  const [sum, otherSum] = [total(one), total(other)];
  if (sum === 0 || otherSum === 0) return sum === otherSum;
  return Object.keys({ ...one, ...other }).every((side) => (one[side] ?? 0) * otherSum === (other[side] ?? 0) * sum);
}

const sameTraffic = (one: WeightedState, other: WeightedState): boolean =>
  sameShares({ ...one.weights, ...marked(one.strangers) }, { ...other.weights, ...marked(other.strangers) });

// A stranger's id could be the name of a side.
const marked = (strangers: Weights): Weights => Object.fromEntries(Object.entries(strangers).map(([id, weight]) => [`stranger ${id}`, weight]));

const percent = (weights: Weights, side: string): number => {
  const sum = total(weights);
  return sum === 0 ? 0 : Math.round(((weights[side] ?? 0) / sum) * 1000) / 10;
};

/** For people: `blue 100, green 0`, in percent. */
export const describeShares = (weights: Weights): string => Object.keys(weights).map((side) => `${side} ${percent(weights, side)}`).join(', ');

/** For people: `blue 0 → 100, green 100 → 0`, in percent. */
export const describeShift = (from: Weights, to: Weights): string =>
  Object.keys({ ...from, ...to }).map((side) => `${side} ${percent(from, side)} → ${percent(to, side)}`).join(', ');

/** Reads weights out of a state that the ledger kept; null when it holds none. */
export function weightsIn(state: TargetState | null): WeightedState | null {
  const weights = numbersIn(state?.['weights']);
  return weights === null ? null : { weights, strangers: numbersIn(state?.['strangers']) ?? {} };
}

function numbersIn(value: unknown): Weights | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  return entries.every(([, weight]) => Number.isInteger(weight) && (weight as number) >= 0) ? Object.fromEntries<number>(entries as [string, number][]) : null;
}

/** What the Watch asks of two captured distributions. */
export const weightedStates: StateReading = {
  same: (one, other) => {
    const [weights, others] = [weightsIn(one), weightsIn(other)];
    return weights !== null && others !== null && sameTraffic(weights, others);
  },
  isSplit: (state) => {
    const { weights = {}, strangers = {} } = weightsIn(state) ?? {};
    return [...Object.values(weights), ...Object.values(strangers)].filter((weight) => weight > 0).length > 1;
  },
};

type Good = 'last-known-good' | { readonly side: string };

export type GoodWeights = { readonly weights: Weights } | { readonly reason: Reason };

const none = (text: string): GoodWeights => ({ reason: { code: 'no-known-good', text } });
const changed = (text: string): Reason => ({ code: 'changed-by-someone-else', text });

/** The distribution to go back to. */
export function goodWeights(good: Good, sides: readonly string[], known: PlanQuestion<unknown, TargetState>['good']): GoodWeights {
  if (typeof good === 'object') return { weights: Object.fromEntries(sides.map((side) => [side, side === good.side ? 100 : 0])) };
  if (known === null) return none('No version is known to be good, so there is nothing to go back to.');
  const recorded = weightsIn(known.state);
  if (recorded === null) return none(`How the traffic stood with known-good version ${known.version} was not recorded.`);
  const missing = Object.keys(recorded.weights).filter((side) => !sides.includes(side) && (recorded.weights[side] ?? 0) > 0);
  if (missing.length > 0) return none(`Known-good version ${known.version} ran on ${missing.join(', ')}, which the catalogue no longer names.`);
  if (total(recorded.strangers) > 0) return none(`Known-good version ${known.version} also ran on ${Object.keys(recorded.strangers).join(', ')}, which the catalogue does not name.`);
  const weights = Object.fromEntries(sides.map((side) => [side, recorded.weights[side] ?? 0]));
  return total(weights) > 0 ? { weights } : none(`All weights were zero when version ${known.version} was recorded.`);
}

type LiveQuestion = Pick<PlanQuestion<unknown, WeightedState>, 'release' | 'expectedFrom'> & { readonly live: WeightedState };

/** Why a live distribution that is not the good one may not be changed; null when it may. */
export function objectionTo({ live, release, expectedFrom }: LiveQuestion): Reason | null {
  const now = describeShares({ ...live.weights, ...live.strangers });
  if (expectedFrom !== null && !sameTraffic(live, expectedFrom))
    return changed(`The plan was made for ${describeShares(expectedFrom.weights)}, but the live weights are ${now}.`);
  const left = release?.isFinished === true ? weightsIn(release.left) : null;
  if (left !== null && !sameTraffic(live, left))
    return changed(`Release ${release?.id} left ${describeShares(left.weights)}, but the live weights are ${now}.`);
  if (total(live.weights) === 0) return changed('All live weights are zero, which no release leaves behind.');
  return null;
}

/** Destinations nobody declared: part of the set-up when the release left them too, else somebody's change. */
export function objectionToStrangers(live: WeightedState, release: LiveQuestion['release'], what: string): Reason | null {
  const strangers = Object.keys(live.strangers);
  if (strangers.length === 0) return null;
  const left = weightsIn(release?.left ?? null);
  const isNew = left !== null && strangers.some((id) => left.strangers[id] === undefined);
  return isNew
    ? { code: 'changed-by-someone-else', text: `Since the release, ${what} ${strangers.join(', ')} was added, which the catalogue does not name.` }
    : { code: 'unsupported', text: `Traffic can also go to ${what} ${strangers.join(', ')}, which the catalogue does not name: declare it as a side, or take it away.` };
}

/** True when the release is known to have left exactly what is live: it did not touch this target. */
export const isAsLeft = (live: WeightedState, release: LiveQuestion['release']): boolean => {
  const left = release?.isFinished === true ? weightsIn(release.left) : null;
  return left !== null && sameTraffic(live, left);
};
