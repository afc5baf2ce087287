// The plan of a rollback as a runbook: numbered steps with risk, time and proof, what comes when one fails, what is not taken and what stays.
import type { Reason, Rung, StepRequest } from '../domain/vocabulary.ts';
import type { Passed } from '../domain/way-choice.ts';
import type { Assessment, StepPlan } from '../domain/workflow.ts';
import { counted, duration, plain, utc } from './messages-text.ts';
import { isClosed, isFlagOnly, noticed, openRung, passedBy, riskLine, rungName, rungSeconds, timeOf } from './plan-ways.ts';
import { versionsOf } from './report-outcome.ts';

/** The whole runbook, one line each; empty where no way back was weighed. */
export function runbook(assessment: Assessment, plans: readonly StepPlan[]): string[] {
  if (assessment.rungs.length > 0) return [...planLines(assessment, plans), ...leftAsItIs(assessment).map((line) => `Stays: ${line}`)];
  // Whoever asks what would be done gets an answer also where a guardrail stands before every way.
  if (notTaken(assessment).length === 0) return assessment.mode === 'dry-run' ? [`Choice: ask a person. ${plain(assessment.headline, 400)}`] : [];
  return ['Choice: fix forward. No way back is taken.', ...notTaken(assessment), ...remaining(assessment)];
}

/** From and to of steps that are on record already, in words, by the step's id. */
export type StepsSeen = ReadonlyMap<string, string>;

/** The steps without what stays. @param plans what the strategies found when they looked; empty before they did. */
export const planLines = (assessment: Assessment, plans: readonly StepPlan[], seen: StepsSeen = new Map()): string[] => [
  ...(plans.length === 0 ? [] : [answerLine(assessment, plans)]),
  summaryLine(assessment, plans), ...orderLines(assessment), ...steps(assessment, plans, seen), ...notTaken(assessment),
  ...(openRung(assessment, plans) === null ? remaining(assessment) : []),
];

/** What the tree picks, given what is possible now: a way by itself, a way with a person's yes, or none. */
function answerLine(assessment: Assessment, plans: readonly StepPlan[]): string {
  const open = openRung(assessment, plans);
  if (open === null) return 'Choice: fix forward, or ask a person to mend what is named below. No way back can be taken as things are.';
  const isAsked = assessment.approval !== null || assessment.reasons.some(({ code }) => code === 'would-ask');
  const closed = open === 0 ? '' : ` ${assessment.rungs.slice(0, open).map((_rung, index) => rungName(assessment, index)).join(' and ')} cannot be taken as things are.`;
  return `Choice: ${isAsked ? 'ask a person, then ' : ''}${rungName(assessment, open)}${isAsked ? '' : ', by itself'}.${closed}`;
}

const orderCodes: readonly Reason['code'][] = ['safer-first', 'better-order'];
const orderLines = ({ reasons }: Assessment): string[] => reasons.filter(({ code }) => orderCodes.includes(code)).map(({ text }) => `Order: ${plain(text, 400)}`);

/** `Back to 1.0.0 … Risk … About …`: what has to be read when only one line is. */
export function summaryLine(assessment: Assessment, plans: readonly StepPlan[]): string {
  const rung = openRung(assessment, plans) ?? 0;
  return `${target(assessment, rung)}. ${riskLine(assessment, rung, plans)}${timeOf(assessment, rung, plans)}${noticed(assessment, rung, plans)} ${proofTime(assessment)}.`;
}

function target(assessment: Assessment, rung: number): string {
  const { knownGood, release } = assessment;
  const { bad, good } = versionsOf(assessment);
  if (isFlagOnly(assessment, rung)) return `${bad} stays live, and what its flags switched on goes off`;
  const since = knownGood === null ? '' : `, known good since ${utc(knownGood.since)}`;
  return `${release === null ? 'Back' : `From ${bad} back`} to ${good}${since}`;
}

function proofTime({ verification: { passesInARow, intervalSeconds, deadlineSeconds } }: Assessment): string {
  return `Its proof takes ${duration(Math.max(intervalSeconds, (passesInARow - 1) * intervalSeconds))} at least and ${duration(deadlineSeconds)} at most`;
}

function steps(assessment: Assessment, plans: readonly StepPlan[], seen: StepsSeen): string[] {
  let number = 0;
  const { rungs, verification } = assessment;
  const first = rungs.map((rung) => { const at = number + 1; number += rung.waves.flat().length + 1; return at; });
  const proof = `live state as planned, ${counted(verification.passesInARow, 'round')} of all journeys in a row, every alarm OK`;
  return rungs.flatMap((rung, index) => {
    const begin = first[index] ?? 1;
    const next = first[index + 1];
    const last = begin + rung.waves.flat().length;
    const otherwise = next === undefined ? 'if not, you are paged: no other way is left' : `if not, step ${next}`;
    const seconds = rungSeconds(assessment, index, plans);
    return [
      ...(index === 0 ? [] : [wayLine(assessment, index, plans)]),
      ...stepLines(rung, { begin, seen, plans, only: index === 0 ? '' : 'If a step before this one fails: ', time: seconds === null || rung.waves.flat().length > 1 ? '' : `, about ${duration(seconds)}` }),
      `${last}. Prove it: ${index === 0 ? proof : `as in step ${(first[1] ?? 2) - 1}`}; ${otherwise}.`,
    ];
  });
}

