// Reads and writes a weighted record group, and follows the change until resolvers have forgotten the old answer.
import {
  type Change, ChangeResourceRecordSetsCommand, GetChangeCommand, GetHealthCheckStatusCommand, ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput, type ResourceRecordSet, type Route53Client,
} from '@aws-sdk/client-route-53';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import type { JsonObject } from '../../domain/vocabulary.ts';
import { route53Client } from '../../runtime/wiring.ts';
import type { Confirmation, ConfirmQuestion, Strategy } from '../strategy.ts';
import { describeShares } from '../weights.ts';
import { manifest, type Route53WeightsTarget } from './manifest.ts';
import { type CheckerVerdict, isOfTarget, plan, type RecordSet, type Route53WeightsState, sameState, sideOf, stateOf } from './plan.ts';
import { way } from './way.ts';

export interface Clients {
  readonly route53: () => Route53Client;
  /** Records a page, 1–300. Default 300. */
  readonly pageSize?: number;
}

type Question = ConfirmQuestion<Route53WeightsTarget, Route53WeightsState>;

/** How long Route 53 usually takes to bring a change to all its servers; used only where the change's id is not known. */
const usualSyncSeconds = 60;
const pollSeconds = 10;

export function createStrategy(clients: Clients): Strategy<Route53WeightsTarget, Route53WeightsState> {
  let client: Route53Client | undefined;
  const route53 = (): Route53Client => (client ??= clients.route53());
  const readRecords = (target: Route53WeightsTarget): Promise<RecordSet[]> => recordsOf(route53(), target, clients.pageSize ?? 300);
  return {
    manifest,
    way,
    plan,
    capture: async (target, known) => {
      const checks = new Map<string, Promise<CheckerVerdict>>();
      const check = (id: string): Promise<CheckerVerdict> => checks.get(id) ?? keep(checks, id, readCheck(route53(), id));
      // The health checks of the known-good records are most likely still the same: asked beside the list, they cost no time.
      for (const record of (known?.good?.state?.records ?? [])) if (record.HealthCheckId !== undefined) void check(record.HealthCheckId).catch(() => null);
      const state = stateOf(target, await readRecords(target));
      const sides = state.records.flatMap((record) => (record.HealthCheckId === undefined ? [] : [[sideOf(target, record) ?? '', record.HealthCheckId] as const]));
      return { state, facts: { health: Object.fromEntries(await Promise.all(sides.map(async ([side, id]) => [side, await check(id)] as const))) } };
    },
    apply: async ({ key, target, from, to }) => {
      const answer = await changing(route53().send(new ChangeResourceRecordSetsCommand({
        HostedZoneId: target.hostedZoneId, ChangeBatch: { Comment: `ripcord ${key}`.slice(0, 256), Changes: replacements(from, to) },
      })));
      return { handle: { changeId: answer.ChangeInfo?.Id ?? null }, confirmAfterSeconds: pollSeconds };
    },
    confirm: async (question) => {
      const [records, sync] = await Promise.all([readRecords(question.target), syncOf(route53(), question)]);
      return confirmed(question, stateOf(question.target, records), sync);
    },
  };
}

export const strategy = createStrategy({ route53: route53Client });

const action = 'route53:ChangeResourceRecordSets';

/**
 * Route 53 has no condition on a write, but it deletes a record only with the values that the record has, and takes a batch whole or not at all:
 * each record is deleted as it was read and created anew as it is wanted, so that a change made in between fails the batch.
 */
const replacements = (from: Route53WeightsState, to: Route53WeightsState): Change[] => [
  ...from.records.map((record) => ({ Action: 'DELETE' as const, ResourceRecordSet: record as unknown as ResourceRecordSet })),
  ...to.records.map((record) => ({ Action: 'CREATE' as const, ResourceRecordSet: record as unknown as ResourceRecordSet })),
];

/** A refused batch is a conflict: the caller reads and plans once more, and finds its own work, whose reply was lost, or somebody else's. */
async function changing<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await calling(action, call);
  } catch (error) {
    if (!isFault(error, 'invalid') || error.awsCode !== 'InvalidChangeBatch') throw error;
    throw new AwsCallError('conflicting', { action, awsCode: error.awsCode, text: (error.cause as Error).message }, error.cause);
  }
}

const keep = <Value>(map: Map<string, Value>, key: string, value: Value): Value => {
  map.set(key, value);
  return value;
};

