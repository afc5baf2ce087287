// A rule of the default bus: what it matches, when it runs by itself, and where it sends.
import { compilePattern, type Matcher } from './pattern.ts';
import { checkTargetInput, type TargetInput } from './transformer.ts';

export interface RuleTarget extends TargetInput {
  readonly Id: string;
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly DeadLetterConfig?: { readonly Arn?: string };
  readonly RetryPolicy?: { readonly MaximumEventAgeInSeconds?: number; readonly MaximumRetryAttempts?: number };
  readonly [unsupported: string]: unknown;
}

export interface RuleInput {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON text. */
  readonly pattern?: string | undefined;
  readonly schedule?: string | undefined;
  readonly state: 'ENABLED' | 'DISABLED';
}

export interface Rule extends RuleInput {
  readonly arn: string;
  readonly matches: Matcher | null;
  /** Sandbox milliseconds between two runs of a schedule. */
  readonly everyMs: number | null;
  readonly targets: Map<string, RuleTarget>;
  state: 'ENABLED' | 'DISABLED';
  cancelSchedule: () => void;
}

const targetFields = ['Id', 'Arn', 'RoleArn', 'Input', 'InputPath', 'InputTransformer', 'DeadLetterConfig', 'RetryPolicy'];
// AWS: targets of one rule.
export const targetLimit = 5;
const patternLimit = 2048;
const units: Readonly<Record<string, number>> = { minute: 60_000, minutes: 60_000, hour: 3_600_000, hours: 3_600_000, day: 86_400_000, days: 86_400_000 };

/** @throws Error when pattern or schedule are not valid or not supported. */
export function makeRule(input: RuleInput, arn: string): Rule {
  if (input.pattern === undefined && input.schedule === undefined) throw new Error('a rule needs an event pattern or a schedule');
  if (input.pattern !== undefined && input.pattern.length > patternLimit) throw new Error(`an event pattern has at most ${patternLimit} characters, this one has ${input.pattern.length}`);
  const matches = input.pattern === undefined ? null : matcherOf(input.pattern);
  const everyMs = input.schedule === undefined ? null : rate(input.schedule);
  return { ...input, arn, matches, everyMs, targets: new Map(), cancelSchedule: () => undefined };
}

// By text: a matcher knows nothing of the bus whose rule it is.
const matchers = new Map<string, Matcher>();
const keptMatchers = 5000;

/** @throws Error for what is no JSON, or no pattern. */
function matcherOf(pattern: string): Matcher {
  const known = matchers.get(pattern);
  if (known !== undefined) return known;
  const made = compilePattern(JSON.parse(pattern));
  if (matchers.size >= keptMatchers) matchers.clear();
  matchers.set(pattern, made);
  return made;
}

function rate(schedule: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minutes?|hours?|days?)\)$/.exec(schedule) ?? [];
  const milliseconds = units[unit];
  if (count === undefined || milliseconds === undefined || Number(count) < 1) throw new Error(`schedule ${schedule} is not supported: rate(n minutes|hours|days) only`);
  if ((Number(count) === 1) !== !unit.endsWith('s')) throw new Error(`schedule ${schedule} is not valid: singular for 1, plural for more`);
  return Number(count) * milliseconds;
}

/** @throws Error naming what the target asks for that is not supported. */
export function checkTarget(target: RuleTarget): void {
  const strange = Object.keys(target).filter((field) => target[field] !== undefined && !targetFields.includes(field));
  if (strange.length > 0) throw new Error(`target ${target.Id}: ${strange.join(', ')} is not supported`);
  const service = target.Arn.split(':')[2];
  if (!['states', 'lambda', 'sns', 'sqs'].includes(service ?? '')) throw new Error(`target ${target.Id}: ${target.Arn} is no state machine, function, topic or queue`);
  if (service === 'states' && target.RoleArn === undefined) throw new Error(`target ${target.Id}: a state machine needs a RoleArn`);
  if (target.DeadLetterConfig?.Arn?.endsWith('.fifo') === true) throw new Error(`target ${target.Id}: a dead-letter queue cannot be FIFO`);
  const { MaximumEventAgeInSeconds: age = 86_400, MaximumRetryAttempts: attempts = 185 } = target.RetryPolicy ?? {};
  if (age < 60 || age > 86_400) throw new Error(`target ${target.Id}: MaximumEventAgeInSeconds must be 60 to 86400`);
  if (attempts < 0 || attempts > 185) throw new Error(`target ${target.Id}: MaximumRetryAttempts must be 0 to 185`);
  checkTargetInput(target);
}
