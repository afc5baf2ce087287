// How many requests users made lately: too few prove nothing, and none on record is not zero.
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { ServiceConfig } from '../config/schema.ts';
import type { TrafficReading } from '../domain/readings.ts';
import { readEach, Unvouched } from './metrics.ts';

type TrafficConfig = ServiceConfig['signals']['traffic'];

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

/** @returns null when CloudWatch does not vouch for all of the values, whatever page says so. */
async function read(client: CloudWatchClient, { metric, minutes }: Exclude<TrafficConfig, { none: string }>, end: number): Promise<number[] | null> {
  try {
    const [column] = await readEach(client, [metric], { start: end - minutes * 60_000, end });
    return [...column?.values() ?? []];
  } catch (error) {
    if (error instanceof Unvouched) return null;
    throw error;
  }
}
