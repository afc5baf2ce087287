// EventBridge rules on the default bus: what starts a rollback, what starts a watch, and who is told when a rollback dies.
import { aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_lambda as lambda, aws_sqs as sqs, aws_stepfunctions as sfn, ArnFormat, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AliasSource, EcsSource, ReleaseSources } from '../../lambdas/config/release-sources.ts';
import { allow, explain, type Reasons } from './statements.ts';

/** A rollback that starts later than this would act on a world that has moved on. */
const maximumEventAge = Duration.minutes(10);
const retryAttempts = 8;
/** EventBridge refuses patterns of more than 2,048 characters; the rest of an alarm pattern needs about 250. */
const alarmNamesLimit = 1600;

/** The queues for events that could not be delivered or handled, and the role with which rules start the workflows. */
export class EventDelivery extends Construct {
  /** What could not be delivered: a rollback or a watch may not have started, so it pages. */
  readonly deadLetters: sqs.Queue;
  /** For looking things up, without an alarm: labels that were not written down, and what the Watchdog failed at, which pages by itself. */
  readonly unhandled: sqs.Queue;
  readonly role: iam.Role;

  /** @param workflowArns the state machines that rules may start. */
  constructor(scope: Construct, id: string, workflowArns: readonly string[]) {
    super(scope, id);
    this.deadLetters = this.queue('DeadLetters');
    this.unhandled = this.queue('Unhandled');
    explain(this.deadLetters, { quiet: { 'sqs:SendMessage': 'It counts only when a rule could not start anything either. EventBridge then has a metric for each rule alone, FailedInvocations; the poll finds the release or the alarm at its source.' } });
    explain(this.unhandled, { quiet: { 'sqs:SendMessage': 'It counts only when the rule could not call the function for a label either, and a label wakes nobody.' } });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('events.amazonaws.com'),
      description: 'Rules of Ripcord start its workflows',
    });
    allow(this.role, [{ actions: ['states:StartExecution'], resources: workflowArns }]);
  }

  private queue(id: string): sqs.Queue {
    const queue = new sqs.Queue(this, id, { encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'This queue is a dead-letter queue.' });
    // One statement for every rule of the account: a queue's policy holds twenty statements at most, and there is a rule for each service.
    queue.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnLike: { 'aws:SourceArn': Stack.of(this).formatArn({ service: 'events', resource: 'rule', resourceName: '*' }) } },
    }));
    return queue;
  }

  /** The whole event goes to the workflow, beside the name of the service whose rule matched. */
  toWorkflow(stateMachine: sfn.IStateMachine, service: string): events.IRuleTarget {
    return {
      bind: () => ({
        arn: stateMachine.stateMachineArn,
        role: this.role,
        input: events.RuleTargetInput.fromObject({ service, event: events.EventField.fromPath('$') }),
        deadLetterConfig: { arn: this.deadLetters.queueArn },
        retryPolicy: { maximumEventAgeInSeconds: maximumEventAge.toSeconds(), maximumRetryAttempts: retryAttempts },
      }),
    };
  }
}

export interface CodeDeployGroup {
  readonly application: string;
  readonly deploymentGroup: string;
}

export interface ServiceRulesProps {
  readonly service: string;
  readonly alarms: readonly string[];
  /** Other tools whose `ripcord.signal` events count. */
  readonly tools: readonly string[];
  readonly deployments: readonly CodeDeployGroup[];
  /** ECS services and Lambda aliases whose changes are releases. */
  readonly sources: ReleaseSources;
  readonly delivery: EventDelivery;
  readonly rollback: sfn.IStateMachine;
  readonly watch: sfn.IStateMachine;
}

