// The EventBridge API: putting events, and reading and writing rules of the default bus.
import * as eventbridge from '@aws-sdk/client-eventbridge';
import type * as api from '@aws-sdk/client-eventbridge';
import { AwsError, type AwsService, type Operation, type OperationContext } from '../../aws/world.ts';
import type { EventBus } from './event-bus.ts';
import { compilePattern } from './pattern.ts';
import type { Rule, RuleTarget } from './rule.ts';

// AWS: one PutEvents request.
const requestLimitBytes = 256 * 1024;
const entryLimit = 10;

function onlyDefaultBus(name: string | undefined, bus: EventBus): void {
  if (name !== undefined && name !== 'default' && name !== bus.arn) throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist: the sandbox has the default bus only.`);
}

const ruleArn = (name: string | undefined, { place }: OperationContext): string => `arn:${place.partition}:events:${place.region}:${place.account}:rule/${name ?? ''}`;

const refuse = (ErrorCode: string, ErrorMessage: string): { ErrorCode: string; ErrorMessage: string } => ({ ErrorCode, ErrorMessage });

function putEntry(bus: EventBus, entry: api.PutEventsRequestEntry): { EventId?: string; ErrorCode?: string; ErrorMessage?: string } {
  const { Source, DetailType, Detail, Resources, Time } = entry;
  if (!Source || !DetailType || Detail === undefined) return refuse('InvalidArgument', 'Parameter Source, DetailType or Detail is not valid. Reason: is a required argument.');
  if (/^aws(\.|$)/i.test(Source)) return refuse('NotAuthorizedForSourceException', `Not authorized for the source ${Source}.`);
  onlyDefaultBus(entry.EventBusName, bus);
  const detail = parseDetail(Detail);
  if (detail === null) return refuse('MalformedDetail', 'Detail is malformed.');
  const event = bus.put({ source: Source, 'detail-type': DetailType, detail, resources: Resources ?? [], ...(Time === undefined ? {} : { time: Time }) });
  return { EventId: event.id };
}

function parseDetail(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function putEvents(bus: EventBus): Operation {
  return {
    mutating: true,
    authorize: (input: api.PutEventsRequest) =>
      (input.Entries ?? []).map((entry) => ({ action: 'events:PutEvents', resources: [bus.arn], context: { 'events:source': entry.Source ?? '', 'events:detail-type': entry.DetailType ?? '' } })),
    run: (input: api.PutEventsRequest) => {
      const entries = input.Entries ?? [];
      if (entries.length === 0 || entries.length > entryLimit) throw new AwsError('ValidationException', `1 validation error detected: 'entries' must have 1 to ${entryLimit} members`);
      const bytes = entries.reduce((sum, one) => sum + Buffer.byteLength((one.Source ?? '') + (one.DetailType ?? '') + (one.Detail ?? '')), 0);
      if (bytes > requestLimitBytes) throw new AwsError('ValidationException', `Total size of the entries in the request is over the limit: ${bytes} bytes`, { status: 413 });
      const Entries = entries.map((entry) => putEntry(bus, entry));
      return { Entries, FailedEntryCount: Entries.filter((one) => one.ErrorCode !== undefined).length };
    },
  };
}

const shown = (rule: Rule): Record<string, unknown> => ({
  Name: rule.name,
  Arn: rule.arn,
  State: rule.state,
  EventBusName: 'default',
  ...(rule.pattern === undefined ? {} : { EventPattern: rule.pattern }),
  ...(rule.schedule === undefined ? {} : { ScheduleExpression: rule.schedule }),
  ...(rule.description === undefined ? {} : { Description: rule.description }),
});

function onRule(action: string, mutating: boolean, run: (input: never) => unknown): Operation {
  const authorize = (input: { Name?: string; Rule?: string }, context: OperationContext) => [{ action: `events:${action}`, resources: [ruleArn(input.Name ?? input.Rule, context)] }];
  return { mutating, authorize, run };
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AwsError) throw error;
    throw new AwsError((error as Error).name === 'InvalidEventPattern' ? 'InvalidEventPatternException' : 'ValidationException', (error as Error).message);
  }
}

/** EventBridge as an AWS service of the sandbox. */
export function eventsService(bus: EventBus): AwsService {
  const operations: Record<string, Operation> = {
    PutEvents: putEvents(bus),
    PutRule: onRule('PutRule', true, (input: api.PutRuleRequest) => {
      onlyDefaultBus(input.EventBusName, bus);
      const rule = checked(() => bus.putRule({ name: input.Name ?? '', description: input.Description, pattern: input.EventPattern, schedule: input.ScheduleExpression, state: input.State === 'DISABLED' ? 'DISABLED' : 'ENABLED' }));
      return { RuleArn: rule.arn };
    }),
    PutTargets: onRule('PutTargets', true, (input: api.PutTargetsRequest) => {
      for (const target of input.Targets ?? []) checked(() => bus.putTarget(input.Rule ?? '', target as RuleTarget));
      return { FailedEntryCount: 0, FailedEntries: [] };
    }),
    DescribeRule: onRule('DescribeRule', false, (input: api.DescribeRuleRequest) => shown(bus.rule(input.Name ?? ''))),
    ListTargetsByRule: onRule('ListTargetsByRule', false, (input: api.ListTargetsByRuleRequest) => ({ Targets: [...bus.rule(input.Rule ?? '').targets.values()] })),
    EnableRule: onRule('EnableRule', true, (input: api.EnableRuleRequest) => void (bus.rule(input.Name ?? '').state = 'ENABLED')),
    DisableRule: onRule('DisableRule', true, (input: api.DisableRuleRequest) => void (bus.rule(input.Name ?? '').state = 'DISABLED')),
    ListRules: {
      mutating: false,
      authorize: (_input: api.ListRulesRequest, context: OperationContext) => [{ action: 'events:ListRules', resources: [ruleArn('*', context)] }],
      run: (input: api.ListRulesRequest) => ({ Rules: bus.rules().filter((one) => one.name.startsWith(input.NamePrefix ?? '')).map(shown) }),
    },
    TestEventPattern: {
      mutating: false,
      authorize: () => [{ action: 'events:TestEventPattern', resources: ['*'] }],
      run: (input: api.TestEventPatternRequest) => ({ Result: checked(() => compilePattern(JSON.parse(input.EventPattern ?? '')))(JSON.parse(input.Event ?? '{}')) }),
    },
  };
  return { signingName: 'events', iamPrefix: 'events', schemas: eventbridge, operations };
}
