// A release that shares its traffic with the version before: what is found in the metrics of both.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import { findInMetrics } from '../../../lambdas/domain/metric-findings.ts';
import type { MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { shiftPlan } from '../../../lambdas/domain/shift-plan.ts';
import { alarm, minute, neighbour, question, quiet, release, sick } from './samples.ts';
import { alias, canary, configured, end, planned, type Served, shifting, type Version, web } from './shift-samples.ts';

/** A version with a part of a thousand requests a minute since a minute, of which a share fails. */
const version = (part: number, over: { from?: number; until?: number; errors?: (m: number) => number; latency?: (m: number) => number; all?: number } = {}): Version => (m): Served | null => {
  const { from = 0, until = Infinity, errors = () => 0.001, latency = () => 100, all = 1000 } = over;
  if (m < from || m >= until) return null;
  const requests = Math.round((m < 0 ? 1 : part) * all * (1 + 0.05 * Math.sin(m)));
  return { requests, errors: Math.round(requests * errors(m)), latency: latency(m) };
};
const six = (part: number, over: Parameters<typeof version>[1] = {}): Version => version(part, { from: -Infinity, ...over });
const plan = planned({ fn: alias }) ?? (() => { throw new Error('no plan'); })();
const found = (versions: readonly [Version, Version, ...Version[]], controls: Parameters<typeof shifting>[2] = {}, of = plan) => findInMetrics(shifting(of, versions, controls), { id: of.releaseId, startedAt: minute(0) }, minute(end));

describe('what is found in them', () => {
  const broken = { errors: () => 0.5 };

  it('is the harm of a new version with a twentieth of the traffic, and how the version before is in the same minutes', () => {
    const harm = found([version(0.05, broken), six(0.95)]);
    expect(harm?.verdict).toBe('worse');
    expect(harm?.since).toBe(minute(0));
    expect(harm?.text).toMatch(/^version 7 fails 50 % of its requests, version 6 at the same minutes 0\.1\d? %/);
    expect(harm?.text).toContain('ROLL BACK: version 7 error rate 50.5 %');
  });

  it('is not seen in the alias as a whole: a small canary is drowned in what is usual there', () => {
    const noisy = { errors: (m: number) => 0.02 + 0.015 * Math.sin(m / 7) };
    const both: [Version, Version] = [version(0.05, { errors: (m) => noisy.errors(m) + 0.3 }), six(0.95, noisy)];
    const { shift: _shift, ...whole } = shifting(plan, both);
    expect(findInMetrics(whole, { startedAt: minute(0) }, minute(end))?.verdict).not.toBe('worse');
    expect(found(both)?.verdict).toBe('worse');
  });

  const since = (from: number) => ({ errors: (m: number) => (m >= from ? 0.3 : 0.001) });
  const flat = { payments: six(1), search: six(1), stock: six(1) };

  it('is unrelated when both versions have it, where no declared control is, or it began long after the first requests', () => {
    for (const [from, controls] of [[2, {}], [7, flat]] as const) {
      const shared = found([version(0.1, since(from)), six(0.9, since(from))], controls);
      expect(shared?.verdict).toBe('unrelated');
      expect(shared?.text).toContain('version 6 got worse as well.');
    }
  });

  it('is for the whole to say when both versions have it from the first requests on, and nobody else has: the new one may break what both use', () => {
    const shared = found([version(0.1, since(1)), six(0.9, since(1))], flat);
    expect(shared?.verdict).toBe('worse');
    expect(shared?.text).toContain('ROLL BACK: error rate');
    expect(shared?.isBesideVersion).toBeUndefined();
    expect(found([version(0.1, since(1)), six(0.9, since(1))], { payments: six(1, since(1)) })?.verdict).toBe('unrelated');
  });

  it('is worse however sick the declared controls are, where the version before is well', () => {
    const elsewhere = { payments: six(1, { errors: (m) => (m >= 0 ? 0.4 : 0.001) }), search: six(1, { errors: (m) => (m >= 0 ? 0.4 : 0.001) }) };
    expect(found([version(0.1, broken), six(0.9)], elsewhere)?.verdict).toBe('worse');
  });

  it('is what the declared controls say, where the version before has too few requests to speak', () => {
    const bad = { errors: (m: number) => (m >= 2 ? 0.3 : 0.001) };
    const controls = { payments: six(1, bad) };
    const last = six(0.004, { errors: () => 0 });
    expect(found([version(0.996, bad), last], controls)?.verdict).toBe('unrelated');
    expect(found([version(0.996, bad), last])?.verdict).toBe('worse');
  });

  it('is unknown, neither harm nor quiet, with few requests, and told as such', () => {
    const few = found([version(0.001, { errors: () => 1 }), six(0.999)]);
    expect(few?.verdict).toBe('unknown');
    expect(few?.text).toContain('version 7 has had 12 requests so far, too few to say anything.');
    expect(found([version(0.1, { until: 1 }), six(0.9)])?.text).toContain('version 7 has had no requests lately.');
    const none = found([version(0.1, { from: Infinity }), six(1)]);
    expect(none?.verdict).toBe('unknown');
    expect(none?.text).toContain('version 7 has had no requests yet.');
  });

  it('is quiet for a good version, whose share of the requests accuses nobody', () => {
    expect(found([version(0.5), six(0.5)], { payments: six(1) })?.verdict).toBe('quiet');
  });

  it('is a slower version, but only with requests enough for its percentile', () => {
    const slow = { latency: () => 180 };
    const seen = found([version(0.3, slow), six(0.7)]);
    expect(seen?.verdict).toBe('worse');
    expect(seen?.text).toContain('it answers in 18');
    expect(found([version(0.05, slow), six(0.95)])?.verdict).toBe('unknown');
  });

  it('is compared with the declared controls in what the version before has too few requests for', () => {
    const slow = { latency: (m: number) => (m >= 2 ? 220 : 100) };
    const everywhere = { payments: six(1, slow), search: six(1, slow) };
    const [most, few] = [version(0.9, slow), six(0.1, slow)];
    expect(found([most, few], everywhere)?.verdict).toBe('unrelated');
    expect(found([most, few], { payments: six(1), search: six(1) })?.verdict).toBe('worse');
  });

  it('accuses nobody by itself when it began before the release did', () => {
    const both = (from: number): [Version, Version] => {
      const late = version(0.05, { ...broken, from });
      return [(m) => (m < 0 && m >= from ? { requests: 50, errors: 25, latency: 100 } : late(m)), six(0.95, { errors: (m) => 0.05 + 0.03 * Math.sin(m / 7) })];
    };
    const early = found(both(-4));
    expect(early?.verdict).not.toBe('worse');
    expect(early?.text).toContain('By itself the new version looks worse, but it began before the release did.');
    expect(found(both(0))?.verdict).toBe('worse');
  });

  it('accuses nobody by itself where the service as a whole had it before', () => {
    const sickBefore = six(0.95, { errors: (m) => (m >= -9 && m < 0 ? 0.4 : 0.001) });
    const both = found([version(0.3, broken), sickBefore]);
    expect(both?.verdict).not.toBe('worse');
  });

  it.each<[string, string, Version, Version]>([
    ['fewer than ten failed requests', 'only 6 of its requests failed', (m) => (m < 0 ? null : { requests: 30, errors: m % 2 }), six(0.95)],
    ['smoke tests on an idle side', 'smoke tests', (m) => (m < 0 ? null : { requests: 6, errors: 2 }), six(1)],
    ['a client that failed before, and sticks to the new version since', 'both versions together fail hardly more', (m) => (m < 0 ? null : { requests: 40, errors: 2 }), (m) => ({ requests: 500, errors: m < 0 && m > -40 ? 2 : 0 })],
  ])('accuses nobody by itself for %s', (_, why, now, then) => {
    const doubted = found([now, then]);
    expect(doubted?.verdict).toBe('unknown');
    expect(doubted?.text).toContain('By itself the new version looks worse, but ');
    expect(doubted?.text).toContain(why);
  });

  it('has what a load balancer answers itself on nobody\'s account, and is not said to fail nothing', () => {
    // Every fifth request of the service has no answer of a target, and the other service that stands behind the same network none either.
    const reading = shifting(plan, [version(0.1, { errors: () => 0 }), six(0.9)], { other: six(1, since(1)) });
    const refused = (errors: MetricsRead['metrics'][number]['errors']) => errors?.map((failed, index) => (failed ?? 0) + (index >= errors.length - end + 1 ? 200 : 0)) ?? null;
    const [shop] = reading.metrics;
    const seen = { ...reading, metrics: shop === undefined ? [] : [{ ...shop, errors: refused(shop.errors) }] };
    const shared = findInMetrics(seen, { id: plan.releaseId, startedAt: minute(0) }, minute(end));
    expect(shared?.verdict).toBe('unrelated');
    expect(shared?.text).toContain('other got worse as well.');
    expect(shared?.text).toMatch(/^version 7 answers none of its requests with an error itself, version 6 at the same minutes 0\.1\d? %; 2,000 further failed requests/);
    const alone = findInMetrics({ ...seen, controls: [] }, { id: plan.releaseId, startedAt: minute(0) }, minute(end));
    expect(alone?.verdict).toBe('worse');
    expect(alone?.text).not.toContain('fails 0 %');
  });

  it('is no doubt about the service that a version has no request a quarter of an hour later: its release moves nothing here', () => {
    const idle = shifting(plan, [version(0, { from: Infinity }), six(1)]);
    const at = (m: number) => findInMetrics(idle, { id: plan.releaseId, startedAt: minute(0) }, minute(m))?.verdict;
    expect([at(14), at(15)]).toEqual(['unknown', 'quiet']);
  });

  it('is not looked for under numbers that no request of the alias ever had', () => {
    expect(shifting(plan, [version(0, { from: Infinity }), version(0, { from: Infinity })]).shift).toBeUndefined();
  });

  it('is as ever once the release is over, or when another release is asked about', () => {
    const reading = shifting(plan, [version(0.05, broken), six(0.95)]);
    const { shift: _shift, ...whole } = reading;
    expect(findInMetrics(reading, release({ startedAt: minute(0) }), minute(end))).toEqual(findInMetrics(whole, release({ startedAt: minute(0) }), minute(end)));
  });

  it('is not waited for while another Region is silent: the version before has spoken', () => {
    const reading = { ...shifting(plan, [version(0.05, { errors: (m) => (m >= 5 ? 0.5 : 0.001) }), six(0.95)]), unread: [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'timeout' }] };
    const young = findInMetrics(reading, { id: plan.releaseId, startedAt: minute(0) }, minute(end));
    expect(young?.verdict).toBe('worse');
  });

  it('is not waited for because a latency, of which the version before cannot speak, is worse as well', () => {
    const both = (latency: number): [Version, Version] => [version(0.9, { errors: (m) => (m >= 5 ? 0.5 : 0.001), latency: (m) => (m >= 5 ? latency : 100) }), six(0.1)];
    const unread = [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'timeout' }];
    const verdict = (latency: number) => findInMetrics({ ...shifting(plan, both(latency)), unread }, { id: plan.releaseId, startedAt: minute(0) }, minute(end))?.verdict;
    expect([verdict(100), verdict(300)]).toEqual(['worse', 'worse']);
  });
});

