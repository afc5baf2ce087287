// The verdict on one signal: roll back, hold, ask, leave, or joined, with every reason. Pure: the same question has the same answer.
import { correlate } from './correlate.ts';
import { firstGuardrail } from './guardrails.ts';
import { at, instantOf } from './instants.ts';
import { chooseGood } from './known-good.ts';
import type { KnownGoodFacts, Question, ReleaseFacts, RungFacts } from './question.ts';
import { because } from './reasons.ts';
import { goodOf } from './rungs.ts';
import { type Count, countSignals, faultsOf, readSignals } from './signals.ts';
import type { Instant, Reason, Signal, VerdictName } from './vocabulary.ts';
import type { ApprovalDemand } from './workflow.ts';

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
  readonly firstSignalAt: Instant | null;
}

/** What the chosen release and its signals come to, shared by every verdict. */
interface Case {
  readonly question: Question;
  readonly suspect: ReleaseFacts | null;
  readonly signals: readonly Signal[];
  readonly count: Count;
}

export function decide(question: Question): Decision {
  const { suspect, refusal } = correlate(question, faultsOf(question));
  const signals = readSignals(question, suspect);
  const about: Case = { question, suspect, signals, count: countSignals(signals) };
  const stop = firstGuardrail({ ...about, refusal });
  if (stop !== null) return decision(about, { verdict: stop.verdict, page: stop.page, headline: stop.reason.text, reasons: [stop.reason] });
  const doubts = doubtsOf(about);
  return doubts.length > 0 ? holdOrPage(about, doubts) : act(about);
}

/** What is still missing for acting without a person's word. Anything here holds the run; nothing here is read as healthy. */
function doubtsOf({ question, signals, count, suspect }: Case): Reason[] {
  if (question.trigger.kind === 'person' || question.approval?.answer === 'approved') return [];
  const { minimumSignals } = question;
  const list = count.groups.join(', ');
  const doubts: Reason[] = [];
  if (count.groups.length === 0) doubts.push(because('signal-unreadable', `Nothing is seen to fire, but not everything can be read: ${signals.filter(({ status }) => status === 'unknown').map(({ summary }) => summary).join('; ') || 'the journeys did not run yet'}.`));
  else if (count.groups.length < minimumSignals) doubts.push(because('too-few-signals', `Only ${count.groups.length} of ${minimumSignals} independent signals fires: ${list}.`));
  if (count.groups.length > 0 && !count.hasAccuser) doubts.push(because('only-older-signals', `All that fires (${list}) fired before release ${suspect?.version ?? ''} began, or nobody knows that it did not.`));
  return [...doubts, ...trafficDoubts(question, signals)];
}

function trafficDoubts({ traffic }: Question, signals: readonly Signal[]): Reason[] {
  // A failed deployment is CodeDeploy's own finding; it does not rest on how many users came.
  if (signals.some(({ kind, status }) => kind === 'deployment' && status === 'firing')) return [];
  if (traffic.status === 'unknown') return [because('traffic-unknown', 'How many requests users make cannot be read, so nobody knows what the signals are worth.')];
  if (traffic.status === 'too-little') return [because('too-little-traffic', `Only ${traffic.requests ?? 0} requests in ${traffic.minutes ?? 0} minutes; below ${traffic.minimum ?? 0} a few errors prove nothing.`)];
  return [];
}

function holdOrPage(about: Case, doubts: readonly Reason[]): Decision {
  const { now, startedAt, holdSeconds, service, hasJourneys } = about.question;
  const left = Math.ceil((at(startedAt) + holdSeconds * 1000 - at(now)) / 1000);
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
  const provable = question.rungs.filter(({ waves }) => waves.flat().every((id) => goodHere(question, id, good) !== null));
  const rungs = provable.length > 0 ? provable : question.rungs;
  const demands = demandsOf(question, provable.length > 0, good);
  const reasons = [...grounds(about, good, rungs), ...leftOut(question.rungs, rungs), ...demands.map(({ reason }) => reason)];
  const found = { releaseId: suspect?.id ?? null, good, rungs };
  const answer = answerTo(question, demands);
  if (answer === 'ask') return decision(about, { ...found, verdict: 'ask', headline: `${wayBack(about, rungs, good)} Waiting for a person: ${demands.map(({ reason }) => reason.text).join(' ')}`, reasons, approval: demandOf(demands) });
  if (answer === 'stop') return decision(about, {
    verdict: 'leave', page: true, headline: `Not rolled back: nobody answered in time. ${demands.map(({ reason }) => reason.text).join(' ')}`,
    reasons: [because('deadline-passed', 'Nobody answered before the deadline, and the rule for that case is to stop.'), ...reasons],
  });
  return decision(about, { ...found, verdict: 'roll-back', headline: wayBack(about, rungs, good), reasons: [...reasons, ...consent(question, demands)] });
}

interface Demand extends ApprovalDemand {
  readonly reason: Reason;
}

/** Why a person has to decide, and what happens when nobody does. */
function demandsOf(question: Question, isProven: boolean, good: KnownGoodFacts | null): Demand[] {
  const { policy, rollbacks, rollbackId, now, trigger, service } = question;
  const ask = { timeoutSeconds: policy.askTimeoutMinutes * 60, onDeadline: 'stop' as const };
  const demands: Demand[] = [];
  if (!isProven) demands.push({ ...ask, reason: because('no-known-good', good === null ? `No version of ${service} is proven good.` : `No way back is proven whole: ${good.version} is known good, but not for every target.`) });
  const recent = rollbacks.filter((one) => one.isAutomatic && one.rollbackId !== rollbackId && at(one.startedAt) > at(now) - 24 * 3_600_000).length;
  if (trigger.kind !== 'person' && recent >= policy.dailyBudget)
    demands.push({ ...ask, reason: because('budget-spent', `${service} was rolled back by itself ${recent} times in 24 hours, and ${policy.dailyBudget} are allowed.`) });
  const { approval } = policy;
  if ('required' in approval && (approval.required === 'always' || trigger.kind === 'person'))
    demands.push({ timeoutSeconds: approval.timeoutMinutes * 60, onDeadline: approval.onDeadline, reason: because('policy-approval', `The policy of ${service} wants a person to approve ${approval.required === 'always' ? 'each rollback' : 'each rollback that a person asks for'}.`) });
  return demands;
}