/** What has to be known of a later way before it is needed. */
function wayLine(assessment: Assessment, rung: number, plans: readonly StepPlan[]): string {
  const stays = isFlagOnly(assessment, rung) ? ` ${versionsOf(assessment).bad} stays live.` : '';
  const closed = isClosed(assessment, rung, plans) ? ' CANNOT be taken as things are.' : '';
  const risk = riskLine(assessment, rung, plans);
  const isSame = risk.includes('(') && risk === riskLine(assessment, openRung(assessment, plans) ?? 0, plans);
  return `Way ${rung + 1}, ${rungName(assessment, rung)}:${closed} ${isSame ? `${risk.replace(/ \(.*$/s, '')} as above.` : risk}${timeOf(assessment, rung, plans)}${noticed(assessment, rung, plans)}${stays}`;
}

interface Numbering {
  readonly begin: number;
  readonly plans: readonly StepPlan[];
  readonly seen: StepsSeen;
  readonly only: string;
  readonly time: string;
}

function stepLines({ waves }: Rung, { begin, plans, seen, only, time }: Numbering): string[] {
  let number = begin - 1;
  return waves.flatMap((wave) => {
    const together = wave.length > 1 ? ` (steps ${number + 1} to ${number + wave.length} at once)` : '';
    return wave.map((step) => {
      number += 1;
      const plan = plans.find(({ stepId }) => stepId === step.id);
      const known = seen.get(step.id);
      if (known !== undefined) return `${number}. ${only}${nameOf(step)}: ${plain(known, 300)}${together}`;
      return `${number}. ${only}${stepText(step, plan)}${plan === undefined ? time : plan.outcome === 'change' ? `, about ${duration(plan.expectedSeconds)}` : ''}${together}`;
    });
  });
}

const nameOf = (step: StepRequest): string => `${plain(step.targetId, 60)} (${plain(step.strategy, 40)})`;

/** From and to as the strategy's own plan says it; else where the step leads. */
function stepText(step: StepRequest, plan: StepPlan | undefined): string {
  const name = nameOf(step);
  if (plan === undefined) return `${name}: from what is live to ${step.good === null ? 'what the strategy finds' : plain(step.good.version, 80)}`;
  if (plan.outcome === 'impossible') return `${name}: CANNOT be done as things are: ${plain(plan.reason?.text ?? plan.summary, 300)}`;
  return `${name}: ${plan.outcome === 'already' ? 'nothing to do, ' : ''}${plain(plan.summary, 300)}`;
}

/** Each way that is refused or left out, and why. */
export const notTaken = ({ ways = [] }: Assessment): string[] => ways.flatMap(({ rung, answer, reasons }) => (answer === 'refused' || answer === 'left-out'
  ? [`Not taken: ${plain(rung, 60)}, ${answer === 'refused' ? 'refused' : 'left out'}: ${reasons.map(({ text }) => plain(text, 300)).join(' ')}`] : []));

/** Where no way back is safe: what a person can do. */
export function remaining(assessment: Assessment): string[] {
  const { ways = [], release } = assessment;
  const backup = release?.manifest?.backup ?? null;
  return [
    'What remains: ship a fix as a new version that works with the data as it is (fix forward).',
    ...(ways.some((way) => way.ways.includes('flag-off')) ? [] : ['What remains: turn off what is broken, if it has a switch. Ripcord knows of none; a flag that is declared as a target is tried next time.']),
    ...(backup === null ? [] : [`What remains: the backup ${plain(backup.reference, 200)} of ${utc(backup.at)}. Restoring it loses what was written since; Ripcord never does it.`]),
  ];
}

const listed = (passed: readonly Passed[], part: 'database' | 'infrastructure' | 'configuration'): string =>
  passed.filter(({ touched }) => touched.includes(part)).map(({ version }) => plain(version, 80)).slice(0, 5).join(' and ');

/** What releases changed that no way back takes back: somebody has to decide what becomes of it. */
export function changesLeft(assessment: Assessment | null): string[] {
  const passed = assessment === null ? [] : passedBy(assessment);
  const [database, infrastructure, configuration] = [listed(passed, 'database'), listed(passed, 'infrastructure'), listed(passed, 'configuration')];
  return [
    ...(database === '' ? [] : [`Database changes of ${database} are NOT undone; data written since stays as it is.`]),
    ...(infrastructure === '' ? [] : [`Infrastructure changes of ${infrastructure} are NOT undone, except for the targets named here.`]),
    ...(configuration === '' ? [] : [`Configuration changes of ${configuration} are NOT undone, except for the targets named here.`]),
  ];
}

/** Everything that stays as it is, whatever is rolled back. */
export function leftAsItIs(assessment: Assessment | null): string[] {
  const release = assessment?.release ?? null;
  const backup = release?.manifest?.backup ?? null;
  return [
    ...changesLeft(assessment),
    ...(release === null ? [] : [`Data that ${plain(release.version, 80)} wrote, messages, e-mails and payments it sent, and releases of other services since stay as they are.`]),
    ...(backup === null ? [] : [`The backup ${plain(backup.reference, 200)} of ${utc(backup.at)} is there; Ripcord never restores it.`]),
  ];
}

/** What only the pipeline knows of the release. */
export function manifestLines({ release }: Assessment): string[] {
  const manifest = release?.manifest;
  if (manifest === undefined) return [];
  return [
    ...(manifest.approvals.length === 0 ? [] : [`Release approved by: ${manifest.approvals.slice(0, 5).map(({ by, at }) => `${plain(by, 120)} (${utc(at)})`).join(', ')} (as the pipeline says)`]),
    ...(manifest.url === null ? [] : [`Change: ${plain(manifest.url, 300)}`]),
    ...(manifest.databaseFloor === null ? [] : [`Oldest version that works with its data: ${plain(manifest.databaseFloor, 80)}`]),
  ];
}
