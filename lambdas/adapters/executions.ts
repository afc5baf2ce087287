// Starts an execution under a given name, once: the same name again is no second one.
import { StartExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { JsonObject } from '../domain/vocabulary.ts';
import { awsCodeOf, calling } from './aws-errors.ts';

export interface Start {
  readonly machineArn: string;
  /** At most 80 characters; Step Functions keeps names for 90 days after an execution has ended. */
  readonly name: string;
  readonly input: JsonObject;
}

/** @returns false when an execution of that name was started before. @throws AwsCallError. */
export async function startOnce(client: SFNClient, { machineArn, name, input }: Start): Promise<boolean> {
  const sent = client.send(new StartExecutionCommand({ stateMachineArn: machineArn, name, input: JSON.stringify(input) }));
  return calling('states:StartExecution', sent.then(() => true, (error: unknown) => {
    if (awsCodeOf(error).startsWith('ExecutionAlreadyExists')) return false;
    throw error;
  }));
}
