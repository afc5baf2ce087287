// Route 53 of the sandbox: zones whose API shows a change at once and whose name servers answer with it only when it is INSYNC.
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { AwsError, type Invariant, type SandboxClock } from '../../aws/world.ts';
import { byChance, type Ids } from '../../ids.ts';
import { applyBatch, type Records } from './change-batch.ts';
import { chooseAnswer, type DnsAnswer } from './dns-answer.ts';
import { HealthChecks } from './health.ts';
import { canonicalName, grouped, groupKey, recordKey } from './record-sets.ts';

export interface Route53Parts {
  readonly clock: SandboxClock;
  /** Default: by chance. */
  readonly ids?: Ids;
  /** Sandbox milliseconds until a change is INSYNC; default 20000. */
  readonly propagationMilliseconds?: number;
}

export interface ChangeRecord {
  readonly id: string;
  readonly submittedAt: number;
  readonly comment: string | undefined;
  status: 'PENDING' | 'INSYNC';
}

export interface HostedZoneRecord {
  /** Without the `/hostedzone/` prefix. */
  readonly id: string;
  readonly name: string;
  records: Records;
  authoritative: Records;
  /** Each record as it was first seen: what it had then it may not lose. */
  readonly firstSeen: Map<string, ResourceRecordSet>;
}

const newId = (letter: string, ids: Ids = byChance): string => letter + ids.bytes(`route53 ${letter}`, 10).toString('hex').toUpperCase().slice(0, 20);
const bare = (id: string): string => id.replace(/^\/?(?:hostedzone|change)\//, '');

export class Route53 {
  readonly zones = new Map<string, HostedZoneRecord>();
  readonly health: HealthChecks;
  readonly #changes = new Map<string, ChangeRecord>();
  readonly #parts: Route53Parts;

  constructor(parts: Route53Parts) {
    this.#parts = parts;
    this.health = new HealthChecks(parts.clock);
  }

  /** Records given here are authoritative at once. */
  createHostedZone({ name, id = newId('Z', this.#parts.ids), records = [] }: { name: string; id?: string; records?: readonly ResourceRecordSet[] }): HostedZoneRecord {
    const zone: HostedZoneRecord = { id, name: canonicalName(name), records: new Map(), authoritative: new Map(), firstSeen: new Map() };
    this.zones.set(id, zone);
    zone.records = this.#checked(zone, records.map((record) => ({ Action: 'CREATE', ResourceRecordSet: record })));
    zone.authoritative = zone.records;
    remember(zone);
    return zone;
  }

  /** @throws AwsError `NoSuchHostedZone`. */
  zone(id: string): HostedZoneRecord {
    const zone = this.zones.get(bare(id));
    if (zone === undefined) throw new AwsError('NoSuchHostedZone', `No hosted zone found with ID: ${bare(id)}`, { status: 404 });
    return zone;
  }

  /** All of the changes or none. @throws AwsError `InvalidChangeBatch`, `NoSuchHealthCheck`, `NoSuchHostedZone`. */
  change(zoneId: string, changes: readonly Change[], comment?: string): ChangeRecord {
    const zone = this.zone(zoneId);
    const records = this.#checked(zone, changes);
    zone.records = records;
    remember(zone);
    const change: ChangeRecord = { id: newId('C', this.#parts.ids), submittedAt: this.#parts.clock.now(), comment, status: 'PENDING' };
    this.#changes.set(change.id, change);
    const settle = (): void => {
      zone.authoritative = records;
      change.status = 'INSYNC';
    };
    this.#parts.clock.sleep(this.#parts.propagationMilliseconds ?? 20_000).then(settle, () => undefined);
    return change;
  }

  /** @throws AwsError `NoSuchChange`. */
  changeStatus(id: string): ChangeRecord {
    const change = this.#changes.get(bare(id));
    if (change === undefined) throw new AwsError('NoSuchChange', `Could not find resource with ID: ${bare(id)}`, { status: 404 });
    return change;
  }

  /** What the name servers answer now, or null. @throws AwsError `NoSuchHostedZone`. */
  answer(zoneId: string, name: string, type: string): DnsAnswer | null {
    const wanted = groupKey({ Name: name, Type: type as ResourceRecordSet['Type'] });
    const group = [...this.zone(zoneId).authoritative.values()].filter((record) => groupKey(record) === wanted);
    return chooseAnswer(group, ({ HealthCheckId }) => this.health.isHealthy(HealthCheckId), Math.random);
  }

  invariants(): Invariant[] {
    const check = (broken: (zone: HostedZoneRecord) => readonly string[]) => (): string | null => {
      const found = [...this.zones.values()].flatMap(broken);
      return found.length === 0 ? null : found.join('; ');
    };
    return [
      { name: 'no weighted record group is all zero', check: check(allZeroGroups) },
      { name: 'no record loses its health check, TTL or alias', check: check(lostParts) },
    ];
  }

  stop(): void {
    this.health.stop();
  }

  #checked(zone: HostedZoneRecord, changes: readonly Change[]): Records {
    const { records, problems } = applyBatch(zone.records, changes, zone.name);
    if (problems.length > 0) throw new AwsError('InvalidChangeBatch', `[${problems.join(', ')}]`, { fields: { messages: problems } });
    for (const { HealthCheckId } of records.values()) {
      if (HealthCheckId !== undefined && !this.health.has(HealthCheckId)) throw new AwsError('NoSuchHealthCheck', `No health check exists with the specified ID: ${HealthCheckId}`, { status: 404 });
    }
    return records;
  }
}

function remember(zone: HostedZoneRecord): void {
  for (const [key, record] of zone.records) if (!zone.firstSeen.has(key)) zone.firstSeen.set(key, record);
}

const allZeroGroups = ({ records }: HostedZoneRecord): string[] =>
  [...grouped(records.values())].flatMap(([key, group]) => (group.some(({ Weight }) => Weight === undefined || Weight > 0) ? [] : [`${key}: all weights are zero`]));

const lostParts = ({ records, firstSeen }: HostedZoneRecord): string[] => [...records.values()].flatMap((record) => {
  const first = firstSeen.get(recordKey(record));
  if (first === undefined) return [];
  const lost = (['HealthCheckId', 'TTL', 'AliasTarget'] as const).filter((part) => first[part] !== undefined && record[part] === undefined);
  return lost.length === 0 ? [] : [`${recordKey(record)}: lost ${lost.join(', ')}`];
});
