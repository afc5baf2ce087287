// Writes what people are told: what happened, to which service, why, what was and was not done, and what comes next.
import type { Message } from '../adapters/notices.ts';
import type { AuditCursor, Instant } from '../domain/vocabulary.ts';
import type { Assessment, ReportInput, StepPlan } from '../domain/workflow.ts';
import { answerCommands } from './messages-commands.ts';
import { nextSteps } from './messages-next.ts';
import { endedSubject } from './messages-subject.ts';
import { duration, executionPage, plain, resultLine, section, signalLine, stepLine, subjectOf, touchedText, utc } from './messages-text.ts';
import { openRung } from './plan-ways.ts';
import { type Ending, isHeld, versionsOf } from './report-outcome.ts';
import { leftAsItIs, manifestLines, notTaken, planLines, type StepsSeen } from './report-plan.ts';
import { suspectsText } from './suspects-text.ts';

/** What every message shows beside its own facts. */
export interface Surroundings {
  readonly machineArn: string;
  readonly owner: string;
  readonly runbook: string | null;
}

export interface Asked {
  readonly deadlineAt: Instant;
  readonly onDeadline: 'roll-back' | 'stop';
  /** Function URL that takes the answer. */
  readonly url: string;
}

/** Sent while the first change is made. @param seen what is on record of it by then. */
export function startedMessage(assessment: Assessment, around: Surroundings, seen: StepsSeen = new Map()): Message {
  const { bad, good } = versionsOf(assessment);
  // Somebody was asked and slept: what goes ahead without them is worth a second try to wake them.
  const isUnanswered = assessment.reasons.some(({ code }) => code === 'deadline-roll-back');
  return {
    audience: ['on-call', 'stakeholders'], urgency: isUnanswered ? 'page' : 'notice',
    subject: subjectOf(`${isUnanswered ? 'PAGE Ripcord: nobody answered, ' : 'Ripcord: '}rolling back ${assessment.service} from ${bad} to ${good}`),
    text: write(assessment, around, [
      section('What is being done', planLines(assessment, [], seen)),
      notUndone(assessment),
      section('What happens next', [
        'A second message says how it ended. Nothing is asked of you now; please change nothing on these targets meanwhile.',
      ]),
    ]),
    event: { detailType: 'Rollback Started', detail: about(assessment) },
  };
}

/** Sent when a later rung begins. */
export function escalatedMessage(assessment: Assessment, rung: number, around: Surroundings, seen: StepsSeen = new Map()): Message {
  const name = plain(assessment.rungs[rung]?.name ?? String(rung), 60);
  return {
    audience: ['on-call'], urgency: 'notice',
    subject: subjectOf(`Ripcord: ${assessment.service} not recovered yet, trying the next way back: ${name}`),
    text: write(assessment, around, [
      section('What happened since', [`The way back "${plain(assessment.rungs[rung - 1]?.name ?? '', 60)}" failed or did not help. The next one is being tried.`]),
      section('What is being done', planLines({ ...assessment, rungs: assessment.rungs.slice(rung) }, [], seen)),
      notUndone(assessment),
      section('What happens next', ['A message says how it ended. If this way fails too and there is no other, it pages you.']),
    ]),
    event: { detailType: 'Rollback Escalated', detail: { ...about(assessment), rung: name } },
  };
}

/** Sent when a person has to decide: what to answer by when comes first, then the plan and the commands; what is known comes last. */
export function approvalMessage(assessment: Assessment, plans: readonly StepPlan[], asked: Asked, around: Surroundings): Message {
  const { subject, question } = askedText(assessment, plans);
  const atDeadline = asked.onDeadline === 'roll-back' ? 'the rollback GOES AHEAD by itself, after the signals were read again' : 'NOTHING is changed and you are paged again';
  return {
    audience: ['on-call'], urgency: 'page', subject: subjectOf(`PAGE Ripcord: ${subject}`),
    text: [
      `Answer by ${utc(asked.deadlineAt)}${assessment.approval === null ? '' : ` (in ${duration(assessment.approval.timeoutSeconds)})`}: ${question} Without an answer, ${atDeadline}.`,
      '', plain(assessment.headline, 400), '',
      section('The plan', planLines(assessment, plans)), '',
      notUndone(assessment), '',
      section('How to answer', answerCommands({ rollbackId: assessment.rollbackId, url: asked.url, machineArn: around.machineArn })), '',
      section('What happens next', [
        'Nothing has been changed yet. After a yes, every signal is read again: if the service is well by then, nothing is changed.',
        assessment.requestedBy === null ? 'Any approver may answer.' : `${plain(assessment.requestedBy, 120)} asked for it and may not approve it.`,
      ]), '',
      ...known(assessment), section('Read on', links(assessment.rollbackId, around)),
    ].join('\n'),
    event: { detailType: 'Approval Needed', detail: { ...about(assessment), deadlineAt: asked.deadlineAt, onDeadline: asked.onDeadline } },
  };
}

