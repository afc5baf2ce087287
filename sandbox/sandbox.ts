// The whole sandbox as one object: starts AWS on one local port, takes a CDK assembly, and stops without a trace.
import { AwsError, type AwsService, type Invariant, type MetricsPort, type Place, type Principal } from './aws/world.ts';
import { Calls } from './aws/calls.ts';
import { Quotas, type Quota } from './aws/quotas.ts';
import { SandboxServer } from './aws/server.ts';
import { SpedUpClock, type ClockOptions } from './clock.ts';
import type { StackArtifact } from './deploy/assembly.ts';
import { deployAssembly, type Deployed } from './deploy/deployer.ts';
import { FanOut } from './fan-out.ts';
import { byChance, chance, type Ids } from './ids.ts';
import type { RoleGate } from './role-gate.ts';
import { CloudWatch } from './services/cloudwatch/cloudwatch.ts';
import { cloudWatchService } from './services/cloudwatch/service.ts';
import { DynamoDb } from './services/dynamodb/dynamodb.ts';
import { LoadBalancing } from './services/elbv2/load-balancing.ts';
import { loadBalancingService } from './services/elbv2/service.ts';
import { EventBus } from './services/events/event-bus.ts';
import { eventsService } from './services/events/operations.ts';
import { LambdaAliases } from './services/lambda/aliases.ts';
import { FunctionUrls } from './services/lambda/function-urls.ts';
import { Functions } from './services/lambda/functions.ts';
import { lambdaService } from './services/lambda/operations.ts';
import type { WarmProcesses } from './services/lambda/warm-processes.ts';
import { Route53 } from './services/route53/route53.ts';
import { route53Service } from './services/route53/service.ts';
import { Secrets } from './services/secrets-manager/secrets.ts';
import { secretsManagerService } from './services/secrets-manager/service.ts';
import { snsService } from './services/sns/service.ts';
import { Topics } from './services/sns/topics.ts';
import { startQueueMetrics } from './services/sqs/queue-metrics.ts';
import { Queues } from './services/sqs/queues.ts';
import { sqsService } from './services/sqs/service.ts';
import { ParameterStore } from './services/ssm/parameter-store.ts';
import { ssmService } from './services/ssm/service.ts';
import { statesService } from './services/states/operations.ts';
import { StateMachines } from './services/states/state-machines.ts';
import { stsService } from './services/sts/sts.ts';

export interface SandboxOptions extends Omit<ClockOptions, 'onError'> {
  /** For all that is made up in answers and events; default: by chance. */
  readonly ids?: Ids;
  /** Default: any free one. */
  readonly port?: number;
  readonly place?: Place;
  /** CDK assembly folder to deploy at once. */
  readonly assembly?: string;
  /** Folder for the functions' log files; default: logs are kept in memory only. */
  readonly logDirectory?: string | null;
  /** Function processes at work at the same time; default 12. */
  readonly processes?: number;
  /** Function processes shared with other sandboxes; absent: each function starts its own. */
  readonly warm?: WarmProcesses;
  /** Lambda invocations at work at once in the account; default 1000, as in an account that is not new. */
  readonly concurrency?: number;
  /** Closed executions that are remembered, the newest; default all. */
  readonly keptExecutions?: number;
  /** AWS calls that are kept to be listed, the newest; default 50000. */
  readonly keptCalls?: number;
  /** The rates that the account is granted; default AWS's own. */
  readonly quotas?: readonly Quota[];
  /** The time in which they fill up again, from sandbox time, both in milliseconds; default that time. One that is held needs another: clients wait before they try again. */
  readonly quotaTime?: (now: number) => number;
  /** Real milliseconds that Lambda work always gets, however fast time runs; default 10000. */
  readonly graceMs?: number;
  /** Sandbox milliseconds from a load balancer's change to traffic that follows it; default 1000. */
  readonly loadBalancerPropagationMilliseconds?: number;
  /** Sandbox milliseconds until a Route 53 change is INSYNC; default 20000. */
  readonly dnsPropagationMilliseconds?: number;
  /** Stop on SIGINT and SIGTERM, then end the process; default true. */
  readonly handleSignals?: boolean;
}

export interface SandboxServices {
  /** Versions and aliases of functions that are only traffic: the shop behind a Lambda alias. */
  readonly aliases: LambdaAliases;
  readonly cloudwatch: CloudWatch;
  readonly dynamodb: DynamoDb;
  readonly events: EventBus;
  readonly functions: Functions;
  readonly functionUrls: FunctionUrls;
  readonly loadBalancing: LoadBalancing;
  readonly parameters: ParameterStore;
  readonly queues: Queues;
  readonly route53: Route53;
  readonly secrets: Secrets;
  readonly states: StateMachines;
  readonly topics: Topics;
}

