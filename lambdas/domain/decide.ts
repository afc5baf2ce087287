// The verdict on one signal: roll back, hold, ask, leave, or joined, with every reason. Pure: the same question has the same answer.
import { correlate } from './correlate.ts';
import { answerTo, consent, demandOf, demandsOf, modeOf } from './demands.ts';
import { decideAtDoor, type DoorQuestion, isAtDoor } from './door.ts';
import { doubtsOf, secondsLeft } from './doubts.ts';
import { unrelatedDemand } from './unrelated.ts';
import { type Case, alsoUndone, grounds, notTaken, wayBack } from './grounds.ts';
import { firstGuardrail } from './guardrails.ts';
import { at, instantOf } from './instants.ts';
import { chooseGood } from './known-good.ts';
import { findInMetrics, metricSignals } from './metric-findings.ts';
import type { KnownGoodFacts, Question, RungFacts } from './question.ts';
import { because } from './reasons.ts';
import { countSignals, faultsOf, readSignals } from './signals.ts';
import type { Instant, Reason, Signal, VerdictName } from './vocabulary.ts';
import { type Doubt, elsewhereDoubts } from './suspicion.ts';
import { rankSuspects } from './suspects.ts';
import { assumed, weighWays } from './way-back.ts';
import type { Passed, WayChoice } from './way-choice.ts';
import type { ApprovalDemand, Suspect } from './workflow.ts';

/** Seconds until a held run looks again. */
const lookAgainSeconds = 15;
/** The same while a rollback of another service is waited for: it takes minutes, and each look fills the history of the execution. */
const lookAgainLaterSeconds = 30;

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
  /** Who could have done it, likeliest first; empty where nothing was read. */
  readonly suspects: readonly Suspect[];
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
  const about: Case = { question, suspect, signals, count: countSignals(signals), metrics, suspects: rankSuspects({ question, suspect, signals, metrics }) };
  const stop = firstGuardrail({ ...about, refusal });
  // What no release of this service explains, another service may: worth waiting for while somebody is at work there.
  const others = stop?.reason.code === 'no-release' ? elsewhereDoubts(about) : [];
  if (stop !== null && others.length > 0) return holdOrPage(about, [{ reason: stop.reason, seconds: 0 }, ...others]);
  if (stop !== null) return decision(about, { verdict: stop.verdict, page: stop.page, headline: stop.reason.text, reasons: [stop.reason] });
  const doubts = doubtsOf(about);
  return doubts.length > 0 ? holdOrPage(about, doubts) : act(about);
}

/** Nothing was read, so nothing is claimed of signals, release or version. */
function atDoor(question: DoorQuestion): Decision {
  const { trigger } = question;
  return {
    holdSeconds: 0, wantsEvidence: false, approval: null, releaseId: null, good: null, signals: [], suspects: [], rungs: [], ways: [], passed: [],
    firstSignalAt: 'at' in trigger ? trigger.at : null, ...decideAtDoor(question),
  };
}

function holdOrPage(about: Case, doubts: readonly Doubt[]): Decision {
  const { question } = about;
  const left = secondsLeft(question, Math.max(...doubts.map(({ seconds }) => seconds)));
  const reasons = doubts.map(({ reason }) => reason);
  const why = reasons.map(({ text }) => text).join(' ');
  if (left <= 0) {
    // Everybody who depends on what is sick comes to the same end: one of them tells it.
    const isTold = question.storm.isAnnounced && reasons.some(({ code }) => code === 'shared-dependency');
    return decision(about, { verdict: 'leave', page: !isTold, headline: `Not rolled back: ${question.service} needs a person. ${why}`, reasons });
  }
  const isLongWait = secondsLeft(question, question.holdSeconds) <= 0;
  return decision(about, {
    verdict: 'hold', headline: `Looking again for ${left} s before anything is done. ${why}`, reasons,
    holdSeconds: Math.min(isLongWait ? lookAgainLaterSeconds : lookAgainSeconds, left), wantsEvidence: question.hasJourneys,
  });
}

function act(about: Case): Decision {
  const { question, suspect } = about;
  const good = chooseGood(question, suspect);
  const { ways, rungs, doubts, order, passed } = weighWays(question, suspect, good);
  const found = { releaseId: suspect?.id ?? null, good, rungs, ways, passed };
  const demands = [...demandsOf(question, doubts), ...unrelatedDemand(about)];
  const reasons = [...grounds(about, good, rungs), ...assumed(suspect), ...alsoUndone(about, passed, good), ...notTaken(ways), ...order, ...(rungs.length === 0 ? [] : demands.map(({ reason }) => reason))];
  if (rungs.length === 0) return noSafeWay(about, { ...found, reasons });
  const answer = answerTo(question, demands);
  if (answer === 'ask') return decision(about, { ...found, verdict: 'ask', headline: `${wayBack(about, rungs, good)} Waiting for a person: ${demands.map(({ reason }) => reason.text).join(' ')}`, reasons, approval: demandOf(demands) });
  if (answer === 'stop') return decision(about, {
    verdict: 'leave', page: true, headline: `Not rolled back: nobody answered in time. ${demands.map(({ reason }) => reason.text).join(' ')}`,
    reasons: [because('deadline-passed', 'Nobody answered before the deadline, and the rule for that case is to stop.'), ...reasons],
  });
  const late = unsettled(question);
  if (late !== null) return decision(about, { ...found, rungs: [], ...late });
  return decision(about, { ...found, verdict: 'roll-back', headline: wayBack(about, rungs, good), reasons: [...reasons, ...consent(question, demands)] });
}

/** A call that knows of no lock may still write: whoever acts before its end could be undone by it. */
function unsettled(question: Question): Pick<Decision, 'verdict' | 'headline' | 'reasons' | 'holdSeconds'> | null {
  const { unsettledUntil, now } = question;
  const seconds = unsettledUntil === undefined || modeOf(question) !== 'roll-back' ? 0 : Math.ceil((at(unsettledUntil) - at(now)) / 1000);
  if (seconds <= 0) return null;
  const reason = because('unsettled', `The rollback before was ended from outside while it changed a target, and that call may go on until ${unsettledUntil}.`);
  return { verdict: 'hold', headline: reason.text, reasons: [reason], holdSeconds: seconds };
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
    releaseId: about.suspect?.id ?? null, signals: about.signals, suspects: about.suspects, firstSignalAt: firstSignal(about), ...said,
  };
}

function firstSignal({ signals, question: { trigger } }: Case): Instant | null {
  const fresh = signals.flatMap(({ status, since, isOlderThanRelease, kind }) => (status === 'firing' && !isOlderThanRelease && since !== null && kind !== 'person' ? [at(since)] : []));
  if (fresh.length > 0) return instantOf(Math.min(...fresh));
  return 'at' in trigger ? trigger.at : null;
}
