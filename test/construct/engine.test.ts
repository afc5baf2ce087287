// What the engine's stack holds: each promise of the architecture as an assertion on the synthesized template.
import { Match, Template } from 'aws-cdk-lib/assertions';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Definition } from '../../lib/engine/asl.ts';
import { actionsOf, exampleTemplate, type Resource, statementsOf } from './stack-samples.ts';

let template: Template;
beforeAll(() => { template = exampleTemplate(); });

const all = (type: string): Resource[] => Object.values(template.findResources(type)) as Resource[];

describe('functions', () => {
  test('run on Node 24, arm64, traced, with their own log group and a limit', () => {
    expect(all('AWS::Lambda::Function')).toHaveLength(13);
    for (const { Properties } of all('AWS::Lambda::Function')) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x', Architectures: ['arm64'], MemorySize: 1024, Handler: 'index.handler', TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: expect.anything() }, Timeout: expect.any(Number),
      });
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
      expect((Properties['Environment'] as { Variables: Record<string, unknown> }).Variables['RIPCORD_CODE_VERSION']).toMatch(/^[0-9a-f]{12}$/);
    }
    for (const { Properties } of all('AWS::Logs::LogGroup')) expect(Properties['RetentionInDays']).toBe(180);
  });

  test('exist for the strategies in use only', () => {
    const names = all('AWS::Lambda::Function').map(({ Properties }) => Properties['FunctionName']);
    expect(names).toEqual(expect.arrayContaining(['ripcord-strategy-alb-weights', 'ripcord-strategy-codedeploy', 'ripcord-strategy-route53-weights', 'ripcord-assess']));
  });
});

describe('tables', () => {
  test('both are kept, protected and recoverable', () => {
    expect(all('AWS::DynamoDB::Table')).toHaveLength(2);
    for (const { Properties, DeletionPolicy } of all('AWS::DynamoDB::Table')) {
      expect(DeletionPolicy).toBe('Retain');
      expect(Properties).toMatchObject({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }, BillingMode: 'PAY_PER_REQUEST' });
    }
  });

  test('the audit lets nobody change or remove a row', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'rollbackId', KeyType: 'HASH' }, { AttributeName: 'seq', KeyType: 'RANGE' }],
      SSESpecification: { SSEEnabled: true },
      ResourcePolicy: { PolicyDocument: { Statement: [Match.objectLike({
        Effect: 'Deny', Principal: { AWS: '*' },
        Action: ['dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:PartiQLDelete', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate', 'dynamodb:UpdateItem'],
      })] } },
    });
  });
});

describe('state machines', () => {
  test('are standard, traced, and logged without their data', () => {
    template.resourcePropertiesCountIs('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'STANDARD', TracingConfiguration: { Enabled: true }, LoggingConfiguration: Match.objectLike({ Level: 'ALL', IncludeExecutionData: false }),
    }, 2);
  });

  test('hold every strategy in use, and a limit of time', () => {
    const definition = definitionOf('ripcord-rollback');
    expect(JSON.stringify(definition)).toMatch(/'alb-weights': '[^']*', 'codedeploy': '[^']*', 'route53-weights': '/);
    expect(definition.TimeoutSeconds).toBeGreaterThan(3600);
    expect(definition.QueryLanguage).toBe('JSONata');
  });
});

/** Intrinsic functions become their names: enough to parse the definition. */
function definitionOf(name: string): Definition {
  const [machine] = all('AWS::StepFunctions::StateMachine').filter(({ Properties }) => Properties['StateMachineName'] === name) as (Resource & { Properties: { DefinitionString: { 'Fn::Join': [string, unknown[]] } } })[];
  const parts = machine?.Properties.DefinitionString['Fn::Join'][1] ?? [];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : Object.values(part as Record<string, unknown>).flat().join('.'))).join('')) as Definition;
}

