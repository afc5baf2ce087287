// Calls of one invocation, as the sandbox's record holds them.
import type { CallRecord } from '../../sandbox/aws/world.ts';

const beginning = Date.parse('2026-01-01T00:00:00Z');

/** @param call `seconds`: when it was made. */
export function callOf({ seconds, ...call }: Partial<CallRecord> & { readonly seconds: number }): CallRecord {
  const at = beginning + seconds * 1000;
  const role = { kind: 'role', arn: 'arn:aws:sts::111122223333:assumed-role/strategy/one', roleName: 'strategy', sessionName: 'one', accessKeyId: 'ASIAONE' } as const;
  return {
    sequence: seconds, began: seconds - 1, startedAt: at, endedAt: at, service: '', operation: '', caller: role, input: {}, output: {}, status: 200, errorCode: null, errorDetail: null, mutating: false, requestId: '',
    region: 'eu-west-1', permissions: [], trace: 'one', faults: [], broken: [], ...call,
  };
}

/** The call that put down the row with this hash. */
export const announces = (hash: string, seconds: number, more: Partial<CallRecord> = {}): CallRecord =>
  callOf({ service: 'dynamodb', operation: 'TransactWriteItems', input: { TransactItems: [{ Put: { Item: { hash: { S: hash } } } }] }, seconds, ...more });

/** A listener's action. @param weight of the good side, 0 to 100. */
export const forwarding = (weight: number) => [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: 'blue', Weight: weight }, { TargetGroupArn: 'green', Weight: 100 - weight }] } }];
