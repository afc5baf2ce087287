// The JSON of an answer, and what JSONPaths find in it. The service chooses how large and how deep it is: what a look at it may take is bounded.
import { createContext, Script } from 'node:vm';
import { type JsonValue, query } from 'jsonpath-rfc9535';
import type { Json } from '../domain/vocabulary.ts';
import { ExchangeFailed } from './journey-request.ts';
import { JourneyBroken } from './journey-template.ts';

/**
 * Of one answer. Where it holds more values than `values`, or one that lies in more than `depth` lists and objects, no path is looked up in it.
 * All its paths together get `milliseconds`, of the wall clock: a path may ask for more than any of these bounds, as `$..a..a` or a pattern can.
 */
export const bodyLimits = { values: 100_000, depth: 100, milliseconds: 300 } as const;

/** One answer's body. */
export class AnswerBody {
  readonly text: string;
  #json: Json | undefined;
  #isParsed = false;
  #left: number = bodyLimits.milliseconds;

  constructor(bytes: Buffer) {
    this.text = bytes.toString('utf8');
  }

  get isJson(): boolean {
    return this.#parsed() !== undefined;
  }

  /**
   * @param use gets what the path finds, in order, and counts into the same time.
   * @throws JourneyBroken for what is no JSONPath, or takes too long; ExchangeFailed for a body that is no JSON, or beyond the limits.
   */
  find<Result>(path: string, use: (found: readonly Json[]) => Result): Result {
    const json = this.#parsed();
    if (json === undefined) throw new ExchangeFailed('the body is not JSON');
    const began = performance.now();
    try {
      return within(this.#left, () => use(select(json, path)));
    } catch (error) {
      // Of this function's own time, which a busy machine may have cut short: nothing is known of the service.
      if (isTimeOut(error)) throw new JourneyBroken(`the body was not looked through within ${bodyLimits.milliseconds} ms: ${path} was still being looked for`, { cause: error });
      // A pattern, on a long text.
      if (error instanceof RangeError) throw new ExchangeFailed(`the body could not be looked through for ${path}: the stack ran out`, { cause: error });
      throw error;
    } finally {
      this.#left -= performance.now() - began;
    }
  }

  #parsed(): Json | undefined {
    if (this.#isParsed) return this.#json;
    const json = parsed(this.text);
    const why = json === undefined ? null : excess(json);
    if (why !== null) throw new ExchangeFailed(`the body ${why}, so nothing is looked for in it`);
    this.#isParsed = true;
    this.#json = json;
    return json;
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Level by level: a recursion would end where the stack does. */
function excess(json: Json): string | null {
  let level: readonly Json[] = [json];
  for (let [depth, values] = [0, 1]; level.length > 0; depth += 1) {
    if (depth > bodyLimits.depth) return `is nested too deep, in more than ${bodyLimits.depth} lists and objects`;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? (Object.values(value) as Json[]) : []));
    values += level.length;
    if (values > bodyLimits.values) return `holds more than ${bodyLimits.values} values`;
  }
  return null;
}

function select(json: Json, path: string): readonly Json[] {
  try {
    return query(json as JsonValue, path);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new JourneyBroken(`${path} is not a JSONPath of RFC 9535: ${error instanceof Error ? error.message : String(error)}`);
  }
}

// Nothing else in Node ends a computation that is under way in this very thread, whatever it computes.
const bounded = new Script('work()');
const realm = createContext({ work: null as unknown });

function within<Result>(milliseconds: number, work: () => Result): Result {
  realm['work'] = work;
  return bounded.runInContext(realm, { timeout: Math.max(1, Math.ceil(milliseconds)) }) as Result;
}

/** It is an error of that realm: no `Error` of this one. */
const isTimeOut = (error: unknown): boolean => (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
