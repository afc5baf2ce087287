// Writes what people are told: what happened, to which service, why, what was and was not done, and what comes next.
import type { Message } from '../adapters/notices.ts';
import type { AuditCursor, Instant } from '../domain/vocabulary.ts';
import type { Assessment, Outcome, ReportInput, StepPlan } from '../domain/workflow.ts';
import { answerCommands } from './messages-commands.ts';
import { duration, executionPage, plain, resultLine, section, signalLine, stepLine, subjectOf, utc } from './messages-text.ts';
import { type Ending, hasChanged, isHeld, versionsOf } from './report-outcome.ts';

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

/** Sent while the first change is made. */
export function startedMessage(assessment: Assessment, around: Surroundings): Message {
  const { bad, good } = versionsOf(assessment);
  // Somebody was asked and slept: what goes ahead without them is worth a second try to wake them.
  const isUnanswered = assessment.reasons.some(({ code }) => code === 'deadline-roll-back');
  return {
    audience: ['on-call', 'stakeholders'], urgency: isUnanswered ? 'page' : 'notice',
    subject: subjectOf(`${isUnanswered ? 'PAGE Ripcord: nobody answered, ' : 'Ripcord: '}rolling back ${assessment.service} from ${bad} to ${good}`),
    text: write(assessment, around, [
      section('What is being done', [...firstRung(assessment, 0), ...laterRungs(assessment, 0)]),
      notUndone(assessment),
      section('What happens next', [
        `The recovery has to be proven: ${assessment.verification.passesInARow} rounds of all journeys in a row, every alarm OK, live state as planned, within ${duration(assessment.verification.deadlineSeconds)}.`,
        'A second message says how it ended. Nothing is asked of you now; please change nothing on these targets meanwhile.',
      ]),
    ]),
    event: { detailType: 'Rollback Started', detail: about(assessment) },
  };
}

/** Sent when a later rung begins. */
export function escalatedMessage(assessment: Assessment, rung: number, around: Surroundings): Message {
  const name = plain(assessment.rungs[rung]?.name ?? String(rung), 60);
  return {
    audience: ['on-call'], urgency: 'notice',
    subject: subjectOf(`Ripcord: ${assessment.service} not recovered yet, trying the next way back: ${name}`),
    text: write(assessment, around, [
      section('What happened since', [`The way back "${plain(assessment.rungs[rung - 1]?.name ?? '', 60)}" failed or did not help. The next one is being tried.`]),
      section('What is being done', [...firstRung(assessment, rung), ...laterRungs(assessment, rung)]),
      notUndone(assessment),
      section('What happens next', ['A message says how it ended. If this way fails too and there is no other, it pages you.']),
    ]),
    event: { detailType: 'Rollback Escalated', detail: { ...about(assessment), rung: name } },
  };
}

/** Sent when a person has to decide. */
export function approvalMessage(assessment: Assessment, plans: readonly StepPlan[], asked: Asked, around: Surroundings): Message {
  const { bad, good } = versionsOf(assessment);
  const atDeadline = asked.onDeadline === 'roll-back' ? 'the rollback GOES AHEAD by itself, after the signals were read again' : 'NOTHING is changed and you are paged again';
  return {
    audience: ['on-call'], urgency: 'page',
    subject: subjectOf(`PAGE Ripcord: approve the rollback of ${assessment.service} from ${bad} to ${good}?`),
    text: write(assessment, around, [
      section('The plan', plans.length === 0 ? firstRung(assessment, 0) : plans.map((plan) => planLine(plan))),
      notUndone(assessment),
      section('What happens next', [
        'Nothing has been changed yet.',
        `Answer by ${utc(asked.deadlineAt)}. Without an answer, ${atDeadline}.`,
        assessment.requestedBy === null ? 'Any approver may answer.' : `${plain(assessment.requestedBy, 120)} asked for it and may not approve it.`,
      ]),
      section('How to answer', answerCommands({ rollbackId: assessment.rollbackId, url: asked.url, machineArn: around.machineArn })),
    ]),
    event: { detailType: 'Approval Needed', detail: { ...about(assessment), deadlineAt: asked.deadlineAt, onDeadline: asked.onDeadline } },
  };
}

