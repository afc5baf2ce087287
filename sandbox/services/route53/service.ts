// Route 53 on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-route-53';
import type { AwsService } from '../../aws/world.ts';
import { changeResourceRecordSets, getChange, listResourceRecordSets, testDnsAnswer } from './record-operations.ts';
import type { Route53 } from './route53.ts';
import { getHealthCheckStatus, listHostedZones } from './zone-operations.ts';

export const route53Service = (route53: Route53): AwsService => ({
  signingName: 'route53',
  iamPrefix: 'route53',
  schemas,
  inEveryRegion: 'all',
  operations: {
    ListHostedZones: listHostedZones(route53),
    ListResourceRecordSets: listResourceRecordSets(route53),
    ChangeResourceRecordSets: changeResourceRecordSets(route53),
    GetChange: getChange(route53),
    GetHealthCheckStatus: getHealthCheckStatus(route53),
    TestDNSAnswer: testDnsAnswer(route53),
  },
});
