// What came before the fault is the same in every case, and what comes after it in many: it is played back from the run without a fault, call by call, without the function processes.
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '../aws/world.ts';
import type { Begun, Ended, Onlooker } from '../services/lambda/lambda-function.ts';
import type { Answer } from '../services/lambda/worker.ts';
import { ByHeart, type Disturbance } from './by-heart.ts';
import { agrees, type KnownCall, knownCalls, type KnownInvocations, samePort } from './known-invocations.ts';
import type { Effect, RecordedInvocation, Script } from './script.ts';
import type { ExploredWorld } from './world.ts';

// Wall milliseconds; nothing that is played back takes more than a few.
const longestTurn = 10_000;

/** How many invocations needed no process. */
export interface Played {
  /** As in the run without a fault: before the fault, and after it. */
  readonly before: number;
  readonly after: number;
  /** As in other cases. */
  readonly byHeart: number;
}

export class PlayBack implements Onlooker {
  readonly #world: ExploredWorld;
  /** By name and number: what may be played back now. */
  readonly #left: Map<string, RecordedInvocation>;
  readonly #struck: Map<string, RecordedInvocation>;
  readonly #after: readonly RecordedInvocation[];
  /** All effects that are to come, of invocations side by side too. */
  readonly #order: Effect[];
  #woken: (() => void)[] = [];
  #isOver = false;
  #isAfter = false;
  #byHeart: ByHeart | null = null;
  #playedBefore = 0;
  #playedAfter = 0;
  #difference: string | null = null;

  constructor(world: ExploredWorld, { before, struck, after }: Script) {
    this.#world = world;
    this.#left = byNumber(before);
    this.#struck = byNumber(struck);
    this.#after = after;
    this.#order = inOrder(before);
    world.sandbox.services.functions.watchedBy(this);
    this.#isOver = before.length === 0 && struck.length === 0;
  }

  get played(): Played {
    return { before: this.#playedBefore, after: this.#playedAfter, byHeart: this.#byHeart?.played ?? 0 };
  }

  /** Where the sandbox answered otherwise than in the recording: what followed means nothing. Null: nowhere. */
  get difference(): string | null {
    return this.#difference ?? this.#byHeart?.difference ?? null;
  }

  /** From now on what other cases have shown is played without a process. */
  knowing(known: KnownInvocations, disturbance: Disturbance): void {
    this.#byHeart = new ByHeart(this.#world, known, disturbance);
  }

  async instead(begun: Begun): Promise<Answer | null> {
    const { name, nth, payload } = begun;
    const key = `${name}#${nth}`;
    if (this.#struck.has(key)) return null;
    const known = this.#left.get(key);
    if (this.#isOver || known === undefined || samePort(known.payload) !== samePort(payload)) {
      if (!this.#isOver && known !== undefined && !this.#isAfter) this.#differs(`${name} was asked ${payload.slice(0, 300)}, and in the recording ${known.payload.slice(0, 300)}`);
      this.#isOver = true;
      return await this.#byHeart?.instead(begun) ?? null;
    }
    const { clock, iam, services } = this.#world.sandbox;
    await clock.advance(known.startedAt);
    const { roleArn, arn } = services.functions.find(name).spec;
    const caller = iam.assume(roleArn, 'lambda.amazonaws.com', arn);
    for (const call of knownCalls(known)) if (this.#difference === null) await this.#again(caller, call, name);
    await clock.advance(known.endedAt);
    if (this.#isAfter) this.#playedAfter += 1;
    else this.#playedBefore += 1;
    return known.answer;
  }

  ended(done: Ended): void {
    this.#byHeart?.ended(done);
    const key = `${done.name}#${done.nth}`;
    const known = this.#struck.get(key);
    if (this.#isOver || known === undefined) return;
    if (!this.#cameToTheSame(known, done)) {
      this.#isOver = true;
      return;
    }
    this.#struck.delete(key);
    if (this.#struck.size > 0) return;
    this.#isAfter = true;
    for (const [later, one] of byNumber(this.#after)) this.#left.set(later, one);
    this.#order.push(...inOrder(this.#after));
  }

  /** The same answer, and the same changes, each as often. */
  #cameToTheSame({ answer, effects }: RecordedInvocation, done: Ended): boolean {
    const made = this.#world.sandbox.calls.list({ mutating: true, where: ({ trace, output }) => trace === done.traceId && output !== null });
    const meant = effects.filter(({ mutating, output }) => mutating && output !== null);
    return done.answer.functionError === null && answer.functionError === null && samePort(done.answer.payload) === samePort(answer.payload) && isDeepStrictEqual(changes(made), changes(meant));
  }

  async #again(caller: Principal, { effect, cameTo }: KnownCall, where: string): Promise<void> {
    const { service, signingName, operation, region, errorCode } = effect;
    if (!(await this.#turnOf(effect))) return this.#differs(`${where}: the turn of ${operation} never came, as nobody did ${this.#awaited()}`);
    const { server, faults } = this.#world.sandbox;
    const input = structuredClone(effect.input);
    // Two writers that met in the recording do not meet here: that one of them failed is taken as it was, and only counted.
    if (errorCode !== null) faults.strike({ service, operation, caller, input, requestId: 'played back', region });
    const after = errorCode === null ? await server.answer(caller, signingName, { operation, input, region }) : null;
    this.#order.shift();
    this.#wake();
    if (after !== null && !agrees({ cameTo }, after)) this.#differs(`${where}: ${operation} came to ${JSON.stringify(after.error?.code ?? after.output).slice(0, 300)}, and in the recording to ${cameTo.slice(0, 300)}`);
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
}

const byNumber = (invocations: readonly RecordedInvocation[]): Map<string, RecordedInvocation> => new Map(invocations.map((one) => [`${one.name}#${one.nth}`, one]));

const inOrder = (invocations: readonly RecordedInvocation[]): Effect[] => invocations.flatMap(({ effects }) => effects).toSorted((one, other) => one.order - other.order);

/**
 * What AWS was told to change, in an order that does not depend on which of two calls side by side came first. What was told twice and is done once is one.
 * The text of a message says how far a function beside it had come at that moment; no function reads it.
 */
function changes(calls: readonly Pick<Effect, 'service' | 'operation' | 'region' | 'input'>[]): readonly string[] {
  const texts = calls.map(({ service, operation, region, input }) => {
    const { ClientRequestToken: token = '', ...said } = (input ?? {}) as Said;
    return { isOnce: isOnce(service, operation, said) || token !== '', token, told: `${service}:${operation} ${region} ${samePort(JSON.stringify(operation === 'Publish' ? { ...said, Message: '' } : said))}` };
  });
  return texts.filter(({ isOnce: once, token, told }, index) => !once || texts.findIndex((one) => one.token === token && one.told === told) === index).map(({ told }) => told).toSorted();
}

interface Said {
  readonly ClientRequestToken?: string;
  readonly UpdateExpression?: string;
}

/** The second of two such calls finds all as it would leave it: a whole row, or values that do not build on those before. Nor does any function read what people were told, once or twice. */
const isOnce = (service: string, operation: string, { UpdateExpression: update = '' }: Said): boolean =>
  service === 'sns' || service === 'events' || (service === 'dynamodb' && (operation === 'PutItem' || (operation === 'UpdateItem' && !/\bADD\b|\bDELETE\b|[+]|list_append/i.test(update))));

