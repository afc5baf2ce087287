// Whether somebody muted an alarm: its state says nothing of it, only its events and the rules do.
import { type CloudWatchClient, ListAlarmMuteRulesCommand } from '@aws-sdk/client-cloudwatch';
import { calling } from './aws-errors.ts';

/** @throws AwsCallError when it cannot be read: not knowing is not "not muted". */
export async function isMuted(client: CloudWatchClient, alarm: string): Promise<boolean> {
  // One rule is enough to know; a further page could only hold more of them.
  const { AlarmMuteRuleSummaries = [] } = await calling('cloudwatch:ListAlarmMuteRules', client.send(new ListAlarmMuteRulesCommand({ AlarmName: alarm, Statuses: ['ACTIVE'] })));
  return AlarmMuteRuleSummaries.length > 0;
}
