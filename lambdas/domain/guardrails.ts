// The reasons to leave things alone, in the order in which they are asked: the first that applies ends the decision.
import { at } from './instants.ts';
import { modeOf } from './demands.ts';
import type { RollbackRecord } from './ledger.ts';
import type { Question, ReleaseFacts } from './question.ts';
import { type ReasonCode, because } from './reasons.ts';
import type { Count } from './signals.ts';
import { stormText, unrelatedText } from './storm-text.ts';
import { strangersOf, unrelatedLimit } from './strangers.ts';
import { isAskedFor } from './suspicion.ts';
import type { Reason, Signal } from './vocabulary.ts';

export interface Facts {
  readonly question: Question;
  readonly signals: readonly Signal[];
  readonly count: Count;
  readonly suspect: ReleaseFacts | null;
  /** Why no release is suspected; null when one is, or none is needed. */
  readonly refusal: Reason | null;
}

export interface Leave {
  readonly verdict: 'leave' | 'joined';
  readonly page: boolean;
  readonly reason: Reason;
}

type Guardrail = (facts: Facts) => Leave | null;

const leave = (code: ReasonCode, text: string, page = false): Leave => ({ verdict: 'leave', page, reason: because(code, text) });

/** A person asked for this, or said yes to it: what only keeps Ripcord from acting by itself does not apply. */
const isPersonsWill = ({ trigger, approval }: Question): boolean => trigger.kind === 'person' || approval?.answer === 'approved';

const joined: Guardrail = ({ question: { lockedBy, service } }) => (lockedBy === null ? null : {
  verdict: 'joined', page: false, reason: because('joined', `Rollback ${lockedBy} is at work on ${service}; this signal was given to it.`),
});

const ownOrForeignDeployment: Guardrail = ({ question: { trigger, deployments, releases, service } }) => {
  if (trigger.kind !== 'deployment') return null;
  const found = deployments.find(({ id }) => id === trigger.deploymentId);
  if (found === undefined && releases.some(({ id }) => id === trigger.deploymentId)) return null;
  if (found === undefined) return leave('not-our-deployment', `CodeDeploy has no deployment ${trigger.deploymentId} of a target of ${service}.`);
  if (found.nature === 'release') return null;
  return leave('own-rollback', `Deployment ${found.id} is ${found.nature === 'rollback' ? 'itself a rollback' : 'CodeDeploy keeping instances up to date'}, not a release.`);
};

const foreignSource: Guardrail = ({ question: { trigger, alarms, externalTools, service } }) => {
  if (trigger.kind === 'alarm' && !alarms.some(({ name }) => name === trigger.alarm)) return leave('not-our-alarm', `Alarm ${trigger.alarm} is not one of the alarms of ${service}.`);
  if (trigger.kind === 'external' && !externalTools.includes(trigger.tool)) return leave('tool-not-allowed', `${service} takes no signals from "${trigger.tool}".`);
  return null;
};

const muted: Guardrail = ({ question: { trigger } }) => {
  if (trigger.kind !== 'alarm') return null;
  if (trigger.mutedUntil !== null) return leave('muted', `Alarm ${trigger.alarm} is muted until ${trigger.mutedUntil}: somebody expects it.`);
  if (trigger.suppressedBy !== null) return leave('suppressed', `Alarm ${trigger.alarm} is suppressed by ${trigger.suppressedBy}.`);
  if (trigger.evaluationState !== null) return leave('not-evaluated', `CloudWatch could not evaluate alarm ${trigger.alarm} (${trigger.evaluationState}), so its state proves nothing. Look yourself.`, true);
  return null;
};

const quietMessage: Guardrail = ({ question: { trigger } }) =>
  (trigger.kind === 'external' && trigger.status === 'quiet' ? leave('external-quiet', `${trigger.tool} says that ${trigger.id} is quiet again.`) : null);

const rejected: Guardrail = ({ question: { approval } }) => (approval?.answer !== 'rejected' ? null
  : leave('rejected', `${approval.by ?? 'A person'} said no${approval.comment === '' ? '' : `: ${approval.comment}`}.`));

/** Forged, stale, or over: the source itself says that nothing is wrong (any more). What cannot be read is not over. */
const noLongerFiring: Guardrail = ({ question, signals }) => {
  const isOver = signals.every(({ status }) => status !== 'firing') && triggerIsQuiet(question, signals);
  return isOver ? leave('no-longer-firing', 'Read again at its source, nothing is firing: the signal is over, late or false.') : null;
};

