// Chooses the answer to one DNS question from a group of records, by weight and health.
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';

export interface DnsAnswer {
  readonly record: ResourceRecordSet;
  /** Addresses, or the alias target's DNS name. */
  readonly values: readonly string[];
  /** Seconds a client may keep it; 60 for an alias. */
  readonly ttlSeconds: number;
}

const aliasTtlSeconds = 60;

/** Null when there is no record. `random` gives numbers from 0 up to 1. */
export function chooseAnswer(group: readonly ResourceRecordSet[], isHealthy: (record: ResourceRecordSet) => boolean, random: () => number): DnsAnswer | null {
  const candidates = considered(group, isHealthy);
  const total = candidates.reduce((sum, { Weight = 1 }) => sum + Weight, 0);
  // All weights zero is an equal share, not "off".
  const weight = ({ Weight = 1 }: ResourceRecordSet): number => (total === 0 ? 1 : Weight);
  let at = random() * (total === 0 ? candidates.length : total);
  for (const record of candidates) {
    if (at < weight(record)) return answer(record);
    at -= weight(record);
  }
  return null;
}

// Records with a weight come first; only when all of them are unhealthy the zero-weight ones are used. When nothing is healthy, all count as healthy.
function considered(group: readonly ResourceRecordSet[], isHealthy: (record: ResourceRecordSet) => boolean): readonly ResourceRecordSet[] {
  const weighted = group.filter(({ Weight = 1 }) => Weight > 0);
  const healthyWeighted = weighted.filter(isHealthy);
  if (healthyWeighted.length > 0) return healthyWeighted;
  const healthyOthers = group.filter((record) => !weighted.includes(record) && isHealthy(record));
  if (healthyOthers.length > 0) return healthyOthers;
  return weighted.length > 0 ? weighted : group;
}

const answer = (record: ResourceRecordSet): DnsAnswer => ({
  record,
  values: record.AliasTarget === undefined ? (record.ResourceRecords ?? []).flatMap(({ Value }) => Value ?? []) : [record.AliasTarget.DNSName ?? ''],
  ttlSeconds: record.TTL ?? aliasTtlSeconds,
});