export const defaultPlace: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };

export class Sandbox {
  readonly clock: SpedUpClock;
  readonly place: Place;
  readonly ids: Ids;
  readonly server: SandboxServer;
  readonly services: SandboxServices;
  readonly #stops: (() => void | Promise<void>)[] = [];
  #stopping: Promise<void> | null = null;

  constructor(options: SandboxOptions = {}) {
    this.place = options.place ?? defaultPlace;
    this.ids = options.ids ?? byChance;
    this.clock = new SpedUpClock(options);
    const { quotas: rates, quotaTime: time } = options;
    const quotas = new Quotas(this.clock, { ...(rates === undefined ? {} : { quotas: rates }), ...(time === undefined ? {} : { time }) });
    this.server = new SandboxServer({ services: [], place: this.place, clock: this.clock, quotas, calls: new Calls(options.keptCalls) });
    this.services = makeServices(this, options);
    registerAll(this.server, this.services);
    for (const invariant of [...this.services.loadBalancing.invariants(), ...this.services.route53.invariants()]) this.addInvariant(invariant);
    this.server.calls.onCall(({ caller }) => {
      if ('accessKeyId' in caller) this.services.functions.onAwsCall(caller.accessKeyId);
    });
  }

  get endpoint(): string {
    return this.server.endpoint;
  }

  get iam(): SandboxServer['iam'] {
    return this.server.iam;
  }

  get calls(): SandboxServer['calls'] {
    return this.server.calls;
  }

  get faults(): SandboxServer['faults'] {
    return this.server.faults;
  }

  /** Everything that was published to any topic, oldest first. */
  get inbox(): ReturnType<Topics['inbox']> {
    return this.services.topics.inbox();
  }

  /** Broken invariants so far. */
  get breaches(): SandboxServer['calls']['breaches'] {
    return this.server.calls.breaches;
  }

  addInvariant(invariant: Invariant): void {
    this.server.calls.addInvariant(invariant);
  }

  /** Adds a service that is not built in, for example CodeDeploy; `stop` runs when the sandbox stops. */
  register(service: AwsService, stop?: () => void | Promise<void>): void {
    this.server.register(service);
    if (stop !== undefined) this.#stops.push(stop);
  }

