// A service with a request a minute after its rollback: what its metrics cannot tell, what stands in for them, and what never does.
import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../lambdas/config/schema.ts';
import type { MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { judgeRound, type ProofQuestion } from '../../../lambdas/domain/proof.ts';
import { minute } from './samples.ts';
import { serviceInput } from '../assess-rig.ts';

const until = 22;
/** So many requests in a minute, of which so many fail. */
interface Made { readonly requests?: (m: number) => number | null; readonly errors?: (m: number) => number; readonly latency?: (m: number) => number | null }
/** Released at minute -5, changed at 7: a request a minute, every second of which fails in between. */
function hour({ requests = () => 1, errors = (m) => (m >= -5 && m < 7 && m % 2 === 0 ? 1 : 0), latency }: Made = {}): MetricsRead {
  const minutes = Array.from({ length: 1440 }, (_, index) => until - 1440 + index);
  const counts = minutes.map((m) => requests(m));
  return {
    status: 'read', end: minute(until), controls: [],
    metrics: [{ name: 'shop', requests: counts, errors: minutes.map((m, index) => (counts[index] === null ? null : errors(m))), latency: latency === undefined ? null : minutes.map((m) => latency(m)) }],
  };
}
const passed = { journey: 'buy', ok: true, durationMs: 3, failedAt: null, reason: null };
const ok = { name: '5xx', state: 'OK' as const, evaluationState: null, reason: '' };
const why = 'nobody uses it at night, and its journeys do all that users do';

const round = (over: Partial<ProofQuestion> = {}, verification: Partial<ProofQuestion['verification']> = {}): ProofQuestion => ({
  purpose: 'proof', verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 900, ...verification }, since: minute(7), releaseStartedAt: minute(-5), passes: 40,
  alarmsAtStart: [], isLeaseHeld: true, live: [{ stepId: 'alb-weights/web', answer: 'yes', detail: '' }], journeys: { at: minute(22), results: [passed] }, alarms: [ok], metrics: hour(), ...over,
});
const told = (question: ProofQuestion) => {
  const { answer, reasons, triesNoMore } = judgeRound(question);
  return { answer, triesNoMore, codes: reasons.map(({ code }) => code), text: reasons.map(({ text }) => text).join('\n') };
};
const declared = { fewRequests: why };

describe('without a word about it', () => {
  it('a person is called at the deadline, who reads how few requests there were and that the journeys passed; no other way back is tried', () => {
    const late = told(round());
    expect(late).toMatchObject({ answer: 'still-bad', triesNoMore: true, codes: ['deadline', 'metrics-few-requests', 'journeys-passed'] });
    expect(late.text).toContain('Too little traffic to tell from the metrics whether it is over: 15 requests in the 15 minutes since the change, where 1 a minute are usual; none failed lately.');
    expect(late.text).toContain('1 journey passed in 41 rounds in a row.');
  });

  it('nothing is proven before it either', () => {
    expect(told(round({}, { deadlineSeconds: 3600 }))).toMatchObject({ answer: 'not-yet', codes: ['metrics-few-requests'] });
  });

  it('the next way back is tried where anything else is open: a journey that fails, an alarm that fires, a request that failed', () => {
    const open: Partial<ProofQuestion>[] = [
      { journeys: { at: minute(22), results: [{ ...passed, ok: false }] } }, { alarms: [{ ...ok, state: 'ALARM' }] }, { metrics: hour({ errors: (m) => (m >= -5 && m % 2 === 0 ? 1 : 0) }) },
      { live: [{ stepId: 'alb-weights/web', answer: 'not-yet', detail: '' }] },
    ];
    expect(open.map((over) => told(round(over)).triesNoMore)).toEqual(open.map(() => undefined));
    expect(told(round({ journeys: { at: minute(22), results: [{ ...passed, ok: false }] } })).codes).not.toContain('journeys-passed');
  });
});

