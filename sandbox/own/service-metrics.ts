// The metrics of a service that its catalogue entry names, by kind, in AWS's own names: fed by what users meet, with a quiet day before.
import type { MetricsPort } from '../aws/world.ts';

interface Plain {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions?: Readonly<Record<string, string>>;
}

export type MetricEntry = Kind & { /** Of a control: the Region that has its metrics; absent: the service's own. */ readonly region?: string };

type Kind =
  | { readonly kind: 'alb-target-group'; readonly loadBalancer: string; readonly targetGroup?: string }
  | { readonly kind: 'lambda'; readonly functionName: string; readonly alias?: string }
  | { readonly kind: 'api-gateway'; readonly apiName?: string; readonly apiId?: string; readonly stage: string }
  | { readonly kind: 'ecs-service'; readonly cluster: string; readonly service: string; readonly discoveryName?: string; readonly loadBalancer?: string; readonly targetGroup?: string }
  | { readonly kind: 'own'; readonly requests: Column; readonly errors?: Column; readonly latency?: Column & { readonly unit?: 'milliseconds' | 'seconds' } };

/** A metric, or metric math over several: what that is made of, nobody can tell from one request. */
export type Column = Plain | { readonly expression: string };

interface Columns {
  readonly requests: Plain;
  readonly errors: Plain | null;
  readonly latency: (Plain & { readonly perSecond: number }) | null;
}

/** One request as its user met it. */
export interface Met {
  readonly failed: boolean;
  readonly seconds: number;
  /** Default now. */
  readonly at?: number;
  /** So many alike; default 1. */
  readonly count?: number;
}

export function recordMet(metrics: MetricsPort, entry: MetricEntry, { failed, seconds, at, count = 1 }: Met): void {
  const { requests, errors, latency } = columnsOf(entry);
  const record = ({ namespace, name, dimensions = {} }: Plain, value: number, unit: string): void =>
    metrics.record({ namespace, name, dimensions: { ...dimensions }, value, unit, ...(at === undefined ? {} : { at }) });
  record(requests, count, 'Count');
  if (errors !== null && failed) record(errors, count, 'Count');
  if (latency !== null) record(latency, seconds * latency.perSecond, latency.perSecond === 1 ? 'Seconds' : 'Milliseconds');
}

/** A day of minutes before the rehearsal begins: a judge compares with how it was, and a fresh sandbox has no past. */
export function recordQuietDay(metrics: MetricsPort, entry: MetricEntry, { until, perMinute }: { until: number; perMinute: number }): void {
  for (let ago = 24 * 60; ago > 0; ago -= 1) {
    const at = until - ago * 60_000;
    // Uneven, as traffic on a busy laptop is: after a line without noise every later wiggle would look like news.
    const share = 0.8 + 0.4 * Math.random();
    recordMet(metrics, entry, { failed: false, seconds: 0.006 + 0.05 * Math.random() ** 3, at, count: Math.max(1, Math.round(perMinute * share)) });
  }
}

function columnsOf(entry: MetricEntry): Columns {
  if (entry.kind === 'alb-target-group') return ofLoadBalancer(entry);
  if (entry.kind === 'own') return ofTheirs(entry);
  if (entry.kind === 'ecs-service') return ofTasks(entry);
  const namespace = entry.kind === 'lambda' ? 'AWS/Lambda' : 'AWS/ApiGateway';
  const dimensions = dimensionsOf(entry);
  const [requests, errors, latency] = entry.kind === 'lambda' ? ['Invocations', 'Errors', 'Duration'] as const : ['Count', entry.apiName === undefined ? '5xx' : '5XXError', 'Latency'] as const;
  const plain = (name: string): Plain => ({ namespace, name, dimensions });
  return { requests: plain(requests), errors: plain(errors), latency: { ...plain(latency), perSecond: 1000 } };
}

function dimensionsOf(entry: Extract<MetricEntry, { kind: 'lambda' | 'api-gateway' }>): Record<string, string> {
  if (entry.kind === 'lambda') return { FunctionName: entry.functionName, ...(entry.alias === undefined ? {} : { Resource: `${entry.functionName}:${entry.alias}` }) };
  return { ...(entry.apiName === undefined ? { ApiId: entry.apiId ?? '' } : { ApiName: entry.apiName }), Stage: entry.stage };
}

function ofLoadBalancer({ loadBalancer, targetGroup }: Extract<MetricEntry, { kind: 'alb-target-group' }>): Columns {
  const dimensions = {
    ...(targetGroup === undefined ? {} : { TargetGroup: targetGroup.slice(Math.max(0, targetGroup.indexOf('targetgroup/'))) }),
    LoadBalancer: loadBalancer.split(':loadbalancer/').at(-1) ?? loadBalancer,
  };
  const plain = (name: string): Plain => ({ namespace: 'AWS/ApplicationELB', name, dimensions });
  return { requests: plain('RequestCount'), errors: plain('HTTPCode_Target_5XX_Count'), latency: { ...plain('TargetResponseTime'), perSecond: 1 } };
}

function ofTasks({ cluster, service, discoveryName = '', loadBalancer, targetGroup }: Extract<MetricEntry, { kind: 'ecs-service' }>): Columns {
  if (loadBalancer !== undefined) return ofLoadBalancer({ kind: 'alb-target-group', loadBalancer, ...(targetGroup === undefined ? {} : { targetGroup }) });
  const answered = (name: string): Plain => ({ namespace: 'AWS/ECS', name, dimensions: { TargetDiscoveryName: discoveryName } });
  return {
    requests: { namespace: 'AWS/ECS', name: 'RequestCount', dimensions: { DiscoveryName: discoveryName, ServiceName: service, ClusterName: cluster } },
    errors: answered('HTTPCode_Target_5XX_Count'), latency: { ...answered('TargetResponseTime'), perSecond: 1000 },
  };
}

/** @throws Error for metric math, which a rehearsal has to replace first. */
function ofTheirs({ requests, errors, latency }: Extract<MetricEntry, { kind: 'own' }>): Columns {
  const plain = (column: Column): Plain => {
    if ('expression' in column) throw new Error(`"${column.expression}" is made of several metrics, and one request does not say of which`);
    return column;
  };
  return { requests: plain(requests), errors: errors === undefined ? null : plain(errors), latency: latency === undefined ? null : { ...plain(latency), perSecond: latency.unit === 'seconds' ? 1 : 1000 } };
}
