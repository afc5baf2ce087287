// An ecs-service target of the user's: the cluster and the service by name, with tasks that are real servers behind a listener.
import { Fleet } from '../shop/fleet.ts';
import type { TasksTarget } from './document.ts';
import { newVersion, oldVersion, type Ground, type OwnTarget } from './ground.ts';

/** Sandbox seconds that tasks take to start. */
const taskSeconds = 20;

export async function createTasksTarget(ground: Ground, id: string, { cluster, service: name }: TasksTarget): Promise<OwnTarget> {
  const { ecs, rolling, releases, sandbox } = ground;
  const { targetGroupArn } = ground.fleet(`${id}-tasks`);
  const { url, close } = await ground.balanced(id, [targetGroupArn]);
  const [past, next] = [oldVersion, newVersion].map((version) => ecs.registerTaskDefinition(name, `registry/${name}:${version}`).arn) as [string, string];
  const service = await rolling.create({
    cluster, name, desiredCount: 2, taskDefinitionArn: past, taskSeconds,
    start: async ({ image }, count) => {
      const version = releases.find(image.split(':').at(-1) ?? '');
      if (version === undefined) throw new Error(`CannotPullContainerError: the image ${image} does not exist`);
      const fleet = new Fleet(targetGroupArn, sandbox.services.loadBalancing, ground.instance);
      await fleet.launch(version, count);
      return () => fleet.terminate();
    },
  });
  return {
    id,
    summary: `service ${name} of cluster ${cluster} with rolling deployments, two tasks behind a listener of the sandbox's; task definition ${name}:1 is ${oldVersion}, ${name}:2 ${newVersion}`,
    spreadSeconds: 2,
    url: () => url,
    release: async () => {
      rolling.update(service, next);
      while (service.deployments[0]?.rollout === 'IN_PROGRESS') await sandbox.clock.sleep(2000);
    },
    look: () => {
      const [primary, ...others] = service.deployments;
      const running = service.deployments.map(({ taskDefinitionArn, running: count }) => `${count} of ${taskDefinitionArn.split('/').at(-1) ?? ''}`);
      return { isBack: primary?.taskDefinitionArn === past && others.length === 0, shown: `tasks: ${running.join(', ')}` };
    },
    stop: async () => {
      await rolling.stop();
      await close();
    },
  };
}
