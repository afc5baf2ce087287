// Two load balancers behind one weighted DNS name; users keep an answer for its TTL, as resolvers do.
import type { Sandbox } from '../sandbox.ts';
import { DnsFront } from '../shop/dns-front.ts';
import { cachingResolver } from '../shop/resolver.ts';
import { Shop } from '../shop/shop.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';
import { MutableVersion, type DeployedRelease, type RunningWorkload, type Side } from './workload.ts';

const zoneName = 'shop.example';
const recordName = `www.${zoneName}`;
const ttlSeconds = 60;
const addresses: Readonly<Record<Side, string>> = { blue: '192.0.2.10', green: '192.0.2.20' };
const sides: readonly Side[] = ['blue', 'green'];

export async function startDnsWorkload(sandbox: Sandbox): Promise<RunningWorkload> {
  const workload = new DnsWorkload(sandbox);
  await workload.start();
  return workload;
}

class DnsWorkload implements RunningWorkload {
  readonly announcesReleases = true;
  readonly #sandbox: Sandbox;
  readonly #zoneId: string;
  readonly #versions: Record<Side, MutableVersion> = { blue: new MutableVersion('1.0.0'), green: new MutableVersion('0.9.0') };
  readonly #sickness: Record<Side, Sickness> = { blue: {}, green: {} };
  readonly #shops: Readonly<Record<Side, Shop>>;
  readonly #front: DnsFront;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    const { clock, services } = sandbox;
    const shop = (side: Side): Shop => new Shop({ elb: services.loadBalancing, clock, name: `shop-${side}`, blue: this.#versions[side], instances: 1 });
    this.#shops = { blue: shop('blue'), green: shop('green') };
    const { route53 } = services;
    for (const side of sides) route53.health.create({ id: `health-${side}` });
    this.#zoneId = route53.createHostedZone({
      name: zoneName,
      records: sides.map((side) => ({
        Name: recordName, Type: 'A' as const, SetIdentifier: side, Weight: side === 'blue' ? 100 : 0, TTL: ttlSeconds, ResourceRecords: [{ Value: addresses[side] }],
        HealthCheckId: `health-${side}`,
      })),
    }).id;
    const resolver = cachingResolver({ route53, clock, zoneId: this.#zoneId, name: recordName, type: 'A' });
    this.#front = new DnsFront({ resolver, metrics: services.cloudwatch, namespace: 'Shop', urlOf: (address) => this.#shops[address === addresses.blue ? 'blue' : 'green'].url });
  }

  async start(): Promise<void> {
    await Promise.all([this.#shops.blue.start(), this.#shops.green.start(), this.#front.start()]);
  }

  get names(): Workload {
    const { listenerArn, blue, green } = this.#shops.blue;
    return {
      url: this.#front.url,
      host: new URL(this.#front.url).host,
      listenerArn,
      loadBalancer: '',
      targetGroups: { blue: blue.targetGroupArn, green: green.targetGroupArn },
      hostedZoneId: this.#zoneId,
      recordName,
      codedeploy: { application: '', deploymentGroup: '' },
      metrics: { namespace: 'Shop', dimensions: {}, requests: 'Requests', errors: 'Errors', latency: 'Latency' },
    };
  }

  readonly target = (): string => this.#front.url;

  sicken(side: Side, sickness: Sickness): void {
    this.#sickness[side] = sickness;
    this.#versions[side].become(sickness);
  }

  weights(): Readonly<Record<string, number>> {
    const records = [...this.#sandbox.services.route53.zone(this.#zoneId).records.values()];
    return Object.fromEntries(records.flatMap(({ SetIdentifier, Weight }) => (SetIdentifier === undefined ? [] : [[SetIdentifier, Weight ?? 0]])));
  }

  setWeights(weights: Readonly<Record<Side, number>>): void {
    const { route53 } = this.#sandbox.services;
    const records = [...route53.zone(this.#zoneId).records.values()].filter(({ SetIdentifier }) => SetIdentifier !== undefined);
    route53.change(this.#zoneId, records.map((record) => ({ Action: 'UPSERT', ResourceRecordSet: { ...record, Weight: weights[record.SetIdentifier === 'blue' ? 'blue' : 'green'] } })));
  }

  async deploy(version: string): Promise<DeployedRelease> {
    this.#versions.green = new MutableVersion(version);
    this.#versions.green.become(this.#sickness.green);
    await Promise.all(this.#shops.green.blue.instances.map((instance) => instance.install(this.#versions.green)));
    await this.#sandbox.clock.sleep(60_000);
    this.setWeights({ blue: 0, green: 100 });
    await this.#sandbox.clock.sleep((ttlSeconds + 30) * 1000);
    return { releaseId: `release-${version}` };
  }

  async stopInstances(side: Side): Promise<void> {
    await this.#shops[side].blue.crash();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#front.stop(), this.#shops.blue.stop(), this.#shops.green.stop()]);
  }
}
