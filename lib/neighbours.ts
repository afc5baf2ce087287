// Finds in the whole catalogue the services around one, so that its entry carries all that a decision about it needs.
import { Token } from 'aws-cdk-lib';
import { dependencyOf, type Neighbour, type ServiceConfig } from '../lambdas/config/schema.ts';

type Services = ReadonlyMap<string, ServiceConfig>;

/** Each is three reads of the ledger in every decision, and part of an entry of 8 kB: the nearest ones count most. */
const mostEachWay = 10;
/** With the 50 that a service may have itself all of them fit one DescribeAlarms, which takes 100 names. */
const alarmsOf = { dependency: { together: 30, each: 10 }, dependent: { together: 20, each: 2 } } as const;
const mostSharers = 10;

interface Step {
  readonly service: string;
  readonly distance: number;
  readonly critical: boolean;
}

/**
 * What a service depends on and what depends on it, over any number of steps, nearest first. In a circle each is a dependency of the other: there
 * is no order in which they could go back.
 * @throws Error when a dependency is no service of the catalogue, or the service itself.
 */
export function neighboursOf(name: string, services: Services): readonly Neighbour[] {
  const down = walk(name, (one) => dependenciesOf(one, services));
  const up = walk(name, (one) => callersOf(one, services)).filter(({ service }) => !down.some((other) => other.service === service));
  return [...neighbours(down.slice(0, mostEachWay), 'dependency'), ...neighbours(up.slice(0, mostEachWay), 'dependent')];

  function neighbours(steps: readonly Step[], relation: Neighbour['relation']): Neighbour[] {
    const { together, each } = alarmsOf[relation];
    return steps.map((step) => neighbour(step, relation, Math.min(each, Math.floor(together / steps.length))));
  }

  function neighbour(step: Step, relation: Neighbour['relation'], most: number): Neighbour {
    const names = oneOfEachGroupFirst(services.get(step.service)?.signals.alarms ?? []);
    // A name that only another stack knows: its stack may depend on this one already, and a circle of stacks cannot be deployed.
    const usable = relation === 'dependency' ? names : names.filter((one) => !Token.isUnresolved(one));
    const sharedWith = relation === 'dependent' ? [] : callersOf(step.service, services).map(({ service }) => service).filter((one) => one !== name);
    const hasMoreAlarms = relation === 'dependency' && usable.length > most;
    return { ...step, relation, alarms: usable.slice(0, most), ...(hasMoreAlarms ? { hasMoreAlarms } : {}), sharedWith: sharedWith.slice(0, mostSharers) };
  }
}

/** Alarms of one group watch the same thing: where not all can be read, the second of a group says less than the first of another. */
function oneOfEachGroupFirst(alarms: ServiceConfig['signals']['alarms']): readonly string[] {
  const counts = new Map<string, number>();
  return alarms.map(({ name, group = name }) => {
    const before = counts.get(group) ?? 0;
    counts.set(group, before + 1);
    return { name, before };
  }).toSorted((a, b) => a.before - b.before).map(({ name }) => name);
}

function dependenciesOf(name: string, services: Services): readonly Omit<Step, 'distance'>[] {
  return (services.get(name)?.dependencies ?? []).map((one) => {
    const { service, critical } = dependencyOf(one);
    if (service === name || !services.has(service))
      throw new Error(`service "${name}" dependencies: ${service === name ? 'names the service itself' : `names "${service}", which is not attached to the same engine`}`);
    return { service, critical };
  });
}

const callersOf = (name: string, services: Services): readonly Omit<Step, 'distance'>[] => [...services]
  .flatMap(([service, { dependencies }]) => dependencies.map((one) => dependencyOf(one)).filter((one) => one.service === name).map(({ critical }) => ({ service, critical })))
  .toSorted((a, b) => (a.service < b.service ? -1 : 1));

/** Service to its group: the first name among all that dependencies join, over any number of steps and in whichever direction. */
export function groupsOf(services: Services): ReadonlyMap<string, string> {
  const parents = new Map([...services.keys()].map((name) => [name, name]));
  const rootOf = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : rootOf(parent);
  };
  for (const name of services.keys()) {
    for (const { service } of dependenciesOf(name, services)) {
      const [first = name, second = name] = [rootOf(name), rootOf(service)].toSorted();
      parents.set(second, first);
    }
  }
  return new Map([...services.keys()].map((name) => [name, rootOf(name)]));
}

/** Breadth first: each service once, by its shortest way. */
function walk(from: string, next: (name: string) => readonly Omit<Step, 'distance'>[]): readonly Step[] {
  const found: Step[] = [];
  let edge: readonly Step[] = [{ service: from, distance: 0, critical: true }];
  while (edge.length > 0) {
    const fresh = edge.flatMap(({ service, distance, critical }) => next(service).map((one) => ({ service: one.service, distance: distance + 1, critical: critical && one.critical })));
    edge = fresh.filter(({ service }, index) => service !== from && !found.some((one) => one.service === service) && fresh.findIndex((one) => one.service === service) === index);
    found.push(...edge);
  }
  return found;
}
