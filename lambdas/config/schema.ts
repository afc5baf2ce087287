// One schema for the service catalogue: `services.yaml` and the constructs are checked by it at synth, the handlers parse with it at run time.
import * as z from 'zod';
import { entryName, metricPlan } from '../domain/metric-plan.ts';
import { target as albWeights } from '../strategies/alb-weights/manifest.ts';
import { target as codedeploy } from '../strategies/codedeploy/manifest.ts';
import { target as ecsService } from '../strategies/ecs-service/manifest.ts';
import { target as lambdaAlias } from '../strategies/lambda-alias/manifest.ts';
import { target as route53Weights } from '../strategies/route53-weights/manifest.ts';
import { target as ssmParameter } from '../strategies/ssm-parameter/manifest.ts';
import { arn } from '../strategies/target-fields.ts';
import { historyProblem, maximumRounds } from './history-length.ts';
import { type MetricEntry, metricEntry, type Objective, objective } from './metric-entries.ts';
import { declaredTwice } from './release-sources.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, { error: 'needs 1–40 lower-case letters, digits and hyphens, beginning with a letter' });
const reason = z.string().min(10, { error: 'needs a reason a colleague would accept (10 characters or more)' }).max(500);

const targets = [albWeights, codedeploy, ecsService, lambdaAlias, route53Weights, ssmParameter] as const;
const target = z.discriminatedUnion('strategy', targets as never) as z.ZodType<z.output<(typeof targets)[number]>>;

const metric = z.strictObject({
  namespace: z.string().min(1).max(255),
  name: z.string().min(1).max(255),
  dimensions: z.record(z.string(), z.string()).default({}),
  statistic: z.enum(['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount']).default('Sum'),
});

const signals = z.strictObject({
  /** CloudWatch alarms, metric or composite, of this account and Region. */
  alarms: z.array(z.strictObject({
    name: z.string().min(1).max(255),
    /** Alarms of one group watch the same thing and count once. Default: the alarm's own name. */
    group: z.string().min(1).max(60).optional(),
    /** Side of a target that this alarm alone watches, for example `green`: the new side sick alone accuses a release, both sides sick speak for something shared. */
    side: name.optional(),
  })).max(50).default([]),
  /** Tools allowed to send `ripcord.signal` events, by the `tool` they name. */
  external: z.array(name).max(10).default([]),
  /** Independent signals needed before anything happens by itself. 1 is a visible choice, 2 the default. */
  minimum: z.int().min(1).max(5).default(2),
  /** How long a single signal is held, looking for a second one, before people are told, in seconds. */
  holdSeconds: z.int().min(30).max(3600).default(300),
  /** Too few requests prove nothing: below the minimum the run holds. `none` says why the service has no such metric. */
  traffic: z.union([
    z.strictObject({ metric, minimumRequests: z.int().min(1).default(50), minutes: z.int().min(1).max(60).default(5) }),
    z.strictObject({ none: reason }),
  ]),
  /** Judged every minute of a bake, for twelve hours at most, against their own last 27 hours: one signal, group `metrics`, which sees what no alarm does. Absent: alarms and journeys alone. */
  metrics: z.array(metricEntry).min(1).max(4).optional(),
  /** What the release does not touch and must stay flat: other services, a stable version. What they share is not the release's doing. */
  controls: z.array(metricEntry).max(6).optional(),
  /** What users are promised: alarms are made of it for each of the `metrics`, and count like those above (groups `errors` and `latency`). */
  slo: objective.optional(),
}).superRefine(({ metrics = [], controls = [] }, context) => {
  if (metrics.length === 0 && controls.length > 0)
    context.addIssue({ code: 'custom', path: ['controls'], message: 'needs `metrics` beside it: there is nothing to compare them with' });
  const names = [...metrics, ...controls].map((entry) => entryName(entry));
  for (const [index, one] of names.entries())
    if (names.indexOf(one) < index)
      context.addIssue({
        code: 'custom', path: index < metrics.length ? ['metrics', index] : ['controls', index - metrics.length],
        message: `is called "${one}" like another one; give it a \`name\` of its own`,
      });
});

/** Five closed minutes prove a recovery in metrics, and CloudWatch may have them up to three minutes late. */
const recoveryMinutes = 10;

/** `{{name}}` is replaced by a carried value, `{{secret.name}}` by a secret. */
const template = z.string().max(8000);

