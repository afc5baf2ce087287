// Decides how a rollback ended, from everything the workflow collected: pure, so that the record can be replayed.
import type { JsonObject, Reason } from '../domain/vocabulary.ts';
import type { Assessment, Outcome, ReportInput, StepResult } from '../domain/workflow.ts';
import { plain } from './messages-text.ts';
import { openRung } from './plan-ways.ts';

export interface Ending {
  readonly outcome: Outcome;
  /** The execution may end green. */
  readonly ok: boolean;
  /** A person has to act now. */
  readonly page: boolean;
  readonly headline: string;
  readonly reasons: readonly Reason[];
  /** Of the message that tells of it, once it is recorded. */
  readonly subject?: string;
}

export const hasChanged = ({ applied }: StepResult): boolean => applied.status === 'changed';
/** The state the plan wanted is live and proven to be. */
export const isHeld = ({ applied, confirmed }: StepResult): boolean =>
  (applied.status === 'changed' || applied.status === 'already') && confirmed?.answer === 'yes';
export const isOverwritten = ({ applied, confirmed }: StepResult): boolean =>
  applied.status === 'changed-by-someone-else' || confirmed?.answer === 'changed-by-someone-else';

/** All that is left open is what the metrics cannot tell for lack of requests. */
export const isForLackOfTraffic = ({ verified }: Pick<ReportInput, 'verified'>): boolean => verified?.triesNoMore === true && verified.reasons.some(({ code }) => code === 'metrics-few-requests');

/** True when all that was put back, and holds, are flags: users still get the release. */
export function keepsRelease({ assessment, results }: Pick<ReportInput, 'assessment' | 'results'>): boolean {
  const held = results.filter((result) => isHeld(result));
  return held.length > 0 && held.every(({ rung }) => assessment?.ways?.find((way) => way.rung === rung)?.ways.every((way) => way === 'flag-off') === true);
}

const ends: Readonly<Record<Outcome, { readonly ok: boolean; readonly page: boolean }>> = {
  recovered: { ok: true, page: false },
  'not-recovered': { ok: false, page: true },
  stopped: { ok: false, page: true },
  left: { ok: true, page: false },
  refused: { ok: false, page: false },
  rejected: { ok: true, page: false },
  'dry-run': { ok: true, page: false },
  shadow: { ok: true, page: false },
  failed: { ok: false, page: true },
  died: { ok: false, page: true },
};

/**
 * @param died set by the Watchdog: what ended the execution from outside.
 * @param hasIntended true when the audit tells of a change: a repeat of Apply finds the first try's change "already" there.
 */
export function endingOf(input: ReportInput, died: string | null = null, hasIntended = false): Ending {
  const { assessment } = input;
  const outcome = died === null ? outcomeOf(input) : 'died';
  const service = serviceOf(input);
  // A run that only looked leaves it to Assess whether somebody has to be woken; a question nobody answered always wakes.
  const asksForPage = outcome === 'left' && assessment?.mode !== 'shadow' && (assessment?.page === true || input.approval?.answer === 'deadline');
  return {
    outcome, ok: ends[outcome].ok, page: ends[outcome].page || asksForPage,
    headline: headlineOf(outcome, input, { died, hasIntended }), reasons: reasonsOf(outcome, input, { service, died }),
  };
}

function outcomeOf({ assessment, results, verified, approval, error }: ReportInput): Outcome {
  if (assessment === null) return error?.['Error'] === 'Refused' ? 'refused' : 'failed';
  if (assessment.reasons.some((reason) => reason.code === 'refused')) return 'refused';
  // A failure before anything was touched is still a failure, also of a dry run.
  if (error !== null && results.length === 0) return 'failed';
  if (assessment.mode === 'dry-run') return 'dry-run';
  if (assessment.mode === 'shadow') return assessment.verdict === 'roll-back' ? 'shadow' : 'left';
  if (results.some(isOverwritten) || verified?.reasons.some((reason) => reason.code === 'changed-by-someone-else') === true) return 'stopped';
  if (error !== null) return 'failed';
  if (approval?.answer === 'rejected') return 'rejected';
  if (results.length === 0) return assessment.verdict === 'roll-back' ? 'failed' : 'left';
  return verified?.answer === 'recovered' ? 'recovered' : 'not-recovered';
}

export const versionsOf = (assessment: Assessment | null): { readonly bad: string; readonly good: string } => ({
  bad: plain(assessment?.release?.version ?? 'the running version', 80),
  good: plain(assessment?.knownGood?.version ?? assessment?.rungs[0]?.waves[0]?.[0]?.good?.version ?? 'an unproven version', 80),
});

