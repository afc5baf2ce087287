// ECS rolling deployments of the sandbox: new tasks beside the old, the circuit breaker, and what UpdateService refuses.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { Ecs } from '../../../sandbox/services/ecs/ecs.ts';
import { rollingServiceShown, updateService } from '../../../sandbox/services/ecs/rolling-operations.ts';
import { RollingServices, type RollingServiceRecord } from '../../../sandbox/services/ecs/rolling.ts';
import { place, refusal } from './rig.ts';

let clock: SpedUpClock;
let ecs: Ecs;
let rolling: RollingServices;
let service: RollingServiceRecord;
let arns: readonly string[];
let heard: string[];
const missing = new Set<string>();

beforeEach(async () => {
  clock = new SpedUpClock({ speed: 300 });
  ecs = new Ecs(place);
  rolling = new RollingServices({ ecs, place, clock });
  heard = [];
  missing.clear();
  arns = ['1', '2'].map((tag) => ecs.registerTaskDefinition('shop', `shop:${tag}`).arn);
  service = await rolling.create({
    cluster: 'prod', name: 'shop', desiredCount: 2, taskDefinitionArn: arns[0] ?? '',
    start: ({ image }) => (missing.has(image) ? Promise.reject(new Error('CannotPullContainerError')) : Promise.resolve(() => Promise.resolve())),
  });
  rolling.onDeployment((_, { rollout, taskDefinitionArn }) => heard.push(`${taskDefinitionArn.split('/').at(-1) ?? ''} ${rollout}`));
});
afterEach(() => clock.stop());

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await clock.sleep(1000);
};
const isOver = (): boolean => service.deployments.length === 1 && service.deployments[0]?.rollout === 'COMPLETED';
const shown = (): string[] => service.deployments.map(({ status, taskDefinitionArn, running, rollout }) => `${status} ${taskDefinitionArn.split('/').at(-1) ?? ''} ${running} ${rollout}`);

describe('a rolling deployment', () => {
  it('starts all new tasks, then stops the old ones, then is completed', async () => {
    rolling.update(service, arns[1]);
    expect(shown()).toEqual(['PRIMARY shop:2 0 IN_PROGRESS', 'ACTIVE shop:1 2 COMPLETED']);
    await until(() => service.deployments[0]?.running === 2);
    expect(shown()).toEqual(['PRIMARY shop:2 2 IN_PROGRESS', 'ACTIVE shop:1 2 COMPLETED']);
    await until(isOver);
    expect(shown()).toEqual(['PRIMARY shop:2 2 COMPLETED']);
    expect(heard).toEqual(['shop:2 IN_PROGRESS', 'shop:2 COMPLETED']);
  });

  it('takes the place of one that is not over', async () => {
    rolling.update(service, arns[1]);
    await until(() => service.deployments[0]?.running === 2);
    rolling.update(service, arns[0]);
    expect(shown()[0]).toBe('PRIMARY shop:1 0 IN_PROGRESS');
    await until(isOver);
    expect(shown()).toEqual(['PRIMARY shop:1 2 COMPLETED']);
  });

  it('is not made for the same task definition, unless it is forced', () => {
    const [before] = service.deployments;
    rolling.update(service, arns[0]);
    expect(service.deployments).toEqual([before]);
    rolling.update(service, undefined, true);
    expect(shown()).toEqual(['PRIMARY shop:1 0 IN_PROGRESS', 'ACTIVE shop:1 2 COMPLETED']);
  });

  it('whose tasks do not start is failed by the circuit breaker, which goes back to the one before', async () => {
    missing.add('shop:2');
    rolling.update(service, arns[1]);
    await until(isOver);
    expect(shown()).toEqual(['PRIMARY shop:1 2 COMPLETED']);
    expect(heard).toEqual(['shop:2 IN_PROGRESS', 'shop:2 FAILED', 'shop:1 IN_PROGRESS', 'shop:1 COMPLETED']);
  });

  it('whose tasks do not start goes on for ever without a circuit breaker', async () => {
    missing.add('shop:2');
    (service as { circuitBreaker: boolean }).circuitBreaker = false;
    rolling.update(service, arns[1]);
    await until(() => (service.deployments[0]?.failed ?? 0) > 3);
    expect(shown()).toEqual(['PRIMARY shop:2 0 IN_PROGRESS', 'ACTIVE shop:1 2 COMPLETED']);
    expect(rollingServiceShown(service).deployments?.[0]?.failedTasks).toBeGreaterThan(3);
  });
});

describe('UpdateService', () => {
  it('refuses a task definition that was deregistered, and one that never was', () => {
    ecs.deregisterTaskDefinition(arns[1] ?? '');
    for (const definition of [arns[1], 'shop:9']) expect(refusal(() => rolling.update(service, definition)).code).toBe('ClientException');
    expect(service.deployments).toHaveLength(1);
  });

  it.each([
    ['a service that does not exist', { service: 'shops' }, 'ServiceNotFoundException'],
    ['what the sandbox does not know', { desiredCount: 3 }, 'SandboxUnsupported'],
  ])('refuses %s', (_, input, code) => {
    const operation = updateService(ecs, rolling);
    expect(refusal(() => operation.run({ cluster: 'prod', service: 'shop', ...input }, {} as never)).code).toBe(code);
  });
});
