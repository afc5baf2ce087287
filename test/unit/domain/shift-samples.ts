// A day of a service whose release shares its traffic with the version before, as CloudWatch would answer for it.
import { readingOf, type Datapoints, type MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { withShift } from '../../../lambdas/domain/shift-pairs.ts';
import { plansOf, type ShiftPast, type ShiftPlan, type Shifting, shiftPlan } from '../../../lambdas/domain/shift-plan.ts';
import { type MetricPlan, metricPlan, type PlainQuery, queriesOf } from '../../../lambdas/domain/metric-plan.ts';
import { metricEntry } from '../../../lambdas/config/metric-entries.ts';
import { serviceSchema, type ServiceInput } from '../../../lambdas/config/schema.ts';
import { minute } from './samples.ts';

/** What one version serves in a minute; null: nothing. */
export interface Served {
  readonly requests: number;
  readonly errors: number;
  readonly latency?: number;
}
export type Version = (m: number) => Served | null;

const day = 1440;
/** The minute at which every reading ends. */
export const end = 12;

const total = (...all: (Served | null)[]): Served | null => {
  const there = all.filter((one) => one !== null);
  const [most] = there.toSorted((a, b) => b.requests - a.requests);
  return most === undefined ? null : { requests: there.reduce((sum, one) => sum + one.requests, 0), errors: there.reduce((sum, one) => sum + one.errors, 0), latency: most.latency ?? 100 };
};

/** Requests, errors and, where it is asked for, latency of each minute of the day before the end, in the metrics' own units. */
function columnsOf(version: Version, { latency: asked }: MetricPlan): Datapoints[] {
  const minutes = Array.from({ length: day }, (_, index) => end - day + index).flatMap((m) => {
    const served = version(m);
    return served === null ? [] : [[Date.parse(minute(m)), served] as const];
  });
  // Latency wanders a little, the same way at each run.
  return [
    new Map(minutes.map(([at, { requests }]) => [at, requests])), new Map(minutes.filter(([, { errors }]) => errors > 0).map(([at, { errors }]) => [at, errors])),
    ...(asked === null ? [] : [new Map(minutes.map(([at, { latency = 100 }], index) => [at, (latency / asked.factor) * (1 + 0.03 * Math.sin(index * 12.9898))]))]),
  ];
}

const shop = metricPlan(metricEntry.parse({ kind: 'lambda', functionName: 'shop', alias: 'live', percentile: 'p50' }));

/** The reading of alias `shop:live` with its two versions, and the declared controls beside them. */
export function shifting(plan: ShiftPlan, versions: readonly [Version, Version, ...Version[]], controls: Readonly<Record<string, Version>> = {}): MetricsRead {
  const all: Version = (m) => total(...versions.map((version) => version(m)));
  const named = Object.entries(controls);
  const plans = { metrics: [shop], controls: named.map(([name]) => ({ ...shop, name })) };
  const reading = readingOf(plans, [all, ...named.map(([, version]) => version)].flatMap((version) => columnsOf(version, shop)), Date.parse(minute(end)));
  const columns = plan.pairs.flatMap((pair) => plansOf(pair).flatMap((each) => columnsOf(versions[pair.versions.indexOf(each)] ?? all, each)));
  return withShift(reading, plan, columns);
}

export const elb = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:';
export const alias = { strategy: 'lambda-alias', functionName: 'shop', alias: 'live', good: 'last-known-good' } as const;
export const web = { strategy: 'alb-weights', listenerArn: `${elb}listener/app/shop/1/2`, targetGroups: { blue: `${elb}targetgroup/blue/1`, green: `${elb}targetgroup/green/2` }, good: 'last-known-good' } as const;
export const codedeploy = { strategy: 'codedeploy', platform: 'Lambda', application: 'shop', deploymentGroup: 'prod', functionName: 'shop', alias: 'live', good: 'last-known-good' } as const;

export type Metrics = NonNullable<ServiceInput['signals']['metrics']>;
export const ofAlias: Metrics = [{ kind: 'lambda', functionName: 'shop', alias: 'live', percentile: 'p50' }];
export const configured = (targets: ServiceInput['targets'], metrics: Metrics = ofAlias) => serviceSchema.parse({
  targets, signals: { alarms: [{ name: '5xx' }], traffic: { none: 'has no such metric' }, metrics },
  verification: { none: 'proven by hand in this test' }, policy: { approval: { none: 'the on-call engineer agreed' } },
});

export const canary = (over: Partial<Shifting> = {}): Shifting =>
  ({ id: `shop:live:7@${minute(0)}`, origin: 'lambda-alias', version: '7', previousVersion: '6', startedAt: minute(0), status: 'in-progress', ...over });
export const planned = (targets: ServiceInput['targets'], over: Partial<Shifting> = {}, metrics = ofAlias, past?: ShiftPast): ShiftPlan | undefined => shiftPlan(configured(targets, metrics), canary(over), minute(end), past);
export const dimensionsOf = (plan: ShiftPlan | undefined): string[] => (plan?.pairs ?? []).flatMap((pair) => queriesOf(plansOf(pair))).map((query) => {
  const { name, statistic, dimensions } = query as PlainQuery;
  return `${name} ${statistic} ${Object.values(dimensions).join(' ')}`;
});
