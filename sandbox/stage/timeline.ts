// The story of a scenario as it happens, one line an event, with sandbox time.
import pc from 'picocolors';
import type { Sandbox } from '../sandbox.ts';
import type { RipcordNames } from './ripcord-view.ts';

export type Print = (line: string) => void;

const clockFace = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
};

/** What the names of everything that belongs to the engine begin with. */
const prefixOf = ({ rollbackMachineArn }: RipcordNames): string => (rollbackMachineArn.split(':').at(-1) ?? '').replace(/rollback$/, '');

const actors = { world: pc.dim, pipeline: pc.cyan, alarm: pc.yellow, ripcord: pc.magenta, aws: pc.blue, message: pc.green } as const;
export type Actor = keyof typeof actors;

export class Timeline {
  readonly #sandbox: Sandbox;
  readonly #print: Print;
  readonly #begun: number;
  readonly #stops: (() => void)[] = [];

  constructor(sandbox: Sandbox, print: Print) {
    this.#sandbox = sandbox;
    this.#print = print;
    this.#begun = sandbox.clock.now();
  }

  tell(actor: Actor, text: string): void {
    this.#print(`  ${pc.dim(clockFace(this.#sandbox.clock.now() - this.#begun))}  ${actors[actor](actor.padEnd(8))}  ${text}`);
  }

  /** Follows alarms, Ripcord's states, its changes of the workload, and its messages. */
  follow(names: RipcordNames): void {
    const { cloudwatch, topics } = this.#sandbox.services;
    // The engine's own alarms are news only when they fire.
    const engineAlarms = prefixOf(names);
    cloudwatch.alarms.onTransition((alarm) => !alarm.name.startsWith(engineAlarms) || alarm.state.value === 'ALARM' ? this.tell('alarm', `${alarm.name} is ${alarm.state.value}`) : undefined);
    this.#stops.push(
      topics.onPublish(({ topicArn, subject }) => this.tell('message', `to ${topicArn === names.onCallTopicArn ? 'on-call' : 'stakeholders'}: ${subject ?? ''}`)),
      this.#sandbox.calls.onCall(({ service, operation, caller, mutating, errorCode }) => {
        if (!mutating || caller.kind !== 'role' || ['dynamodb', 'sns', 'sqs', 'events', 'states', 'ssm', 'lambda'].includes(service)) return;
        this.tell('aws', `${service}:${operation} ${errorCode === null ? 'done' : pc.red(errorCode)}`);
      }),
      this.#followStates([names.rollbackMachineArn, names.watchMachineArn]),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #followStates(machineArns: readonly string[]): () => void {
    const seen = new Map<string, number>();
    const shown = /^(Assess|Approve|Revert|Verify|Report|Hold|NextRung|Plan|Record|Settle|StartRollback)$/;
    const timer = setInterval(() => {
      for (const arn of machineArns)
        for (const execution of this.#sandbox.services.states.executions(arn)) {
          const events = execution.history.events;
          for (const event of events.slice(seen.get(execution.arn) ?? 0)) {
            const name = (event['stateEnteredEventDetails'] as { name?: string } | undefined)?.name;
            if (name !== undefined && shown.test(name)) this.tell('ripcord', `${execution.machine.name.replace(/^.*-/, '')} ${pc.dim(execution.name.slice(0, 18))}  ${name}`);
          }
          seen.set(execution.arn, events.length);
        }
    }, 50);
    return () => clearInterval(timer);
  }
}