/** A yes to what cannot be done is not asked for. */
function askedText(assessment: Assessment, plans: readonly StepPlan[]): { readonly subject: string; readonly question: string } {
  const { service, rungs } = assessment;
  const { bad, good } = versionsOf(assessment);
  const open = openRung(assessment, plans);
  if (open === 0) return { subject: `approve the rollback of ${service} from ${bad} to ${good}?`, question: `shall ${service} go back from ${bad} to ${good}?` };
  const next = open === null ? null : plain(rungs[open]?.name ?? '', 60);
  if (next === null) return { subject: `${service} needs you: it cannot go back from ${bad} as things are`, question: `${service} cannot go back from ${bad} as things are (see the plan). Mend what is named there and approve, or reject and act yourself.` };
  return { subject: `${service}: first way back from ${bad} is closed, approve the next?`, question: `the first way back of ${service} cannot be taken as things are (see the plan). Shall the next one, ${next}, be tried?` };
}

/** Sent when it is over. People hear of it when something was done, or when they have to do something. */
export function endedMessage(input: ReportInput, ending: Ending, seal: AuditCursor, around: Surroundings): Message {
  const { assessment, results } = input;
  const acted = results.length > 0 || ending.outcome === 'died';
  const tells = ending.page || ['rejected', 'shadow'].includes(ending.outcome) || (assessment?.mode === 'shadow' && assessment.page);
  const audience: Message['audience'] = acted ? ['on-call', 'stakeholders'] : tells ? ['on-call'] : [];
  const next = nextSteps(ending, input, around.machineArn);
  const isOnlyPlanned = assessment !== null && results.length === 0 && assessment.rungs.length > 0;
  const auditLine = `${seal.length} rows, last hash ${seal.hash}; check with: npx ripcord audit verify ${input.rollbackId} --anchor ${seal.length}:${seal.hash}`;
  return {
    audience, urgency: ending.page ? 'page' : 'notice',
    subject: endedSubject(input, ending),
    text: [
      plain(ending.headline, 400), '',
      // Whoever is woken reads on a phone: what to do comes before why.
      ...(ending.page ? [section('What to do now', next), ''] : []),
      section('Why', ending.reasons.map((reason) => `${plain(reason.text, 400)} [${plain(reason.code, 60)}]`)), '',
      ...(assessment === null ? [] : known(assessment)),
      section('What was done', results.map((result) => resultLine(result))), '',
      ...(isOnlyPlanned ? [section(ending.outcome === 'shadow' ? 'What would have been done' : 'The plan', planLines(assessment, input.plans)), ''] : []),
      section('What was NOT done', notDone(input)), '',
      ...(ending.page ? [] : [section('What happens next', next), '']),
      section('Read on', [...links(input.rollbackId, around), `Incident report: npx ripcord report ${input.rollbackId}`, `Audit: ${auditLine}`]),
    ].join('\n'),
    event: {
      detailType: 'Rollback Ended',
      detail: {
        rollbackId: input.rollbackId, service: assessment?.service ?? null, outcome: ending.outcome, headline: ending.headline, page: ending.page,
        release: assessment?.release?.id ?? null, version: assessment?.release?.version ?? null, goodVersion: assessment?.knownGood?.version ?? null,
        auditLength: seal.length, auditHash: seal.hash,
      },
    },
  };
}

