// What came before the fault is the same in every case: it is played back from the run without a fault, call by call, without the function processes.
import { setTimeout as wait } from 'node:timers/promises';
import { AwsError, type Principal } from '../aws/world.ts';
import type { Begun, Onlooker } from '../services/lambda/lambda-function.ts';
import type { Answer } from '../services/lambda/worker.ts';
import type { Case } from './cases.ts';
import type { Recording } from './record.ts';
import type { ExploredWorld } from './world.ts';

/** One AWS call of an invocation, and what it came to. */
export interface Effect {
  /** Place among the calls of the whole run, in order of their ends. */
  readonly order: number;
  /** Sandbox time, epoch milliseconds. */
  readonly endedAt: number;
  /** IAM prefix, and the name in the credential scope. */
  readonly service: string;
  readonly signingName: string;
  readonly operation: string;
  readonly region: string;
  readonly input: unknown;
  readonly output: unknown;
  /** A call that failed has changed nothing. */
  readonly errorCode: string | null;
}

export interface RecordedInvocation {
  /** Name of the function. */
  readonly name: string;
  /** Counts the invocations of this function from 1. */
  readonly nth: number;
  readonly payload: string;
  readonly answer: Answer;
  /** Sandbox times, epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** In the order in which they ended. */
  readonly effects: readonly Effect[];
}

/** Invocations that were over before the one that the fault strikes began: those at work beside it have to work beside it again. */
export function beginningOf({ invocations, calls }: Pick<Recording, 'invocations' | 'calls'>, one: Case): readonly RecordedInvocation[] {
  const call = calls.find(({ name }) => name === one.at);
  const struckAt = call === undefined ? invocations.find(({ name, nth }) => `${name.replace(/^ripcord-/, '')}#${nth}` === one.at)?.startedAt : (invocations[call.invocation ?? -1]?.startedAt ?? call.startedAt);
  return struckAt === undefined ? [] : invocations.filter(({ endedAt }) => endedAt <= struckAt);
}

// Wall milliseconds; nothing that is played back takes more than a few.
const longestTurn = 10_000;

export class PlayBack implements Onlooker {
  readonly #world: ExploredWorld;
  readonly #left: Map<string, RecordedInvocation>;
  /** All effects that are to come, of invocations side by side too. */
  readonly #order: Effect[];
  #woken: (() => void)[] = [];
  #isOver = false;
  #played = 0;
  #difference: string | null = null;

  /** The world's time stays held until the first invocation that a process has to do. */
  constructor(world: ExploredWorld, beginning: readonly RecordedInvocation[]) {
    this.#world = world;
    this.#left = new Map(beginning.map((one) => [`${one.name}#${one.nth}`, one]));
    this.#order = beginning.flatMap(({ effects }) => effects).toSorted((one, other) => one.order - other.order);
    world.sandbox.services.functions.watchedBy(this);
    if (beginning.length === 0) this.#goOn();
  }

  /** How many invocations were played back. */
  get played(): number {
    return this.#played;
  }

  /** Where the sandbox answered otherwise than in the recording: what followed means nothing. Null: nowhere. */
  get difference(): string | null {
    return this.#difference;
  }

  async instead({ name, nth, payload }: Begun): Promise<Answer | null> {
    const known = this.#isOver ? undefined : this.#left.get(`${name}#${nth}`);
    const isAsked = known !== undefined && timeless(known.payload) === timeless(payload);
    if (!isAsked) {
      if (known !== undefined) this.#differs(`${name} was asked ${payload.slice(0, 300)}, and in the recording ${known.payload.slice(0, 300)}`);
      this.#goOn();
      return null;
    }
    const { clock, iam, services } = this.#world.sandbox;
    await clock.advance(known.startedAt);
    const { roleArn, arn } = services.functions.find(name).spec;
    const caller = iam.assume(roleArn, 'lambda.amazonaws.com', arn);
    for (const effect of known.effects) if (this.#difference === null) await this.#again(caller, effect, name);
    await clock.advance(known.endedAt);
    this.#played += 1;
    return known.answer;
  }

  ended(): void {
    // Only the recording takes down what happened.
  }

  async #again(caller: Principal, effect: Effect, where: string): Promise<void> {
    const { service, signingName, operation, region, errorCode } = effect;
    if (!(await this.#turnOf(effect))) return this.#differs(`${where}: the turn of ${operation} never came, as nobody did ${this.#awaited()}`);
    const { server, faults } = this.#world.sandbox;
    const input = structuredClone(effect.input);
    // Two writers that met in the recording do not meet here: that one of them failed is taken as it was, and only counted.
    if (errorCode !== null) faults.strike({ service, operation, caller, input, requestId: 'played back', region });
    const after = errorCode ?? await server.call(caller, signingName, { operation, input, region }).then(text, (error: unknown) => (error instanceof AwsError ? error.code : String(error)));
    this.#order.shift();
    this.#wake();
    const before = errorCode ?? text(effect.output);
    if (before !== after) this.#differs(`${where}: ${operation} came to ${after.slice(0, 300)}, and in the recording to ${before.slice(0, 300)}`);
  }

  #awaited(): string {
    const [next] = this.#order;
    const owner = [...this.#left.values()].find(({ effects }) => next !== undefined && effects.includes(next));
    return next === undefined ? 'anything more' : `${owner?.name}#${owner?.nth} ${next.operation} (${next.errorCode ?? 'done'} in the recording)`;
  }

  #differs(how: string): void {
    this.#difference ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#woken.splice(0)) wake();
  }

  /** Waits until all that ended before it in the recording has been done again. @returns false: that takes too long. */
  async #turnOf(effect: Effect): Promise<boolean> {
    const latest = performance.now() + longestTurn;
    for (;;) {
      const next = this.#order[0];
      if (this.#difference !== null || next === undefined || performance.now() > latest) return false;
      // What it waits for may begin by the clock.
      await this.#world.sandbox.clock.advance(next.endedAt);
      if (next === effect) return true;
      if (next !== this.#order[0]) continue;
      await Promise.race([new Promise<void>((resolve) => this.#woken.push(resolve)), wait(longestTurn, undefined, { ref: false })]);
    }
  }

  #goOn(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#world.goOn();
  }
}

const text = (output: unknown): string => timeless(JSON.stringify(output ?? null));

/** Two runs are never the same to the millisecond: times, as ISO 8601 or in epoch milliseconds, do not count. */
export const timeless = (json: string): string => json.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+]00:?00)/g, 'time').replace(/\b1[5-9]\d{11}\b/g, '0').replace(/127\.0\.0\.1:\d+/g, 'port');
