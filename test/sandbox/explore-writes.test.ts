// What a row of the audit announces is held against what the call of the same invocation really wrote, for each strategy.
import { expect, test } from 'vitest';
import { manifests } from '../../lambdas/strategies/registry.ts';
import type { CallRecord } from '../../sandbox/aws/world.ts';
import { unannounced } from '../../sandbox/explore/invariant-writes.ts';
import type { Run } from '../../sandbox/explore/invariants.ts';
import { announces, callOf, forwarding } from './announced-calls.ts';

type Members = Readonly<Record<string, unknown>>;

/** One target, how it was read, the row about its change, and the call that changed it. */
interface Sample {
  readonly document: Members;
  readonly read: Partial<CallRecord>;
  readonly row: { readonly from: Members; readonly to: Members };
  readonly write: { readonly service: string; readonly operation: string; readonly input: Members };
}

const id = 'run-1';
const record = (side: string, weight: number) => ({ Name: 'www.shop', Type: 'A', SetIdentifier: side, Weight: weight });
const revision = (version: string) => ({ revisionType: 'AppSpecContent', appSpecContent: { content: `to ${version}` } });

const samples: Readonly<Record<string, Sample>> = {
  'a listener': {
    document: { strategy: 'alb-weights', listenerArn: 'arn:it' }, read: { service: 'elasticloadbalancing', operation: 'DescribeListeners', output: { Listeners: [{ DefaultActions: forwarding(0) }] } },
    row: { from: { actions: forwarding(0) }, to: { actions: forwarding(100) } },
    write: { service: 'elasticloadbalancing', operation: 'ModifyListener', input: { ListenerArn: 'arn:it', DefaultActions: forwarding(100) } },
  },
  'a rule': {
    document: { strategy: 'alb-weights', listenerArn: 'arn:other', ruleArn: 'arn:it' }, read: { service: 'elasticloadbalancing', operation: 'DescribeRules', output: { Rules: [{ Actions: forwarding(0) }] } },
    row: { from: { actions: forwarding(0) }, to: { actions: forwarding(100) } },
    write: { service: 'elasticloadbalancing', operation: 'ModifyRule', input: { RuleArn: 'arn:it', Actions: forwarding(100) } },
  },
  'a record set': {
    document: { strategy: 'route53-weights', hostedZoneId: 'it' }, read: {},
    row: { from: { records: [record('blue', 0), record('green', 100)] }, to: { records: [record('blue', 100), record('green', 0)] } },
    write: { service: 'route53', operation: 'ChangeResourceRecordSets', input: { HostedZoneId: 'it', ChangeBatch: { Comment: `ripcord ${id}/a`, Changes: [
      ...[record('blue', 0), record('green', 100)].map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet })),
      ...[record('blue', 100), record('green', 0)].map((ResourceRecordSet) => ({ Action: 'CREATE', ResourceRecordSet })),
    ] } } },
  },
  'a running deployment': {
    document: { strategy: 'codedeploy', application: 'it', deploymentGroup: 'prod' }, read: { service: 'lambda', operation: 'GetAlias', output: { FunctionVersion: '2' } },
    row: { from: { live: '2', running: { id: 'd-it' } }, to: { live: '2', revision: revision('2') } },
    write: { service: 'codedeploy', operation: 'StopDeployment', input: { deploymentId: 'd-it', autoRollbackEnabled: true } },
  },
  'a deployment group': {
    document: { strategy: 'codedeploy', application: 'it', deploymentGroup: 'prod' }, read: { service: 'lambda', operation: 'GetAlias', output: { FunctionVersion: '3' } },
    row: { from: { live: '3', running: null }, to: { live: '2', revision: revision('2') } },
    write: { service: 'codedeploy', operation: 'CreateDeployment', input: { applicationName: 'it', deploymentGroupName: 'prod', revision: revision('2'), description: `ripcord:${id}/a`, deploymentConfigName: 'AllAtOnce' } },
  },
  'a service': {
    document: { strategy: 'ecs-service', cluster: 'prod', service: 'it' }, read: { service: 'ecs', operation: 'DescribeServices', output: { services: [{ taskDefinition: 'shop:3' }] } },
    row: { from: { taskDefinition: 'shop:3' }, to: { taskDefinition: 'shop:2' } },
    write: { service: 'ecs', operation: 'UpdateService', input: { cluster: 'prod', service: 'it', taskDefinition: 'shop:2' } },
  },
  'an alias': {
    document: { strategy: 'lambda-alias', functionName: 'it', alias: 'live' }, read: { service: 'lambda', operation: 'GetAlias', output: { FunctionVersion: '3' } },
    row: { from: { version: '3', weights: {} }, to: { version: '2', weights: {} } },
    write: { service: 'lambda', operation: 'UpdateAlias', input: { FunctionName: 'it', Name: 'live', FunctionVersion: '2', RoutingConfig: { AdditionalVersionWeights: {} }, RevisionId: 'r-7' } },
  },
  'a parameter': {
    document: { strategy: 'ssm-parameter', parameter: '/it' }, read: { service: 'ssm', operation: 'GetParameter', output: { Parameter: { Value: 'on', Version: 4 } } },
    row: { from: { name: '/it', value: 'on', version: 4 }, to: { name: '/it', value: 'off', version: 5 } },
    write: { service: 'ssm', operation: 'PutParameter', input: { Name: '/it', Value: 'off', Overwrite: true } },
  },
};

