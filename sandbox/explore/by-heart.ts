// What other cases have shown already is played without a process; what a process shows anew is kept for the cases to come.
import type { Answer } from '../aws/dispatch.ts';
import type { Requested } from '../aws/server.ts';
import type { Begun, Ended } from '../services/lambda/lambda-function.ts';
import type { Answer as Told } from '../services/lambda/worker.ts';
import { agrees, askedIn, keyOf, knownCalls, type KnownInvocation, type KnownInvocations } from './known-invocations.ts';
import { effectsOf } from './script.ts';
import type { ExploredWorld } from './world.ts';

/** Which invocations a fault meets. */
export interface Disturbance {
  /** This one may be struck yet, or is: a process has to do it. */
  mayStrike(name: string, nth: number): boolean;
}

/** A call that was made in the stead of a process, which has to come to that point on its own yet. */
interface Made {
  readonly asked: string;
  readonly answer: Answer;
}

export class ByHeart {
  readonly #world: ExploredWorld;
  readonly #known: KnownInvocations;
  readonly #disturbance: Disturbance;
  /** By trace: how many had begun when it began with nothing else at work. */
  readonly #alone = new Map<string, number>();
  /** By trace: what was made for it, in order. */
  readonly #made = new Map<string, Made[]>();
  #begun = 0;
  #playing: Promise<unknown> | null = null;
  #played = 0;
  #difference: string | null = null;

  constructor(world: ExploredWorld, known: KnownInvocations, disturbance: Disturbance) {
    this.#world = world;
    this.#known = known;
    this.#disturbance = disturbance;
    world.sandbox.server.answeredBy((asked) => this.#answerTo(asked));
  }

  /** How many invocations were played. */
  get played(): number {
    return this.#played;
  }

  /** Where a process did not do what was known of it: what followed means nothing. Null: nowhere. */
  get difference(): string | null {
    return this.#difference;
  }

  async instead(begun: Begun): Promise<Told | null> {
    // One after the other, as they were when they were seen.
    while (this.#playing !== null) await this.#playing;
    this.#begun += 1;
    if (this.#atWork() > 1) return null;
    this.#alone.set(begun.traceId, this.#begun);
    const { sandbox, scenario } = this.#world;
    const known = this.#disturbance.mayStrike(begun.name, begun.nth) ? [] : this.#known.of(scenario.name, keyOf(begun, sandbox.clock.now()));
    if (known.length === 0) return null;
    const playing = this.#play(begun, known).finally(() => { this.#playing = null; });
    this.#playing = playing;
    return playing;
  }

  ended(done: Ended): void {
    const isAlone = this.#alone.get(done.traceId) === this.#begun;
    this.#alone.delete(done.traceId);
    const left = this.#made.get(done.traceId) ?? [];
    this.#made.delete(done.traceId);
    if (left.length > 0) this.#difference ??= `${done.name} did not ask ${left.map(({ asked }) => asked.slice(0, 300)).join(', ')}`;
    if (!isAlone || done.answer.functionError !== null || done.startedAt !== done.endedAt || this.#disturbance.mayStrike(done.name, done.nth)) return;
    const { sandbox, scenario } = this.#world;
    if (sandbox.calls.list({ where: ({ trace, faults }) => trace === done.traceId && faults.length > 0 }).length > 0) return;
    this.#known.add(scenario.name, keyOf(done, done.startedAt), { answer: done.answer, calls: knownCalls({ effects: effectsOf(sandbox, done.traceId), answer: done.answer }) });
  }

  #answerTo({ trace, ...asked }: Requested): Answer | null {
    const made = this.#made.get(trace ?? '') ?? [];
    const index = made.findIndex((one) => one.asked === askedIn(asked));
    return index < 0 ? null : made.splice(index, 1)[0]?.answer ?? null;
  }

  #atWork(): number {
    return this.#world.sandbox.services.functions.list().reduce((sum, { running }) => sum + running, 0);
  }

  /** Makes the calls of those known, as long as AWS answers as it did. Null: it answers otherwise, and a process has to go on from there, which is told what its first calls came to. */
  async #play({ name, traceId }: Begun, known: readonly KnownInvocation[]): Promise<Told | null> {
    const { iam, server, services } = this.#world.sandbox;
    const { roleArn, arn } = services.functions.find(name).spec;
    const caller = iam.assume(roleArn, 'lambda.amazonaws.com', arn);
    const made: Made[] = [];
    let left = known;
    for (let index = 0; ; index += 1) {
      const [first] = left;
      if (first === undefined) {
        this.#made.set(traceId, made);
        return null;
      }
      const call = first.calls[index];
      if (call === undefined) {
        this.#played += 1;
        return first.answer;
      }
      const { asked, effect: { signingName, operation, region, input } } = call;
      const answer = await server.answer(caller, signingName, { operation, input: structuredClone(input), region, trace: traceId });
      made.push({ asked, answer });
      left = left.filter(({ calls: { [index]: other } }) => other !== undefined && other.asked === asked && agrees(other, answer));
    }
  }
}
