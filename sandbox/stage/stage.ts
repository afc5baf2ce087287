// Puts a scenario on: the sandbox, a workload under load, the synthesized stack, and everything a scenario may do or ask.
import type { Sandbox } from '../sandbox.ts';
import { Load } from '../shop/load.ts';
import { makePast } from './made-past.ts';
import type { AuditRow, JsonValue, ReleaseOptions, RollbackRun, SentMessage, Sickness, Stage, Workload } from '../scenarios/scenario.ts';
import type { RipcordView } from './ripcord-view.ts';
import type { Timeline } from './timeline.ts';
import type { DeployedRelease, RunningWorkload } from './workload.ts';

export interface Checked {
  readonly fact: string;
  readonly holds: boolean;
  readonly evidence: string;
}

export interface StageParts {
  readonly sandbox: Sandbox;
  readonly running: RunningWorkload;
  /** The scenario's other services, by name. */
  readonly others?: ReadonlyMap<string, RunningWorkload>;
  readonly ripcord: RipcordView;
  readonly timeline: Timeline;
  /** Default: the demo's. */
  readonly service?: string;
}

const demoService = 'checkout';
const minute = 60_000;
/** How much faster quiet hours pass: more would leave them without any request. */
const haste = 4;
const isOver = (run: RollbackRun): boolean => run.status !== 'RUNNING';
const joined = (run: RollbackRun): boolean => run.outcome === 'joined';

