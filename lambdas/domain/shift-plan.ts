// Which metrics show the two versions of a release that shares its traffic with the version before, each by itself. Pure.
import type { MetricEntry, ServiceConfig } from '../config/schema.ts';
import { at } from './instants.ts';
import { type MetricPlan, metricPlan, type MetricQuery, queriesOf } from './metric-plan.ts';
import type { RollbackRecord } from './ledger.ts';
import { isTooOldToJudge, periodSeconds } from './metrics.ts';
import type { Instant, Release } from './vocabulary.ts';

/** A release is recorded so many periods late at the most: CloudTrail takes a quarter of an hour, the poll comes every five minutes. */
export const latestPeriods = 20;

export interface PairPlan {
  /** Of all versions together; null where that is their sum. */
  readonly whole: MetricPlan | null;
  /** The new version and the one before where `isOrdered`; otherwise two or more sides, of which those that served before the release are the version before. */
  readonly versions: readonly MetricPlan[];
  readonly isOrdered: boolean;
  /** Requests of a minute below which its latency says nothing. */
  readonly fewestRequests: number;
}

export interface ShiftPlan {
  readonly releaseId: string;
  readonly startedAt: Instant;
  readonly pairs: readonly PairPlan[];
}

export type Shifting = Pick<Release, 'id' | 'origin' | 'version' | 'previousVersion' | 'startedAt' | 'status'> & Partial<Pick<Release, 'touched'>>;

/** What else happened to the service. */
export interface ShiftPast {
  readonly releases: readonly Pick<Release, 'id' | 'version' | 'startedAt' | 'finishedAt'>[];
  readonly rollbacks: readonly Pick<RollbackRecord, 'startedAt' | 'endedAt'>[];
}
type Configured = { readonly targets: ServiceConfig['targets']; readonly signals: Pick<ServiceConfig['signals'], 'metrics'> };

/** A reading with more series than this beside the 50 that can be declared would need a second page. */
const mostSeries = 20;

/**
 * Undefined where no release shares traffic now, and where nobody knows which metrics are whose: then the service is judged as a whole.
 * @param release the newest one of the service.
 * @param past what is on record of the service; the release itself may be in it.
 */
export function shiftPlan({ targets, signals: { metrics = [] } }: Configured, release: Shifting | undefined, now: Instant, past: ShiftPast = { releases: [], rollbacks: [] }): ShiftPlan | undefined {
  if (release?.status !== 'in-progress' || isTooOldToJudge(release, now) || isCrowded(release, past)) return undefined;
  const sides = movesWeights(release) ? Object.values(targets).flatMap((target) => targetGroups(target, metrics)) : [];
  const pairs = [...aliasPair(targets, metrics, release), ...sides].reduce<PairPlan[]>((taken, pair) => (seriesOf([...taken, pair]) > mostSeries ? taken : [...taken, pair]), []);
  return pairs.length === 0 ? undefined : { releaseId: release.id, startedAt: release.startedAt, pairs };
}

/**
 * Another release, or a rollback, moved the traffic so shortly before that the minutes before this one are not what is usual, or a newer one moves it since.
 * Two records of one release, of a pipeline and of CodeDeploy, are no two releases.
 */
function isCrowded({ id, version, startedAt }: Shifting, { releases, rollbacks }: ShiftPast): boolean {
  const from = at(startedAt) - latestPeriods * periodSeconds * 1000;
  const others = releases.filter((one) => one.id !== id && !(one.version === version && one.finishedAt === null));
  return others.some((one) => at(one.finishedAt ?? one.startedAt) >= from)
    || rollbacks.some((one) => at(one.startedAt) <= at(startedAt) && at(one.endedAt ?? one.startedAt) >= from);
}

/** Only a pipeline tells of a release that goes by target groups; one of the configuration or the database alone goes to no side. */
const movesWeights = ({ origin, touched = [] }: Shifting): boolean =>
  origin === 'event' && (touched.length === 0 || touched.includes('code') || touched.includes('infrastructure'));

/** All plans of a pair, in the order in which their columns are expected back. */
export const plansOf = ({ whole, versions }: PairPlan): MetricPlan[] => [...(whole === null ? [] : [whole]), ...versions];

const seriesOf = (pairs: readonly PairPlan[]): number => queriesOf(pairs.flatMap(plansOf)).length;

