// Route 53 operations on record sets: list, change, ask for a change's progress, test an answer.
import type {
  ChangeResourceRecordSetsRequest, ChangeResourceRecordSetsResponse, GetChangeRequest, GetChangeResponse, ListResourceRecordSetsRequest, ListResourceRecordSetsResponse,
  ResourceRecordSet, TestDNSAnswerRequest, TestDNSAnswerResponse,
} from '@aws-sdk/client-route-53';
import { AwsError, type Operation } from '../../aws/world.ts';
import { compareRecords, normalizedName, recordKey } from './record-sets.ts';
import type { ChangeRecord, Route53 } from './route53.ts';

const zoneArn = (id: string | undefined): string => `arn:aws:route53:::hostedzone/${(id ?? '').replace(/^\/?hostedzone\//, '')}`;
const mostItems = 300;

export const listResourceRecordSets = (route53: Route53): Operation<ListResourceRecordSetsRequest, ListResourceRecordSetsResponse> => ({
  mutating: false,
  authorize: ({ HostedZoneId }) => [{ action: 'route53:ListResourceRecordSets', resources: [zoneArn(HostedZoneId)] }],
  run: ({ HostedZoneId = '', StartRecordName, StartRecordType, StartRecordIdentifier, MaxItems }) => {
    if (StartRecordType !== undefined && StartRecordName === undefined) throw new AwsError('InvalidInput', 'StartRecordType needs StartRecordName');
    const start: ResourceRecordSet = { Name: StartRecordName, Type: StartRecordType, SetIdentifier: StartRecordIdentifier };
    const all = [...route53.zone(HostedZoneId).records.values()].toSorted(compareRecords);
    const from = StartRecordName === undefined ? all : all.filter((record) => compareRecords(record, start) >= 0);
    const size = Math.min(mostItems, MaxItems ?? mostItems);
    const next = from[size];
    return {
      ResourceRecordSets: from.slice(0, size),
      IsTruncated: next !== undefined,
      MaxItems: size,
      ...(next === undefined ? {} : { NextRecordName: next.Name, NextRecordType: next.Type, ...(next.SetIdentifier === undefined ? {} : { NextRecordIdentifier: next.SetIdentifier }) }),
    };
  },
});

export const changeResourceRecordSets = (route53: Route53): Operation<ChangeResourceRecordSetsRequest, ChangeResourceRecordSetsResponse> => ({
  mutating: true,
  authorize: ({ HostedZoneId, ChangeBatch }) => {
    const changes = ChangeBatch?.Changes ?? [];
    const all = (part: (change: (typeof changes)[number]) => string): string[] => [...new Set(changes.map(part))];
    return [{
      action: 'route53:ChangeResourceRecordSets',
      resources: [zoneArn(HostedZoneId)],
      context: {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': all(({ ResourceRecordSet: record }) => normalizedName(record?.Name ?? '')),
        'route53:ChangeResourceRecordSetsRecordTypes': all(({ ResourceRecordSet: record }) => record?.Type ?? ''),
        'route53:ChangeResourceRecordSetsActions': all(({ Action }) => Action ?? ''),
      },
    }];
  },
  run: ({ HostedZoneId = '', ChangeBatch }) => {
    const changes = ChangeBatch?.Changes ?? [];
    if (changes.length === 0) throw new AwsError('InvalidInput', 'A change batch must contain at least one change');
    // An UPSERT counts twice against the limit of 1000 elements.
    const elements = changes.reduce((sum, { Action, ResourceRecordSet: record }) => sum + (record?.ResourceRecords?.length ?? 1) * (Action === 'UPSERT' ? 2 : 1), 0);
    if (elements > 1000) throw new AwsError('InvalidChangeBatch', 'Number of records limit of 1000 exceeded.', { fields: { messages: ['Number of records limit of 1000 exceeded.'] } });
    return { ChangeInfo: changeShown(route53.change(HostedZoneId, changes, ChangeBatch?.Comment)) };
  },
});

export const getChange = (route53: Route53): Operation<GetChangeRequest, GetChangeResponse> => ({
  mutating: false,
  authorize: ({ Id }) => [{ action: 'route53:GetChange', resources: [`arn:aws:route53:::change/${(Id ?? '').replace(/^\/?change\//, '')}`] }],
  run: ({ Id = '' }) => ({ ChangeInfo: changeShown(route53.changeStatus(Id)) }),
});

const changeShown = ({ id, status, submittedAt, comment }: ChangeRecord): NonNullable<GetChangeResponse['ChangeInfo']> => ({ Id: `/change/${id}`, Status: status, SubmittedAt: new Date(submittedAt), ...(comment === undefined ? {} : { Comment: comment }) });

export const testDnsAnswer = (route53: Route53): Operation<TestDNSAnswerRequest, TestDNSAnswerResponse> => ({
  mutating: false,
  authorize: () => [{ action: 'route53:TestDNSAnswer', resources: ['*'] }],
  run: ({ HostedZoneId = '', RecordName = '', RecordType = 'A' }) => {
    const answer = route53.answer(HostedZoneId, RecordName, RecordType);
    return { Nameserver: 'ns-1.sandbox', RecordName: answer === null ? RecordName : recordKey(answer.record).split(' ')[0], RecordType, RecordData: [...(answer?.values ?? [])], ResponseCode: answer === null ? 'NXDOMAIN' : 'NOERROR', Protocol: 'UDP' };
  },
});
