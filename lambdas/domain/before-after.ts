// How a service was in the hour before a release and how it is now, in figures: what people ask first, and what the judge may be too early to say.
import type { ReleaseQuestion } from '../statistics/judge.ts';
import type { Series } from '../statistics/series.ts';

/** Periods before the release that are "before": an hour smooths single minutes and is still the same time of day. */
const beforePeriods = 60;
/** Periods that are "now": the last ones, so that the release's good first minutes do not hide what came after. */
const nowPeriods = 5;

type Value = number | null | undefined;

/** Empty where one of the two sides has no data. One part a series: `error rate 35.2 % in the last 3 minutes, 0.1 % in the hour before the release`. */
export function beforeAndAfter({ series, releaseIndex, periodSeconds }: ReleaseQuestion): string {
  return series.flatMap((one) => {
    const end = one.values.length;
    const from = Math.max(releaseIndex, end - nowPeriods);
    const [now, before] = [shown(one, from, end), shown(one, Math.max(0, releaseIndex - beforePeriods), releaseIndex)];
    const minutes = Math.round(((end - from) * periodSeconds) / 60);
    return now === null || before === null ? [] : [`${one.name} ${now} in the last ${minutes === 1 ? 'minute' : `${minutes} minutes`}, ${before} in the hour before the release`];
  }).join('; ');
}

/** One figure for the periods `from` up to `to`; null without data. */
function shown({ kind, values, requests }: Series, from: number, to: number): string | null {
  const part = (all: ArrayLike<Value> | undefined): Value[] => Array.from(all ?? []).slice(from, to);
  const known = part(values).filter((value) => value !== null && value !== undefined);
  if (known.length === 0) return null;
  if (kind === 'latency') return `${rounded(median(known))} ms`;
  if (kind === 'traffic') return `${rounded(sum(known) / known.length)} requests a minute`;
  const all = sum(part(requests).map((value) => value ?? 0));
  return all === 0 ? null : `${rounded((100 * sum(known)) / all)} %`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const rounded = (value: number): number => Number(value.toPrecision(3));
