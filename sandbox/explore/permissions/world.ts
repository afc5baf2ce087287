// A sandbox in which a permission is missing, or none is: all targets of all services, the deployed stack, and what a scenario does in it.
import { approve } from '../../own/approver.ts';
import type { Permission } from '../../aws/world.ts';
import type { Deployed } from '../../deploy/deployer.ts';
import { startSandbox, type Sandbox } from '../../sandbox.ts';
import type { WarmProcesses } from '../../services/lambda/warm-processes.ts';
import type { Execution } from '../../services/states/execution.ts';
import { namesOf, RipcordView } from '../../stage/ripcord-view.ts';
import { Account, type Target } from './targets.ts';
import { alarmOf, approverArn, metricsOf, secretName, services, type Service } from './services.ts';

export interface Shared {
  readonly warm: WarmProcesses;
  /** Of the journeys' server. */
  readonly port: number;
}

// Function processes of one sandbox at work at once.
const processes = 8;
// A function that is at work always gets the time that Lambda would give it.
const graceMs = 300_000;
const minute = 60_000;
// The same in every sandbox, so that the ARNs of one synthesized stack fit them all.
const began = Date.UTC(2026, 0, 5, 9);

export class PermissionWorld {
  readonly sandbox: Sandbox;
  readonly account: Account;
  readonly targets: Readonly<Record<string, Target>>;
  readonly deployed: Deployed;
  readonly ripcord: RipcordView;
  readonly #warm: WarmProcesses;
  /** Every decision of IAM's since the stack was deployed. */
  readonly decisions: { readonly permission: Permission; readonly who: string }[] = [];

  /** The targets alone, for their documents. */
  static async empty({ warm, port }: Shared): Promise<Omit<PermissionWorldParts, 'deployed'>> {
    const sandbox = await startSandbox({ speed: 1, handleSignals: false, processes, graceMs, warm, startAt: began });
    const account = new Account(sandbox, port);
    sandbox.services.secrets.create(secretName, 'a-secret-of-the-journey');
    const targets: Record<string, Target> = {};
    for (const service of services) targets[service.name] = await makeOne(sandbox, account, service);
    return { sandbox, account, targets };
  }

  /** @param assembly that is deployed. @param measured service whose metrics are recorded. */
  static async start(shared: Shared, assembly: string, measured: string | null = null): Promise<PermissionWorld> {
    const parts = await PermissionWorld.empty(shared);
    try {
      if (measured !== null) measure(parts.sandbox, measured);
      return new PermissionWorld({ ...parts, deployed: await parts.sandbox.deploy(assembly) }, shared.warm);
    } catch (error) {
      await stopAll(parts);
      throw error;
    }
  }

  private constructor(parts: PermissionWorldParts, warm: WarmProcesses) {
    this.#warm = warm;
    this.sandbox = parts.sandbox;
    this.account = parts.account;
    this.targets = parts.targets;
    this.deployed = parts.deployed;
    this.ripcord = new RipcordView(parts.sandbox, namesOf(parts.deployed));
    this.poll(false);
    parts.sandbox.iam.onDecision = (permission, { arn }) => this.decisions.push({ permission, who: arn });
    parts.sandbox.calls.onCall(({ caller, mutating, output, input, service }) => {
      if (caller.kind !== 'role' || !mutating || output === null) return;
      for (const [name, target] of Object.entries(this.targets)) if (target.prefix === service && target.isTouchedBy(JSON.stringify(input))) this.calm(name);
    });
  }

  /** What is taken away only when everything stands: set before a scenario is played. */
  loss: (() => void) | null = null;

  /** Lambda and Step Functions make nothing with a role that they cannot take on: a trust is lost later. */
  lose(): void {
    this.loss?.();
    this.loss = null;
  }

  /** Kills the process of a function at work. */
  kill(accessKeyId: string): void {
    this.#warm.kill(accessKeyId);
  }

  target(service: string): Target {
    const found = this.targets[service];
    if (found === undefined) throw new Error(`there is no service ${service}`);
    return found;
  }

  /** Switches the schedules: what runs by the clock would mix its calls into every scenario. */
  poll(isOn: boolean): void {
    for (const rule of this.sandbox.services.events.rules()) if (rule.everyMs !== null) rule.state = isOn ? 'ENABLED' : 'DISABLED';
  }

