// The new version and the version before, minute by minute, out of what was read. Pure.
import { at } from './instants.ts';
import { type Column, type Datapoints, fitted, historyPeriods, indexOf, type Measured, measuredOf, type MetricsRead, stretched, type VersionPair } from './metrics.ts';
import { type PairPlan, plansOf, type ShiftPlan } from './shift-plan.ts';

/** Who served before a release is seen in so many periods. */
const beforePeriods = 60;
/** A release is recorded so many periods late at the most: CloudTrail takes a quarter of an hour, the poll comes every five minutes. */
const latestPeriods = 20;

/** A version, or both together: one value for each period that is asked for. */
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
  const found = pairs.flatMap((plan) => pairOf(plan, { whole: plan.whole === null ? null : next(), versions: [next(), next()] }, release) ?? []);
  return found.length === 0 ? reading : fitted({ ...reading, shift: { releaseId, pairs: found } });
}

const wholly = ({ requests, errors, latency, ...named }: Measured): Whole => ({
  ...named, requests: stretched(requests, historyPeriods), errors: stretched(errors ?? [], historyPeriods), latency: latency === null ? null : stretched(latency, historyPeriods),
});

interface Read {
  readonly whole: Whole | null;
  readonly versions: readonly [Whole, Whole];
}

/** Null where nobody knows which of the two is the version before, and where both served since long before the release. */
function pairOf({ isOrdered, fewestRequests }: PairPlan, { whole, versions: [one, other] }: Read, release: number): VersionPair | null {
  const servedBefore = ({ requests }: Whole): number => sum(requests.slice(Math.max(0, release - beforePeriods), Math.max(0, release)));
  const isSame = servedBefore(one) === servedBefore(other);
  if (!isOrdered && isSame) return null;
  const [released, before] = isOrdered || servedBefore(one) < servedBefore(other) ? [one, other] : [other, one];
  const from = firstServed(released.requests, release);
  if (from <= release - latestPeriods) return null;
  const since = (all: Whole): Measured => ({ ...slice(all, from), latency: all.latency?.slice(from).map((value, index) => ((all.requests[from + index] ?? 0) >= fewestRequests ? value : null)) ?? null });
  return { usual: trimmed(slice(whole ?? together(released, before), 0, from === historyPeriods ? 0 : from)), released: since(released), before: since(before) };
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
