// What a way back itself does to users: when a person has to say yes to that, how risky it is, and which of two ways is the better one.
import type { Question, RungFacts } from './question.ts';
import { because } from './reasons.ts';
import type { Reason, WayBack } from './vocabulary.ts';
import type { WayRisk } from './way-choice.ts';
import type { Downtime, WayEffect } from './way-effect.ts';

/** Why a person has to say yes first: users stand still, or nobody could see it through. */
export function harmDoubts({ policy, patience }: Question, effect: WayEffect | null): Reason[] {
  if (effect === null) return [];
  const { downtime, text, seconds, basis } = effect;
  const stands = downtime === 'interruption' ? 'are interrupted' : downtime === 'unknown' ? 'may be interrupted' : null;
  const limit = patience === undefined ? Number.POSITIVE_INFINITY : policy.slowWayBack === undefined ? Math.min(patience.proofSeconds, patience.stepSeconds) : patience.stepSeconds;
  return [
    ...(stands !== null && policy.interruption === 'ask' ? [because('interrupts-users', `Users ${stands} on this way back (${text}), and the policy wants a person's yes to that.`)] : []),
    // A typical time is a guess, and speaks against nothing.
    ...(basis === 'known' && seconds > limit ? [because('takes-too-long', `It takes ${minutes(seconds)} min until the last user is safe (${text}), longer than the ${minutes(limit)} min ${limit === patience?.stepSeconds ? 'that Ripcord waits for one step' : 'in which a recovery has to be proven'}.`)] : []),
  ];
}

const minutes = (seconds: number): number => Math.ceil(seconds / 60);

/** Among ways that nothing speaks against, lower goes first. */
const harms: Readonly<Record<Downtime, number>> = { none: 0, mixed: 0, 'less-capacity': 1, unknown: 2, interruption: 3 };
/** As bad as not to know what happens: the shift may be undone at any moment. */
const movedAgain = 2;

export interface Harm {
  readonly weight: number;
  readonly risk: WayRisk;
}

/** @param effect null where nobody asked: then nothing is said of the way. */
export function harmOf(question: Question, way: { readonly rung: RungFacts; readonly ways: readonly WayBack[]; readonly effect: WayEffect | null; readonly doubts: readonly Reason[] }): Harm | null {
  const { effect, doubts } = way;
  if (effect === null) return null;
  const weight = harms[effect.downtime];
  const runs = runningBeside(question, way);
  const reasons = [
    ...(weight === 0 ? [] : [{ text: effect.downtime === 'interruption' ? `users are interrupted: ${effect.text}` : effect.text }]),
    ...(runs === null ? [] : [{ text: runs }]),
  ];
  const isHigh = doubts.length > 0 || effect.downtime === 'interruption' || runs !== null;
  return { weight: runs === null ? weight : Math.max(weight, movedAgain), risk: { level: isHigh ? 'high' : weight > 0 ? 'medium' : 'low', reasons } };
}

/** A deployment that AWS runs shifts on with its next step, whatever was set in between. */
function runningBeside({ deployments }: Question, { rung, ways }: { readonly rung: RungFacts; readonly ways: readonly WayBack[] }): string | null {
  const ids = rung.waves.flat();
  const running = ways.includes('traffic-shift') ? deployments.find(({ status, nature, targetId }) => status === 'in-progress' && nature === 'release' && !ids.includes(targetId)) : undefined;
  return running === undefined ? null : `deployment ${running.id} of ${running.targetId} still runs and may move the traffic again`;
}

interface Ranked {
  readonly rung: RungFacts;
  readonly harm: Harm | null;
}

/**
 * Of several ways worth trying, those that harm users less come first; else they stay as they were given. Where the service named its rungs itself,
 * its order stays, and the better one is told.
 */
export function inOrder<Way extends Ranked>(question: Question, kept: readonly Way[]): { readonly kept: readonly Way[]; readonly reasons: readonly Reason[] } {
  const weight = ({ harm }: Way): number => harm?.weight ?? 0;
  const better = kept.toSorted((one, other) => weight(one) - weight(other));
  const at = better.findIndex((one, index) => one !== kept[index]);
  const [worse, first] = [kept[at], better[at]];
  if (worse === undefined || first === undefined) return { kept, reasons: [] };
  const why = worse.harm?.risk.reasons.map(({ text }) => text).join('; ') ?? '';
  if (question.hasOwnRungs === false) return { kept: better, reasons: [because('safer-first', `${first.rung.name} goes before ${worse.rung.name}, where ${why}.`)] };
  return { kept, reasons: [because('better-order', `The rungs go in the order that the service names. A better one would be ${better.map(({ rung }) => rung.name).join(', ')}: ${worse.rung.name} stands before ${first.rung.name}, though ${why}.`)] };
}
