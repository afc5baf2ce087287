// One case's world: a sandbox of its own, put into the state right before something goes wrong, and what is seen of it from outside.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { readAssembly, type StackArtifact } from '../deploy/assembly.ts';
import type { Deployed } from '../deploy/deployer.ts';
import { seededIds } from '../ids.ts';
import { approve } from '../own/approver.ts';
import { startSandbox, type Sandbox } from '../sandbox.ts';
import type { RollbackRun, SentMessage } from '../scenarios/scenario.ts';
import type { WarmProcesses } from '../services/lambda/warm-processes.ts';
import type { Execution } from '../services/states/execution.ts';
import { namesOf, RipcordView } from '../stage/ripcord-view.ts';
import { alarmOf, journeySecret, measuredNamespace, type BaseScenario } from './scenarios.ts';
import type { ExploredTarget } from './targets.ts';

export type Row = Readonly<Record<string, AttributeValue>>;

/** What a release and its Watch left in the ledger, and when. */
export interface Prepared {
  readonly scenario: string;
  /** When the sandbox began, and when the bad release did: epoch milliseconds of sandbox time. */
  readonly beganAt: number;
  readonly releasedAt: number;
  /** When the exploration's runs begin. */
  readonly readyAt: number;
  readonly ledger: readonly Row[];
  readonly madeUpIds: readonly string[];
}

/** What all worlds of one exploration share. */
export interface Grounds {
  readonly assembly: string;
  readonly warm: WarmProcesses;
  /** Of the journeys' server. */
  readonly port: number;
  /** Value of the secret that the journeys use: must be seen nowhere else. */
  readonly secret: string;
}

export const approverArn = 'arn:aws:iam::111122223333:role/release-approver';

const assemblies = new Map<string, readonly StackArtifact[]>();

/** Of one exploration: nobody writes into its folder any more. */
function stacksIn(assembly: string): readonly StackArtifact[] {
  const stacks = assemblies.get(assembly) ?? readAssembly(assembly);
  assemblies.set(assembly, stacks);
  return stacks;
}

// Time goes in steps, from one thing that somebody waits for to the next: see `until`.
const speed = 1;
// Function processes of one case at work at once.
const processes = 8;
// A confirmation may take an hour, an approval one, and so may each retry: what takes longer never ends.
const longestHours = 24;
// Less than the shortest time, in wall milliseconds, for which a function waits for another (`sendOnce`).
const longestUndisturbed = 2500;
// Of a measured service; and its past, longer than the day with which the judge compares.
const requestsPerMinute = 600;
const minutesBefore = 1500;
// A function that is at work always gets the time that Lambda would give it.
const graceMs = 300_000;

export class ExploredWorld {
  readonly sandbox: Sandbox;
  readonly scenario: BaseScenario;
  readonly targets: Readonly<Record<string, ExploredTarget>>;
  readonly secret: string;
  readonly #warm: WarmProcesses;
  #deployed: Deployed | null = null;
  #view: RipcordView | null = null;
  #meddled: ExploredTarget | null = null;
  #isSick = false;

  /** A sandbox with the scenario's targets as they were before the release, and nothing deployed yet. @param startAt epoch milliseconds at which its time is held; default the wall clock's, and it goes by. */
  static async start(scenario: BaseScenario, { warm, port, secret }: Omit<Grounds, 'assembly'>, startAt?: number): Promise<ExploredWorld> {
    // The same ids in each run of a scenario: what came before a fault can then be played back.
    const sandbox = await startSandbox({ ids: seededIds(scenario.name), speed, handleSignals: false, processes, graceMs, warm, quotaTime: (now) => now + performance.now(), ...(startAt === undefined ? {} : { startAt, isHeld: true }) });
    try {
      return new ExploredWorld(sandbox, scenario, { warm, port, secret });
    } catch (error) {
      await sandbox.stop();
      throw error;
    }
  }

  private constructor(sandbox: Sandbox, scenario: BaseScenario, { warm, port, secret }: Omit<Grounds, 'assembly'>) {
    this.sandbox = sandbox;
    this.scenario = scenario;
    this.secret = secret;
    this.#warm = warm;
    this.targets = Object.fromEntries(Object.entries(scenario.targets).map(([id, make]) => [id, make(sandbox, Object.keys(scenario.targets).length === 1 ? scenario.name : `${scenario.name}-${id}`, port)]));
    const { cloudwatch, secrets } = sandbox.services;
    secrets.create(journeySecret, secret);
    cloudwatch.putMetricAlarm({
      AlarmName: alarmOf(scenario.name), Namespace: 'Explored', MetricName: 'Errors', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore',
    });
    this.#calm();
    if (scenario.measured === true) this.#measure();
    const cure = this.targets[scenario.cure];
    sandbox.calls.onCall(({ caller, mutating, output, input, service }) => {
      if (caller.kind === 'role' && mutating && output !== null && cure !== undefined && service === cure.prefix && cure.isTouchedBy(JSON.stringify(input))) this.#calm();
    });
  }