/** Sent when it is over. People hear of it when something was done, or when they have to do something. */
export function endedMessage(input: ReportInput, ending: Ending, seal: AuditCursor, around: Surroundings): Message {
  const { assessment, results } = input;
  const acted = results.length > 0 || ending.outcome === 'died';
  const tells = ending.page || ['rejected', 'shadow'].includes(ending.outcome) || (assessment?.mode === 'shadow' && assessment.page);
  const audience: Message['audience'] = acted ? ['on-call', 'stakeholders'] : tells ? ['on-call'] : [];
  const auditLine = `${seal.length} rows, last hash ${seal.hash}; check with: npx ripcord audit verify ${input.rollbackId} --anchor ${seal.length}:${seal.hash}`;
  return {
    audience, urgency: ending.page ? 'page' : 'notice',
    subject: subjectOf(`${ending.page ? 'PAGE ' : ''}Ripcord: ${ending.headline}`),
    text: [
      plain(ending.headline, 400), '',
      section('Why', ending.reasons.map((reason) => `${plain(reason.text, 400)} [${plain(reason.code, 60)}]`)), '',
      ...(assessment === null ? [] : [evidence(assessment), '', release(assessment), '']),
      section('What was done', results.map((result) => resultLine(result))), '',
      ...(ending.outcome === 'shadow' ? [section('What would have been done', input.plans.map((plan) => planLine(plan))), ''] : []),
      section('What was NOT done', notDone(input)), '',
      section('What happens next', nextSteps(ending, input)), '',
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
  plain(assessment.headline, 400), '', evidence(assessment), '', release(assessment), '', ...blocks.flatMap((block) => [block, '']),
  section('Read on', links(assessment.rollbackId, around)),
].join('\n');

const evidence = (assessment: Assessment): string => section('Evidence', [
  ...assessment.signals.map((signal) => signalLine(signal)), ...assessment.reasons.map((reason) => plain(reason.text, 400)),
]);

function release({ release: bad, knownGood, requestedBy, service, rungs }: Assessment): string {
  // A side that the catalogue declares good needs no version in the ledger.
  const declared = rungs[0]?.waves[0]?.[0]?.good?.version;
  return section('Service and release', [
    `Service: ${service}`,
    bad === null ? 'Release: none is known' : `Release: ${plain(bad.version, 80)} (${plain(bad.id, 120)}) by ${plain(bad.actor, 120)}, began ${utc(bad.startedAt)}, ${bad.status}; touched ${bad.touched.join(', ') || 'unknown parts'}`,
    knownGood === null ? `Known good: ${declared === undefined ? 'none is known' : `${plain(declared, 80)}, as the catalogue declares`}` : `Known good: ${plain(knownGood.version, 80)} since ${utc(knownGood.since)} (${knownGood.basis})`,
    ...(requestedBy === null ? [] : [`Asked for by: ${plain(requestedBy, 120)} (as typed, not verified)`]),
  ]);
}

const firstRung = (assessment: Assessment, rung: number): string[] =>
  (assessment.rungs[rung]?.waves ?? []).flatMap((wave, index) => wave.map((step) => `Wave ${index + 1}: ${stepLine(step)}`));

const laterRungs = (assessment: Assessment, rung: number): string[] => {
  const later = assessment.rungs.slice(rung + 1).map((one) => plain(one.name, 60));
  return [later.length === 0 ? 'If that does not help: no other way is left, and you are paged.' : `If that does not help: ${later.join(', then ')}.`];
};

const planLine = (plan: StepPlan): string =>
  `${plain(plan.targetId, 60)} (${plan.strategy}): ${plan.outcome}: ${plain(plan.summary, 300)}${plan.reason === null ? '' : ` (${plain(plan.reason.text, 300)})`}; about ${duration(plan.expectedSeconds)}`;

/** What a rollback of traffic or code never takes back. */
export function leftAsItIs(assessment: Assessment | null): string[] {
  const touched = assessment?.release?.touched ?? [];
  return [
    ...(touched.includes('database') ? ['Database changes of the release are NOT undone; data written since stays as it is.'] : []),
    ...(touched.includes('infrastructure') ? ['Infrastructure changes of the release are NOT undone, except for the targets named here.'] : []),
    ...(touched.includes('configuration') ? ['Configuration changes of the release are NOT undone, except for the targets named here.'] : []),
  ];
}

const notUndone = (assessment: Assessment): string => {
  const known = leftAsItIs(assessment);
  return section('What is NOT undone', known.length === 0 ? ['Nothing but the targets above is changed; data written since the release stays as it is.'] : known);
};

export function notDone({ assessment, results }: ReportInput): string[] {
  const tried = new Set(results.map(({ applied }) => applied.stepId));
  const steps = (assessment?.rungs ?? []).flatMap((rung) => rung.waves.flat().map((step) => ({ rung: rung.name, step })));
  return [
    ...results.filter((result) => !isHeld(result)).map(({ applied }) => `${plain(applied.targetId, 60)} (rung ${plain(applied.stepId.split('/')[0] ?? '', 40)}) is not proven to be back: ${applied.status}`),
    ...steps.filter(({ step }) => !tried.has(step.id)).map(({ rung, step }) => `Not tried: ${stepLine(step)}, rung ${plain(rung, 40)}`),
    ...(results.length === 0 && steps.length === 0 ? ['No rollback was tried.'] : []),
    ...leftAsItIs(assessment),
  ];
}

function nextSteps(ending: Ending, input: ReportInput): readonly string[] {
  const { bad } = versionsOf(input.assessment);
  const wouldPage = input.assessment?.mode === 'shadow' && input.assessment.page;
  const broken = ['YOU have to act: look at the execution, then compare the live state with what was done above.', 'Starting the rollback again is safe: each step reads the live state first.'];
  const steps: Readonly<Record<Outcome, readonly string[]>> = {
    recovered: [...(ending.page ? ['YOU have to look: what came in last was not looked at by Ripcord, and nothing happens by itself about it.'] : []), `${bad} is held: it is not taken as a way back. Ship the fix as a new version.`, 'Nothing happens by itself until the cool-down is over.'],
    'not-recovered': ['YOU have to act: the service is not proven to be well.', ...(input.results.some(hasChanged) ? ['The changes above stay in place.'] : []), 'Ripcord does nothing more by itself until the cool-down is over.'],
    stopped: ['YOU have to act: find out who changed the target and agree on one state. Ripcord did not overwrite that change.'],
    failed: broken,
    died: broken,
    rejected: ['The signals may still be firing: whoever rejected it has taken over.'],
    left: ending.page ? ['YOU have to look: the service may be sick, and Ripcord does not act on it for the reasons above.'] : wouldPage ? ['In earnest this would have woken you: the service may be sick.'] : ['Nothing is asked of you.'],
    refused: ['Mend the input as the reason says, and start it again.'],
    shadow: [
      'Nothing was changed, and nobody was asked: the service is in shadow. If it is sick, it is sick still.',
      `Compare this with what you do about it, and say so: npx ripcord label ${plain(input.rollbackId, 80)} right|wrong`,
      'Set `policy.mode: act` when the two agree.',
    ],
    'dry-run': ['Start it without `"mode": "dry-run"` to do it.'],
  };
  return steps[ending.outcome];
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
