// A call of AWS for each action that some Deny of the stack forbids.

export interface ForbiddenCall {
  readonly signingName: string;
  readonly operation: string;
  readonly input: object;
  /** For which AWS asks. */
  readonly action: string;
}

const lastPart = (arn: string): string => arn.split(/[/:]/).at(-1) ?? arn;
/** A row of the audit. */
const Key = { rollbackId: { S: 'any' }, seq: { N: '0' } };
const statement = (text: (table: string) => string) => (table: string): object => ({ Statement: text(`"${lastPart(table)}"`) });

const calls: Readonly<Record<string, readonly [signingName: string, operation: string, input: (resource: string) => object]>> = {
  'dynamodb:BatchWriteItem': ['dynamodb', 'BatchWriteItem', (table) => ({ RequestItems: { [lastPart(table)]: [{ DeleteRequest: { Key } }] } })],
  'dynamodb:DeleteItem': ['dynamodb', 'DeleteItem', (table) => ({ TableName: lastPart(table), Key })],
  'dynamodb:UpdateItem': ['dynamodb', 'UpdateItem', (table) => ({ TableName: lastPart(table), Key, UpdateExpression: 'SET told = :no', ExpressionAttributeValues: { ':no': { BOOL: false } } })],
  'dynamodb:PartiQLDelete': ['dynamodb', 'ExecuteStatement', statement((table) => `DELETE FROM ${table} WHERE rollbackId = 'any' AND seq = 0`)],
  'dynamodb:PartiQLInsert': ['dynamodb', 'ExecuteStatement', statement((table) => `INSERT INTO ${table} VALUE {'rollbackId': 'any', 'seq': 0}`)],
  'dynamodb:PartiQLUpdate': ['dynamodb', 'ExecuteStatement', statement((table) => `UPDATE ${table} SET told = false WHERE rollbackId = 'any' AND seq = 0`)],
  'sns:Publish': ['sns', 'Publish', (TopicArn) => ({ TopicArn, Message: 'any' })],
  'sqs:SendMessage': ['sqs', 'SendMessage', (queue) => ({ QueueUrl: `https://sqs.${queue.split(':')[3]}.amazonaws.com/${queue.split(':')[4]}/${lastPart(queue)}`, MessageBody: 'any' })],
  'states:RedriveExecution': ['states', 'RedriveExecution', (executionArn) => ({ executionArn })],
};

/** Where every action of a service is forbidden, one of them stands for all. */
const standIns: Readonly<Record<string, string>> = { 'sqs:*': 'sqs:SendMessage' };

/** @param resource ARN of what it would touch. @returns null where none is known. */
export function forbiddenCall(denied: string, resource: string): ForbiddenCall | null {
  const action = standIns[denied] ?? denied;
  const known = calls[action];
  return known === undefined ? null : { signingName: known[0], operation: known[1], input: known[2](resource), action };
}
