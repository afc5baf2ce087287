// The ordered ways back of one service, and what is asked of each target on the way.
import type { TargetConfig } from '../config/schema.ts';
import type { RungFacts, TargetFacts } from './question.ts';
import type { KnownGood, Release, Rung, StepRequest } from './vocabulary.ts';

/** What a verdict needs of one target: its side that is always good, or null when the ledger has to know a good version; how it goes back, and what users notice of that. */
export const targetFacts = (target: TargetConfig, known: Pick<TargetFacts, 'way' | 'effect' | 'sideVersion'> = {}): TargetFacts => ({
  strategy: target.strategy, ...known,
  // A declared good value is the off side of a flag.
  goodSide: typeof target.good === 'object' ? ('side' in target.good ? target.good.side : 'off') : null,
});

/**
 * The service's own rungs, or one rung a strategy, fastest first.
 * @param order where a strategy stands when the service names no rungs: lower goes first.
 */
export function rungsOf(targets: Readonly<Record<string, TargetFacts>>, own: readonly (readonly (readonly string[])[])[] | undefined, order: (strategy: string) => number): RungFacts[] {
  if (own !== undefined) return own.map((waves, index) => ({ name: `rung-${index + 1}`, waves }));
  const strategies = [...new Set(Object.values(targets).map(({ strategy }) => strategy))].toSorted((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  return strategies.map((strategy) => ({
    name: strategy,
    waves: [Object.entries(targets).filter(([, target]) => target.strategy === strategy).map(([id]) => id).toSorted()],
  }));
}

/** The good version of a release, as far as it is known for single targets. */
export interface GoodForTargets extends Pick<KnownGood, 'version' | 'basis'> {
  readonly targets: readonly string[];
}

/** Where one target would go back to, without the state: its declared side, or the good version where the target was seen in it. */
export function goodOf(id: string, target: TargetFacts, good: GoodForTargets | null): Pick<KnownGood, 'version' | 'basis'> | null {
  if (target.goodSide !== null) return { version: `side ${target.goodSide}`, basis: 'observed' };
  return good !== null && good.targets.includes(id) ? { version: good.version, basis: good.basis } : null;
}

export interface StepSources {
  readonly service: string;
  readonly targets: Readonly<Record<string, TargetConfig>>;
  readonly release: Release | null;
  readonly good: GoodForTargets | null;
  readonly states: KnownGood['states'];
  /** True where a step has to be refused that turns out to interrupt users. */
  readonly mustNotInterrupt?: boolean;
}

/** The steps of each rung, built from the catalogue and the ledger alone. */
export const buildRungs = (rungs: readonly RungFacts[], sources: StepSources): Rung[] =>
  rungs.map(({ name, waves }) => ({ name, waves: waves.map((ids) => ids.map((id) => step(name, id, sources))) }));

function step(rung: string, id: string, { service, targets, release, good, states, mustNotInterrupt = false }: StepSources): StepRequest {
  const target = targets[id];
  if (target === undefined) throw new Error(`rung "${rung}" names target "${id}", which the catalogue does not have`);
  const facts = targetFacts(target);
  const goodHere = goodOf(id, facts, good);
  return {
    id: `${rung}/${id}`,
    service,
    strategy: target.strategy,
    targetId: id,
    ...(mustNotInterrupt ? { mustNotInterrupt } : {}),
    target,
    good: goodHere === null ? null : { ...goodHere, state: facts.goodSide === null ? states[id] ?? null : null },
    release: release === null ? null : {
      id: release.id, version: release.version, startedAt: release.startedAt, isFinished: release.finishedAt !== null, left: release.left?.[id] ?? null,
    },
  };
}

/** One capture request a target: what it looks like now. */
export const captureSteps = (service: string, targets: Readonly<Record<string, TargetConfig>>): StepRequest[] =>
  Object.keys(targets).map((id) => step('capture', id, { service, targets, release: null, good: null, states: {} }));