describe('rules', () => {
  const delivered = { DeadLetterConfig: Match.anyValue(), RetryPolicy: { MaximumEventAgeInSeconds: 600, MaximumRetryAttempts: 8 } };

  test('labels stand in chains of their own, and who keeps them can write nothing else', () => {
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['ripcord.label'], 'detail-type': ['Label'] } });
    const statements = statementsOf(template, 'EngineHandlerslabelRole').filter(({ Action }) => JSON.stringify(Action).includes('dynamodb:'));
    expect(actionsOf(statements)).toEqual(['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem']);
    expect(statements.find(({ Action, Effect }) => Effect === 'Allow' && Action === 'dynamodb:PutItem')).toMatchObject({
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'label#*' }, Null: { 'dynamodb:LeadingKeys': 'false' } },
    });
    expect(actionsOf(statements, 'Deny')).toContain('dynamodb:UpdateItem');
  });

  test('every target has a dead-letter queue, ten minutes and eight tries', () => {
    const rules = all('AWS::Events::Rule');
    expect(rules).toHaveLength(10);
    for (const { Properties } of rules.filter((rule) => rule.Properties['EventPattern'] !== undefined))
      for (const target of Properties['Targets'] as Record<string, unknown>[])
        expect(target).toMatchObject({ DeadLetterConfig: { Arn: expect.anything() }, RetryPolicy: { MaximumEventAgeInSeconds: 600, MaximumRetryAttempts: 8 } });
  });

  test('the poll runs every five minutes for the whole engine, and a lost run is not made up for', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Handlerspoll'), 'Arn'] }, DeadLetterConfig: Match.anyValue(), RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 } })],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 0 });
  });

  test('an alarm starts a rollback with the whole event beside the service', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
        detail: { alarmName: ['checkout-5xx-rate', 'checkout-latency-p99', 'checkout-latency-p50'], state: { value: ['ALARM'] } },
      },
      Targets: [Match.objectLike({ ...delivered, InputTransformer: { InputPathsMap: { f1: '$' }, InputTemplate: '{"service":"checkout","event":<f1>}' }, RoleArn: Match.anyValue() })],
    });
  });

  test.each([[['FAILURE', 'STOP'], 'Rollback'], [['START', 'SUCCESS'], 'Watch']])('deployment states %j go to %s', (state, machine) => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['aws.codedeploy'], detail: { application: ['checkout'], deploymentGroup: ['checkout-prod'], state } },
      Targets: [Match.objectLike({ Arn: { Ref: Match.stringLikeRegexp(`Workflows${machine}`) } })],
    });
  });

  test('messages of other tools and of pipelines are matched by service', () => {
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['ripcord.signal'], 'detail-type': ['Signal'], detail: { service: ['checkout'], tool: ['datadog'] } } });
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['ripcord.release'], 'detail-type': ['Release Started', 'Release Finished'], detail: { service: ['search'] } } });
  });

  test('a rollback that died calls the Watchdog, and what fails there is kept', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['aws.states'], detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [Match.anyValue()] } },
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 2, DestinationConfig: { OnFailure: Match.anyValue() } });
  });

  test('the queue takes events from every rule with one statement: a queue policy holds twenty', () => {
    const [policy] = all('AWS::SQS::QueuePolicy') as (Resource & { Properties: { PolicyDocument: { Statement: unknown[] } } })[];
    expect(policy?.Properties.PolicyDocument.Statement.length).toBeLessThan(6);
    template.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
  });
});

describe('messages and answers', () => {
  test('topics are encrypted and take nothing without TLS', () => {
    template.resourcePropertiesCountIs('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() }, 2);
    template.resourcePropertiesCountIs('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({ Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]) }),
    }, 2);
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'on-call@example.com' });
  });

  test('the alarms of CloudWatch may use the key of the topics', () => {
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: { Statement: Match.arrayWith([Match.objectLike({ Principal: { Service: 'cloudwatch.amazonaws.com' } })]) },
    });
  });

  test('the function URL is for the approvers alone', () => {
    const principal = 'arn:aws:iam::111122223333:role/release-approver';
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    template.hasResourceProperties('AWS::Lambda::Permission', { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM', Principal: principal });
    template.hasResourceProperties('AWS::Lambda::Permission', { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true, Principal: principal });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/ripcord/approval-url' });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/ripcord/label-url' });
  });
});

