// What one way back of a plan comes to for whoever reads it: can it be taken now, what can go wrong, what users notice, how long it takes.
import type { StepRequest, WayBack } from '../domain/vocabulary.ts';
import type { Passed, WayChoice, WayEffect } from '../domain/way-choice.ts';
import { type Downtime, effectOf } from '../domain/way-effect.ts';
import type { Assessment, StepPlan } from '../domain/workflow.ts';
import { duration, plain, secondsBetween } from './messages-text.ts';

/** Older than this, a known good version is far away: what was fixed since is lost too. */
const oldSeconds = 7 * 24 * 3600;

export const wayOf = ({ ways = [], rungs }: Assessment, rung: number): WayChoice | undefined => ways.find((way) => way.rung === rungs[rung]?.name);
export const isFlagOnly = (assessment: Assessment, rung: number): boolean => wayOf(assessment, rung)?.ways.every((way) => way === 'flag-off') === true;

const stepsOf = ({ rungs }: Assessment, rung: number): readonly StepRequest[] => rungs[rung]?.waves.flat() ?? [];
const plansOf = (assessment: Assessment, rung: number, plans: readonly StepPlan[]): readonly StepPlan[] =>
  plans.filter(({ stepId }) => stepsOf(assessment, rung).some(({ id }) => id === stepId));

/** A strategy looked and says that a step of it cannot be done: the run would go on with the next. */
export const isClosed = (assessment: Assessment, rung: number, plans: readonly StepPlan[]): boolean => plansOf(assessment, rung, plans).some(({ outcome }) => outcome === 'impossible');

/** The first rung that is not closed; null when each of them is. */
export const openRung = (assessment: Assessment, plans: readonly StepPlan[]): number | null => {
  const open = assessment.rungs.findIndex((_rung, index) => !isClosed(assessment, index, plans));
  return open === -1 ? null : open;
};

const kinds: Readonly<Record<WayBack, string>> = { 'flag-off': 'flag off', 'traffic-shift': 'traffic shift', redeploy: 'roll back' };
/** `web (traffic shift)`. */
export const rungName = (assessment: Assessment, rung: number): string => {
  const { ways = [] } = wayOf(assessment, rung) ?? {};
  return `${plain(assessment.rungs[rung]?.name ?? '', 60)}${ways.length === 0 ? '' : ` (${ways.map((way) => kinds[way]).join(' and ')})`}`;
};

/** From what is live where the strategies looked; else as it was decided. Null where nobody said. */
export function effectIn(assessment: Assessment, rung: number, plans: readonly StepPlan[]): WayEffect | null {
  const live = plansOf(assessment, rung, plans).flatMap(({ targetId, effect }) => (effect === undefined ? [] : [[targetId, effect] as const]));
  const waves = (assessment.rungs[rung]?.waves ?? []).map((wave) => wave.map(({ targetId }) => targetId).filter((id) => live.some(([one]) => one === id)));
  return effectOf(waves, (id) => live.find(([one]) => one === id)?.[1]) ?? wayOf(assessment, rung)?.effect ?? null;
}

const notices: Readonly<Record<Downtime, string>> = {
  none: 'Users notice nothing', mixed: 'Users move little by little', 'less-capacity': 'Less capacity meanwhile', unknown: 'Whether users are interrupted is NOT known', interruption: 'Users ARE interrupted meanwhile',
};

/** What users notice, and a warning where that is not what the choice was made from. */
export function noticed(assessment: Assessment, rung: number, plans: readonly StepPlan[]): string {
  const effect = effectIn(assessment, rung, plans);
  if (effect === null) return '';
  const decided = wayOf(assessment, rung)?.effect?.downtime ?? effect.downtime;
  const other = decided === effect.downtime ? '' : ` As read now; when it was chosen, the last that was seen of it said: ${notices[decided].toLowerCase()}.`;
  return ` ${notices[effect.downtime]} (${plain(effect.text, 300)}).${other}`;
}

/** Null where nobody knows. What the strategies found counts before what was decided. */
export function rungSeconds(assessment: Assessment, rung: number, plans: readonly StepPlan[]): number | null {
  const own = plansOf(assessment, rung, plans);
  if (own.length === 0) return wayOf(assessment, rung)?.expectedSeconds ?? null;
  const planned = (wave: readonly StepRequest[]): number => Math.max(0, ...own.filter(({ stepId }) => wave.some(({ id }) => id === stepId)).map(({ expectedSeconds }) => expectedSeconds));
  return (assessment.rungs[rung]?.waves ?? []).reduce((sum, wave) => sum + planned(wave), 0);
}

