// The metrics of a service in the catalogue: ready-made kinds, so that nobody writes a query, and plain metrics of one's own.
import * as z from 'zod';

const text = z.string().min(1).max(255);
/** Shown to people before `error rate`, `latency` and `traffic`; needed where two entries would look alike. */
const shared = { name: z.string().min(1).max(60).optional() };

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

const own = z.strictObject({
  kind: z.literal('own'),
  ...shared,
  /** Requests of each minute: without them nobody knows what errors and latency are worth. */
  requests: count,
  /** Failed ones among them. A minute with requests and no value here is a minute without errors. */
  errors: count.optional(),
  latency: z.strictObject({
    ...plain,
    statistic: z.string().regex(/^(Average|p\d{1,2}(\.\d)?)$/, { error: 'needs a percentile such as p99, or Average' }).default('p99'),
    unit: z.enum(['milliseconds', 'seconds']).default('milliseconds'),
  }).optional(),
}).refine(({ errors, latency }) => errors !== undefined || latency !== undefined, { path: ['requests'], error: 'needs `errors` or `latency` beside it: more or fewer requests alone accuse no release' });

export const metricEntry = z.discriminatedUnion('kind', [albTargetGroup, lambda, apiGateway, own]);
export type MetricEntry = z.output<typeof metricEntry>;
