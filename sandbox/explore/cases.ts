// Which faults are tried at which calls: one case each, under a name by which it can be played again.
import type { RecordedCall, Recording } from './record.ts';

export const faultNames = [
  'throttled-once', 'throttled-five', 'throttled-for-good', 'error-once', 'error-for-good', 'error-after', 'reset-before', 'reset-after', 'late-reply',
  'denied', 'stale', 'killed', 'aborted', 'twice', 'twice-at-once', 'refused-once', 'refused-for-good', 'person',
] as const;
export type FaultName = (typeof faultNames)[number];

export const faultTexts: Readonly<Record<FaultName, string>> = {
  'throttled-once': 'AWS throttles the call once',
  'throttled-five': 'AWS throttles it five times',
  'throttled-for-good': 'AWS throttles it from then on',
  'error-once': 'HTTP 500 once, without effect',
  'error-for-good': 'HTTP 500 from then on, without effect',
  'error-after': 'HTTP 500 once, although it took effect (writes)',
  'reset-before': 'the connection breaks before the effect',
  'reset-after': 'the connection breaks after the effect (writes)',
  'late-reply': 'the reply comes after the client has given up',
  denied: 'access is denied from then on',
  stale: 'the read answers what was true before (eventually consistent reads)',
  killed: 'the function dies right after the call',
  aborted: 'a person stops the execution right after the call',
  twice: 'the function is called again after its answer was lost',
  'twice-at-once': 'the function is called twice at once',
  'refused-once': 'Lambda throttles the invocation of the function once',
  'refused-for-good': 'Lambda fails at every invocation of the function from then on',
  person: 'a person changes the same target right before the call',
};

export interface Case {
  readonly scenario: string;
  readonly actor: string;
  /** Name of a call, or `<function>#<n>` for an invocation. */
  readonly at: string;
  readonly fault: FaultName;
  readonly id: string;
}

/** `<scenario>/<actor>/<call>#<n>/<fault>`, or for an invocation `<scenario>/<actor>#<n>/<fault>`. */
const caseOf = (scenario: string, at: string, fault: FaultName): Case => ({ scenario, at, fault, actor: at.split(/[/#]/)[0] ?? '', id: `${scenario}/${at}/${fault}` });

/** @throws Error when it is no case's name. */
export function parseCase(id: string): Case {
  const parts = id.split('/');
  const fault = faultNames.find((name) => name === parts.at(-1));
  if (parts.length < 3 || fault === undefined) throw new Error(`"${id}" is no case: <scenario>/<function>/<call>#<n>/<fault>, with a fault of ${faultNames.join(', ')}`);
  return caseOf(parts[0] ?? '', parts.slice(1, -1).join('/'), fault);
}

/** Once for an invocation, not for a call. */
const ofInvocations = ['twice', 'twice-at-once', 'refused-once', 'refused-for-good'] as const;

export function casesOf(recording: Recording): readonly Case[] {
  const { scenario, calls, tried } = recording;
  return [
    ...calls.flatMap((call) => faultNames.filter((fault) => makesSense(fault, call)).map((fault) => caseOf(scenario, call.name, fault))),
    ...Object.entries(tried).flatMap(([actor, count]) => Array.from({ length: count }, (_, index) => `${actor}#${index + 1}`))
      .flatMap((at) => ofInvocations.map((fault) => caseOf(scenario, at, fault))),
  ];
}

const always: readonly FaultName[] = ['throttled-once', 'throttled-five', 'throttled-for-good', 'error-once', 'error-for-good', 'denied'];

/** What is left out is the same as another case, or cannot be. */
function makesSense(fault: FaultName, call: RecordedCall): boolean {
  // EventBridge makes these calls: no process of ours dies, no connection of ours breaks, and no execution runs yet that could be stopped.
  if (call.actor === 'rules') return always.includes(fault);
  switch (fault) {
    case 'twice':
    case 'twice-at-once':
    case 'refused-once':
    case 'refused-for-good':
      return false;
    // A read has no effect, so the moment at which its connection breaks, or its error comes, makes no difference: `reset-before` and `error-once` say it.
    case 'reset-after':
    case 'error-after':
      return call.mutating;
    // DynamoDB's consistent reads are never stale, nor is a read whose answer had not changed; a write answers what it did.
    case 'stale':
      return call.staleAnswerDiffers;
    // The Watchdog works when the execution is over; nobody can stop it any more.
    case 'aborted':
      return call.whileRunning;
    // Where a person could do it at that moment. At the last read before a write it has to be honoured. Between that read and the write Elastic Load Balancing has nothing that compares and
    // sets, nor has a stop an alias to compare; Route 53 deletes a record only as it is, and CodeDeploy refuses a second deployment.
    case 'person':
      return call.onOpenTarget && (!call.mutating || (call.service !== 'elasticloadbalancing' && call.operation !== 'StopDeployment'));
    default:
      return true;
  }
}
