// How many requests users made lately: too few prove nothing, and none on record is not zero.
import { type CloudWatchClient, GetMetricDataCommand, type GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { ServiceConfig } from '../config/schema.ts';
import type { TrafficReading } from '../domain/readings.ts';
import { calling } from './aws-errors.ts';

type TrafficConfig = ServiceConfig['signals']['traffic'];

const periodSeconds = 60;

/** Sums the last closed minutes; the running one is never whole. */
export async function readTraffic(client: CloudWatchClient, config: TrafficConfig, now: Date): Promise<TrafficReading> {
  if ('none' in config) return { status: 'not-measured', requests: null, minimum: null, minutes: null };
  const { minimumRequests: minimum, minutes } = config;
  const values = await read(client, config, Math.floor(now.getTime() / 60_000) * 60_000);
  if (values === null || values.length === 0) return { status: 'unknown', requests: null, minimum, minutes };
  const requests = values.reduce((sum, value) => sum + value, 0);
  return { status: requests >= minimum ? 'enough' : 'too-little', requests, minimum, minutes };
}

/** The same over the whole minutes between two instants (in milliseconds), one at the least, however long that is. */
export const readTrafficBetween = (client: CloudWatchClient, config: TrafficConfig, from: number, to: number): Promise<TrafficReading> =>
  readTraffic(client, 'none' in config ? config : { ...config, minutes: Math.max(1, Math.floor(to / 60_000) - Math.ceil(from / 60_000)) }, new Date(to));

/** @returns null when CloudWatch does not vouch for the values: part of them, an error of its own, or no permission, all with status 200. */
async function read(client: CloudWatchClient, { metric, minutes }: Exclude<TrafficConfig, { none: string }>, end: number): Promise<number[] | null> {
  const values: number[] = [];
  let NextToken: string | undefined;
  let status: string | undefined;
  do {
    const question: GetMetricDataCommandInput = {
      StartTime: new Date(end - minutes * 60_000),
      // Exclusive.
      EndTime: new Date(end),
      MetricDataQueries: [{
        Id: 'requests',
        MetricStat: {
          Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })) },
          Period: periodSeconds,
          Stat: metric.statistic,
        },
      }],
      ...(NextToken === undefined ? {} : { NextToken }),
    };
    const page = await calling('cloudwatch:GetMetricData', client.send(new GetMetricDataCommand(question)));
    for (const result of page.MetricDataResults ?? []) {
      values.push(...result.Values ?? []);
      status = result.StatusCode;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return status === 'Complete' ? values : null;
}