  async deploy(assembly: string): Promise<void> {
    this.#deployed = await this.sandbox.deploy(stacksIn(assembly));
    this.#view = new RipcordView(this.sandbox, namesOf(this.#deployed));
    // What runs by the clock, for all services, would mix its calls into those of the rollback that is explored.
    for (const rule of this.sandbox.services.events.rules()) if (rule.everyMs !== null) rule.state = 'DISABLED';
  }

  get ripcord(): RipcordView {
    if (this.#view === null) throw new Error('nothing is deployed yet');
    return this.#view;
  }

  get ledgerTable(): string {
    const tables = [...(this.#deployed?.byType('AWS::DynamoDB::Table') ?? []), ...(this.#deployed?.byType('AWS::DynamoDB::GlobalTable') ?? [])];
    const found = tables.find(({ ref }) => ref.includes('Ledger'));
    if (found === undefined) throw new Error('the stack has no ledger');
    return found.ref;
  }

  ledger(): Promise<readonly Row[]> {
    return this.sandbox.services.dynamodb.items(this.ledgerTable);
  }

  /** @param withEvent false: it is in ALARM, but no rule hears of it; a person has seen it. */
  fire(withEvent = true): void {
    const { cloudwatch, events } = this.sandbox.services;
    const rules = withEvent ? [] : events.rules().filter((rule) => rule.state === 'ENABLED');
    for (const rule of rules) rule.state = 'DISABLED';
    cloudwatch.setAlarmState(alarmOf(this.scenario.name), 'ALARM', 'an exploration says so');
    for (const rule of rules) rule.state = 'ENABLED';
  }

  /** From now on users suffer while the bad side is live. */
  sicken(): void {
    this.#isSick = true;
  }

  /** A healthy yesterday, and from now on each minute as it comes. */
  #measure(): void {
    const { clock, services: { cloudwatch } } = this.sandbox;
    const dimensions = { Service: this.scenario.name };
    const tell = (at: number, failed: number): void => {
      cloudwatch.record({ namespace: measuredNamespace, name: 'Requests', dimensions, value: requestsPerMinute, at });
      cloudwatch.record({ namespace: measuredNamespace, name: 'Failed', dimensions, value: failed, at });
    };
    const now = clock.now();
    for (let minutes = minutesBefore; minutes > 0; minutes -= 1) tell(now - minutes * 60_000, minutes % 7 === 0 ? 1 : 0);
    clock.every(60_000, () => tell(clock.now(), this.#isSick && this.targets[this.scenario.cure]?.live() === 'green' ? requestsPerMinute / 5 : 0));
  }

  /** Starts the Rollback state machine as a person in the console does. */
  ask(input: unknown): void {
    this.sandbox.services.states.startExecution(this.ripcord.names.rollbackMachineArn, input);
  }

  async approve(): Promise<void> {
    const waiting = this.executions().find(({ status }) => status === 'RUNNING');
    // A person whose answer is not taken tries once more.
    if (waiting !== undefined) await approve(this.sandbox, approverArn, waiting.name).catch(() => approve(this.sandbox, approverArn, waiting.name)).catch(() => null);
  }

  /** A person stops every execution that runs. */
  abort(): void {
    for (const one of this.executions()) if (one.status === 'RUNNING') one.stop('Mistake', 'a person pressed stop');
  }

  /** The target that a call is about. @param service IAM prefix. @param input of the call, as JSON. Null: none. */
  targetOf(service: string, input: string): ExploredTarget | null {
    return Object.values(this.targets).find((one) => one.prefix === service && one.isTouchedBy(input)) ?? null;
  }

  /** A person changes this target. @returns false when it could not be changed at this moment. */
  meddle(target: ExploredTarget | null): boolean {
    if (target?.isOpen() !== true) return false;
    target.meddle();
    this.#meddled = target;
    return true;
  }

  /**
   * This machine was too slow for a fair trial: some client waited in vain for a reply, or a function took seconds though nothing held it up.
   * @param struck the function whose calls were disturbed: it may take as long as it likes.
   */
  isOverdue(struck: string): boolean {
    const others = this.sandbox.services.functions.list().filter(({ spec }) => spec.name !== `ripcord-${struck}`);
    return this.#warm.givenUp(this.sandbox.server) > 0 || others.some(({ longestMilliseconds }) => longestMilliseconds > longestUndisturbed);
  }

  get meddledTarget(): ExploredTarget | null {
    return this.#meddled;
  }

  executions(): readonly Execution[] {
    return this.sandbox.services.states.executions(this.ripcord.names.rollbackMachineArn);
  }

  runs(): readonly RollbackRun[] {
    return this.ripcord.rollbacks();
  }

  messages(): readonly SentMessage[] {
    return this.ripcord.messages();
  }

  isOver(): boolean {
    const all = this.executions();
    return all.length > 0 && all.every(({ status }) => status !== 'RUNNING');
  }

  /** Lets sandbox time go by, step by step, until it holds. @throws Error after so many sandbox hours, or wall seconds. */
  async until(what: string, holds: () => boolean, wallSeconds = 900): Promise<void> {
    const { clock } = this.sandbox;
    const [end, latest] = [performance.now() + wallSeconds * 1000, clock.now() + longestHours * 3_600_000];
    while (!holds()) {
      if (performance.now() > end || clock.now() > latest) throw new Error(`waited ${wallSeconds} s, or ${longestHours} h of sandbox time, in vain until ${what}`);
      await clock.step();
    }
  }

  async sleep(milliseconds: number): Promise<void> {
    const { clock } = this.sandbox;
    const end = clock.now() + milliseconds;
    // Something to wait for, so that no step goes beyond it.
    clock.sleep(milliseconds).catch(() => undefined);
    await this.until('the time is over', () => clock.now() >= end);
  }

  /** Waits until no execution runs, no function works, and nothing that is queued is left. */
  async settled(): Promise<void> {
    await this.until('some rollback has begun', () => this.executions().length > 0 || this.sandbox.services.queues.names.some((name) => this.sandbox.services.queues.peek(name).length > 0));
    const isBusy = (): boolean => this.executions().some(({ status }) => status === 'RUNNING') || this.sandbox.services.functions.list().some((fn) => fn.isBusy);
    await this.until('every rollback has ended', () => !isBusy());
    // Whoever ended otherwise is followed by the Watchdog, which Lambda calls again after one and after two minutes; of an event that reached
    // nobody an alarm tells, which needs two minutes to see it.
    const isGreen = this.executions().length > 0 && this.executions().every(({ status }) => status === 'SUCCEEDED');
    await this.sleep(isGreen ? 60_000 : 300_000);
    const { functions } = this.sandbox.services;
    if (functions.kept > 0) {
      // What Lambda refuses by itself it tries for ten minutes; then an alarm tells.
      await this.until('Lambda keeps no event', () => functions.kept === 0);
      await this.sleep(120_000);
    }
    await this.until('nothing is at work', () => !isBusy());
  }

  /** From now on sandbox time passes in steps alone: what a function does then depends on nothing but what it is asked and told. */
  hold(): void {
    this.sandbox.clock.hold();
  }

  stop(): Promise<void> {
    return this.sandbox.stop();
  }

  #calm(): void {
    this.sandbox.services.cloudwatch.setAlarmState(alarmOf(this.scenario.name), 'OK', 'an exploration says so');
  }
}

/** The world of a scenario as its release left it, with the ledger that Ripcord wrote while it watched that release. Its time is held. */
export async function restore(scenario: BaseScenario, prepared: Prepared, grounds: Grounds): Promise<ExploredWorld> {
  const world = await ExploredWorld.start(scenario, grounds, prepared.beganAt);
  world.hold();
  try {
    for (const target of Object.values(world.targets)) target.firstRelease?.();
    await world.sleep(prepared.releasedAt - world.sandbox.clock.now());
    for (const target of Object.values(world.targets)) target.release();
    await world.sleep(prepared.readyAt - world.sandbox.clock.now());
    // Only now: the Watch of this release is in the ledger already.
    await world.deploy(grounds.assembly);
    const fresh = Object.values(world.targets).flatMap((target) => target.madeUpIds());
    const renamed = (row: Row): Row => JSON.parse(prepared.madeUpIds.reduce((text, id, index) => text.replaceAll(id, fresh[index] ?? id), JSON.stringify(row))) as Row;
    for (const row of prepared.ledger) await world.sandbox.services.dynamodb.putItem(world.ledgerTable, renamed(row));
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}
