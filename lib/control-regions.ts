// What is wrong with the Regions of a service's metrics and controls; said at synth alone.
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { MetricEntry, ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { suggestion } from './schema-words.ts';

/** One problem for each thing to mend, with its path below the service. */
export function regionProblems({ targets, signals: { metrics = [], controls = [] } }: ServiceConfig): readonly Problem[] {
  const own = regionIn(JSON.stringify([targets, metrics]));
  return [
    ...metrics.flatMap(({ region }, index) => (region === undefined ? [] : [{ path: ['signals', 'metrics', index, 'region'], message: 'belongs to a control: Ripcord judges and rolls back a service in its own Region; run an engine in that one too' }])),
    ...controls.flatMap((entry, index) => [...unknownRegion(entry), ...arnProblems(entry, own)].map(({ path, message }) => ({ path: ['signals', 'controls', index, ...path], message }))),
  ];
}

const regionIn = (text: string): string | undefined => /arn:aws[a-z-]*:[a-z0-9-]+:([a-z]+(?:-[a-z]+)+-\d+):\d{12}:/.exec(text)?.[1];

/** A word of the right shape that is no Region would be a host that does not exist, at three in the morning. */
function unknownRegion({ region }: MetricEntry): Problem[] {
  const known = RegionInfo.regions.map(({ name }) => name);
  if (region === undefined || known.includes(region)) return [];
  return [{ path: ['region'], message: `names "${region}", which is no AWS Region that this version of aws-cdk-lib knows${suggestion(region, known)}` }];
}

/** CloudWatch knows a load balancer by its name and id alone, so that one of another Region would silently have no data. */
function arnProblems(entry: MetricEntry, own: string | undefined): Problem[] {
  const arns = entry.kind === 'alb-target-group' || entry.kind === 'ecs-service' ? { loadBalancer: entry.loadBalancer, targetGroup: entry.targetGroup } : {};
  const asked = entry.region ?? own;
  return Object.entries(arns).flatMap(([field, arn = '']) => {
    const region = regionIn(arn);
    if (region === undefined || asked === undefined || region === asked) return [];
    return [{ path: [field], message: `is an ARN of ${region}, and ${entry.region === undefined ? 'the service is in' : '`region` says'} ${asked}; say \`region: ${region}\`, or name the one of ${asked}` }];
  });
}
