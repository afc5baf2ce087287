// Resolved properties, kept for the next sandbox that deploys the same template: an exploration deploys one thousands of times.
import { frozen } from '../frozen.ts';
import type { Template } from './assembly.ts';
import { resolve, type Created, type Scope } from './intrinsics.ts';

/** Something outside of the template that was looked at. */
interface Read {
  readonly isAsBefore: (scope: Scope) => boolean;
}

interface Kept {
  readonly stack: Pick<Scope, 'place' | 'stackName' | 'stackId'>;
  readonly reads: readonly Read[];
  readonly properties: Readonly<Record<string, unknown>>;
}

const kept = new WeakMap<Template, Map<string, Kept>>();

/**
 * A resource's properties, which nobody may change, nor the template from then on: they are resolved anew only when something that they were made of is another.
 * @throws Error naming the reference or function that cannot be resolved.
 */
export function resolvedProperties(id: string, scope: Scope): Readonly<Record<string, unknown>> {
  const { template } = scope;
  let all = kept.get(template);
  if (all === undefined) kept.set(frozen(template), (all = new Map()));
  const before = all.get(id);
  if (before !== undefined && isSameStack(before.stack, scope) && before.reads.every((read) => read.isAsBefore(scope))) return before.properties;
  const reads: Read[] = [];
  const properties = frozen((resolve(template.Resources[id]?.Properties ?? {}, noting(scope, reads)) ?? {}) as Record<string, unknown>);
  const { place, stackName, stackId } = scope;
  all.set(id, { stack: { place: { ...place }, stackName, stackId }, reads, properties });
  return properties;
}

const isSameStack = (stack: Kept['stack'], { place, stackName, stackId }: Scope): boolean =>
  stack.stackName === stackName && stack.stackId === stackId && stack.place.account === place.account && stack.place.region === place.region && stack.place.partition === place.partition;

/** The same scope, which notes what is looked at. */
function noting(scope: Scope, reads: Read[]): Scope {
  const note = <T>(look: (from: Scope) => T, isSame: (one: T, other: T) => boolean = Object.is): T => {
    const seen = look(scope);
    reads.push({ isAsBefore: (later) => isSame(look(later), seen) });
    return seen;
  };
  return {
    ...scope,
    created: { get: (id) => note((from) => from.created.get(id), isSameResource) },
    exports: { has: (name) => note((from) => from.exports.has(name)), get: (name) => note((from) => from.exports.get(name)) },
    lookUp: (service, reference) => note((from) => from.lookUp(service, reference)),
  };
}

function isSameResource(one: Created | undefined, other: Created | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const names = Object.keys(one.attributes);
  return one.ref === other.ref && names.length === Object.keys(other.attributes).length && names.every((name) => one.attributes[name] === other.attributes[name]);
}
