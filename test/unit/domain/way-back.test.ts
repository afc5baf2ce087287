// The decision tree of the way back, cell by cell: what was touched against each kind of way.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import type { Touched } from '../../../lambdas/domain/vocabulary.ts';
import { passedReleases } from '../../../lambdas/domain/passed.ts';
import { weighWays } from '../../../lambdas/domain/way-back.ts';
import { minute, personTrigger, question, release, rollback } from './samples.ts';

const targets: Question['targets'] = {
  flag: { strategy: 'ssm-parameter', goodSide: null, way: 'flag-off', expectedSeconds: 2 },
  web: { strategy: 'alb-weights', goodSide: null, way: 'traffic-shift', expectedSeconds: 5 },
  app: { strategy: 'codedeploy', goodSide: null, way: 'redeploy', expectedSeconds: 300 },
};
const good = { version: 'v1', since: minute(-500), basis: 'baked' as const, targets: ['flag', 'web', 'app'] };
const all = ['flag', 'web', 'app'] as const;

/** `flag chosen, web refused` for a release that touched so much and a service with these ways. */
function said(touched: readonly Touched[], ids: readonly (keyof typeof targets)[], over: Parameters<typeof question>[0] = {}): string {
  const suspect = release({ touched });
  const asked = question({ targets, rungs: ids.map((id) => ({ name: id, waves: [[id]] })), releases: [suspect], knownGoods: [good], ...over });
  return weighWays(asked, suspect, good).ways.map(({ rung, answer }) => `${rung} ${answer}`).join(', ');
}

const versioned = { policy: { configuration: { versioned: 'it is part of the image' } } };
const compatible = { policy: { database: { compatible: 'expand, then contract' } } };
const floor = { policy: { databaseFloor: 'v2' } };