const journeyRequest = z.strictObject({
  name: z.string().min(1).max(60),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  url: template.refine((url) => /^https?:\/\//.test(url) || url.startsWith('{{') || url.includes('${Token['), { error: 'needs an http:// or https:// URL' }),
  headers: z.record(z.string().min(1), template).default({}),
  body: z.union([z.strictObject({ json: z.json() }), z.strictObject({ text: template })]).optional(),
  timeoutMs: z.int().min(100).max(30_000).default(5000),
  expect: z.strictObject({
    status: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).default(200),
    /** Slower than this is a failure, in milliseconds. */
    latencyMs: z.int().min(1).max(30_000).optional(),
    /** RFC 9535 JSONPath to the value it must have; `exists: true` when any value will do. The paths of one answer, those under `carry` too, get 300 ms together, in a body of 100,000 values at most, in 100 lists and objects. */
    json: z.array(z.union([
      z.strictObject({ path: z.string().startsWith('$'), equals: z.json() }),
      z.strictObject({ path: z.string().startsWith('$'), exists: z.boolean() }),
    ])).max(20).default([]),
    text: z.array(z.string().min(1)).max(20).default([]),
    header: z.record(z.string().min(1), z.string()).default({}),
  }).prefault({}),
  /** Name to JSONPath: the first match is carried to the following requests; 4 kB and 100 texts at most. */
  carry: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), z.string().startsWith('$')).default({}),
  followRedirects: z.int().min(0).max(5).default(0),
});

const journey = z.strictObject({
  requests: z.array(journeyRequest).min(1).max(20),
  /** Secrets by reference only: name to a Secrets Manager secret and, for a JSON secret, the key in it. */
  secrets: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), z.strictObject({ arn: arn('secretsmanager', 'secret:'), key: z.string().optional() })).default({}),
  /** Other hosts that a redirect or a carried URL may lead to. A redirect takes no secret there; a carried URL does to the port that is named, without one the scheme's own. */
  allowHosts: z.array(z.string()).default([]),
  /** Loopback hosts (`127.0.0.1:8080`) this journey may call: only ever useful outside Lambda, as in the sandbox. */
  allowLoopback: z.array(z.string()).default([]),
});

const releaseSource = z.strictObject({
  /** ECS services with ECS's own deployments. */
  ecs: z.array(z.strictObject({ cluster: z.string().min(1).max(200), service: z.string().min(1).max(200) })).max(5).default([]),
  /** Aliases moved by UpdateAlias: seen at once where a CloudTrail trail exists, otherwise by the poll. */
  lambda: z.array(z.strictObject({ functionName: z.string().min(1).max(200), alias: z.string().min(1).max(128) })).max(5).default([]),
});

const policy = z.strictObject({
  /** `shadow`: everything is decided and recorded, and nothing is changed. Nobody is asked; only a run of Ripcord that breaks wakes anybody. */
  mode: z.enum(['act', 'shadow']).default('act'),
  /** Does a person approve each rollback? Switching it off is a visible choice with its reason. */
  approval: z.union([
    z.strictObject({ none: reason }),
    z.strictObject({
      required: z.enum(['always', 'manual-only']),
      timeoutMinutes: z.int().min(1).max(24 * 60),
      onDeadline: z.enum(['roll-back', 'stop']),
    }),
  ]),
  /** A release that began longer ago than this is not suspected, in minutes. */
  releaseWindowMinutes: z.int().min(5).max(7 * 24 * 60).default(240),
  /** A release without a signal for this long is known good, in minutes. */
  bakeMinutes: z.int().min(1).max(7 * 24 * 60).default(60),
  /** After a rollback nothing happens by itself for this long, in minutes. */
  coolDownMinutes: z.int().min(0).max(24 * 60).default(30),
  /** Rollbacks by themselves in any 24 hours; after that a person decides. */
  dailyBudget: z.int().min(1).max(50).default(3),
  /** Share of all that could have done it which the suspected release needs, 0–1. Default 0.5: likelier than everything else together. */
  suspicion: z.number().min(0.3).max(0.95).optional(),
  /** How long a person has when a verdict is `ask` and `approval` names no time, in minutes. */
  askTimeoutMinutes: z.int().min(1).max(24 * 60).default(30),
  /** Oldest version that works with the database as it is; no older one is ever put before users. Counts beside the `databaseFloor` of a release's own manifest. */
  databaseFloor: z.string().min(1).max(200).optional(),
  /** The version before always works with the database after a release (expand first, contract later): a release that touches it needs no floor. */
  database: z.strictObject({ compatible: reason }).optional(),
  /** Configuration is part of the version (an image, a task definition, a function version): it goes back with the version. */
  configuration: z.strictObject({ versioned: reason }).optional(),
  /** A way back on which users are interrupted: `last` (default), after every other way unless `rungs` say otherwise; `ask`, only with a person's yes, and also where nobody knows whether they are. */
  interruption: z.enum(['last', 'ask'], { error: 'needs `last`, or `ask` for a person\'s yes' }).optional(),
  /** A way back that is known to take longer than the proof may take (a TTL, a cache) needs no person's yes. */
  slowWayBack: z.strictObject({ accepted: reason }).optional(),
});

