// Kayenta's judge (Netflix and Google, 2018): rank test of the points after the release against as many before it; one bad metric fails.
import type { Judge } from '../judge.ts';
import { horizon } from '../cases.ts';
import { levelsOf, present } from './levels.ts';
import { rankTest } from './mann-whitney.ts';

export interface KayentaSettings {
  /** Points after the release before it speaks for the first time. */
  readonly from: number;
  /** Normal quantile of its two-sided confidence: 2.326 is the 98 % it comes with. */
  readonly z: number;
  /** Smallest ratio of means for a metric to count (`effectSize`); 1 is the default, every significant move counts. */
  readonly effect: number;
}

/** High when the interval of the shift lies above a quarter of the estimated shift, the tolerance that Kayenta comes with. */
const tolerance = 0.25;

const mean = (values: Float64Array): number => values.reduce((total, value) => total + value, 0) / values.length;

export const kayenta = (name: string, { from, z, effect }: KayentaSettings): Judge => ({
  name,
  begin: () => (view) => view.seen >= from && levelsOf(view.service).some(({ values, kind }) => {
    const control = present(values, view.release - horizon, view.release);
    const experiment = present(values, view.release, view.release + view.seen);
    if (control.length < 5 || experiment.length < 5) return false;
    const { shift, low } = rankTest(control, experiment, z);
    if (!(low > tolerance * Math.abs(shift))) return false;
    const ratio = kind === 'traffic' ? mean(control) / mean(experiment) : mean(experiment) / mean(control);
    return !(ratio < effect);
  }),
});

export const kayentaDefault = kayenta('Kayenta, default, after 30 points', { from: horizon, z: 2.326, effect: 1 });
