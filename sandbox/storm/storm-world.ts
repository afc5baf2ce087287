// The services of a storm: each a listener with two target groups, one alarm, and a release that everything blames.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonValue, ServiceDocument } from '../scenarios/scenario.ts';
import type { Sandbox } from '../sandbox.ts';

export interface StormService {
  readonly name: string;
  readonly alarm: string;
  readonly listenerArn: string;
  readonly groupArns: readonly string[];
  readonly document: ServiceDocument;
}

/** The longest that AWS takes: hundreds of services answer from this one process. */
export const checkSeconds = 300;

/**
 * More services than this, of so many that have nothing to do with each other, are a storm: what the README promises where no brake is configured, and
 * none is here. Written down once more, so that a changed default is noticed.
 */
export const brakeOf = (services: number): number => Math.min(2, Math.max(1, Math.floor(services / 2)));

const forward = (blue: string, green: string, weights: readonly [number, number]) => [{
  Type: 'forward' as const,
  ForwardConfig: {
    TargetGroups: [{ TargetGroupArn: blue, Weight: weights[0] }, { TargetGroupArn: green, Weight: weights[1] }], TargetGroupStickinessConfig: { Enabled: false },
  },
}];

/** One service; everything is on green, the side that the release put live. */
export function createService(sandbox: Sandbox, name: string, port: number): StormService {
  const { loadBalancing: elb, cloudwatch } = sandbox.services;
  const group = (side: string): string => {
    const made = elb.createTargetGroup({ name: `${name}-${side}`, healthCheck: { path: '/', intervalSeconds: checkSeconds, unhealthyThreshold: 10 } });
    elb.registerTargets(made.arn, [{ Id: '127.0.0.1', Port: port }]);
    return made.arn;
  };
  const [blue, green] = [group('blue'), group('green')];
  const { arn: listenerArn } = elb.createListener({ loadBalancerArn: elb.createLoadBalancer({ name }).arn, actions: forward(blue, green, [0, 100]) });
  const alarm = `${name}-errors`;
  cloudwatch.putMetricAlarm({
    AlarmName: alarm, Namespace: 'Storm', MetricName: alarm, Statistic: 'Sum', Period: 3600, EvaluationPeriods: 1, Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore',
  });
  cloudwatch.setAlarmState(alarm, 'OK', 'before the storm');
  const target: JsonValue = { strategy: 'alb-weights', listenerArn, targetGroups: { blue, green }, good: { side: 'blue' } };
  return { name, alarm, listenerArn, groupArns: [blue, green], document: documentOf(name, alarm, { target, port }) };
}

const documentOf = (name: string, alarm: string, { target, port }: { readonly target: JsonValue; readonly port: number }): ServiceDocument => ({
  owner: `team-${name}`,
  targets: { web: target },
  signals: { alarms: [{ name: alarm }], minimum: 1, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } },
  journeys: { home: { requests: [{ name: 'home', url: `http://127.0.0.1:${port}/` }], allowLoopback: [`127.0.0.1:${port}`] } },
  // Three rounds, twenty seconds apart: the proof takes as long as the storm.
  verification: { passesInARow: 3, intervalSeconds: 20, deadlineMinutes: 15 },
  policy: { approval: { none: 'nobody is asked in a storm' }, bakeMinutes: 1, releaseWindowMinutes: 240, coolDownMinutes: 30, dailyBudget: 3 },
});

/**
 * The n-th event of an alarm that fires: the change of the alarm itself, then one of each further contributor, as a Metrics Insights alarm sends them.
 * No contributor fires while its alarm is OK: what comes later than that was delivered late, and says when it fired.
 * @param calm when each alarm went back to OK, epoch milliseconds.
 */
export function sendEvent({ services: { cloudwatch, events }, place, clock }: Sandbox, { alarm }: StormService, { round, calm }: { readonly round: number; readonly calm: ReadonlyMap<string, number> }): void {
  if (round === 0) return cloudwatch.setAlarmState(alarm, 'ALARM', 'the storm');
  const at = new Date(calm.get(alarm) ?? clock.now());
  events.put({
    source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm Contributor State Change', resources: [`arn:aws:cloudwatch:${place.region}:${place.account}:alarm:${alarm}`],
    detail: {
      alarmName: alarm, alarmContributor: { id: `contributor-${round}`, attributes: { Host: `host-${round}` } },
      state: { value: 'ALARM', reason: 'the storm', timestamp: at.toISOString().replace('Z', '+0000') },
    },
  });
}

/** Answers every health check and every journey. */
export async function startHealthy(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_, response) => void response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
