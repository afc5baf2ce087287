// The rates that AWS grants an account, as token buckets that fill in sandbox time.
import { asksInsights, asksSearch, olderDatapoints, recentDatapoints } from './metric-data-cost.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';
import type { SandboxClock } from './world.ts';

export interface Quota extends Rate {
  /** IAM prefix. */
  readonly service: string;
  readonly operations: RegExp;
  /** Tokens that a call takes; 0: it does not count. Default 1. @param now sandbox time, epoch milliseconds. */
  cost?(input: object, now: number): number;
}

// Quotas pages of each service's guide; where no burst is published it equals one second's worth.
export const awsQuotas: readonly Quota[] = [
  { service: 'route53', operations: /./, burst: 5, perSecond: 5 },
  { service: 'elasticloadbalancing', operations: /./, burst: 40, perSecond: 10 },
  { service: 'elasticloadbalancing', operations: /^(Modify|Set|Create|Delete|Add|Remove)/, burst: 20, perSecond: 3 },
  { service: 'cloudwatch', operations: /^DescribeAlarms$/, burst: 9, perSecond: 9 },
  { service: 'cloudwatch', operations: /^DescribeAlarmHistory$/, burst: 20, perSecond: 20 },
  { service: 'cloudwatch', operations: /^ListTagsForResource$/, burst: 10, perSecond: 10 },
  { service: 'cloudwatch', operations: /^(SetAlarmState|PutMetricAlarm|EnableAlarmActions|DisableAlarmActions)$/, burst: 3, perSecond: 3 },
  { service: 'cloudwatch', operations: /^GetAlarmMuteRule$/, burst: 20, perSecond: 20 },
  { service: 'cloudwatch', operations: /^ListAlarmMuteRules$/, burst: 50, perSecond: 50 },
  { service: 'cloudwatch', operations: /^GetMetricData$/, burst: 500, perSecond: 500 },
  { service: 'cloudwatch', operations: /^GetMetricData$/, burst: 10, perSecond: 10, cost: asksInsights },
  { service: 'cloudwatch', operations: /^GetMetricData$/, burst: 50, perSecond: 50, cost: asksSearch },
  { service: 'cloudwatch', operations: /^GetMetricData$/, burst: 180_000, perSecond: 180_000, cost: recentDatapoints },
  { service: 'cloudwatch', operations: /^GetMetricData$/, burst: 396_000, perSecond: 396_000, cost: olderDatapoints },
  { service: 'ecs', operations: /^UpdateService$/, burst: 50, perSecond: 5 },
  { service: 'ecs', operations: /^Describe(Services|Tasks)$/, burst: 100, perSecond: 20 },
  { service: 'ecs', operations: /^(RunTask|StopTask)$/, burst: 100, perSecond: 40 },
  { service: 'ecs', operations: /^RegisterTaskDefinition$/, burst: 20, perSecond: 1 },
  // Without the account's higher-throughput setting.
  { service: 'ssm', operations: /^GetParameter(s|sByPath|History)?$/, burst: 40, perSecond: 40 },
  { service: 'lambda', operations: /^(?!Invoke)/, burst: 15, perSecond: 15 },
  { service: 'states', operations: /^StartExecution$/, burst: 800, perSecond: 150 },
  { service: 'states', operations: /^DescribeExecution$/, burst: 250, perSecond: 10 },
  { service: 'states', operations: /^ListExecutions$/, burst: 100, perSecond: 2 },
  { service: 'states', operations: /^SendTask/, burst: 3000, perSecond: 500 },
  // No call: each state that is entered. Beyond it Step Functions waits (`ExecutionThrottled`), it refuses nothing.
  { service: 'states', operations: /^StateTransition$/, burst: 800, perSecond: 800 },
];

/** Sandbox milliseconds between two looks at a bucket that is empty. */
const waitMs = 50;

interface Filled {
  readonly quota: Quota;
  readonly bucket: TokenBucket;
}

export class Quotas {
  enabled: boolean;
  readonly #clock: SandboxClock;
  readonly #time: (now: number) => number;
  readonly #buckets: readonly Filled[];

  /** @param options.time in which buckets fill up again, from sandbox time, in milliseconds; default that time. */
  constructor(clock: SandboxClock, options: { enabled?: boolean; quotas?: readonly Quota[]; time?: (now: number) => number } = {}) {
    this.#clock = clock;
    this.#time = options.time ?? ((now) => now);
    this.enabled = options.enabled ?? true;
    this.#buckets = (options.quotas ?? awsQuotas).map((quota) => ({ quota, bucket: new TokenBucket(quota, clock.now()) }));
  }

  /**
   * Takes what the call costs from every bucket that it counts against; false, and none taken, when one of them has too little.
   * @param input of the call.
   */
  take(service: string, operation: string, input: object = {}): boolean {
    if (!this.enabled) return true;
    const now = this.#time(this.#clock.now());
    const asked = this.#buckets.filter(({ quota }) => quota.service === service && quota.operations.test(operation)).map(({ quota, bucket }) => ({ bucket, tokens: quota.cost?.(input, now) ?? 1 }));
    if (asked.some(({ bucket, tokens }) => !bucket.has(tokens, now))) return false;
    for (const { bucket, tokens } of asked) bucket.take(tokens);
    return true;
  }

  /** For what AWS makes wait instead of refusing it: null when there is no need to, else resolves as soon as there is room. */
  room(service: string, operation: string): Promise<void> | null {
    return this.take(service, operation) ? null : this.#wait(service, operation);
  }

  async #wait(service: string, operation: string): Promise<void> {
    do await this.#clock.sleep(waitMs);
    while (!this.take(service, operation));
  }
}
