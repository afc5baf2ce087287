// A Region that does not answer for its controls: whatever the metrics show, it makes no harm look shared, none look unshared, and hides nothing that was read.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../lambdas/domain/decide.ts';
import { findInMetrics, type MetricsFinding } from '../../lambdas/domain/metric-findings.ts';
import { minutesWaitedFor } from '../../lambdas/domain/metric-company.ts';
import type { MetricsRead } from '../../lambdas/domain/metrics.ts';
import { measured, reading, since } from '../unit/domain/metric-samples.ts';
import { alarm, minute, neighbour, question, quiet, release, sick } from '../unit/domain/samples.ts';
import { manyCases } from './many-cases.ts';

const runs = manyCases(150);
const unread = [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'no answer' }];
const end = 20;
const course = fc.record({ from: fc.integer({ min: -30, max: end }), errors: fc.constantFrom(0, 0.01, 0.05, 0.3), latency: fc.constantFrom(1, 1.5, 4), requests: fc.constantFrom(0, 3, 200, 1000) })
  .map(({ from, errors, latency, requests }) => ({ errors: since(from, errors), latency: since(from, latency, 1), requests: (m: number) => (m >= 0 ? requests : 1000), until: end, periods: 400 }));
const world: fc.Arbitrary<MetricsRead> = fc.tuple(course, fc.array(course, { maxLength: 2 })).map(([own, controls]) => reading(own, controls.map((one, index) => measured(`control-${index}`, one))));

const found = (metrics: MetricsRead): MetricsFinding | null => findInMetrics(metrics, release(), minute(end));

describe('beside a Region that does not answer', () => {
  it('a finding stays what it is, but for harm by the release that is younger than the wait', () => {
    fc.assert(fc.property(world, (metrics) => {
      const [heard, silent] = [found(metrics), found({ ...metrics, unread })];
      const isYoung = heard?.since != null && heard.since > minute(end - minutesWaitedFor);
      expect([silent?.verdict, silent?.since]).toEqual(heard?.verdict === 'worse' && isYoung ? ['unknown', null] : [heard?.verdict, heard?.since]);
      expect(silent?.text.includes('The controls of us-east-1 could not be read') ?? true).toBe(true);
    }), runs);
  });

  it('nothing is rolled back for metrics that would not roll it back without controls, and what was kept decides again the same', () => {
    fc.assert(fc.property(world, (metrics) => {
      const asked = question({ now: minute(end), startedAt: minute(end), alarms: [alarm('5xx'), quiet('latency')], neighbours: [neighbour({ alarms: sick })], metrics: { ...metrics, unread } });
      const said = decide(asked);
      const alone = decide({ ...asked, metrics: { ...metrics, controls: [] } });
      expect(said.verdict === 'roll-back' && alone.verdict !== 'roll-back').toBe(false);
      expect(decide(JSON.parse(JSON.stringify(asked)) as typeof asked)).toEqual(said);
    }), runs);
  });
});
