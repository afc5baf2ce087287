// route53-weights against the sandbox's Route 53: values, aliases, health checks, propagation and TTL.
import { type ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject, StepRequest } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/route53-weights/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { AwsError } from '../../sandbox/aws/world.ts';
import { Route53 } from '../../sandbox/services/route53/route53.ts';
import { route53Service } from '../../sandbox/services/route53/service.ts';
import { Account, Bench } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

const name = String.raw`\052.shop.example.com.`;
const record = (id: string, Weight: number, fields: object = {}): ResourceRecordSet => ({ Name: name, Type: 'A', SetIdentifier: id, Weight, TTL: 30, ResourceRecords: [{ Value: '192.0.2.1' }], ...fields });
const alias = { TTL: undefined, ResourceRecords: undefined, AliasTarget: { HostedZoneId: 'ZLB', DNSName: 'lb.example.com.', EvaluateTargetHealth: false } };

interface Zone extends Subject {
  readonly route53: Route53;
  readonly zoneId: string;
  set(records: readonly ResourceRecordSet[]): void;
  records(): ResourceRecordSet[];
}

interface Given {
  readonly blue?: object;
  readonly green?: object;
  readonly propagationSeconds?: number;
  /** Health checks of the known-good records, as the ledger remembers them. */
  readonly remembered?: readonly string[];
  readonly good?: unknown;
}

async function start(given: Given = {}): Promise<Zone> {
  const account = new Account(200);
  const route53 = new Route53({ clock: account.clock, propagationMilliseconds: (given.propagationSeconds ?? 20) * 1000 });
  account.onClose(() => route53.stop());
  for (const id of ['check-blue', 'check-green']) route53.health.create({ id });
  const zone = route53.createHostedZone({
    name: 'example.com.',
    records: [
      record('blue-record', 0, { HealthCheckId: 'check-blue', ...given.blue }), record('green-record', 50, { HealthCheckId: 'check-green', ...given.green }),
      { Name: 'a.example.com.', Type: 'A', TTL: 30, ResourceRecords: [{ Value: '192.0.2.9' }] }, { Name: 'zzz.example.com.', Type: 'A', TTL: 30, ResourceRecords: [{ Value: '192.0.2.9' }] },
    ],
  });
  for (const invariant of route53.invariants()) account.server.calls.addInvariant(invariant);
  await account.serve([route53Service(route53)]);
  const options = account.client();
  // The smallest page there is: every answer comes in pages.
  const strategy = createStrategy({ route53: () => new Route53Client(options), pageSize: 1 }) as unknown as Strategy;
  const step: StepRequest = {
    id: 'last/dns', service: 'shop', strategy: 'route53-weights', targetId: 'dns',
    target: { strategy: 'route53-weights', hostedZoneId: zone.id, recordName: '*.Shop.Example.com', recordType: 'A', records: { blue: 'blue-record', green: 'green-record' }, good: given.good ?? { side: 'blue' } } as JsonObject,
    good: { version: '1', basis: 'baked', state: { weights: { blue: 10, green: 0 }, strangers: {}, ttlSeconds: 30, records: (given.remembered ?? []).map((HealthCheckId) => ({ HealthCheckId })) } },
    release: { id: 'r-2', version: '2', startedAt: new Date(account.clock.now()).toISOString(), isFinished: true, left: { weights: { blue: 0, green: 50 }, strangers: {} } },
  };
  const records = (): ResourceRecordSet[] => [...route53.zone(zone.id).records.values()].filter((one) => one.Name === name);
  const set = (changed: readonly ResourceRecordSet[]): void => { route53.change(zone.id, changed.map((one) => ({ Action: 'UPSERT', ResourceRecordSet: one }))); };
  const weight = (id: string): number | undefined => records().find((one) => one.SetIdentifier === id)?.Weight;
  return {
    bench: new Bench(account, strategy, step), route53, zoneId: zone.id, records, set,
    read: 'route53:ListResourceRecordSets', write: 'route53:ChangeResourceRecordSets',
    world: () => [...route53.zone(zone.id).records.values()],
    isBack: () => (weight('blue-record') ?? 0) > 0 && weight('green-record') === 0,
    somebodyElse: () => set([record('blue-record', 30, { HealthCheckId: 'check-blue' }), record('green-record', 70, { HealthCheckId: 'check-green' })]),
    crowd: () => route53.change(zone.id, Array.from({ length: 400 }, (_, index) => ({ Action: 'CREATE', ResourceRecordSet: { Name: `many-${index}.shop.example.com.`, Type: 'A', TTL: 30, ResourceRecords: [{ Value: '192.0.2.9' }] } }))) && undefined,
    unused: {},
    breaches: () => account.server.calls.breaches.map(({ invariant, problem }) => `${invariant}: ${problem}`),
  };
}

keepsTheContract({ name: 'route53-weights', start: () => start() });

const busy = (): void => { throw new AwsError('PriorRequestNotComplete', 'The request was rejected because Route 53 was still processing a prior request.'); };

