// The way back of a weighted record group: what is planned, what is refused, and that records keep all but their weight.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepRequest } from '../../../lambdas/domain/vocabulary.ts';
import { manifest, type Route53WeightsTarget } from '../../../lambdas/strategies/route53-weights/manifest.ts';
import { type CheckerVerdict, isOfTarget, normalizedRecordName, plan, type RecordSet, type Route53WeightsState, stateOf } from '../../../lambdas/strategies/route53-weights/plan.ts';
import type { PlanQuestion } from '../../../lambdas/strategies/strategy.ts';

const target = (fields: Record<string, unknown> = {}): Route53WeightsTarget => manifest.target.parse({
  strategy: 'route53-weights', hostedZoneId: 'Z1', recordName: 'Shop.Example.com', recordType: 'A', records: { blue: 'b', green: 'g' }, good: { side: 'blue' }, ...fields,
});

const record = (id: string, Weight: number, fields: object = {}): RecordSet => ({
  Name: 'shop.example.com.', Type: 'A', SetIdentifier: id, Weight, TTL: 30, ResourceRecords: [{ Value: '192.0.2.1' }], ...fields,
});

const live = (...records: RecordSet[]): Route53WeightsState => stateOf(target(), records);
const pair = (blue: number, green: number): Route53WeightsState => live(record('b', blue), record('g', green));
const release = (fields: Partial<NonNullable<StepRequest['release']>> = {}): StepRequest['release'] => ({ id: 'r-1', version: '2', startedAt: '2026-11-20T09:00:00Z', isFinished: false, left: null, ...fields });

type Asked = Partial<Omit<PlanQuestion<Route53WeightsTarget, Route53WeightsState>, 'live'>> & { readonly state: Route53WeightsState; readonly health?: Record<string, CheckerVerdict> };
const ask = ({ state, health = {}, ...rest }: Asked) => plan({ target: target(), good: null, release: release(), expectedFrom: null, ...rest, live: { state, facts: { health } } });

describe('the plan of route53-weights', () => {
  it('changes weights only: TTL, values, alias and health check go back as they came', () => {
    const blue = record('b', 0, { HealthCheckId: 'h-1', TTL: undefined, AliasTarget: { HostedZoneId: 'Z2', DNSName: 'lb.example.', EvaluateTargetHealth: true } });
    const green = record('g', 255, { GeoProximityLocation: undefined });
    const answer = ask({ state: live(blue, green), health: { blue: { healthCheckId: 'h-1', healthy: 9, checkers: 16, unreadable: null } } });
    expect(answer).toMatchObject({ outcome: 'change', summary: 'blue 0 → 100, green 100 → 0; resolvers keep old answers for up to 60 s' });
    expect(answer.outcome === 'change' && answer.to.records).toEqual([{ ...blue, Weight: 100 }, { ...green, Weight: 0 }]);
  });

  it('knows that all weights zero means equal shares', () => {
    expect(pair(0, 0).weights).toEqual({ blue: 1, green: 1 });
    const good = { version: '1', state: pair(0, 0) };
    expect(ask({ state: pair(0, 9), target: target({ good: 'last-known-good' }), good })).toMatchObject({ outcome: 'change', to: { weights: { blue: 1, green: 1 } } });
    expect(ask({ state: pair(5, 5), target: target({ good: 'last-known-good' }), good }).outcome).toBe('already');
  });

  it('refuses a known-good weight that Route 53 does not take', () => {
    const good = { version: '1', state: { ...pair(1, 0), weights: { blue: 256, green: 0 } } };
    expect(ask({ state: pair(0, 1), target: target({ good: 'last-known-good' }), good })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported', text: expect.stringContaining('255') as string } });
  });

  it('refuses a record that is not weighted', () => {
    expect(ask({ state: live({ Name: 'shop.example.com.', Type: 'A', TTL: 60 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported' } });
  });

  it('says that the good record is gone', () => {
    expect(ask({ state: live(record('g', 10)) })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-gone' } });
  });

  it('refuses a record of the group that the catalogue does not name', () => {
    expect(ask({ state: live(record('b', 0), record('g', 1), record('x', 0)) })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported' } });
  });

  it.each([
    ['half of the checkers see it healthy', { healthy: 8, checkers: 16, unreadable: null }, 'destination-unhealthy'],
    ['none sees it healthy', { healthy: 0, checkers: 16, unreadable: null }, 'destination-unhealthy'],
    ['no checker can be asked', { healthy: 0, checkers: 0, unreadable: 'calculated' }, 'unsupported'],
  ])('does not shift to a record when %s', (_, verdict, code) => {
    expect(ask({ state: pair(0, 1), health: { blue: { healthCheckId: 'h', ...verdict } } })).toMatchObject({ outcome: 'impossible', reason: { code } });
  });

  it('does not ask for the health of a record that gets nothing', () => {
    expect(ask({ state: pair(0, 1), health: { green: { healthCheckId: 'h', healthy: 0, checkers: 16, unreadable: null } } }).outcome).toBe('change');
  });

  it('accepts a finished release only as it was left', () => {
    const left = release({ isFinished: true, left: pair(0, 10) });
    expect(ask({ state: pair(0, 1), release: left }).outcome).toBe('change');
    expect(ask({ state: pair(2, 1), release: left })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('accepts a plan that a person saw only while it is still true', () => {
    expect(ask({ state: pair(2, 1), expectedFrom: pair(0, 1) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('never writes all zero, is done when made, and does not depend on the order of records', () => {
    const weights = fc.tuple(fc.nat(255), fc.nat(255));
    fc.assert(fc.property(weights, weights, ([blue, green], [goodBlue, goodGreen]) => {
      const asked = (state: Route53WeightsState) => ask({ state, target: target({ good: 'last-known-good' }), good: { version: '1', state: pair(goodBlue, goodGreen) } });
      const answer = asked(pair(blue, green));
      expect(asked(live(record('g', green), record('b', blue))).outcome).toBe(answer.outcome);
      if (answer.outcome !== 'change') return;
      expect(answer.to.records.some(({ Weight = 0 }) => Weight > 0)).toBe(true);
      expect(asked(live(...answer.to.records)).outcome).toBe('already');
    }));
  });
});

describe('names of records', () => {
  it('are compared in lower case, without the last dot, with a star as Route 53 writes it', () => {
    expect(normalizedRecordName('*.Shop.Example.com.')).toBe(String.raw`\052.shop.example.com`);
    expect(isOfTarget(target({ recordName: '*.Shop.example.com' }), { Name: String.raw`\052.shop.example.com.`, Type: 'A' })).toBe(true);
    expect(isOfTarget(target(), { Name: 'shop.example.com.', Type: 'AAAA' })).toBe(false);
  });
});
