// The shop's catalogue entry, as a user would write it: what most scenarios start from.
import type { JsonValue, ServiceDocument, Workload } from './scenario.ts';

export interface ServiceAlarms {
  readonly errors: string;
  readonly latency: string;
}

/** The two alarms that each service of a scenario has, by what they are named after. */
export const alarmsOf = (name: string): ServiceAlarms => ({ errors: `${name}-5xx-share`, latency: `${name}-latency-p90` });

export const alarms = alarmsOf('shop');

/** Looks at the catalogue, fills a cart, pays: what a customer does. */
const buyJourney = (workload: Workload): JsonValue => ({
  allowLoopback: [workload.host],
  requests: [
    { name: 'look', url: `${workload.url}/catalogue`, expect: { status: 200, json: [{ path: '$.items[0].id', exists: true }] }, carry: { item: '$.items[0].id' } },
    { name: 'fill cart', method: 'POST', url: `${workload.url}/cart`, headers: { 'content-type': 'application/json' }, body: { json: { items: ['{{item}}'] } }, expect: { status: 201 }, carry: { cart: '$.id' } },
    { name: 'pay', method: 'POST', url: `${workload.url}/checkout`, headers: { 'content-type': 'application/json' }, body: { json: { cartId: '{{cart}}' } }, expect: { status: 200, latencyMs: 2000, json: [{ path: '$.status', equals: 'confirmed' }, { path: '$.orderId', exists: true }] } },
  ],
});

export const trafficMetric = (workload: Workload, minimumRequests = 40): JsonValue => ({
  metric: { namespace: workload.metrics.namespace, name: workload.metrics.requests, dimensions: { ...workload.metrics.dimensions } },
  minimumRequests,
  minutes: 2,
});

/** Judged against the day before: a scenario makes it up with `makePast`. The shop has some 40 requests a minute, enough for a median. */
export const shopMetrics = (workload: Workload): JsonValue => [{ kind: 'alb-target-group', name: 'shop', loadBalancer: workload.loadBalancer, percentile: 'p50' }];

/** Its errors alone, for stories so long that a busy computer may be slow once in them. */
export const errorMetrics = ({ metrics: { namespace, dimensions, requests, errors } }: Workload): JsonValue =>
  [{ kind: 'own', name: 'shop', requests: { namespace, name: requests, dimensions: { ...dimensions } }, errors: { namespace, name: errors, dimensions: { ...dimensions } } }];

/** The shop's two alarms, and the judge beside them. */
export const judgedSignals = (workload: Workload): JsonValue =>
  ({ alarms: [{ name: alarms.errors }, { name: alarms.latency }], metrics: shopMetrics(workload), minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload) });

export const webTarget = (workload: Workload): JsonValue => ({
  strategy: 'alb-weights',
  listenerArn: workload.listenerArn,
  targetGroups: { ...workload.targetGroups },
  good: 'last-known-good',
});

export const dnsTarget = (workload: Workload): JsonValue => ({
  strategy: 'route53-weights',
  hostedZoneId: workload.hostedZoneId,
  recordName: workload.recordName,
  recordType: 'A',
  records: { blue: 'blue', green: 'green' },
  good: 'last-known-good',
});

export const fleetTarget = (workload: Workload): JsonValue => ({
  strategy: 'codedeploy',
  platform: 'Server',
  ...workload.codedeploy,
  good: 'last-known-good',
});

export const tasksTarget = (workload: Workload): JsonValue => ({
  strategy: 'ecs-service',
  ...workload.ecs,
  good: 'last-known-good',
});

/** When the shop goes back by itself; `changes` replaces single keys. */
export const shopPolicy = (changes: { readonly bakeMinutes?: number; readonly coolDownMinutes?: number } = {}): JsonValue => ({
  approval: { none: 'the demo shop takes no money, so nobody has to be asked' },
  bakeMinutes: 3, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3,
  ...changes,
});

/** The whole entry with the given targets; `changes` replaces top-level keys. */
export const shopService = (workload: Workload, targets: Record<string, JsonValue>, changes: ServiceDocument = {}): ServiceDocument => ({
  description: 'The demo shop',
  owner: 'team-shop',
  targets,
  signals: {
    alarms: [{ name: alarms.errors }, { name: alarms.latency }],
    minimum: 2,
    holdSeconds: 240,
    traffic: trafficMetric(workload),
  },
  journeys: { buy: buyJourney(workload) },
  verification: { passesInARow: 3, intervalSeconds: 15, deadlineMinutes: 12 },
  policy: shopPolicy(),
  ...changes,
});
