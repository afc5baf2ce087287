// Which services the storm brake counts: those that are sick once their signals were read again, not every one that an event came for.
import type { ServiceConfig } from '../config/schema.ts';
import type { Decision } from './decide.ts';
import { isTrouble } from './door.ts';
import type { Question } from './question.ts';
import type { ReasonCode } from './reasons.ts';
import { mutedUntil } from './signals.ts';
import type { Trigger } from './trigger.ts';
import type { Signal } from './vocabulary.ts';

/** What ends for one of these was expected, is over, proves nothing, or is about something else. */
export const noSigns: readonly ReasonCode[] = [
  'own-rollback', 'not-our-deployment', 'not-our-alarm', 'tool-not-allowed', 'muted', 'suppressed', 'not-evaluated', 'external-quiet', 'no-longer-firing',
];

/** True when something of the service fires, or cannot be read. A service in shadow is as sick as any other; what a person wants or answered is no sign. */
export function isCounted(question: Question, { reasons, signals }: Pick<Decision, 'reasons' | 'signals'>): boolean {
  if (!isTrouble(question.trigger) || question.approval !== null || reasons.some(({ code }) => noSigns.includes(code as ReasonCode))) return false;
  return signals.some((signal) => signal.status === 'firing' || (signal.status === 'unknown' && !isSilenced(question, signal)));
}

/** Somebody expects it to fire. */
const isSilenced = (question: Question, { kind, source }: Signal): boolean => kind === 'alarm'
  && (mutedUntil(question, source) !== undefined || question.alarms.some(({ name, suppressedBy }) => name === source && suppressedBy !== null));

/** The same where nothing could be read. Of a deployment nobody knows then whether it is a release. */
export function isCountedUnread(trigger: Trigger, { signals }: Pick<ServiceConfig, 'signals'>): boolean {
  if (!isTrouble(trigger)) return false;
  if (trigger.kind === 'alarm') return trigger.suppressedBy === null && trigger.evaluationState === null && signals.alarms.some(({ name }) => name === trigger.alarm);
  return trigger.kind === 'external' ? signals.external.includes(trigger.tool) : trigger.kind === 'watch';
}
