// What is still missing for acting without a person's word. Anything here holds the run; nothing here is read as healthy.
import type { Case } from './grounds.ts';
import { at } from './instants.ts';
import type { Question } from './question.ts';
import { because } from './reasons.ts';
import { type Doubt, suspicionDoubts } from './suspicion.ts';
import { elsewhere } from './unrelated.ts';
import type { Reason, Signal } from './vocabulary.ts';

export function doubtsOf(about: Case): Doubt[] {
  const { question, signals } = about;
  if (question.trigger.kind === 'person' || question.approval?.answer === 'approved') return [];
  // What was wrong with a quarantined version was proven when it was rolled back.
  if (signals.some(({ kind }) => kind === 'quarantine')) return [];
  const inDoubt = [...signalDoubts(about), ...trafficDoubts(question, signals), ...(secondsLeft(question, question.holdSeconds) > 0 ? elsewhere(about) : [])];
  return [...inDoubt.map((reason) => ({ reason, seconds: question.holdSeconds })), ...suspicionDoubts(about)];
}

function signalDoubts({ question: { minimumSignals }, signals, count, suspect }: Case): Reason[] {
  const list = count.groups.join(', ');
  const doubts: Reason[] = [];
  if (count.groups.length === 0) doubts.push(because('signal-unreadable', `Nothing is seen to fire, but not everything can be read: ${signals.filter(({ status }) => status === 'unknown').map(({ summary }) => summary).join('; ') || 'the journeys did not run yet'}.`));
  else if (count.groups.length < minimumSignals) doubts.push(because('too-few-signals', `Only ${count.groups.length} of ${minimumSignals} independent signals fires: ${list}.`));
  if (count.groups.length > 0 && !count.hasAccuser) doubts.push(because('only-older-signals', `All that fires (${list}) fired before release ${suspect?.version ?? ''} began, or nobody knows that it did not.`));
  return doubts;
}

function trafficDoubts({ traffic }: Question, signals: readonly Signal[]): Reason[] {
  // A failed deployment is CodeDeploy's own finding; it does not rest on how many users came.
  if (signals.some(({ kind, status }) => kind === 'deployment' && status === 'firing')) return [];
  if (traffic.status === 'unknown') return [because('traffic-unknown', 'How many requests users make cannot be read, so nobody knows what the signals are worth.')];
  if (traffic.status === 'too-little') return [because('too-little-traffic', `Only ${traffic.requests ?? 0} requests in ${traffic.minutes ?? 0} minutes; below ${traffic.minimum ?? 0} a few errors prove nothing.`)];
  return [];
}

/** Of so many seconds since the run began; not above 0 when they are over. */
export const secondsLeft = ({ startedAt, now }: Question, seconds: number): number => Math.ceil((at(startedAt) + seconds * 1000 - at(now)) / 1000);
