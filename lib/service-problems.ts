// Looks at one service beyond the schema: what is well formed, and still cannot be meant.
import type { ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { journeyProblems } from './journey-problems.ts';
import { signalProblems } from './signal-problems.ts';

/** @param at where the service stands, for the path of each problem. */
export const serviceProblems = (service: ServiceConfig, at: readonly PropertyKey[]): readonly Problem[] => [
  ...signalProblems(service).map(({ path, ...problem }) => ({ ...problem, path: [...at, ...path] })),
  ...twiceNamed(service.signals.alarms.map(({ name }) => name), [...at, 'signals', 'alarms']),
  ...Object.entries(service.journeys).flatMap(([name, journey]) => journeyProblems(journey, [...at, 'journeys', name])),
];

/** One alarm must not count as two signals, by two groups of its own. */
const twiceNamed = (names: readonly string[], at: readonly PropertyKey[]): Problem[] =>
  names.flatMap((name, index) => (names.indexOf(name) < index ? [{ path: [...at, index, 'name'], message: `names alarm "${name}" a second time; leave one of them out` }] : []));
