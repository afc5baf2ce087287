// The real synthesized stack in a sandbox with small services, and what a test may do to them.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { synthesize } from '../../lib/app.ts';
import type { Deployed } from '../../sandbox/deploy/deployer.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { AuditRow, JsonValue, RollbackRun, SentMessage, ServiceDocument } from '../../sandbox/scenarios/scenario.ts';
import type { Execution } from '../../sandbox/services/states/execution.ts';
import type { LambdaFunction } from '../../sandbox/services/lambda/lambda-function.ts';
import { namesOf, RipcordView } from '../../sandbox/stage/ripcord-view.ts';
import { alarmsOf, albTarget, smallService, type SmallTarget, type TargetKind } from './small-services.ts';

export interface ServiceSetting {
  readonly target?: TargetKind;
  readonly changes?: ServiceDocument;
}

export interface RigOptions {
  readonly services: Readonly<Record<string, ServiceSetting>>;
  readonly engine?: Readonly<Record<string, JsonValue>>;
  /** Sandbox seconds per wall second while nothing works. */
  readonly speed?: number;
}

const minute = 60_000;
const isOver = ({ status }: { readonly status: string }): boolean => status !== 'RUNNING';

export class Rig {
  readonly sandbox: Sandbox;
  readonly deployed: Deployed;
  readonly ripcord: RipcordView;
  readonly targets: Readonly<Record<string, SmallTarget>>;
  readonly #stops: (() => Promise<unknown>)[];

  static async start({ services, engine = {}, speed = 120 }: RigOptions): Promise<Rig> {
    const directory = await mkdtemp(path.join(tmpdir(), 'ripcord-e2e-'));
    const server = await startServer();
    // Few processes at once, each with time to spare: on a busy machine twelve cold starts together take longer than a function may.
    const sandbox = await startSandbox({ speed, handleSignals: false, processes: 6, graceMs: 30_000 });
    try {
      const { port } = server.address() as AddressInfo;
      const targets = Object.fromEntries(Object.entries(services).map(([name, { target = albTarget }]) => [name, target(sandbox, name, port)]));
      createAlarms(sandbox, Object.keys(services));
      const config = path.join(directory, 'services.yaml');
      const documents = Object.entries(services).map(([name, { changes = {} }]) => [name, smallService(name, targets[name] as SmallTarget, changes)]);
      await writeFile(config, stringify({ engine: { storm: { services: 1000, minutes: 10 }, ...engine }, services: Object.fromEntries(documents) as JsonValue }));
      synthesize(config, path.join(directory, 'cdk.out'));
      const deployed = await sandbox.deploy(path.join(directory, 'cdk.out'));
      return new Rig({ sandbox, deployed, targets }, [() => sandbox.stop(), () => new Promise((resolve) => server.close(resolve)), () => rm(directory, { recursive: true, force: true })]);
    } catch (error) {
      await sandbox.stop();
      server.close();
      throw error;
    }
  }

  private constructor({ sandbox, deployed, targets }: Pick<Rig, 'sandbox' | 'deployed' | 'targets'>, stops: (() => Promise<unknown>)[]) {
    this.sandbox = sandbox;
    this.deployed = deployed;
    this.ripcord = new RipcordView(sandbox, namesOf(deployed));
    this.targets = targets;
    this.#stops = stops;
    sandbox.calls.onCall(({ caller, mutating, status, input, service }) => {
      if (caller.kind !== 'role' || !mutating || status >= 300 || !changers.has(service)) return;
      const text = JSON.stringify(input);
      for (const [name, target] of Object.entries(targets)) if (target.isTouchedBy(text)) this.calm(name);
    });
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }

