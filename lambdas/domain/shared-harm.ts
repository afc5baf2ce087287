// Whether what a rollback left of the harm is in the controls too: going back cannot mend that, and whoever is woken looks elsewhere first.
import { judgeRelease } from '../statistics/judge.ts';
import { at } from './instants.ts';
import { sharedBy } from './metric-company.ts';
import { judgedHours, type MetricsReading, releaseQuestionOf } from './metrics.ts';
import type { Instant, Reason } from './vocabulary.ts';

/** Names the controls that are as much worse since the release as the service still is; null where none is, and where none was read or nothing is worse any more. */
export function sharedHarm(reading: MetricsReading | undefined, releaseStartedAt: Instant | null, now: Instant): Reason | null {
  if (reading?.status !== 'read' || reading.controls.length === 0 || releaseStartedAt === null) return null;
  if (at(now) - at(releaseStartedAt) > judgedHours * 3_600_000) return null;
  const question = releaseQuestionOf(reading, releaseStartedAt);
  const names = question === null ? '' : sharedBy(judgeRelease(question));
  return names === '' ? null : { code: 'metrics-shared', text: `What is left of the harm is not this release's alone: ${names} Look at what they share.` };
}
