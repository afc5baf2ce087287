// What the role of route53-weights may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import type { Route53WeightsTarget } from './manifest.ts';
import { normalizedRecordName } from './plan.ts';

export const permissions: Permissions<Route53WeightsTarget> = ({ hostedZoneId, recordName, recordType }, { partition }) => [
  {
    actions: ['route53:ChangeResourceRecordSets'],
    resources: [`arn:${partition}:route53:::hostedzone/${hostedZoneId}`],
    conditions: {
      'ForAllValues:StringEquals': {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': [normalizedRecordName(recordName)],
        'route53:ChangeResourceRecordSetsRecordTypes': [recordType],
        'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
      },
      Null: { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false' },
    },
  },
  { actions: ['route53:ListResourceRecordSets'], resources: [`arn:${partition}:route53:::hostedzone/${hostedZoneId}`] },
  {
    actions: ['route53:GetChange'],
    resources: [`arn:${partition}:route53:::change/*`],
    because: 'Change ids are made by Route 53 and unknown in advance.',
  },
  {
    actions: ['route53:GetHealthCheckStatus'],
    resources: [`arn:${partition}:route53:::healthcheck/*`],
    because: 'The health check of a record is read from the record itself.',
  },
];

export const changed: Changed<Route53WeightsTarget> = ({ hostedZoneId, recordName, recordType }) => [`${recordType} records ${normalizedRecordName(recordName)} in hosted zone ${hostedZoneId}`];
