// A run without a fault: which calls it made, in which order, and which of them could have been answered from before.
import { isDeepStrictEqual } from 'node:util';
import type { CallRecord } from '../aws/world.ts';
import type { Ended } from '../services/lambda/lambda-function.ts';
import { CallNames, type NamedCall } from './call-names.ts';
import type { Effect, RecordedInvocation } from './play-back.ts';
import type { Sandbox } from '../sandbox.ts';
import type { BaseScenario } from './scenarios.ts';
import { restore, type ExploredWorld, type Grounds, type Prepared } from './world.ts';

export interface RecordedCall extends NamedCall {
  readonly service: string;
  readonly operation: string;
  readonly mutating: boolean;
  /** About a target of the scenario. */
  readonly onTarget: boolean;
  /** The rollback's execution had not ended when it was made. */
  readonly whileRunning: boolean;
  readonly staleAnswerDiffers: boolean;
  /** Sandbox time, epoch milliseconds. */
  readonly startedAt: number;
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
  readonly named: NamedCall;
  readonly record: CallRecord;
  readonly whileRunning: boolean;
}

/** Plays the scenario without a fault. @param check throws when that run broke an invariant: then nothing that follows means anything. */
export async function record(scenario: BaseScenario, prepared: Prepared, { grounds, check }: { readonly grounds: Grounds; readonly check: (world: ExploredWorld) => Promise<string> }): Promise<Recording> {
  const world = await restore(scenario, prepared, grounds);
  try {
    const names = nameCalls(world);
    const done: Ended[] = [];
    world.sandbox.services.functions.watchedBy({ instead: () => Promise.resolve(null), ended: (one) => void done.push(one) });
    world.goOn();
    await scenario.play(world);
    await world.settled();
    const outcome = await check(world);
    const inOrder = done.toSorted((one, other) => one.startedAt - other.startedAt);
    const ends = world.executions().map(({ stoppedAt }) => stoppedAt?.getTime() ?? 0);
    const heard = world.sandbox.calls.list().flatMap((one): Heard[] => {
      const named = names.get(one.requestId);
      return named === undefined ? [] : [{ named, record: one, whileRunning: ends.some((end) => one.endedAt < end) }];
    });
    const quiet = await quietAnswers(scenario, prepared, { grounds, heard });
    const targets = Object.values(world.targets);
    const isTried = ({ actor }: { readonly actor: string }): boolean => scenario.actors?.includes(actor) ?? true;
    const isCallTried = (call: RecordedCall): boolean => isTried(call) && (scenario.calls?.test(call.name) ?? true);
    const calls = heard.map(({ named, record: one, whileRunning }, index): RecordedCall => {
      const { service, operation, mutating, input } = one;
      return {
        ...named, service, operation, mutating, whileRunning, startedAt: one.startedAt, invocation: invocationOf(one, inOrder), quiet: quiet[index],
        onTarget: targets.some((target) => target.prefix === service && target.isTouchedBy(JSON.stringify(input))),
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

const invocationOf = ({ trace }: CallRecord, all: readonly Ended[]): number | null => {
  const index = all.findIndex(({ traceId }) => traceId === trace);
  return index < 0 ? null : index;
};

function recorded({ name, nth, payload, answer, startedAt, endedAt, traceId }: Ended, { sandbox }: ExploredWorld): RecordedInvocation {
  const signing = signingNames(sandbox);
  const own = sandbox.calls.list({ where: ({ trace }) => trace === traceId });
  const effects = own.map(({ sequence, endedAt: at, service, operation, region, input, output, errorCode }): Effect => ({ order: sequence, endedAt: at, service, signingName: signing.get(service) ?? '', operation, region, input, output, errorCode }));
  return { name, nth, payload, answer, startedAt, endedAt, effects };
}

const signingNames = ({ server }: Sandbox): ReadonlyMap<string, string> => new Map(server.services.map(({ service }) => [service.iamPrefix, service.signingName]));

/** Names every call of Ripcord's from now on, by its request id, in the order in which they begin. */
export function nameCalls(world: ExploredWorld): ReadonlyMap<string, NamedCall> {
  const names = new Map<string, NamedCall>();
  const namer = new CallNames(world.sandbox);
  world.sandbox.faults.add({
    name: 'named', effect: { kind: 'before', run: () => undefined },
    when: (call) => {
      const named = namer.next(call);
      if (named !== null) names.set(call.requestId, named);
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
