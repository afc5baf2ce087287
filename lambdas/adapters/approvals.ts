// Gives a person's answer to the workflow that waits for it.
import { SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { Approval } from '../domain/workflow.ts';

/** What Step Functions says of a token that nothing waits for any more: timed out, answered before, or the execution ended. */
const tooLate = /^(TaskTimedOut|TaskDoesNotExist|InvalidToken)(Exception)?$/;

export class Approvals {
  private readonly client: SFNClient;

  constructor(client: SFNClient) {
    this.client = client;
  }

  /** @returns false when the workflow no longer waits for this token. */
  async deliver(taskToken: string, approval: Approval): Promise<boolean> {
    try {
      await this.client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(approval) }));
      return true;
    } catch (error) {
      if (error instanceof Error && tooLate.test(error.name)) return false;
      throw error;
    }
  }
}
