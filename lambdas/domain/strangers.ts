// Services that are sick beside this one and have nothing to do with it: one may be chance, several are a shared cause.
import type { Question } from './question.ts';

/**
 * One of each group of services with a signal lately, without this service's own group. Services are a group when dependencies join them, over however many
 * steps and in whichever direction; a question of before groups were on record knows the neighbours of this service alone.
 */
export function strangersOf({ service, neighbours = [], storm: { services, groups = {} } }: Question): string[] {
  const known = new Map(Object.entries(groups));
  const groupOf = (name: string): string => known.get(name) ?? name;
  const kin = [service, ...neighbours.flatMap((one) => [one.service, ...one.sharedWith])];
  const strangers = services.filter((name) => !kin.includes(name) && groupOf(name) !== groupOf(service));
  return strangers.filter((name, index) => strangers.findIndex((other) => groupOf(other) === groupOf(name)) === index);
}

/** More groups than so many engage the brake, that of this service among them. */
export const unrelatedLimit = ({ storm: { unrelated, limit } }: Question): number => unrelated ?? limit;
