// Decisions drawn over their series: where the release fell, where the harm began, where the judge spoke, and what it said.
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import { horizon, type Case } from './cases.ts';
import { questionOf } from './judge.ts';
import { levelsOf } from './peers/levels.ts';
import { viewAt, type Outcome } from './run.ts';
import { quantileOf } from './subject.ts';
import { axes, escape, line, picture, round, toX, toY, type Frame } from './svg.ts';

export interface Example {
  readonly one: Case;
  readonly outcome: Outcome;
}

const shown = 60;

/** The signal that spoke, or the one that moved most. */
const kindOf = (example: Example): string => {
  const { signals } = judgeRelease(questionOf(viewAt(example.one, example.outcome.saidAt ?? horizon)));
  const loudest = signals.toSorted((a, b) => (b.window?.evidence ?? 0) - (a.window?.evidence ?? 0))[0];
  return loudest?.series.kind ?? 'latency';
};

const units: Readonly<Record<string, string>> = { errors: 'errors, %', latency: 'latency, ms', traffic: 'requests' };

const valuesOf = (kind: string, values: Float64Array): Float64Array =>
  values.map((value) => (kind === 'errors' ? value * 100 : kind === 'traffic' ? -value : value));

const curve = (example: Example): string => {
  const { one, outcome } = example;
  const kind = kindOf(example);
  const levels = levelsOf(one.service).find((candidate) => candidate.kind === kind) ?? levelsOf(one.service)[0];
  if (levels === undefined) return '';
  const from = one.release - shown;
  const values = valuesOf(levels.kind, levels.values).slice(Math.max(0, from));
  const top = Math.max(quantileOf(values, 0.995) * 1.1, 1e-6);
  const frame: Frame = { width: 520, height: 200, left: 52, bottom: 34, x: [-shown, horizon], y: [0, top] };
  const points = Array.from(values, (value, index): [number, number] => [index - Math.min(shown, one.release), Math.min(value, top)]);
  const mark = (at: number, name: string): string => `<path class="${name}" d="M${round(toX(frame, at))} ${round(toY(frame, 0))}V${round(toY(frame, top))}"/>`;
  const marks = mark(0, 'release') + (one.isBad ? mark(one.onset - one.release, 'onset') : '') + (outcome.saidAt === null ? '' : mark(outcome.saidAt - 1, 'said'));
  const show = (value: number): string => (value >= 1000 ? Math.round(value).toString() : Number(value.toPrecision(2)).toString());
  const grid = axes(frame, { ticks: [-60, -45, -30, -15, 0, 15, 30], label: 'points from the release', show: String }, { ticks: [0, top / 2, top], label: units[levels.kind] ?? '', show });
  return picture(frame, `${one.scenario} on ${one.subject.name}`, grid + marks + line(frame, points, 'stroke="currentColor" stroke-width="1.3"'));
};

const headline = ({ one, outcome }: Example): string => {
  const said = outcome.saidAt === null ? 'never spoke' : `rolled back after ${outcome.saidAt} points`;
  return `${one.scenario} · ${one.subject.source}, ${one.subject.name} · ${said}`;
};

export const isRight = ({ outcome }: Example): boolean => (outcome.isBad ? outcome.delay !== null && outcome.delay > 0 : outcome.saidAt === null);

export const drawExample = (example: Example): string => {
  const { explanation } = judgeRelease(questionOf(viewAt(example.one, example.outcome.saidAt ?? horizon)));
  return `<figure><figcaption>${escape(headline(example))}</figcaption>${curve(example)}<p>${escape(explanation)}</p></figure>`;
};
