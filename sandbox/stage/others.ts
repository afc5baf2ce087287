// The other services of a scenario, and the shop in other Regions: each with a load balancer, alarms on its own metrics where this Region has them, and users or a caller.
import type { Scenario, ServiceDocument, Workload } from '../scenarios/scenario.ts';
import { alarmsOf } from '../scenarios/shop-service.ts';
import { Load } from '../shop/load.ts';
import type { Sandbox } from '../sandbox.ts';
import { createAlarms } from './alarms.ts';
import { startLoadBalancerWorkload } from './load-balancer-workload.ts';
import type { RunningWorkload } from './workload.ts';

export interface Others {
  readonly workloads: ReadonlyMap<string, RunningWorkload>;
  readonly names: Readonly<Record<string, Workload>>;
  /** Their catalogue entries, by name. */
  readonly documents: Readonly<Record<string, ServiceDocument>>;
  /** Users come to those that nobody calls, until the sandbox stops. */
  load(): void;
}

/** Requests a sandbox minute to each service with users of its own, a quarter of the shop's: enough for its alarms, little enough for one computer. */
const requestsPerMinute = 10;

/** @throws Error when the shop has to call what its kind of workload cannot, or more than one. */
export async function startOthers(sandbox: Sandbox, shop: RunningWorkload, { others = {}, elsewhere = {} }: Pick<Scenario, 'others' | 'elsewhere'>): Promise<Others> {
  const workloads = new Map<string, RunningWorkload>();
  const documents: Record<string, ServiceDocument> = {};
  const loads: Load[] = [];
  if (Object.values(others).filter(({ isCalled }) => isCalled).length > 1) throw new Error('the shop calls one other service at the most');
  const come = ({ target }: RunningWorkload): void => void loads.push(new Load({ clock: sandbox.clock, target, requestsPerSecond: (requestsPerMinute * sandbox.clock.speed) / 60 }));
  for (const [name, other] of Object.entries(others)) {
    const running = await startLoadBalancerWorkload(sandbox, name);
    sandbox.onStop(() => running.stop());
    createAlarms(sandbox.services.cloudwatch, running.names, { names: alarmsOf(name), ...(other.alarmMinutes === undefined ? {} : { minutes: other.alarmMinutes }) });
    workloads.set(name, running);
    documents[name] = other.service(running.names);
    if (other.isCalled === true) callFrom(shop, running);
    else come(running);
  }
  for (const [name, region] of Object.entries(elsewhere)) {
    const running = await startLoadBalancerWorkload(sandbox, 'shop', region);
    sandbox.onStop(() => running.stop());
    workloads.set(name, running);
    come(running);
  }
  sandbox.onStop(() => { for (const load of loads) load.stop(); });
  const names = Object.fromEntries([...workloads].map(([name, running]) => [name, running.names]));
  return { workloads, names, documents, load: () => { for (const load of loads) load.start(); } };
}

function callFrom(shop: RunningWorkload, called: RunningWorkload): void {
  if (shop.callsTo === undefined) throw new Error('this kind of workload calls no other service');
  shop.callsTo(called.target);
}
