// What invocations did in other cases of a scenario: one that is asked the same at the same moment, and hears the same from AWS, does the same again, and no process has to show it once more.
import { detailOf, type Answer as WireAnswer } from '../aws/dispatch.ts';
import type { Answer } from '../services/lambda/worker.ts';
import type { Recording } from './record.ts';
import type { Effect } from './script.ts';

/** A call, and what it came to, as text. */
export interface KnownCall {
  readonly effect: Effect;
  readonly asked: string;
  readonly cameTo: string;
}

/** Seen once, with nothing else at work and nothing disturbed. */
export interface KnownInvocation {
  readonly answer: Answer;
  /** In the order in which they ended. */
  readonly calls: readonly KnownCall[];
}

/** Cases come scenario by scenario; of the one before some are still under way. */
const mostScenarios = 2;

/** Of one worker process. */
export class KnownInvocations {
  readonly #recordings: ReadonlyMap<string, Pick<Recording, 'invocations'>>;
  readonly #scenarios = new Map<string, Map<string, KnownInvocation[]>>();

  /** @param recordings of the runs without a fault: the first that is known. */
  constructor(recordings: ReadonlyMap<string, Pick<Recording, 'invocations'>>) {
    this.#recordings = recordings;
  }

  /** @param key of `keyOf`. */
  of(scenario: string, key: string): readonly KnownInvocation[] {
    return this.#of(scenario).get(key) ?? [];
  }

  add(scenario: string, key: string, one: KnownInvocation): void {
    const known = this.#of(scenario);
    const same = known.get(key) ?? [];
    if (!same.some(({ answer, calls }) => answer.payload === one.answer.payload && textOf(calls) === textOf(one.calls))) known.set(key, [...same, one]);
  }

  #of(scenario: string): Map<string, KnownInvocation[]> {
    const found = this.#scenarios.get(scenario);
    if (found !== undefined) return found;
    const alone = (this.#recordings.get(scenario)?.invocations ?? []).filter(({ began, ended, answer }) => ended === began + 1 && answer.functionError === null);
    const known = new Map(alone.map((one) => [keyOf(one, one.startedAt), [{ answer: one.answer, calls: knownCalls(one) }]]));
    this.#scenarios.set(scenario, known);
    const [oldest = scenario] = this.#scenarios.keys();
    if (this.#scenarios.size > mostScenarios) this.#scenarios.delete(oldest);
    return known;
  }
}

/** What an invocation was asked, and when. @param at sandbox time, epoch milliseconds. */
export const keyOf = ({ name, payload }: { readonly name: string; readonly payload: string }, at: number): string => `${name} ${at} ${samePort(payload)}`;

const textOf = (calls: readonly KnownCall[]): string => calls.map(({ asked, cameTo }) => `${asked} ${cameTo}`).join('\n');

export const knownCalls = ({ effects, answer }: { readonly effects: readonly Effect[]; readonly answer: Answer }): readonly KnownCall[] =>
  effects.map((effect, index) => {
    const rest = (): string => JSON.stringify([effects.slice(index + 1).map(({ input }) => input), answer]);
    return { effect, asked: askedIn(effect), cameTo: effect.errorCode === null ? outcomeText(effect.output, rest) : samePort(`${effect.errorCode} ${effect.errorDetail}`) };
  });

const anyId = 'any';

/** The call as text. */
export const askedIn = ({ service, operation, region, input }: Pick<Effect, 'service' | 'operation' | 'region' | 'input'>): string => samePort(`${service}:${operation} ${region} ${JSON.stringify(input)}`);

/** What a call came to, as text. An id that AWS gives to each message makes no difference where nobody does anything with it. @param rest what the invocation said from then on, as JSON. */
function outcomeText(output: unknown, rest: () => string): string {
  const { MessageId: id } = (output ?? {}) as { readonly MessageId?: unknown };
  return typeof id === 'string' && !rest().includes(id) ? text({ ...(output as object), MessageId: anyId }) : text(output);
}

const text = (output: unknown): string => samePort(JSON.stringify(output ?? null));

/** Whether a call came to this now. */
export const agrees = ({ cameTo }: Pick<KnownCall, 'cameTo'>, { output, error, reset, delayWallMilliseconds }: WireAnswer): boolean =>
  !reset && delayWallMilliseconds === 0 && (cameTo === (error === null ? text(output) : samePort(`${error.code} ${detailOf(error)}`)) || (error === null && cameTo === text({ ...(output as object), MessageId: anyId })));

/** Each sandbox has ports of its own: they make no difference. */
export const samePort = (json: string): string => json.replace(/127\.0\.0\.1:\d+/g, 'port');
