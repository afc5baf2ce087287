// The way back of a Lambda alias: what is planned, what is refused, and how shares are compared.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepRequest, TargetState } from '../../../lambdas/domain/vocabulary.ts';
import { manifest } from '../../../lambdas/strategies/lambda-alias/manifest.ts';
import { describe as described, type LambdaAliasFacts, type LambdaAliasState, plan, stateIn } from '../../../lambdas/strategies/lambda-alias/plan.ts';

const target = manifest.target.parse({ strategy: 'lambda-alias', functionName: 'shop', alias: 'live', good: 'last-known-good' });
const at = (version: string, weights: LambdaAliasState['weights'] = {}): LambdaAliasState => ({ version, weights });
const release = (left: LambdaAliasState | null): StepRequest['release'] => ({ id: 'r-2', version: '2', startedAt: '2026-11-20T09:00:00Z', isFinished: true, left });
const callable = (...versions: readonly string[]): LambdaAliasFacts => ({ revisionId: 'rev', destinations: Object.fromEntries(versions.map((version) => [version, null])) });

interface Asked {
  readonly live: LambdaAliasState;
  readonly good?: TargetState | null;
  readonly left?: LambdaAliasState | null;
  readonly seen?: LambdaAliasState;
  readonly facts?: LambdaAliasFacts;
}

const ask = ({ live, good = at('1'), left = at('2'), seen, facts = callable('1', '2', '3') }: Asked) => plan({
  target, live: { state: live, facts }, good: { version: '1.0.0', state: good as LambdaAliasState | null }, release: release(left), expectedFrom: seen ?? null,
});

describe('the plan of lambda-alias', () => {
  it('points the alias at the good version and takes the weights away', () => {
    expect(ask({ live: at('2') })).toMatchObject({ outcome: 'change', to: at('1'), summary: 'version 2 → version 1' });
    expect(ask({ live: at('1', { 2: 0.1 }), left: null })).toMatchObject({ outcome: 'change', to: at('1'), summary: 'version 1 90 %, version 2 10 % → version 1' });
  });

  it('goes back to a good split as it was', () => {
    expect(ask({ live: at('2'), good: at('1', { 3: 0.5 }) })).toMatchObject({ outcome: 'change', to: at('1', { 3: 0.5 }) });
  });

  it('is done where the alias stands as it was good, a weight of nothing aside', () => {
    expect(ask({ live: at('1'), good: at('1', { 2: 0 }) })).toMatchObject({ outcome: 'already' });
  });

  it('does not move an alias that the release did not leave so', () => {
    expect(ask({ live: at('3') })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
    expect(ask({ live: at('2', { 3: 0.1 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('does not move an alias that is not where a person saw it in the plan', () => {
    expect(ask({ live: at('2'), seen: at('1', { 2: 0.5 }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it.each([['deleted', { destinations: { 1: 'it does not exist any more' } }], ['never looked up', { destinations: {} }]])('is impossible when the good version was %s', (_, facts) => {
    expect(ask({ live: at('2'), facts: { revisionId: null, ...facts } })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-gone' } });
  });

  it('is impossible when one side of a good split is gone', () => {
    expect(ask({ live: at('2'), good: at('1', { 3: 0.5 }), facts: callable('1') })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-gone', text: expect.stringContaining('Version 3') as string } });
  });

  it.each([['not recorded', null], ['of another strategy', { weights: { blue: 1 } }], ['$LATEST', at('$LATEST')]])('knows no good version when it is %s', (_, good) => {
    expect(ask({ live: at('2'), good })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });
});

describe('every plan of lambda-alias', () => {
  const version = fc.constantFrom('1', '2', '3');
  const states = fc.tuple(version, version, fc.constantFrom(0, 0.1, 0.5, 1)).map(([one, other, share]) => at(one, one === other ? {} : { [other]: share }));

  it('moves only what the release left, leads where it was good, and is done when made', () => {
    fc.assert(fc.property(states, states, fc.option(states), (raw, good, left) => {
      const live = stateIn(raw);
      if (live === null) throw new Error('a state of the alias itself cannot be read');
      const answer = ask({ live, good, left });
      const { same } = manifest.states;
      const expected = same(live, good) ? 'already' : left === null || same(left, live) ? 'change' : 'changed-by-someone-else';
      expect(answer.outcome === 'impossible' ? answer.reason.code : answer.outcome).toBe(expected);
      const to = answer.outcome === 'change' ? answer.to : (stateIn(good) ?? live);
      expect([same(to, good), ask({ live: to, good, left }).outcome]).toEqual([true, 'already']);
    }));
  });

  it('is described by shares that add up', () => {
    fc.assert(fc.property(states, (state) => {
      const percents = [...described(stateIn(state) ?? state).matchAll(/ ([\d.]+) %/g)].map(([, percent]) => Number(percent));
      expect(percents.length === 0 ? 100 : percents.reduce((sum, one) => sum + one, 0)).toBeCloseTo(100, 5);
    }));
  });
});
