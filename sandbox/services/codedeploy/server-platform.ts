// EC2/on-premises deployments: the instances of a fleet get the revision batch by batch, each out of the load balancer while it restarts.
import type { DeploymentTarget } from '@aws-sdk/client-codedeploy';
import type { LoadBalancing } from '../elbv2/load-balancing.ts';
import type { Fleet } from '../../shop/fleet.ts';
import type { ShopInstance } from '../../shop/server.ts';
import type { Releases } from '../../shop/version.ts';
import { DeploymentFailed, lifecycle, type DeploymentRun, type Platform } from './platform.ts';
import { artefactName } from './revisions.ts';

export interface ServerPlatformParts {
  readonly fleet: Fleet;
  readonly elb: LoadBalancing;
  readonly releases: Releases;
  /** Sandbox seconds that the installation takes on one instance; default 10. */
  readonly installSeconds?: number;
}

const events = ['BlockTraffic', 'ApplicationStop', 'DownloadBundle', 'Install', 'ApplicationStart', 'ValidateService', 'AllowTraffic'];
type Progress = 'Pending' | 'InProgress' | 'Succeeded' | 'Failed';

export class ServerPlatform implements Platform {
  readonly computePlatform = 'Server';
  readonly #parts: ServerPlatformParts;

  constructor(parts: ServerPlatformParts) {
    this.#parts = parts;
  }

  async deploy(run: DeploymentRun): Promise<void> {
    const { instances } = this.#parts.fleet;
    if (instances.length === 0) throw new DeploymentFailed('NO_INSTANCES', 'The deployment failed because no instances were found for your deployment group.');
    const progress = new Map<ShopInstance, Progress>(instances.map((instance) => [instance, 'Pending']));
    const show = (): void => run.show([...progress].map(([instance, state], index) => target(run, { index, instance, state })));
    show();
    for (const batch of batches(instances, run)) {
      for (const instance of batch) progress.set(instance, 'InProgress');
      show();
      await run.wait(1);
      const results = await Promise.all(batch.map((instance) => this.#install(instance, run)));
      batch.forEach((instance, index) => progress.set(instance, results[index] === null ? 'Succeeded' : 'Failed'));
      show();
      const problem = results.find((result) => result !== null);
      if (problem !== undefined && problem !== null) throw problem;
    }
  }

  /** Null, or why the instance failed. The instance goes back into the load balancer only when it validated. */
  async #install(instance: ShopInstance, run: DeploymentRun): Promise<DeploymentFailed | null> {
    const { elb, fleet, releases, installSeconds = 10 } = this.#parts;
    const name = artefactName(run.revision);
    const version = releases.find(name);
    if (version === undefined) return new DeploymentFailed('REVISION_MISSING', `The revision ${name} could not be found: it may have been deleted from where it was stored.`);
    const member = [{ Id: '127.0.0.1', Port: instance.port }];
    // One instance alone stays registered: there is nobody to take its traffic.
    const isAlone = fleet.instances.length === 1;
    if (!isAlone) elb.deregisterTargets(fleet.targetGroupArn, member);
    try {
      await run.wait(installSeconds * 1000);
    } catch (error) {
      // Stopped before the installation: the instance goes on with what it has.
      elb.registerTargets(fleet.targetGroupArn, member);
      throw error;
    }
    await instance.install(version);
    const isValid = await answers(instance);
    if (!isValid) return new DeploymentFailed('HEALTH_CONSTRAINTS', 'The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.');
    elb.registerTargets(fleet.targetGroupArn, member);
    return null;
  }
}

function batches(instances: readonly ShopInstance[], { traffic }: DeploymentRun): ShopInstance[][] {
  const percent = traffic.kind === 'batches' ? traffic.percent : 100;
  const size = percent === 'one' ? 1 : Math.max(1, Math.ceil((instances.length * percent) / 100));
  return Array.from({ length: Math.ceil(instances.length / size) }, (_, index) => instances.slice(index * size, (index + 1) * size));
}

// The ValidateService hook: the instance must answer its own health check.
async function answers(instance: ShopInstance): Promise<boolean> {
  try {
    // The instance has just been restarted on the same port: a connection kept from the deployment before is dead.
    return (await fetch(`http://127.0.0.1:${instance.port}/health`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(3000) })).ok;
  } catch {
    return false;
  }
}

function target(run: DeploymentRun, { index, instance, state }: { index: number; instance: ShopInstance; state: Progress }): DeploymentTarget {
  const done = state === 'Succeeded' ? events.length : 0;
  return {
    deploymentTargetType: 'InstanceTarget',
    instanceTarget: {
      deploymentId: run.deploymentId, targetId: `i-${String(index + 1).padStart(17, '0')}`, targetArn: `instance/127.0.0.1:${instance.port}`, status: state, lastUpdatedAt: new Date(run.now()),
      lifecycleEvents: lifecycle(events, state === 'Pending' ? -1 : done, state === 'Failed' ? 'Failed' : 'InProgress').map((event) => (state === 'Pending' ? { ...event, status: 'Pending' as const } : event)), instanceLabel: 'Blue',
    },
  };
}