/** The rules of one service. */
export class ServiceRules extends Construct {
  constructor(scope: Construct, id: string, props: ServiceRulesProps) {
    super(scope, id);
    const rollback = [props.delivery.toWorkflow(props.rollback, props.service)];
    const watch = [props.delivery.toWorkflow(props.watch, props.service)];
    const rule = (ruleId: string, description: string, eventPattern: events.EventPattern, to: events.IRuleTarget[]): void => {
      new events.Rule(this, ruleId, { description: `${props.service}: ${description}`, eventPattern, targets: to });
    };
    for (const [index, names] of chunks(props.alarms).entries())
      rule(index === 0 ? 'Alarms' : `Alarms${index + 1}`, 'an alarm fires', alarmPattern(names), rollback);
    for (const [index, group] of props.deployments.entries()) {
      const suffix = index === 0 ? '' : String(index + 1);
      rule(`DeploymentFailed${suffix}`, 'a deployment failed or was stopped', deploymentPattern(group, ['FAILURE', 'STOP']), rollback);
      rule(`Deployment${suffix}`, 'a deployment began or finished', deploymentPattern(group, ['START', 'SUCCESS']), watch);
    }
    for (const [index, source] of props.sources.ecs.entries()) rule(`EcsDeployment${index === 0 ? '' : index + 1}`, 'ECS deploys', ecsPattern(this, source), watch);
    for (const [index, source] of props.sources.lambda.entries()) rule(`Alias${index === 0 ? '' : index + 1}`, 'a Lambda alias was moved', aliasPattern(this, source), watch);
    if (props.tools.length > 0)
      rule('Signals', 'another tool reports', {
        source: ['ripcord.signal'], detailType: ['Signal'], detail: { service: [props.service], tool: [...props.tools] },
      }, rollback);
    rule('Releases', 'a pipeline reports a release', {
      source: ['ripcord.release'], detailType: ['Release Started', 'Release Finished'], detail: { service: [props.service] },
    }, watch);
  }
}

const alarmPattern = (names: readonly string[]): events.EventPattern => ({
  source: ['aws.cloudwatch'],
  detailType: ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
  detail: { alarmName: [...names], state: { value: ['ALARM'] } },
});

/** Event words, not the API's: `STOP` and `FAILURE`, never `Stopped` and `Failed`. */
const deploymentPattern = ({ application, deploymentGroup }: CodeDeployGroup, states: string[]): events.EventPattern => ({
  source: ['aws.codedeploy'],
  detailType: ['CodeDeploy Deployment State-change Notification'],
  detail: { application: [application], deploymentGroup: [deploymentGroup], state: states },
});

/** A failed deployment goes to the Watch too: whether ECS went back by itself has to be read before a rollback makes sense. */
const ecsPattern = (scope: Construct, { cluster, service }: EcsSource): events.EventPattern => ({
  source: ['aws.ecs'],
  detailType: ['ECS Deployment State Change'],
  resources: [ecsServiceArn(scope, { cluster, service })],
  detail: { eventName: ['SERVICE_DEPLOYMENT_IN_PROGRESS', 'SERVICE_DEPLOYMENT_COMPLETED', 'SERVICE_DEPLOYMENT_FAILED'] },
});

/** Comes only where a CloudTrail trail records management events; the poll finds the rest. The caller names the function as it likes. */
const aliasPattern = (scope: Construct, { functionName, alias }: AliasSource): events.EventPattern => ({
  source: ['aws.lambda'],
  detailType: ['AWS API Call via CloudTrail'],
  detail: {
    eventName: events.Match.prefix('UpdateAlias'),
    errorCode: events.Match.doesNotExist(),
    requestParameters: { functionName: [...new Set([functionName, aliasFunctionArn(scope, { functionName })])], name: [alias] },
  },
});

const lastPart = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;

export const ecsServiceArn = (scope: Construct, { cluster, service }: EcsSource): string =>
  (service.startsWith('arn:') ? service : Stack.of(scope).formatArn({ service: 'ecs', resource: 'service', resourceName: `${lastPart(cluster)}/${service}` }));

export const aliasFunctionArn = (scope: Construct, { functionName }: Pick<AliasSource, 'functionName'>): string =>
  (functionName.startsWith('arn:') ? functionName : Stack.of(scope).formatArn({ service: 'lambda', resource: 'function', resourceName: functionName, arnFormat: ArnFormat.COLON_RESOURCE_NAME }));

/** Alarm names in groups that fit into one pattern each. */
function chunks(names: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let length = alarmNamesLimit;
  for (const name of names) {
    const more = JSON.stringify(name).length + 1;
    if (length + more > alarmNamesLimit) {
      groups.push([]);
      length = 0;
    }
    groups.at(-1)?.push(name);
    length += more;
  }
  return groups;
}

/** Minutes between two polls: events are lost rarely, and whoever waits for one that was lost waits no longer. */
export const pollMinutes = 5;

/** Beside the trust of a role with which Lambda handles an event. */
const unbegun = (tells: string): Reasons => ({ quiet: { 'sts:AssumeRole': `Lambda cannot begin, so no record of ours can name it: ${tells}.` } });

