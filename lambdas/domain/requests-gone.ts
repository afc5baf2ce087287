// Requests that stay away after a change: whoever gets none fails none, so that errors and latency alone would call it well. Pure.
import { fewestBadPoints, recoveryMost } from '../statistics/settings.ts';
import { log10FewTail } from '../statistics/tails.ts';
import { number } from '../statistics/wording.ts';
import { indexOf, lengthOf, type Measured, type MetricsRead, stretched } from './metrics.ts';
import type { Instant } from './vocabulary.ts';

/** log10 of the chance to see so few, were half of the usual requests still coming: below it some have gone, and those may be the ones that the harm sends away. */
export const goneChance = -2;
/** Minutes before the release, and around the same time of the day before, whose quietest stretch is what may come. */
const usualMinutes = 60;
const dayMinutes = 1440;

export interface Gone {
  readonly text: string;
  /** Indices of the minutes looked at, in the longest column; the last one excluded. */
  readonly from: number;
  readonly until: number;
  /** Logarithm of what is usual over what came; at least ln 2. */
  readonly effect: number;
}

/** When the release began, and from when on requests have to be there: since it, or since it was taken back. */
export interface Asked {
  readonly releaseStartedAt: Instant;
  readonly since: Instant;
}

interface Stretches {
  readonly name: string;
  readonly now: number;
  /** The quietest and the busiest of the stretches that are usual, each as long as the one looked at. */
  readonly least: number;
  readonly most: number;
}

/**
 * Whether fewer than half of the requests come that came in any stretch as long of the hour before the release, and around this time of the day before; so a service that is
 * always quiet at night loses nothing in the evening. Where the history ends before that day, any stretch of it counts. Null where enough come, or moved to another entry, or nobody knows.
 */
export function requestsGone(reading: MetricsRead, asked: Asked): Gone | null {
  const until = lengthOf(reading);
  const from = Math.max(indexOf(reading, until, asked.since), until - recoveryMost);
  const release = indexOf(reading, until, asked.releaseStartedAt);
  if (release < 0 || until - from < fewestBadPoints) return null;
  const entries = reading.metrics.flatMap((one) => stretchesOf(one, { from, until, release }) ?? []);
  const lost = entries.find(({ now, least }, index) => log10FewTail(now, least / 2) <= goneChance && !isElsewhere(entries, index));
  if (lost === undefined) return null;
  const { name, now, least } = lost;
  const minutes = until - from;
  const rate = (count: number): string => number(count / minutes);
  const text = `${reading.metrics.length === 1 ? '' : `${name}: `}requests are gone: ${rate(now)} a minute in the last ${minutes}, where the quietest ${minutes} before the release had ${rate(least)}. No errors among those that are left prove nothing`;
  return { text, from, until, effect: Math.log(least / Math.max(now, 1)) };
}

/** A target group that another one took over from has lost nothing: at least half of what it lacks came on top of what is usual elsewhere. */
function isElsewhere(entries: readonly Stretches[], index: number): boolean {
  const { least = 0, now = 0 } = entries[index] ?? {};
  const gained = entries.reduce((sum, one, other) => sum + (other === index ? 0 : Math.max(0, one.now - one.most)), 0);
  return gained >= (least - now) / 2;
}

interface Where {
  readonly from: number;
  readonly until: number;
  readonly release: number;
}

/** Null where nothing is known before the release. */
function stretchesOf({ name, requests }: Measured, { from, until, release }: Where): Stretches | null {
  const counts = stretched(requests, until);
  const known = until - Math.min(until, requests.length);
  const minutes = until - from;
  const sumFrom = (start: number): number => counts.slice(start, start + minutes).reduce((sum: number, count) => sum + (count ?? 0), 0);
  const within = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - minutes - first + 1) }, (_, index) => sumFrom(first + index));
  const yesterday = from - dayMinutes - usualMinutes / 2;
  const usual = yesterday < known ? within(known, release) : [...within(Math.max(known, release - usualMinutes), release), ...within(yesterday, until - dayMinutes + usualMinutes / 2)];
  return usual.length === 0 ? null : { name, now: sumFrom(from), least: Math.min(...usual), most: Math.max(...usual) };
}