function triggerIsQuiet({ trigger }: Question, signals: readonly Signal[]): boolean {
  const statusOf = (name: string) => signals.find(({ source }) => source === name)?.status;
  if (trigger.kind === 'alarm') return statusOf(trigger.alarm) === 'quiet';
  if (trigger.kind === 'deployment') return statusOf(trigger.deploymentId) === 'quiet';
  if (trigger.kind === 'watch') return [...trigger.alarms, ...trigger.journeys].every((name) => statusOf(name) === 'quiet') && (trigger.metrics !== true || metricsAreQuiet(signals));
  return trigger.kind === 'external' && statusOf(`${trigger.tool}/${trigger.id}`) !== 'firing';
}

const metricsAreQuiet = (signals: readonly Signal[]): boolean => signals.some(({ kind, status }) => kind === 'metrics' && status === 'quiet');

/** Where nothing fires, too little was read to say of what it is: that is for the hold. */
const coolDown: Guardrail = ({ question, signals, suspect }) => {
  const { coolDownUntil, now } = question;
  const firing = signals.filter(({ status }) => status === 'firing');
  if (firing.length === 0 || isPersonsWill(question)) return null;
  const { end, isFurther } = handled(question, suspect);
  // A release of a version that was rolled back is no fault that lasts, however soon it follows: EventBridge tells its time to the second only.
  const isOld = firing.every(({ kind, since }) => kind !== 'quarantine' && since !== null && at(since) <= end);
  const isOver = coolDownUntil === null || at(coolDownUntil) <= at(now);
  if (isOld && (isFurther || !isOver))
    return leave('already-handled', `All that fires began before the last rollback ended: ${isOver ? 'decide yourself what comes next' : 'that one told people'}.`, isOver);
  if (isOver) return null;
  const again = signals.find(({ kind }) => kind === 'quarantine');
  return leave('cool-down', `A rollback just ended and ${again === undefined ? 'something fires' : again.summary}. Nothing happens by itself until ${coolDownUntil}: decide yourself.`, true);
};

/** When the last rollback ended; 0, as it handled nothing, where its end is unknown or what it was about began before the present suspect. `isFurther`: the suspect is older than that. */
function handled({ releases, rollbacks, rollbackId }: Question, suspect: ReleaseFacts | null): { readonly end: number; readonly isFurther: boolean } {
  const end = ({ endedAt }: RollbackRecord): number => (endedAt === null ? 0 : at(endedAt));
  const [last] = rollbacks.filter((record) => record.rollbackId !== rollbackId).toSorted((a, b) => end(b) - end(a));
  const about = releases.find(({ id }) => id === last?.release?.id) ?? last;
  const later = suspect === null || about === undefined ? 0 : at(about.startedAt) - at(suspect.startedAt);
  return { end: last === undefined || later < 0 ? 0 : end(last), isFurther: later > 0 };
}

const storm: Guardrail = (facts) => {
  const { question } = facts;
  const { services, limit, minutes, isAnnounced } = question.storm;
  if (isPersonsWill(question)) return null;
  if (services.length > limit) return leave('storm', stormText(question.storm), !isAnnounced);
  const unrelated = [question.service, ...strangersOf(question)];
  if (unrelated.length <= unrelatedLimit(question) || isAskedFor(facts)) return null;
  return leave('storm', unrelatedText({ services: unrelated, limit: unrelatedLimit(question), minutes }), !isAnnounced);
};

/** What no release explains is not rolled back. Without a firing signal it is too early to say so. */
const unexplained: Guardrail = ({ refusal, count }) => {
  if (refusal === null || (refusal.code === 'no-release' && count.groups.length === 0)) return null;
  return { verdict: 'leave', page: refusal.code !== 'already-undone', reason: refusal };
};

/** Nothing changes in shadow, so the same release would be reported again with each alarm. */
const alreadyShadowed: Guardrail = ({ question, suspect }) => {
  if (modeOf(question) !== 'shadow' || question.trigger.kind === 'person' || suspect === null) return null;
  const before = (question.shadowed ?? []).find(({ rollbackId, release }) => rollbackId !== question.rollbackId && release?.id === suspect.id);
  return before === undefined ? null : leave('already-shadowed', `Run ${before.rollbackId} recorded in shadow what would have been done about release ${suspect.version}.`);
};

export const guardrails: readonly Guardrail[] = [
  joined, ownOrForeignDeployment, foreignSource, muted, quietMessage, rejected, noLongerFiring, coolDown, storm, unexplained, alreadyShadowed,
];

/** The first guardrail that applies, or null when the way is free. */
export function firstGuardrail(facts: Facts): Leave | null {
  for (const guardrail of guardrails) {
    const found = guardrail(facts);
    if (found !== null) return found;
  }
  return null;
}
