// The exploration of permissions: all of them are used or explained, and the loss of any is recorded and paged.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { WarmProcesses } from '../../services/lambda/warm-processes.ts';
import { Progress } from '../progress.ts';
import { shuffled } from '../shuffle.ts';
import { tryDenials, type DenialResult } from './denials.ts';
import type { Grant } from './grants.ts';
import type { Played } from './play.ts';
import { preparePermissions, recordUse, unexplained, usersOf, type Prepared, type Synthesize } from './prepare.ts';
import { reasonProblems, staleReasons } from './reason-problems.ts';
import { removalsOf, runRemoval, type Removal, type RemovalResult } from './remove.ts';
import { isGood } from './tell.ts';
import type { Shared } from './world.ts';

export interface PermissionOptions {
  readonly directory: string;
  readonly synthesize: Synthesize;
  readonly print: (line: string) => void;
  readonly seed: number;
  /** Single removals, by id. */
  readonly only?: readonly string[];
  /** So many of them, spread over the roles. */
  readonly sample?: number;
  /** Sandboxes side by side. */
  readonly atOnce: number;
}

export interface PermissionExploration {
  readonly grants: readonly Grant[];
  readonly played: readonly Played[];
  /** Grants that nothing takes and nobody explains. */
  readonly unexplained: readonly string[];
  /** Of reasons: of nothing, twice, or not true. */
  readonly reasonProblems: readonly string[];
  readonly denials: readonly DenialResult[];
  readonly results: readonly RemovalResult[];
  readonly seconds: number;
}

/** Plays every scenario with all permissions, tries what is denied, then takes permissions away one by one. `sample: 0` takes none away. @throws Error for an id that is no removal. */
export const explorePermissions = (options: PermissionOptions): Promise<PermissionExploration> => withShared(async (shared) => {
  const startedAt = performance.now();
  options.print('synthesizing the stack, playing every scenario with every permission in place');
  const prepared = await preparePermissions(options.directory, shared, options.synthesize);
  const played = await recordUse(shared, prepared, options);
  const denials = await tryDenials(shared, prepared.assembly, prepared.policies);
  const results = await takeAway(shared, { prepared, played }, options);
  return {
    grants: prepared.grants, played, unexplained: unexplained(prepared.grants, played), reasonProblems: [...reasonProblems(prepared.reasons, [...prepared.grants, ...prepared.peoplesGrants], played), ...staleReasons(results)],
    denials, results, seconds: (performance.now() - startedAt) / 1000,
  };
});

/** What all sandboxes share, as long as it is needed. */
export async function withShared<T>(run: (shared: Shared) => Promise<T>): Promise<T> {
  const server = await journeysServer();
  const warm = await new WarmProcesses().listen();
  try {
    return await run({ warm, port: (server.address() as AddressInfo).port });
  } finally {
    await warm.stop();
    server.close();
    server.closeAllConnections();
  }
}

async function takeAway(shared: Shared, { prepared, played }: { readonly prepared: Prepared; readonly played: readonly Played[] }, options: PermissionOptions): Promise<readonly RemovalResult[]> {
  const removals = chosen(removalsOf(prepared.grants), options);
  const progress = new Progress(removals.length, options.print);
  const results: RemovalResult[] = [];
  await eachOf(removals, options.atOnce, async (removal) => {
    const result = await runRemoval(removal, usersOf(removal.grant, played), { shared, assembly: prepared.assembly, played, directory: path.join(options.directory, 'without') });
    results.push(result);
    progress.add({ id: result.id, scenario: result.scenario, fault: 'removed', ending: isGood(result) ? 'paged' : 'broken', isReached: result.isRefused, broken: [result.noticed], outcomes: '', plays: 1, brokenBefore: [], endingWhole: null, playedBack: { before: 0, after: 0, byHeart: 0 }, difference: null, wallMilliseconds: result.wallMilliseconds });
  });
  if (removals.length > 0) progress.end();
  return results;
}

function chosen(removals: readonly Removal[], { only, sample, seed }: PermissionOptions): readonly Removal[] {
  if (only !== undefined)
    return only.map((id) => {
      const found = removals.find((one) => one.id === id);
      if (found === undefined) throw new Error(`"${id}" is no permission of the stack; \`--list\` shows them`);
      return found;
    });
  if (sample === undefined) return removals;
  const inOrder = shuffled(removals, seed);
  const taken: Removal[] = [];
  // One of each role in turn.
  while (taken.length < Math.min(sample, removals.length)) {
    const often = (one: Removal): number => taken.filter(({ grant }) => grant.holder === one.grant.holder).length;
    taken.push(inOrder.filter((one) => !taken.includes(one)).reduce((least, one) => (often(one) < often(least) ? one : least)));
  }
  return taken;
}

async function eachOf<T>(items: readonly T[], atOnce: number, run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  }));
}

/** What the journeys and the health checks call: says that all is well. */
async function journeysServer(): Promise<Server> {
  const server = createServer((_, response) => void response.end('{"ok":true}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
