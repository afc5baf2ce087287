// Counts the independent signals a service can have at most: asking for more is a service that waits for a person each time.
import { groupsOf, releaseSources } from '../lambdas/config/release-sources.ts';
import type { ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';

/** A problem where all that the service declares, firing together, would still be too few signals. */
export function minimumProblems(service: ServiceConfig): readonly Problem[] {
  const { minimum } = service.signals;
  const groups = possibleGroups(service);
  // Without any the schema has said so already.
  if (groups.length === 0 || groups.length >= minimum) return [];
  return [{
    path: ['signals', 'minimum'],
    message: `asks for ${minimum} independent signals, and the service can have only ${groups.length} (${groups.join(', ')}), so that nothing would ever be done without a person; `
      + `use \`minimum: ${groups.length}\`, or add alarms of another group, a journey, \`metrics\` or an external tool`,
  }];
}

/** As `countSignals` counts what fires; a composite counts as its child while that fires, which only AWS knows. */
function possibleGroups(service: ServiceConfig): string[] {
  const { signals: { alarms, external, metrics, slo }, journeys } = service;
  return [...new Set([
    ...alarms.map(({ name, group = name }) => group),
    ...(slo?.availability === undefined ? [] : ['errors']),
    ...(Object.keys(slo?.latency ?? {}).length === 0 ? [] : ['latency']),
    ...external.map((tool) => `external/${tool}`),
    ...(Object.keys(journeys).length === 0 ? [] : ['journeys']),
    ...(metrics === undefined ? [] : ['metrics']),
    // AWS itself says that one of these failed.
    ...(groupsOf(service).length + releaseSources(service).ecs.length === 0 ? [] : ['deployment']),
  ])];
}
