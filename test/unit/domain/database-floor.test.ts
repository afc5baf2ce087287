// Which version came first, and what the database says against going back to one.
import { describe, expect, it } from 'vitest';
import { floorObjections, semanticOrder, standing, type Standing } from '../../../lambdas/domain/database-floor.ts';
import { minute, question, release } from './samples.ts';

describe('semantic versions', () => {
  // Section 11 of SemVer 2.0.0 gives both chains.
  it.each([['1.0.0', '2.0.0', '2.1.0', '2.1.1'], ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0']])('stand in their order (%s …)', (...chain) => {
    for (const [index, one] of chain.entries()) {
      for (const later of chain.slice(index + 1)) expect([Math.sign(semanticOrder(one, later) ?? 0), Math.sign(semanticOrder(later, one) ?? 0)]).toEqual([-1, 1]);
      expect(semanticOrder(one, `v${one}+build.7`)).toBe(0);
    }
  });

  it('are compared as numbers, however long', () => {
    expect(semanticOrder('1.9.0', '1.10.0')).toBeLessThan(0);
    expect(semanticOrder('1.0.0-1', '1.0.0--')).toBeLessThan(0);
    expect(semanticOrder('1.0.9007199254740993', '1.0.9007199254740992')).toBeGreaterThan(0);
  });

  it.each(['1.0', '01.0.0', '1.0.0-01', 'latest', '', '1.0.0.0', '2026-11-20'])('are nothing else: %j has no order', (odd) => {
    expect([semanticOrder(odd, '1.0.0'), semanticOrder('1.0.0', odd)]).toEqual([null, null]);
  });
});

const begun = (version: string, at: number, previousVersion: string | null = null) => release({ id: `r-${version}-${at}`, version, startedAt: minute(at), previousVersion });

describe('a version against the floor', () => {
  it.each<[string, string, string, Standing, Partial<ReturnType<typeof question>>]>([
    ['is the floor itself', 'blue', 'blue', 'works', {}],
    ['was released before the floor', 'blue', 'red', 'below', { releases: [begun('red', 0), begun('blue', -50)] }],
    ['was released after the floor', 'blue', 'red', 'works', { releases: [begun('blue', 0), begun('red', -50)] }],
    ['was live when the floor was released', 'blue', 'red', 'below', { releases: [begun('red', 0, 'blue')] }],
    ['was known good before the floor was released', 'blue', 'red', 'below', { releases: [begun('red', 0)], knownGoods: [{ version: 'blue', since: minute(-5), basis: 'observed', targets: [] }] }],
    ['was known good after the floor was released, and may be older', 'blue', 'red', 'unknown', { releases: [begun('red', 0)], knownGoods: [{ version: 'blue', since: minute(5), basis: 'observed', targets: [] }] }],
    ['was released again after the floor', 'blue', 'red', 'below', { releases: [begun('blue', 9), begun('red', 0), begun('blue', -50)] }],
    ['was released after something that the floor came before', 'blue', 'red', 'works', { releases: [begun('blue', 9)], knownGoods: [{ version: 'red', since: minute(5), basis: 'baked', targets: [] }] }],
    ['was released in the same moment', 'blue', 'red', 'unknown', { releases: [begun('blue', 0), begun('red', 0)] }],
    ['has a floor that nobody released', 'blue', 'red', 'unknown', { releases: [begun('blue', 0)] }],
    ['is older by its number alone', '1.9.0', '1.10.0', 'below', {}],
    ['is newer by its number alone', '1.10.0', '1.9.0', 'works', {}],
    ['is newer by its number and was live before', '2.0.0', '1.9.5', 'unknown', { releases: [begun('1.9.5', 0), begun('2.0.0', -50)] }],
    ['is older by its number and was released later', '1.9.6', '2.0.0', 'unknown', { releases: [begun('1.9.6', 0), begun('2.0.0', -50)] }],
  ])('%s: %s, floor %s: %s', (...[, version, floor, stands, over]) => {
    expect(standing(question({ releases: [], knownGoods: [], ...over }), version, floor)).toBe(stands);
  });
});

describe('the database', () => {
  const migrated = { id: 'r-2', version: '2.0.0', startedAt: minute(0), status: 'finished' as const, touched: ['code', 'database'] as const };
  const manifest = (databaseFloor: string | null) => ({ approvals: [], backup: null, databaseFloor, url: null });
  const said = (passed: Parameters<typeof floorObjections>[1], version: string | null, policy: Parameters<typeof question>[0] = {}) =>
    floorObjections(question({ releases: [], knownGoods: [], ...policy }), passed, version).map(({ kind, reason }) => `${kind} ${reason.code}`);

  it.each<[string, Parameters<typeof said>, readonly string[]]>([
    ['was not touched', [[{ ...migrated, touched: ['code'] }], '1.0.0'], []],
    ['was touched and nothing is said', [[migrated], '1.0.0'], ['doubt floor-unknown']],
    ['was touched by each of two releases', [[migrated, { ...migrated, version: '1.5.0' }], '1.0.0'], ['doubt floor-unknown', 'doubt floor-unknown']],
    ['was touched, and migrations are declared compatible', [[migrated], '1.0.0', { policy: { database: { compatible: 'expand, then contract' } } }], []],
    ['has a floor above it in the release', [[{ ...migrated, manifest: manifest('2.0.0') }], '1.0.0'], ['refused below-floor']],
    ['has a floor in a release that names no database', [[{ ...migrated, touched: ['code'], manifest: manifest('2.0.0') }], '1.0.0'], ['refused below-floor']],
    ['has a floor above it, whatever is declared of migrations', [[{ ...migrated, manifest: manifest('2.0.0') }], '1.0.0', { policy: { database: { compatible: 'expand, then contract' } } }], ['refused below-floor']],
    ['has a floor that it meets', [[{ ...migrated, manifest: manifest('1.0.0') }], '1.0.0'], []],
    ['has a floor in the policy, with nothing migrated', [[], '1.0.0', { policy: { databaseFloor: '1.2.0' } }], ['refused below-floor']],
    ['has a floor in the policy that speaks for a silent release', [[migrated], '1.4.0', { policy: { databaseFloor: '1.2.0' } }], []],
    ['has two floors, and the release\'s is higher', [[{ ...migrated, manifest: manifest('2.0.0') }], '1.4.0', { policy: { databaseFloor: '1.2.0' } }], ['refused below-floor']],
    ['has a floor, and nobody knows the version', [[], null, { policy: { databaseFloor: '1.2.0' } }], ['doubt floor-unknown']],
    ['has a floor that cannot be compared', [[], 'blue', { policy: { databaseFloor: '1.2.0' } }], ['doubt floor-unknown']],
  ])('%s', (_when, asked, objections) => {
    expect(said(...asked)).toEqual(objections);
  });
});
