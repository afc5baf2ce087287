// Holds the alarms and moves them between states: each change of value goes to the bus, to the history and to the alarm's actions.
import type { PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import { AwsError, type EventBusPort, type Place, type SandboxClock } from '../../aws/world.ts';
import type { AlarmRecord, AlarmState, CompositeAlarmRecord, MetricAlarmRecord } from './alarm.ts';
import { contributorEvent, stateChangeEvent } from './alarm-events.ts';
import type { StateValue } from './alarm-evaluation.ts';
import { AlarmHistory } from './alarm-history.ts';
import { readCompositeAlarm, readMetricAlarm } from './alarm-input.ts';
import { MuteRules } from './mute-rules.ts';

/** Delivers one action of an alarm, for example a message to an SNS topic. */
export type AlarmActionPort = (action: { readonly actionArn: string; readonly event: Readonly<Record<string, unknown>> }) => void;

export interface AlarmParts {
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly bus: EventBusPort;
  readonly actions?: AlarmActionPort;
}

export interface NewState {
  readonly value: StateValue;
  readonly reason: string;
  readonly reasonData: string | null;
  readonly suppressedBy?: AlarmState['suppressedBy'];
}

export class Alarms {
  readonly history = new AlarmHistory();
  readonly mutes: MuteRules;
  readonly #alarms = new Map<string, AlarmRecord>();
  readonly #parts: AlarmParts;
  readonly #listeners: ((alarm: AlarmRecord) => void)[] = [];

  constructor(parts: AlarmParts) {
    this.#parts = parts;
    this.mutes = new MuteRules(parts.place);
  }

  all(): AlarmRecord[] {
    return [...this.#alarms.values()];
  }

  find(name: string): AlarmRecord | undefined {
    return this.#alarms.get(name);
  }

  /** @throws AwsError `ResourceNotFound`. */
  get(name: string): AlarmRecord {
    const alarm = this.#alarms.get(name);
    if (alarm === undefined) throw new AwsError('ResourceNotFound', `Unknown alarm: ${name}`, { status: 404 });
    return alarm;
  }

  arn(name: string): string {
    const { region, account } = this.#parts.place;
    return `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`;
  }

  /** Hears of every change of an alarm's value, after it was sent to the bus. */
  onTransition(listener: (alarm: AlarmRecord) => void): void {
    this.#listeners.push(listener);
  }

  /** An alarm that exists keeps its state. @throws AwsError for a bad input. */
  putMetric(input: PutMetricAlarmInput): MetricAlarmRecord {
    return this.#keep({ kind: 'metric', ...this.#base(input, 'metric'), ...readMetricAlarm(input), input });
  }

  /** @throws AwsError for a bad input, or when it names an alarm that does not exist. */
  putComposite(input: PutCompositeAlarmInput): CompositeAlarmRecord {
    return this.#keep({ kind: 'composite', ...this.#base(input, 'composite'), rule: readCompositeAlarm(input), input, suppressionUntil: 0 });
  }

  remove(names: readonly string[]): void {
    const missing = names.filter((name) => !this.#alarms.has(name));
    if (missing.length > 0) throw new AwsError('ResourceNotFound', `Unknown alarms: ${missing.join(', ')}`, { status: 404 });
    for (const name of names) this.#alarms.delete(name);
  }

  /** Takes over a new state; an event, the history and the actions only follow when the value (or the suppression) changed. */
  move(alarm: AlarmRecord, next: NewState): void {
    const previous = alarm.state;
    const at = this.#parts.clock.now();
    const suppressedBy = next.suppressedBy ?? null;
    const changed = previous.value !== next.value;
    // A repeated evaluation with the same result is no update: CloudWatch keeps the reason of the transition.
    if (!changed && previous.suppressedBy === suppressedBy) return;
    alarm.state = { value: next.value, reason: next.reason, reasonData: next.reasonData, suppressedBy, updatedAt: at, transitionedAt: changed ? at : previous.transitionedAt };
    const mute = this.mutes.active(alarm.name, at);
    const event = stateChangeEvent(alarm, previous, mute);
    this.history.add({
      name: alarm.name, kind: alarm.kind, type: 'StateUpdate', at, summary: `Alarm updated from ${previous.value} to ${next.value}`,
      data: { oldState: historyState(previous), newState: historyState(alarm.state) },
    });
    this.#parts.bus.put(event);
    if (alarm.actionsEnabled && mute === null && suppressedBy === null) this.#act(alarm, { ...event });
    if (changed) for (const listener of this.#listeners) listener(alarm);
  }

  /** Sends the event of one series of a multi-series alarm; the alarm's own state is not touched. */
  moveContributor(name: string, contributor: { id: string; attributes: Record<string, string> }, state: { value: StateValue; reason: string }): void {
    const alarm = this.get(name);
    if (alarm.kind !== 'metric') throw new AwsError('ValidationError', `${name} is a composite alarm: it has no contributors`);
    const at = this.#parts.clock.now();
    this.history.add({ name, kind: 'metric', type: 'AlarmContributorStateUpdate', at, summary: `Contributor ${contributor.id} updated to ${state.value}`, data: { contributor, newState: state } });
    this.#parts.bus.put(contributorEvent(alarm, contributor, { ...state, at }));
  }

  #act(alarm: AlarmRecord, event: Readonly<Record<string, unknown>>): void {
    const { AlarmActions, OKActions, InsufficientDataActions } = alarm.input;
    const actions = { ALARM: AlarmActions, OK: OKActions, INSUFFICIENT_DATA: InsufficientDataActions }[alarm.state.value] ?? [];
    for (const actionArn of actions) {
      this.history.add({ name: alarm.name, kind: alarm.kind, type: 'Action', at: this.#parts.clock.now(), summary: `Executed action ${actionArn}`, data: { actionState: 'Succeeded', notificationResource: actionArn } });
      this.#parts.actions?.({ actionArn, event });
    }
  }

  #keep<Kept extends AlarmRecord>(alarm: Kept): Kept {
    const isNew = !this.#alarms.has(alarm.name);
    this.#alarms.set(alarm.name, alarm);
    this.history.add({
      name: alarm.name, kind: alarm.kind, type: 'ConfigurationUpdate', at: alarm.configuredAt,
      summary: `Alarm "${alarm.name}" ${isNew ? 'created' : 'updated'}`, data: { type: isNew ? 'Create' : 'Update' },
    });
    return alarm;
  }

  #base(input: PutMetricAlarmInput | PutCompositeAlarmInput, kind: AlarmRecord['kind']): Pick<AlarmRecord, 'name' | 'arn' | 'state' | 'actionsEnabled' | 'configuredAt' | 'tags'> {
    const name = input.AlarmName ?? '';
    const now = this.#parts.clock.now();
    const existing = this.#alarms.get(name);
    if (existing !== undefined && existing.kind !== kind) throw new AwsError('ValidationError', `An alarm of another kind exists with the name ${name}`);
    return {
      name,
      arn: this.arn(name),
      actionsEnabled: input.ActionsEnabled ?? true,
      configuredAt: now,
      tags: existing?.tags ?? new Map((input.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
      state: existing?.state ?? { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', reasonData: null, updatedAt: now, transitionedAt: now, suppressedBy: null },
    };
  }
}

const historyState = ({ value, reason, reasonData }: AlarmState): Record<string, unknown> => ({
  stateValue: value, stateReason: reason, ...(reasonData === null ? {} : { stateReasonData: parsed(reasonData) }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