describe('the two sides of weighted target groups', () => {
  const sides = shiftPlan(configured({ web }, [{ kind: 'alb-target-group', loadBalancer: 'app/shop/1', percentile: 'p50' }]), canary({ id: 'r-2', origin: 'event' }), minute(end)) ?? plan;

  it('are told apart by who served before the release', () => {
    const [bad, good] = [version(0.05, { errors: () => 0.5 }), six(0.95)];
    expect(found([good, bad], {}, sides)?.text).toMatch(/^green fails 50 % of its requests, blue at the same minutes 0\.1\d? %/);
    expect(found([bad, good], {}, sides)?.text).toMatch(/^blue fails 50 % of its requests, green at the same minutes 0\.1\d? %/);
  });

  it('are told apart by the last minutes before the release, not by an hour in which the other one served most', () => {
    // Green has served for a quarter of an hour, badly; its mend comes to blue.
    const mend: Version = (m) => (m < -15 ? { requests: 600, errors: 1 } : m < 0 ? null : { requests: 60, errors: 0 });
    const bad: Version = (m) => (m < -15 ? null : { requests: m < 0 ? 600 : 540, errors: 120 });
    const mended = found([mend, bad], {}, sides);
    expect(mended?.verdict).toBe('unrelated');
    expect(mended?.text).toMatch(/^blue fails 0 % of its requests, green at the same minutes 22 %/);
    expect(shifting(sides, [(m) => (m < -5 ? { requests: 600, errors: 1 } : null), (m) => (m < -5 ? null : { requests: 600, errors: 1 })]).shift).toBeUndefined();
  });

  it('are left alone where both served before alike', () => {
    const half = (m: number): Served => ({ requests: 500, errors: m >= 0 ? 200 : 1 });
    expect(shifting(sides, [half, half]).shift).toBeUndefined();
  });

  it('are left alone where both served long before the release, which then is no shift between them', () => {
    const [most, least] = [six(1), (m: number): Served => ({ requests: 100, errors: m >= 0 ? 50 : 0, latency: 100 })];
    expect(shifting(sides, [most, least]).shift).toBeUndefined();
    expect(found([most, least], {}, sides)?.verdict).not.toBe('unrelated');
    const late: Version = (m) => (m >= -19 ? { requests: 100, errors: 1, latency: 100 } : null);
    expect(shifting(sides, [most, late]).shift?.pairs[0]?.released.requests).toHaveLength(end + 19);
  });

  it('have before the release what both served, the other way round yesterday', () => {
    const blue = six(0.95);
    const yesterday: Version = (m) => (m < -600 ? { requests: 900, errors: 1, latency: 90 } : null);
    const reading = shifting(sides, [(m) => (m < -600 ? null : blue(m)), (m) => (m < -600 ? yesterday(m) : version(0.05)(m))]);
    const [pair] = reading.shift?.pairs ?? [];
    expect(pair?.usual.requests).toHaveLength(1440 - end);
    expect([pair?.usual.requests[0], pair?.usual.latency?.[0], pair?.usual.latency?.at(-1)]).toEqual([900, expect.closeTo(90, -1), expect.closeTo(100, -1)]);
    expect([pair?.released.name, pair?.released.requests.length, pair?.before.name]).toEqual(['green', end, 'blue']);
  });
});

