// Takes one permission out of the stack, plays what uses it, and judges: is it recorded by name, and is on-call told?
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { alarmsIn } from './reason-problems.ts';
import { without, type Grant } from './grants.ts';
import { playIn, type Place, type Played } from './play.ts';
import type { Shared } from './world.ts';

/** One action of a statement, or a statement of several as a whole. */
export interface Removal {
  /** `<holder>/<number of the statement>/<action>`, or `…/all`. */
  readonly id: string;
  readonly grant: Grant;
  readonly whole: boolean;
}

/** `named`: paged, and a record that is kept says which action is missing. `logged`: paged, and the function's log says it. `paged`: nothing says which. */
export type Noticed = 'named' | 'logged' | 'paged' | 'unnoticed';

export interface RemovalResult {
  readonly id: string;
  readonly noticed: Noticed;
  readonly scenario: string;
  /** What on-call got that they do not get otherwise. */
  readonly pages: readonly string[];
  /** Where the action's name stands. */
  readonly named: readonly string[];
  /** What on-call sees instead, where that was written down beforehand. */
  readonly quiet: string | null;
  /** AWS refused a call because of it. */
  readonly isRefused: boolean;
  readonly wallMilliseconds: number;
}

/** Every action of every statement, and each statement of several. Those that no call is checked for cannot be tried. */
export function removalsOf(grants: readonly Grant[]): readonly Removal[] {
  const tried = grants.filter(({ uncalled }) => uncalled === null);
  const single = tried.map((grant): Removal => ({ id: grant.id, grant, whole: false }));
  const statements = new Map(tried.filter(({ together }) => together > 1).map((grant) => [`${grant.holder}/${grant.place.logicalId}/${grant.place.index}`, grant]));
  return [...single, ...[...statements.values()].map((grant): Removal => ({ id: `${grant.holder}/${grant.place.index}/all`, grant, whole: true }))];
}

export interface RemovalParts {
  readonly shared: Shared;
  readonly assembly: string;
  /** With every permission in place. */
  readonly played: readonly Played[];
  readonly directory: string;
}

// A loss that the quickest scenarios stand is tried in a few more: some of them repeat a call that another one makes once.
const mostTries = 3;
// One in which this time nothing asked for it says nothing: who comes first, a rule or the Watch, is settled by the moment.
const mostScenarios = 8;

/** @param users scenarios that take the grant, in the order in which they are tried. */
export async function runRemoval(removal: Removal, users: readonly string[], parts: RemovalParts): Promise<RemovalResult> {
  const startedAt = performance.now();
  let best: Omit<RemovalResult, 'wallMilliseconds'> = { id: removal.id, noticed: 'unnoticed', scenario: users[0] ?? 'none', pages: [], named: [], quiet: removal.grant.quiet, isRefused: false };
  const into = path.join(parts.directory, removal.id.replaceAll(/[^\w]+/g, '-'));
  try {
    const { trusted } = removal.grant;
    const taken = trusted === null ? { assembly: await without(parts.assembly, removal.grant, { whole: removal.whole, into }) } : { assembly: parts.assembly, loses: trusted };
    let tries = 0;
    for (const scenario of users.slice(0, mostScenarios)) {
      const before = parts.played.find((one) => one.scenario === scenario);
      if (before === undefined) throw new Error(`scenario ${scenario} was not played with every permission in place`);
      const result = judged(removal, before, await playIn(parts.shared, scenario, taken));
      if (order.indexOf(result.noticed) < order.indexOf(best.noticed) || (best.noticed === 'unnoticed' && (result.isRefused || !best.isRefused))) best = result;
      if (result.isRefused) tries += 1;
      // An alarm that a reason counts on may ring in this scenario anyway, and so tell nothing new.
      const isAsSaid = best.quiet !== null && (best.noticed !== 'unnoticed' || alarmsIn(best.quiet).length === 0);
      if (best.noticed === 'named' || isAsSaid || tries === mostTries) break;
    }
  } finally {
    await rm(into, { recursive: true, force: true });
  }
  return { ...best, wallMilliseconds: performance.now() - startedAt };
}

const order: readonly Noticed[] = ['named', 'logged', 'paged', 'unnoticed'];

function judged({ id, grant: { action, quiet }, whole }: Removal, before: Played, after: Played): Omit<RemovalResult, 'wallMilliseconds'> {
  const left = [...before.pages];
  const pages = after.pages.filter((subject) => {
    const at = left.indexOf(subject);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const refused = after.denied.filter((text) => !before.denied.includes(text)).map((text) => text.split(' ')[1] ?? '');
  const wanted = whole ? refused : [action];
  const named = [...new Set(after.records.filter(({ text }) => wanted.some((one) => says(text, one))).map(({ where }) => where))];
  return { id, noticed: noticedOf(pages, named), scenario: after.scenario, pages: [...new Set(pages)], named, quiet, isRefused: refused.length > 0 };
}

/** As AWS words it, or shorter, but with the action; Lambda words the loss of a trust in its own way. */
const says = (text: string, action: string): boolean => (new RegExp(`${action}(?!\\w)`).test(text) && /not authorized|AccessDenied|AuthorizationError|denied/i.test(text))
  || (action === 'sts:AssumeRole' && text.includes('cannot be assumed by Lambda'));

function noticedOf(pages: readonly string[], named: readonly Place['where'][]): Noticed {
  if (pages.length === 0) return 'unnoticed';
  if (named.some((where) => where !== 'function log')) return 'named';
  return named.length > 0 ? 'logged' : 'paged';
}
