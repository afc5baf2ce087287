// The verdict on one signal: roll back, hold, ask, leave, or joined, with every reason. Pure: the same question has the same answer.
import { correlate } from './correlate.ts';
import { answerTo, consent, demandOf, demandsOf } from './demands.ts';
import { decideAtDoor, type DoorQuestion, isAtDoor } from './door.ts';
import { elsewhere, unrelatedDemand } from './unrelated.ts';
import { type Case, alsoUndone, grounds, notTaken, wayBack } from './grounds.ts';
import { firstGuardrail } from './guardrails.ts';
import { at, instantOf } from './instants.ts';
import { chooseGood } from './known-good.ts';
import { findInMetrics, metricSignals } from './metric-findings.ts';
import type { KnownGoodFacts, Question, RungFacts } from './question.ts';
import { because } from './reasons.ts';
import { countSignals, faultsOf, readSignals } from './signals.ts';
import type { Instant, Reason, Signal, VerdictName } from './vocabulary.ts';
import { weighWays } from './way-back.ts';
import type { ApprovalDemand, Passed, WayChoice } from './workflow.ts';

/** Seconds until a held run looks again. */
const lookAgainSeconds = 15;

export interface Decision {
  readonly verdict: VerdictName;
  /** One sentence, first thing a woken person reads. */
  readonly headline: string;
  readonly reasons: readonly Reason[];
  readonly page: boolean;
  readonly holdSeconds: number;
  readonly wantsEvidence: boolean;
  readonly approval: ApprovalDemand | null;
  readonly releaseId: string | null;
  readonly good: KnownGoodFacts | null;
  readonly signals: readonly Signal[];
  /** Rungs worth trying, in order; empty unless the verdict is `roll-back` or `ask`. */
  readonly rungs: readonly RungFacts[];
  /** Every way back with what was decided about it; empty where none was weighed. */
  readonly ways: readonly WayChoice[];
  /** Releases since the known good one: what going back takes back, and what of them stays. */
  readonly passed: readonly Passed[];
  readonly firstSignalAt: Instant | null;
}

export function decide(question: Question | DoorQuestion): Decision {
  if (isAtDoor(question)) return atDoor(question);
  const { suspect, refusal } = correlate(question, faultsOf(question));
  const metrics = findInMetrics(question.metrics, suspect, question.now);
  const signals = [...readSignals(question, suspect), ...metricSignals(metrics)];
  const about: Case = { question, suspect, signals, count: countSignals(signals), metrics };
  const stop = firstGuardrail({ ...about, refusal });
  if (stop !== null) return decision(about, { verdict: stop.verdict, page: stop.page, headline: stop.reason.text, reasons: [stop.reason] });
  const doubts = doubtsOf(about);
  return doubts.length > 0 ? holdOrPage(about, doubts) : act(about);
}

/** Nothing was read, so nothing is claimed of signals, release or version. */
function atDoor(question: DoorQuestion): Decision {
  const { trigger } = question;
  return {
    holdSeconds: 0, wantsEvidence: false, approval: null, releaseId: null, good: null, signals: [], rungs: [], ways: [], passed: [],
    firstSignalAt: 'at' in trigger ? trigger.at : null, ...decideAtDoor(question),
  };
}

/** What is still missing for acting without a person's word. Anything here holds the run; nothing here is read as healthy. */
function doubtsOf(about: Case): Reason[] {
  const { question, signals, count, suspect } = about;
  if (question.trigger.kind === 'person' || question.approval?.answer === 'approved') return [];
  // What was wrong with a quarantined version was proven when it was rolled back.
  if (signals.some(({ kind }) => kind === 'quarantine')) return [];
  const { minimumSignals } = question;
  const list = count.groups.join(', ');
  const doubts: Reason[] = [];
  if (count.groups.length === 0) doubts.push(because('signal-unreadable', `Nothing is seen to fire, but not everything can be read: ${signals.filter(({ status }) => status === 'unknown').map(({ summary }) => summary).join('; ') || 'the journeys did not run yet'}.`));
  else if (count.groups.length < minimumSignals) doubts.push(because('too-few-signals', `Only ${count.groups.length} of ${minimumSignals} independent signals fires: ${list}.`));
  if (count.groups.length > 0 && !count.hasAccuser) doubts.push(because('only-older-signals', `All that fires (${list}) fired before release ${suspect?.version ?? ''} began, or nobody knows that it did not.`));
  return [...doubts, ...trafficDoubts(question, signals), ...(secondsLeft(question) > 0 ? elsewhere(about) : [])];
}