async function recordsOf(route53: Route53Client, target: Route53WeightsTarget, pageSize: number): Promise<RecordSet[]> {
  const records: RecordSet[] = [];
  let start: { StartRecordName: string; StartRecordType: typeof target.recordType; StartRecordIdentifier?: string } | undefined =
    { StartRecordName: target.recordName, StartRecordType: target.recordType };
  while (start !== undefined) {
    const page: ListResourceRecordSetsCommandOutput = await calling('route53:ListResourceRecordSets', route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: target.hostedZoneId, MaxItems: pageSize, ...start })));
    const found = (page.ResourceRecordSets ?? []).filter((record) => isOfTarget(target, record));
    records.push(...found.map((record) => JSON.parse(JSON.stringify(record)) as RecordSet));
    // Records come sorted by name and type: the group is over when the next page begins elsewhere.
    const isMore: boolean = page.IsTruncated === true && isOfTarget(target, { Name: page.NextRecordName, Type: page.NextRecordType });
    start = isMore
      ? { StartRecordName: page.NextRecordName ?? '', StartRecordType: target.recordType, ...(page.NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: page.NextRecordIdentifier }) }
      : undefined;
  }
  return records;
}

async function readCheck(route53: Route53Client, healthCheckId: string): Promise<CheckerVerdict> {
  try {
    const { HealthCheckObservations: seen = [] } = await calling('route53:GetHealthCheckStatus', route53.send(new GetHealthCheckStatusCommand({ HealthCheckId: healthCheckId })));
    const healthy = seen.filter(({ StatusReport }) => StatusReport?.Status?.startsWith('Success') === true).length;
    return { healthCheckId, healthy, checkers: seen.length, unreadable: seen.length === 0 ? 'no checker has answered yet' : null };
  } catch (error) {
    // Calculated checks and checks on a CloudWatch alarm have no checkers that could be asked.
    if (isFault(error, 'invalid')) return { healthCheckId, healthy: 0, checkers: 0, unreadable: error.message };
    if (isFault(error, 'gone')) return { healthCheckId, healthy: 0, checkers: 0, unreadable: 'it does not exist any more' };
    throw error;
  }
}

type Sync = { readonly status: 'pending' } | { readonly status: 'unknown' } | { readonly status: 'in-sync'; readonly since: string };

/** INSYNC has no time of its own, so the first confirm that sees it writes the time down for the next. */
async function syncOf(route53: Route53Client, { handle, progress, now, appliedAt }: Question): Promise<Sync> {
  const since = progress?.['inSyncSince'];
  if (typeof since === 'string') return { status: 'in-sync', since };
  const changeId = handle?.['changeId'];
  if (typeof changeId !== 'string') {
    const usual = Date.parse(appliedAt) + usualSyncSeconds * 1000;
    return Date.parse(now) < usual ? { status: 'pending' } : { status: 'in-sync', since: new Date(usual).toISOString() };
  }
  try {
    const { ChangeInfo } = await calling('route53:GetChange', route53.send(new GetChangeCommand({ Id: changeId })));
    return ChangeInfo?.Status === 'INSYNC' ? { status: 'in-sync', since: now } : { status: 'pending' };
  } catch (error) {
    if (isFault(error, 'gone')) return { status: 'unknown' };
    throw error;
  }
}

function confirmed({ from, to, appliedAt, now }: Question, live: Route53WeightsState, sync: Sync): Confirmation {
  const shares = describeShares({ ...live.weights, ...live.strangers });
  const age = (Date.parse(now) - Date.parse(appliedAt)) / 1000;
  const progress: JsonObject | null = sync.status === 'in-sync' ? { inSyncSince: sync.since } : null;
  const answer = (name: Confirmation['answer'], detail: string, retryAfterSeconds = 0): Confirmation => ({ answer: name, detail, retryAfterSeconds, progress });
  if (!sameState(live, to))
    return sameState(live, from) && age < usualSyncSeconds
      ? answer('not-yet', `Live weights are still ${shares}.`, pollSeconds)
      : answer('changed-by-someone-else', `Wrote ${describeShares(to.weights)}, but the live weights are ${shares}.`);
  if (sync.status === 'unknown') return answer('cannot-verify', 'Route 53 no longer knows the change, so nothing says whether its servers have it.');
  if (sync.status === 'pending') return answer('not-yet', 'Route 53 is still bringing the change to its servers.', pollSeconds);
  const remaining = Math.ceil((Date.parse(sync.since) - Date.parse(now)) / 1000 + live.ttlSeconds);
  return remaining > 0
    ? answer('not-yet', `All servers answer with the new weights; resolvers may keep the old answer for another ${remaining} s.`, Math.min(remaining, 60))
    : answer('yes', `Live weights are ${shares}, in sync since ${sync.since}, and the TTL of ${live.ttlSeconds} s is over.`);
}
