// When the metrics say that a release is not to blame, although other signals accuse it: look again, then ask a person.
import type { Demand } from './demands.ts';
import type { Case } from './grounds.ts';
import { because } from './reasons.ts';
import type { Reason } from './vocabulary.ts';

/** The harm is elsewhere too, or was there before. What a person wants, and what CodeDeploy itself found, does not rest on it. */
export function elsewhere({ question: { trigger }, signals, metrics }: Case): Reason[] {
  const isAskedFor = trigger.kind === 'person' || signals.some(({ kind, status }) => kind === 'deployment' && status === 'firing');
  return isAskedFor || metrics?.verdict !== 'unrelated' ? [] : [because('metrics-unrelated', `The metrics speak against a rollback. ${metrics.text}`)];
}

/**
 * Two accounts contradict each other: signals enough to act upon, and metrics that saw the same harm before the release or elsewhere. Acting
 * would undo good releases in every outage of something shared; leaving would keep bad ones. A person sees both in seconds; silence means no.
 */
export const unrelatedDemand = (about: Case): Demand[] =>
  elsewhere(about).map((reason) => ({ timeoutSeconds: about.question.policy.askTimeoutMinutes * 60, onDeadline: 'stop', reason }));