const verification = z.union([
  z.strictObject({ none: reason }),
  z.strictObject({
    passesInARow: z.int().min(1).max(20).default(3),
    intervalSeconds: z.int().min(5).max(600).default(20),
    /** Not proven by then: the next rung, in minutes. */
    deadlineMinutes: z.int().min(1).max(240).default(15),
    /** With as few requests as ever, too few for the metrics to tell: journeys prove the recovery, beside alarms that are OK or have no data. Default: a person is paged. */
    fewRequests: z.strictObject({ journeys: reason }).optional(),
  }).superRefine(({ intervalSeconds, deadlineMinutes }, context) => {
    const rounds = Math.ceil((deadlineMinutes * 60) / intervalSeconds);
    if (rounds > maximumRounds)
      context.addIssue({
        code: 'custom', path: ['intervalSeconds'],
        message: `asks ${rounds} times before its deadline, more than the ${maximumRounds} that one rollback can hold; use an interval of at least ${Math.ceil((deadlineMinutes * 60) / maximumRounds)} seconds`,
      });
  }),
]);

export const serviceSchema = z.strictObject({
  description: z.string().max(500).default(''),
  /** Who answers for it: shown in messages. */
  owner: z.string().max(200).default(''),
  /** Link to the service's own runbook, shown in messages. */
  runbook: z.url().optional(),
  /** Other services of the catalogue that this one calls. Their releases and their sickness can explain its own. `critical: false`: it gets on without that one. */
  dependencies: z.array(z.union([name, z.strictObject({ service: name, critical: z.boolean() })], { error: 'needs the name of a service, or `{ service, critical }`' })).max(20).default([]),
  targets: z.record(name, target).refine((all) => Object.keys(all).length > 0, { error: 'needs at least one target' }),
  /** Ways back in order; each is a list of waves, each wave a list of target ids. Default: one rung a strategy, fastest first. */
  rungs: z.array(z.array(z.array(name).min(1)).min(1)).min(1).optional(),
  /** Where releases come from besides the CodeDeploy targets and `ripcord.release` events. ECS services and Lambda aliases that are targets are watched without being named here. */
  releases: releaseSource.optional(),
  signals,
  journeys: z.record(name, journey).default({}),
  verification,
  policy,
}).superRefine((service, context) => {
  const known = Object.keys(service.targets);
  for (const [rung, waves] of (service.rungs ?? []).entries())
    for (const [wave, ids] of waves.entries())
      for (const [index, id] of ids.entries())
        if (!known.includes(id))
          context.addIssue({ code: 'custom', path: ['rungs', rung, wave, index], message: `names target "${id}", which is not one of ${known.join(', ')}`, params: { typed: id, known } });
  if (!('none' in service.verification) && Object.keys(service.journeys).length === 0)
    context.addIssue({ code: 'custom', path: ['journeys'], message: 'needs at least one journey to prove a recovery; or say `verification: { none: <reason> }`' });
  if (service.signals.metrics !== undefined && !('none' in service.verification) && service.verification.deadlineMinutes < recoveryMinutes)
    context.addIssue({ code: 'custom', path: ['verification', 'deadlineMinutes'], message: `needs at least ${recoveryMinutes} minutes with \`signals.metrics\`: a recovery takes minutes to show in them` });
  const { alarms, external, slo, metrics, minimum } = service.signals;
  // Metrics are one signal: where one is enough, the Watch starts a rollback for them.
  if (alarms.length + external.length === 0 && slo === undefined && (metrics === undefined || minimum > 1))
    context.addIssue({ code: 'custom', path: ['signals', 'alarms'], message: 'needs at least one alarm or external tool, an `slo`, or `metrics` with `minimum: 1`: nothing could start a rollback' });
  for (const source of declaredTwice(service))
    context.addIssue({ code: 'custom', path: ['releases'], message: `names ${'cluster' in source ? `ECS service ${source.service}` : `alias ${source.alias} of ${source.functionName}`}, which CodeDeploy deploys to: CodeDeploy tells of those releases itself, so leave it out` });
  const tooLong = historyProblem(service);
  if (tooLong !== null) context.addIssue({ code: 'custom', ...tooLong });
  for (const [id, one] of Object.entries(service.targets)) {
    const named = typeof one.good === 'object' && 'side' in one.good ? one.good.side : undefined;
    const all = 'targetGroups' in one ? one.targetGroups : 'records' in one ? one.records : undefined;
    if (named !== undefined && all !== undefined && !(named in all))
      context.addIssue({ code: 'custom', path: ['targets', id, 'good', 'side'], message: `names side "${named}", which is not one of ${Object.keys(all).join(', ')}` });
  }
  const sides = Object.values(service.targets).flatMap((one) => ('targetGroups' in one ? Object.keys(one.targetGroups) : 'records' in one ? Object.keys(one.records) : []));
  for (const [index, { side }] of service.signals.alarms.entries())
    if (side !== undefined && !sides.includes(side))
      context.addIssue({ code: 'custom', path: ['signals', 'alarms', index, 'side'], message: `names side "${side}", which no target has${sides.length === 0 ? '' : `; known: ${[...new Set(sides)].join(', ')}`}` });
});

