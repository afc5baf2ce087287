// The way back of a weighted listener or rule: what is planned, what is refused, and that nothing of the action is lost.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../lambdas/domain/vocabulary.ts';
import type { StepRequest } from '../../../lambdas/domain/vocabulary.ts';
import { type AlbWeightsTarget, manifest } from '../../../lambdas/strategies/alb-weights/manifest.ts';
import { type AlbWeightsFacts, type AlbWeightsState, forwardedTo, plan, stateOf } from '../../../lambdas/strategies/alb-weights/plan.ts';
import type { PlanQuestion } from '../../../lambdas/strategies/strategy.ts';

const groupArn = (name: string): string => `arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/${name}/0a1b2c3d4e5f6a7b`;
const listenerArn = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/0a1b2c3d4e5f6a7b/1111111111111111';

const target = (fields: Record<string, unknown> = {}): AlbWeightsTarget => manifest.target.parse({
  strategy: 'alb-weights', listenerArn, targetGroups: { blue: groupArn('blue'), green: groupArn('green') }, good: { side: 'blue' }, ...fields,
});

type Weights = Readonly<Record<string, number>>;
type Sticky = { readonly Enabled: boolean; readonly DurationSeconds?: number };

const forward = (weights: Weights, sticky?: Sticky): JsonObject => ({
  Type: 'forward', Order: 2,
  ForwardConfig: {
    TargetGroups: Object.entries(weights).map(([name, Weight]) => ({ TargetGroupArn: groupArn(name), Weight })),
    ...(sticky === undefined ? {} : { TargetGroupStickinessConfig: sticky }),
  },
});

const live = (weights: Weights, sticky?: Sticky): AlbWeightsState => stateOf(target(), [forward(weights, sticky)]);

const healthy: AlbWeightsFacts = { sides: { blue: { targets: { healthy: 2 }, isSticky: false }, green: { targets: { healthy: 2 }, isSticky: false } } };
const release = (fields: Partial<NonNullable<StepRequest['release']>> = {}): StepRequest['release'] => ({
  id: 'r-1', version: '2', startedAt: '2026-11-20T09:00:00Z', isFinished: false, left: null, ...fields,
});

type Asked = Partial<Omit<PlanQuestion<AlbWeightsTarget, AlbWeightsState>, 'live'>> & { readonly state: AlbWeightsState; readonly facts?: AlbWeightsFacts };
const ask = ({ state, facts = healthy, ...rest }: Asked) =>
  plan({ target: target(), good: null, release: release(), expectedFrom: null, ...rest, live: { state, facts } });

