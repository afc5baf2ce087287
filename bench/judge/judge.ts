// What a judge under test is: called at every new point after the release, with everything up to that point, and without memory.
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import type { Series } from '../../lambdas/statistics/series.ts';
import type { Service } from './subject.ts';

export interface View {
  readonly service: Service;
  readonly controls: readonly Service[];
  readonly release: number;
  /** Points after the release so far. */
  readonly seen: number;
  readonly stepSeconds: number;
}

export interface Judge {
  readonly name: string;
  /** Called once a release, with the history up to it: a peer may set its thresholds. What it returns says whether to roll back now. */
  readonly begin: (atRelease: View) => (now: View) => boolean;
}

export const seriesOf = (service: Service): Series[] => {
  const { requests, errors, latency } = service;
  return [
    ...(errors && requests ? [{ name: 'error rate', kind: 'errors' as const, values: errors, requests }] : []),
    ...(latency ? [{ name: 'latency', kind: 'latency' as const, values: latency, ...(requests ? { requests } : {}) }] : []),
    ...(requests ? [{ name: 'traffic', kind: 'traffic' as const, values: requests }] : []),
  ];
};

export const questionOf = ({ service, controls, release, stepSeconds }: View): Parameters<typeof judgeRelease>[0] => ({
  series: seriesOf(service),
  controls: controls.map((control, index) => ({ name: `service ${index + 1}`, series: seriesOf(control) })),
  releaseIndex: release,
  periodSeconds: stepSeconds,
});

const isWorse = (view: View): boolean => judgeRelease(questionOf(view)).verdict === 'worse';

/** Stateless: each look starts from nothing. */
export const ripcord: Judge = { name: 'Ripcord', begin: () => isWorse };