const write = (assessment: Assessment, around: Surroundings, blocks: readonly string[]): string => [
  plain(assessment.headline, 400), '', ...blocks.flatMap((block) => [block, '']), ...known(assessment), section('Read on', links(assessment.rollbackId, around)),
].join('\n');

/** What was seen, who could have done it, and what is known of service and release. */
const known = (assessment: Assessment): string[] => [evidence(assessment), '', ...suspects(assessment), release(assessment), ''];

const evidence = (assessment: Assessment): string => section('Evidence', [
  ...assessment.signals.map((signal) => signalLine(signal)), ...assessment.reasons.map((reason) => plain(reason.text, 400)),
]);

const suspects = (assessment: Assessment): string[] => {
  const lines = suspectsText(assessment);
  return lines.length === 0 ? [] : [section('Who could have done it', lines), ''];
};

function release(assessment: Assessment): string {
  const { release: bad, knownGood, requestedBy, service, rungs, ways } = assessment;
  // A side that the catalogue declares good needs no version in the ledger.
  const declared = rungs[0]?.waves[0]?.[0]?.good?.version;
  // What was decided before any way back was weighed never looked for a good version: that none is known would be a claim.
  const wasSought = knownGood !== null || declared !== undefined || (ways ?? []).length > 0;
  return section('Service and release', [
    `Service: ${service}`,
    bad === null ? 'Release: none is known' : `Release: ${plain(bad.version, 80)} (${plain(bad.id, 120)}) by ${plain(bad.actor, 120)}, began ${utc(bad.startedAt)}, ${bad.status}; ${touchedText(bad)}`,
    ...(wasSought ? [`Known good: ${knownGood === null ? declared === undefined ? 'none is known' : `${plain(declared, 80)}, as the catalogue declares` : `${plain(knownGood.version, 80)} since ${utc(knownGood.since)} (${knownGood.basis})`}`] : []),
    ...manifestLines(assessment),
    ...(requestedBy === null ? [] : [`Asked for by: ${plain(requestedBy, 120)} (as typed, not verified)`]),
  ]);
}

const notUndone = (assessment: Assessment): string => {
  const stays = leftAsItIs(assessment);
  return section('What is NOT undone', stays.length === 0 ? ['Nothing but the targets above is changed; data written since stays as it is.'] : stays);
};

export function notDone({ assessment, results }: ReportInput): string[] {
  const tried = new Set(results.map(({ applied }) => applied.stepId));
  const steps = (assessment?.rungs ?? []).flatMap((rung) => rung.waves.flat().map((step) => ({ rung: rung.name, step })));
  return [
    ...results.filter((result) => !isHeld(result)).map(({ applied }) => `${plain(applied.targetId, 60)} (rung ${plain(applied.stepId.split('/')[0] ?? '', 40)}) is not proven to be back: ${applied.status}`),
    ...steps.filter(({ step }) => !tried.has(step.id)).map(({ rung, step }) => `Not tried: ${stepLine(step)}, rung ${plain(rung, 40)}`),
    ...(results.length === 0 && steps.length === 0 ? ['No rollback was tried.'] : []),
    ...(assessment === null ? [] : notTaken(assessment)),
    ...leftAsItIs(assessment),
  ];
}

const links = (rollbackId: string, around: Surroundings): string[] => [
  `Execution: ${executionPage(around.machineArn, rollbackId)}`,
  ...(around.runbook === null ? [] : [`Runbook of the service: ${plain(around.runbook, 300)}`]),
  ...(around.owner === '' ? [] : [`Owner: ${plain(around.owner, 200)}`]),
  `Rollback id: ${plain(rollbackId, 80)}`,
];

const about = (assessment: Assessment) => ({
  rollbackId: assessment.rollbackId, service: assessment.service, headline: plain(assessment.headline, 400), mode: assessment.mode,
  release: assessment.release?.id ?? null, version: assessment.release?.version ?? null, actor: assessment.release?.actor ?? null,
  goodVersion: assessment.knownGood?.version ?? null, requestedBy: assessment.requestedBy,
  targets: assessment.rungs.flatMap((rung) => rung.waves.flat().map((step) => step.targetId)),
});
