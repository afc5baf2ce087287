// What a rollback changes belongs to one target of one service: two rollbacks of the same thing would undo each other.
import type { ServiceConfig } from '../lambdas/config/schema.ts';
import { changedOf } from '../lambdas/strategies/permissions.ts';
import type { Problem } from './config-problems.ts';

/** One problem for each target that changes what an earlier one changes. @param services in the order in which they stand. */
export function ownerProblems(services: Iterable<readonly [name: string, service: Pick<ServiceConfig, 'targets'>]>): readonly Problem[] {
  const owners = new Map<string, string>();
  return [...services].flatMap(([service, { targets }]) => Object.entries(targets).flatMap(([id, target]): Problem[] => {
    const names = changedOf(target.strategy)(target);
    const taken = names.find((name) => owners.has(name));
    const problem = taken === undefined ? [] : [{ path: ['services', service, 'targets', id], message: `changes the ${taken}, as ${owners.get(taken)} does: two rollbacks would undo each other; leave it to one of them` }];
    for (const name of names) if (!owners.has(name)) owners.set(name, `services.${service}.targets.${id}`);
    return problem;
  }));
}
