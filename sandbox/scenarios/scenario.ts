// What a scenario is: a service under real load, something that happens to it, and the facts that must hold afterwards.

/** Names and addresses of the workload that the sandbox runs, for writing a service's catalogue entry. */
export interface Workload {
  /** Base URL of the shop through its load balancer, for example `http://127.0.0.1:34567`. */
  readonly url: string;
  /** `127.0.0.1:34567`, for the journeys' loopback list. */
  readonly host: string;
  readonly listenerArn: string;
  readonly loadBalancer: string;
  readonly targetGroups: { readonly blue: string; readonly green: string };
  readonly hostedZoneId: string;
  readonly recordName: string;
  readonly codedeploy: { readonly application: string; readonly deploymentGroup: string };
  /** Absent unless the traffic is `ecs`. */
  readonly ecs?: { readonly cluster: string; readonly service: string };
  /** Where the workload's traffic is measured. */
  readonly metrics: { readonly namespace: string; readonly dimensions: Readonly<Record<string, string>>; readonly requests: string; readonly errors: string; readonly latency: string };
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type ServiceDocument = { [key: string]: JsonValue };

/** How a version behaves: nothing set means healthy. */
export interface Sickness {
  /** Share of requests that answer 500, 0–1. */
  readonly errorShare?: number;
  /** They come evenly instead of by chance, so that a few minutes show what their share is. */
  readonly areErrorsEven?: boolean;
  /** Added to each answer, in real milliseconds. */
  readonly delayMs?: number;
  /** POST /checkout answers 500 for everybody. */
  readonly checkoutBroken?: boolean;
}

export interface RollbackRun {
  readonly rollbackId: string;
  readonly executionArn: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly startedAt: number;
  readonly stoppedAt: number | null;
  readonly input: unknown;
  /** How it ended: `recovered`, `left`, `joined` …; of a failed execution its error. Null while it runs. */
  readonly outcome: string | null;
  /** One sentence; of a failed execution its cause. */
  readonly headline: string;
}

export interface AuditRow {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly data: Record<string, unknown>;
}

export interface SentMessage {
  readonly topic: 'on-call' | 'stakeholders';
  readonly subject: string;
  readonly text: string;
  readonly at: number;
}

/** Another service in the shop's account, behind a load balancer of its own and with alarms on its own metrics. */
export interface OtherService {
  /** Its catalogue entry, as it would stand under its name in services.yaml. */
  service(workload: Workload): ServiceDocument;
  /** The shop calls it for each request of a user; one of them at the most. Otherwise it has users of its own. Default false. */
  readonly isCalled?: boolean;
  /** Bad minutes in a row until its alarms fire; default 2, as the shop's. */
  readonly alarmMinutes?: number;
}

export interface Scenario {
  readonly name: string;
  /** One line for `--list`: what goes wrong, and what Ripcord must do. */
  readonly summary: string;
  /** Which kind of workload carries the traffic. */
  readonly traffic: 'load-balancer' | 'dns' | 'codedeploy' | 'ecs';
  /** The catalogue entry, as it would stand under `services.checkout` in services.yaml. */
  service(workload: Workload, others: Readonly<Record<string, Workload>>): ServiceDocument;
  /** By name. Absent: the shop stands alone. */
  readonly others?: Readonly<Record<string, OtherService>>;
  /** The shop in other Regions, each with users of its own: a name of this scenario to the Region. This engine knows none of them. Absent: in its own Region alone. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** What services.yaml says under `engine`, beside who is on call. */
  readonly engine?: ServiceDocument;
  play(stage: Stage): Promise<void>;
}

export interface ReleaseOptions {
  readonly finish?: boolean;
  /** It gets so much of the traffic, in percent, and stays so: it does not finish. */
  readonly canaryPercent?: number;
  /** What the pipeline says of it in its event, beside the usual: what it touched, the database's floor, a backup. */
  readonly says?: Record<string, JsonValue>;
}

/** What a scenario can do to the world and ask of it. Durations are sandbox time. */
export interface Stage {
  readonly workload: Workload;
  readonly service: string;
  /** A line of the timeline. */
  say(text: string): void;
  /** A fact that must hold; printed with its evidence, and the scenario fails without it. */
  check(fact: string, holds: boolean, evidence: string): void;
  /** Lets traffic flow for so many minutes. */
  minutes(count: number): Promise<void>;
  /** Waits for this second of a minute, as alarms count them. */
  secondOfMinute(second: number): Promise<void>;
  /** Lets so many minutes pass in which nothing happens, several times as fast: fewer requests fall into each of them. */
  pass(count: number): Promise<void>;
  /** So many requests a minute from now on. */
  pace(requestsPerMinute: number): void;
  /** Makes up the day before from the healthy minutes measured so far (`healthyMinutes` of them): what the sandbox is too young to have. */
  makePast(healthyMinutes: number): void;
  until(what: string, holds: () => boolean | Promise<boolean>, withinMinutes: number): Promise<void>;

  /** Makes the version that runs on a side sick; healthy again with `{}`. @param isUsual it was so all along: nobody has to detect it. Default false. */
  sicken(side: 'blue' | 'green', sickness: Sickness, isUsual?: boolean): void;
  /** Makes one of the scenario's other services, or the shop in another Region, sick, whatever it released; well again with `{}`. */
  sickenOther(service: string, sickness: Sickness): void;
  /** Starts and finishes a release the way the workload's pipeline does; resolves when it is finished. */
  release(version: string, options?: ReleaseOptions): Promise<string>;
  /** Sends the events of a release that changes nothing: the version that is live anyway. */
  announce(version: string): Promise<void>;
  /** Weights that the load balancer or DNS holds now, by side. */
  weights(): Promise<Readonly<Record<string, number>>>;
  setWeights(weights: { readonly blue: number; readonly green: number }, who: string): Promise<void>;
  alarmState(name: string): string;
  stopInstances(side: 'blue' | 'green'): Promise<void>;
  /** Takes an action out of every role's policies. */
  takePermissionAway(action: string): void;
  /** Runs right before the given call reaches AWS, once. */
  beforeCall(service: string, operation: string, run: () => void | Promise<void>): void;
  deliverEveryEventTwice(): void;
  /** From now on no event of this source reaches a rule, for example `aws.codedeploy`. */
  loseEvents(source: string): void;
  putSignal(detail: Record<string, JsonValue>): void;

  /** Starts the Rollback state machine as a person in the console would. */
  start(input: unknown): Promise<string>;
  rollbacks(): readonly RollbackRun[];
  /** Executions of the Watch, oldest first; `answers`: what its functions said, in order. */
  watches(): readonly { readonly name: string; readonly isOver: boolean; readonly input: unknown; readonly answers: readonly string[] }[];
  /** Waits until a rollback that acts or decides has ended, and no other is running. */
  ended(withinMinutes: number): Promise<RollbackRun>;
  audit(rollbackId: string): Promise<readonly AuditRow[]>;
  messages(): readonly SentMessage[];
  /** Mutating calls that Ripcord's roles made on the workload, for example `elasticloadbalancing:ModifyListener`. */
  changes(): readonly string[];
}
