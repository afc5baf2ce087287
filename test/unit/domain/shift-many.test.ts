// Three target groups or more: the one that is new, beside all others together.
import { describe, expect, it } from 'vitest';
import { findInMetrics } from '../../../lambdas/domain/metric-findings.ts';
import { shiftPlan } from '../../../lambdas/domain/shift-plan.ts';
import { minute } from './samples.ts';
import { canary, configured, elb, end, shifting, type Version, web } from './shift-samples.ts';

const three = { web: { ...web, targetGroups: { ...web.targetGroups, red: `${elb}targetgroup/red/3` } } };
const plan = shiftPlan(configured(three, [{ kind: 'alb-target-group', loadBalancer: 'app/shop/1', percentile: 'p50' }]), canary({ id: 'r-2', origin: 'event' }), minute(end)) ?? (() => { throw new Error('no plan'); })();
/** Blue, green and red. */
const shared = (...sides: [Version, Version, Version]) => shifting(plan, sides);
const found = (...sides: [Version, Version, Version]) => findInMetrics(shared(...sides), { id: plan.releaseId, startedAt: minute(0) }, minute(end));

const serving = (requests: number, { from = -Infinity, until = Infinity, share = 0.001, latency = 100 } = {}): Version => (m) => (m < from || m >= until ? null : { requests, errors: Math.round(requests * share), latency });
/** A third side that has had a part of the traffic all along. */
const red = serving(200);
const sick = (over: Parameters<typeof serving>[1] = {}): Version => serving(60, { from: 0, share: 0.5, ...over });

describe('of three target groups', () => {
  it('the new one is found by itself, beside both others together', () => {
    const harm = found(serving(740), sick(), red);
    expect(harm).toMatchObject({ verdict: 'worse', isBesideVersion: true });
    expect(harm?.text).toMatch(/^green fails 50 % of its requests, blue and red at the same minutes 0\.1\d? %/);
    const [pair] = shared(serving(740), sick(), red).shift?.pairs ?? [];
    expect([pair?.before.requests[0], pair?.before.errors?.[0], pair?.usual.requests.at(-1)]).toEqual([940, 1, 940]);
  });

  it('the new one is not blamed for what both others have', () => {
    const ill = (requests: number): Version => (m) => ({ requests, errors: m >= 4 ? Math.round(requests / 3) : 1, latency: 100 });
    const shares = found(ill(740), (m) => (m < 0 ? null : ill(60)(m)), ill(200));
    expect(shares?.verdict).toBe('unrelated');
    expect(shares?.text).toContain('blue and red got worse as well.');
  });

  it('the new one may be any of them, and recorded some minutes late', () => {
    expect(found(sick({ from: -8 }), serving(740), red)?.text).toMatch(/^blue fails 50 % of its requests, green and red/);
    expect(shared(serving(740), sick({ from: -19 }), red).shift?.pairs).toHaveLength(1);
    expect(shared(serving(740), sick({ from: -21 }), red).shift).toBeUndefined();
  });

  it('one that was idle for more than an hour stands for nothing, but yesterday\'s traffic is what was usual', () => {
    const idle = serving(500, { until: -61 });
    const reading = shared(serving(740), sick(), idle);
    const [pair] = reading.shift?.pairs ?? [];
    expect([pair?.before.name, pair?.usual.requests[0]]).toEqual(['blue', 1240]);
  });

  it('none is new while the release has no traffic, when two came at once, or when nobody served before', () => {
    const none = serving(0, { until: -Infinity });
    expect(shared(serving(740), none, red).shift).toBeUndefined();
    expect(shared(serving(740), sick(), serving(60, { from: 2 })).shift).toBeUndefined();
    expect(shared(serving(740, { until: -6 }), sick(), none).shift).toBeUndefined();
  });

  it('the latency of the others counts where the larger of them has requests enough for its percentile', () => {
    const slow = { from: 0, latency: 190, share: 0.001 };
    const beside = (blue: number, other: number) => shared(serving(blue), serving(400, slow), serving(other)).shift?.pairs[0]?.before.latency?.at(-1) ?? null;
    expect([beside(300, 100), beside(150, 150)].map((latency) => latency !== null)).toEqual([true, false]);
  });
});
