// Says to a person why: what moved, what was expected, how rare that is, when it began, and who else moved.
import type { Judgement, JudgeReason } from './judgement.ts';
import type { Window } from './evidence.ts';
import { counted } from './measure.ts';
import { quantile } from './samples.ts';
import { fewestPlacebos, toldLateness } from './settings.ts';
import { latenessOf, type SignalJudgement, type SignalStatus } from './signal.ts';
import { duration, number, percent, plural, signedPercent } from './wording.ts';

export interface Findings extends Pick<Judgement, 'verdict' | 'evidence' | 'needed' | 'points' | 'signals'> {
  readonly periodSeconds: number;
}

type Moved = SignalJudgement & { readonly window: Window };

/** A move on the scale of the measure, as people say it: points for errors, per cent otherwise; a fall of traffic is negative. */
const moveText = ({ series }: SignalJudgement, effect: number): string => {
  if (series.kind === 'errors') return `${effect < 0 ? '−' : '+'}${number(Math.abs(effect) * 100)} points`;
  return series.kind === 'traffic' ? signedPercent(Math.expm1(-effect)) : signedPercent(Math.expm1(effect));
};

const observed = (signal: Moved, periodSeconds: number): string => {
  const { series, measure, window } = signal;
  const end = measure.levels.length;
  const from = end - window.length;
  const over = `over the last ${duration(window.length, periodSeconds)}`;
  if (series.kind === 'errors') {
    const { requests, failed } = counted(measure, from, end);
    return `${series.name} ${percent(failed / requests)} ${over} (${number(failed)} of ${number(requests)} requests); expected at most ${percent(measure.base)}`;
  }
  const sign = series.kind === 'traffic' ? -1 : 1;
  const unit = series.kind === 'traffic' ? ' requests a period' : ' ms';
  const level = number(Math.exp(sign * (measure.base + window.effect)));
  return `${series.name} ${level}${unit} ${over} (${moveText(signal, window.effect)}); expected ${number(Math.exp(sign * measure.base))}${unit}`;
};

/** The 99 % quantile, never the worst window ever: one old incident says nothing about what is usual. */
const rarity = (signal: Moved): string => {
  const { window: { placebo }, series } = signal;
  if (placebo === null) return '';
  const { moves } = placebo;
  if (moves.length < fewestPlacebos) return ' The history is too short to compare with; the spread before the release stands in.';
  const most = Math.max(0, quantile(moves, 0.99));
  const verb = series.kind === 'traffic' ? 'fell' : 'rose';
  const size = series.kind === 'errors' ? `${number(most * 100)} points` : percent(series.kind === 'traffic' ? -Math.expm1(-most) : Math.expm1(most));
  return ` In ${moves.length} windows of this length without a release, 99 % ${verb} by less than ${size}.`;
};

const beginning = (signal: SignalJudgement, periodSeconds: number): string => {
  const { shape } = signal;
  if (shape === null) return '';
  if (shape.onset === 0) return ' It began with the release.';
  const lateness = latenessOf(signal);
  const price = lateness < toldLateness ? '' : `, which takes ${lateness.toFixed(1)} off the evidence`;
  return ` It began ${duration(shape.onset, periodSeconds)} after the release${price}.`;
};

/** "Flat" is only said of comparisons of which none moved by half of what counts. */
const company = (signal: SignalJudgement): string => {
  const [most] = signal.controls.toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  if (most === undefined) return ' There was nothing to compare it with.';
  const count = plural(signal.controls.length, 'comparison service');
  const size = moveText(signal, most.effect);
  const isFlat = Math.abs(most.effect) < signal.measure.smallest / 2;
  return ` ${count} ${isFlat ? 'stayed flat' : 'did not share it'} (largest move ${size}${isFlat ? '' : `, ${most.name}`}).`;
};

const plain: Readonly<Record<SignalStatus, string>> = {
  bad: 'is worse',
  'too-early': 'too few periods since the release',
  'no-data': 'no data since the release',
  'short-history': 'the history before the release is too short',
  'no-traffic': 'no requests since the release',
  'few-requests': 'too few requests since the release to prove anything',
  flat: 'no rise that counts',
  passing: 'was worse, but not for long enough, or not any more',
  fading: 'is worse, but may be healing by itself, as after a warm-up',
  before: 'was already worse before the release',
  shared: 'is worse, but so are the comparison services',
  undecided: 'is worse, but the comparison services cannot tell yet whether they share it',
  dependency: 'is worse, but so is something that it calls',
  'no-controls': 'fell, with nothing to compare it to',
};

const sentence = (signal: SignalJudgement, findings: Findings): string => {
  const { window, series, status } = signal;
  if (window === null) return `${series.name}: ${plain[status]}.`;
  const moved = { ...signal, window };
  const facts = `${observed(moved, findings.periodSeconds)}.`;
  if (status !== 'bad') return `${facts} It ${status === 'few-requests' ? 'rests on ' : ''}${plain[status]}.`;
  return `${facts}${rarity(moved)}${beginning(signal, findings.periodSeconds)}${company(signal)}`;
};

const titles = { worse: 'ROLL BACK', unrelated: 'NOT THE RELEASE', 'not-yet': 'NOT YET' } as const;

/** Loudest first; a signal about which there is nothing to say comes last. */
const inOrder = (signals: readonly SignalJudgement[]): SignalJudgement[] =>
  signals.toSorted((a, b) => Number(b.status === 'bad') - Number(a.status === 'bad') || (b.window?.evidence ?? -1) - (a.window?.evidence ?? -1));

/** One reason a signal, and the whole in a few sentences. */
export const explainRelease = (findings: Findings): { reasons: JudgeReason[]; explanation: string } => {
  const signals = inOrder(findings.signals);
  const reasons = signals.map((signal) => ({ code: signal.status, text: sentence(signal, findings) }));
  const moved = signals.filter((signal) => signal.window !== null).length;
  const body = (moved > 0 ? reasons.slice(0, moved) : reasons).map((reason) => reason.text).join(' ');
  const strength = findings.evidence > 0 ? ` Evidence ${findings.evidence.toFixed(1)}, needed ${findings.needed.toFixed(1)}.` : '';
  const none = signals.length === 0 ? 'no signals were given.' : body;
  return { reasons, explanation: `${titles[findings.verdict]}: ${none}${strength}` };
};
