// How the states of a watched release's targets are compared: in the way of the strategy that captured them.
import type { Readings } from '../domain/captured-states.ts';
import type { Release } from '../domain/vocabulary.ts';
import { manifestOf } from '../strategies/registry.ts';

/** @param strategies target to strategy. */
export const readingsOf = (strategies: Readonly<Record<string, string>>, { origin }: Pick<Release, 'origin'>): Readings => (targetId) => {
  const strategy = strategies[targetId] ?? '';
  return { ...manifestOf(strategy).states, isOnRecord: strategy === 'codedeploy' && origin === 'codedeploy' };
};