export const engineSchema = z.strictObject({
  /** Prefix of every name: one engine per account and Region needs one name. */
  name: name.default('ripcord'),
  /** E-mail addresses subscribed to the on-call topic; other endpoints subscribe to the topic's ARN. */
  onCall: z.array(z.email()).default([]),
  stakeholders: z.array(z.email()).default([]),
  /** IAM roles whose sessions may answer an approval. Needed as soon as one service can ask. */
  approvers: z.array(arn('iam', 'role/')).default([]),
  /**
   * More distinct services than this with a signal within the window are a shared cause: Ripcord stops acting and pages once. `unrelated`: so are more than this that have
   * nothing to do with each other, at most half of the groups that dependencies make of them; where it is left out of a `storm` of one's own, `services` alone counts.
   */
  storm: z.strictObject({ services: z.int().min(1).max(1000), minutes: z.int().min(1).max(120), unrelated: z.int().min(1).max(1000).optional() })
    .default({ services: 5, minutes: 10, unrelated: 2 }),
});

export const configSchema = z.strictObject({
  engine: engineSchema.prefault({}),
  services: z.record(name, serviceSchema).refine((all) => Object.keys(all).length > 0, { error: 'needs at least one service' }),
}).superRefine((config, context) => {
  for (const [id, { dependencies }] of Object.entries(config.services))
    for (const [index, other] of dependencies.map((one) => dependencyOf(one).service).entries())
      if (other === id || !(other in config.services))
        context.addIssue({ code: 'custom', path: ['services', id, 'dependencies', index], message: other === id ? 'names the service itself' : `names "${other}", which is not one of ${Object.keys(config.services).join(', ')}` });
  for (const [id, service] of Object.entries(config.services))
    if ('required' in service.policy.approval && config.engine.approvers.length === 0)
      context.addIssue({ code: 'custom', path: ['engine', 'approvers'], message: `needs at least one IAM role: service "${id}" asks for approval and nobody could answer` });
});

export type ServiceInput = z.input<typeof serviceSchema>;
export type ServiceConfig = z.output<typeof serviceSchema>;
export type EngineConfig = z.output<typeof engineSchema>;
export type Config = z.output<typeof configSchema>;
export type Journey = z.output<typeof journey>;
export type JourneyRequest = z.output<typeof journeyRequest>;
/** How long one step may stay unconfirmed, in seconds: longer than any deployment we would call a rescue. */
export const confirmLimitSeconds = 3600;
export { maximumRounds, metricPlan };
export type { MetricEntry, Objective };
export type TargetConfig = z.output<typeof target>;

export const dependencyOf = (one: ServiceConfig['dependencies'][number]): { readonly service: string; readonly critical: boolean } =>
  (typeof one === 'string' ? { service: one, critical: true } : one);

/** A service that this one depends on or that depends on it, as synth found it in the catalogue: so no second entry has to be read. */
export const neighbourSchema = z.strictObject({
  service: name,
  relation: z.enum(['dependency', 'dependent']),
  /** Steps between the two: 1 is a direct one. */
  distance: z.int().min(1),
  /** False when one step on the way can be done without. */
  critical: z.boolean(),
  /** Alarms that say it is sick: one of each group before a second of any. */
  alarms: z.array(z.string()).max(50),
  /** Present where a dependency has others too, which are not read: those above alone never say that it is well. */
  hasMoreAlarms: z.literal(true).optional(),
  /** Other services that depend on it directly. */
  sharedWith: z.array(name).max(50),
});
export type Neighbour = z.output<typeof neighbourSchema>;

/** What the SSM parameter of one service holds. */
export interface CatalogueEntry {
  readonly name: string;
  readonly service: ServiceConfig;
  /** Absent where nothing depends on it and it depends on nothing. */
  readonly around?: readonly Neighbour[];
  /** One name for all services that dependencies join, over any number of steps; absent where it is its own. */
  readonly group?: string;
}

/** One line an issue: the path, what is wrong, and the mend. */
export const describeIssues = (error: z.ZodError): string[] =>
  error.issues.map((issue) => {
    const path = issue.path.length === 0 ? '(top level)' : issue.path.map(String).join('.');
    return `${path}: ${issue.message}`;
  });
