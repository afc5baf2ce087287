// Writes the incident report in Markdown from what the workflow and the audit know: facts with times, no blame.
import type { AuditRow } from '../audit/entry.ts';
import type { AuditCursor, Instant } from '../domain/vocabulary.ts';
import type { ReportInput } from '../domain/workflow.ts';
import { failedRequests } from './incident-impact.ts';
import { timeline } from './incident-timeline.ts';
import { notDone } from './messages.ts';
import { counted, duration, plain, secondsBetween, signalLine, touchedText, utc } from './messages-text.ts';
import { type Ending, hasChanged, isHeld, keepsRelease, serviceOf, versionsOf } from './report-outcome.ts';
import { changesLeft, leftAsItIs, manifestLines, runbook } from './report-plan.ts';
import { suspectsText } from './suspects-text.ts';
import { isOnlyUntold } from './untold.ts';

export interface Incident {
  readonly input: ReportInput;
  readonly ending: Ending;
  /** Every row so far, in order. */
  readonly rows: readonly AuditRow[];
  readonly head: AuditCursor;
  readonly endedAt: Instant;
}

export function incidentReport(incident: Incident): string {
  const { input, ending } = incident;
  return [
    `# ${md(ending.headline, 300)}`, '',
    '## Summary', '', ...summary(incident), '',
    '## Impact', '', ...impact(incident), '',
    '## Evidence', '', ...evidence(incident), '',
    '## Release', '', ...release(input), '',
    '## Plan', '', ...plan(input), '',
    '## Actions', '', ...actions(input), '',
    '## Verification', '', ...verification(input), '',
    '## What was not done or not undone', '', ...bullets(notDone(input).map((line) => escaped(line))), '',
    '## Timeline', '', ...bullets(timeline(incident.rows).map((line) => escaped(line))), '',
    '## Follow-ups', '', ...bullets(followUps(incident)), '',
    '## Record', '',
    `The audit of this rollback had ${counted(incident.head.length, 'row')} when this was written; the last hash was \`${incident.head.hash}\`. `
    + `This report and the seal follow as the last two rows. Check with \`npx ripcord audit verify ${plain(input.rollbackId, 80)}\`.`, '',
  ].join('\n');
}

