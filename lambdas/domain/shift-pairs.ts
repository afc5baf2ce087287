// The new version and the version before, minute by minute, out of what was read. Pure.
import { at } from './instants.ts';
import { type Column, type Datapoints, fitted, historyPeriods, indexOf, type Measured, measuredOf, type MetricsRead, stretched, type VersionPair } from './metrics.ts';
import { latestPeriods, type PairPlan, plansOf, type ShiftPlan } from './shift-plan.ts';

/** Who served when a release began is seen in so many periods before it: what served an hour ago may be what it replaced. */
const justBeforePeriods = 5;
/** A side that served in so many periods before a release, and never since, is rather the one that was left. */
const leftPeriods = 60;

/** A version, or several together: one value for each period that is asked for. */
interface Whole extends Measured {
  readonly requests: (number | null)[];
  readonly errors: (number | null)[];
  readonly latency: (number | null)[] | null;
}

/** @param columns those of the plan's queries alone, in their order. */
export function withShift(reading: MetricsRead, { releaseId, startedAt, pairs }: ShiftPlan, columns: readonly Datapoints[]): MetricsRead {
  const measured = measuredOf(pairs.flatMap(plansOf), columns, at(reading.end)).map((one) => wholly(one)).values();
  const next = (): Whole => measured.next().value ?? wholly({ name: '', requests: [], errors: [], latency: null });
  const release = indexOf(reading, historyPeriods, startedAt);
  const found = pairs.flatMap((plan) => pairOf(plan, { whole: plan.whole === null ? null : next(), versions: plan.versions.map(() => next()) }, release) ?? []);
  return found.length === 0 ? reading : fitted({ ...reading, shift: { releaseId, pairs: found } });
}

const wholly = ({ requests, errors, latency, ...named }: Measured): Whole => ({
  ...named, requests: stretched(requests, historyPeriods), errors: stretched(errors ?? [], historyPeriods), latency: latency === null ? null : stretched(latency, historyPeriods),
});

interface Read {
  readonly whole: Whole | null;
  readonly versions: readonly Whole[];
}

/** Null where nobody knows which of them is the version before, and where all served since long before the release. */
function pairOf(plan: PairPlan, { whole, versions }: Read, release: number): VersionPair | null {
  const told = toldApart(plan, versions, release);
  if (told === null) return null;
  const [released, before] = told;
  const from = firstServed(released.requests, release);
  const isLeft = from === historyPeriods && sum(released.requests.slice(Math.max(0, release - leftPeriods), Math.max(0, release))) > 0;
  if (from <= release - latestPeriods || isLeft) return null;
  const usual = whole ?? versions.reduce((all, one) => together(all, one));
  return { usual: trimmed(slice(usual, 0, from === historyPeriods ? 0 : from)), released: slice(withEnough(released, plan), from), before: slice(withEnough(before, plan), from) };
}

/** With the latency only of periods with requests enough for its percentile. */
const withEnough = (one: Whole, { fewestRequests }: PairPlan): Whole =>
  ({ ...one, latency: one.latency?.map((value, index) => ((one.requests[index] ?? 0) >= fewestRequests ? value : null)) ?? null });

/** The new version and the one before. A pipeline's number may be its own and no version of the alias: then nobody was ever served by the version before. */
function toldApart(plan: PairPlan, versions: Read['versions'], release: number): readonly [Whole, Whole] | null {
  const [one, other] = versions;
  if (one === undefined || other === undefined) return null;
  if (versions.length > 2) return amongMany(plan, versions, release);
  // The last of them may hold requests of both.
  const from = Math.max(0, release - 1 - justBeforePeriods);
  if (plan.isOrdered) return sum(other.requests.slice(from)) > 0 ? [one, other] : null;
  const [first, second] = [one, other].map(({ requests }) => sum(requests.slice(from, Math.max(0, release - 1)))) as [number, number];
  if (first === second) return null;
  return first < second ? [one, other] : [other, one];
}

/** Of three or more sides the only one that serves now, and did not in the hour before, but for the minutes by which the record may be late; against all others together. */
function amongMany(plan: PairPlan, versions: Read['versions'], release: number): readonly [Whole, Whole] | null {
  const served = ({ requests }: Whole, from: number, until?: number): boolean => sum(requests.slice(Math.max(0, from), until === undefined ? undefined : Math.max(0, until))) > 0;
  const [released, ...more] = versions.filter((one) => served(one, release) && !served(one, release - leftPeriods, release - latestPeriods));
  const [first, ...rest] = versions.filter((one) => one !== released && served(one, release - leftPeriods));
  if (released === undefined || more.length > 0 || first === undefined) return null;
  const before = rest.reduce((all, one) => together(all, withEnough(one, plan)), withEnough(first, plan));
  return served(before, release - justBeforePeriods, release) ? [released, before] : null;
}

/** Where its requests began that go on over the release: who records a release may be late. All periods where it had none. */
function firstServed(requests: Column, release: number): number {
  let from = Math.max(0, release);
  while (from > release - latestPeriods && (requests[from - 1] ?? 0) > 0) from -= 1;
  const later = requests.findIndex((count, index) => index >= from && (count ?? 0) > 0);
  return later === -1 ? historyPeriods : later;
}

/** Requests and errors added up; the latency of whichever served more. */
function together(one: Whole, other: Whole): Whole {
  const added = (first: Column, second: Column): (number | null)[] => first.map((value, index) => (value === null ? second[index] ?? null : value + (second[index] ?? 0)));
  const { latency } = one;
  return {
    name: `${one.name} and ${other.name}`, requests: added(one.requests, other.requests), errors: added(one.errors, other.errors),
    latency: latency === null ? null : latency.map((value, index) => ((one.requests[index] ?? 0) < (other.requests[index] ?? 0) ? other.latency?.[index] ?? null : value)),
  };
}

const slice = ({ requests, errors, latency, ...named }: Whole, from: number, until?: number): Measured =>
  ({ ...named, requests: requests.slice(from, until), errors: errors.slice(from, until), latency: latency?.slice(from, until) ?? null });

/** Without the periods before the first one with any request. */
function trimmed(measured: Measured): Measured {
  const first = measured.requests.findIndex((count) => count !== null);
  const rest = (column: Column | null): Column | null => (first === -1 ? column && [] : column?.slice(first) ?? null);
  return { ...measured, requests: rest(measured.requests) ?? [], errors: rest(measured.errors), latency: rest(measured.latency) };
}

const sum = (counts: Column): number => counts.reduce((total: number, count) => total + (count ?? 0), 0);
