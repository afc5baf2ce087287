// ecs-service against the sandbox's ECS: a finished and a running deployment, a task definition that is gone, and the circuit breaker.
import { ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, it } from 'vitest';
import type { StepRequest, TargetState } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/ecs-service/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { Ecs } from '../../sandbox/services/ecs/ecs.ts';
import { RollingServices, type RollingServiceRecord } from '../../sandbox/services/ecs/rolling.ts';
import { ecsService } from '../../sandbox/services/ecs/service.ts';
import { Account, Bench, place } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

interface Cluster extends Subject {
  readonly ecs: Ecs;
  readonly rolling: RollingServices;
  readonly service: RollingServiceRecord;
  readonly arns: readonly [string, string, string];
  /** Images that no task can be started from. */
  readonly missing: Set<string>;
}

interface Given {
  /** The release still rolls out; default: it is finished. */
  readonly isRolling?: boolean;
  readonly roles?: readonly string[];
}

const roles = ['arn:aws:iam::111122223333:role/shop-task', 'arn:aws:iam::111122223333:role/shop-execution'];

async function start({ isRolling = false, roles: declared }: Given = {}): Promise<Cluster> {
  const account = new Account(200);
  const { clock } = account;
  const ecs = new Ecs(place);
  const rolling = new RollingServices({ ecs, place, clock });
  const arns = ['1.0.0', '2.0.0', '3.0.0'].map((tag) => ecs.registerTaskDefinition('shop', `shop:${tag}`).arn) as [string, string, string];
  const missing = new Set<string>();
  const service = await rolling.create({
    cluster: 'prod', name: 'shop', desiredCount: 3, taskDefinitionArn: arns[0],
    start: ({ image }) => (missing.has(image) ? Promise.reject(new Error('CannotPullContainerError')) : Promise.resolve(() => Promise.resolve())),
  });
  rolling.update(service, arns[1]);
  await clock.sleep(isRolling ? 25_000 : 60_000);
  await account.serve([ecsService(ecs, rolling)]);
  const options = account.client();
  const strategy = createStrategy({ ecs: () => new ECSClient(options) }) as unknown as Strategy;
  const state = (taskDefinition: string): TargetState => ({ taskDefinition, others: {} });
  const step: StepRequest = {
    id: 'first/tasks', service: 'shop', strategy: 'ecs-service', targetId: 'tasks',
    target: { strategy: 'ecs-service', cluster: 'prod', service: 'shop', good: 'last-known-good', ...(declared === undefined ? {} : { roles: declared }) },
    good: { version: '1.0.0', basis: 'baked', state: state(arns[0]) },
    release: { id: 'r-2', version: '2.0.0', startedAt: new Date(clock.now()).toISOString(), isFinished: !isRolling, left: isRolling ? null : state(arns[1]) },
  };
  return {
    bench: new Bench(account, strategy, step), ecs, rolling, service, arns, missing,
    read: 'ecs:DescribeServices', write: 'ecs:UpdateService',
    world: () => service.deployments.map(({ taskDefinitionArn, status, running }) => ({ taskDefinitionArn, status, running })),
    isBack: () => service.deployments[0]?.taskDefinitionArn === arns[0],
    somebodyElse: async () => {
      rolling.update(service, arns[2]);
      await clock.sleep(60_000);
    },
    unused: declared === undefined ? {} : Object.fromEntries([['iam:PassRole', 'ECS may demand it of whoever updates a service; nobody calls it']]),
    breaches: () => [],
  };
}

const noPages = 'one service is asked for by its name: the answer has no pages';
keepsTheContract({ name: 'ecs-service after a release', start: () => start({ roles }), skips: { pages: noPages } });
keepsTheContract({
  name: 'ecs-service in a release', start: () => start({ isRolling: true }),
  skips: {
    pages: noPages, someoneElse: 'while a release runs, any task definition may be its own',
    throttledForGood: 'the release goes on meanwhile, so the world does change',
    denial: 'the release goes on meanwhile, so the world does change', readOnly: 'the release goes on meanwhile, so the world does change',
  },
});

/** Tasks that take so long to start that a test sees them starting, on a busy machine too. */
const slow = ({ service }: Cluster): void => { (service as { taskSeconds: number }).taskSeconds = 300; };

