// The judge's questions while a release shares its traffic with the version before, and what people are told of the two. Pure.
import type { ReleaseQuestion } from '../statistics/judge.ts';
import type { Comparison, Series } from '../statistics/series.ts';
import { fewestBadPoints, fewestRequests } from '../statistics/settings.ts';
import { type Column, compared, type Measured, type MetricsRead, periodSeconds, seriesOf, stretched, type VersionPair } from './metrics.ts';
import type { Release } from './vocabulary.ts';

/** Failed requests below which nothing is proven, as the alarms of an `slo` want them. */
export const provingErrors = 10;
/** Minutes whose figures are told: enough of a small share, and lately. */
const toldMinutes = 10;

/** The pairs of this release; empty while it shares no traffic. */
export const pairsOf = ({ shift }: MetricsRead, { id }: Partial<Pick<Release, 'id'>>): readonly VersionPair[] => (shift !== undefined && shift.releaseId === id ? shift.pairs : []);

/** With so few requests in the minutes that make a harm, the version before cannot say whether it has it too. */
export const isCompared = ({ released, before }: VersionPair): boolean => total(released.requests) > 0 && total(before.requests.slice(-fewestBadPoints)) >= fewestRequests;

type Kind = Series['kind'];

/** What the version before can speak of: its latency takes more requests than its errors. */
export const comparedKinds = (pair: VersionPair): ReadonlySet<Kind> => new Set<Kind>(!isCompared(pair) ? []
  : (pair.before.latency ?? []).slice(-fewestBadPoints).every((value) => value === null) ? ['errors'] : ['errors', 'latency']);

/** Of each kind the versions before alone, where one can speak of it: what both versions have is not the new one's, whatever others show. */
function company(pairs: readonly VersionPair[], declared: readonly Comparison[], length: number): Comparison[] {
  const spoken = new Set(pairs.flatMap((pair) => [...comparedKinds(pair)]));
  const versions = pairs.map((pair) => ({ ...versionBefore(pair, length), kinds: comparedKinds(pair) }));
  return [
    ...versions.map(({ name, series, kinds }) => ({ name, series: series.filter(({ kind }) => kinds.has(kind)) })),
    ...declared.map((one) => ({ ...one, series: one.series.filter(({ kind }) => !spoken.has(kind)) })),
  ].filter(({ series }) => series.length > 0);
}

/** The versions before as controls, of what each can speak of. */
export const beside = (pairs: readonly VersionPair[], length: number): Comparison[] => company(pairs, [], length);

/**
 * The new version by itself: what was usual until its first request, and its own values from then on. Shares and latencies go on over that; counts do not,
 * so that there is no signal of traffic. What it calls is asked only where the version before, which calls it too, has too few requests.
 */
export function questionOfNewVersion(pair: VersionPair, reading: MetricsRead): ReleaseQuestion {
  const { usual, released } = pair;
  const length = usual.requests.length + released.requests.length;
  const wanted = { length, withTraffic: false, prefix: '' };
  const of = (list: readonly Measured[]): Comparison[] => list.map((one) => ({ name: one.name, series: seriesOf(one, wanted) }));
  return {
    series: seriesOf(spliced(usual, released), { ...wanted, prefix: `${released.name} ` }),
    controls: company([pair], of(compared(reading.controls)), length),
    ...(isCompared(pair) ? {} : { dependencies: of(reading.controls.filter(({ calls }) => calls === true)) }),
    releaseIndex: usual.requests.length, periodSeconds,
  };
}

function versionBefore({ usual, before }: VersionPair, length: number): Comparison {
  const all = spliced(usual, before);
  const series: Series[] = seriesOf({ ...all, requests: stretched(all.requests, length) }, { length, withTraffic: false, prefix: '' });
  return { name: before.name, series };
}

function spliced(usual: Measured, since: Measured): Measured {
  const joined = (first: Column | null, second: Column | null): Column | null => (first === null || second === null ? null : [...first, ...second]);
  return { name: since.name, requests: [...usual.requests, ...since.requests], errors: joined(usual.errors, since.errors), latency: joined(usual.latency, since.latency) };
}

/** `version 7 fails 8 % of its requests, version 6 at the same minutes 0.1 %`; and that there were no requests, or too few to say anything. */
export function toldOf(pair: VersionPair, { metrics }: Pick<MetricsRead, 'metrics'>): string {
  const { released, before } = pair;
  const served = total(released.requests);
  if (served === 0) return `${released.name} has had no requests yet`;
  if (served < fewestRequests) return `${released.name} has had ${served} requests so far, too few to say anything`;
  const others = ofNeither(pair, metrics);
  const [now, then] = [failing(released), failing(before)];
  if (now === null) return `${released.name} has had no requests lately`;
  // No share is said to be nothing while others failed, which may be its too.
  const own = others > 0 && now === nothing ? 'answers none of its requests with an error itself' : `fails ${now} of its requests`;
  const slow = [slowness(released), slowness(before)] as const;
  return [
    `${released.name} ${own}, ${then === null ? `and ${before.name} has none` : `${before.name} at the same minutes ${others > 0 && then === nothing ? 'none' : then}`}`,
    ...(others === 0 ? [] : [`${others.toLocaleString('en')} further failed requests of these minutes, such as those that a load balancer answers itself, are counted for neither`]),
    ...(slow[0] === null || slow[1] === null ? [] : [`it answers in ${slow[0]} ms, ${before.name} in ${slow[1]} ms`]),
  ].join('; ');
}

/** Failed requests of the service that no version has on its account; 0 where they are too few to count. */
function ofNeither({ released, before }: VersionPair, metrics: MetricsRead['metrics']): number {
  const periods = Math.min(toldMinutes, released.requests.length);
  const failed = ({ errors }: Measured): number => total((errors ?? []).slice(-periods));
  const missing = Math.max(0, ...metrics.map((one) => failed(one) - failed(released) - failed(before)));
  return missing < provingErrors ? 0 : missing;
}

const nothing = '0 %';

/** Null without requests. */
function failing({ requests, errors }: Measured): string | null {
  const all = total(requests.slice(-toldMinutes));
  return all === 0 ? null : `${Number(((100 * total((errors ?? []).slice(-toldMinutes))) / all).toPrecision(2))} %`;
}

function slowness({ latency }: Measured): number | null {
  const known = (latency ?? []).slice(-toldMinutes).filter((value) => value !== null).toSorted((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}

const total = (counts: Column): number => counts.reduce((sum: number, count) => sum + (count ?? 0), 0);
