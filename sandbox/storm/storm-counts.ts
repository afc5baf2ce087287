// What a storm is judged by, counted as it happens: a sandbox that kept every call and execution would measure its own memory.
import type { CallRecord } from '../aws/world.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Execution } from '../services/states/execution.ts';
import { sampleEvery, sampleMemory, type MemorySample, type Recorded } from './storm-memory.ts';
import { CallTries, failuresIn, isRefusal, StepTries } from './storm-tries.ts';
import type { StormService } from './storm-world.ts';

export interface ApiCount {
  asked: number;
  throttled: number;
}

/** One item of a write. */
interface Written {
  readonly Key?: Readonly<Record<string, { readonly S?: string }>>;
  readonly Item?: Readonly<Record<string, { readonly S?: string }>>;
}

const throttled = /Throttl|TooManyRequests|LimitExceeded|Rate/;

export class StormCounts {
  started = 0;
  ended = 0;
  /** Tasks that failed as `Retryable` or were throttled by Lambda, and were tried again by the workflow. */
  triedAgain = 0;
  /** Outcome to number of runs; for those that ended as `joined`, `joined` or `joined (storm)`. */
  readonly outcomes = new Map<string, number>();
  /** Ids of the runs that joined no other. */
  readonly ownRuns = new Set<string>();
  /** What a role was refused, and how often. */
  readonly denials = new Map<string, number>();
  readonly apis = new Map<string, ApiCount>();
  /** Changes made by roles, by service. */
  readonly changes = new Map<string, number>();
  /** Errors with which tasks failed that were not tried again for being refused, and how often. */
  readonly failures = new Map<string, number>();
  readonly callTries = new CallTries();
  readonly stepTries = new StepTries();
  readonly memory: MemorySample[] = [];
  /** What an event left in tables, on average. */
  recorded: Recorded = { bytes: 0, rows: 0 };
  /** Writes to one DynamoDB partition key in one second of sandbox time, at most. */
  hottest = { key: '', writes: 0 };
  readonly #services: readonly StormService[];
  readonly #second = new Map<string, number>();
  #secondAt = 0;

  constructor(sandbox: Sandbox, services: readonly StormService[], rollbackMachineArn: string) {
    this.#services = services;
    sandbox.calls.onCall((call) => this.#call(call));
    sandbox.services.states.onEnd((execution) => {
      if (execution.machine.arn === rollbackMachineArn) this.#end(execution);
    });
  }

  sample(): void {
    this.memory.push(sampleMemory(this.ended));
  }

  /** @param before what was in all tables when the storm began. @param after what is now. */
  record(before: Recorded, after: Recorded): void {
    this.recorded = { bytes: (after.bytes - before.bytes) / this.ended, rows: (after.rows - before.rows) / this.ended };
  }

  #call(call: CallRecord): void {
    const name = `${call.service}:${call.operation}`;
    const count = this.apis.get(name) ?? { asked: 0, throttled: 0 };
    this.apis.set(name, count);
    count.asked += 1;
    const isThrottled = call.errorCode !== null && throttled.test(call.errorCode);
    if (isThrottled) count.throttled += 1;
    this.callTries.call(call, isThrottled, performance.now());
    if (call.service === 'elasticloadbalancing' && call.mutating && call.caller.kind === 'role' && call.status < 300) this.#changed(JSON.stringify(call.input));
    if (call.service === 'dynamodb' && call.mutating) this.#written(call);
    if (call.caller.kind === 'role' && call.permissions.some(({ allowed }) => !allowed)) this.denials.set(`${name} by ${call.caller.arn}`, (this.denials.get(`${name} by ${call.caller.arn}`) ?? 0) + 1);
  }

  #changed(input: string): void {
    const service = this.#services.find(({ listenerArn }) => input.includes(listenerArn));
    if (service !== undefined) this.changes.set(service.name, (this.changes.get(service.name) ?? 0) + 1);
  }

  #written({ input, endedAt, operation }: CallRecord): void {
    const { TransactItems } = input as { readonly TransactItems?: readonly { readonly Put?: Written; readonly Update?: Written }[] };
    for (const { Put, Update } of TransactItems ?? [operation === 'PutItem' ? { Put: input as Written } : { Update: input as Written }]) this.#row(Put ?? Update ?? {}, endedAt);
  }

  #row({ Key, Item }: Written, endedAt: number): void {
    const row = Key ?? Item ?? {};
    const key = row['pk']?.S ?? row['rollbackId']?.S ?? '';
    const second = Math.floor(endedAt / 1000);
    if (second !== this.#secondAt) this.#second.clear();
    this.#secondAt = second;
    const writes = (this.#second.get(key) ?? 0) + 1;
    this.#second.set(key, writes);
    if (writes > this.hottest.writes) this.hottest = { key, writes };
  }

  #end(execution: Execution): void {
    this.ended += 1;
    const outcome = outcomeOf(execution);
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (!outcome.startsWith('joined')) this.ownRuns.add(execution.name);
    this.triedAgain += execution.history.events.filter(isRefusal).length;
    this.stepTries.execution(execution.history.events);
    failuresIn(execution.history.events, this.failures);
    if (this.ended % sampleEvery === 0) this.sample();
  }
}

function outcomeOf({ status, output, error }: Execution): string {
  if (status !== 'SUCCEEDED') return error ?? status;
  const { outcome = 'unknown', headline = '' } = JSON.parse(output ?? '{}') as { outcome?: string; headline?: string };
  return outcome === 'joined' && headline.includes('shared cause') ? 'joined (storm)' : outcome;
}
