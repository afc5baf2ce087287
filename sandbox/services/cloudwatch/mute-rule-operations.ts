// CloudWatch operations on alarm mute rules.
import type {
  DeleteAlarmMuteRuleInput, GetAlarmMuteRuleInput, GetAlarmMuteRuleOutput, ListAlarmMuteRulesInput, ListAlarmMuteRulesOutput, PutAlarmMuteRuleInput,
} from '@aws-sdk/client-cloudwatch';
import type { Operation } from '../../aws/world.ts';
import type { CloudWatch } from './cloudwatch.ts';

export const putAlarmMuteRule = (cloudwatch: CloudWatch): Operation<PutAlarmMuteRuleInput, object> => ({
  mutating: true,
  authorize: ({ Name, MuteTargets }) => [{
    action: 'cloudwatch:PutAlarmMuteRule',
    resources: [cloudwatch.alarms.mutes.arn(Name ?? ''), ...(MuteTargets?.AlarmNames ?? []).map((name) => cloudwatch.alarms.arn(name))],
  }],
  run: (input, { clock }) => {
    cloudwatch.alarms.mutes.put(input, clock.now());
    return {};
  },
});

export const getAlarmMuteRule = (cloudwatch: CloudWatch): Operation<GetAlarmMuteRuleInput, GetAlarmMuteRuleOutput> => ({
  mutating: false,
  authorize: ({ AlarmMuteRuleName }) => [{ action: 'cloudwatch:GetAlarmMuteRule', resources: [cloudwatch.alarms.mutes.arn(AlarmMuteRuleName ?? '')] }],
  run: ({ AlarmMuteRuleName }, { clock }) => cloudwatch.alarms.mutes.get(AlarmMuteRuleName ?? '', clock.now()),
});

export const listAlarmMuteRules = (cloudwatch: CloudWatch): Operation<ListAlarmMuteRulesInput, ListAlarmMuteRulesOutput> => ({
  mutating: false,
  authorize: () => [{ action: 'cloudwatch:ListAlarmMuteRules', resources: [cloudwatch.alarms.mutes.arn('*')] }],
  run: ({ AlarmName, Statuses }, { clock }) => ({
    AlarmMuteRuleSummaries: cloudwatch.alarms.mutes.list(AlarmName, clock.now())
      .filter(({ Status }) => Statuses === undefined || (Status !== undefined && Statuses.includes(Status)))
      .map(({ AlarmMuteRuleArn, ExpireDate, Status, MuteType, LastUpdatedTimestamp }) => ({ AlarmMuteRuleArn, ExpireDate, Status, MuteType, LastUpdatedTimestamp })),
  }),
});

export const deleteAlarmMuteRule = (cloudwatch: CloudWatch): Operation<DeleteAlarmMuteRuleInput, object> => ({
  mutating: true,
  authorize: ({ AlarmMuteRuleName }) => [{ action: 'cloudwatch:DeleteAlarmMuteRule', resources: [cloudwatch.alarms.mutes.arn(AlarmMuteRuleName ?? '')] }],
  run: ({ AlarmMuteRuleName }) => {
    cloudwatch.alarms.mutes.remove(AlarmMuteRuleName ?? '');
    return {};
  },
});
