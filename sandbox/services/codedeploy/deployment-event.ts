// The EventBridge event of a deployment: its own words for the states, no reason, no creator.
import type { AwsEvent, Place } from '../../aws/world.ts';
import type { DeploymentRecord, GroupRecord } from './records.ts';

export type EventState = 'START' | 'READY' | 'SUCCESS' | 'FAILURE' | 'STOP';

export function deploymentEvent(deployment: DeploymentRecord, group: GroupRecord, { place, state }: { place: Place; state: EventState }): Pick<AwsEvent, 'source' | 'detail-type' | 'detail'> & { resources: string[]; detail: Record<string, unknown> } {
  const arn = `arn:aws:codedeploy:${place.region}:${place.account}`;
  return {
    source: 'aws.codedeploy',
    'detail-type': 'CodeDeploy Deployment State-change Notification',
    resources: [`${arn}:application:${deployment.application}`, `${arn}:deploymentgroup:${deployment.application}/${deployment.group}`],
    detail: { region: place.region, deploymentId: deployment.id, instanceGroupId: group.id, application: deployment.application, deploymentGroup: deployment.group, state },
  };
}