interface Changes {
  readonly row?: Members;
  readonly input?: Members;
  readonly read?: Partial<CallRecord>;
  /** Of the call that puts the row down; null: no call of this invocation did. */
  readonly put?: Partial<CallRecord> | null;
  /** Further calls with the same input. */
  readonly repeats?: readonly Partial<CallRecord>[];
}

function problems({ document, read, row, write }: Sample, { put = {}, repeats = [], ...changes }: Changes = {}): readonly string[] {
  const data = { targetId: 'target', strategy: document['strategy'], ...row, ...changes.row };
  const made = { ...write, input: { ...write.input, ...changes.input }, mutating: true };
  const writes = [callOf({ ...made, seconds: 3 }), ...repeats.map((repeat) => callOf({ ...made, seconds: 4, ...repeat }))];
  const calls = [callOf({ ...read, ...changes.read, seconds: 1 }), ...(put === null ? [] : [announces('of the row', 2, put)]), ...writes];
  const targets = { other: { prefix: 'none', isTouchedBy: () => true, document: {} }, target: { prefix: write.service, isTouchedBy: (input: string) => /\bit\b/.test(input), document } };
  const records = [{ rollbackId: id, rows: [{ kind: 'change-intended', hash: 'of the row', data: JSON.stringify(data) }] }];
  return unannounced({ world: { sandbox: { calls: { list: () => calls } }, targets }, records, writes } as unknown as Run);
}

const each = Object.entries(samples).map(([name, sample]) => ({ name, sample, what: `${sample.write.service}:${sample.write.operation}` }));

test.each(each)('$name: what was announced is what was written, once or repeated, answered or not', ({ sample }) => {
  expect(problems(sample)).toEqual([]);
  expect(problems(sample, { repeats: [{ errorCode: 'InternalFailure', status: 500 }, { status: 0 }] })).toEqual([]);
});

test.each(each)('$name: a call that writes anything else than its row says is found', ({ sample, what }) => {
  const other = `audit: ${what} wrote something else than the row that announced it says`;
  const told = Object.keys(sample.write.input).filter((name) => name !== 'RevisionId' && name !== 'deploymentConfigName');
  for (const name of told) expect(problems(sample, { input: { [name]: 'it is another' } }), name).toEqual([other]);
  expect(problems(sample, { input: { added: true } })).toEqual([other]);
  const wanted = sample.write.operation === 'StopDeployment' ? { from: { ...sample.row.from, running: { id: 'd-another' } } } : { to: {} };
  expect(problems(sample, { row: wanted })).toEqual([other]);
});

test.each(each)('$name: a row that the same invocation did not put down before announces nothing', ({ sample, what }) => {
  const silent = `audit: ${what} took effect and no row about it announced it`;
  expect(problems(sample, { put: null })).toEqual([silent]);
  expect(problems(sample, { put: { trace: 'another' } })).toEqual([silent]);
  expect(problems(sample, { row: { targetId: 'other' } })).toEqual([silent]);
  expect(problems(sample, { put: { sequence: Number.POSITIVE_INFINITY } })).toEqual([silent]);
  expect(problems(sample, { row: { strategy: 'none' } })).toEqual([`audit: ${what} wrote something else than the row that announced it says`]);
});

test.each(each.filter(({ sample }) => sample.read.service !== undefined))('$name: a row names the state that was read before it', ({ sample, what }) => {
  const other = `audit: ${what} wrote over something else than the row that announced it says`;
  expect(problems(sample, { read: { output: { FunctionVersion: '9', Listeners: [{ DefaultActions: forwarding(50) }], Rules: [{ Actions: forwarding(50) }] } } })).toEqual([other]);
  expect(problems(sample, { read: { output: null } })).toEqual([other]);
  expect(problems(sample, { read: { trace: 'another' } })).toEqual([other]);
});

test('what is no target may not be changed', () => {
  expect(problems(samples['an alias'] as Sample, { input: { FunctionName: 'another' } })).toEqual(['audit: lambda:UpdateAlias changed what is no target']);
});

test('every strategy has a call that is looked into', () => {
  expect(Object.values(samples).map(({ document }) => document['strategy'])).toEqual(expect.arrayContaining(Object.keys(manifests)));
});
