// Route 53 operations on hosted zones and health checks.
import type { GetHealthCheckStatusRequest, GetHealthCheckStatusResponse, HostedZone, ListHostedZonesRequest, ListHostedZonesResponse } from '@aws-sdk/client-route-53';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { HostedZoneRecord, Route53 } from './route53.ts';

const zoneShown = ({ id, name, records }: HostedZoneRecord): HostedZone => ({ Id: `/hostedzone/${id}`, Name: name, CallerReference: id, Config: { PrivateZone: false }, ResourceRecordSetCount: records.size });

export const listHostedZones = (route53: Route53): Operation<ListHostedZonesRequest, ListHostedZonesResponse> => ({
  mutating: false,
  authorize: () => [{ action: 'route53:ListHostedZones', resources: ['*'] }],
  run: ({ Marker, MaxItems }) => {
    const all = [...route53.zones.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)).filter(({ id }) => Marker === undefined || id >= Marker);
    const size = Math.min(100, MaxItems ?? 100);
    const next = all[size];
    return { HostedZones: all.slice(0, size).map(zoneShown), Marker: Marker ?? '', IsTruncated: next !== undefined, MaxItems: size, ...(next === undefined ? {} : { NextMarker: next.id }) };
  },
});

export const getHealthCheckStatus = (route53: Route53): Operation<GetHealthCheckStatusRequest, GetHealthCheckStatusResponse> => ({
  mutating: false,
  authorize: ({ HealthCheckId }) => [{ action: 'route53:GetHealthCheckStatus', resources: [`arn:aws:route53:::healthcheck/${HealthCheckId ?? ''}`] }],
  run: ({ HealthCheckId = '' }) => {
    const status = route53.health.status(HealthCheckId);
    if (status === null) throw new AwsError('NoSuchHealthCheck', `No health check exists with the specified ID: ${HealthCheckId}`, { status: 404 });
    const StatusReport = { Status: status.report, CheckedTime: new Date(status.checkedAt) };
    return { HealthCheckObservations: (['us-east-1', 'eu-west-1', 'us-west-2'] as const).map((Region) => ({ Region, IPAddress: '127.0.0.1', StatusReport })) };
  },
});
