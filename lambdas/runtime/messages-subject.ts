// The subject of the message that ends a rollback: on a lock screen it is all that is read, and after 99 characters it is cut.
import type { Outcome, ReportInput } from '../domain/workflow.ts';
import { plain, subjectOf } from './messages-text.ts';
import { type Ending, hasChanged, isForLackOfTraffic, serviceOf, versionsOf } from './report-outcome.ts';
import { isOnlyUntold } from './untold.ts';

/** Why a service was left alone, in few words, by the code of the reason: its sentence would be cut before it came to the point. */
const inShort: Readonly<Record<string, string>> = {
  'no-release': 'no release explains why it is sick',
  'newer-release': 'a newer release is live than the suspected one',
  'cool-down': 'sick again soon after a rollback',
  'no-safe-way': 'no way back is safe for its data',
  'not-evaluated': 'an alarm could not be evaluated',
  'signal-unreadable': 'what tells its health cannot be read',
  'traffic-unknown': 'its requests cannot be counted',
  'too-little-traffic': 'too few requests to prove anything',
  'too-few-signals': 'too few signals agree',
  'only-older-signals': 'it was sick before the release',
  'suspect-uncertain': 'its release is suspected, but not enough',
};

interface About {
  readonly service: string;
  readonly bad: string;
  readonly input: ReportInput;
  readonly ending: Ending;
}

/** What a page says first: who needs what from whoever is woken. Versions come last, where a cut costs nothing. */
const pageSubjects: Readonly<Partial<Record<Outcome, (about: About) => string>>> = {
  left: ({ service, input }) => leftSubject(service, input),
  recovered: ({ service, ending }) => `${service} has recovered, but ${isOnlyUntold(ending) ? 'nobody was told that it began: mend that' : 'a new signal came in meanwhile: look at it'}`,
  'not-recovered': ({ service, bad, input, input: { results } }) => (isForLackOfTraffic(input) ? `${service} has too little traffic, so it is NOT proven to have recovered from ${bad}` : results.some(hasChanged) ? `${service} is NOT proven to have recovered since it was rolled back from ${bad}` : `${service} could NOT be rolled back from ${bad}`),
  stopped: ({ service, bad }) => `${service}: rollback stopped, somebody else changed the target; the bad version is ${bad}`,
  failed: ({ service, bad, input: { results } }) => `${service}: rollback FAILED ${results.some(hasChanged) ? 'after it had changed something' : 'before anything was changed'}; the bad version is ${bad}`,
  // How it was ended stands in brackets at the end of the headline.
  died: ({ service, bad, ending: { headline } }) => `${service}: rollback ended from outside${/ \([A-Z_]+\)$/.exec(headline)?.[0] ?? ''}; the bad version is ${bad}`,
};

/** As it was recorded with the ending: the Watchdog, which repeats a message from the record alone, says the same. */
export function endedSubject(input: ReportInput, ending: Ending): string {
  if (ending.subject !== undefined) return ending.subject;
  const subject = pageSubjects[ending.outcome];
  if (!ending.page || subject === undefined) return subjectOf(`Ripcord: ${ending.headline}`);
  return subjectOf(`PAGE Ripcord: ${subject({ service: serviceOf(input) ?? 'unknown service', bad: versionsOf(input.assessment).bad, input, ending })}`);
}

function leftSubject(service: string, input: ReportInput): string {
  const reasons = input.assessment?.reasons ?? [];
  if (reasons.some(({ code }) => code === 'storm')) return `${service} and many others: a storm of signals, look for a shared cause`;
  return `${service} needs a person: ${whyLeft(service, input)}`;
}

function whyLeft(service: string, { assessment, approval }: ReportInput): string {
  const reasons = assessment?.reasons ?? [];
  const [first] = reasons;
  if (approval?.answer === 'deadline') return 'nobody answered, nothing was changed';
  if (reasons.some(({ code }) => code === 'dependency-suspected' || code === 'shared-dependency')) {
    const rival = assessment?.suspects?.find((one) => one.kind !== 'other' && one.service !== service);
    return rival === undefined ? 'something else is suspected' : `${plain(rival.service, 40)} is suspected${rival.release === null ? '' : `, ${plain(rival.release.version, 40)}`}`;
  }
  if (first?.code === 'cool-down' && assessment?.signals.some(({ kind }) => kind === 'quarantine') === true) return 'what was rolled back is released again';
  return inShort[first?.code ?? ''] ?? plain(first?.text ?? 'it was left alone', 200);
}
