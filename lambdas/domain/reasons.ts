// The fixed codes of every reason a verdict can have. The text beside a code is for people and may change; the code may not.
import type { Reason } from './vocabulary.ts';

export const reasonCodes = [
  // what speaks for a rollback
  'release-suspected', 'signals-agree', 'one-signal-enough', 'traffic-enough', 'traffic-not-measured', 'known-good', 'good-side', 'asked-by-person', 'approved',
  'deadline-roll-back', 'rung-left-out', 'below-floor', 'also-undone', 'no-release-needed', 'would-ask', 'touched-unknown', 'safer-first', 'better-order',
  // why a person is asked
  'no-known-good', 'budget-spent', 'policy-approval', 'metrics-unrelated', 'floor-unknown', 'may-not-help', 'infrastructure-stays', 'interrupts-users', 'takes-too-long',
  // why it is held
  'too-few-signals', 'too-little-traffic', 'traffic-unknown', 'signal-unreadable', 'only-older-signals', 'suspect-uncertain', 'dependency-suspected', 'shared-dependency', 'dependents-first', 'others-sick', 'unsettled',
  // why it is left
  'joined', 'own-rollback', 'already-undone', 'not-our-deployment', 'not-our-alarm', 'tool-not-allowed', 'muted', 'suppressed', 'not-evaluated', 'no-longer-firing', 'external-quiet', 'rejected', 'deadline-passed',
  'already-handled', 'already-shadowed', 'cool-down', 'storm', 'no-release', 'newer-release', 'no-safe-way',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export const because = (code: ReasonCode, text: string): Reason => ({ code, text });
