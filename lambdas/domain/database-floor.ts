// Which versions still work with the database as it is: the declared floors, and which of two versions came first.
import { at } from './instants.ts';
import { allReleases, unreadSince } from './passed.ts';
import type { KnownGoodFacts, Question, ReleaseFacts } from './question.ts';
import { because } from './reasons.ts';
import type { Reason } from './vocabulary.ts';
import type { Passed } from './way-choice.ts';

/** Where a version stands against a floor; `unknown` is never taken for either. */
export type Standing = 'works' | 'below' | 'unknown';

/** Why a version may not be put before users, whoever asks; or why a person has to say so first. */
export interface FloorObjection {
  readonly kind: 'refused' | 'doubt';
  readonly reason: Reason;
}

type Lives = Pick<Question, 'releases' | 'earlier' | 'deployments' | 'knownGoods'>;

/** Live for the first time not before `from` and not after `to`, in epoch milliseconds. */
interface FirstLive {
  readonly from: number;
  readonly to: number;
}

/** What the ledger proves of when a version was first live: its releases say when, everything else only that it was by then. */
function firstLive({ releases, earlier, deployments, knownGoods }: Lives, version: string): FirstLive | null {
  const brought: readonly Pick<ReleaseFacts, 'version' | 'previousVersion' | 'startedAt'>[] = [...releases, ...(earlier?.releases ?? []), ...deployments.filter(({ nature }) => nature === 'release')];
  const begun = brought.filter((one) => one.version === version).map(({ startedAt }) => at(startedAt));
  const seen = [
    ...knownGoods.filter((one) => one.version === version).map(({ since }) => at(since)),
    // It was live when the next one began, and so a moment before.
    ...brought.filter(({ previousVersion }) => previousVersion === version).map(({ startedAt }) => at(startedAt) - 1),
  ];
  if (begun.length + seen.length === 0) return null;
  const to = Math.min(...begun, ...seen);
  return { from: begun.includes(to) ? to : Number.NEGATIVE_INFINITY, to };
}

function byLedger(lives: Lives, version: string, floor: string): Standing {
  const [one, other] = [firstLive(lives, version), firstLive(lives, floor)];
  if (one === null || other === null) return 'unknown';
  if (one.to < other.from) return 'below';
  return one.from > other.to ? 'works' : 'unknown';
}

/** SemVer 2.0.0, with the `v` that tags have; build metadata says nothing about order. */
const semantic = /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z.-]+)?$/;

/** Precedence of SemVer 2.0.0 (section 11): negative when `one` comes first, null when either is no semantic version. */
export function semanticOrder(one: string, other: string): number | null {
  const [a, b] = [semantic.exec(one), semantic.exec(other)];
  if (a === null || b === null) return null;
  for (const part of [1, 2, 3]) {
    const order = compared(a[part] ?? '', b[part] ?? '');
    if (order !== 0) return order;
  }
  return preRelease(a[4], b[4]);
}

/** A version without a pre-release comes after those that have one; the longer of two that begin alike comes later. */
function preRelease(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  const [a, b] = [one.split('.'), other.split('.')];
  const differs = a.findIndex((part, index) => part !== b[index]);
  if (differs === -1 || b[differs] === undefined) return a.length - b.length;
  return compared(a[differs] ?? '', b[differs]);
}

/** Numbers by size, words by ASCII, a number before a word. A number can have more digits than a double holds. */
function compared(one: string, other: string): number {
  const [a, b] = [/^\d+$/.test(one), /^\d+$/.test(other)];
  if (a !== b) return a ? -1 : 1;
  if (a && one.length !== other.length) return one.length - other.length;
  return one === other ? 0 : one < other ? -1 : 1;
}

/** By the ledger's order of releases, or by semantic version; where the two contradict each other, nobody knows. */
export function standing(lives: Lives, version: string, floor: string): Standing {
  if (version === floor) return 'works';
  const live = byLedger(lives, version, floor);
  const order = semanticOrder(version, floor);
  const named: Standing = order === null ? 'unknown' : order < 0 ? 'below' : 'works';
  if (live === 'unknown' || named === 'unknown') return live === 'unknown' ? named : live;
  return live === named ? live : 'unknown';
}

/**
 * What the database says against putting a version before users again.
 * @param passed releases since the known good one: what they did to the database stays.
 * @param version null where nobody knows which version a target goes back to.
 */
export function floorObjections(question: Question, passed: readonly Passed[], version: string | null): FloorObjection[] {
  const { policy } = question;
  const floors = [
    ...passed.flatMap(({ version: by, manifest }) => (manifest?.databaseFloor == null ? [] : [{ floor: manifest.databaseFloor, by: `release ${by}` }])),
    ...(policy.databaseFloor === undefined ? [] : [{ floor: policy.databaseFloor, by: 'the policy' }]),
  ];
  const silent = passed.filter(({ touched, manifest }) => touched.includes('database') && manifest?.databaseFloor == null);
  const isStated = policy.databaseFloor !== undefined || policy.database !== undefined;
  return newest([
    ...floors.flatMap(({ floor, by }) => objection(question, version, floor, by)),
    ...(isStated ? [] : silent.map((release) => doubt(`Release ${release.version} changed the database, and nothing says from which version on the code works with it.`))),
  ]);
}

/** People read the first few of each kind; of fifty releases they would fill the row of the audit. */
function newest(all: readonly FloorObjection[]): FloorObjection[] {
  const kept = all.filter(({ kind }, index) => all.slice(0, index).filter((one) => one.kind === kind).length < 5);
  const more = all.length - kept.length;
  return more === 0 ? kept : [...kept, doubt(`The same is so of ${more} more.`)];
}

/** What the database says against a declared side of which nothing proves the version: whatever releases on record did to it may have come after. */
export function sideObjections(question: Question, side: string): FloorObjection[] {
  const { policy } = question;
  const migrated = policy.database === undefined ? allReleases(question).filter(({ touched, manifest }) => touched.includes('database') || manifest?.databaseFloor != null) : [];
  const [last] = migrated;
  const others = migrated.length - 1;
  return [
    ...(policy.databaseFloor === undefined ? [] : objection(question, null, policy.databaseFloor, 'the policy')),
    ...(last === undefined ? [] : [doubt(`Release ${last.version} changed the database or names a floor${others === 0 ? '' : `, and ${others} before it`}, and which version side ${side} runs is not known.`)]),
  ];
}

/** What lies between a version and what was read: nobody knows, whatever the policy says of migrations. */
export function unreadObjections(question: Question, good: Pick<KnownGoodFacts, 'version' | 'since'>): FloorObjection[] {
  const since = unreadSince(question, good);
  return since === null ? [] : [doubt(`Releases before ${since.slice(0, 16)}Z are not read any more, and ${good.version} may be older: nobody knows which migrations lie between.`)];
}

const doubt = (text: string): FloorObjection => ({ kind: 'doubt', reason: because('floor-unknown', text) });

function objection(question: Question, version: string | null, floor: string, by: string): FloorObjection[] {
  const stands = version === null ? 'unknown' : standing(question, version, floor);
  if (stands === 'works') return [];
  if (stands === 'below') return [{ kind: 'refused', reason: because('below-floor', `${version ?? ''} does not work with the database as it is now: ${by} says ${floor} or later.`) }];
  return [doubt(`The database needs ${floor} or later (${by}), and whether ${version ?? 'the version of the other side'} is that is not known.`)];
}
