// Task tokens: secrets that a waiting task hands out, and the answers that come back for them.
import { AwsError } from '../../aws/world.ts';
import type { Ids } from '../../ids.ts';

export interface TokenAnswers {
  succeed(output: string): void;
  fail(error: string, cause: string): void;
  heartbeat(): void;
}

export class TaskTokens {
  readonly #open = new Map<string, TokenAnswers>();
  readonly #closed = new Set<string>();
  readonly #ids: Ids;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  issue(answers: TokenAnswers): string {
    const token = `AQC${this.#ids.bytes('task token', 96).toString('base64')}`;
    this.#open.set(token, answers);
    return token;
  }

  close(token: string): void {
    this.#open.delete(token);
    this.#closed.add(token);
  }

  /** @param output JSON text. @throws AwsError as `find`, and InvalidOutput */
  succeed(token: string, output: string): void {
    const answers = this.find(token);
    try {
      JSON.parse(output);
    } catch (error) {
      throw new AwsError('InvalidOutput', `Invalid Output: '${(error as Error).message}'`);
    }
    answers.succeed(output);
    this.close(token);
  }

  /** @throws AwsError as `find` */
  fail(token: string, error: string, cause: string): void {
    this.find(token).fail(error, cause);
    this.close(token);
  }

  /** @throws AwsError as `find` */
  heartbeat(token: string): void {
    this.find(token).heartbeat();
  }

  /** @throws AwsError TaskTimedOut for a token whose task is over (AWS says the same of one that was answered), InvalidToken for any other text. */
  find(token: string): TokenAnswers {
    const found = this.#open.get(token);
    if (found !== undefined) return found;
    if (this.#closed.has(token)) throw new AwsError('TaskTimedOut', 'Task Timed Out: The task token is either invalid or associated with a task that is no longer running');
    throw new AwsError('InvalidToken', `Invalid Token: '${token.slice(0, 20)}'`);
  }
}
