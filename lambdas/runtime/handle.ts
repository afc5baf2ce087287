// The wrapper of every handler: reads the input, binds the rollback to each log line, and names errors for the state machine.
import { asWorkflowError } from './handle-errors.ts';
import { type Log, logFor } from './logger.ts';

/** One step of a workflow. */
export interface Step<Input, Output> {
  /** State name of the workflow, as it stands in the log field `step`. */
  readonly name: string;
  /** @throws Error with a message a person can act on when the input is not what the state machine sends. */
  parse(event: unknown): Input;
  about(input: Input): { readonly rollbackId: string; readonly service: string };
  run(input: Input, log: Log): Promise<Output>;
}

/** The Lambda handler of a step. Throttled and unavailable AWS calls come out as the error name `Retryable`. */
export function handle<Input, Output>(step: Step<Input, Output>): (event: unknown) => Promise<Output> {
  return async (event) => {
    const input = step.parse(event);
    const log = logFor(step.name, step.about(input));
    const began = performance.now();
    try {
      const output = await step.run(input, log);
      log.info(`${step.name} done`, { durationMs: Math.round(performance.now() - began) });
      return output;
    } catch (error) {
      log.error(`${step.name} failed`, error, { durationMs: Math.round(performance.now() - began) });
      throw asWorkflowError(error);
    }
  };
}

/**
 * A parser for inputs that only our own state machine sends: checks the kind of each named field, trusts the rest.
 * @throws Error naming the first field that is missing or of another kind.
 */
export function fields<Input>(wanted: Readonly<Partial<Record<keyof Input & string, 'string' | 'number' | 'object' | 'array'>>>): (event: unknown) => Input {
  return (event) => {
    if (event === null || typeof event !== 'object') throw new Error('the input must be a JSON object');
    for (const [name, kind] of Object.entries<string | undefined>(wanted)) {
      const value = (event as Record<string, unknown>)[name];
      const is = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
      if (kind !== undefined && is !== kind) throw new Error(`input field "${name}" must be a JSON ${kind}, not ${is}`);
    }
    return event as Input;
  };
}
