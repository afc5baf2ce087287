// What speaks for a rollback and where it leads, in words: for the record and for the first message.
import { modeOf } from './demands.ts';
import type { MetricsFinding } from './metric-findings.ts';
import type { KnownGoodFacts, Question, ReleaseFacts, RungFacts } from './question.ts';
import { because } from './reasons.ts';
import { goodOf } from './rungs.ts';
import type { Count } from './signals.ts';
import type { Reason, Signal } from './vocabulary.ts';
import type { Passed, WayChoice } from './way-choice.ts';
import type { Suspect } from './workflow.ts';

/** What the chosen release and its signals come to, shared by every verdict. */
export interface Case {
  readonly question: Question;
  readonly suspect: ReleaseFacts | null;
  readonly signals: readonly Signal[];
  readonly count: Count;
  /** What the metrics say of the suspect; null where they have no say. */
  readonly metrics: MetricsFinding | null;
  /** Who could have done it, likeliest first. */
  readonly suspects: readonly Suspect[];
}

/** What speaks for the rollback, for the record and for the first message. */
export function grounds({ question, suspect, count, signals }: Case, good: KnownGoodFacts | null, rungs: readonly RungFacts[]): Reason[] {
  const { trigger, traffic, minimumSignals, targets } = question;
  const sides = [...new Set(rungs.flatMap(({ waves }) => waves.flat()).flatMap((id) => targets[id]?.goodSide ?? []))];
  const firing = signals.filter(({ status, kind }) => status === 'firing' && kind !== 'person').map(({ kind, source }) => (kind === source ? kind : `${kind} ${source}`)).join(', ');
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

/** The ways back that are not gone, and why. */
export const notTaken = (ways: readonly WayChoice[]): Reason[] => ways.flatMap(({ rung, answer, reasons }) => {
  const why = reasons.map(({ text }) => text).join(' ');
  if (answer === 'refused') return [because('below-floor', `Rung ${rung} is refused: ${why}`)];
  return answer === 'left-out' ? [because('rung-left-out', `Rung ${rung} is left out, as it needs a person's yes and another does not: ${why}`)] : [];
});

/** What else is lost on the way: releases between the known good one and the suspect that are still live in it. */
export function alsoUndone({ question, suspect }: Case, passed: readonly Passed[], good: KnownGoodFacts | null): Reason[] {
  const others = passed.filter(({ id, status }) => id !== suspect?.id && status !== 'failed' && status !== 'stopped').map(({ version, startedAt }) => `${version} (${startedAt.slice(0, 16)}Z)`);
  return others.length === 0 || good === null ? [] : [because('also-undone', `Going back to ${good.version} also takes back ${others.slice(0, 10).join(', ')}${others.length > 10 ? ` and ${question.earlier === undefined ? '' : 'at least '}${others.length - 10} more` : ''}: none of them is known good.`)];
}

/** Where one target would go back to; null when nobody knows. */
export function goodHere({ targets }: Question, id: string, good: KnownGoodFacts | null): { readonly version: string } | null {
  const target = targets[id];
  return target === undefined ? null : goodOf(id, target, good);
}

const prefixes = { 'roll-back': '', 'dry-run': 'Dry run: ', shadow: 'In shadow: ' } as const;

/** One sentence: from what to what, and who asked. A flag leaves the release where it is. */
export function wayBack({ question, suspect }: Case, rungs: readonly RungFacts[], good: KnownGoodFacts | null): string {
  const ids = rungs[0]?.waves.flat() ?? [];
  const versions = [...new Set(ids.map((id) => goodHere(question, id, good)?.version ?? 'what the strategy finds'))].join(' and ');
  const from = suspect === null ? '' : ` from release ${suspect.version}`;
  const isFlag = ids.length > 0 && ids.every((id) => question.targets[id]?.way === 'flag-off');
  const flags = versions === 'side off' ? 'turns its flags off' : `puts its flags back to what they were with ${versions}`;
  const what = isFlag ? `keeps release ${suspect?.version ?? 'that is live'} and ${flags}` : `goes back${from} to ${versions}`;
  const { trigger } = question;
  return `${prefixes[modeOf(question)]}${question.service} ${what}${trigger.kind === 'person' ? `, as ${trigger.requestedBy} asked` : ''}.`;
}