export class LiveStage implements Stage {
  readonly service: string;
  readonly checks: Checked[] = [];
  readonly load: Load;
  /** Sandbox time when a version was first made sick, epoch milliseconds. */
  sickSince: number | null = null;
  readonly #parts: StageParts;
  readonly #told = new Set<string>();
  #liveVersion = '1.0.0';

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.service = parts.service ?? demoService;
    this.load = new Load({ clock: parts.sandbox.clock, target: parts.running.target, requestsPerSecond: Math.min(100, Math.max(40, (40 * parts.sandbox.clock.speed) / 60)) });
  }

  get workload(): Workload {
    return this.#parts.running.names;
  }

  say(text: string): void {
    this.#parts.timeline.tell('world', text);
  }

  check(fact: string, holds: boolean, evidence: string): void {
    this.checks.push({ fact, holds, evidence });
  }

  minutes(count: number): Promise<void> {
    return this.#parts.sandbox.clock.sleep(count * minute);
  }

  secondOfMinute(second: number): Promise<void> {
    const { clock } = this.#parts.sandbox;
    return clock.sleep((second * 1000 - (clock.now() % minute) + minute) % minute);
  }

  async pass(count: number): Promise<void> {
    const { clock } = this.#parts.sandbox;
    const walk = clock.hurry(haste);
    try {
      await clock.sleep(count * minute);
    } finally {
      walk();
    }
  }

  pace(requestsPerMinute: number): void {
    this.load.pace((requestsPerMinute * this.#parts.sandbox.clock.speed) / 60);
  }

  makePast(healthyMinutes: number): void {
    const { sandbox, running, timeline } = this.#parts;
    timeline.tell('world', `yesterday is made up from the last ${healthyMinutes} minutes, which were healthy and measured`);
    for (const store of sandbox.services.cloudwatch.stores) makePast(store, { namespace: running.names.metrics.namespace, now: sandbox.clock.now(), healthyMinutes, minutes: 24 * 60 });
  }

  async until(what: string, holds: () => boolean | Promise<boolean>, withinMinutes: number): Promise<void> {
    const { clock } = this.#parts.sandbox;
    const deadline = clock.now() + withinMinutes * minute;
    while (!(await holds())) {
      if (clock.now() > deadline) throw new Error(`waited ${withinMinutes} minutes in vain until ${what}`);
      await clock.sleep(500);
    }
  }

  sicken(side: 'blue' | 'green', sickness: Sickness, isUsual = false): void {
    if (Object.keys(sickness).length > 0 && !isUsual) this.sickSince ??= this.#parts.sandbox.clock.now();
    this.#parts.running.sicken(side, sickness);
  }

  sickenOther(service: string, sickness: Sickness): void {
    const other = this.#parts.others?.get(service);
    if (other === undefined) throw new Error(`this scenario has no other service "${service}"`);
    other.sicken('blue', sickness);
  }

  async release(version: string, { canaryPercent, finish = canaryPercent === undefined, says = {} }: ReleaseOptions = {}): Promise<string> {
    const { timeline } = this.#parts;
    const releaseId = `release-${version}`;
    const tell = this.#parts.running.announcesReleases;
    timeline.tell('pipeline', `releases ${version}`);
    if (tell) this.#releaseEvent('Release Started', releaseId, version, says);
    const deployed = await this.#deploy(version, { finish, canaryPercent });
    if (tell && finish) this.#releaseEvent('Release Finished', releaseId, version, says);
    this.#liveVersion = version;
    if (finish || canaryPercent !== undefined) timeline.tell('pipeline', `${version} has ${canaryPercent === undefined ? '' : `${canaryPercent} % of `}the traffic`);
    return deployed.releaseId;
  }

  #deploy(version: string, { finish, canaryPercent }: { readonly finish: boolean; readonly canaryPercent: number | undefined }): Promise<DeployedRelease> {
    const { running } = this.#parts;
    if (canaryPercent === undefined) return running.deploy(version, { finish });
    if (running.canary === undefined) throw new Error('this workload shares no traffic between two versions');
    return running.canary(version, canaryPercent);
  }

  async announce(version: string): Promise<void> {
    this.#parts.timeline.tell('pipeline', `${version} is released, and bakes`);
    this.#releaseEvent('Release Started', `release-${version}`, version);
    await this.#parts.sandbox.clock.sleep(20_000);
    this.#releaseEvent('Release Finished', `release-${version}`, version);
  }

  async weights(): Promise<Readonly<Record<string, number>>> {
    return this.#parts.running.weights();
  }

  async setWeights(weights: { readonly blue: number; readonly green: number }, who: string): Promise<void> {
    this.#parts.timeline.tell('world', `${who} sets the weights to blue ${weights.blue}, green ${weights.green}`);
    this.#parts.running.setWeights(weights);
  }

  alarmState(name: string): string {
    return this.#parts.sandbox.services.cloudwatch.alarmState(name) ?? 'there is no such alarm';
  }

  stopInstances(side: 'blue' | 'green'): Promise<void> {
    return this.#parts.running.stopInstances(side);
  }

  takePermissionAway(action: string): void {
    this.#parts.timeline.tell('world', `somebody takes ${action} from every role`);
    const { iam } = this.#parts.sandbox;
    for (const role of iam.roleNames) iam.takeAway(role, action);
  }

  beforeCall(service: string, operation: string, run: () => void | Promise<void>): void {
    this.#parts.sandbox.faults.add({ name: `before ${service}:${operation}`, service, operation, calls: [1], when: ({ caller }) => caller.kind === 'role', effect: { kind: 'before', run } });
  }

  deliverEveryEventTwice(): void {
    this.#parts.sandbox.services.events.disturb({ copies: 2 });
  }

  loseEvents(source: string): void {
    this.#parts.timeline.tell('world', `events of ${source} get lost from now on`);
    this.#parts.sandbox.services.events.disturb({ isLost: true, where: (event) => event.source === source });
  }

  putSignal(detail: Record<string, JsonValue>): void {
    this.#parts.sandbox.services.events.put({ source: 'ripcord.signal', 'detail-type': 'Signal', detail });
  }

  async start(input: unknown): Promise<string> {
    this.#parts.timeline.tell('world', `a person starts the state machine: ${JSON.stringify(input)}`);
    return this.#parts.sandbox.services.states.startExecution(this.#parts.ripcord.names.rollbackMachineArn, input).name;
  }

  rollbacks(): readonly RollbackRun[] {
    return this.#parts.ripcord.rollbacks();
  }

  watches(): ReturnType<Stage['watches']> {
    const { sandbox, ripcord } = this.#parts;
    return sandbox.services.states.executions(ripcord.names.watchMachineArn).toReversed()
      .map(({ name, status, input, history }) => ({
        name, isOver: status !== 'RUNNING', input: JSON.parse(input) as unknown,
        answers: history.events.flatMap(({ type, taskSucceededEventDetails }) => (type === 'TaskSucceeded' ? [(taskSucceededEventDetails as { readonly output?: string } | undefined)?.output ?? ''] : [])),
      }));
  }

  async ended(withinMinutes: number): Promise<RollbackRun> {
    let found: RollbackRun | undefined;
    await this.until('a rollback has ended', () => {
      const runs = this.rollbacks();
      found = runs.find((run) => isOver(run) && !joined(run) && !this.#told.has(run.rollbackId));
      return found !== undefined && runs.every(isOver);
    }, withinMinutes);
    if (found === undefined) throw new Error('no rollback has ended');
    for (const run of this.rollbacks()) this.#told.add(run.rollbackId);
    return found;
  }

  audit(rollbackId: string): Promise<readonly AuditRow[]> {
    return this.#parts.ripcord.audit(rollbackId);
  }

  messages(): readonly SentMessage[] {
    return this.#parts.ripcord.messages();
  }

  changes(): readonly string[] {
    return this.#parts.ripcord.changes().map(({ call }) => call);
  }

  #releaseEvent(detailType: 'Release Started' | 'Release Finished', releaseId: string, version: string, says: Record<string, JsonValue> = {}): void {
    this.#parts.sandbox.services.events.put({
      source: 'ripcord.release', 'detail-type': detailType,
      detail: { service: this.service, releaseId, version, previousVersion: this.#liveVersion, actor: 'pipeline', touched: ['code'], ...says },
    });
  }
}