describe('who watches the watchman', () => {
  test('each alarm pages, and links a section of the runbook that exists', () => {
    const headings = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^##+ (.+)$/gm)].map(([, text]) => (text ?? '').toLowerCase().replaceAll(/[^a-z0-9 -]/g, '').trim().replaceAll(' ', '-'));
    const alarms = all('AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(20);
    for (const { Properties } of alarms) {
      const section = /docs\/runbook\.md#([a-z-]+)$/.exec(String(Properties['AlarmDescription']))?.[1];
      expect(headings, `the runbook has no section for ${String(Properties['AlarmName'])}`).toContain(section);
      // A poll that does not run sends no metric: that pages too, but not before the first one ran. Nobody may have called Verify or Announce.
      const silence = { TreatMissingData: 'missing', InsufficientDataActions: [expect.anything()], ComparisonOperator: 'LessThanThreshold' };
      const uselessness = { TreatMissingData: 'notBreaching', ComparisonOperator: 'LessThanThreshold' };
      const trouble = { TreatMissingData: 'notBreaching', ComparisonOperator: 'GreaterThanOrEqualToThreshold' };
      const wanted = { 'ripcord-poll-missing': silence, 'ripcord-handler-errors-verify': uselessness, 'ripcord-handler-errors-announce': uselessness }[String(Properties['AlarmName'])] ?? trouble;
      expect(Properties).toMatchObject({ AlarmActions: [expect.anything()], ...wanted });
    }
  });

  test('there is an alarm for events and executions, and of a function for what nobody else tells', () => {
    const names = all('AWS::CloudWatch::Alarm').map(({ Properties }) => String(Properties['AlarmName'])).filter((name) => name.startsWith('ripcord-'));
    expect(names.filter((name) => !name.startsWith('ripcord-handler-')).toSorted()).toEqual([
      'ripcord-approval-waiting', 'ripcord-dead-letters', 'ripcord-dead-letters-more', 'ripcord-poll-missing', 'ripcord-rollback-aborted', 'ripcord-rollback-failed', 'ripcord-rollback-timed-out',
      'ripcord-watch-failed', 'ripcord-watch-failed-aborted', 'ripcord-watch-failed-timed-out',
    ]);
    // Lambda counts an attempt that the workflow's own retry mends as an error too.
    expect(names.filter((name) => /errors|lost/.test(name)).toSorted()).toEqual(['ripcord-handler-errors-announce', 'ripcord-handler-errors-answer', 'ripcord-handler-errors-verify', 'ripcord-handler-lost-watchdog']);
    expect(names).toEqual(expect.arrayContaining(['ripcord-handler-throttles-report', 'ripcord-handler-throttles-strategy-alb-weights']));
  });

  test('a function that was throttled and tried again wakes nobody; one that is throttled on and on does', () => {
    const throttles = all('AWS::CloudWatch::Alarm').filter(({ Properties }) => String(Properties['AlarmName']).startsWith('ripcord-handler-throttles-'));
    expect(throttles.length).toBeGreaterThan(10);
    for (const { Properties } of throttles) expect(Properties).toMatchObject({ EvaluationPeriods: 2, Period: 300, Statistic: 'Sum' });
  });

  test('an alarm for how an execution ended looks at that one metric: a sum would have no value while another of its metrics has none', () => {
    const metrics = Object.fromEntries(all('AWS::CloudWatch::Alarm').map(({ Properties }) => [String(Properties['AlarmName']), Properties['MetricName']]));
    for (const [ending, metric] of [['failed', 'ExecutionsFailed'], ['timed-out', 'ExecutionsTimedOut'], ['aborted', 'ExecutionsAborted']])
      expect([metrics[`ripcord-rollback-${ending}`], metrics[ending === 'failed' ? 'ripcord-watch-failed' : `ripcord-watch-failed-${ending}`]]).toEqual([metric, metric]);
  });

  test('what is lost of a label goes to a queue that no alarm looks at', () => {
    const queueOf = (id: RegExp): unknown => Object.keys(template.findResources('AWS::SQS::Queue')).find((name) => id.test(name));
    const [rule] = all('AWS::Events::Rule').filter(({ Properties }) => JSON.stringify(Properties['EventPattern'])?.includes('ripcord.label'));
    const unhandled = { 'Fn::GetAtt': [queueOf(/DeliveryUnhandled/), 'Arn'] };
    expect(rule?.Properties['Targets']).toMatchObject([{ DeadLetterConfig: { Arn: unhandled } }]);
    const configs = all('AWS::Lambda::EventInvokeConfig').filter(({ Properties }) => /label|watchdog/.test(JSON.stringify(Properties['FunctionName'])));
    expect(configs.map(({ Properties }) => Properties['DestinationConfig'])).toEqual([{ OnFailure: { Destination: unhandled } }, { OnFailure: { Destination: unhandled } }]);
    expect(JSON.stringify(all('AWS::CloudWatch::Alarm'))).not.toContain('DeliveryUnhandled');
  });

  test('there is one dashboard', () => {
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});

describe('the catalogue', () => {
  test('holds each service with every default resolved', () => {
    const entry = all('AWS::SSM::Parameter').find(({ Properties }) => Properties['Name'] === '/ripcord/services/search');
    expect(entry?.Properties['Tier']).toBe('Intelligent-Tiering');
    expect(JSON.parse(String(entry?.Properties['Value']))).toMatchObject({
      name: 'search',
      service: { signals: { minimum: 1, holdSeconds: 300 }, policy: { bakeMinutes: 60, dailyBudget: 3, askTimeoutMinutes: 30 }, targets: { dns: { strategy: 'route53-weights' } } },
    });
  });
});

test('a newcomer finds what to use in the outputs', () => {
  expect(Object.keys(template.findOutputs('*')).toSorted()).toEqual([
    'ApprovalUrl', 'ApproverPolicy', 'AuditTable', 'LabelUrl', 'OnCallTopic', 'OperatorPolicy', 'RollbackConsole', 'RollbackStateMachine', 'StakeholderTopic', 'ViewerPolicy', 'WatchStateMachine',
  ]);
});

test('the template of the example app, without the hashes of its code', () => {
  const text = JSON.stringify(template.toJSON(), null, 1).replaceAll(/[0-9a-f]{64}/g, '<hash>').replaceAll(/"RIPCORD_CODE_VERSION": "[0-9a-f]{12}"/g, '"RIPCORD_CODE_VERSION": "<digest>"');
  expect(JSON.parse(text)).toMatchSnapshot();
});
