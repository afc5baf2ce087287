// Whether a decision weighed what fires, so that nobody has to weigh the same again. Pure.
import { modeOf } from './demands.ts';
import type { Question } from './question.ts';
import type { ReasonCode } from './reasons.ts';
import type { Reason } from './vocabulary.ts';

/** Verdicts about the message alone: what else fires was not looked at. What was read as over may fire again, or have been read too early, also beside what the last rollback handled. */
const beforeWeighing: readonly ReasonCode[] = ['no-longer-firing', 'joined', 'own-rollback', 'not-our-deployment', 'not-our-alarm', 'tool-not-allowed', 'muted', 'suppressed', 'external-quiet', 'already-handled'];

/** False for a dry run too: it changes nothing, so whatever fires still needs a run. */
export const isWeighed = (question: Pick<Question, 'trigger' | 'policy'>, reasons: readonly Reason[]): boolean =>
  modeOf(question) !== 'dry-run' && !reasons.some(({ code }) => (beforeWeighing as readonly string[]).includes(code));
