// Alarm mute rules: which alarms are muted now, by which window of which rule.
import type { GetAlarmMuteRuleOutput, PutAlarmMuteRuleInput } from '@aws-sdk/client-cloudwatch';
import { AwsError, type Place } from '../../aws/world.ts';

export interface ActiveMute {
  readonly ruleArn: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
}

interface MuteRule {
  readonly arn: string;
  readonly input: PutAlarmMuteRuleInput;
  readonly starts: (minute: Date) => boolean;
  readonly durationMilliseconds: number;
  readonly updatedAt: number;
}

const minute = 60_000;
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export class MuteRules {
  readonly #rules = new Map<string, MuteRule>();
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** @throws AwsError `ValidationError` for a schedule or duration it cannot read; only the UTC time zone is supported. */
  put(input: PutAlarmMuteRuleInput, now: number): void {
    const name = input.Name ?? '';
    const schedule = input.Rule?.Schedule;
    if (name === '' || schedule === undefined) throw invalid('Name and Rule.Schedule are required');
    if (schedule.Timezone !== undefined && schedule.Timezone !== 'UTC') throw invalid(`the time zone ${schedule.Timezone} is not supported by the sandbox; use UTC`);
    this.#rules.set(name, {
      arn: this.arn(name),
      input,
      starts: startsAt(schedule.Expression ?? ''),
      durationMilliseconds: isoDuration(schedule.Duration ?? ''),
      updatedAt: now,
    });
  }

  arn(name: string): string {
    return `arn:aws:cloudwatch:${this.#place.region}:${this.#place.account}:alarm-mute-rule:${name}`;
  }

  /** @throws AwsError `ResourceNotFoundException`. */
  get(name: string, now: number): GetAlarmMuteRuleOutput {
    const rule = this.#rules.get(name);
    if (rule === undefined) throw new AwsError('ResourceNotFoundException', `Alarm mute rule ${name} does not exist`, { status: 404 });
    const { Name, Description, Rule, MuteTargets, StartDate, ExpireDate } = rule.input;
    return {
      Name, Description, Rule, MuteTargets, StartDate, ExpireDate, AlarmMuteRuleArn: rule.arn, LastUpdatedTimestamp: new Date(rule.updatedAt),
      Status: status(rule, now), MuteType: rule.input.Rule?.Schedule?.Expression?.startsWith('at(') === true ? 'ONE_TIME' : 'RECURRING',
    };
  }

  list(alarmName: string | undefined, now: number): GetAlarmMuteRuleOutput[] {
    const names = [...this.#rules.entries()].filter(([, rule]) => alarmName === undefined || targets(rule).includes(alarmName)).map(([name]) => name);
    return names.map((name) => this.get(name, now));
  }

  remove(name: string): void {
    this.#rules.delete(name);
  }

  /** The window that mutes this alarm now, or null. */
  active(alarmName: string, now: number): ActiveMute | null {
    for (const rule of this.#rules.values()) {
      const start = targets(rule).includes(alarmName) ? windowStart(rule, now) : null;
      if (start !== null) return { ruleArn: rule.arn, start, end: start + rule.durationMilliseconds };
    }
    return null;
  }
}

const invalid = (why: string): AwsError => new AwsError('ValidationError', `Alarm mute rule: ${why}`);
const targets = (rule: MuteRule): readonly string[] => rule.input.MuteTargets?.AlarmNames ?? [];

function status(rule: MuteRule, now: number): 'ACTIVE' | 'SCHEDULED' | 'EXPIRED' {
  if (windowStart(rule, now) !== null) return 'ACTIVE';
  return rule.input.ExpireDate !== undefined && rule.input.ExpireDate.getTime() <= now ? 'EXPIRED' : 'SCHEDULED';
}

// A window is at most 15 days long, so looking back minute by minute stays cheap.
function windowStart({ input, starts, durationMilliseconds }: MuteRule, now: number): number | null {
  if (now < (input.StartDate?.getTime() ?? 0) || now >= (input.ExpireDate?.getTime() ?? Infinity)) return null;
  for (let at = Math.floor(now / minute) * minute; at > now - durationMilliseconds; at -= minute) {
    if (starts(new Date(at))) return at;
  }
  return null;
}

function startsAt(expression: string): (time: Date) => boolean {
  const once = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d)\)$/.exec(expression)?.[1];
  if (once !== undefined) return (time) => time.toISOString().startsWith(once);
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  const [minutes, hours, days, month, weekday] = fields;
  if (minutes === undefined || hours === undefined || days === undefined || month === undefined || weekday === undefined || fields.length > 5) throw invalid(`the schedule '${expression}' is neither at(yyyy-MM-ddThh:mm) nor cron with five fields`);
  const checks: readonly ((time: Date) => boolean)[] = [
    on(minutes, (time) => time.getUTCMinutes()), on(hours, (time) => time.getUTCHours()), on(days, (time) => time.getUTCDate()),
    on(named(month, months, 1), (time) => time.getUTCMonth() + 1), on(named(weekday, weekdays, 0), (time) => time.getUTCDay()),
  ];
  return (time) => checks.every((check) => check(time));
}

const named = (field: string, names: readonly string[], first: number): string =>
  names.reduce((text, name, index) => text.replaceAll(new RegExp(name, 'gi'), String(index + first)), field);

function on(field: string, part: (time: Date) => number): (time: Date) => boolean {
  if (field === '*') return () => true;
  const wanted = new Set<number>();
  for (const piece of field.split(',')) {
    const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(piece) ?? [];
    if (from === '') throw invalid(`the cron field '${field}' cannot be read`);
    for (let value = Number(from); value <= Number(to); value += 1) wanted.add(value);
  }
  return (time) => wanted.has(part(time));
}

function isoDuration(text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/.exec(text);
  const [days, hours, minutes] = [match?.[1], match?.[2], match?.[3]].map((part) => Number(part ?? 0));
  const milliseconds = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * minute;
  if (match === null || milliseconds < minute || milliseconds > 15 * 24 * 60 * minute) throw invalid(`the duration '${text}' must be between PT1M and P15D`);
  return milliseconds;
}
