// A recovery that cannot show in the metrics, as the service has so few requests, now as before the release. Pure.
import type { RecoveryJudgement } from '../statistics/recovery.ts';
import { fewestRequests, recoveryMost } from '../statistics/settings.ts';
import { log10FewTail } from '../statistics/tails.ts';
import { plural } from '../statistics/wording.ts';
import { goneChance } from './requests-gone.ts';
import { type Column, indexOf, type Measured, type MetricsRead, stretched, type TakenBack } from './metrics.ts';

export interface FewRequests {
  /** How many there are, and how many are usual. */
  readonly text: string;
  /** None of the last ones failed. */
  readonly isClean: boolean;
}

/** What is usual is what came in so many minutes before the release. */
const usualMinutes = 60;

const untold: readonly string[] = ['few-requests', 'no-data'];
const well: readonly string[] = ['back', 'never-harmed'];

/** Null where the metrics tell, or will tell, or where fewer requests come than before the release: a loss of traffic is no quiet hour. */
export function fewRequests(reading: MetricsRead, { releaseStartedAt, changedAt }: TakenBack, { reasons }: Pick<RecoveryJudgement, 'reasons'>): FewRequests | null {
  const codes = reasons.map(({ code }) => code);
  if (!codes.some((code) => untold.includes(code)) || !codes.every((code) => untold.includes(code) || well.includes(code))) return null;
  const entries = reading.metrics.map((one) => requestsOf(one, { reading, releaseStartedAt, changedAt }));
  if (entries.some(({ minutes, since, usual }) => minutes <= 0 || log10FewTail(since, (usual * minutes) / 2) <= goneChance)) return null;
  // A metric that is missing while requests come is not missing for lack of them.
  if (codes.includes('no-data') && entries.some(({ lately }) => lately >= fewestRequests)) return null;
  const [fewest] = entries.toSorted((a, b) => a.since - b.since);
  if (fewest === undefined) return null;
  const failed = entries.reduce((sum, one) => sum + one.failed, 0);
  const counts = `${plural(fewest.since, 'request')} in the ${plural(fewest.minutes, 'minute')} since the change, where ${Number(fewest.usual.toPrecision(2))} a minute are usual`;
  return { text: `Too little traffic to tell from the metrics whether it is over: ${counts}${failed === 0 ? '; none failed lately' : `; ${failed} failed lately`}.`, isClean: failed === 0 };
}

interface Requests {
  /** Closed minutes since the change. */
  readonly minutes: number;
  readonly since: number;
  /** A minute, before the release. */
  readonly usual: number;
  /** Of the last minutes that a recovery is judged by. */
  readonly lately: number;
  readonly failed: number;
}

function requestsOf({ requests, errors }: Measured, { reading, releaseStartedAt, changedAt }: Pick<TakenBack, 'releaseStartedAt' | 'changedAt'> & { readonly reading: MetricsRead }): Requests {
  const length = Math.max(requests.length, errors?.length ?? 0);
  const counts = stretched(requests, length);
  const [release, change] = [releaseStartedAt, changedAt].map((instant) => Math.max(0, indexOf(reading, length, instant))) as [number, number];
  const last = Math.max(change, length - recoveryMost);
  return {
    minutes: length - change, since: sum(counts.slice(change)), usual: sum(counts.slice(Math.max(0, release - usualMinutes), release)) / usualMinutes,
    lately: sum(counts.slice(last)), failed: sum(stretched(errors ?? [], length).slice(last)),
  };
}

const sum = (counts: Column): number => counts.reduce((total: number, count) => total + (count ?? 0), 0);
