// The three charts that compare the judges: precision against recall, found over time, recall by scenario.
import type { Outcome } from './run.ts';
import { horizon } from './cases.ts';
import { groupedBy, scoreOf } from './score.ts';
import { axes, escape, line, picture, round, toX, toY, type Frame } from './svg.ts';

export type Results = ReadonlyMap<string, readonly Outcome[]>;

export const colours = ['#0b6e4f', '#c8553d', '#e0a458', '#5b5f97', '#8e7dbe', '#2f6690', '#a37b45'] as const;
export const colourOf = (index: number): string => colours[index % colours.length] ?? '#000';

const share = (value: number): string => value.toFixed(1);
const tenths = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const clamped = (value: number): number => Math.max(0.4, Math.min(1, value));
/** Pixels between dots that are still told apart. */
const apart = 10;

/** The numbers of the legend beside their dots; judges that score alike share one place. */
const numbersOf = (dots: readonly { readonly x: number; readonly y: number }[]): string => {
  const places: { x: number; y: number; numbers: number[] }[] = [];
  for (const [index, { x, y }] of dots.entries()) {
    const near = places.find((place) => Math.hypot(place.x - x, place.y - y) < apart);
    if (near === undefined) places.push({ x, y, numbers: [index + 1] });
    else near.numbers.push(index + 1);
  }
  return places.map(({ x, y, numbers }) => `<text class="label" x="${round(x + 10)}" y="${round(y + 4)}">${numbers.join(', ')}</text>`).join('');
};

export const precisionRecall = (results: Results): string => {
  const frame: Frame = { width: 520, height: 320, left: 40, bottom: 34, x: [0.4, 1], y: [0.4, 1] };
  const goal = `<rect x="${round(toX(frame, 0.93))}" y="${round(toY(frame, 1))}" width="${round(toX(frame, 1) - toX(frame, 0.93))}" height="${round(toY(frame, 0.985) - toY(frame, 1))}" class="goal"/>`;
  const scored = [...results].map(([name, outcomes]) => {
    const { recall, precision } = scoreOf(outcomes);
    return { name, recall, precision, x: toX(frame, clamped(recall)), y: toY(frame, clamped(precision)) };
  });
  const dots = scored.map(({ name, recall, precision, x, y }, index) =>
    `<circle cx="${round(x)}" cy="${round(y)}" r="7" fill="${colourOf(index)}"><title>${escape(name)}: recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}</title></circle>`);
  const labels = [{ ticks: tenths, label: 'recall: share of the bad releases rolled back', show: share }, { ticks: tenths, label: 'precision: share of the rollbacks that were right', show: share }] as const;
  return picture(frame, 'Precision against recall', axes(frame, ...labels) + goal + dots.join('') + numbersOf(scored));
};

export const foundOverTime = (results: Results): string => {
  const frame: Frame = { width: 520, height: 320, left: 40, bottom: 34, x: [0, horizon], y: [0, 1] };
  const lines = [...results].map(([, outcomes], index) => {
    const bad = outcomes.filter((one) => one.isBad);
    const points = Array.from({ length: horizon + 1 }, (_, delay): [number, number] =>
      [delay, bad.filter((one) => one.delay !== null && one.delay > 0 && one.delay <= delay).length / bad.length]);
    return line(frame, points, `stroke="${colourOf(index)}" stroke-width="2.5"`);
  });
  const ticks = [0, 5, 10, 15, 20, 25, 30];
  return picture(frame, 'Share of bad releases found, by delay', axes(frame, { ticks, label: 'points since the harm began', show: String }, { ticks: [0, 0.25, 0.5, 0.75, 1], label: 'share of the bad releases found', show: (value) => value.toFixed(2) }) + lines.join(''));
};

/** One bar a judge for each scenario: recall for the bad ones, share rolled back for nothing for the others. */
export const byScenario = (results: Results, isBad: boolean): string => {
  const judges = [...results];
  const names = [...groupedBy(judges[0]?.[1].filter((one) => one.isBad === isBad) ?? [], (one) => one.scenario).keys()];
  const row = 10 * judges.length + 14;
  const frame: Frame = { width: 1060, height: names.length * row + 56, left: 190, bottom: 46, x: [0, 1], y: [0, 1] };
  const bars = names.flatMap((name, place) => {
    const top = 12 + place * row;
    const label = `<text class="tick" x="${frame.left - 8}" y="${top + row / 2}" text-anchor="end">${escape(name)}</text>`;
    return [label, ...judges.map(([judge, outcomes], index) => {
      const group = outcomes.filter((one) => one.scenario === name);
      const value = isBad ? scoreOf(group).recall : scoreOf(group).falseAlarms / group.length;
      return `<rect x="${frame.left}" y="${top + 10 * index}" height="8" width="${round(Math.max(1, toX(frame, value) - frame.left))}" fill="${colourOf(index)}"><title>${escape(judge)}: ${value.toFixed(3)}</title></rect>`;
    })];
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const grid = ticks.map((tick) => `<path class="grid" d="M${round(toX(frame, tick))} 8V${frame.height - 46}"/><text class="tick" x="${round(toX(frame, tick))}" y="${frame.height - 30}" text-anchor="middle">${tick.toFixed(2)}</text>`);
  const what = isBad ? 'share of the bad releases rolled back within 30 points' : 'share of the releases rolled back within 30 points, none of them to blame';
  const label = `<text class="label" x="${frame.width - 12}" y="${frame.height - 8}" text-anchor="end">${what}</text>`;
  return picture(frame, isBad ? 'Recall by scenario' : 'Rolled back for nothing, by scenario', grid.join('') + bars.join('') + label);
};

/** Numbered as the dots of precision against recall are. */
export const legend = (names: readonly string[]): string =>
  `<ul class="legend">${names.map((name, index) => `<li><i style="background:${colourOf(index)}"></i>${index + 1} ${escape(name)}</li>`).join('')}</ul>`;
