// The engine's own alarms: who watches the watchman. Each names its section of the runbook.
import { aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_lambda as lambda, aws_sns as sns, aws_sqs as sqs, aws_stepfunctions as sfn, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface EngineAlarmsProps {
  readonly engineName: string;
  readonly onCall: sns.ITopic;
  readonly deadLetters: sqs.IQueue;
  readonly rollback: sfn.StateMachine;
  readonly watch: sfn.StateMachine;
  /** Function name (without the engine's) to function. */
  readonly functions: Readonly<Record<string, lambda.IFunction>>;
}

interface AlarmKind {
  /** Section of `docs/runbook.md`, and the alarm's name after the engine's. */
  readonly section: string;
  readonly text: string;
  readonly metric: cloudwatch.IMetric;
  /** Where the metric counts what went well: `always` has to, so that no data is wrong too, once there was some; `when-called` has to where it was tried at all. */
  readonly hasToWork?: 'always' | 'when-called';
  /** Periods of the metric that are looked at; default 1. */
  readonly periods?: number;
  /** In how many of them it has to be so; default: in each. */
  readonly breachingPeriods?: number;
  /** Part of the name when one section has several alarms. */
  readonly of?: string;
}

const minutes = Duration.minutes(5);

export class EngineAlarms extends Construct {
  readonly alarms: readonly cloudwatch.Alarm[];
  private readonly props: EngineAlarmsProps;

  constructor(scope: Construct, id: string, props: EngineAlarmsProps) {
    super(scope, id);
    this.props = props;
    this.alarms = [...workflowAlarms(props), ...functionAlarms(props.functions)].map((kind) => this.alarm(kind));
  }

  /** One more function to watch, for a strategy that a service brought into use. */
  watch(name: string, one: lambda.IFunction): void {
    for (const kind of functionAlarms({ [name]: one })) this.alarm(kind);
  }

  private alarm(kind: AlarmKind): cloudwatch.Alarm {
    const { engineName, onCall } = this.props;
    const name = kind.of === undefined ? kind.section : `${kind.section}-${kind.of}`;
    const alarm = new cloudwatch.Alarm(this, name, {
      alarmName: `${engineName}-${name}`,
      alarmDescription: `${kind.text} What to do: docs/runbook.md#${kind.section}`,
      metric: kind.metric,
      threshold: 1,
      evaluationPeriods: kind.periods ?? 1,
      ...(kind.breachingPeriods === undefined ? {} : { datapointsToAlarm: kind.breachingPeriods }),
      comparisonOperator: kind.hasToWork === undefined ? cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD : cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      // Most count events: a period without one has no data, and that is the good case.
      // What has to happen and is silent has no data either: that pages too, but not before the very first time, as a breaching one would.
      treatMissingData: kind.hasToWork === 'always' ? cloudwatch.TreatMissingData.MISSING : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(onCall));
    if (kind.hasToWork === 'always') alarm.addInsufficientDataAction(new actions.SnsAction(onCall));
    return alarm;
  }
}

function workflowAlarms({ deadLetters, rollback, watch, functions }: EngineAlarmsProps): readonly AlarmKind[] {
  const sum = { period: minutes, statistic: 'Sum' };
  const asked = functions['approve'];
  const polled = functions['poll'];
  return [
    {
      section: 'dead-letters',
      text: 'An event could not be delivered: a rollback or a watch may not have started.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: minutes, statistic: 'Maximum' }),
    },
    {
      section: 'dead-letters', of: 'more',
      text: 'One more event could not be delivered, while another one lies in the queue already: a rollback or a watch may not have started.',
      metric: sentToOthers(deadLetters),
      // A queue that nobody touched for six hours sends its metrics up to a quarter of an hour late, and zeros after them.
      periods: 3, breachingPeriods: 1,
    },
    { section: 'rollback-failed', text: 'A rollback ended without a recovery.', metric: rollback.metricFailed(sum) },
    { section: 'rollback-timed-out', text: 'A rollback ran longer than any may and was closed.', metric: rollback.metricTimedOut(sum) },
    { section: 'rollback-aborted', text: 'Somebody stopped a rollback halfway.', metric: rollback.metricAborted(sum) },
    // One alarm for each: a sum of metrics has no value in a period in which one of them has none, and nothing says that Step Functions sends zeros.
    { section: 'watch-failed', text: 'A release is not being watched, or what it left could not be captured.', metric: watch.metricFailed(sum) },
    { section: 'watch-failed', of: 'timed-out', text: 'A watch ran longer than any may: its release is not watched any more.', metric: watch.metricTimedOut(sum) },
    { section: 'watch-failed', of: 'aborted', text: 'Somebody stopped a watch: its release is not watched any more.', metric: watch.metricAborted(sum) },
    ...(polled === undefined ? [] : [{
      section: 'poll-missing',
      text: 'Nobody looks for lost events: the poll did not run whole for a quarter of an hour.',
      metric: worked('poll', polled),
      hasToWork: 'always' as const,
    }]),
    ...(asked === undefined ? [] : [{
      section: 'approval-waiting',
      text: 'A rollback waits for a person; the deadline and what happens then are in its message.',
      metric: asked.metricInvocations(sum),
    }]),
  ];
}

/** What lay in the queue in the period before one in which something was sent to it: the first message rings the alarm on its length alone. */
const sentToOthers = (queue: sqs.IQueue): cloudwatch.MathExpression => new cloudwatch.MathExpression({
  expression: 'IF(sent > 0, lying - DIFF(lying), 0)', label: 'messages in the queue before one more was sent', period: minutes,
  usingMetrics: {
    // EventBridge sends them with SendMessage, which this counts; what a redrive policy moves it would not.
    sent: queue.metricNumberOfMessagesSent({ period: minutes, statistic: 'Sum' }),
    lying: queue.metricApproximateNumberOfMessagesVisible({ period: minutes, statistic: 'Maximum' }),
  },
});

/** Calls of a function that ended without an error. Lambda counts each try of a call, and sends a zero of errors with each that went well. */
const worked = (name: string, one: lambda.IFunction, { period = Duration.minutes(15), expression = (calls: string): string => calls } = {}): cloudwatch.MathExpression => {
  const summed = { period, statistic: 'Sum' };
  return new cloudwatch.MathExpression({
    expression: expression('invocations - errors'), label: `calls of ${name} that ran whole`, period,
    usingMetrics: { invocations: one.metricInvocations(summed), errors: one.metricErrors(summed) },
  });
};

/**
 * So many minutes long no call of a function went well after one that did not. A minute without a call counts as the last one that had any: an alarm looks at a
 * window that slides from minute to minute, and longer periods than these would end between a try and the one that mends it.
 */
const useless = (name: string, one: lambda.IFunction, periods: number): Pick<AlarmKind, 'metric' | 'periods' | 'hasToWork'> =>
  ({ metric: worked(name, one, { period: Duration.minutes(1), expression: (calls) => `FILL(${calls}, REPEAT)` }), periods, hasToWork: 'when-called' });

/**
 * Lambda's `Errors` counts each try, also one that a retry mends a second later, so it is worth waking someone only where nobody tries again.
 * Of the others their caller tells what no retry mended: the workflow, whose execution fails or whose Report pages, the poll's own alarm, or for the Watchdog the alarm on what Lambda gave up.
 */
const errorAlarms: Readonly<Record<string, (one: lambda.IFunction) => Omit<AlarmKind, 'section' | 'of'>>> = {
  answer: (one) => ({ text: 'A person answered an approval, and the answer was not taken or not put on record.', metric: one.metricErrors({ period: minutes, statistic: 'Sum' }) }),
  // Report tells of it too, but only when the rollback has ended; until then traffic is moved and nobody knows.
  announce: (one) => ({ text: 'A rollback changes a service, and nobody could be told: every call of announce fails.', ...useless('announce', one, 5) }),
  // A Watch and a hold go on without journeys.
  verify: (one) => ({ text: 'Journeys cannot be run, and no recovery can be proven: every call of verify fails.', ...useless('verify', one, 15) }),
};

const functionAlarms = (functions: EngineAlarmsProps['functions']): readonly AlarmKind[] =>
  Object.entries(functions).flatMap(([name, one]) => {
    const errors = errorAlarms[name]?.(one);
    return [
      ...(errors === undefined ? [] : [{ section: 'handler-errors', of: name, ...errors }]),
      {
        section: 'handler-throttles', of: name, text: `Function ${name} has been throttled for ten minutes: the account runs out of Lambda concurrency.`, periods: 2,
        metric: one.metricThrottles({ period: minutes, statistic: 'Sum' }),
      },
      ...(name === 'watchdog' ? [{
        section: 'handler-lost', of: name, text: 'A rollback died, and the Watchdog could not close it: Lambda gave its event up after its last try.',
        metric: one.metric('AsyncEventsDropped', { period: minutes, statistic: 'Sum' }),
      }] : []),
    ];
  });