describe('route53-weights on a live zone', () => {
  let zone: Zone | undefined;
  afterEach(async () => { await zone?.bench.account.close(); });

  it('changes the weights in one batch and nothing else of any record', async () => {
    zone = await start({ blue: alias });
    const before = zone.records();
    await zone.bench.apply();
    expect(zone.bench.changes()).toHaveLength(1);
    expect(zone.records()).toEqual(before.map((one) => ({ ...one, Weight: one.SetIdentifier === 'blue-record' ? 100 : 0 })));
  });

  it('says yes only when the change is in sync and the TTL after that is over', async () => {
    zone = await start({ propagationSeconds: 100 });
    const { clock } = zone.bench.account;
    const applied = await zone.bench.apply();
    const appliedAt = clock.now();
    const early = await zone.bench.look(applied);
    expect(early).toMatchObject({ answer: 'not-yet', progress: null });
    expect(await zone.bench.confirm(applied)).toMatchObject({ answer: 'yes', detail: expect.stringContaining('TTL of 30 s') as string });
    expect((clock.now() - appliedAt) / 1000).toBeGreaterThanOrEqual(130);
  });

  it('counts the TTL from the moment it saw the change in sync, not anew with each look', async () => {
    zone = await start({ propagationSeconds: 1, blue: { TTL: 300 }, green: { TTL: 300 } });
    const { clock } = zone.bench.account;
    const applied = await zone.bench.apply();
    await clock.sleep(20_000);
    const first = await zone.bench.look(applied);
    expect(first).toMatchObject({ answer: 'not-yet', retryAfterSeconds: 60, progress: { inSyncSince: expect.any(String) as string } });
    await clock.sleep(200_000);
    const second = await zone.bench.look(applied, first);
    expect(second.progress).toEqual(first.progress);
    await clock.sleep(110_000);
    expect(await zone.bench.look(applied, second)).toMatchObject({ answer: 'yes' });
    // Without the memory it would begin to count again: never a yes too early.
    expect(await zone.bench.look(applied)).toMatchObject({ answer: 'not-yet' });
  });

  it('waits sixty seconds for an alias, which has no TTL of its own', async () => {
    zone = await start({ blue: alias, green: alias, propagationSeconds: 1 });
    const applied = await zone.bench.apply();
    const appliedAt = zone.bench.account.clock.now();
    expect(await zone.bench.confirm(applied)).toMatchObject({ answer: 'yes', detail: expect.stringContaining('TTL of 60 s') as string });
    expect((zone.bench.account.clock.now() - appliedAt) / 1000).toBeGreaterThanOrEqual(60);
  });

  it('does not shift to a record that Route 53 itself holds for sick', async () => {
    zone = await start({ remembered: ['check-blue'] });
    zone.route53.health.setHealth('check-blue', false);
    expect(await zone.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-unhealthy', text: expect.stringContaining('check-blue') as string } });
    expect(zone.bench.changes()).toEqual([]);
  });

  it('asks each health check once, though the ledger remembers it too', async () => {
    zone = await start({ remembered: ['check-blue'] });
    await zone.bench.apply();
    expect(zone.bench.calls().filter((call) => call.operation === 'GetHealthCheckStatus').map((call) => (call.input as { HealthCheckId: string }).HealthCheckId).toSorted()).toEqual(['check-blue', 'check-green']);
  });

  it('goes back to the weights that the known-good version had', async () => {
    zone = await start({ good: 'last-known-good' });
    await zone.bench.apply();
    expect(zone.records().map((one) => one.Weight)).toEqual([10, 0]);
  });

  it('says that a deleted record is gone', async () => {
    zone = await start();
    const [blue] = zone.records();
    zone.route53.change(zone.zoneId, [{ Action: 'DELETE', ResourceRecordSet: blue }]);
    expect(await zone.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-gone' } });
  });

  it('marks its change, so that a reader of the zone knows who made it', async () => {
    zone = await start();
    await zone.bench.apply();
    expect(zone.bench.changes()[0]?.input).toMatchObject({ ChangeBatch: { Comment: 'ripcord run-1/last/dns' } });
  });

  it('tries again while an earlier change is still being processed', async () => {
    zone = await start();
    const fault = zone.bench.account.server.faults.add({ name: 'busy', service: 'route53', operation: 'ChangeResourceRecordSets', calls: [1, 2], effect: { kind: 'before', run: busy } });
    expect(await zone.bench.apply()).toMatchObject({ status: 'changed' });
    expect(fault.injected).toBe(2);
  });

  const beforeTheWrite = (run: () => void) => zone?.bench.account.server.faults.add({ name: 'person', service: 'route53', operation: 'ChangeResourceRecordSets', calls: [1], effect: { kind: 'before', run } });

  it('replaces the records as it read them: who comes in between wins, and is not overwritten', async () => {
    zone = await start();
    const { somebodyElse, bench } = zone;
    beforeTheWrite(() => void somebodyElse());
    expect(await bench.apply()).toMatchObject({ status: 'changed-by-someone-else' });
    expect(zone.records().map((one) => one.Weight)).toEqual([30, 70]);
    expect(bench.changes().map(({ errorCode }) => errorCode)).toEqual(['InvalidChangeBatch']);
    expect(bench.rows.map(({ kind }) => kind)).toEqual(['change-intended', 'change-failed', 'change-failed']);
  });

  it('goes on with what a record points to now, when only that was changed in between', async () => {
    zone = await start();
    const [, green] = zone.records();
    const moved = { ...green, ResourceRecords: [{ Value: '192.0.2.77' }] } as ResourceRecordSet;
    const live = zone;
    beforeTheWrite(() => live.set([moved]));
    expect(await zone.bench.apply()).toMatchObject({ status: 'changed' });
    expect(zone.records()[1]).toEqual({ ...moved, Weight: 0 });
    expect(zone.isBack()).toBe(true);
  });
});
