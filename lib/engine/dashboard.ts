// One CloudWatch dashboard for the engine: what it did, how long it took, and whether it is well itself.
import { aws_cloudwatch as cloudwatch, aws_lambda as lambda, aws_sqs as sqs, aws_stepfunctions as sfn, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface EngineDashboardProps {
  readonly engineName: string;
  readonly rollback: sfn.StateMachine;
  readonly watch: sfn.StateMachine;
  readonly deadLetters: sqs.IQueue;
  readonly functions: readonly lambda.IFunction[];
  readonly alarms: readonly cloudwatch.IAlarm[];
}

export class EngineDashboard extends Construct {
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, props: EngineDashboardProps) {
    super(scope, id);
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', { dashboardName: props.engineName, defaultInterval: Duration.days(1) });
    this.dashboard.addWidgets(
      new cloudwatch.AlarmStatusWidget({ title: 'Alarms of the engine', alarms: [...props.alarms], width: 24, height: 4 }),
    );
    this.dashboard.addWidgets(executions('Rollbacks', props.rollback), executions('Watches', props.watch));
    this.dashboard.addWidgets(
      graph('Time of a rollback', [props.rollback.metricTime({ statistic: 'p50' }), props.rollback.metricTime({ statistic: 'p99' })]),
      graph('Events not delivered', [props.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' })]),
    );
    this.dashboard.addWidgets(
      graph('Duration of the functions (p99)', props.functions.map((one) => one.metricDuration({ statistic: 'p99' }))),
      graph('Errors of the functions', props.functions.map((one) => one.metricErrors({ statistic: 'Sum' }))),
    );
  }
}

const graph = (title: string, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget => new cloudwatch.GraphWidget({ title, left, width: 12, height: 6 });

const executions = (title: string, machine: sfn.StateMachine): cloudwatch.GraphWidget => {
  const sum = { statistic: 'Sum' };
  return graph(title, [machine.metricStarted(sum), machine.metricSucceeded(sum), machine.metricFailed(sum), machine.metricTimedOut(sum), machine.metricAborted(sum)]);
};
