// What is wrong with the reasons beside permissions.
import { isBy, type Grant } from './grants.ts';
import type { Played } from './play.ts';
import { reasonKinds, reasonsFor, speaksOf, type Reason } from './reasons.ts';
import type { RemovalResult } from './remove.ts';

/**
 * What is wrong with reasons before anything is taken away: one of nothing, two of the same, one that what was played belies, none where a wildcard stands.
 * @param grants of roles, of resources and of people.
 */
export function reasonProblems(reasons: readonly Reason[], grants: readonly Grant[], played: readonly Played[]): readonly string[] {
  const isTaken = (grant: Grant): boolean => played.some(({ used }) => used.some((permission) => isBy(grant, '*', permission)));
  return [
    ...reasons.filter((reason) => !grants.some((grant) => speaksOf(reason, grant))).map(({ kind, owner, action, text }) => `${owner}: "${text}" (${kind}) speaks of ${action}, which nothing there allows`),
    ...grants.flatMap((grant) => reasonKinds.flatMap((kind) => {
      const texts = [...new Set(reasonsFor(reasons, kind, grant).map(({ text }) => text))];
      return texts.length < 2 ? [] : [`${grant.id} has ${texts.length} reasons (${kind}): ${texts.map((text) => `"${text}"`).join(', ')}`];
    })),
    ...grants.filter((grant) => grant.uncalled !== null && isTaken(grant)).map(({ id, uncalled }) => `${id} is taken by a scenario, and its reason says that no call takes it: "${uncalled}"`),
    ...grants.filter(({ uncalled, quiet }) => uncalled !== null && quiet !== null).map(({ id, quiet }) => `${id} is never taken away, so its reason says nothing: "${quiet}"`),
    ...grants.filter(({ isResourcePolicy, wide, resources }) => !isResourcePolicy && wide !== null && !resources.some((one) => one.includes('*'))).map(({ id, wide }) => `${id} has no wildcard, and a reason for one: "${wide}"`),
    ...grants.filter(({ isResourcePolicy, wide, resources }) => !isResourcePolicy && wide === null && resources.some((one) => one.includes('*')))
      .map(({ id, resources }) => `${id} is allowed on ${resources.filter((one) => one.includes('*')).join(', ')}, and no reason says why nothing narrower would do`),
  ];
}

/** Reasons of what may go unnoticed, that what was played belies: it was noticed, or the alarm that the reason names did not tell. */
export const staleReasons = (results: readonly RemovalResult[]): readonly string[] => results.flatMap(({ id, noticed, quiet, pages }) => {
  if (quiet === null || id.endsWith('/all')) return [];
  if (noticed === 'named' || noticed === 'logged') return [`${id} is noticed (${noticed}), and its reason says that it is not: "${quiet}"`];
  return alarmsIn(quiet).filter((alarm) => !pages.some((subject) => subject.includes(alarm)))
    .map((alarm) => `${id} sounds no alarm ${alarm}, and its reason says so: "${quiet}"`);
});

/** Names of the alarms that a reason counts on. */
export const alarmsIn = (text: string): readonly string[] => [...text.matchAll(/\balarm ([a-z]+(?:-[a-z]+)+)/g)].map(([, alarm = '']) => alarm);
