// Two services on one listener, whatever the order in which AWS answers their rollbacks: none undoes what the other did, and each says how it ended.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Action, ElasticLoadBalancingV2Client, ModifyListenerCommand, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject, TargetState } from '../../lambdas/domain/vocabulary.ts';
import type { StepApplied } from '../../lambdas/domain/workflow.ts';
import { createStrategy } from '../../lambdas/strategies/alb-weights/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import type { Place as AwsPlace } from '../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../sandbox/clock.ts';
import { LoadBalancing } from '../../sandbox/services/elbv2/load-balancing.ts';
import type { TargetGroupRecord } from '../../sandbox/services/elbv2/records.ts';
import { loadBalancingService } from '../../sandbox/services/elbv2/service.ts';
import { manyCases, patience } from './many-cases.ts';
import { attached, inputs, pause, type Ran, releaseLeft, rig, scheduled, withAccount, World } from './interleaving-world.ts';
import { nothingLost } from './interleaving-lost.ts';

withAccount();

const account: AwsPlace = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };
// Health checks take their time; nothing else here does.
const clock = new SpedUpClock({ speed: 50 });
const elb = new LoadBalancing({ place: account, clock, metrics: { record: () => undefined } });
let server: Server;
let client: ElasticLoadBalancingV2Client;
let blue: TargetGroupRecord;
let green: TargetGroupRecord;
let balancerArn = '';

beforeAll(async () => {
  server = createServer((_, response) => { response.end('ok'); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  [blue, green] = ['blue', 'green'].map((name) => elb.createTargetGroup({ name, healthCheck: { intervalSeconds: 5, healthyThreshold: 2 } })) as [TargetGroupRecord, TargetGroupRecord];
  balancerArn = elb.createLoadBalancer({ name: 'shop' }).arn;
  elb.createListener({ loadBalancerArn: balancerArn, actions: forward(0) });
  for (const group of [blue, green]) elb.registerTargets(group.arn, [{ Id: '127.0.0.1', Port: (server.address() as AddressInfo).port }]);
  rig.server.register(loadBalancingService(elb));
  const { iam, endpoint } = rig.server;
  iam.putRole({ roleName: 'elb', arn: `arn:aws:iam::${account.account}:role/elb` });
  iam.putRolePolicy('elb', { name: 'all', document: { Statement: [{ Effect: 'Allow', Action: ['elasticloadbalancing:*'], Resource: ['*'] }] } });
  client = new ElasticLoadBalancingV2Client({ endpoint, region: account.region, credentials: iam.issueKey('elb'), maxAttempts: 1 });
  await clock.sleep(15_000);
});
afterAll(() => {
  elb.stop();
  clock.stop();
  server.close();
  server.closeAllConnections();
});

const forward = (blueWeight: number): Action[] => [{ Type: 'forward', Order: 1, ForwardConfig: { TargetGroups: [{ TargetGroupArn: blue.arn, Weight: blueWeight }, { TargetGroupArn: green.arn, Weight: 100 - blueWeight }] } }];

interface Write {
  readonly service: string;
  readonly to: JsonObject;
  /** How many writes to the same place there had been when this one's call read it. */
  readonly seen: number;
}

/** One place with weights: the listener's default action, or a rule of its own. */
class Place {
  readonly writes: Write[] = [];
  readonly target: JsonObject;
  readonly actions: () => readonly Action[];

  constructor(listenerArn: string, rule: { readonly arn: string } | null, actions: () => readonly Action[]) {
    this.target = { strategy: 'alb-weights', listenerArn, ...(rule === null ? {} : { ruleArn: rule.arn }), targetGroups: { blue: blue.arn, green: green.arn }, good: 'last-known-good' };
    this.actions = actions;
  }

  /** The real strategy of one service, each of its calls in turn. Alarms go on firing: they need minutes to see a change. */
  strategyOf(service: string, s: fc.Scheduler): Strategy {
    let seen = 0;
    let wanted: JsonObject = {};
    // In the turn of the call, not when its answer is read: whoever writes next may be faster.
    const noting = Object.assign(Object.create(client) as ElasticLoadBalancingV2Client, {
      send: async (command: unknown) => {
        const answer: unknown = await (client.send as (one: unknown) => Promise<unknown>).call(client, command);
        if (command instanceof ModifyListenerCommand || command instanceof ModifyRuleCommand) this.writes.push({ service, to: wanted, seen });
        return answer;
      },
    });
    const real = createStrategy({ loadBalancing: () => scheduled(noting, s) }) as unknown as Strategy;
    return {
      ...real,
      capture: async (...given) => {
        const captured = await real.capture(...given);
        // Counted after the read: a write that came while it read counts as seen only if the read shows it.
        seen = this.writes.findLastIndex(({ to }) => JSON.stringify(to['actions']) === JSON.stringify(captured.state['actions'])) + 1;
        return captured;
      },
      apply: (change) => {
        wanted = change.to;
        return real.apply(change);
      },
    };
  }
}

interface Setup {
  /** Whether both services stand on the listener's default action, or each on a rule of its own. */
  readonly isShared: boolean;
  /** Weight of blue that is known good for each. */
  readonly goods: readonly [number, number];
  readonly runs: readonly { readonly of: number; readonly kind: 'errors' | 'latency'; readonly after: number }[];
}

const alarms = fc.constantFrom('errors' as const, 'latency' as const);
const anyhow: fc.Arbitrary<Setup> = fc.record({
  isShared: fc.boolean(), goods: fc.constantFrom([100, 100] as const, [100, 80] as const),
  runs: fc.array(fc.record({ of: fc.nat(1), kind: alarms, after: fc.nat(20) }), { minLength: 2, maxLength: 4 }),
});
/** Each of the two is rolled back to something else, at the same place: the second one, whichever it is, may meet the change of the first. */
const atOdds: fc.Arbitrary<Setup> = fc.record({ kinds: fc.tuple(alarms, alarms), later: fc.nat(40) })
  .map(({ kinds, later }) => ({ isShared: true, goods: [100, 80], runs: kinds.map((one, of) => ({ of, kind: one, after: of * later })) }));
const setup = fc.oneof({ weight: 1, arbitrary: atOdds }, { weight: 1, arbitrary: anyhow });

test('two services on one listener: nobody writes over a change it could see, who is overwritten hears of it, each run ends on record', async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), setup, async (s, { isShared, goods, runs }) => {
    const listener = elb.createListener({ loadBalancerArn: balancerArn, actions: forward(0) });
    const services = [await attached(), await attached()];
    const rules = services.map((_, index) => elb.createRule({ listenerArn: listener.arn, priority: index + 1, conditions: [], actions: forward(0) }));
    const shared = new Place(listener.arn, null, () => listener.actions.current);
    const places = rules.map((rule) => (isShared ? shared : new Place(listener.arn, rule, () => rule.actions.current)));
    for (const service of services) await releaseLeft(service, { weights: { blue: 0, green: 100 }, strangers: {} });
    const worlds = services.map((service, index) => {
      const place = places[index] as Place;
      const good = goods[index] as number;
      return new World(service, s, { strategy: place.strategyOf(service, s), target: place.target, good: { version: 'v1', basis: 'baked', state: { weights: { blue: good, green: 100 - good }, strangers: {} } } });
    });
    const ran = await s.waitFor(Promise.all(runs.map(async ({ of, kind, after }, index): Promise<Ran> => {
      const [service, world] = [services[of] as string, worlds[of] as World];
      await pause(s, after);
      return world.run(`${service}-${index}-${kind}`, inputs(service)[kind]);
    })));
    for (const [index, service] of services.entries()) {
      const own = ran.filter(({ seen }) => seen.service === service);
      await nothingLost(worlds[index] as World, own);
      expect(places[index]?.writes.filter((write) => write.service === service).length, `changes by ${service}`).toBeLessThanOrEqual(1);
    }
    for (const place of new Set(places)) await checkPlace(place, isShared ? ran : ran.filter(({ seen }) => places[services.indexOf(seen.service)] === place), isShared && goods[0] !== goods[1]);
  }), { ...manyCases(12), endOnFailure: true });
}, patience(120_000));