export function timeOf(assessment: Assessment, rung: number, plans: readonly StepPlan[]): string {
  const seconds = rungSeconds(assessment, rung, plans);
  const guess = effectIn(assessment, rung, plans)?.basis === 'typical' ? ' (typically; nobody measured it here)' : '';
  return seconds === null || isClosed(assessment, rung, plans) ? '' : ` About ${duration(seconds)} until users are safe${guess}.`;
}

/** `Risk: medium (…)`. */
export function riskLine(assessment: Assessment, rung: number, plans: readonly StepPlan[]): string {
  const risks = risksOf(assessment, rung).map((risk) => plain(risk, 300));
  const way = wayOf(assessment, rung);
  const isHigh = way?.answer === 'ask' || way?.risk?.level === 'high' || effectIn(assessment, rung, plans)?.downtime === 'interruption';
  return `Risk: ${isHigh ? 'high' : risks.length > 0 ? 'medium' : 'low'}${risks.length === 0 ? '' : ` (${risks.join('; ')})`}.`;
}

/** Absent in an assessment of before releases were counted: then the suspected one alone. */
export const passedBy = ({ passed, release }: Assessment): readonly Passed[] => passed ?? (release === null ? [] : [release]);

/** What can go wrong with going back, beside that it does not help: what an older version meets, and what the way itself does. */
export function risksOf(assessment: Assessment, rung: number): string[] {
  const { release } = assessment;
  const { ways = [], risk } = wayOf(assessment, rung) ?? {};
  const own = (risk?.reasons ?? []).map(({ text }) => text);
  const isOld = ways.length === 0 || ways.some((way) => way !== 'flag-off');
  const mayMove = release?.status === 'in-progress' && ways.includes('traffic-shift') && !own.some((one) => one.includes('still runs'));
  return [...(isOld ? olderRisks(assessment, rung) : []), ...own, ...(mayMove ? ['a deployment still runs and may move the traffic again'] : [])];
}

function olderRisks(assessment: Assessment, rung: number): string[] {
  const { release, knownGood, firstSignalAt } = assessment;
  const others = alsoTakenBack(assessment);
  const touched = new Set(passedBy(assessment).flatMap((one) => one.touched));
  const unsaid = passedBy(assessment).filter((one) => one.touched.length === 0).map(({ version }) => plain(version, 80));
  const age = knownGood === null || release === null ? 0 : secondsBetween(knownGood.since, firstSignalAt ?? release.startedAt);
  return [
    ...(others.length === 0 ? [] : [`${others.join(' and ')} ${others.length === 1 ? 'goes' : 'go'} too`]),
    ...goodRisks(assessment, rung),
    ...(age > oldSeconds ? [`the good version is ${Math.round(age / 86_400)} days old`] : []),
    ...(unsaid.length > 0 ? [`nobody said what ${unsaid.slice(0, 5).join(' and ')} touched; taken as code, so anything else of ${unsaid.length === 1 ? 'it' : 'them'} stays`] : []),
    ...(touched.has('configuration') ? ['the older version may meet newer configuration'] : []),
    ...(touched.has('infrastructure') ? ['the older version may meet changed infrastructure'] : []),
    ...(touched.has('database') ? ['the older version runs on the newer database'] : []),
  ];
}

function goodRisks(assessment: Assessment, rung: number): string[] {
  const { knownGood } = assessment;
  if (knownGood === null) return stepsOf(assessment, rung).length > 0 && stepsOf(assessment, rung).every(({ good }) => good !== null) ? [] : ['no version is known good'];
  if (knownGood.basis === 'observed') return ['the good version was seen live and well, but its own release was not watched'];
  return knownGood.basis === 'history' ? ['the good version is only known from CodeDeploy\'s own records'] : [];
}

/** Versions beside the suspected one that users lose: those that are still in what is live. */
const alsoTakenBack = ({ passed = [], release }: Assessment): string[] =>
  passed.filter(({ id, status }) => id !== release?.id && status !== 'failed' && status !== 'stopped').map(({ version }) => plain(version, 80));