describe('a decision', () => {
  it('counts them as the metrics\' one signal, knows that nobody shares the harm, and comes to the same verdict from what is kept', () => {
    const metrics = shifting(plan, [version(0.05, { errors: () => 0.5 }), six(0.95)]);
    const asked = question({
      now: minute(end), metrics, alarms: [alarm('5xx', { fault: { from: minute(3), to: minute(4) } }), quiet('latency')],
      releases: [release({ id: plan.releaseId, version: '7', previousVersion: '6', startedAt: minute(0), finishedAt: null, status: 'in-progress', origin: 'lambda-alias' })],
    });
    const decided = decide(asked);
    expect(decided.signals.find(({ kind }) => kind === 'metrics')).toMatchObject({ status: 'firing', summary: expect.stringContaining('version 7 fails 50 %') as string });
    expect(decided.verdict).toBe('roll-back');
    expect(decide(JSON.parse(JSON.stringify(asked)) as typeof asked)).toEqual(decided);
    expect(decided.suspects[0]?.reasons.map(({ text }) => text)).toContain('metrics got worse after it began');
  });

  it('takes a harm that the version before does not have for more than a sick dependency explains', () => {
    const metrics = shifting(plan, [version(0.05, { errors: () => 0.5 }), six(0.95)]);
    const { shift, ...whole } = metrics;
    const [pair] = shift?.pairs ?? [];
    // The same harm, and a version before that had nothing to do in these minutes.
    const alone = { ...metrics, shift: { releaseId: plan.releaseId, pairs: pair === undefined ? [] : [{ ...pair, before: { ...pair.before, requests: pair.before.requests.map(() => 0) } }] } };
    const share = (read: typeof metrics) => decide(question({
      now: minute(end), metrics: read, neighbours: [neighbour({ alarms: sick })], alarms: [alarm('5xx'), alarm('latency')],
      releases: [release({ id: plan.releaseId, startedAt: minute(0), finishedAt: null, status: 'in-progress', origin: 'lambda-alias' })],
    })).suspects.find(({ kind }) => kind === 'release')?.share ?? 0;
    expect(share(metrics)).toBeGreaterThan(share(alone) + 0.1);
    expect(whole.controls).toEqual([]);
  });

  it('keeps a reading of many columns small, and the versions whole', () => {
    const controls = Object.fromEntries(Array.from('abcdefghijklmn').map((name) => [name, six(1, { all: 1_234_567 })]));
    const reading = shifting(plan, [version(0.05), six(0.95)], controls);
    const [pair] = reading.shift?.pairs ?? [];
    expect(JSON.stringify(reading).length).toBeLessThan(200_000);
    expect([pair?.released.requests.length, pair?.before.requests.length]).toEqual([end, end]);
    expect(reading.metrics[0]?.requests.length).toBeLessThan(1440);
    expect((pair?.usual.requests.length ?? 0) + end).toBe(reading.metrics[0]?.requests.length);
    expect(findInMetrics(reading, { id: plan.releaseId, startedAt: minute(0) }, minute(end))).not.toBeNull();
  });
});
