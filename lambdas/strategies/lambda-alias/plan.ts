// Plans the way back of a Lambda alias: pure, from the version and weights that are live and those that were good.
import type { Reason } from '../../domain/vocabulary.ts';
import type { PlanAnswer, PlanQuestion, StateReading } from '../strategy.ts';
import type { LambdaAliasTarget } from './manifest.ts';

export type LambdaAliasState = {
  readonly version: string;
  /** Other version to its share of the invocations, above 0 and up to 1; empty when `version` has them all. */
  readonly weights: { readonly [version: string]: number };
};

export type LambdaAliasFacts = {
  /** What UpdateAlias has to find unchanged; null when Lambda gave none. */
  readonly revisionId: string | null;
  /** Versions that were looked up: null when they can be called, else why not. */
  readonly destinations: { readonly [version: string]: string | null };
};

type Question = PlanQuestion<LambdaAliasTarget, LambdaAliasState>;

/** Reads a state of the ledger; null where it is none. */
export function stateIn(state: object | null): LambdaAliasState | null {
  const { version, weights } = (state ?? {}) as { readonly version?: unknown; readonly weights?: unknown };
  if (typeof version !== 'string' || typeof weights !== 'object' || weights === null) return null;
  const shares = Object.entries(weights).flatMap(([name, share]) => (typeof share === 'number' ? [[name, share] as const] : []));
  return shares.length === Object.keys(weights).length ? { version, weights: served(Object.fromEntries(shares)) } : null;
}

/** Without the versions that get nothing. */
export const served = (weights: Readonly<Record<string, number>>): LambdaAliasState['weights'] => Object.fromEntries(Object.entries(weights).filter(([, share]) => share > 0));

export const sameState = (one: LambdaAliasState, other: LambdaAliasState): boolean =>
  one.version === other.version && Object.keys({ ...one.weights, ...other.weights }).every((version) => one.weights[version] === other.weights[version]);

export const aliasStates: StateReading = {
  same: (one, other) => {
    const [first, second] = [stateIn(one), stateIn(other)];
    return first !== null && second !== null && sameState(first, second);
  },
  isSplit: (state) => Object.keys(stateIn(state)?.weights ?? {}).length > 0,
  before: (state, { version, previousVersion }) => {
    const found = stateIn(state);
    return found !== null && (found.version === version || version in found.weights) ? { version: previousVersion, weights: {} } : null;
  },
};

/** For people: `7 90 %, 8 10 %`. */
export function describe({ version, weights }: LambdaAliasState): string {
  const others = Object.entries(weights);
  if (others.length === 0) return `version ${version}`;
  const percent = (share: number): number => Math.round(share * 1000) / 10;
  const rest = 1 - others.reduce((sum, [, share]) => sum + share, 0);
  return [[version, rest] as const, ...others].map(([name, share]) => `version ${name} ${percent(share)} %`).join(', ');
}

export function plan(question: Question): PlanAnswer<LambdaAliasState> {
  const { state: live, facts } = question.live;
  const impossible = (code: string, text: string): PlanAnswer<LambdaAliasState> => ({ outcome: 'impossible', from: live, reason: { code, text } });
  if (question.good === null) return impossible('no-known-good', 'No version is known to be good, so there is nothing to go back to.');
  const to = stateIn(question.good.state);
  if (to === null) return impossible('no-known-good', `Where the alias stood with known-good version ${question.good.version} was not recorded.`);
  if (to.version === '$LATEST') return impossible('no-known-good', 'The alias was at $LATEST, whose code has changed since: publish versions, so that there is one to go back to.');
  if (sameState(live, to)) return { outcome: 'already', from: live, to: live, summary: `${describe(live)} already` };
  const objection = objectionTo(question);
  if (objection !== null) return { outcome: 'impossible', from: live, reason: objection };
  for (const version of [to.version, ...Object.keys(to.weights)]) {
    const problem = (facts as LambdaAliasFacts).destinations[version];
    if (problem !== null) return impossible('destination-gone', `Version ${version} cannot take the traffic: ${problem ?? 'nobody looked it up'}.`);
  }
  return { outcome: 'change', from: live, to, summary: `${describe(live)} → ${describe(to)}` };
}

/** Why the live alias may not be moved; null when it may. While a release runs any split is the release's. */
function objectionTo({ live: { state: live }, release, expectedFrom }: Question): Reason | null {
  const changed = (text: string): Reason => ({ code: 'changed-by-someone-else', text });
  if (expectedFrom !== null && !sameState(live, expectedFrom)) return changed(`The plan was made for ${describe(expectedFrom)}, but the alias is at ${describe(live)} now.`);
  const left = release?.isFinished === true ? stateIn(release.left) : null;
  return left === null || sameState(live, left) ? null : changed(`Release ${release?.id} left ${describe(left)}, but the alias is at ${describe(live)} now.`);
}