const escaped = (text: string): string => text.replaceAll(/[\\`*_{}[\]|#]/g, String.raw`\$&`);
const md = (text: string, limit = 500): string => escaped(plain(text, limit));
const bullets = (lines: readonly string[]): string[] => (lines.length === 0 ? ['- Nothing.'] : lines.map((line) => `- ${line}`));

/** When users were safe again: the round that proved it. Null when nothing was proven. */
const recoveredAt = ({ input: { verified } }: Incident): Instant | null => (verified?.answer === 'recovered' ? verified.journeys.at : null);

function summary(incident: Incident): string[] {
  const { input, ending, endedAt } = incident;
  const { bad, good } = versionsOf(input.assessment);
  const firstChange = input.results.filter(hasChanged).map(({ applied }) => applied.at).toSorted()[0];
  return bullets([
    `Service: ${md(serviceOf(input) ?? 'unknown')}`,
    `Outcome: ${ending.outcome}`,
    `From ${escaped(bad)} to ${escaped(good)}`,
    `Began ${utc(input.startedAt)}; first change ${firstChange === undefined ? 'none' : utc(firstChange)}; proven ${whenOr(recoveredAt(incident))}; ended ${utc(endedAt)}`,
    `Decided with catalogue version ${input.assessment?.configVersion ?? 'unknown'} and code version ${md(input.assessment?.codeVersion ?? 'unknown', 80)}`,
  ]);
}

const whenOr = (at: Instant | null): string => (at === null ? 'no' : utc(at));

function impact(incident: Incident): string[] {
  const from = incident.input.assessment?.firstSignalAt ?? null;
  const until = recoveredAt(incident);
  const minutes = (to: Instant): string => (from === null ? '' : (secondsBetween(from, to) / 60).toFixed(1));
  const known = from === null
    ? 'Duration: not measured, because the time of the first signal is not known.'
    : until === null
      ? `Duration: at least ${minutes(incident.endedAt)} minutes from the first signal (${utc(from)}); the end is not proven.`
      : `Duration: ${minutes(until)} minutes, from the first signal (${utc(from)}) to the proof of recovery (${utc(until)}).`;
  return bullets([known, ...failedRequests(incident.rows, from ?? incident.input.assessment?.release?.startedAt ?? null).map((line) => escaped(line))]);
}

function evidence({ input: { assessment }, ending }: Incident): string[] {
  return bullets([
    ...(assessment?.signals ?? []).map((signal) => escaped(signalLine(signal))),
    ...ending.reasons.map((reason) => `${md(reason.text)} (${md(reason.code, 60)})`),
    ...suspectsText(assessment).map((line) => `Could have done it: ${escaped(line)}`),
  ]);
}

function release({ assessment }: ReportInput): string[] {
  const bad = assessment?.release ?? null;
  if (bad === null) return bullets(['No release is known to have caused it.']);
  return bullets([
    `Version ${md(bad.version, 80)}, id ${md(bad.id, 120)}, released through ${md(bad.actor, 120)}`,
    `Began ${utc(bad.startedAt)}, ${bad.finishedAt === null ? 'not finished' : `finished ${utc(bad.finishedAt)}`}; ${touchedText(bad)}`,
    ...(assessment?.firstSignalAt == null ? [] : [`First signal ${duration(secondsBetween(bad.startedAt, assessment.firstSignalAt))} after it began`]),
    ...(assessment === null ? [] : manifestLines(assessment)).map((line) => escaped(line)),
    ...leftAsItIs(assessment).map((line) => escaped(line)),
  ]);
}

function plan({ assessment, plans }: ReportInput): string[] {
  const lines = assessment === null ? [] : runbook(assessment, plans);
  // The steps carry their numbers: a list of Markdown would count again.
  return lines.length === 0 ? ['No way back was weighed.'] : lines.flatMap((line, index) => [...(index === 0 ? [] : ['']), escaped(line).replace(/^(\d+)\./, String.raw`$1\.`)]);
}

function actions({ results, plans }: ReportInput): string[] {
  if (results.length === 0)
    return ['Nothing was changed.', ...plans.map((one) => `- Planned only: ${md(one.targetId, 60)} (${md(one.strategy, 40)}): ${one.outcome}: ${md(one.summary)}`)];
  return [
    '| time | target | strategy | rung | result | what | confirmed |', '| --- | --- | --- | --- | --- | --- | --- |',
    ...results.map(({ rung, applied, confirmed }) => `| ${[
      utc(applied.at), md(applied.targetId, 60), md(applied.strategy, 40), md(rung, 40), applied.status, md(`${applied.summary}${applied.reason === null ? '' : ` (${applied.reason.text})`}`, 400),
      confirmed === null ? 'no' : `${confirmed.answer}: ${md(confirmed.detail, 200)}`,
    ].join(' | ')} |`),
    '', 'The whole state before each change, and the one that was wanted, stand in the audit: rows `change-intended`.',
  ];
}

function verification({ verified }: ReportInput): string[] {
  if (verified === null) return ['Recovery was not checked.'];
  return [
    `Answer: ${verified.answer}, after ${counted(verified.round, 'round')}, ${verified.passes} of them passed in a row at the end.`, '',
    ...bullets([
      ...verified.journeys.results.map((one) => `Journey ${md(one.journey, 60)}: ${one.ok ? 'passed' : `failed at ${md(one.failedAt ?? 'its start', 60)}: ${md(one.reason ?? '', 300)}`} (${one.durationMs} ms)`),
      ...verified.reasons.map((reason) => `${md(reason.text)} (${md(reason.code, 60)})`),
    ]),
  ];
}

function followUps({ input, ending }: Incident): string[] {
  const { assessment, results, verified } = input;
  const { bad } = versionsOf(assessment);
  const broken = verified?.journeys.results.filter((one) => one.couldNotRun === true) ?? [];
  return [
    ...(ending.outcome === 'recovered' ? [`Find what ${escaped(bad)} changed for the worse, and ship the fix as a new version: ${keepsRelease(input) ? 'this one is still live, with its flags off' : 'this one is held'}.`] : []),
    ...(ending.page && !isOnlyUntold(ending) ? ['Bring the service to a state that is proven well; until then this incident is open.'] : []),
    ...(results.length > 0 ? ['Ask what would have shown the problem before all users met it: a slower rollout, an earlier alarm, one more journey?'] : []),
    ...results.filter((result) => !isHeld(result)).map(({ applied }) => `Mend the way back of target ${md(applied.targetId, 60)}: ${md(applied.reason?.text ?? applied.summary, 300)}`),
    ...(ending.reasons.some(({ code }) => code === 'not-announced') ? ['Mend what kept the announcement from being sent; the reason is above.'] : []),
    ...broken.map((one) => `Mend journey ${md(one.journey, 60)}, which could not be run: ${md(one.reason ?? '', 300)}`),
    ...changesLeft(assessment).map((line) => `Decide what becomes of it: ${escaped(line)}`),
    ...(ending.outcome === 'left' && !ending.page ? [] : ['Add what people did by hand and what users told: Ripcord cannot know either.']),
  ];
}