describe('the tree', () => {
  it.each<[readonly Touched[], readonly (keyof typeof targets)[], string, Parameters<typeof question>[0]?]>([
    [['code'], all, 'flag chosen, web chosen, app chosen'],
    [[], all, 'flag chosen, web chosen, app chosen'],
    [['configuration'], all, 'flag chosen, web left-out, app left-out'],
    [['configuration'], ['web', 'app'], 'web ask, app ask'],
    [['configuration'], ['web', 'app'], 'web chosen, app chosen', versioned],
    [['code', 'configuration'], ['web', 'app'], 'web chosen, app chosen'],
    [['infrastructure'], all, 'flag left-out, web chosen, app left-out'],
    [['infrastructure'], ['flag', 'app'], 'flag ask, app ask'],
    [['code', 'infrastructure'], ['web', 'app'], 'web chosen, app left-out'],
    [['code', 'infrastructure'], ['app'], 'app ask'],
    [['code', 'infrastructure'], ['flag', 'app'], 'flag chosen, app left-out'],
    [['database'], all, 'flag ask, web ask, app ask'],
    [['database'], all, 'flag ask, web ask, app ask', compatible],
    [['database'], all, 'flag ask, web refused, app refused', floor],
    [['code', 'database'], all, 'flag chosen, web left-out, app left-out'],
    [['code', 'database'], ['web', 'app'], 'web ask, app ask'],
    [['code', 'database'], ['web', 'app'], 'web chosen, app chosen', compatible],
    [['code', 'database'], all, 'flag chosen, web refused, app refused', floor],
    [['code', 'database'], ['web', 'app'], 'web refused, app refused', floor],
    [['code'], ['web'], 'web refused', floor],
    [['code', 'database', 'infrastructure', 'configuration'], all, 'flag chosen, web left-out, app left-out'],
  ])('of a release that touched %j, with %j: %s', (touched, ids, answers, over) => {
    expect(said(touched, ids, over)).toBe(answers);
  });

  it('takes a release of which nobody said what it touched for code, and says so', () => {
    const verdictOn = (over: Parameters<typeof release>[0]) => {
      const decided = decide(question({ releases: [release(over)] }));
      return [decided.verdict, decided.rungs, decided.reasons.filter(({ code }) => code === 'touched-unknown').map(({ text }) => text)];
    };
    const [verdict, rungs, assumption] = verdictOn({ touched: [] });
    expect([verdict, rungs]).toEqual(verdictOn({ touched: ['code'] }).slice(0, 2));
    expect([verdict, assumption]).toEqual(['roll-back', ['Nobody said what release v2 touched; taken as code.']]);
    expect(verdictOn({ touched: ['code'] })[2]).toEqual([]);
  });

  it('keeps the declared order, also where a slower way stands first', () => {
    expect(said(['code'], ['app', 'web', 'flag'])).toBe('app chosen, web chosen, flag chosen');
  });

  it('judges a rung with several targets as a whole: one old version that is refused refuses it', () => {
    const suspect = release({ touched: ['code', 'database'] });
    const rungs = [{ name: 'both', waves: [['flag'], ['web']] }, { name: 'alone', waves: [['flag']] }];
    const tree = weighWays(question({ targets, rungs, releases: [suspect], ...floor }), suspect, good);
    expect(tree.ways.map(({ rung, answer, ways, expectedSeconds }) => [rung, answer, ways, expectedSeconds])).toEqual([['both', 'refused', ['flag-off', 'traffic-shift'], 7], ['alone', 'chosen', ['flag-off'], 2]]);
    expect(tree.rungs.map(({ name }) => name)).toEqual(['alone']);
  });

  it('asks about what leads to a known good version alone, where another way leads nobody knows where', () => {
    const suspect = release({ touched: ['code', 'database'] });
    const known = { ...good, targets: ['web'] };
    const asked = question({ targets, rungs: [{ name: 'app', waves: [['app']] }, { name: 'web', waves: [['web']] }], releases: [suspect], knownGoods: [known] });
    expect(weighWays(asked, suspect, known).ways.map(({ rung, answer }) => `${rung} ${answer}`)).toEqual(['app left-out', 'web ask']);
  });

  it('takes a declared side for a version that nobody knows', () => {
    const sided = { ...targets, web: { ...targets['web'], strategy: 'alb-weights', goodSide: 'blue' } };
    expect(said(['code'], ['web'], { targets: sided })).toBe('web chosen');
    expect(said(['code', 'database'], ['web'], { targets: sided, ...floor })).toBe('web ask');
  });

  it('has no way without a floor where a person asks and suspects nobody', () => {
    expect(weighWays(question({ targets, rungs: [{ name: 'web', waves: [['web']] }], trigger: personTrigger(), releases: [], ...floor }), null, good).rungs).toEqual([{ name: 'web', waves: [['web']] }]);
    expect(weighWays(question({ targets, rungs: [{ name: 'web', waves: [['web']] }], releases: [], policy: { databaseFloor: '2.0.0' } }), null, { ...good, version: '1.0.0' }).rungs).toEqual([]);
  });
});