  /** Hooks into the end of the sandbox, for example of the shop's servers. */
  onStop(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /**
   * Creates everything that the stacks of a CDK assembly describe.
   * @throws Error naming each resource type, property or reference that the sandbox does not support.
   */
  deploy(assembly: string | readonly StackArtifact[]): Promise<Deployed> {
    return deployAssembly(assembly, this);
  }

  async listen(port = 0): Promise<void> {
    await this.server.listen(port);
    this.services.cloudwatch.start();
    this.onStop(startQueueMetrics(this.services.queues, this.services.cloudwatch, this.clock));
  }

  /** Ends every process, server and timer of the sandbox. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { events, states, functions, functionUrls, cloudwatch, loadBalancing, route53 } = this.services;
    events.stop();
    states.close();
    for (const stop of this.#stops.toReversed()) await stop();
    cloudwatch.stop();
    loadBalancing.stop();
    route53.stop();
    this.clock.stop();
    await functions.stop();
    await Promise.all([functionUrls.stop(), this.server.close()]);
  }
}

function makeServices(sandbox: Sandbox, options: SandboxOptions): SandboxServices {
  const { clock, place, server, ids } = sandbox;
  const queues = new Queues(place, clock);
  const topics = new Topics(place, clock, ids);
  // Alarms act and metrics are sent only after everything below exists.
  const fanOut = (): FanOut => new FanOut({ server, queues, place, metrics: cloudwatch });
  const events: EventBus = new EventBus({
    clock,
    ids,
    place,
    call: (caller, signingName, asked) => server.call(caller, signingName, asked),
    assume: (roleArn, service, sourceArn) => server.iam.assume(roleArn, service, sourceArn),
    queueUrl: (arn) => queues.url(arn.split(':').at(-1) ?? ''),
    metrics: { record: (datum) => cloudwatch.record(datum) },
  });
  const cloudwatch: CloudWatch = new CloudWatch({ place, clock, bus: events, actions: (action) => fanOut().alarmAction(action) });
  topics.onPublish((published, subscriptions) => fanOut().published(published, subscriptions));
  const functions = makeFunctions(sandbox, options, { fanOut, metrics: cloudwatch });
  const { loadBalancerPropagationMilliseconds: elbDelay, dnsPropagationMilliseconds: dnsDelay, graceMs, keptExecutions } = options;
  return {
    aliases: new LambdaAliases({ place, clock, ids }),
    queues,
    topics,
    events,
    cloudwatch,
    functions,
    functionUrls: new FunctionUrls({ iam: server.iam, place, clock, lambda: functions }),
    states: new StateMachines({
      clock, place, ids, random: () => chance(ids, 'jitter'), bus: events, lambda: functions, gate: gateOf(sandbox), metrics: cloudwatch, transition: () => server.quotas.room('states', 'StateTransition'),
      ...(graceMs === undefined ? {} : { graceMs }), ...(keptExecutions === undefined ? {} : { keptExecutions }),
    }),
    dynamodb: new DynamoDb(place),
    parameters: new ParameterStore(place, clock),
    secrets: new Secrets(place, clock),
    loadBalancing: new LoadBalancing({ place, clock, metrics: cloudwatch, ...(elbDelay === undefined ? {} : { propagationMilliseconds: elbDelay }) }),
    route53: new Route53({ clock, ids, ...(dnsDelay === undefined ? {} : { propagationMilliseconds: dnsDelay }) }),
  };
}

function makeFunctions(sandbox: Sandbox, options: SandboxOptions, { fanOut, metrics }: { fanOut: () => FanOut; metrics: MetricsPort }): Functions {
  const { clock, place, server } = sandbox;
  const { logDirectory, graceMs, processes, concurrency, warm } = options;
  const functions: Functions = new Functions({
    clock,
    place,
    endpoint: () => server.endpoint,
    issueKey: (roleArn, sessionName) => server.iam.issueKey(roleArn, sessionName),
    assume: (roleArn, functionArn) => void server.iam.assume(roleArn, 'lambda.amazonaws.com', functionArn),
    destination: (functionArn, targetArn, record) => fanOut().failure({ functionName: functionArn.split(':')[6] ?? '', caller: () => roleOf(functions, sandbox, functionArn), targetArn }, record),
    metrics,
    ...(logDirectory === undefined ? {} : { logDirectory }),
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(processes === undefined ? {} : { processes }),
    ...(warm === undefined ? {} : { warm: { processes: warm, endpoint: server, adopt: (roleArn: string, accessKeyId: string) => server.iam.adoptKey(roleArn, accessKeyId) } }),
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  return functions;
}

function registerAll(server: SandboxServer, services: SandboxServices): void {
  const all: AwsService[] = [
    cloudWatchService(services.cloudwatch), services.dynamodb.service, eventsService(services.events), lambdaService(services.functions, services.aliases),
    loadBalancingService(services.loadBalancing), ssmService(services.parameters), sqsService(services.queues), route53Service(services.route53),
    secretsManagerService(services.secrets), statesService(services.states), snsService(services.topics), stsService,
  ];
  for (const service of all) server.register(service);
}

function roleOf(functions: Functions, { iam }: Sandbox, functionArn: string): Principal {
  return iam.assume(functions.find(functionArn).spec.roleArn, 'lambda.amazonaws.com', functionArn);
}

/** A state machine's role must trust Step Functions, and then allow the call. */
const gateOf = ({ iam }: Sandbox): RoleGate => ({
  denies: (roleArn, authorization, sourceArn) => {
    try {
      iam.authorize(iam.assume(roleArn, 'states.amazonaws.com', sourceArn), authorization);
      return null;
    } catch (error) {
      if (error instanceof AwsError) return error.message;
      throw error;
    }
  },
});

/** Starts a sandbox that listens on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = new Sandbox(options);
  if (options.handleSignals ?? true) stopOnSignals(sandbox);
  try {
    await sandbox.listen(options.port);
    if (options.assembly !== undefined) await sandbox.deploy(options.assembly);
    return sandbox;
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

function stopOnSignals(sandbox: Sandbox): void {
  const codes = { SIGINT: 130, SIGTERM: 143 } as const;
  const handlers = Object.entries(codes).map(([signal, code]) => {
    const handler = (): void => void sandbox.stop().finally(() => process.exit(code));
    process.once(signal, handler);
    return () => process.off(signal, handler);
  });
  sandbox.onStop(() => handlers.forEach((remove) => remove()));
}
