// The metrics of a service in the catalogue: ready-made kinds, so that nobody writes a query, and plain metrics of one's own.
import * as z from 'zod';

const text = z.string().min(1).max(255);
const shared = {
  /** Shown to people before `error rate`, `latency` and `traffic`; needed where two entries would look alike. */
  name: z.string().min(1).max(60).optional(),
  /** For a control: this service calls it, so even a third of the harm there says where the harm comes from. */
  calls: z.literal(true).optional(),
  /** For a control: the AWS Region that has its metrics. Absent: the engine's own. */
  region: z.string().regex(/^[a-z]{2,4}(-[a-z]+){1,2}-\d$/, { error: 'needs an AWS Region such as us-east-1' }).optional(),
};

/** Of how slow requests are. Of few requests the p99 is the slowest one, and says little: below a thousand a minute take p90 or p50. */
const readyMade = { ...shared, percentile: z.string().regex(/^p\d{1,2}(\.\d)?$/, { error: 'needs a percentile such as p99 or p50' }).default('p99') };

const plain = { namespace: text, name: text, dimensions: z.record(text, text).default({}) };
const count = z.strictObject({ ...plain, statistic: z.enum(['Sum', 'SampleCount']).default('Sum') });

const loadBalancerOf = (value: string): string => value.replace(/^arn:[^/]*:loadbalancer\//, '');
const token = '${Token[';

/** ALB. 5xx answers of targets, and without `targetGroup` those of the load balancer itself too. */
const albTargetGroup = z.strictObject({
  kind: z.literal('alb-target-group'),
  ...readyMade,
  /** Its ARN, or the end of it as CloudWatch has it: `app/<name>/<id>`. */
  loadBalancer: text.refine((value) => value.includes(token) || /^app\/[^/]+\/[^/]+$/.test(loadBalancerOf(value)), { error: 'needs the ARN of an application load balancer, or the end of it: app/<name>/<id>' }),
  /** Its ARN, or `targetgroup/<name>/<id>`. Absent: all that the load balancer serves, which goes on over a change of sides. */
  targetGroup: text.refine((value) => value.includes(token) || /(^|:)targetgroup\/[^/]+\/[^/]+$/.test(value), { error: 'needs the ARN of a target group, or the end of it: targetgroup/<name>/<id>' }).optional(),
});

/** `alias`: only what is invoked through it; leave it out where nobody names an alias. */
const lambda = z.strictObject({
  kind: z.literal('lambda'),
  ...readyMade,
  functionName: text.refine((value) => value.includes(token) || !value.includes(':'), { error: 'needs the plain name of the function; put an alias into `alias`' }),
  alias: text.optional(),
});

const apiGateway = z.strictObject({
  kind: z.literal('api-gateway'),
  ...readyMade,
  /** REST APIs are known to CloudWatch by name, HTTP APIs by id. */
  apiName: text.optional(),
  apiId: text.optional(),
  stage: text,
}).refine(({ apiName, apiId }) => (apiName === undefined) !== (apiId === undefined), { path: ['stage'], error: 'needs beside it either `apiName` (a REST API) or `apiId` (an HTTP API)' });

/** What its tasks answer: through Service Connect, or as its target group has it. ECS itself measures processors and memory alone, which accuse no release. */
const ecsService = z.strictObject({
  kind: z.literal('ecs-service'),
  ...readyMade,
  cluster: text,
  service: text,
  /** Service Connect: the discovery name of its port. It has to be the only one of that name in the Region: CloudWatch counts what all callers see by that name alone. */
  discoveryName: text.optional(),
  /** Behind a load balancer: as for `alb-target-group`. Without `targetGroup` all that the load balancer serves. */
  loadBalancer: albTargetGroup.shape.loadBalancer.optional(),
  targetGroup: albTargetGroup.shape.targetGroup,
}).refine(({ discoveryName, loadBalancer, targetGroup }) => (discoveryName === undefined) !== (loadBalancer === undefined) && (targetGroup === undefined || loadBalancer !== undefined), {
  path: ['service'], error: 'needs beside it either `discoveryName` (Service Connect) or `loadBalancer`, with `targetGroup` where it serves others too: ECS itself counts no requests',
});

/** Metric math; `lib/signal-problems.ts` checks it at synth. */
const math = z.strictObject({ expression: z.string().min(1).max(500) });
const unit = z.enum(['milliseconds', 'seconds']).default('milliseconds');
const speed = z.string().regex(/^(Average|p\d{1,2}(\.\d)?)$/, { error: 'needs a percentile such as p99, or Average' });

const own = z.strictObject({
  kind: z.literal('own'),
  ...shared,
  /** What the expressions are made of, by name; five at most. */
  metrics: z.record(z.string(), z.strictObject({ ...plain, statistic: text.default('Sum') })).default({}),
  /** Requests of each minute: without them nobody knows what errors and latency are worth. */
  requests: z.union([count, math]),
  /** Failed ones among them. A minute with requests and no value here is a minute without errors. */
  errors: z.union([count, math]).optional(),
  latency: z.union([z.strictObject({ ...plain, statistic: speed.default('p99'), unit }), z.strictObject({ ...math.shape, unit })]).optional(),
}).refine(({ errors, latency }) => errors !== undefined || latency !== undefined, { path: ['requests'], error: 'needs `errors` or `latency` beside it: more or fewer requests alone accuse no release' });

export const metricEntry = z.discriminatedUnion('kind', [albTargetGroup, lambda, apiGateway, ecsService, own]);
export type MetricEntry = z.output<typeof metricEntry>;

const slow = z.int().min(1).max(60_000);

/** What users are promised, from which `ProtectedService` makes alarms for each of the `metrics`. docs/signals.md has the arithmetic. */
export const objective = z.strictObject({
  /** Percent of requests that must not fail: burn-rate alarms and one on the share of errors. Below 95 %, 14.4 times the budget comes near to everything failing. */
  availability: z.number().min(95).max(99.999).optional(),
  /** How slow a percentile may be, in milliseconds. A percentile needs requests, each minute: p99 1,000, p95 200, p90 100, p50 20. */
  latency: z.strictObject({ p99Ms: slow.optional(), p95Ms: slow.optional(), p90Ms: slow.optional(), p50Ms: slow.optional() }).optional(),
  /** Fewer requests than this in five minutes and no alarm has a verdict. */
  minimumRequests: z.int().min(20).max(1_000_000).default(100),
});
export type Objective = z.output<typeof objective>;