describe('what going back passes', () => {
  const suspect = release({ id: 'r-3', version: 'v3', startedAt: minute(0) });
  const between = release({ id: 'r-2', version: 'v2', startedAt: minute(-100), touched: ['code', 'database'], manifest: { approvals: [], backup: null, databaseFloor: 'v2', url: null } });
  const releases = [suspect, between, release({ id: 'r-1', version: 'v1', startedAt: minute(-520) }), release({ id: 'r-0', version: 'v0', startedAt: minute(-900), touched: ['database'] })];

  it('is every release since the known good one began, and none before', () => {
    expect(passedReleases(question({ releases }), suspect, good).map(({ version }) => version)).toEqual(['v3', 'v2']);
    expect(passedReleases(question({ releases }), suspect, null).map(({ version }) => version)).toEqual(['v3']);
  });

  it('forbids the way back by the floor of a release in between, though the suspect touched code alone', () => {
    const answer = decide(question({ releases }));
    expect([answer.verdict, answer.rungs]).toEqual(['leave', []]);
    expect(answer.reasons.map(({ code }) => code)).toEqual(expect.arrayContaining(['no-safe-way', 'below-floor', 'also-undone']));
    expect(answer.headline).toContain('v1 does not work with the database as it is now: release v2 says v2 or later.');
  });

  it('forbids it also when that release was rolled back since: its migration was not', () => {
    const undone = { ...between, status: 'failed' as const };
    const answer = decide(question({ releases: [suspect, undone, ...releases.slice(2)], rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' } })] }));
    expect(answer.verdict).toBe('leave');
    expect(answer.reasons.map(({ code }) => code)).not.toContain('also-undone');
  });

  it('goes past a version that was never known good, to the last one that was', () => {
    const answer = decide(question({ releases: [suspect, { ...between, touched: ['code'], manifest: { approvals: [], backup: null, databaseFloor: null, url: null } }, ...releases.slice(2)] }));
    expect([answer.verdict, answer.good?.version]).toEqual(['roll-back', 'v1']);
    expect(answer.reasons.find(({ code }) => code === 'also-undone')?.text).toBe('Going back to v1 also takes back v2 (2026-11-20T07:20Z): none of them is known good.');
  });

  it('counts one that began while the known good one was still going out', () => {
    const overlapping = release({ id: 'r-1b', version: 'v1b', startedAt: minute(-510), touched: ['database'] });
    expect(passedReleases(question({ releases: [suspect, overlapping, ...releases.slice(2)] }), suspect, good).map(({ id }) => id)).toEqual(['r-3', 'r-1b']);
  });

  it('counts a deployment that only CodeDeploy knows', () => {
    const asked = question({ releases: [suspect], deployments: [{ id: 'd-9', targetId: 'app', version: 'v2', previousVersion: 'v1', startedAt: minute(-90), finishedAt: minute(-80), status: 'finished', actor: 'user', nature: 'release', undoes: null }] });
    expect(passedReleases(asked, suspect, good).map(({ id }) => id)).toEqual(['r-3', 'd-9']);
  });
});

describe('what is on record of long ago', () => {
  const needs = (databaseFloor: string | null) => ({ approvals: [], backup: null, databaseFloor, url: null });
  const migrated = release({ id: 'r-m', version: '2.0.1', startedAt: minute(-450), touched: ['code', 'database'], manifest: needs('2.0.1') });
  const begun = release({ id: 'r-0', version: '2.0.0', startedAt: minute(-505), finishedAt: minute(-500) });
  const known = { ...good, version: '2.0.0' };
  const suspect = release({ version: '2.0.60' });
  const weighed = (earlier: Question['earlier'], over: Parameters<typeof question>[0] = {}) => {
    const [way] = weighWays(question({ targets, rungs: [{ name: 'web', waves: [['web']] }], releases: [suspect], knownGoods: [known], ...(earlier === undefined ? {} : { earlier }), ...over }), suspect, known).ways;
    return [way?.answer, way?.reasons.map(({ text }) => text).join(' ')];
  };

  it('counts like what is new: the floor of a migration refuses', () => {
    expect(weighed({ releases: [migrated, begun], unreadBefore: minute(-900) })).toEqual(['refused', '2.0.0 does not work with the database as it is now: release 2.0.1 says 2.0.1 or later.']);
  });

  it.each<[string, Question['earlier'], 'chosen' | 'ask']>([
    ['all was read', { releases: [], unreadBefore: null }, 'chosen'],
    ['it was read back to before the known good one began', { releases: [begun], unreadBefore: minute(-506) }, 'chosen'],
    ['it was read back to the known good one', { releases: [begun], unreadBefore: minute(-505) }, 'chosen'],
    ['it ends after the known good one', { releases: [], unreadBefore: minute(-450) }, 'ask'],
    ['nobody knows when the known good one began', { releases: [], unreadBefore: minute(-900) }, 'ask'],
  ])('lets a person decide where it does not reach back: %s', (_when, earlier, answer) => {
    expect(weighed(earlier)[0]).toBe(answer);
    // Compatible with the version before says nothing of fifty versions.
    expect(weighed(earlier, compatible)[0]).toBe(answer);
  });

  it('is no matter of a flag, which changes no version', () => {
    const flag = { targets: { flag: targets['flag'] as Question['targets'][string] }, rungs: [{ name: 'flag', waves: [['flag']] }] };
    expect(weighed({ releases: [], unreadBefore: minute(-450) }, flag)[0]).toBe('chosen');
  });

  it('is said to be more than is listed', () => {
    const many = Array.from({ length: 14 }, (_, index) => release({ id: `many-${index}`, version: `2.0.${59 - index}`, startedAt: minute(-index - 1) }));
    const text = (earlier: Question['earlier']) => decide(question({ releases: [suspect, ...many], knownGoods: [known], ...(earlier === undefined ? {} : { earlier }) })).reasons.find(({ code }) => code === 'also-undone')?.text;
    expect(text(undefined)).toContain(' and 4 more: none of them is known good.');
    expect(text({ releases: [begun], unreadBefore: null })).toContain(' and at least 4 more: none');
  });
});

describe('a declared side', () => {
  const suspect = release({ version: '2.0.2' });
  const migrated = release({ id: 'r-1', version: '2.0.1', startedAt: minute(-700), touched: ['code', 'database'] });
  const floored = { ...migrated, touched: ['code'] as const, manifest: { approvals: [], backup: null, databaseFloor: '2.0.1', url: null } };
  const plain = { ...migrated, touched: ['code'] as const };
  const known = { ...good, version: '2.0.1' };
  const weighed = (releases: Question['releases'], { sideVersion, ...over }: Parameters<typeof question>[0] & { readonly sideVersion?: { version: string; since: string } } = {}) => {
    const web = { ...targets['web'], strategy: 'alb-weights', goodSide: 'blue', ...(sideVersion === undefined ? {} : { sideVersion }) };
    const [way] = weighWays(question({ targets: { web }, rungs: [{ name: 'web', waves: [['web']] }], releases: [suspect, ...releases], knownGoods: [known], ...over }), suspect, known).ways;
    return [way?.answer, way?.reasons.map(({ text }) => text).join(' ')];
  };

  it.each<[string, Parameters<typeof weighed>, string, string]>([
    ['nothing on record touched the database', [[plain]], 'chosen', ''],
    ['a release before the known good one did', [[migrated]], 'ask', 'Release 2.0.1 changed the database or names a floor, and which version side blue runs is not known.'],
    ['a release before the known good one named a floor', [[floored]], 'ask', 'Release 2.0.1 changed the database or names a floor, and which version side blue runs is not known.'],
    ['several did', [[migrated, { ...floored, id: 'r-0', version: '2.0.0', startedAt: minute(-800) }]], 'ask', 'Release 2.0.1 changed the database or names a floor, and 1 before it, and which version side blue runs is not known.'],
    ['one of long ago did', [[plain], { earlier: { releases: [{ ...migrated, id: 'r-e', version: '1.0.0', startedAt: minute(-9000) }], unreadBefore: null } }], 'ask', 'Release 1.0.0 changed the database or names a floor, and which version side blue runs is not known.'],
    ['nothing that was read did, and not all was read', [[plain], { earlier: { releases: [], unreadBefore: minute(-9000) } }], 'chosen', ''],
    ['migrations are declared compatible', [[migrated, floored], compatible], 'chosen', ''],
    ['migrations are declared compatible, and the policy has a floor', [[migrated], { policy: { ...compatible.policy, databaseFloor: '2.0.1' } }], 'ask', 'The database needs 2.0.1 or later (the policy), and whether the version of the other side is that is not known.'],
    ['it is proven to run what came with the migration', [[migrated], { sideVersion: { version: '2.0.1', since: minute(-690) } }], 'chosen', ''],
    ['it is proven to be older than the migration', [[migrated], { sideVersion: { version: '1.9.0', since: minute(-900) } }], 'ask', 'Release 2.0.1 changed the database, and nothing says from which version on the code works with it.'],
    ['it is proven to be older than the floor', [[floored], { sideVersion: { version: '1.9.0', since: minute(-900) } }], 'refused', '1.9.0 does not work with the database as it is now: release 2.0.1 says 2.0.1 or later.'],
    ['it is proven to be older than what was read', [[plain], { sideVersion: { version: '1.9.0', since: minute(-900) }, earlier: { releases: [], unreadBefore: minute(-800) } }], 'ask', 'Releases before 2026-11-19T19:40Z are not read any more, and 1.9.0 may be older: nobody knows which migrations lie between.'],
  ])('%s', (_when, asked, answer, text) => {
    expect(weighed(...asked)).toEqual([answer, text]);
  });
});

describe('the headline', () => {
  it('says that a flag leaves the release where it is', () => {
    const suspect = release({ touched: ['code', 'database'] });
    const answer = decide(question({ targets, rungs: [{ name: 'flag', waves: [['flag']] }, { name: 'web', waves: [['web']] }], releases: [suspect], knownGoods: [good], ...floor }));
    expect(answer.headline).toBe('checkout keeps release v2 and puts its flags back to what they were with v1.');
    expect(answer.ways.map((way) => way.answer)).toEqual(['chosen', 'refused']);
  });
});
