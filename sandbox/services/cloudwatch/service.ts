// CloudWatch on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-cloudwatch';
import type { AwsService } from '../../aws/world.ts';
import { deleteAlarms, describeAlarmHistory, describeAlarms, putCompositeAlarm, putMetricAlarm, setAlarmState, switchAlarmActions } from './alarm-operations.ts';
import type { CloudWatch } from './cloudwatch.ts';
import { getMetricData } from './get-metric-data.ts';
import { getMetricStatistics, listMetrics, putMetricData } from './metric-operations.ts';
import { deleteAlarmMuteRule, getAlarmMuteRule, listAlarmMuteRules, putAlarmMuteRule } from './mute-rule-operations.ts';

export const cloudWatchService = (cloudwatch: CloudWatch): AwsService => ({
  signingName: 'monitoring',
  iamPrefix: 'cloudwatch',
  schemas,
  // Alarms are those of the sandbox's own Region; metrics come from anywhere.
  inEveryRegion: ['PutMetricData', 'GetMetricData', 'GetMetricStatistics', 'ListMetrics'],
  operations: {
    PutMetricData: putMetricData(cloudwatch),
    GetMetricData: getMetricData(cloudwatch),
    GetMetricStatistics: getMetricStatistics(cloudwatch),
    ListMetrics: listMetrics(cloudwatch),
    PutMetricAlarm: putMetricAlarm(cloudwatch),
    PutCompositeAlarm: putCompositeAlarm(cloudwatch),
    DescribeAlarms: describeAlarms(cloudwatch),
    DescribeAlarmHistory: describeAlarmHistory(cloudwatch),
    SetAlarmState: setAlarmState(cloudwatch),
    DeleteAlarms: deleteAlarms(cloudwatch),
    EnableAlarmActions: switchAlarmActions(cloudwatch, true),
    DisableAlarmActions: switchAlarmActions(cloudwatch, false),
    PutAlarmMuteRule: putAlarmMuteRule(cloudwatch),
    GetAlarmMuteRule: getAlarmMuteRule(cloudwatch),
    ListAlarmMuteRules: listAlarmMuteRules(cloudwatch),
    DeleteAlarmMuteRule: deleteAlarmMuteRule(cloudwatch),
  },
});
