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
  /** True when it would roll back now. */
  readonly isWorse: (view: View) => boolean;
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

export const ripcord: Judge = { name: 'Ripcord', isWorse: (view) => judgeRelease(questionOf(view)).verdict === 'worse' };
