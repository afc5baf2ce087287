// Route 53: batches, order, paging, propagation, and what clients see while a TTL runs.
import type { Change, ListResourceRecordSetsResponse, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { beforeEach, describe, expect, it } from 'vitest';
import { chooseAnswer } from '../../../sandbox/services/route53/dns-answer.ts';
import { listResourceRecordSets } from '../../../sandbox/services/route53/record-operations.ts';
import { cachingResolver } from '../../../sandbox/shop/resolver.ts';
import { place, refusal, rigOn, StandingClock, type Rig } from './rig.ts';

const record = (SetIdentifier: string, Weight: number, over: Partial<ResourceRecordSet> = {}): ResourceRecordSet => ({
  Name: 'shop.example.com.', Type: 'A', SetIdentifier, Weight, TTL: 60, ResourceRecords: [{ Value: SetIdentifier === 'blue' ? '10.0.0.1' : '10.0.0.2' }], ...over,
});
const upsert = (...records: ResourceRecordSet[]): Change[] => records.map((ResourceRecordSet) => ({ Action: 'UPSERT', ResourceRecordSet }));
const weightsOf = (records: Iterable<ResourceRecordSet>) => Object.fromEntries([...records].map(({ SetIdentifier, Weight }) => [SetIdentifier, Weight]));

let rig: Rig<StandingClock>;
const share = (group: ResourceRecordSet[], sick: readonly string[] = []): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (let step = 0; step < 100; step += 1) {
    const id = chooseAnswer(group, ({ SetIdentifier }) => !sick.includes(SetIdentifier ?? ''), () => step / 100)?.record.SetIdentifier ?? 'none';
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
};
const list = (input: object): ListResourceRecordSetsResponse =>
  listResourceRecordSets(rig.route53).run({ HostedZoneId: 'Z1', ...input }, { caller: { kind: 'root', arn: 'root' }, place, clock: rig.clock, requestId: '1' }) as ListResourceRecordSetsResponse;
const names = (records: ResourceRecordSet[] | undefined) => records?.map(({ Name, SetIdentifier = '' }) => `${Name ?? ''} ${SetIdentifier}`.trim());

beforeEach(() => {
  rig = rigOn(new StandingClock());
  rig.route53.health.create({ id: 'hc-1' });
  rig.route53.createHostedZone({ id: 'Z1', name: 'example.com', records: [record('blue', 0, { HealthCheckId: 'hc-1' }), record('green', 100)] });
});

describe('a change batch', () => {
  it('is all or nothing', () => {
    const error = refusal(() => rig.route53.change('Z1', upsert(record('blue', 100, { HealthCheckId: 'hc-1' }), record('green', 300))));
    expect(error.code).toBe('InvalidChangeBatch');
    expect(error.fields['messages']).toEqual(["Invalid request: the weight 300 of [name='shop.example.com.', type='A', set identifier='green'] is not between 0 and 255"]);
    expect(weightsOf(rig.route53.zone('Z1').records.values())).toEqual({ blue: 0, green: 100 });
  });

  it.each([
    ['creating what exists', [{ Action: 'CREATE', ResourceRecordSet: record('blue', 1) }], 'already exists'],
    ['deleting what is not there', [{ Action: 'DELETE', ResourceRecordSet: record('red', 1) }], 'was not found'],
    ['deleting with other values', [{ Action: 'DELETE', ResourceRecordSet: record('green', 7) }], 'do not match the current values'],
    ['different TTLs in a group', upsert(record('green', 1, { TTL: 30 })), 'must have the same TTL'],
    ['a name outside of the zone', upsert(record('blue', 1, { Name: 'shop.example.org' })), 'is not permitted in zone'],
    ['a simple record beside weighted ones', upsert({ Name: 'shop.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '10.0.0.3' }] }), 'cannot be created as other RRSets exist'],
    ['an alias with a TTL', upsert({ ...record('blue', 1), AliasTarget: { HostedZoneId: 'Z2', DNSName: 'lb.example.com', EvaluateTargetHealth: true } }), 'mixes an alias target'],
  ] as const)('refuses %s', (_, changes, message) => {
    const error = refusal(() => rig.route53.change('Z1', changes));
    expect(error.code).toBe('InvalidChangeBatch');
    expect(error.message).toContain(message);
  });

  it('refuses an unknown zone, change and health check', () => {
    expect(refusal(() => rig.route53.change('Z9', [])).code).toBe('NoSuchHostedZone');
    expect(refusal(() => rig.route53.changeStatus('C9')).code).toBe('NoSuchChange');
    expect(refusal(() => rig.route53.change('Z1', upsert(record('blue', 1, { HealthCheckId: 'hc-9' })))).code).toBe('NoSuchHealthCheck');
  });

  it('is PENDING until the name servers answer with it', async () => {
    const { id } = rig.route53.change('Z1', upsert(record('blue', 100, { HealthCheckId: 'hc-1' }), record('green', 0)));
    expect(rig.route53.changeStatus(`/change/${id}`).status).toBe('PENDING');
    expect(weightsOf(rig.route53.zone('Z1').records.values())).toEqual({ blue: 100, green: 0 });
    expect(rig.route53.answer('Z1', 'SHOP.example.com', 'A')?.values).toEqual(['10.0.0.2']);
    await rig.clock.advance(20_000);
    expect(rig.route53.changeStatus(id).status).toBe('INSYNC');
    expect(rig.route53.answer('Z1', 'shop.example.com', 'A')?.values).toEqual(['10.0.0.1']);
  });

  it('is watched: no all-zero group, no lost health check', () => {
    const broken = (): (string | null)[] => rig.route53.invariants().map((invariant) => invariant.check());
    expect(broken()).toEqual([null, null]);
    rig.route53.change('Z1', upsert(record('blue', 100), record('green', 0)));
    expect(broken()).toEqual([null, 'shop.example.com. A blue: lost HealthCheckId']);
    rig.route53.change('Z1', upsert(record('blue', 0, { HealthCheckId: 'hc-1' })));
    expect(broken()).toEqual(['shop.example.com. A: all weights are zero', null]);
  });
});

describe('a client', () => {
  it('keeps the old answer for the TTL after the name servers changed', async () => {
    const resolver = cachingResolver({ route53: rig.route53, clock: rig.clock, zoneId: 'Z1', name: 'shop.example.com', type: 'A', clients: 1 });
    expect(resolver.resolve()).toBe('10.0.0.2');
    rig.route53.change('Z1', upsert(record('blue', 100, { HealthCheckId: 'hc-1' }), record('green', 0)));
    await rig.clock.advance(59_000);
    expect(rig.route53.answer('Z1', 'shop.example.com', 'A')?.values).toEqual(['10.0.0.1']);
    expect(resolver.resolve()).toBe('10.0.0.2');
    await rig.clock.advance(1000);
    expect(resolver.resolve()).toBe('10.0.0.1');
  });
});

describe('a DNS answer', () => {
  it.each([
    ['follows the weights', share([record('blue', 30), record('green', 70)]), { blue: 30, green: 70 }],
    ['shares equally when all weights are zero', share([record('blue', 0), record('green', 0)]), { blue: 50, green: 50 }],
    ['leaves out the unhealthy', share([record('blue', 30), record('green', 70)], ['green']), { blue: 100 }],
    ['uses weight 0 only when every other is unhealthy', share([record('blue', 0), record('green', 100)], ['green']), { blue: 100 }],
    ['takes all for healthy when none is', share([record('blue', 0), record('green', 100)], ['green', 'blue']), { green: 100 }],
  ])('%s', (_, counts, expected) => {
    expect(counts).toEqual(expected);
  });

  it('gives an alias 60 seconds', () => {
    const { TTL: _ttl, ResourceRecords: _records, ...alias } = record('blue', 1);
    expect(chooseAnswer([{ ...alias, AliasTarget: { HostedZoneId: 'Z2', DNSName: 'lb.example.com', EvaluateTargetHealth: false } }], () => true, () => 0)).toMatchObject({ values: ['lb.example.com'], ttlSeconds: 60 });
  });
});

describe('ListResourceRecordSets', () => {
  it('sorts by reversed labels, type and identifier, and pages on', () => {
    rig.route53.change('Z1', upsert(
      { Name: 'example.com', Type: 'TXT', TTL: 60, ResourceRecords: [{ Value: '"x"' }] }, { Name: 'z.a.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '10.0.0.9' }] }, { Name: '*.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '10.0.0.8' }] },
    ));
    expect(names(list({}).ResourceRecordSets)).toEqual(['example.com.', String.raw`\052.example.com.`, 'z.a.example.com.', 'shop.example.com. blue', 'shop.example.com. green']);
    const first = list({ MaxItems: 4 });
    expect(first).toMatchObject({ IsTruncated: true, NextRecordName: 'shop.example.com.', NextRecordType: 'A', NextRecordIdentifier: 'green' });
    expect(names(list({ StartRecordName: 'shop.example.com', StartRecordType: 'A', StartRecordIdentifier: 'green' }).ResourceRecordSets)).toEqual(['shop.example.com. green']);
  });
});
