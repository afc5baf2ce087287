// Puts one case's fault into a world, before the scenario is played in it.
import type { FaultEffect, FaultyCall } from '../aws/faults.ts';
import { AwsError } from '../aws/world.ts';
import type { LambdaFunction } from '../services/lambda/lambda-function.ts';
import { CallNames, type NamedCall } from './call-names.ts';
import type { Case, FaultName } from './cases.ts';
import type { RecordedCall } from './record.ts';
import type { ExploredWorld, Grounds } from './world.ts';

/** Longer than the longest request timeout of Ripcord's clients (5 s), in wall milliseconds. */
const lateMilliseconds = 6000;

export interface Injected {
  /** How often it struck; 0: the run never came to that call. */
  count(): number;
  /** A person changed a target. */
  hasMeddled(): boolean;
  /** Whether this invocation may be struck yet, or is. */
  mayStrike(name: string, nth: number): boolean;
}

export interface InjectParts {
  readonly world: ExploredWorld;
  readonly grounds: Grounds;
  /** Of the recording; null for an invocation. */
  readonly call: RecordedCall | null;
}

/** @throws Error when the case names no function or call of the recording. */
export function inject(one: Case, parts: InjectParts): Injected {
  if (one.fault === 'twice' || one.fault === 'twice-at-once') return callTwice(one, parts.world);
  return one.fault === 'refused-once' || one.fault === 'refused-for-good' ? refuse(one, parts.world) : strike(one, parts);
}

function callTwice({ at, fault }: Case, { sandbox }: ExploredWorld): Injected {
  const [name = '', nth = '1'] = at.split('#');
  const fn = sandbox.services.functions.find(`ripcord-${name}`);
  fn.deliverTwice(fault === 'twice' ? 'lost-answer' : 'side-by-side', Number(nth));
  return atInvocation(fn, Number(nth), Number(nth));
}

function refuse({ at, fault }: Case, { sandbox }: ExploredWorld): Injected {
  const [name = '', nth = '1'] = at.split('#');
  const fn = sandbox.services.functions.find(`ripcord-${name}`);
  if (fault === 'refused-once') {
    fn.refuse(new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429 }), Number(nth));
    return atInvocation(fn, Number(nth), Number(nth));
  }
  fn.refuse(new AwsError('ServiceException', 'An error occurred inside Lambda.', { status: 500 }), Number(nth), Number.POSITIVE_INFINITY);
  return atInvocation(fn, Number(nth), Number.POSITIVE_INFINITY);
}

const atInvocation = (fn: LambdaFunction, first: number, last: number): Injected => ({
  count: () => (fn.invocations >= first ? 1 : 0), hasMeddled: () => false,
  mayStrike: (name, nth) => fn.invocations < first || (name === fn.spec.name && nth >= first && nth <= last),
});

const forGood: readonly FaultName[] = ['throttled-for-good', 'error-for-good', 'denied'];

/** After these a client retries, and remembers it: no case may suffer from another. */
const remembers: readonly FaultName[] = ['throttled-once', 'throttled-five', 'throttled-for-good', 'error-once', 'error-for-good', 'error-after', 'reset-before', 'reset-after', 'late-reply'];

/** What these do, they do after the call took effect: where AWS refused it, nothing was done. */
export const afterEffect: readonly FaultName[] = ['reset-after', 'error-after', 'late-reply', 'killed', 'aborted'];

/** The next attempt meets them again. */
const lasting: readonly FaultName[] = ['throttled-five', 'throttled-for-good', 'error-for-good'];

/** Their client gets no reply. */
const losesReply: readonly FaultName[] = ['reset-before', 'reset-after', 'late-reply'];

function strike(one: Case, parts: InjectParts): Injected {
  const { world, grounds: { warm }, call } = parts;
  if (call === null) throw new Error(`${one.id}: no such call in the run without a fault`);
  const namer = new CallNames(world.sandbox);
  const last = forGood.includes(one.fault) ? Number.POSITIVE_INFINITY : one.fault === 'throttled-five' ? call.nth + 4 : call.nth;
  let tookEffect = false;
  world.sandbox.calls.onCall(({ faults, output }) => {
    tookEffect ||= faults.includes(one.fault) && output !== null;
  });
  // Of two writers that meet AWS refuses one: what comes after the effect then strikes at the next attempt.
  const isStruck = (named: NamedCall | null): boolean => named !== null && named.actor === call.actor && named.what === call.what && named.nth >= call.nth
    && (afterEffect.includes(one.fault) ? !tookEffect : named.nth <= last);
  let meddled = false;
  const meddle = ({ service, input }: FaultyCall): void => {
    meddled = world.meddle(world.targetOf(service, JSON.stringify(input))) || meddled;
  };
  const handle = world.sandbox.faults.add({
    name: one.fault, effect: effectOf(one.fault, { ...parts, meddle }),
    when: (asked) => {
      const struck = isStruck(namer.next(asked));
      if (struck && remembers.includes(one.fault) && 'accessKeyId' in asked.caller) warm.strike(asked.caller.accessKeyId, { isThrottled: one.fault.startsWith('throttled'), isLost: losesReply.includes(one.fault), isOnce: !lasting.includes(one.fault) });
      return struck;
    },
  });
  return {
    count: () => handle.injected, hasMeddled: () => meddled,
    mayStrike: (name) => (afterEffect.includes(one.fault) ? !tookEffect : handle.injected === 0) || (lasting.includes(one.fault) || forGood.includes(one.fault) ? name === `ripcord-${call.actor}` : false),
  };
}

function effectOf(fault: FaultName, { world, grounds: { warm }, call, meddle }: InjectParts & { readonly meddle: (asked: FaultyCall) => void }): FaultEffect {
  switch (fault) {
    case 'throttled-once':
    case 'throttled-five':
    case 'throttled-for-good':
      return { kind: 'throttle' };
    case 'error-once':
    case 'error-for-good':
      return { kind: 'error', status: 500 };
    case 'error-after':
      return { kind: 'error', status: 500, after: true };
    case 'reset-before':
      return { kind: 'reset', after: false };
    case 'reset-after':
      return { kind: 'reset', after: true };
    case 'late-reply':
      return { kind: 'delay', wallMilliseconds: lateMilliseconds };
    case 'denied':
      return { kind: 'deny' };
    case 'stale':
      return { kind: 'stale', otherwise: call?.quiet };
    case 'killed':
      return { kind: 'after', run: ({ caller }: FaultyCall) => warm.kill('accessKeyId' in caller ? caller.accessKeyId : '') };
    case 'aborted':
      return { kind: 'after', run: () => world.abort() };
    case 'person':
      return { kind: 'before', run: meddle };
    default:
      throw new Error(`${fault} is for invocations`);
  }
}
