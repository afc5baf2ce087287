// A route53-weights target of the user's: the zone and its weighted records under their own ids, with a real server behind each address.
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { cachingResolver, type Resolver } from '../shop/resolver.ts';
import { ShopInstance } from '../shop/server.ts';
import { MutableVersion } from '../stage/workload.ts';
import { sidesOf, type Sides } from './alb-target.ts';
import type { DnsTarget } from './document.ts';
import { newVersion, oldVersion, type Ground, type OwnTarget } from './ground.ts';

const ttlSeconds = 60;

/** Makes every hosted zone that the targets name, once, with all of their records. */
export async function createDnsTargets(ground: Ground, targets: Readonly<Record<string, DnsTarget>>): Promise<OwnTarget[]> {
  const { route53 } = ground.sandbox.services;
  const all = Object.entries(targets);
  const made = all.map(([id, target], index) => new OwnDns({ id, target, ground, block: index }));
  for (const zoneId of new Set(all.map(([, { hostedZoneId }]) => hostedZoneId))) {
    const here = made.filter(({ target }) => target.hostedZoneId === zoneId);
    for (const one of here) for (const { HealthCheckId } of one.records) if (HealthCheckId !== undefined) route53.health.create({ id: HealthCheckId });
    route53.createHostedZone({ id: zoneId, name: zoneNameOf(here.map(({ target }) => target.recordName)), records: here.flatMap(({ records }) => records) });
  }
  for (const one of made) await one.start();
  return made;
}

/** The labels that all of the names end with; a single name keeps two. */
function zoneNameOf(names: readonly string[]): string {
  const labels = names.map((name) => name.toLowerCase().replace(/\.$/, '').split('.').toReversed());
  const first = labels[0] ?? [];
  const shared = first.findIndex((label, index) => labels.some((other) => other[index] !== label));
  return first.slice(0, Math.max(1, Math.min(2, shared === -1 ? first.length : shared))).toReversed().join('.');
}

interface OwnDnsParts {
  readonly id: string;
  readonly target: DnsTarget;
  readonly ground: Ground;
  /** Keeps the addresses of several targets apart. */
  readonly block: number;
}

class OwnDns implements OwnTarget {
  readonly id: string;
  readonly target: DnsTarget;
  readonly summary: string;
  // Users keep an answer for its TTL, and Route 53 takes a while before it gives the new one.
  readonly spreadSeconds = ttlSeconds + 30;
  readonly records: readonly ResourceRecordSet[];
  readonly #ground: Ground;
  readonly #sides: Sides;
  readonly #instances: ReadonlyMap<string, ShopInstance>;
  readonly #valueOf: ReadonlyMap<string, string>;
  #resolver: Resolver | null = null;

  constructor({ id, target, ground, block }: OwnDnsParts) {
    this.id = id;
    this.target = target;
    this.#ground = ground;
    const sides = Object.keys(target.records);
    this.#sides = sidesOf(sides, target.good);
    this.#valueOf = new Map(sides.map((side, index) => [side, address(target.recordType, block * 20 + index + 1)]));
    this.#instances = new Map(sides.map((side) => [side, new ShopInstance(side === this.#sides.old ? ground.old : new MutableVersion('0.9.0'), ground.instance)]));
    this.records = Object.entries(target.records).map(([side, SetIdentifier]) => ({
      Name: target.recordName, Type: target.recordType, SetIdentifier, Weight: side === this.#sides.old ? 100 : 0, TTL: ttlSeconds,
      ResourceRecords: [{ Value: this.#valueOf.get(side) ?? '' }], HealthCheckId: `rehearsal-${id}-${side}`,
    }));
    this.summary = `${target.recordType} ${target.recordName} in zone ${target.hostedZoneId}, TTL ${ttlSeconds} s; ${this.#sides.old} serves ${oldVersion}, ${this.#sides.fresh} gets ${newVersion}`;
  }

  async start(): Promise<void> {
    await Promise.all([...this.#instances.values()].map((instance) => instance.start()));
    const { clock, services } = this.#ground.sandbox;
    const { hostedZoneId: zoneId, recordName: name, recordType: type } = this.target;
    this.#resolver = cachingResolver({ route53: services.route53, clock, zoneId, name, type });
  }

  /** @throws Error when the name does not resolve. */
  url(): string {
    const value = this.#resolver?.resolve();
    const side = [...this.#valueOf].find(([, one]) => one === value)?.[0] ?? '';
    return `http://127.0.0.1:${this.#instances.get(side)?.port ?? 0}`;
  }

  async release(): Promise<void> {
    await this.#instances.get(this.#sides.fresh)?.install(this.#ground.fresh);
    const { route53 } = this.#ground.sandbox.services;
    const fresh = this.target.records[this.#sides.fresh];
    route53.change(this.target.hostedZoneId, this.records.map((record) => ({ Action: 'UPSERT', ResourceRecordSet: { ...record, Weight: record.SetIdentifier === fresh ? 100 : 0 } })));
  }

  look(): { isBack: boolean; shown: string } {
    const live = [...this.#ground.sandbox.services.route53.zone(this.target.hostedZoneId).records.values()];
    const isOwn = ({ Name = '', Type }: ResourceRecordSet): boolean => Type === this.target.recordType && Name.replace(/\.$/, '') === this.target.recordName.toLowerCase().replace(/\.$/, '').replace(/^\*/, String.raw`\052`);
    const weights = Object.entries(this.target.records).map(([side, id]) => ({ side, weight: live.find((record) => isOwn(record) && record.SetIdentifier === id)?.Weight ?? 0 }));
    return { isBack: weights.every(({ side, weight }) => (weight > 0) === (side === this.#sides.old)), shown: weights.map(({ side, weight }) => `${side} ${weight}`).join(', ') };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop()));
  }
}

/** Addresses of the documentation's ranges: nobody has them. */
const address = (type: DnsTarget['recordType'], number: number): string =>
  (type === 'A' ? `192.0.2.${number}` : type === 'AAAA' ? `2001:db8::${number.toString(16)}` : `side-${number}.rehearsal.invalid`);
