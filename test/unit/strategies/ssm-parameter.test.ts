// The way back of a parameter's value: what is planned, what is refused, and what of a value is shown.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepRequest } from '../../../lambdas/domain/vocabulary.ts';
import { manifest } from '../../../lambdas/strategies/ssm-parameter/manifest.ts';
import { permissions } from '../../../lambdas/strategies/ssm-parameter/permissions.ts';
import { plan, type SsmParameterState } from '../../../lambdas/strategies/ssm-parameter/plan.ts';
import { shown } from '../../../lambdas/strategies/ssm-parameter/value.ts';

const place = { partition: 'aws', account: '111122223333', region: 'eu-west-1' };
const state = (value: string, version = 4): SsmParameterState => ({ name: '/shop/flag', value, version });
const release = (left: string | null): StepRequest['release'] => ({ id: 'r-2', version: '2', startedAt: '2026-11-20T09:00:00Z', isFinished: true, left: left === null ? null : state(left, 2) });

interface Asked {
  readonly live: string;
  readonly good?: string | null;
  /** A value that always means off. */
  readonly off?: string;
  readonly left?: string | null;
  readonly seen?: string;
}

const ask = ({ live, good = 'off', off, left = 'on', seen }: Asked) => plan({
  target: manifest.target.parse({ strategy: 'ssm-parameter', parameter: '/shop/flag', good: off === undefined ? 'last-known-good' : { value: off } }),
  live: { state: state(live), facts: {} }, good: good === null ? null : { version: '1', state: state(good, 1) }, release: release(left), expectedFrom: seen === undefined ? null : state(seen),
});

describe('the plan of ssm-parameter', () => {
  it('puts back what was good, as the next version', () => {
    expect(ask({ live: 'on' })).toMatchObject({ outcome: 'change', from: state('on'), to: state('off', 5), summary: '/shop/flag "on" → "off"' });
  });

  it('needs no known-good version where one value always means off', () => {
    expect(ask({ live: 'on', good: null, off: 'false' })).toMatchObject({ outcome: 'change', to: { value: 'false' } });
  });

  it('is done where the good value is live, whoever wrote it', () => {
    expect(ask({ live: 'off' })).toMatchObject({ outcome: 'already', to: state('off') });
    expect(ask({ live: 'false', off: 'false' })).toMatchObject({ outcome: 'already' });
  });

  it.each([['last known good', {}], ['declared', { off: 'off' }]])('leaves a value alone that neither the release nor the way back wrote: %s', (_, how) => {
    expect(ask({ live: 'half', ...how })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else', text: 'Release r-2 left "on", but /shop/flag is "half" now.' } });
  });

  it('takes any value for the release\'s while nobody knows what it left', () => {
    expect(ask({ live: 'half', left: null })).toMatchObject({ outcome: 'change' });
  });

  it('leaves a value alone that is not the one a person saw in the plan', () => {
    expect(ask({ live: 'on', seen: 'half' })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('is impossible without a known good, or without its value', () => {
    expect(ask({ live: 'on', good: null })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
    const target = manifest.target.parse({ strategy: 'ssm-parameter', parameter: '/shop/flag', good: 'last-known-good' });
    expect(plan({ target, live: { state: state('on'), facts: {} }, good: { version: '1', state: null }, release: null, expectedFrom: null })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });
});

describe('a value in a message', () => {
  it('is shown when it is short and plain, and told by its length and hash when not', () => {
    expect(shown('on')).toBe('"on"');
    expect(shown('x'.repeat(40))).toContain('xxx');
    expect(shown('x'.repeat(41))).toMatch(/^41 characters \(SHA-256 [0-9a-f]{12}\)$/);
    expect(shown('two\nlines')).toMatch(/^9 characters /);
  });

  it('is never shown whole when it is long, whatever it holds', () => {
    fc.assert(fc.property(fc.string({ minLength: 41, maxLength: 4096 }), fc.string({ minLength: 41, maxLength: 4096 }), (live, off) => {
      fc.pre(live !== off);
      const answer = ask({ live, off, left: live });
      expect(answer.outcome).toBe('change');
      expect(JSON.stringify('summary' in answer ? answer.summary : '')).not.toContain(live.slice(0, 41));
    }));
  });
});

const values = fc.constantFrom('on', 'off', 'half', '');

describe('every plan of ssm-parameter', () => {
  it('writes only over what the release left, writes only what is good, and is done when written', () => {
    fc.assert(fc.property(values, values, fc.option(values), (live, good, left) => {
      const answer = ask({ live, good, left });
      const expected = live === good ? 'already' : left === null || left === live ? 'change' : 'changed-by-someone-else';
      expect(answer.outcome === 'impossible' ? answer.reason.code : answer.outcome).toBe(expected);
      const to = answer.outcome === 'change' ? answer.to.value : good;
      expect([to, ask({ live: to, good, left }).outcome]).toEqual([good, 'already']);
    }));
  });
});

describe('the permissions of ssm-parameter', () => {
  it.each(['/shop/flag', 'flag'])('name the one parameter %s by its ARN, and allow overwriting alone', (parameter) => {
    const [read, write] = permissions(manifest.target.parse({ strategy: 'ssm-parameter', parameter, good: { value: 'off' } }), place);
    const arn = `arn:aws:ssm:eu-west-1:111122223333:parameter/${parameter.replace(/^\//, '')}`;
    expect(read).toEqual({ actions: ['ssm:GetParameter'], resources: [arn] });
    expect(write).toMatchObject({ actions: ['ssm:PutParameter'], resources: [arn], conditions: { StringEquals: { 'ssm:Overwrite': 'true' } } });
  });

  it('take an ARN, or a token that stands for one, as it is', () => {
    for (const parameter of ['arn:aws:ssm:eu-west-1:111122223333:parameter/shop/flag', '${Token[TOKEN.7]}'])
      expect(permissions(manifest.target.parse({ strategy: 'ssm-parameter', parameter, good: 'last-known-good' }), place).flatMap(({ resources }) => resources)).toEqual([parameter, parameter]);
  });

  it.each(['/shop/flag:3', '/shop/*', 'shop/flag', '/shop/', 'arn:aws:ssm:eu-west-1:111122223333:document/shop', 'arn:aws:ssm:eu-west-1:111122223333:parameter/*'])('are not made for %s', (parameter) => {
    expect(manifest.target.safeParse({ strategy: 'ssm-parameter', parameter, good: 'last-known-good' }).success).toBe(false);
  });
});
