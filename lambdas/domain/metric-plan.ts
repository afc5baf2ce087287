// Which CloudWatch metrics stand for the requests, errors and latency of a kind of service.
import type { MetricEntry } from '../config/schema.ts';

export interface PlainQuery {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
}

/** Metric math over plain metrics, which it calls by these names. */
export interface MathQuery {
  readonly name: string;
  readonly expression: string;
  readonly metrics: Readonly<Record<string, PlainQuery>>;
}

export type MetricQuery = PlainQuery | MathQuery;

/** What is read for one entry of the catalogue. Several queries of one column are added up. */
export interface MetricPlan {
  readonly name: string;
  readonly requests: readonly MetricQuery[];
  readonly errors: readonly MetricQuery[];
  /** `factor` turns the metric's unit into milliseconds. */
  readonly latency: { readonly query: MetricQuery; readonly factor: number } | null;
  /** Present for what the service calls. */
  readonly calls?: true;
}

type Of<Kind extends MetricEntry['kind']> = Extract<MetricEntry, { kind: Kind }>;

/** What people see of an entry: its name, and its Region where it names one. */
export function entryName(entry: MetricEntry): string {
  const name = nameOf(entry);
  return entry.region === undefined || name.includes(entry.region) ? name : `${name} in ${entry.region}`;
}

function nameOf(entry: MetricEntry): string {
  if (entry.name !== undefined) return entry.name;
  if (entry.kind === 'alb-target-group') return (entry.targetGroup ?? entry.loadBalancer).split('/').at(-2) ?? entry.kind;
  if (entry.kind === 'lambda') return entry.alias === undefined ? entry.functionName : `${entry.functionName}:${entry.alias}`;
  if (entry.kind === 'ecs-service') return entry.service;
  if (entry.kind === 'api-gateway') return `${entry.apiName ?? entry.apiId ?? ''} ${entry.stage}`;
  return 'namespace' in entry.requests ? entry.requests.namespace : Object.values(entry.metrics)[0]?.namespace ?? entry.kind;
}

export const metricPlan = (entry: MetricEntry): MetricPlan => ({ ...planOf(entry), ...(entry.calls === undefined ? {} : { calls: entry.calls }) });

function planOf(entry: MetricEntry): MetricPlan {
  if (entry.kind === 'alb-target-group') return loadBalancer(entry);
  if (entry.kind === 'lambda') return lambda(entry);
  if (entry.kind === 'ecs-service') return entry.loadBalancer === undefined ? serviceConnect(entry) : loadBalancer({ ...entry, kind: 'alb-target-group', loadBalancer: entry.loadBalancer, name: entryName(entry) });
  return entry.kind === 'api-gateway' ? apiGateway(entry) : own(entry);
}

function loadBalancer(entry: Of<'alb-target-group'>): MetricPlan {
  const whole = { LoadBalancer: entry.loadBalancer.replace(/^arn:[^/]*:loadbalancer\//, '') };
  const targetGroup = entry.targetGroup?.replace(/^arn:.*:targetgroup\//, 'targetgroup/');
  const dimensions = targetGroup === undefined ? whole : { TargetGroup: targetGroup, ...whole };
  const of = (name: string, statistic?: string): PlainQuery => query('AWS/ApplicationELB', name, dimensions, statistic);
  // A 503 for want of a target is not among RequestCount, and no target answered it; CloudWatch has it for the whole load balancer only.
  const [refused, ownErrors] = targetGroup === undefined ? [['HTTPCode_ELB_503_Count'], ['HTTPCode_ELB_5XX_Count']] : [[], []];
  return {
    name: entryName(entry),
    requests: ['RequestCount', ...refused].map((name) => of(name)),
    errors: ['HTTPCode_Target_5XX_Count', ...ownErrors].map((name) => of(name)),
    latency: { query: of('TargetResponseTime', entry.percentile), factor: 1000 },
  };
}

const query = (namespace: string, name: string, dimensions: PlainQuery['dimensions'], statistic = 'Sum'): PlainQuery => ({ namespace, name, dimensions, statistic });

/** One query each, and the latency in milliseconds. */
const oneEach = (entry: MetricEntry, requests: PlainQuery, errors: PlainQuery, latency: PlainQuery): MetricPlan =>
  ({ name: entryName(entry), requests: [requests], errors: [errors], latency: { query: latency, factor: 1 } });

function lambda(entry: Of<'lambda'>): MetricPlan {
  const { functionName: FunctionName, alias } = entry;
  const dimensions = alias === undefined ? { FunctionName } : { FunctionName, Resource: `${FunctionName}:${alias}` };
  const of = (name: string, statistic?: string): PlainQuery => query('AWS/Lambda', name, dimensions, statistic);
  return oneEach(entry, of('Invocations'), of('Errors'), of('Duration', entry.percentile));
}

function apiGateway(entry: Of<'api-gateway'>): MetricPlan {
  const { apiName, apiId, stage: Stage } = entry;
  const dimensions: Record<string, string> = apiName === undefined ? { ApiId: apiId ?? '', Stage } : { ApiName: apiName, Stage };
  const of = (name: string, statistic?: string): PlainQuery => query('AWS/ApiGateway', name, dimensions, statistic);
  // The same thing has two names: REST APIs count `5XXError`, HTTP APIs `5xx`.
  return oneEach(entry, of('Count'), of(apiName === undefined ? '5xx' : '5XXError'), of('Latency', entry.percentile));
}

/** Counted by the proxies of Service Connect. What the targets answered is published by the name that callers look up, without the service's own name. */
function serviceConnect(entry: Of<'ecs-service'>): MetricPlan {
  const { cluster: ClusterName, service: ServiceName, discoveryName = '' } = entry;
  const answered = (name: string, statistic?: string): PlainQuery => query('AWS/ECS', name, { TargetDiscoveryName: discoveryName }, statistic);
  const requests = query('AWS/ECS', 'RequestCount', { DiscoveryName: discoveryName, ServiceName, ClusterName });
  // Milliseconds, where a load balancer's metric of the same name has seconds.
  return oneEach(entry, requests, answered('HTTPCode_Target_5XX_Count'), answered('TargetResponseTime', entry.percentile));
}

type Expressed = { readonly expression: string };

function own(entry: Of<'own'>): MetricPlan {
  const { requests, errors, latency, metrics } = entry;
  const asked = (one: PlainQuery | Expressed): MetricQuery => ('expression' in one ? mathQuery(one, metrics) : query(one.namespace, one.name, one.dimensions, one.statistic));
  return {
    name: entryName(entry),
    requests: [asked(requests)],
    errors: errors === undefined ? [] : [asked(errors)],
    latency: latency === undefined ? null : { query: asked(latency), factor: latency.unit === 'seconds' ? 1000 : 1 },
  };
}

/** With the metrics that it uses, and no others. */
function mathQuery({ expression }: Expressed, metrics: MathQuery['metrics']): MathQuery {
  const used = new Set(expression.match(/\b[a-z]\w*/g));
  return { name: expression, expression, metrics: Object.fromEntries(Object.entries(metrics).filter(([id]) => used.has(id))) };
}

/** All queries of these plans, in the order in which their columns are expected back. */
export const queriesOf = (plans: readonly MetricPlan[]): MetricQuery[] =>
  plans.flatMap(({ requests, errors, latency }) => [...requests, ...errors, ...(latency === null ? [] : [latency.query])]);