/** One schedule for the whole engine, not one a service. A poll that fails is not tried again: the next one is never far. */
export function pollRule(scope: Construct, delivery: EventDelivery, poll: lambda.Function): events.Rule {
  poll.configureAsyncInvoke({ maxEventAge: Duration.minutes(pollMinutes), retryAttempts: 0 });
  explain(roleOf(poll), unbegun('the alarm poll-missing tells'));
  return new events.Rule(scope, 'PollRule', {
    description: 'Looks for releases and alarms whose events were lost',
    schedule: events.Schedule.rate(Duration.minutes(pollMinutes)),
    targets: [toFunction(poll, { lost: delivery.deadLetters, maximumEventAgeInSeconds: pollMinutes * 60, maximumRetryAttempts: 2 })],
  });
}

interface Delivered {
  readonly lost: sqs.IQueue;
  readonly maximumEventAgeInSeconds: number;
  readonly maximumRetryAttempts: number;
}

/** CDK's own target would give each rule a statement in the queue's policy beside the one that all rules share. */
const toFunction = (called: lambda.IFunction, { lost, ...retryPolicy }: Delivered): events.IRuleTarget => ({
  bind: (rule) => {
    targets.addLambdaPermission(rule, called);
    return { arn: called.functionArn, targetResource: called, deadLetterConfig: { arn: lost.queueArn }, retryPolicy };
  },
});

/** @throws Error for a function of somebody else, which has none that is known. */
function roleOf({ role }: lambda.IFunction): iam.IRole {
  if (role === undefined) throw new Error('the function has no role of its own');
  return role;
}

/** What a function failed at goes to the queue. CDK's own destination also grants two reads of the queue, which Lambda does not make. */
const toQueue = (queue: sqs.IQueue): lambda.IDestination => ({
  bind: (_, failed) => {
    allow(roleOf(failed), [{
      actions: ['sqs:SendMessage'], resources: [queue.queueArn],
      quiet: { 'sqs:SendMessage': 'Lambda sends in the name of the role, and no record of ours can name what it was refused. The queue only keeps the event to be looked at: whoever has to hear of it hears without it.' },
    }]);
    return { destination: queue.queueArn };
  },
});

/** A label wakes nobody, so neither does the loss of what it needs. */
function lostQuietly(label: lambda.Function): void {
  const kept = 'A label that gets lost wakes nobody: its event lies in the queue without an alarm';
  const refused = `${kept}, and the log of the function names what it was refused.`;
  explain(roleOf(label), unbegun('a label that gets lost wakes nobody'));
  explain(roleOf(label), { quiet: Object.fromEntries(['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'].map((action) => [action, refused])) });
  explain(label, { quiet: { 'lambda:InvokeFunction': `${kept}.` } });
}

/** A tool's word on a rollback that has ended. One that runs still is tried twice more, in minutes. A label that gets lost wakes nobody. */
export function labelRule(scope: Construct, delivery: EventDelivery, label: lambda.Function): events.Rule {
  label.configureAsyncInvoke({ maxEventAge: maximumEventAge, retryAttempts: 2, onFailure: toQueue(delivery.unhandled) });
  lostQuietly(label);
  return new events.Rule(scope, 'LabelRule', {
    description: 'A tool says whether a rollback was right',
    eventPattern: { source: ['ripcord.label'], detailType: ['Label'] },
    targets: [toFunction(label, { lost: delivery.unhandled, maximumEventAgeInSeconds: maximumEventAge.toSeconds(), maximumRetryAttempts: retryAttempts })],
  });
}

/** An execution that died ran no Catch: its lock and its record are closed from here. */
export function watchdogRule(scope: Construct, delivery: EventDelivery, rollback: { readonly arn: string; readonly watchdog: lambda.Function }): events.Rule {
  // EventBridge hands over to Lambda's own queue: what fails there three times would be lost without a word.
  rollback.watchdog.configureAsyncInvoke({ maxEventAge: maximumEventAge, retryAttempts: 2, onFailure: toQueue(delivery.unhandled) });
  explain(roleOf(rollback.watchdog), unbegun('the alarm handler-lost tells'));
  return new events.Rule(scope, 'WatchdogRule', {
    description: 'A rollback failed, timed out or was aborted',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [rollback.arn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    },
    targets: [toFunction(rollback.watchdog, { lost: delivery.deadLetters, maximumEventAgeInSeconds: maximumEventAge.toSeconds(), maximumRetryAttempts: retryAttempts })],
  });
}
