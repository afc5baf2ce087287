// Decisions drawn over their series: where the release fell, where the harm began, where the judge spoke, and what it said.
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import type { Judgement } from '../../lambdas/statistics/judgement.ts';
import { horizon, type Case } from './cases.ts';
import { questionOf } from './judge.ts';
import { loudestOf } from './missed.ts';
import { levelsOf, type Levels } from './peers/levels.ts';
import { viewAt, type Outcome } from './run.ts';
import { medianOf, quantileOf } from './subject.ts';
import { axes, escape, line, picture, round, toX, toY, type Frame } from './svg.ts';
import { stepName } from './tables.ts';

export interface Example {
  readonly one: Case;
  readonly outcome: Outcome;
}

/** `found` and `spared` are right, `missed` and `accused` are wrong. Whoever is rolled back before the harm began was accused. */
export type Decision = 'found' | 'spared' | 'missed' | 'accused';

export const decisionOf = ({ outcome }: Pick<Example, 'outcome'>): Decision => {
  if (outcome.saidAt === null) return outcome.isBad ? 'missed' : 'spared';
  return outcome.isBad && outcome.delay !== null && outcome.delay > 0 ? 'found' : 'accused';
};

const shown = 60;

/** What the judge said when it spoke, or at the last look. */
const spoken = ({ one, outcome }: Example): Judgement => judgeRelease(questionOf(viewAt(one, outcome.saidAt ?? horizon)));

/** Keeps the first of each scenario and decision. A release that was spared is worth a picture only while something of it moved. */
export const keep = (examples: Example[], example: Example): void => {
  const decision = decisionOf(example);
  if (examples.some((other) => other.one.scenario === example.one.scenario && decisionOf(other) === decision)) return;
  if (decision !== 'spared' || spoken(example).signals.some(({ window }) => window !== null)) examples.push(example);
};

/** At most so many with this decision, from all over the scenarios. */
export const chosen = (examples: readonly Example[], decision: Decision, most: number): Example[] => {
  const all = examples.filter((example) => decisionOf(example) === decision);
  return all.filter((_, index) => all.length <= most || Math.floor((index * most) / all.length) !== Math.floor(((index - 1) * most) / all.length));
};

const units: Readonly<Record<string, string>> = { errors: 'errors, % of the requests', latency: 'latency, ms', traffic: 'requests in a point' };

const valuesOf = ({ kind, values }: Levels): Float64Array =>
  values.map((value) => (kind === 'errors' ? value * 100 : kind === 'traffic' ? -value : value));

/** The same signal of the comparison services; latency and requests are brought to the level of the service before the release, as only their moves are compared. */
const companyOf = ({ controls, release }: Case, kind: string, own: Float64Array): Float64Array[] => controls.flatMap((control) => {
  const levels = levelsOf(control).find((candidate) => candidate.kind === kind);
  if (levels === undefined) return [];
  const values = valuesOf(levels);
  const usual = (all: Float64Array): number => medianOf(all.subarray(Math.max(0, release - shown), release));
  const factor = kind === 'errors' ? 1 : usual(own) / usual(values);
  return Number.isFinite(factor) ? [values.map((value) => value * factor)] : [];
});

const curve = (example: Example, judgement: Judgement): string => {
  const { one, outcome } = example;
  const kind = loudestOf(judgement)?.series.kind;
  const levels = levelsOf(one.service).find((candidate) => candidate.kind === kind) ?? levelsOf(one.service)[0];
  if (levels === undefined) return '';
  const values = valuesOf(levels);
  const from = Math.max(0, one.release - shown);
  const top = Math.max(quantileOf(values.subarray(from), 0.995) * 1.1, 1e-6);
  const frame: Frame = { width: 520, height: 200, left: 52, bottom: 34, x: [-shown, horizon], y: [0, top] };
  const drawn = (all: Float64Array, attributes: string): string =>
    line(frame, Array.from(all.subarray(from), (value, index): [number, number] => [from + index - one.release, Math.min(value, top)]), attributes);
  const company = companyOf(one, levels.kind, values).map((all) => drawn(all, 'class="company"')).join('');
  const mark = (at: number, name: string): string => `<path class="${name}" d="M${round(toX(frame, at))} ${round(toY(frame, 0))}V${round(toY(frame, top))}"/>`;
  const marks = mark(0, 'release') + (one.isBad ? mark(one.onset - one.release, 'onset') : '') + (outcome.saidAt === null ? '' : mark(outcome.saidAt - 1, 'said'));
  const show = (value: number): string => (value >= 1000 ? Math.round(value).toString() : Number(value.toPrecision(2)).toString());
  const below = `points of ${stepName(one.subject.stepSeconds)} from the release`;
  const grid = axes(frame, { ticks: [-60, -45, -30, -15, 0, 15, 30], label: below, show: String }, { ticks: [0, top / 2, top], label: units[levels.kind] ?? '', show });
  return picture(frame, `${one.scenario} on ${one.subject.name}`, grid + company + marks + drawn(values, 'stroke="currentColor" stroke-width="1.3"'));
};

const headline = ({ one, outcome }: Example): string => {
  const said = outcome.saidAt === null ? 'never rolled back' : `rolled back after ${outcome.saidAt} points`;
  return `${one.scenario} · ${one.subject.source}, ${one.subject.name} · ${said}`;
};

export const drawExample = (example: Example): string => {
  const judgement = spoken(example);
  return `<figure><figcaption>${escape(headline(example))}</figcaption>${curve(example, judgement)}<p>${escape(judgement.explanation)}</p></figure>`;
};