/** @param isAtOdds both services change this place, and each to something else. */
async function checkPlace({ writes, actions, target }: Place, ran: readonly Ran[], isAtOdds: boolean): Promise<void> {
  // Both may have read before either wrote: Elastic Load Balancing has no compare-and-set. Nobody writes over a change that it could see.
  expect(writes.map(({ seen }) => seen), 'changes that a writer had seen').toEqual(writes.map(() => 0));
  expect(Math.min(1, writes.length), 'a place where anything runs is changed').toBe(Math.min(1, ran.length));
  const live = JSON.stringify(actions());
  const isLive = (state: TargetState | null): boolean => JSON.stringify(state?.['actions']) === live;
  expect(writes.length === 0 || isLive(writes.at(-1)?.to ?? null), 'the last change is live, whole').toBe(true);
  const said = await Promise.all(ran.flatMap(({ applied }) => (applied === null ? [] : [saidOf(applied, { target, isLive: isLive(applied.to) })])));
  const fitting = ['changed, confirmed yes, is live', 'already, is live', ...(isAtOdds ? ['changed, confirmed changed-by-someone-else, is not live', 'changed-by-someone-else, is not live'] : [])];
  expect(said.filter((text) => !fitting.includes(text)), 'what runs said that is not so').toEqual([]);
}

/** What a run says of its change, and whether that is live at the end. */
async function saidOf({ status, from, to, at }: StepApplied, { target, isLive }: { readonly target: JsonObject; readonly isLive: boolean }): Promise<string> {
  const strategy = createStrategy({ loadBalancing: () => client }) as unknown as Strategy;
  const found = status === 'changed' ? `, confirmed ${(await strategy.confirm({ key: 'k', target, from: from ?? {}, to: to ?? {}, handle: null, appliedAt: at, now: at, progress: null })).answer}` : '';
  return `${status}${found}, is ${isLive ? '' : 'not '}live`;
}