describe('where the service says that journeys prove it then', () => {
  const proven = (over: Partial<ProofQuestion> = {}) => told(round(over, { ...declared, deadlineSeconds: 3600 }));

  it('the service has recovered, and the proof says by what', () => {
    const said = proven();
    expect(said).toMatchObject({ answer: 'recovered', codes: ['journeys-passed', 'alarms-ok', 'metrics-few-requests', 'live-as-planned', 'proven-by-journeys'] });
    expect(said.text).toContain(why);
  });

  it('alarms without data do not count, those that nobody could evaluate or that are gone do', () => {
    const alarms = (state: 'INSUFFICIENT_DATA' | 'missing', evaluationState: string | null = null) => proven({ alarms: [ok, { ...ok, name: 'share', state, evaluationState }] });
    expect(alarms('INSUFFICIENT_DATA')).toMatchObject({ answer: 'recovered', codes: expect.arrayContaining(['alarm-without-traffic']) as unknown });
    expect([alarms('missing'), alarms('INSUFFICIENT_DATA', 'EVALUATION_ERROR')].map(({ codes }) => codes)).toEqual([['alarm-no-data', 'proven-by-journeys'], ['alarm-no-data', 'proven-by-journeys']]);
    expect(told(round({ alarms: [{ ...ok, state: 'INSUFFICIENT_DATA' }] }, { deadlineSeconds: 3600 })).codes).toEqual(['metrics-few-requests', 'alarm-no-data']);
  });

  it('not without a journey, not with one that fails, not before as many rounds as it asks for', () => {
    expect(proven({ journeys: { at: minute(22), results: [] } }).answer).toBe('not-yet');
    expect(proven({ journeys: { at: minute(22), results: [{ ...passed, ok: false }] } }).answer).toBe('not-yet');
    expect(proven({ passes: 1 }).answer).toBe('not-yet');
  });

  it('not while one of those few requests failed lately', () => {
    expect(proven({ metrics: hour({ errors: (m) => (m === 15 || (m >= -5 && m < 7 && m % 2 === 0) ? 1 : 0) }) })).toMatchObject({ answer: 'not-yet', codes: ['metrics-few-requests'], text: expect.stringContaining('1 failed lately') as string });
  });

  it('not in the first minutes, in which the metrics have not spoken yet', () => {
    expect(proven({ since: minute(18) }).codes).toEqual(['metrics-not-yet']);
  });

  it('not where requests were lost: few that are usual are no quiet hour\'s', () => {
    const lost = (usual: number, now: number) => proven({ metrics: hour({ requests: (m) => (m < 7 ? usual : m % Math.round(1 / now) === 0 ? 1 : null) }) }).codes;
    expect(lost(1, 0.5)).toContain('metrics-few-requests');
    expect(lost(20, 0.5)).toEqual(['metrics-not-yet']);
    expect(proven({ metrics: hour({ requests: (m) => (m < 7 ? 1 : null) }) }).codes).toEqual(['metrics-not-yet']);
  });

  it('not where a metric is missing though requests come', () => {
    const latency = (m: number): number | null => (m < 7 ? 100 : null);
    expect(proven({ metrics: hour({ requests: () => 30, errors: () => 0, latency }) }).codes).toEqual(['metrics-not-yet']);
  });

  it('not where only some of the signals have too few', () => {
    const slow = (m: number): number => (m >= -5 ? 500 : 100);
    const errors = (m: number): number => (m >= -5 && m < 7 && m % 6 === 0 ? 1 : 0);
    expect(proven({ metrics: hour({ requests: () => 2, errors, latency: () => 100 }) }).codes).toContain('metrics-few-requests');
    expect(proven({ metrics: hour({ requests: () => 2, errors, latency: slow }) }).codes).toEqual(['metrics-still-bad']);
  });

  it('and not where the metrics tell: enough requests have their own say, good or bad', () => {
    const busy = (errors: Made['errors']) => proven({ metrics: hour({ requests: () => 100, ...(errors === undefined ? {} : { errors }) }) });
    expect(busy((m) => (m >= -5 && m < 7 ? 50 : 0)).codes).toContain('metrics-recovered');
    expect(busy((m) => (m >= -5 ? 50 : 0))).toMatchObject({ answer: 'still-bad', codes: ['metrics-still-bad'] });
  });
});

describe('what the catalogue says of it', () => {
  it('takes a reason, and comes with journeys alone', () => {
    const parse = (fewRequests: object) => serviceSchema.safeParse({ ...serviceInput, verification: { fewRequests } });
    expect(parse({ journeys: why }).data?.verification).toMatchObject({ fewRequests: { journeys: why } });
    expect([parse({ journeys: 'so' }).success, parse({}).success]).toEqual([false, false]);
  });
});
