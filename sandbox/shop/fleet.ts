// A number of shop instances behind one target group.
import type { LoadBalancing } from '../services/elbv2/load-balancing.ts';
import { ShopInstance, type InstanceParts } from './server.ts';
import type { ShopVersion } from './version.ts';

export class Fleet {
  readonly targetGroupArn: string;
  readonly #elb: LoadBalancing;
  readonly #parts: InstanceParts;
  readonly #instances: ShopInstance[] = [];

  constructor(targetGroupArn: string, elb: LoadBalancing, parts: InstanceParts) {
    this.targetGroupArn = targetGroupArn;
    this.#elb = elb;
    this.#parts = parts;
  }

  get instances(): readonly ShopInstance[] {
    return this.#instances;
  }

  /** Starts so many instances of the version and registers them. */
  async launch(version: ShopVersion, count: number): Promise<void> {
    const fresh = Array.from({ length: count }, () => new ShopInstance(version, this.#parts));
    await Promise.all(fresh.map((instance) => instance.start()));
    this.#instances.push(...fresh);
    this.#elb.registerTargets(this.targetGroupArn, fresh.map(({ port }) => ({ Id: '127.0.0.1', Port: port })));
  }

  /** Takes every instance out of the group and stops it. */
  async terminate(): Promise<void> {
    const old = this.#instances.splice(0);
    if (old.length > 0) this.#elb.deregisterTargets(this.targetGroupArn, old.map(({ port }) => ({ Id: '127.0.0.1', Port: port })));
    await Promise.all(old.map((instance) => instance.stop()));
  }

  /** Stops the processes without telling the load balancer: a crash. */
  async crash(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.stop()));
  }

  /** Starts what crashed, on the same ports. */
  async recover(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.start()));
  }
}
