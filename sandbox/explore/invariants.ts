// What has to be true after every run, whatever went wrong in it.
import type { CallRecord } from '../aws/world.ts';
import type { StoredRow } from '../stage/ripcord-view.ts';
import { endingOf } from './invariant-endings.ts';
import { announcedTwice, saidOnce } from './invariant-messages.ts';
import { falseProofs } from './invariant-proof.ts';
import { leaked } from './invariant-secrets.ts';
import { unannounced } from './invariant-writes.ts';
import { lastResorts, type Struck } from './last-resort.ts';
import type { Ending } from './scenarios.ts';
import type { ExploredWorld } from './world.ts';

/** Checks one chain of audit rows, in order, against its anchor: each has one from its first row on. @returns what is wrong, or null. */
export type VerifyChain = (rows: readonly StoredRow[], anchor: Anchor | null) => string | null;

/** Where the ledger says that a chain ends. */
export interface Anchor {
  readonly length: number;
  readonly hash: string;
  readonly isSealed: boolean;
}

export interface Run {
  readonly world: ExploredWorld;
  readonly records: readonly { readonly rollbackId: string; readonly rows: readonly StoredRow[] }[];
  readonly ledger: readonly Readonly<Record<string, string>>[];
  /** Calls of roles that changed anything that is not Ripcord's own, as far as they took effect. */
  readonly writes: readonly CallRecord[];
  /** A person changed the target while the rollback ran. */
  readonly hasMeddled: boolean;
  /** Nobody could know whether a message had been sent (decision 0006): it may come twice. */
  readonly mayRepeatMessages: boolean;
  /** Null: a run without a fault. */
  readonly struck: Struck | null;
}

export interface Verdict {
  readonly ending: Ending | 'broken';
  readonly broken: readonly string[];
  /** How the runs ended, in Ripcord's words. */
  readonly outcomes: string;
}

/** What Ripcord writes for itself: its tables, messages and executions. Any other change has to be one of a target. */
const ofRipcord = /^((dynamodb|sns|events|states|sqs):|lambda:Invoke)/;

/** @param about without `struck`: no fault was put into the world. */
export async function runOf(world: ExploredWorld, about: Pick<Run, 'hasMeddled' | 'mayRepeatMessages'> & Partial<Pick<Run, 'struck'>>): Promise<Run> {
  const ledger = (await world.ledger()).map((item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, value.S ?? value.N ?? JSON.stringify(value)])));
  const writes = world.sandbox.calls.list({
    mutating: true,
    // A call whose reply was lost, or that was answered with an error after its effect, has an output all the same.
    where: ({ caller, output, service, operation }) => caller.kind === 'role' && output !== null && !ofRipcord.test(`${service}:${operation}`),
  });
  const records = await world.ripcord.records();
  return { world, records, ledger, writes, struck: null, ...about };
}

export function judge(run: Run, verifyChain: VerifyChain): Verdict {
  const ending = endingOf(run);
  const broken = [
    ...(ending === null ? [unfinished(run)] : []),
    ...breaches(run), ...liveState(run, ending), ...othersWork(run), ...secondRollback(run), ...lock(run), ...chains(run, verifyChain), ...unannounced(run), ...falseProofs(run),
    ...saidOnce(run), ...announcedTwice(run), ...leaked(run),
  ];
  const outcomes = run.world.runs().map(({ outcome, headline }) => `${outcome}: ${headline}`).join(' | ');
  return { ending: broken.length > 0 || ending === null ? 'broken' : ending, broken, outcomes };
}

function unfinished({ world }: Run): string {
  const runs = world.runs();
  const said = runs.length === 0 ? 'no execution ever began' : runs.map(({ status, outcome, headline }) => `${status} ${outcome}: ${headline}`).join(' | ');
  return `end: neither recovered and proven, nor stopped with on-call paged and the reason recorded: ${said}; messages: ${world.messages().map(({ topic, subject }) => `${topic} "${subject}"`).join(', ') || 'none'}`;
}

const breaches = ({ world }: Run): string[] => [
  ...world.sandbox.breaches.map(({ invariant, problem, cause }) => `weights: ${invariant}: ${problem} (after ${cause})`),
  ...world.sandbox.calls.unsupported.map(({ service, operation }) => `the sandbox has no ${service}:${operation}`),
];

