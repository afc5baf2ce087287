// Parts of the incident report: the folded timeline, and how many requests failed.
import { describe, expect, it } from 'vitest';
import { type AuditRow, genesis } from '../../lambdas/audit/entry.ts';
import type { Touched } from '../../lambdas/domain/vocabulary.ts';
import { failedRequests } from '../../lambdas/runtime/incident-impact.ts';
import { incidentReport } from '../../lambdas/runtime/incident-report.ts';
import { timeline } from '../../lambdas/runtime/incident-timeline.ts';
import { endingOf } from '../../lambdas/runtime/report-outcome.ts';
import { assessment, reportInput } from './report-samples.ts';

const row = (seq: number, kind: string, data: unknown): AuditRow => ({
  rollbackId: 'rb-1', seq, at: `2026-11-20T09:${String(seq).padStart(2, '0')}:00.000Z`, kind, service: 'checkout', data: typeof data === 'string' ? data : JSON.stringify(data), previousHash: '', hash: '',
});
const waits = (seq: number, text: string): AuditRow => row(seq, 'verified', { answer: 'not-yet', reasons: [{ code: 'x', text }] });

describe('the timeline', () => {
  it('folds rounds that proved nothing yet into one line, with their count and what was missing at last', () => {
    expect(timeline([row(0, 'assessed', { verdict: 'roll-back' }), waits(1, 'Alarm 5xx is in ALARM.'), waits(2, '1 of 3 rounds in a row passed.'), waits(3, '2 of 3 rounds in a row passed.'), row(4, 'verified', { answer: 'recovered' }), waits(5, 'Alarm 5xx is in ALARM.')])).toEqual([
      '2026-11-20 09:00:00 UTC assessed: roll-back',
      '2026-11-20 09:01:00 UTC to 2026-11-20 09:03:00 UTC verified: not-yet, 3 rounds; missing at last: 2 of 3 rounds in a row passed.',
      '2026-11-20 09:04:00 UTC verified: recovered',
      '2026-11-20 09:05:00 UTC verified: not-yet, 1 round; missing: Alarm 5xx is in ALARM.',
    ]);
  });

  it('folds nothing else, also when a row is not JSON', () => {
    expect(timeline([row(0, 'verified', 'not JSON'), row(1, 'verified', { answer: 'still-bad' }), row(2, 'verified', { answer: 'still-bad' }), waits(3, 'x'), row(4, 'announced', {}), waits(5, 'x')])).toHaveLength(6);
  });

  it('ends with how many rows are left', () => {
    const lines = timeline([...Array.from({ length: 400 }, (_, seq) => row(seq % 60, 'announced', {})), row(0, 'sealed', {})]);
    expect([lines.length, lines.at(-1)]).toEqual([401, '… 1 more row in the audit.']);
  });
});

describe('the release', () => {
  const bad = assessment().release ?? (() => { throw new Error('the sample has a release'); })();
  const written = (touched: readonly Touched[]): string => {
    const input = reportInput({ assessment: assessment({ release: { ...bad, touched } }) });
    return incidentReport({ input, ending: endingOf(input), rows: [], head: genesis, endedAt: '2026-11-20T09:17:00.000Z' });
  };

  it('is said to have touched what its pipeline says, and nothing that is only assumed', () => {
    expect(written(['code', 'database'])).toContain('; touched code, database\n');
    expect(written([])).toContain('; nobody said what it touched, taken as code\n');
  });
});

describe('failed requests', () => {
  const read = (over: object = {}) => ({ question: { metrics: {
    status: 'read', end: '2026-11-20T09:20:00.000Z', controls: [],
    metrics: [{ name: 'shop', requests: [100, 100, 100, 100, null], errors: [50, 10, 20, 30, null], latency: null }, { name: 'slow', requests: [5], errors: null, latency: [1] }], ...over,
  } } });

  it('are counted from the fault to the last decision, whole minutes', () => {
    expect(failedRequests([row(0, 'assessed', read()), row(1, 'assessed', {})], '2026-11-20T09:16:30.000Z')).toEqual([
      'Failed requests (shop): 60 of 300 (20.0 %) in the 4 minutes before 2026-11-20 09:20:00 UTC, when the last decision was made; what failed later is not in it.',
    ]);
  });

  it.each<[string, readonly AuditRow[], string | null]>([
    ['no metrics', [row(0, 'assessed', { question: {} })], '2026-11-20T09:16:30.000Z'],
    ['metrics that could not be read', [row(0, 'assessed', { question: { metrics: { status: 'unknown', why: 'x' } } })], '2026-11-20T09:16:30.000Z'],
    ['no begin', [row(0, 'assessed', read())], null],
    ['a begin after what was read', [row(0, 'assessed', read())], '2026-11-20T09:30:00.000Z'],
    ['minutes without data', [row(0, 'assessed', read())], '2026-11-20T09:19:30.000Z'],
    ['a row that is not JSON', [row(0, 'assessed', '{')], '2026-11-20T09:16:30.000Z'],
  ])('are not measured with %s', (_name, rows, from) => {
    expect(failedRequests(rows, from)).toEqual(['Failed requests: not measured.']);
  });
});