interface Alias {
  readonly functionName: string;
  readonly alias: string;
}

const isNumber = (version: string | null): version is string => version !== null && /^\d+$/.test(version);

/** CloudWatch has what each version of an alias served under `ExecutedVersion`, beside the whole of the alias. */
function aliasPair(targets: Configured['targets'], metrics: readonly MetricEntry[], release: Shifting): PairPlan[] {
  const { version, previousVersion } = release;
  const alias = aliasOf(targets, release);
  if (alias === null || !isNumber(version) || !isNumber(previousVersion) || version === previousVersion) return [];
  const { functionName } = alias;
  const percentile = metrics.flatMap((entry) => (entry.kind === 'lambda' && entry.functionName === functionName ? [entry.percentile] : []))[0];
  const whole = withPercentile({ kind: 'lambda', ...alias }, percentile);
  const executed = (one: string): MetricPlan => ({ ...dimensioned(whole, { ExecutedVersion: one }), name: `version ${one}` });
  return [{ whole, versions: [executed(version), executed(previousVersion)], isOrdered: true, fewestRequests: fewestFor(percentile) }];
}

/** The alias that the release moves: its own record names it, or the service has no other. */
function aliasOf(targets: Configured['targets'], { id, origin }: Shifting): Alias | null {
  const [, functionName, alias] = /^(?:arn:[^@]*:function:)?([\w-]+):([\w-]+):\d+@/.exec(id) ?? [];
  if (origin === 'lambda-alias') return functionName === undefined || alias === undefined ? null : { functionName, alias };
  const [only, ...others] = Object.values(targets).filter((target): target is typeof target & Alias => 'alias' in target);
  // CodeDeploy tells of its own deployments only, and a version of its Lambda platform is a function's.
  if (only === undefined || others.length > 0 || origin === 'ecs' || (origin === 'codedeploy' && only.strategy !== 'codedeploy')) return null;
  return { functionName: only.functionName.split(':').at(-1) ?? '', alias: only.alias };
}

/** Each side of weighted target groups. */
function targetGroups(target: ServiceConfig['targets'][string], metrics: readonly MetricEntry[]): PairPlan[] {
  if (target.strategy !== 'alb-weights') return [];
  const loadBalancer = /:listener\/(app\/[^/]+\/[^/]+)\//.exec(target.listenerArn)?.[1];
  if (loadBalancer === undefined) return [];
  const percentile = metrics.flatMap((entry) => ('loadBalancer' in entry && entry.region === undefined && entry.loadBalancer?.endsWith(loadBalancer) === true ? [entry.percentile] : []))[0];
  const side = ([name, targetGroup]: [string, string]): MetricPlan => withPercentile({ kind: 'alb-target-group', name, loadBalancer, targetGroup }, percentile);
  return [{ whole: null, versions: Object.entries(target.targetGroups).map(side), isOrdered: false, fewestRequests: fewestFor(percentile) }];
}

type Named = { readonly kind: 'lambda'; readonly functionName: string; readonly alias: string }
  | { readonly kind: 'alb-target-group'; readonly name: string; readonly loadBalancer: string; readonly targetGroup: string };

/** Which percentile of it is looked at, `metrics` say; where they do not, latency is left out. */
const withPercentile = (entry: Named, percentile: string | undefined): MetricPlan =>
  ({ ...metricPlan({ ...entry, percentile: percentile ?? '' }), ...(percentile === undefined ? { latency: null } : {}) });

function dimensioned({ requests, errors, latency, ...named }: MetricPlan, more: Readonly<Record<string, string>>): MetricPlan {
  const also = (query: MetricQuery): MetricQuery => ('dimensions' in query ? { ...query, dimensions: { ...query.dimensions, ...more } } : query);
  return { ...named, requests: requests.map(also), errors: errors.map(also), latency: latency === null ? null : { ...latency, query: also(latency.query) } };
}

/**
 * The history that a new version is compared with had all of the requests, and so strays less than a percentile of a few. Ten slower than the percentile,
 * and two hundred at the least, hold what both stray below a third of the smallest effect.
 */
export const fewestFor = (percentile = 'p50'): number => Math.max(200, Math.round(10 / (1 - Number(percentile.slice(1)) / 100)));