  fire(service: string): void {
    this.sandbox.services.cloudwatch.setAlarmState(alarmOf(service), 'ALARM', 'a scenario says so');
  }

  calm(service: string): void {
    this.sandbox.services.cloudwatch.setAlarmState(alarmOf(service), 'OK', 'a scenario says so');
  }

  /** Does something of which no rule hears: its events are lost. */
  unheard(what: () => void): void {
    const rules = this.sandbox.services.events.rules().filter((rule) => rule.state === 'ENABLED' && rule.everyMs === null);
    for (const rule of rules) rule.state = 'DISABLED';
    what();
    for (const rule of rules) rule.state = 'ENABLED';
  }

  put(source: string, type: string, detail: Record<string, unknown>): void {
    this.sandbox.services.events.put({ source, 'detail-type': type, detail });
  }

  announce(service: string, type: 'Release Started' | 'Release Finished'): void {
    this.put('ripcord.release', type, { service, releaseId: `${service}-2`, version: '2.0.0', previousVersion: '1.0.0', actor: 'pipeline' });
  }

  rollbacks(): readonly Execution[] {
    return this.sandbox.services.states.executions(this.ripcord.names.rollbackMachineArn);
  }

  watches(): readonly Execution[] {
    return this.sandbox.services.states.executions(this.ripcord.names.watchMachineArn);
  }

  /** A person who has no policy of their own, but whose role the engine knows as an approver's. @returns what they read. */
  async answer(): Promise<string> {
    const waiting = this.rollbacks().find(({ status }) => status === 'RUNNING');
    if (waiting === undefined) return 'nothing to answer';
    return approve(this.sandbox, approverArn, waiting.name, { ownPolicy: false }).catch((error: unknown) => String(error));
  }

  /** Lets sandbox time go by, step by step, until it holds, or so many minutes are over. @returns whether it holds. */
  async wait(minutes: number, holds: () => boolean): Promise<boolean> {
    const { clock } = this.sandbox;
    const end = clock.now() + minutes * minute;
    clock.sleep(minutes * minute).catch(() => undefined);
    while (!holds() && clock.now() < end) await clock.step();
    return holds();
  }

  async sleep(minutes: number): Promise<void> {
    await this.wait(minutes, () => false);
  }

  /** Waits until no rollback runs, no function works, and the engine's alarms had their say. */
  async settled(): Promise<void> {
    const isBusy = (): boolean => this.rollbacks().some(({ status }) => status === 'RUNNING') || this.sandbox.services.functions.list().some((fn) => fn.isBusy);
    await this.wait(5, () => this.rollbacks().length > 0);
    await this.wait(180, () => !isBusy());
    await this.sleep(12);
    await this.wait(30, () => !isBusy());
  }

  stop(): Promise<void> {
    return stopAll(this);
  }
}

interface PermissionWorldParts {
  readonly sandbox: Sandbox;
  readonly account: Account;
  readonly targets: Readonly<Record<string, Target>>;
  readonly deployed: Deployed;
}

async function stopAll({ account, sandbox }: Pick<PermissionWorldParts, 'account' | 'sandbox'>): Promise<void> {
  await account.stop();
  await sandbox.stop();
}

async function makeOne(sandbox: Sandbox, account: Account, service: Service): Promise<Target> {
  const { cloudwatch } = sandbox.services;
  cloudwatch.putMetricAlarm({
    AlarmName: alarmOf(service.name), Namespace: 'Explored', MetricName: 'Errors', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore',
  });
  cloudwatch.setAlarmState(alarmOf(service.name), 'OK', 'a scenario says so');
  return service.target(account, service.name);
}

/** A day of quiet traffic before, and the same from now on. */
function measure({ clock, services: { cloudwatch } }: Sandbox, service: string): void {
  const { namespace, requests, errors } = metricsOf(service);
  const record = (at: number): void => {
    // Uneven by a fixed pattern, as traffic is: the same in every sandbox.
    cloudwatch.record({ namespace, name: requests, dimensions: {}, value: 100 + Math.round(at / minute) % 7, at });
    cloudwatch.record({ namespace, name: errors, dimensions: {}, value: 0, at });
  };
  for (let ago = 24 * 60; ago > 0; ago -= 1) record(clock.now() - ago * minute);
  clock.every(minute, () => record(clock.now()));
}