function headlineOf(outcome: Outcome, input: ReportInput, { died, hasIntended }: { readonly died: string | null; readonly hasIntended: boolean }): string {
  const service = serviceOf(input) ?? 'unknown service';
  const { bad, good } = versionsOf(input.assessment);
  const touched = input.results.some(hasChanged);
  const closed = closedText(input);
  const headlines: Readonly<Record<Outcome, string>> = {
    recovered: keepsRelease(input) ? `${service} keeps ${bad} with its flags turned off, and has recovered` : touched || hasIntended
      ? `${service} was rolled back from ${bad} to ${good} and has recovered`
      : `${service} was on ${good} already, nothing was changed, and it has recovered`,
    'not-recovered': touched ? `${service} was rolled back from ${bad} but is NOT proven to have recovered` : `${service} could NOT be rolled back from ${bad}`,
    stopped: `${service}: the rollback from ${bad} stopped, because somebody else changed the target`,
    left: `${service}: nothing was changed. ${plain(input.assessment?.headline ?? '', 200)}`,
    refused: `${service}: the request was refused, nothing was changed. ${refusalText(input)}`.trimEnd(),
    rejected: `${service}: the rollback from ${bad} was rejected by ${plain(input.approval?.by ?? 'a person', 120)}`,
    shadow: closed === null ? `${service} in shadow: would have rolled back from ${bad} to ${good}; nothing was changed` : `${service} in shadow: ${closed}`,
    // Nothing that could be taken leads nowhere: why is what the person asked for.
    'dry-run': closed !== null ? `${service}: dry run, ${closed}` : input.assessment?.rungs.length === 0 ? `${service}: dry run, nothing was changed. ${plain(input.assessment.headline, 200)}` : `${service}: dry run from ${bad} to ${good}, nothing was changed`,
    failed: `${service}: the rollback from ${bad} FAILED ${touched ? 'after it had changed something' : 'before anything was changed'}`,
    died: `${service}: the rollback from ${bad} was ended from outside (${plain(died ?? '', 80)})`,
  };
  return headlines[outcome];
}

/** Why no way back can be taken, where each of them was planned and none is open; else null. */
function closedText({ assessment, plans }: ReportInput): string | null {
  if (assessment === null || plans.length === 0 || openRung(assessment, plans) !== null) return null;
  const why = plans.find(({ outcome }) => outcome === 'impossible');
  return `nothing was changed. No way back can be taken as things are: ${plain(why?.reason?.text ?? why?.summary ?? '', 200)}`;
}

/** Why, in the one line that the console shows of a failed execution. */
function refusalText({ assessment, error }: ReportInput): string {
  const why = assessment?.reasons.find(({ code }) => code === 'refused')?.text ?? (error === null ? '' : errorText(error));
  return plain(why.replace(/^Refused: /, ''), 200);
}

function reasonsOf(outcome: Outcome, input: ReportInput, about: { readonly service: string | null; readonly died: string | null }): Reason[] {
  const { assessment, verified, results } = input;
  const failed = results.filter((result) => !isHeld(result)).map(({ applied, confirmed }): Reason => ({
    code: applied.reason?.code ?? confirmed?.answer ?? applied.status,
    text: `${applied.targetId}: ${applied.reason?.text ?? confirmed?.detail ?? applied.summary}`,
  }));
  const reasons = [
    ...(about.died === null ? [] : [{ code: 'died', text: `The execution ended as ${about.died}; nothing after its last audit row is known.` }]),
    ...(input.error === null ? [] : [{ code: 'error', text: errorText(input.error) }]),
    ...(assessment?.reasons ?? []),
    ...failed,
    ...(outcome === 'recovered' ? [] : verified?.reasons ?? []),
    ...(outcome === 'failed' && assessment?.verdict === 'roll-back' && results.length === 0 && input.error === null
      ? [{ code: 'no-steps', text: 'The verdict was to roll back, but no step was tried.' }] : []),
  ];
  return reasons.slice(0, 60).map(({ code, text }) => ({ code: plain(code, 60), text: plain(text, 600) }));
}

/** `{Error, Cause}` of Step Functions in words; a Lambda's Cause is JSON around the message. */
export function errorText(error: JsonObject): string {
  const cause = typeof error['Cause'] === 'string' ? error['Cause'] : '';
  let message = cause;
  try {
    const parsed = JSON.parse(cause) as { errorMessage?: unknown } | null;
    if (typeof parsed?.errorMessage === 'string') message = parsed.errorMessage;
  } catch { /* The cause is plain text. */ }
  const name = typeof error['Error'] === 'string' ? error['Error'] : 'an error';
  return message === '' ? name : `${name}: ${plain(message, 600)}`;
}

/** From Assess; where Assess never answered, the name in the execution's input, if it can be one. */
export function serviceOf({ assessment, input }: ReportInput): string | null {
  if (assessment !== null) return assessment.service;
  const given: unknown = input !== null && typeof input === 'object' ? (input as Record<string, unknown>)['service'] : undefined;
  return typeof given === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(given) ? given : null;
}
