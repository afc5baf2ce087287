// The EventBridge event of a rolling deployment: its id and the service's ARN, no task definition, and nobody's name.
import type { EventBusPort } from '../../aws/world.ts';
import type { RollingDeployment, RollingServiceRecord, RollingServices } from './rolling.ts';

const eventTypes = { IN_PROGRESS: 'INFO', COMPLETED: 'INFO', FAILED: 'ERROR' } as const;

export const ecsDeploymentEvent = ({ arn }: RollingServiceRecord, { id, rollout, reason, updatedAt }: RollingDeployment): Parameters<EventBusPort['put']>[0] => ({
  source: 'aws.ecs',
  'detail-type': 'ECS Deployment State Change',
  resources: [arn],
  detail: { eventType: eventTypes[rollout], eventName: `SERVICE_DEPLOYMENT_${rollout}`, deploymentId: id, updatedAt: new Date(updatedAt).toISOString().replace(/\.\d{3}Z$/, 'Z'), reason },
});

/** From now on every change of a deployment is told on the bus. */
export const tellDeployments = (rolling: RollingServices, bus: EventBusPort): void =>
  rolling.onDeployment((service, deployment) => void bus.put(ecsDeploymentEvent(service, deployment)));
