// What a served world has besides the shop's own traffic, so that every example command answers: a zone, and a CodeDeploy application.
import { CodeDeploy } from '../services/codedeploy/codedeploy.ts';
import { ServerPlatform } from '../services/codedeploy/server-platform.ts';
import { codeDeployService } from '../services/codedeploy/service.ts';
import type { Sandbox } from '../sandbox.ts';
import { Fleet } from '../shop/fleet.ts';
import { Releases } from '../shop/version.ts';
import type { InstanceParts } from '../shop/server.ts';

export interface Furnishing {
  readonly hostedZoneId: string;
  readonly deploymentId: string;
}

const zoneName = 'furnishing.example';
const hour = 3_600_000;

/** Adds a weighted record group and a fleet that CodeDeploy deploys to; neither carries the shop's traffic. */
export async function furnish(sandbox: Sandbox, parts: InstanceParts): Promise<Furnishing> {
  const { clock, place, services } = sandbox;
  const records = ['blue', 'green'].map((side, index) => ({
    Name: `www.${zoneName}`, Type: 'A' as const, SetIdentifier: side, Weight: index === 0 ? 100 : 0, TTL: 60, ResourceRecords: [{ Value: `192.0.2.${10 * (index + 1)}` }],
  }));
  const { id: hostedZoneId } = services.route53.createHostedZone({ name: zoneName, records });
  const releases = new Releases();
  const version = releases.add({ name: 'worker-1.0.0' });
  const fleet = new Fleet(services.loadBalancing.createTargetGroup({ name: 'worker' }).arn, services.loadBalancing, parts);
  await fleet.launch(version, 1);
  sandbox.onStop(() => fleet.crash());
  const codedeploy = new CodeDeploy({ clock, place, bus: services.events, alarmState: (name) => services.cloudwatch.alarmState(name), onChange: (cause) => void sandbox.calls.checkInvariants(cause) });
  codedeploy.createApplication('worker', 'Server');
  codedeploy.createDeploymentGroup({ application: 'worker', name: 'prod', platform: new ServerPlatform({ fleet, elb: services.loadBalancing, releases }) });
  const past = codedeploy.recordPastDeployment({
    application: 'worker', group: 'prod', completedAt: clock.now() - hour,
    revision: { revisionType: 'S3', s3Location: { bucket: 'releases', key: version.name, bundleType: 'zip', eTag: 'e1' } },
  });
  sandbox.register(codeDeployService(codedeploy));
  return { hostedZoneId, deploymentId: past.id };
}