function trafficDoubts({ traffic }: Question, signals: readonly Signal[]): Reason[] {
  // A failed deployment is CodeDeploy's own finding; it does not rest on how many users came.
  if (signals.some(({ kind, status }) => kind === 'deployment' && status === 'firing')) return [];
  if (traffic.status === 'unknown') return [because('traffic-unknown', 'How many requests users make cannot be read, so nobody knows what the signals are worth.')];
  if (traffic.status === 'too-little') return [because('too-little-traffic', `Only ${traffic.requests ?? 0} requests in ${traffic.minutes ?? 0} minutes; below ${traffic.minimum ?? 0} a few errors prove nothing.`)];
  return [];
}

const secondsLeft = ({ startedAt, holdSeconds, now }: Question): number => Math.ceil((at(startedAt) + holdSeconds * 1000 - at(now)) / 1000);

function holdOrPage(about: Case, doubts: readonly Reason[]): Decision {
  const { service, hasJourneys } = about.question;
  const left = secondsLeft(about.question);
  const why = doubts.map(({ text }) => text).join(' ');
  if (left <= 0)
    return decision(about, { verdict: 'leave', page: true, headline: `Not rolled back: ${service} needs a person. ${why}`, reasons: doubts });
  return decision(about, {
    verdict: 'hold', headline: `Looking again for ${left} s before anything is done. ${why}`, reasons: doubts,
    holdSeconds: Math.min(lookAgainSeconds, left), wantsEvidence: hasJourneys,
  });
}

function act(about: Case): Decision {
  const { question, suspect } = about;
  const good = chooseGood(question, suspect);
  const { ways, rungs, doubts, passed } = weighWays(question, suspect, good);
  const found = { releaseId: suspect?.id ?? null, good, rungs, ways, passed };
  const demands = [...demandsOf(question, doubts), ...unrelatedDemand(about)];
  const reasons = [...grounds(about, good, rungs), ...alsoUndone(passed, suspect, good), ...notTaken(ways), ...(rungs.length === 0 ? [] : demands.map(({ reason }) => reason))];
  if (rungs.length === 0) return noSafeWay(about, { ...found, reasons });
  const answer = answerTo(question, demands);
  if (answer === 'ask') return decision(about, { ...found, verdict: 'ask', headline: `${wayBack(about, rungs, good)} Waiting for a person: ${demands.map(({ reason }) => reason.text).join(' ')}`, reasons, approval: demandOf(demands) });
  if (answer === 'stop') return decision(about, {
    verdict: 'leave', page: true, headline: `Not rolled back: nobody answered in time. ${demands.map(({ reason }) => reason.text).join(' ')}`,
    reasons: [because('deadline-passed', 'Nobody answered before the deadline, and the rule for that case is to stop.'), ...reasons],
  });
  return decision(about, { ...found, verdict: 'roll-back', headline: wayBack(about, rungs, good), reasons: [...reasons, ...consent(question, demands)] });
}

/** Each way back would do harm: refused before anything is touched, whoever asks. What is left is a person's work. */
function noSafeWay(about: Case, found: Pick<Decision, 'good' | 'ways' | 'passed' | 'reasons'>): Decision {
  const why = [...new Set(found.ways.flatMap(({ reasons }) => reasons.map(({ text }) => text)))].join(' ');
  const rest = 'no way back is safe. Ship a fix as a new version, or turn off what is broken.';
  return decision(about, {
    ...found, verdict: 'leave', page: true, headline: `Not rolled back: ${about.question.service} needs a person. ${why}`,
    reasons: [because('no-safe-way', `Of ${about.question.service}, ${rest}`), ...found.reasons],
  });
}

function decision(about: Case, said: Partial<Decision> & Pick<Decision, 'verdict' | 'headline' | 'reasons'>): Decision {
  return {
    page: false, holdSeconds: 0, wantsEvidence: false, approval: null, good: null, rungs: [], ways: [], passed: [],
    releaseId: about.suspect?.id ?? null, signals: about.signals, firstSignalAt: firstSignal(about), ...said,
  };
}

function firstSignal({ signals, question: { trigger } }: Case): Instant | null {
  const fresh = signals.flatMap(({ status, since, isOlderThanRelease, kind }) => (status === 'firing' && !isOlderThanRelease && since !== null && kind !== 'person' ? [at(since)] : []));
  if (fresh.length > 0) return instantOf(Math.min(...fresh));
  return 'at' in trigger ? trigger.at : null;
}
