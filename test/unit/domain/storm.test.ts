// Several services sick at once: what is rolled back when two, three or four are, with and without releases of their own, and what they have to do with each other.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import { deployment, minute, neighbour, personTrigger, question, rollback } from './samples.ts';

const names = ['checkout', 'search', 'cart', 'mail'];
/** The default brake of an account of ten services, of which the first so many are sick; each of them has a release of its own in its bake, as the sample has. */
const sick = (count: number, over: Partial<Question> = {}): Question =>
  question({ storm: { services: names.slice(0, count).toSorted(), limit: 5, unrelated: 2, minutes: 10, isAnnounced: false }, ...over });
/** As the workflow asks again after the wait for more of them. */
const afterTheWait = { startedAt: minute(8) };
const said = (asked: Question) => {
  const { verdict, page, reasons, headline } = decide(asked);
  return { verdict, page, code: reasons[0]?.code, headline };
};

describe('several services sick at once, each with a release of its own', () => {
  it('one goes back at once', () => {
    expect(said(sick(1))).toMatchObject({ verdict: 'roll-back', code: 'release-suspected' });
  });

  it('of two, each waits for a third, and goes back when none comes', () => {
    expect(said(sick(2))).toMatchObject({ verdict: 'hold', code: 'others-sick', headline: expect.stringContaining('if more than 2 services do, it is no release') });
    expect(said(sick(2, afterTheWait))).toMatchObject({ verdict: 'roll-back', code: 'release-suspected' });
  });

  it.each([3, 4])('of %i none goes back, and one page says why', (count) => {
    expect(said(sick(count))).toMatchObject({
      verdict: 'leave', page: true, code: 'storm', headline: `${count} services that have nothing to do with each other had a signal in the last 10 to 20 minutes (${['checkout', ...names.slice(1, count).toSorted()].join(', ')}). More than 2 have a shared cause, so Ripcord rolls nothing back.`,
    });
    expect(said(sick(count, afterTheWait)).code).toBe('storm');
    expect(said(sick(count, { storm: { ...sick(count).storm, isAnnounced: true } }))).toMatchObject({ verdict: 'leave', page: false, code: 'storm' });
  });

  it('of two goes none where two are most of the account', () => {
    expect(said(sick(2, { storm: { ...sick(2).storm, unrelated: 1 } }))).toMatchObject({ verdict: 'leave', page: true, code: 'storm' });
    expect(said(sick(1, { storm: { ...sick(1).storm, unrelated: 1 } })).verdict).toBe('roll-back');
  });
});

describe('several services sick at once, of which one was released', () => {
  it('that one does not go back either, and one without a release tells of the storm, not of itself', () => {
    expect(said(sick(3)).code).toBe('storm');
    expect(said(sick(3, { releases: [] }))).toMatchObject({ verdict: 'leave', page: true, code: 'storm' });
    expect(said(sick(2, { releases: [] })).code).toBe('no-release');
  });
});

describe('services that have to do with each other count as one', () => {
  it.each([
    ['callers of the one that was released', ['search', 'cart', 'mail'].map((service) => neighbour({ service, relation: 'dependent' }))],
    ['those that share a dependency that is well', [neighbour({ sharedWith: ['search', 'cart', 'mail'] })]],
  ])('%s', (_, neighbours) => {
    expect(said(sick(4, { neighbours })).code).not.toBe('storm');
  });

  it('but beyond the number of all they engage the brake all the same', () => {
    const neighbours = ['search', 'cart', 'mail', 'auth', 'stock'].map((service) => neighbour({ service, relation: 'dependent' }));
    const services = ['auth', 'cart', 'checkout', 'mail', 'search', 'stock'];
    expect(said(sick(4, { neighbours, storm: { ...sick(4).storm, services } }))).toMatchObject({ code: 'storm', headline: expect.stringMatching(/^6 services had a signal/) });
  });
});

describe('services that dependencies join count as one, wherever in the catalogue', () => {
  const among = (service: string, services: string[], groups: Record<string, string>) => decide(question({ service, storm: { services, groups, limit: 5, unrelated: 2, minutes: 10, isAnnounced: false } }));

  it('a stranger and what it depends on are one stranger', () => {
    const { verdict, headline, reasons } = among('a', ['a', 'b', 'c'], { c: 'b' });
    expect([verdict, reasons[0]?.code]).toEqual(['hold', 'others-sick']);
    expect(headline).toMatch(/^Looking again for \d+ s before anything is done\. b had a signal too and has nothing to do with a: /);
    expect(among('a', ['a', 'b', 'c'], {}).reasons[0]?.code).toBe('storm');
    expect(among('a', ['a', 'b', 'c', 'd'], { c: 'b' }).headline).toMatch(/^3 services that have nothing to do with each other had a signal in the last 10 to 20 minutes \(a, b, d\)/);
  });

  it('none of this service\'s own group is a stranger, also where its entry names only the nearest', () => {
    expect(among('db', ['db', 'svc13', 'svc14'], { svc13: 'db', svc14: 'db' }).reasons[0]?.code).toBe('release-suspected');
    expect(among('svc01', ['db', 'svc01', 'svc13'], { svc01: 'db', svc13: 'db' }).reasons[0]?.code).toBe('release-suspected');
  });

  it('a service may be called like something that every object has', () => {
    expect(among('a', ['a', 'constructor', 'valueof'], {}).reasons[0]?.code).toBe('storm');
  });
});

describe('what a brake among strangers does not stop', () => {
  it('a person, a yes, a deployment that failed, a version that was bad before', () => {
    expect(said(sick(4, { trigger: personTrigger() })).verdict).toBe('roll-back');
    expect(said(sick(4, { approval: { answer: 'approved', by: 'dana', at: minute(9), comment: '' } })).code).not.toBe('storm');
    const failed = { trigger: { kind: 'deployment' as const, application: 'shop', deploymentGroup: 'prod', deploymentId: 'd-2', at: minute(9) }, deployments: [deployment({ status: 'failed' })] };
    expect(said(sick(4, failed)).code).not.toBe('storm');
  });

  it('a brake of one\'s own that names `services` alone', () => {
    const { unrelated: _, ...storm } = sick(4).storm;
    expect(said(sick(4, { storm, ...afterTheWait })).verdict).toBe('roll-back');
    expect(said(sick(4, { storm })).code).toBe('others-sick');
  });

  it('the cool-down of a service that was just rolled back', () => {
    expect(said(sick(4, { coolDownUntil: minute(30), rollbacks: [rollback({ endedAt: minute(9) })] })).code).not.toBe('storm');
  });
});
