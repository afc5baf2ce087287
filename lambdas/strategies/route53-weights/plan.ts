// Plans the way back of a weighted DNS record group: pure, from the live records and the health checks they carry.
import type { JsonObject, Reason } from '../../domain/vocabulary.ts';
import type { PlanAnswer, PlanQuestion } from '../strategy.ts';
import { describeShift, goodWeights, objectionTo, objectionToStrangers, sameShares, total, type Weights } from '../weights.ts';
import type { Route53WeightsTarget } from './manifest.ts';

/** As the IAM condition key wants it: lower case, no trailing dot, `*` as `\052`. */
export const normalizedRecordName = (name: string): string => name.toLowerCase().replace(/\.$/, '').replace(/^\*/, String.raw`\052`);

/** One record as Route 53 gives it; sent back as it came but for the weight. */
export type RecordSet = JsonObject & {
  readonly Name: string;
  readonly Type: string;
  readonly SetIdentifier?: string;
  readonly Weight?: number;
  readonly TTL?: number;
  readonly HealthCheckId?: string;
};

export type Route53WeightsState = {
  /** Zero for a side without a record. All zero means equal shares to Route 53, so that is recorded as 1 for each record. */
  readonly weights: Weights;
  /** Records of the group that the catalogue does not name, by SetIdentifier. */
  readonly strangers: Weights;
  /** Seconds a resolver may keep an answer. */
  readonly ttlSeconds: number;
  readonly records: readonly RecordSet[];
};

/** What Route 53's checkers say of the health check that a side's record carries. */
export type CheckerVerdict = { readonly healthCheckId: string; readonly healthy: number; readonly checkers: number; readonly unreadable: string | null };

/** Only sides whose record has a health check. */
export type Route53WeightsFacts = { readonly health: { readonly [side: string]: CheckerVerdict } };

const maximumWeight = 255;

/** Route 53 answers for an alias with a TTL of 60 seconds. */
const aliasTtlSeconds = 60;

export const isOfTarget = (target: Route53WeightsTarget, record: { readonly Name?: string | undefined; readonly Type?: string | undefined }): boolean =>
  normalizedRecordName(record.Name ?? '') === normalizedRecordName(target.recordName) && record.Type === target.recordType;

export const sideOf = (target: Route53WeightsTarget, record: RecordSet): string | undefined =>
  Object.keys(target.records).find((side) => target.records[side] === record.SetIdentifier);

export function stateOf(target: Route53WeightsTarget, records: readonly RecordSet[]): Route53WeightsState {
  const areAllZero = records.every((record) => (record.Weight ?? 0) === 0);
  const weightOf = (record: RecordSet | undefined): number => (record === undefined ? 0 : areAllZero ? 1 : (record.Weight ?? 0));
  const strangers = records.filter((record) => sideOf(target, record) === undefined);
  return {
    weights: Object.fromEntries(Object.keys(target.records).map((side) => [side, weightOf(records.find((record) => sideOf(target, record) === side))])),
    strangers: Object.fromEntries(strangers.map((record) => [record.SetIdentifier ?? '(no identifier)', weightOf(record)])),
    ttlSeconds: Math.max(0, ...records.map((record) => record.TTL ?? aliasTtlSeconds)),
    records,
  };
}

export const sameState = (one: Route53WeightsState, other: Route53WeightsState): boolean =>
  sameShares({ ...one.weights, ...one.strangers }, { ...other.weights, ...other.strangers });

export function plan(question: PlanQuestion<Route53WeightsTarget, Route53WeightsState>): PlanAnswer<Route53WeightsState> {
  const { target, release, expectedFrom } = question;
  const { state: live } = question.live;
  const impossible = (reason: Reason): PlanAnswer<Route53WeightsState> => ({ outcome: 'impossible', from: live, reason });
  const good = goodWeights(target.good, Object.keys(target.records), question.good);
  if ('reason' in good) return impossible(good.reason);
  const misfit = objectionToRecords(target, live, good.weights) ?? objectionToStrangers(live, release, 'record');
  if (misfit !== null) return impossible(misfit);
  const to = { ...live, weights: good.weights, records: live.records.map((record) => ({ ...record, Weight: good.weights[sideOf(target, record) ?? ''] ?? 0 })) };
  const summary = `${describeShift(live.weights, to.weights)}; resolvers keep old answers for up to ${live.ttlSeconds} s`;
  if (sameState(live, to)) return { outcome: 'already', from: live, to: live, summary };
  const objection = objectionTo({ live, release, expectedFrom }) ?? unhealthy(good.weights, question.live.facts as Route53WeightsFacts);
  return objection === null ? { outcome: 'change', from: live, to, summary } : impossible(objection);
}

function objectionToRecords(target: Route53WeightsTarget, live: Route53WeightsState, weights: Weights): Reason | null {
  const name = `${target.recordType} ${target.recordName}`;
  const other = live.records.find((record) => record.Weight === undefined || record.SetIdentifier === undefined);
  if (other !== undefined) return { code: 'unsupported', text: `${name} is not a weighted record, so it has no weights to put back.` };
  const gone = Object.keys(weights).filter((side) => (weights[side] ?? 0) > 0 && !live.records.some((record) => sideOf(target, record) === side));
  if (gone.length > 0) return { code: 'destination-gone', text: `${name} has no record ${gone.map((side) => `${target.records[side]} (${side})`).join(', ')} any more.` };
  if (total(weights) === 0) return { code: 'unsupported', text: 'All weights zero would mean equal shares for all records.' };
  const heavy = Object.entries(weights).filter(([, weight]) => weight > maximumWeight);
  return heavy.length === 0 ? null : { code: 'unsupported', text: `Route 53 takes weights up to ${maximumWeight}, not ${heavy.map(([side, weight]) => `${side} ${weight}`).join(', ')}.` };
}

/** With a sick non-zero record Route 53 would answer with the zero-weight ones: the shift would change nothing. */
function unhealthy(weights: Weights, { health }: Route53WeightsFacts): Reason | null {
  const checked = Object.entries(health).filter(([side]) => (weights[side] ?? 0) > 0);
  const unreadable = checked.find(([, verdict]) => verdict.unreadable !== null);
  if (unreadable !== undefined) {
    const [side, { healthCheckId, unreadable: why }] = unreadable;
    return { code: 'unsupported', text: `Health check ${healthCheckId} of ${side} tells no checker's answer (${why}), so nothing says that ${side} can take the traffic.` };
  }
  const sick = checked.filter(([, { healthy, checkers }]) => healthy * 2 <= checkers);
  if (sick.length === 0) return null;
  const text = sick.map(([side, { healthCheckId, healthy, checkers }]) => `${side}: ${healthy} of ${checkers} checkers of health check ${healthCheckId} see it healthy`).join('; ');
  return { code: 'destination-unhealthy', text: `${text}. More than half must.` };
}