describe('the plan of alb-weights', () => {
  it('gives the named good side all traffic and keeps the other group attached at weight zero', () => {
    const answer = ask({ state: live({ green: 100, blue: 0 }) });
    expect(answer).toMatchObject({ outcome: 'change', summary: 'blue 0 → 100, green 100 → 0', to: { weights: { blue: 100, green: 0 } } });
    expect(answer.outcome === 'change' && forwardedTo(answer.to.actions)).toEqual({ [groupArn('green')]: 0, [groupArn('blue')]: 100 });
  });

  it('goes back to the distribution that the known-good version had', () => {
    const good = { version: '1', state: live({ blue: 9, green: 1 }) };
    expect(ask({ state: live({ blue: 0, green: 1 }), target: target({ good: 'last-known-good' }), good })).toMatchObject({ outcome: 'change', to: { weights: { blue: 9, green: 1 } } });
  });

  it.each([
    ['no version is known good', null],
    ['the known-good version has no recorded weights', { version: '1', state: null }],
    ['its weights were all zero', { version: '1', state: live({ blue: 0, green: 0 }) }],
    ['it ran on a side that the catalogue no longer names', { version: '1', state: { ...live({ blue: 1 }), weights: { red: 1 } } }],
    ['it also ran on a group that the catalogue does not name', { version: '1', state: live({ blue: 1, purple: 1 }) }],
  ])('is impossible for lack of a known good when %s', (_, good) => {
    expect(ask({ state: live({ blue: 0, green: 1 }), target: target({ good: 'last-known-good' }), good })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });

  it('finds equal proportions to be the same weights', () => {
    expect(ask({ state: live({ blue: 7, green: 0 }) })).toMatchObject({ outcome: 'already' });
  });

  it('accepts any share of a running release, and any when nobody captured what it left', () => {
    expect(ask({ state: live({ blue: 95, green: 5 }) }).outcome).toBe('change');
    expect(ask({ state: live({ blue: 95, green: 5 }), release: release({ isFinished: true }) }).outcome).toBe('change');
    expect(ask({ state: live({ blue: 95, green: 5 }), release: null }).outcome).toBe('change');
  });

  it('accepts a finished release only as it was left, in proportion', () => {
    const left = release({ isFinished: true, left: live({ blue: 0, green: 100 }) });
    expect(ask({ state: live({ blue: 0, green: 1 }), release: left }).outcome).toBe('change');
    expect(ask({ state: live({ blue: 50, green: 50 }), release: left })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('accepts a plan that a person saw only while the live weights are the ones they saw', () => {
    expect(ask({ state: live({ blue: 0, green: 2 }), expectedFrom: live({ blue: 0, green: 1 }) }).outcome).toBe('change');
    expect(ask({ state: live({ blue: 1, green: 1 }), expectedFrom: live({ blue: 0, green: 1 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('refuses weights that are all zero: no release leaves nobody served', () => {
    expect(ask({ state: live({ blue: 0, green: 0 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('refuses an action that no longer forwards', () => {
    const state = stateOf(target(), [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503' } }]);
    expect(ask({ state })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('refuses a target group that the catalogue does not name, even at weight zero', () => {
    expect(ask({ state: live({ blue: 0, green: 1, purple: 0 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported', text: expect.stringContaining(groupArn('purple')) as string } });
    expect(ask({ state: live({ blue: 0, green: 1, purple: 1 }), release: release({ isFinished: true, left: live({ blue: 0, green: 1 }) }) }))
      .toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it.each(['unused', 'initial', 'draining', 'unhealthy', 'unhealthy.draining', 'unavailable'])('does not count a target that is %s as healthy', (state) => {
    const facts = { sides: { ...healthy.sides, blue: { targets: { [state]: 5 }, isSticky: false } } };
    expect(ask({ state: live({ blue: 0, green: 1 }), facts })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-unhealthy', text: expect.stringContaining(`5 ${state}`) as string } });
  });

  it('wants as many healthy targets as the catalogue says', () => {
    const asked = { state: live({ blue: 0, green: 1 }) };
    expect(ask({ ...asked, target: target({ minimumHealthyTargets: 2 }) }).outcome).toBe('change');
    expect(ask({ ...asked, target: target({ minimumHealthyTargets: 3 }) })).toMatchObject({ reason: { code: 'destination-unhealthy' } });
  });

  it('does not ask for health on the side that gets nothing', () => {
    const facts = { sides: { ...healthy.sides, green: { targets: {}, isSticky: false } } };
    expect(ask({ state: live({ blue: 0, green: 1 }), facts }).outcome).toBe('change');
  });

  it('says that a deleted target group is gone', () => {
    const facts = { sides: { ...healthy.sides, blue: { targets: null, isSticky: false } } };
    expect(ask({ state: live({ blue: 0, green: 1 }), facts })).toMatchObject({ reason: { code: 'destination-gone' } });
  });
});

const stickinessIn = (answer: ReturnType<typeof ask>) => answer.outcome === 'change' && (answer.to.actions[0]?.['ForwardConfig'] as JsonObject | undefined)?.['TargetGroupStickinessConfig'];

describe('stickiness between target groups', () => {
  const sticky = { Enabled: true, DurationSeconds: 3600 };

  it('is switched off, because clients with a cookie would stay on the bad side', () => {
    const answer = ask({ state: live({ blue: 0, green: 1 }, sticky) });
    expect(stickinessIn(answer)).toEqual({ Enabled: false });
    expect(answer).toMatchObject({ summary: expect.stringContaining('group stickiness off') as string });
  });

  it('stays on where a target group has stickiness of its own, and the summary says for how long', () => {
    const facts = { sides: { ...healthy.sides, green: { targets: { healthy: 1 }, isSticky: true } } };
    const answer = ask({ state: live({ blue: 0, green: 1 }, sticky), facts });
    expect(stickinessIn(answer)).toEqual({ Enabled: true, DurationSeconds: 3600 });
    expect(answer).toMatchObject({ summary: expect.stringContaining('3600 s') as string });
  });

  it('is still switched off when the weights are right already, unless the release left it so', () => {
    const state = live({ blue: 1, green: 0 }, sticky);
    expect(ask({ state }).outcome).toBe('change');
    expect(ask({ state, release: release({ isFinished: true, left: state }) })).toMatchObject({ outcome: 'already', to: { stickiness: { enabled: true } } });
  });
});

describe('the actions around the forward', () => {
  const login = { Type: 'authenticate-oidc', Order: 1, AuthenticateOidcConfig: { Issuer: 'https://id.example', ClientId: 'shop', UseExistingClientSecret: true } };
  const token = { Type: 'jwt-validation', Order: 3, JwtValidationConfig: { Issuer: 'https://id.example' } };

  it('are sent again as they are, in their order', () => {
    const state = stateOf(target(), [login, forward({ blue: 0, green: 1 }), token]);
    const answer = ask({ state });
    expect(answer.outcome === 'change' && [answer.to.actions[0], answer.to.actions[2], answer.to.actions[1]?.['Order']]).toEqual([login, token, 2]);
  });

  it('lose the single target group when they gain a forward configuration: AWS takes one of the two', () => {
    const state = stateOf(target(), [{ Type: 'forward', TargetGroupArn: groupArn('green') }]);
    const answer = ask({ state, facts: healthy });
    expect(state.weights).toEqual({ blue: 0, green: 1 });
    expect(answer.outcome === 'change' && answer.to.actions).toEqual([
      { Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: groupArn('green'), Weight: 0 }, { TargetGroupArn: groupArn('blue'), Weight: 100 }] } },
    ]);
  });
});

describe('every plan of alb-weights', () => {
  const names = ['blue', 'green', 'teal'];
  const wide = (good: unknown): AlbWeightsTarget => target({ targetGroups: Object.fromEntries(names.map((name) => [name, groupArn(name)])), good });
  const facts: AlbWeightsFacts = { sides: Object.fromEntries(names.map((name) => [name, { targets: { healthy: 1 }, isSticky: false }])) };
  const weights = fc.record({ blue: fc.nat(999), green: fc.nat(999), teal: fc.nat(999) });
  const stickiness = fc.option(fc.record({ Enabled: fc.boolean(), DurationSeconds: fc.integer({ min: 1, max: 604_800 }) }), { nil: undefined });
  const goods = fc.oneof(fc.constantFrom(...names).map((side) => ({ good: { side } as unknown, state: null })), weights.map((recorded) => ({ good: 'last-known-good' as unknown, state: recorded })));

  it('never makes the weights sum to zero, is done when made, and does not depend on the order of groups', () => {
    fc.assert(fc.property(weights, stickiness, goods, (now, sticky, { good, state }) => {
      const of = wide(good);
      const stateFor = (actions: JsonObject[]): AlbWeightsState => stateOf(of, actions);
      const known = state === null ? null : { version: '1', state: stateFor([forward(state)]) };
      const asked = (actions: JsonObject[]) => plan({ target: of, good: known, release: release(), expectedFrom: null, live: { state: stateFor(actions), facts } });
      const answer = asked([forward(now, sticky)]);
      const turned = asked([forward(Object.fromEntries(Object.entries(now).toReversed()), sticky)]);
      expect(turned.outcome).toBe(answer.outcome);
      if (answer.outcome !== 'change' || turned.outcome !== 'change') return;
      expect(turned.to.weights).toEqual(answer.to.weights);
      const made = forwardedTo(answer.to.actions);
      expect(Object.values(made).reduce((sum, weight) => sum + weight, 0)).toBeGreaterThan(0);
      expect(Object.values(made).every((weight) => weight <= 999)).toBe(true);
      expect(asked([...answer.to.actions]).outcome).toBe('already');
    }));
  });
});
