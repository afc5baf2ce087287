// Services that are sick beside this one and have nothing to do with it: one may be chance, several are a shared cause.
import type { Question } from './question.ts';

/** With a signal lately, and neither a neighbour of this service nor one that shares a dependency with it. */
export function strangersOf({ service, neighbours = [], storm: { services } }: Question): string[] {
  const kin = [service, ...neighbours.flatMap((one) => [one.service, ...one.sharedWith])];
  return services.filter((name) => !kin.includes(name));
}

/** More than so many that have nothing to do with each other engage the brake, this service among them. */
export const unrelatedLimit = ({ storm: { unrelated, limit } }: Question): number => unrelated ?? limit;
