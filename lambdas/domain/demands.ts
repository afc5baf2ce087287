// Why a person has to decide, for how long the question stands, and what an answer or its absence means.
import { at } from './instants.ts';
import type { Question } from './question.ts';
import { because } from './reasons.ts';
import type { Reason, RollbackMode } from './vocabulary.ts';
import type { ApprovalDemand } from './workflow.ts';

export interface Demand extends ApprovalDemand {
  readonly reason: Reason;
}

/**
 * Why a person has to decide, and what happens when nobody does.
 * @param doubts what speaks against every way back that is left; silence is never a yes to those.
 */
export function demandsOf(question: Question, doubts: readonly Reason[]): Demand[] {
  const { policy, rollbacks, rollbackId, now, trigger, service } = question;
  const ask = { timeoutSeconds: policy.askTimeoutMinutes * 60, onDeadline: 'stop' as const };
  const demands: Demand[] = doubts.map((reason) => ({ ...ask, reason }));
  const recent = rollbacks.filter((one) => one.isAutomatic && one.rollbackId !== rollbackId && at(one.startedAt) > at(now) - 24 * 3_600_000).length;
  if (trigger.kind !== 'person' && recent >= policy.dailyBudget)
    demands.push({ ...ask, reason: because('budget-spent', `${service} was rolled back by itself ${recent} times in 24 hours, and ${policy.dailyBudget} are allowed.`) });
  const { approval } = policy;
  if ('required' in approval && (approval.required === 'always' || trigger.kind === 'person'))
    demands.push({ timeoutSeconds: approval.timeoutMinutes * 60, onDeadline: approval.onDeadline, reason: because('policy-approval', `The policy of ${service} wants a person to approve ${approval.required === 'always' ? 'each rollback' : 'each rollback that a person asks for'}.`) });
  return demands;
}

/** Several demands are one question: the shorter time, and stop unless every one of them would go on. */
export const demandOf = (demands: readonly Demand[]): ApprovalDemand => ({
  timeoutSeconds: Math.min(...demands.map(({ timeoutSeconds }) => timeoutSeconds)),
  onDeadline: demands.every(({ onDeadline }) => onDeadline === 'roll-back') ? 'roll-back' : 'stop',
});

/** What the run may do: a person's dry run stays one, and in shadow nothing is changed, whoever asks. */
export function modeOf({ trigger, policy }: Pick<Question, 'trigger' | 'policy'>): RollbackMode {
  if (trigger.kind === 'person' && trigger.mode === 'dry-run') return 'dry-run';
  return policy.mode === 'shadow' ? 'shadow' : 'roll-back';
}

/** Go on, ask, or stop because nobody answered. Nobody is asked for what is not done. */
export function answerTo(question: Question, demands: readonly Demand[]): 'go' | 'ask' | 'stop' {
  if (demands.length === 0 || modeOf(question) !== 'roll-back' || question.approval?.answer === 'approved') return 'go';
  if (question.approval?.answer === 'deadline') return demandOf(demands).onDeadline === 'roll-back' ? 'go' : 'stop';
  return 'ask';
}

/** Who or what allowed it in the end. */
export function consent(question: Question, demands: readonly Demand[]): Reason[] {
  const { approval } = question;
  const mode = modeOf(question);
  if (mode !== 'roll-back' && demands.length > 0) return [because('would-ask', `This is ${mode === 'shadow' ? 'shadow' : 'a dry run'}; in earnest a person would be asked first.`)];
  if (approval?.answer === 'approved') return [because('approved', `${approval.by ?? 'A person'} said yes${approval.comment === '' ? '' : `: ${approval.comment}`}.`)];
  return approval?.answer === 'deadline' && demands.length > 0 ? [because('deadline-roll-back', 'Nobody answered before the deadline, and the rule for that case is to roll back.')] : [];
}