  /** Waits in sandbox time, looking every 20 ms of wall time; gives up after so many seconds of it, several times what a busy computer takes. */
  async until(what: string, holds: () => boolean | Promise<boolean>, wallSeconds = 120): Promise<void> {
    for (const end = performance.now() + wallSeconds * 1000; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 20)))
      if (await holds()) return;
    throw new Error(`waited ${wallSeconds} s in vain until ${what}; ${this.ripcord.rollbacks().map(({ rollbackId, outcome, headline }) => `${rollbackId}: ${outcome} ${headline}`).join('; ')}`);
  }

  /** A pipeline's release of each named service: quiet before, announced, live, finished, and its Watch over. */
  async release(services: readonly string[] = Object.keys(this.targets)): Promise<void> {
    await this.sandbox.clock.sleep(2 * minute);
    const before = new Set(this.#watches());
    const fresh = (): readonly Execution[] => this.#watches().filter((one) => !before.has(one));
    const announced = services.filter((name) => this.targets[name]?.announces === true);
    for (const name of announced) this.#releaseEvent('Release Started', name);
    await this.until('each Watch has seen the state before', () => fresh().filter((one) => isOver(one) || one.history.events.some(({ type }) => type === 'WaitStateEntered')).length >= announced.length);
    await Promise.all(services.map(async (name) => this.targets[name]?.release()));
    for (const name of announced) this.#releaseEvent('Release Finished', name);
    await this.sandbox.services.events.settled();
    await this.until('each Watch is over', () => fresh().every((one) => isOver(one) || this.#isStillShifting(one.input)));
    await this.#checkGood(announced, fresh());
  }

  /** What the fresh Watches said, for whoever wonders why a version was not called good. */
  async #checkGood(services: readonly string[], watches: readonly Execution[]): Promise<void> {
    const ledger = await this.ledger();
    const without = services.filter((name) => !ledger.some(({ pk, sk, data }) => pk === `SERVICE#${name}` && sk?.startsWith('GOOD#') === true && data?.includes('"1.0.0"') === true));
    if (without.length === 0) return;
    const said = watches.flatMap(({ history, input }) => history.events.filter(({ type }) => type === 'TaskSucceeded' || type === 'TaskFailed').map((event) => `${serviceOf(JSON.parse(input))}: ${JSON.stringify(event).slice(0, 700)}`));
    throw new Error(`the version before the release of ${without.join(', ')} was not called good:\n${said.filter((line) => line.startsWith(`${without[0]}:`)).join('\n')}`);
  }

  /** The alarms of a service fire. They are calm again as soon as its target is changed by a role. */
  fire(service: string, count = 2): void {
    for (const name of alarmsOf(service).slice(0, count)) this.sandbox.services.cloudwatch.setAlarmState(name, 'ALARM', 'a test says so');
  }

  calm(service: string): void {
    for (const name of alarmsOf(service)) this.sandbox.services.cloudwatch.setAlarmState(name, 'OK', 'a test says so');
  }

  /** Starts the Rollback state machine as a person in the console does. */
  ask(input: unknown, name?: string): RollbackRun {
    const { executionArn } = this.sandbox.services.states.startExecution(this.ripcord.names.rollbackMachineArn, input, name);
    return this.#run(({ executionArn: arn }) => arn === executionArn);
  }

  /** Runs of one service that did not join another; oldest first. */
  runs(service: string): readonly RollbackRun[] {
    return this.ripcord.rollbacks().filter(({ input, outcome }) => serviceOf(input) === service && outcome !== 'joined');
  }

  /** The only run of the service, when it and all that joined it are over. */
  async ended(service: string): Promise<RollbackRun> {
    const mine = (): readonly RollbackRun[] => this.ripcord.rollbacks().filter(({ input }) => serviceOf(input) === service);
    await this.until(`the rollback of ${service} has ended`, () => mine().length > 0 && mine().every(isOver) && this.runs(service).length > 0);
    const [run, ...others] = this.runs(service);
    if (run === undefined || others.length > 0) throw new Error(`${service} has ${this.runs(service).length} runs of its own: ${this.runs(service).map(({ rollbackId, outcome }) => `${rollbackId} ${outcome}`).join(', ')}`);
    return run;
  }

  async endOf(run: RollbackRun): Promise<RollbackRun> {
    const now = (): RollbackRun => this.#run(({ executionArn }) => executionArn === run.executionArn);
    await this.until(`${run.rollbackId} has ended`, () => isOver(now()));
    return now();
  }

  audit(rollbackId: string): Promise<readonly AuditRow[]> {
    return this.ripcord.audit(rollbackId);
  }

  async kinds(rollbackId: string): Promise<readonly string[]> {
    return (await this.audit(rollbackId)).map(({ kind }) => kind);
  }

  /** Messages that speak of this run. */
  messages(rollbackId: string): readonly SentMessage[] {
    return this.ripcord.messages().filter(({ text }) => text.includes(rollbackId));
  }

  /** Calls with which roles changed the service's target. */
  changes(service: string): readonly string[] {
    const target = this.targets[service] as SmallTarget;
    return this.sandbox.calls.list({ mutating: true, where: ({ caller, status, input, service: prefix }) => caller.kind === 'role' && status < 300 && changers.has(prefix) && target.isTouchedBy(JSON.stringify(input)) }).map(({ operation }) => operation);
  }

  async ledger(): Promise<readonly Readonly<Record<string, string>>[]> {
    const table = this.#tableOf('Ledger');
    return (await this.sandbox.services.dynamodb.items(table)).map((item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, value.S ?? value.N ?? JSON.stringify(value)])));
  }

  /** Owner of the service's lock, or null when it is free. */
  async lockOwner(service: string): Promise<string | null> {
    return (await this.ledger()).find(({ pk, sk }) => pk === `SERVICE#${service}` && sk === 'LOCK')?.['owner'] ?? null;
  }

  fn(name: string): LambdaFunction {
    return this.sandbox.services.functions.find(`ripcord-${name}`);
  }

  roleOf(name: string): string {
    return this.fn(name).spec.roleArn.split('/').at(-1) ?? '';
  }

  get ledgerTable(): string {
    return this.#tableOf('Ledger');
  }

  /** Everything that any role was refused. */
  denials(): readonly string[] {
    return this.sandbox.calls.list({ where: ({ caller, permissions }) => caller.kind === 'role' && permissions.some(({ allowed }) => !allowed) }).map(({ service, operation, caller }) => `${service}:${operation} by ${caller.arn}`);
  }

  #tableOf(part: string): string {
    const found = this.deployed.byType('AWS::DynamoDB::Table').find(({ ref }) => ref.includes(part)) ?? this.deployed.byType('AWS::DynamoDB::GlobalTable').find(({ ref }) => ref.includes(part));
    if (found === undefined) throw new Error(`the stack has no table like ${part}`);
    return found.ref;
  }

  #run(is: (run: RollbackRun) => boolean): RollbackRun {
    const found = this.ripcord.rollbacks().find(is);
    if (found === undefined) throw new Error('there is no such run');
    return found;
  }

  #watches(): readonly Execution[] {
    return this.sandbox.services.states.executions(this.ripcord.names.watchMachineArn);
  }

  #isStillShifting(input: string): boolean {
    const name = serviceOf(JSON.parse(input));
    const target = this.targets[name];
    return target !== undefined && !target.announces && target.live() !== 'green';
  }

  #releaseEvent(type: 'Release Started' | 'Release Finished', service: string): void {
    this.sandbox.services.events.put({ source: 'ripcord.release', 'detail-type': type, detail: { service, releaseId: `${service}-2`, version: '2.0.0', previousVersion: '1.0.0', actor: 'pipeline' } });
  }
}

const changers = new Set(['elasticloadbalancing', 'route53', 'codedeploy', 'ecs', 'lambda', 'ssm']);
const serviceOf = (input: unknown): string => (input as { service?: string } | null)?.service ?? '';

function createAlarms({ services: { cloudwatch } }: Sandbox, services: readonly string[]): void {
  for (const AlarmName of services.flatMap(alarmsOf)) {
    cloudwatch.putMetricAlarm({
      AlarmName, Namespace: 'Test', MetricName: AlarmName, Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore',
    });
    cloudwatch.setAlarmState(AlarmName, 'OK', 'a test says so');
  }
}

/** Answers every health check. */
async function startServer(): Promise<Server> {
  const server = createServer((_, response) => void response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
