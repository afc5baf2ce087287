// Which invocations of a case are played back from the run without a fault, and which a process has to do.
import type { Sandbox } from '../sandbox.ts';
import type { Answer } from '../services/lambda/worker.ts';
import type { Case, FaultName } from './cases.ts';
import type { Recording } from './record.ts';

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
  readonly mutating: boolean;
  readonly input: unknown;
  readonly output: unknown;
  /** A call that failed has changed nothing. */
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
}

/** Names in the credential scope, by IAM prefix. */
export const signingNames = ({ server }: Pick<Sandbox, 'server'>): ReadonlyMap<string, string> => new Map(server.services.map(({ service }) => [service.iamPrefix, service.signingName]));

/** The calls that an invocation made, in the order in which they ended. @param traceId with which it made them. */
export function effectsOf(sandbox: Sandbox, traceId: string): readonly Effect[] {
  const signing = signingNames(sandbox);
  return sandbox.calls.list({ where: ({ trace }) => trace === traceId }).map(({ sequence, endedAt, service, operation, region, mutating, input, output, errorCode, errorDetail }) => ({
    order: sequence, endedAt, service, signingName: signing.get(service) ?? '', operation, region, mutating, input, output, errorCode, errorDetail,
  }));
}

/** Places among the beginnings and ends of all invocations of a run. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

export interface RecordedInvocation extends Span {
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

export interface Script {
  /** Over before the one that the fault strikes began. */
  readonly before: readonly RecordedInvocation[];
  /** Done by processes and compared: the one that is struck, those at work beside it, and those beside these. */
  readonly struck: readonly RecordedInvocation[];
  /** Begun after those were over: played back too, should those come to the same as in the recording. */
  readonly after: readonly RecordedInvocation[];
}

/** Everything is done by processes. */
export const whole: Script = { before: [], struck: [], after: [] };

/** After these, once, a function may well do all that it does without them: its client tries again. What lasts, and what strikes the invocation itself, changes what follows. */
const mayComeToTheSame: readonly FaultName[] = ['throttled-once', 'throttled-five', 'error-once', 'error-after', 'reset-before', 'reset-after', 'late-reply', 'stale'];

/** A case of a call or an invocation that the recording does not have is played whole. */
export function scriptOf({ invocations, calls }: Pick<Recording, 'invocations' | 'calls'>, one: Case): Script {
  const call = calls.find(({ name }) => name === one.at);
  const hit = call === undefined ? invocations.find(({ name, nth }) => `${name.replace(/^ripcord-/, '')}#${nth}` === one.at) : invocations[call.invocation ?? -1];
  const from = hit?.began ?? call?.moment;
  if (from === undefined) return whole;
  const before = invocations.filter(({ ended }) => ended <= from);
  if (hit === undefined || !mayComeToTheSame.includes(one.fault)) return { ...whole, before };
  const struck = besides(hit, invocations.filter((other) => !before.includes(other)));
  return { before, struck, after: invocations.filter((other) => !before.includes(other) && !struck.includes(other)) };
}

/** It, and whatever was at work at the same time as any of them. */
function besides(hit: RecordedInvocation, all: readonly RecordedInvocation[]): readonly RecordedInvocation[] {
  let found: readonly RecordedInvocation[] = [hit];
  for (let size = 0; size < found.length;) {
    size = found.length;
    const known = found;
    found = all.filter((other) => known.some(({ began, ended }) => other.began <= ended && other.ended >= began));
  }
  return found;
}