describe('ecs-service on a live service', () => {
  let cluster: Cluster | undefined;
  afterEach(async () => { await cluster?.bench.account.close(); });

  it('sends the task definition and nothing else: the number of tasks is autoscaling\'s', async () => {
    cluster = await start();
    expect(await cluster.bench.apply()).toMatchObject({ status: 'changed', summary: 'deploy shop:1 in place of shop:2; the number of tasks stays' });
    expect(cluster.bench.changes()[0]?.input).toEqual({ cluster: 'prod', service: 'shop', taskDefinition: cluster.arns[0] });
  });

  it('captures which other tasks still run: such a state is half way, and never called good', async () => {
    cluster = await start();
    const { arns, bench, rolling, service } = cluster;
    expect((await bench.capture()).state).toEqual({ taskDefinition: arns[1], others: {}, rolling: { minimumHealthyPercent: 100, desired: 3 } });
    slow(cluster);
    rolling.update(service, arns[2]);
    expect((await bench.capture()).state).toMatchObject({ taskDefinition: arns[2], others: { [arns[1]]: 3 } });
  });

  it('is confirmed only when all tasks run the good task definition and the others are gone', async () => {
    cluster = await start();
    slow(cluster);
    const applied = await cluster.bench.apply();
    expect(await cluster.bench.look(applied)).toMatchObject({ answer: 'not-yet', detail: '0 of 3 tasks run shop:1; 3 still run shop:2.' });
    expect(await cluster.bench.confirm(applied)).toMatchObject({ answer: 'yes', detail: '3 of 3 tasks run shop:1.' });
    expect(cluster.service.deployments).toHaveLength(1);
  });

  it('says that a deregistered task definition is gone', async () => {
    cluster = await start();
    cluster.ecs.deregisterTaskDefinition(cluster.arns[0]);
    expect(await cluster.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-gone', text: expect.stringContaining('shop:1 cannot be deployed: it is INACTIVE') as string } });
    expect(cluster.bench.changes()).toEqual([]);
  });

  it('fails when the image is gone: the circuit breaker goes back to the release by itself', async () => {
    cluster = await start();
    cluster.missing.add('shop:1.0.0');
    const applied = await cluster.bench.apply();
    expect(await cluster.bench.confirm(applied)).toMatchObject({ answer: 'failed', detail: expect.stringMatching(/ECS gave up the deployment of shop:1 .*went back to shop:2 by itself/) as string });
  });

  it('fails when the image is gone and no circuit breaker ends it: some day, not with a yes', async () => {
    cluster = await start();
    cluster.missing.add('shop:1.0.0');
    (cluster.service as { circuitBreaker: boolean }).circuitBreaker = false;
    const applied = await cluster.bench.apply();
    await cluster.bench.account.clock.sleep(120_000);
    expect(await cluster.bench.look(applied)).toMatchObject({ answer: 'not-yet', detail: expect.stringContaining('3 still run shop:2') as string });
  });

  it('follows the rollback that the circuit breaker began, and writes nothing', async () => {
    cluster = await start({ isRolling: true });
    const { service, rolling, arns, bench } = cluster;
    slow(cluster);
    rolling.update(service, arns[0]);
    const applied = await bench.apply();
    expect(applied).toMatchObject({ status: 'already', summary: 'shop:1 is being deployed already: follow it, write nothing' });
    expect(await bench.confirm(applied)).toMatchObject({ answer: 'yes' });
    expect(bench.changes()).toEqual([]);
  });

  it('sees that somebody deployed while it followed its own deployment', async () => {
    cluster = await start();
    const applied = await cluster.bench.apply();
    cluster.rolling.update(cluster.service, cluster.arns[2]);
    expect(await cluster.bench.look(applied)).toMatchObject({ answer: 'changed-by-someone-else', detail: expect.stringContaining('shop:3 is the primary deployment now') as string });
  });

  it('does not act on a plan that is no longer true', async () => {
    cluster = await start({ isRolling: true });
    const planned = await cluster.bench.plan();
    await cluster.somebodyElse();
    expect(await cluster.bench.apply(planned)).toMatchObject({ status: 'changed-by-someone-else' });
    expect(cluster.bench.changes()).toEqual([]);
  });

  it('says that a service does not exist', async () => {
    cluster = await start();
    const { bench } = cluster;
    const other = new Bench(bench.account, createStrategy({ ecs: () => new ECSClient(bench.account.client()) }), { ...bench.step, target: { ...bench.step.target, service: 'shops' } });
    expect(await other.apply()).toMatchObject({ status: 'failed', reason: { code: 'gone', text: expect.stringContaining('prod/shops does not exist') as string } });
  });
});