/** Each target is back where a change of Ripcord's took effect, and as the release has it where none did: whatever the run came to. A person's is looked at below. */
function liveState({ world, hasMeddled, writes }: Run, ending: Ending | null): string[] {
  return [
    ...(world.scenario.mayChange || writes.length === 0 ? [] : [`live state: ${writes.map(({ operation }) => operation).join(', ')} although nothing may be changed`]),
    ...Object.entries(world.targets).flatMap(([id, target]) => {
      const live = target.live();
      if (ending === 'recovered' && id === world.scenario.cure && live !== 'blue') return [`live state: called recovered, but target ${id} is ${live}`];
      if (hasMeddled && target === world.meddledTarget) return [];
      const isChanged = writes.some(({ service, input }) => service === target.prefix && target.isTouchedBy(JSON.stringify(input)));
      const due = isChanged ? 'blue' : target.untouched();
      return live === due ? [] : [`live state: target ${id} is ${live}, and has to be ${due}: Ripcord ${isChanged ? 'changed it' : 'changed nothing there'}`];
    }),
  ];
}

/** What a person set stays. */
function othersWork({ world, hasMeddled }: Run): string[] {
  const target = hasMeddled ? world.meddledTarget : null;
  return target === null || target.live() === 'person' ? [] : [`someone else's change was overwritten: ${target.live()} is live`];
}

/** Repeats of a write say the same; a deployment is made once. */
function secondRollback({ writes, ledger, world }: Run): string[] {
  const perTarget = new Map<string, Set<string>>();
  for (const { service, operation, input } of writes) {
    const said = perTarget.get(`${service}:${operation}`) ?? new Set<string>();
    perTarget.set(`${service}:${operation}`, said.add(JSON.stringify(input)));
  }
  const several = [...perTarget].filter(([, said]) => said.size > 1).map(([call, said]) => `second rollback: ${said.size} different ${call}`);
  const deployments = writes.filter(({ operation }) => operation === 'CreateDeployment').length;
  const acting = ledger.filter(({ pk, sk }) => pk === `SERVICE#${world.scenario.name}` && sk?.startsWith('ROLLBACK#') === true).length;
  return [...several, ...(deployments > 1 ? [`second rollback: ${deployments} deployments`] : []), ...(acting > 1 ? [`second rollback: the ledger counts ${acting}`] : [])];
}

/** Free; where an alarm of the engine says that not even the Watchdog could do its work, its lease ends within the longest lease. */
function lock(run: Run): string[] {
  const { ledger, world } = run;
  const row = ledger.find(({ pk, sk }) => pk === `SERVICE#${world.scenario.name}` && sk === 'LOCK');
  if (row?.['owner'] === undefined) return [];
  if (lastResorts(run).length === 0) return [`lock: ${row['owner']} still holds it`];
  const left = Number(row['leaseUntil'] ?? Number.POSITIVE_INFINITY) - world.sandbox.clock.now();
  return left <= 900_000 ? [] : [`lock: held by ${row['owner']} for another ${Math.round(left / 1000)} s`];
}

/** Whole, and closed: to a record without a seal anybody who may add to it could add. */
function chains(run: Run, verifyChain: VerifyChain): string[] {
  const { records, ledger } = run;
  const isExcused = lastResorts(run).length > 0;
  return records.flatMap(({ rollbackId, rows }) => {
    const anchor = ledger.find(({ pk, sk }) => pk === `AUDIT#${rollbackId}` && sk === 'ANCHOR');
    const problem = verifyChain(rows, anchor === undefined ? null : anchorOf(anchor));
    // A Watch goes on for as long as its release is baking.
    const isOpen = rows.length > 0 && rows.at(-1)?.kind !== 'sealed' && !isExcused && !hasJoined(rows) && !rollbackId.startsWith('watch#');
    return [...(problem === null ? [] : [`audit: ${problem}`]), ...(isOpen ? [`audit: the record of ${rollbackId} ends without a seal, with a row ${rows.at(-1)?.kind}`] : [])];
  });
}

/** What it comes to stands in the record of the run that it joined. */
const hasJoined = (rows: readonly StoredRow[]): boolean => rows.some(({ kind, data }) => kind === 'assessed' && (JSON.parse(data) as { readonly decision?: { readonly verdict?: string } }).decision?.verdict === 'joined');

const anchorOf = (row: Readonly<Record<string, string>>): Anchor => ({ length: Number(row['length']), hash: row['head'] ?? '', isSealed: row['isSealed'] === '{"BOOL":true}' });
