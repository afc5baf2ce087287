// Checks PutMetricAlarm and PutCompositeAlarm as CloudWatch does and turns them into what the evaluation needs.
import type { MetricDataQuery, PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../aws/world.ts';
import { isComparison, type AlarmConditions, type MissingData } from './alarm-evaluation.ts';
import { parseAlarmRule, type RuleNode } from './alarm-rule.ts';
import { parseMath } from './math-parser.ts';
import { validPeriod } from './metric-queries.ts';
import { statistic } from './statistics.ts';

const missingDataTreatments: readonly string[] = ['missing', 'ignore', 'breaching', 'notBreaching'];
const isMissingData = (text: string): text is MissingData => missingDataTreatments.includes(text);

export interface ReadMetricAlarm {
  readonly conditions: AlarmConditions;
  readonly periodSeconds: number;
  readonly queries: readonly MetricDataQuery[];
  readonly watched: string;
}

const invalid = (why: string): AwsError => new AwsError('ValidationError', why);

/** @throws AwsError for what CloudWatch refuses, and for alarm kinds the sandbox does not evaluate (PromQL, anomaly bands, Metrics Insights). */
export function readMetricAlarm(input: PutMetricAlarmInput): ReadMetricAlarm {
  if ((input.AlarmName ?? '') === '') throw new AwsError('MissingParameter', 'The parameter AlarmName is required');
  if (input.EvaluationCriteria !== undefined) throw invalid('PromQL alarms are not supported by the sandbox');
  if (input.ThresholdMetricId !== undefined) throw invalid('Anomaly detection alarms are not supported by the sandbox');
  // A union of two: a sliding window is the default.
  if (input.EvaluationWindow !== undefined && !('SlidingWindow' in input.EvaluationWindow)) throw invalid('Wall clock evaluation windows are not supported by the sandbox');
  const queries = queriesOf(input);
  const watched = watchedQuery(queries);
  const periodSeconds = commonPeriod(queries);
  const conditions = conditionsOf(input);
  const span = periodSeconds * conditions.evaluationPeriods;
  if (span > (periodSeconds >= 3600 ? 604_800 : 86_400)) throw invalid('Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).');
  return { conditions, periodSeconds, queries, watched };
}

function conditionsOf(input: PutMetricAlarmInput): AlarmConditions {
  const { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods, Threshold, ComparisonOperator, TreatMissingData = 'missing' } = input;
  if (EvaluationPeriods === undefined || DatapointsToAlarm === undefined || EvaluationPeriods < 1) throw invalid('EvaluationPeriods must be at least 1');
  if (DatapointsToAlarm < 1 || DatapointsToAlarm > EvaluationPeriods) throw invalid(`DatapointsToAlarm (${DatapointsToAlarm}) must be between 1 and EvaluationPeriods (${EvaluationPeriods})`);
  if (Threshold === undefined || !Number.isFinite(Threshold)) throw new AwsError('MissingParameter', 'The parameter Threshold is required');
  if (ComparisonOperator === undefined || !isComparison(ComparisonOperator)) throw invalid(`ComparisonOperator ${String(ComparisonOperator)} is not supported`);
  if (!isMissingData(TreatMissingData)) throw invalid(`The value ${TreatMissingData} is unsupported for TreatMissingData`);
  return { evaluationPeriods: EvaluationPeriods, datapointsToAlarm: DatapointsToAlarm, comparison: ComparisonOperator, threshold: Threshold, missingData: TreatMissingData };
}

function queriesOf(input: PutMetricAlarmInput): MetricDataQuery[] {
  const { MetricName, Namespace, Dimensions, Period, Statistic, ExtendedStatistic } = input;
  if (input.Metrics !== undefined && input.Metrics.length > 0) {
    if (MetricName !== undefined) throw new AwsError('InvalidParameterCombination', 'Exactly one of Metrics or MetricName must be specified');
    return input.Metrics;
  }
  if (MetricName === undefined || Namespace === undefined) throw new AwsError('MissingParameter', 'Exactly one of Metrics or MetricName and Namespace must be specified');
  if ((Statistic === undefined) === (ExtendedStatistic === undefined)) throw new AwsError('InvalidParameterCombination', 'Exactly one of Statistic or ExtendedStatistic must be specified');
  return [{ Id: 'm1', MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period: validPeriod(Period), Stat: Statistic ?? ExtendedStatistic }, ReturnData: true }];
}

const most = 10;

function watchedQuery(queries: readonly MetricDataQuery[]): string {
  const metrics = queries.filter(({ MetricStat }) => MetricStat !== undefined).length;
  if (metrics > most || queries.length - metrics > most) throw invalid(`The metrics list holds more than ${most} metrics or more than ${most} expressions.`);
  for (const { Expression, MetricStat } of queries) {
    if (Expression !== undefined) parseMath(Expression);
    if (MetricStat !== undefined) statistic(MetricStat.Stat ?? '');
  }
  const returned = queries.filter(({ ReturnData }) => ReturnData ?? true);
  const [only] = returned;
  if (only?.Id === undefined || returned.length !== 1) throw invalid('Exactly one element of the metrics list should return data.');
  return only.Id;
}

function commonPeriod(queries: readonly MetricDataQuery[]): number {
  const periods = new Set(queries.flatMap(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? []));
  const [period] = periods;
  if (period === undefined || periods.size !== 1) throw invalid('Metrics list must contain metrics with the same period.');
  return validPeriod(period);
}

/** @throws AwsError `ValidationError`. */
export function readCompositeAlarm(input: PutCompositeAlarmInput): RuleNode {
  if ((input.AlarmName ?? '') === '') throw new AwsError('MissingParameter', 'The parameter AlarmName is required');
  if (input.ActionsSuppressor !== undefined && (input.ActionsSuppressorWaitPeriod === undefined || input.ActionsSuppressorExtensionPeriod === undefined)) {
    throw invalid('ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required with ActionsSuppressor');
  }
  return parseAlarmRule(input.AlarmRule ?? '');
}
