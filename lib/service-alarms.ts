// Alarms made from a service's objective: burn rates of its error budget, the share of errors, and latency, each with a floor of requests.
import { aws_cloudwatch as cloudwatch, Fn, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { type MetricEntry, metricPlan, type Objective } from '../lambdas/config/schema.ts';

type Plan = ReturnType<typeof metricPlan>;
type Query = Plan['requests'][number];
type PlainQuery = Extract<Query, { readonly namespace: string }>;
type Datum = cloudwatch.CfnAlarm.MetricDataQueryProperty;

/** An alarm that counts as a signal; those of one group count once. */
export interface CreatedSignal {
  readonly name: string;
  readonly group: 'errors' | 'latency';
}

export interface ServiceAlarmsProps {
  /** Begins the name of each alarm, for example `ripcord-checkout`. */
  readonly prefix: string;
  readonly objective: Objective;
  readonly metrics: readonly MetricEntry[];
}

/**
 * Burn rates of the Google SRE Workbook (chapter 5, "Multiwindow, Multi-Burn-Rate Alerts") for a budget of 30 days: 14.4 times spends 2 % of it in
 * an hour, 6 times spends 5 % in six hours.
 */
const burnRates = { fast: 14.4, slow: 6 } as const;
/** So many errors prove a long window: their own noise (√10, about 3) is a third of them. */
const provingErrors = 10;
/** In each of three minutes: twelve errors in all. */
const errorsAMinute = 4;
/** Percent of one minute's requests that no release may fail, whatever was promised for the month. */
const leastShare = 5;
/** Three of five minutes: one bad minute is no alarm, and a good one in between hides nothing. */
const minutes = { evaluationPeriods: 5, datapointsToAlarm: 3 } as const;
/** Requests a period without which a percentile is one of its few slowest requests: ten beyond it, CloudWatch's own limit for "low samples". */
const latencies = { p99Ms: 1000, p95Ms: 200, p90Ms: 100, p50Ms: 20 } as const;

interface Watched {
  readonly id: string;
  readonly description: string;
  readonly data: readonly Datum[];
  readonly threshold: number;
  readonly periods?: { readonly evaluationPeriods: number; readonly datapointsToAlarm: number };
}

interface Window {
  readonly id: string;
  readonly seconds: number;
  /** Percent. */
  readonly threshold: number;
  /** Fewer errors than this accuse nobody; 0 where another window has proven it. */
  readonly errors: number;
  readonly requests: number;
}

/**
 * The alarms of one service; docs/signals.md shows what fires when. Below the floor of requests an alarm has no datapoint and, as missing data is
 * `missing`, becomes INSUFFICIENT_DATA: neither firing nor quiet. CloudWatch charges 0.10 USD a month for each metric of an alarm, and 0.50 USD
 * for a composite: 2.40 USD for a function with availability and one latency, 3.70 USD for a load balancer (us-east-1).
 */
export class ServiceAlarms extends Construct {
  readonly signals: readonly CreatedSignal[];
  private readonly props: ServiceAlarmsProps;

  constructor(scope: Construct, id: string, props: ServiceAlarmsProps) {
    super(scope, id);
    this.props = props;
    const plans = props.metrics.map((entry) => metricPlan(entry));
    this.signals = plans.flatMap((plan, index) => {
      const suffix = index === 0 ? '' : `-${index + 1}`;
      return [...this.errors(plan, suffix), ...this.latency(plan, suffix)];
    });
  }

  private errors(plan: Plan, suffix: string): CreatedSignal[] {
    const { availability, minimumRequests } = this.props.objective;
    if (availability === undefined || plan.errors.length === 0) return [];
    // 100 - 99.9 is not 0.1 in binary.
    const budget = Number((100 - availability).toPrecision(6));
    const [fast, slow] = [budget * burnRates.fast, budget * burnRates.slow].map((rate) => Number(rate.toPrecision(6))) as [number, number];
    const window = (id: string, seconds: number, threshold: number, errors: number): cloudwatch.CfnAlarm =>
      this.window(plan, { id: `${id}${suffix}`, seconds, threshold, errors, requests: minimumRequests });
    const share = this.window(plan, { id: `error-share${suffix}`, seconds: 60, threshold: Math.max(leastShare, fast), errors: errorsAMinute, requests: Math.ceil(minimumRequests / 5) }, minutes);
    const quick = this.all(`burn-fast${suffix}`, `${plan.name}: errors spend the budget of ${availability} % at ${burnRates.fast} times its pace, 2 % of a month's in an hour, and still do`, [
      window('burn-1h', 3600, fast, provingErrors), window('burn-5m', 300, fast, 0),
    ]);
    const steady = this.all(`burn-slow${suffix}`, `${plan.name}: errors spend the budget of ${availability} % at ${burnRates.slow} times its pace, 5 % of a month's in six hours, and still do`, [
      window('burn-6h', 21_600, slow, provingErrors), window('burn-30m', 1800, slow, 0),
      // Half an hour of memory would hold a proof of recovery back: this window forgets in five minutes.
      window('burn-now', 300, slow, 0),
    ]);
    return [share.alarmName as string, quick, steady].map((name) => ({ name, group: 'errors' }));
  }

  private window(plan: Plan, { id, seconds, threshold, errors, requests }: Window, periods?: Watched['periods']): cloudwatch.CfnAlarm {
    const all = columnsOf(this, 'requests', plan.requests, seconds);
    const failed = columnsOf(this, 'errors', plan.errors, seconds);
    const share = `100 * ${failed.filled} / ${all.sum}`;
    return this.alarm({
      id, threshold, ...(periods === undefined ? {} : { periods }),
      description: `${plan.name}: more than ${threshold} % of the requests of ${windowWords(seconds)} fail${errors === 0 ? '' : `, ${errors} at least`}; below ${requests} requests no verdict`,
      data: [
        { id: 'share', label: 'failed requests, percent', returnData: true, expression: `IF(${all.sum} >= ${requests}, ${errors === 0 ? share : `IF(${failed.filled} >= ${errors}, ${share}, 0)`})` },
        ...all.data, ...failed.data,
      ],
    });
  }

  private latency(plan: Plan, suffix: string): CreatedSignal[] {
    const { latency = {} } = this.props.objective;
    const measured = plan.latency;
    if (measured === null || 'expression' in measured.query) return [];
    const query = measured.query;
    return Object.entries(latencies).flatMap(([key, requests]) => {
      const milliseconds = latency[key as keyof typeof latencies];
      if (milliseconds === undefined) return [];
      const statistic = key.slice(0, -'Ms'.length);
      const all = columnsOf(this, 'requests', plan.requests, 60);
      const slow = columnsOf(this, 'slow', [{ ...query, statistic }], 60);
      const alarm = this.alarm({
        id: `latency-${statistic}${suffix}`, threshold: milliseconds / measured.factor, periods: minutes,
        description: `${plan.name}: the ${statistic} of a minute is above ${milliseconds} ms; below ${requests} requests no verdict`,
        data: [{ id: 'latency', label: `latency ${statistic}`, returnData: true, expression: `IF(${all.sum} >= ${requests}, ${slow.sum})` }, ...all.data, ...slow.data],
      });
      return [{ name: alarm.alarmName as string, group: 'latency' as const }];
    });
  }

  private alarm({ id, description, data, threshold, periods = { evaluationPeriods: 1, datapointsToAlarm: 1 } }: Watched): cloudwatch.CfnAlarm {
    return new cloudwatch.CfnAlarm(this, id, {
      alarmName: `${this.props.prefix}-${id}`, alarmDescription: description, metrics: [...data], ...periods, threshold,
      comparisonOperator: 'GreaterThanThreshold', treatMissingData: 'missing', evaluateLowSampleCountPercentile: 'ignore',
    });
  }

  /** @returns its name. CloudFormation sees no reference in a rule's text, so the order is said. */
  private all(id: string, description: string, parts: readonly cloudwatch.CfnAlarm[]): string {
    const alarmName = `${this.props.prefix}-${id}`;
    const made = new cloudwatch.CfnCompositeAlarm(this, id, {
      alarmName, alarmDescription: description, alarmRule: parts.map((part) => `ALARM("${part.alarmName ?? ''}")`).join(' AND '),
    });
    for (const part of parts) made.addResourceDependency(part);
    return alarmName;
  }
}

const windowWords = (seconds: number): string => (seconds === 60 ? 'a minute' : seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds / 60} min`);

/** `sum`: missing where nothing is known. `filled`: none where nothing is known, which is true of errors alone. */
interface Columns {
  readonly data: readonly Datum[];
  readonly sum: string;
  readonly filled: string;
}

function columnsOf(scope: Construct, name: string, queries: readonly Query[], seconds: number): Columns {
  const ids = queries.map((_, index) => (queries.length === 1 ? name : `${name}${index}`));
  const filled = ids.length === 1 ? `FILL(${ids[0] ?? ''}, 0)` : `(${ids.map((id) => `FILL(${id}, 0)`).join(' + ')})`;
  const data = queries.flatMap((query, index): Datum[] => {
    const id = ids[index] ?? name;
    if (!('expression' in query)) return [datum(scope, id, query, seconds)];
    const named = query.expression.replaceAll(/\b[a-z]\w*/g, (word) => `${id}_${word}`);
    return [{ id, expression: named, returnData: false }, ...Object.entries(query.metrics).map(([key, metric]) => datum(scope, `${id}_${key}`, metric, seconds))];
  });
  return { data, filled, sum: ids.length === 1 ? name : filled };
}

const datum = (scope: Construct, id: string, { namespace, name, dimensions, statistic }: PlainQuery, period: number): Datum => ({
  id, returnData: false,
  metricStat: { period, stat: statistic, metric: { namespace, metricName: name, dimensions: Object.entries(dimensions).map(([key, value]) => ({ name: key, value: dimensionOf(scope, key, value) })) } },
});

/** Where an ARN becomes what CloudWatch knows the resource by. */
const marks: Readonly<Record<string, { readonly after: string; readonly keep: string; readonly fullName: string }>> = {
  LoadBalancer: { after: ':loadbalancer/', keep: '', fullName: 'LoadBalancerFullName' },
  TargetGroup: { after: ':targetgroup/', keep: 'targetgroup/', fullName: 'TargetGroupFullName' },
};

/**
 * A token is an ARN or already the end of one; what it refers to says which.
 * @throws Error for a token that is neither a reference to the resource nor its full name.
 */
function dimensionOf(scope: Construct, key: string, value: string): string {
  const mark = marks[key];
  if (mark === undefined || !Token.isUnresolved(value)) return value;
  const { Ref: ref, 'Fn::GetAtt': attribute } = Stack.of(scope).resolve(value) as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  if (attribute?.[1] === mark.fullName) return value;
  if (ref === undefined && attribute?.[1]?.endsWith('Arn') !== true) throw new Error(`the alarms need the ARN or the full name of the ${key}; this token is neither: ${JSON.stringify(Stack.of(scope).resolve(value))}`);
  return `${mark.keep}${Fn.select(1, Fn.split(mark.after, value))}`;
}
