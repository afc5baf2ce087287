// A run without a fault: which calls it made, in which order, and which of them could have been answered from before.
import { isDeepStrictEqual } from 'node:util';
import type { CallRecord } from '../aws/world.ts';
import type { Begun, Ended, Onlooker } from '../services/lambda/lambda-function.ts';
import { CallNames, type NamedCall } from './call-names.ts';
import { effectsOf, signingNames, type RecordedInvocation, type Span } from './script.ts';
import type { BaseScenario } from './scenarios.ts';
import { restore, type ExploredWorld, type Grounds, type Prepared } from './world.ts';

export interface RecordedCall extends NamedCall {
  readonly service: string;
  readonly operation: string;
  readonly mutating: boolean;
  /** About a target of the scenario that a person could have changed right before. */
  readonly onOpenTarget: boolean;
  /** A rollback's execution was running when it was made. */
  readonly whileRunning: boolean;
  readonly staleAnswerDiffers: boolean;
  /** How many beginnings and ends of invocations came before it. */
  readonly moment: number;
  /** Index of the invocation that made it; null: EventBridge did. */
  readonly invocation: number | null;
  /** What it answered before anything went wrong: the stale answer, where no earlier call had asked the same. */
  readonly quiet: unknown;
}

export interface Recording {
  readonly scenario: string;
  readonly calls: readonly RecordedCall[];
  /** All of them, in the order in which they began. */
  readonly invocations: readonly RecordedInvocation[];
  /** How many invocations are tried, by function. */
  readonly tried: Readonly<Record<string, number>>;
  /** AWS calls of the run, as text, for whoever wants to read it. */
  readonly outcome: string;
}

interface Heard {
  readonly named: Named;
  readonly record: CallRecord;
}

type Named = NamedCall & Pick<RecordedCall, 'moment' | 'onOpenTarget' | 'whileRunning'>;

/** Takes down when invocations begin and end: in time that is held only their order tells. */
class Moments implements Onlooker {
  readonly #began = new Map<string, number>();
  readonly #done: (Ended & Span)[] = [];
  #count = 0;

  /** How many there were so far. */
  get count(): number {
    return this.#count;
  }

  /** In the order in which they began. */
  get done(): readonly (Ended & Span)[] {
    return this.#done.toSorted((one, other) => one.began - other.began);
  }

  instead({ name, nth }: Begun): Promise<null> {
    this.#began.set(`${name}#${nth}`, this.#count += 1);
    return Promise.resolve(null);
  }

  ended(one: Ended): void {
    this.#done.push({ ...one, began: this.#began.get(`${one.name}#${one.nth}`) ?? 0, ended: this.#count += 1 });
  }
}

/** Plays the scenario without a fault, in time that is held while functions work. @param check throws when that run broke an invariant: then nothing that follows means anything. */
export async function record(scenario: BaseScenario, prepared: Prepared, { grounds, check }: { readonly grounds: Grounds; readonly check: (world: ExploredWorld) => Promise<string> }): Promise<Recording> {
  const world = await restore(scenario, prepared, grounds);
  try {
    const moments = new Moments();
    const names = nameCalls(world, moments);
    world.sandbox.services.functions.watchedBy(moments);
    await scenario.play(world);
    await world.settled();
    const outcome = await check(world);
    const inOrder = moments.done;
    const heard = world.sandbox.calls.list().flatMap((one): Heard[] => {
      const named = names.get(one.requestId);
      return named === undefined ? [] : [{ named, record: one }];
    });
    const quiet = await quietAnswers(scenario, prepared, { grounds, heard });
    const isTried = ({ actor }: { readonly actor: string }): boolean => scenario.actors?.includes(actor) ?? true;
    const isCallTried = (call: RecordedCall): boolean => isTried(call) && (scenario.calls?.test(call.name) ?? true);
    const calls = heard.map(({ named, record: one }, index): RecordedCall => {
      const { service, operation, mutating } = one;
      return {
        ...named, service, operation, mutating, invocation: invocationOf(one, inOrder), quiet: quiet[index],
        staleAnswerDiffers: isEventual(one) && !isDeepStrictEqual(timeless(staleAnswer(one, heard.slice(0, index)) ?? quiet[index]), timeless(one.output)),
      };
    });
    const counts = Object.fromEntries(world.sandbox.services.functions.list().filter((fn) => fn.invocations > 0).map((fn) => [fn.spec.name.replace(/^ripcord-/, ''), fn.invocations]));
    return {
      scenario: scenario.name, tried: Object.fromEntries(Object.entries(counts).filter(([actor]) => isTried({ actor }))), calls: calls.filter(isCallTried), outcome,
      invocations: inOrder.map((one) => recorded(one, world)),
    };
  } finally {
    await world.stop();
  }
}

const invocationOf = ({ trace }: CallRecord, all: readonly Pick<Ended, 'traceId'>[]): number | null => {
  const index = all.findIndex(({ traceId }) => traceId === trace);
  return index < 0 ? null : index;
};

const recorded = ({ traceId, ...one }: Ended & Span, { sandbox }: ExploredWorld): RecordedInvocation => ({ ...one, effects: effectsOf(sandbox, traceId) });

/** Names every call of Ripcord's from now on, by its request id, in the order in which they begin. */
export function nameCalls(world: ExploredWorld, moments: { readonly count: number }): ReadonlyMap<string, Named> {
  const names = new Map<string, Named>();
  const namer = new CallNames(world.sandbox);
  world.sandbox.faults.add({
    name: 'named', effect: { kind: 'before', run: () => undefined },
    when: (call) => {
      const named = namer.next(call);
      if (named !== null) names.set(call.requestId, { ...named, moment: moments.count, whileRunning: world.executions().some(({ status }) => status === 'RUNNING'), onOpenTarget: world.targetOf(call.service, JSON.stringify(call.input))?.isOpen() ?? false });
      return false;
    },
  });
  return names;
}

/** What is the same but for the time at which this sandbox was made is the same. */
const timeless = (answer: unknown): unknown => JSON.parse(JSON.stringify(answer ?? null, (_, value: unknown) => (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? '' : value)));

const isEventual = ({ service, mutating, input, output }: CallRecord): boolean =>
  !mutating && output !== null && !(service === 'dynamodb' && (input as { readonly ConsistentRead?: boolean }).ConsistentRead === true);

function staleAnswer({ service, operation, input }: CallRecord, earlier: readonly Heard[]): unknown {
  const text = JSON.stringify(input);
  return earlier.findLast(({ record: one }) => one.service === service && one.operation === operation && one.errorCode === null && JSON.stringify(one.input) === text)?.record.output;
}

/** Asks the reads of the run again where nothing has gone wrong yet. Undefined: could not be asked then. */
async function quietAnswers(scenario: BaseScenario, prepared: Prepared, { grounds, heard }: { readonly grounds: Grounds; readonly heard: readonly Heard[] }): Promise<readonly unknown[]> {
  const world = await restore(scenario, prepared, grounds);
  try {
    const signing = signingNames(world.sandbox);
    return await Promise.all(heard.map(async ({ record: one }): Promise<unknown> => {
      if (!isEventual(one)) return undefined;
      const root = { kind: 'root', arn: 'arn:aws:iam::111122223333:root' } as const;
      return world.sandbox.server.call(root, signing.get(one.service) ?? '', { operation: one.operation, input: structuredClone(one.input) }).catch(() => undefined);
    }));
  } finally {
    await world.stop();
  }
}
