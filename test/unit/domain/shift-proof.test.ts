// What keeps a version from being accused beside the version before, and what the version before excuses in the whole: each guard by itself.
import { describe, expect, it } from 'vitest';
import { findInMetrics } from '../../../lambdas/domain/metric-findings.ts';
import type { MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { shiftPlan } from '../../../lambdas/domain/shift-plan.ts';
import { minute } from './samples.ts';
import { alias, canary, configured, end, planned, shifting, type Version, web } from './shift-samples.ts';

const plan = planned({ fn: alias }) ?? (() => { throw new Error('no plan'); })();
const found = (reading: MetricsRead, of = plan) => findInMetrics(reading, { id: of.releaseId, startedAt: minute(0) }, minute(end));
/** So many requests a minute from a minute on, a share of which fails. */
const served = (requests: (m: number) => number, share: (m: number) => number): Version => (m) => (requests(m) === 0 ? null : { requests: requests(m), errors: Math.round(requests(m) * share(m)) });
const newOne = (share: (m: number) => number, part = 300): Version => served((m) => (m < 0 ? 0 : part), share);
const oldOne = (share: (m: number) => number, part = 700): Version => served((m) => (m < 0 ? 1000 : part), share);

describe('harm that the whole had before the release', () => {
  // A client that began to fail six minutes before, and is served by the new version since.
  const fails = (before: number) => found(shifting(plan, [newOne(() => 0.2), oldOne((m) => (m < -6 ? 0.001 : m < 0 ? before : 0))]));

  it('accuses no new version, though far more of its own requests fail', () => {
    const known = fails(0.03);
    expect(known?.verdict).toBe('unrelated');
    expect(known?.text).toContain('By itself the new version looks worse, but the service as a whole had it before the release.');
  });

  it('is what the whole had in fact: without it the same version is accused', () => {
    expect(fails(0.001)).toMatchObject({ verdict: 'worse', isBesideVersion: true });
  });
});

describe('harm of the whole that the version before shares', () => {
  /** Both versions fail a fifth; of the whole there are so many more failed requests of a thousand, or fewer. */
  const whole = (more: number) => {
    const share = (m: number): number => (m >= 5 ? 0.2 : 0.001);
    const { metrics: [shop], ...reading } = shifting(plan, [newOne(share, 200), oldOne(share, 800)]);
    const errors = shop?.errors?.map((failed, index, all) => (failed ?? 0) + (index >= all.length - end + 5 ? more : 0)) ?? null;
    return found({ ...reading, metrics: shop === undefined ? [] : [{ ...shop, errors }] });
  };

  it('is excused where the two versions measure it: no fifth of it is anybody else\'s', () => {
    expect([0, 40].map((more) => whole(more)?.verdict)).toEqual(['unrelated', 'unrelated']);
  });

  it.each([['more than they do, as a load balancer that answers itself', 100], ['less than they do, as a part of the service', -100]])('is not excused where it counts %s', (_, more) => {
    expect(whole(more)).toMatchObject({ verdict: 'worse', text: expect.stringContaining('ROLL BACK: error rate') as string });
  });
});

describe('the side that was left', () => {
  const sides = shiftPlan(configured({ web }, [{ kind: 'alb-target-group', loadBalancer: 'app/shop/1', percentile: 'p50' }]), canary({ id: 'r-2', origin: 'event' }), minute(end)) ?? plan;
  // All went over to green in one step, and the record came eight minutes late: in the five minutes before it green served more.
  const wentOver = (last: number) => shifting(sides, [(m) => (m < last ? { requests: 1000, errors: 1 } : null), (m) => (m < last ? null : { requests: 1000, errors: 1 })]);

  it('is not taken for a new version that has no requests yet', () => {
    expect(wentOver(-8).shift).toBeUndefined();
    expect(found(wentOver(-8), sides)?.verdict).toBe('quiet');
  });

  it('is the new one again when it was left an hour ago', () => {
    expect([wentOver(-59), wentOver(-60)].map(({ shift }) => shift?.pairs[0]?.released.name)).toEqual([undefined, 'blue']);
    expect(found(wentOver(-60), sides)?.text).toContain('blue has had no requests yet');
  });
});