/** Several demands are one question: the shorter time, and stop unless every one of them would go on. */
const demandOf = (demands: readonly Demand[]): ApprovalDemand => ({
  timeoutSeconds: Math.min(...demands.map(({ timeoutSeconds }) => timeoutSeconds)),
  onDeadline: demands.every(({ onDeadline }) => onDeadline === 'roll-back') ? 'roll-back' : 'stop',
});

const isDryRun = ({ trigger }: Question): boolean => trigger.kind === 'person' && trigger.mode === 'dry-run';

function answerTo(question: Question, demands: readonly Demand[]): 'go' | 'ask' | 'stop' {
  if (demands.length === 0 || isDryRun(question) || question.approval?.answer === 'approved') return 'go';
  if (question.approval?.answer === 'deadline') return demandOf(demands).onDeadline === 'roll-back' ? 'go' : 'stop';
  return 'ask';
}

function consent(question: Question, demands: readonly Demand[]): Reason[] {
  const { approval } = question;
  if (isDryRun(question) && demands.length > 0) return [because('would-ask', 'This is a dry run; in earnest a person would be asked first.')];
  if (approval?.answer === 'approved') return [because('approved', `${approval.by ?? 'A person'} said yes${approval.comment === '' ? '' : `: ${approval.comment}`}.`)];
  return approval?.answer === 'deadline' && demands.length > 0 ? [because('deadline-roll-back', 'Nobody answered before the deadline, and the rule for that case is to roll back.')] : [];
}

/** What speaks for the rollback, for the record and for the first message. */
function grounds({ question, suspect, count, signals }: Case, good: KnownGoodFacts | null, rungs: readonly RungFacts[]): Reason[] {
  const { trigger, traffic, minimumSignals, targets } = question;
  const sides = [...new Set(rungs.flatMap(({ waves }) => waves.flat()).flatMap((id) => targets[id]?.goodSide ?? []))];
  const firing = signals.filter(({ status, kind }) => status === 'firing' && kind !== 'person').map(({ summary }) => summary).join('; ');
  return [
    ...(trigger.kind === 'person' ? [because('asked-by-person', `${trigger.requestedBy} asked for it: ${trigger.reason}`)] : []),
    suspect === null ? because('no-release-needed', 'No release is suspected; a person asked to go back.') : because('release-suspected', `Release ${suspect.version} by ${suspect.actor} began at ${suspect.startedAt}.`),
    ...(firing === '' ? [] : [because(minimumSignals === 1 && count.groups.length === 1 ? 'one-signal-enough' : 'signals-agree', `${count.groups.length} independent: ${firing}.`)]),
    ...(traffic.status === 'enough' ? [because('traffic-enough', `${traffic.requests ?? 0} requests in ${traffic.minutes ?? 0} minutes.`)] : []),
    ...(traffic.status === 'not-measured' ? [because('traffic-not-measured', 'The service is declared to have no measure of its traffic.')] : []),
    ...(good === null ? [] : [because('known-good', `${good.version} is known good (${good.basis}) since ${good.since}.`)]),
    ...sides.map((side) => because('good-side', `Side ${side} is declared as the good one.`)),
  ];
}

const leftOut = (all: readonly RungFacts[], kept: readonly RungFacts[]): Reason[] =>
  all.filter((rung) => !kept.includes(rung)).map(({ name }) => because('rung-left-out', `Rung ${name} is left out: no good state is known for each of its targets.`));

function goodHere({ targets }: Question, id: string, good: KnownGoodFacts | null): { readonly version: string } | null {
  const target = targets[id];
  return target === undefined ? null : goodOf(id, target, good);
}

function wayBack({ question, suspect }: Case, rungs: readonly RungFacts[], good: KnownGoodFacts | null): string {
  const versions = [...new Set((rungs[0]?.waves.flat() ?? []).map((id) => goodHere(question, id, good)?.version ?? 'what the strategy finds'))].join(' and ');
  const from = suspect === null ? '' : ` from release ${suspect.version}`;
  const { trigger } = question;
  return `${isDryRun(question) ? 'Dry run: ' : ''}${question.service} goes back${from} to ${versions}${trigger.kind === 'person' ? `, as ${trigger.requestedBy} asked` : ''}.`;
}

function decision(about: Case, said: Partial<Decision> & Pick<Decision, 'verdict' | 'headline' | 'reasons'>): Decision {
  return {
    page: false, holdSeconds: 0, wantsEvidence: false, approval: null, good: null, rungs: [],
    releaseId: about.suspect?.id ?? null, signals: about.signals, firstSignalAt: firstSignal(about), ...said,
  };
}

function firstSignal({ signals, question: { trigger } }: Case): Instant | null {
  const fresh = signals.flatMap(({ status, since, isOlderThanRelease, kind }) => (status === 'firing' && !isOlderThanRelease && since !== null && kind !== 'person' ? [at(since)] : []));
  if (fresh.length > 0) return instantOf(Math.min(...fresh));
  return 'at' in trigger ? trigger.at : null;
}
