// A small account for tests of Assess and the Watch: catalogue, ledger, alarms, traffic and deployments behind the real clients.
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { putKnownGood, putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { addToStorm } from '../../lambdas/adapters/ledger-storm.ts';
import { type LedgerTable, putIf } from '../../lambdas/adapters/ledger-table.ts';
import { type ServiceInput, serviceSchema } from '../../lambdas/config/schema.ts';
import type { Release } from '../../lambdas/domain/vocabulary.ts';
import type { AssessInput } from '../../lambdas/domain/workflow.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import type { WatchParts } from '../../lambdas/runtime/watch.ts';
import { SandboxServer } from '../../sandbox/aws/server.ts';
import { SpedUpClock } from '../../sandbox/clock.ts';
import type { EventBusPort, Place } from '../../sandbox/aws/world.ts';
import { CloudWatch } from '../../sandbox/services/cloudwatch/cloudwatch.ts';
import { cloudWatchService } from '../../sandbox/services/cloudwatch/service.ts';
import { CodeDeploy } from '../../sandbox/services/codedeploy/codedeploy.ts';
import { LambdaPlatform } from '../../sandbox/services/codedeploy/lambda-platform.ts';
import type { DeploymentRecord } from '../../sandbox/services/codedeploy/records.ts';
import { codeDeployService } from '../../sandbox/services/codedeploy/service.ts';
import { DynamoDb } from '../../sandbox/services/dynamodb/dynamodb.ts';
import { Ecs } from '../../sandbox/services/ecs/ecs.ts';
import { RollingServices } from '../../sandbox/services/ecs/rolling.ts';
import { ecsService } from '../../sandbox/services/ecs/service.ts';
import { LambdaAliases } from '../../sandbox/services/lambda/aliases.ts';
import { ParameterStore } from '../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../sandbox/services/ssm/service.ts';
import { createTables } from './audit-tables.ts';
import { silent } from './report-samples.ts';

export const place: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };
const roleName = 'assess';
/** Exactly what Assess and the Watch may do. */
const actions = [
  'ssm:GetParameter', 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem',
  'cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'codedeploy:ListDeployments', 'codedeploy:BatchGetDeployments', 'ecs:DescribeServices',
];
const arn = `arn:aws:elasticloadbalancing:${place.region}:${place.account}:`;
const requests = { namespace: 'Shop', name: 'Requests', dimensions: { Service: 'checkout' } };

export const serviceInput: ServiceInput = {
  targets: {
    web: { strategy: 'alb-weights', listenerArn: `${arn}listener/app/shop/1/2`, targetGroups: { blue: `${arn}targetgroup/blue/1`, green: `${arn}targetgroup/green/1` }, good: 'last-known-good', minimumHealthyTargets: 1 },
    app: { strategy: 'codedeploy', platform: 'Lambda', application: 'shop', deploymentGroup: 'prod', functionName: 'shop', alias: 'live', good: 'last-known-good' },
  },
  signals: { alarms: [{ name: '5xx' }, { name: 'latency' }], external: ['datadog'], traffic: { metric: requests, minimumRequests: 50, minutes: 5 } },
  journeys: { buy: { requests: [{ name: 'home', url: 'https://shop.example/' }] } },
  verification: { passesInARow: 2, intervalSeconds: 10, deadlineMinutes: 5 },
  policy: { approval: { none: 'the on-call engineer agreed' }, bakeMinutes: 10 },
};

const appSpec = (version: number) => ({
  revisionType: 'AppSpecContent' as const,
  appSpecContent: { content: JSON.stringify({ version: '0.0', Resources: [{ shop: { Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion: String(version - 1), TargetVersion: String(version) } } }] }) },
});

/** Nobody listens here: tests hand over events themselves. */
const nowhere: EventBusPort = {
  put: (event) => ({ version: '0', id: '0', account: place.account, region: place.region, time: '', resources: [], ...event }),
};

export class Rig {
  readonly clock = new SpedUpClock({ speed: 1 });
  readonly server = new SandboxServer({ services: [], place, clock: this.clock });
  readonly cloudWatch = new CloudWatch({ place, clock: this.clock, bus: nowhere, actions: () => undefined });
  readonly codeDeploy = new CodeDeploy({ place, clock: this.clock, bus: nowhere, alarmState: () => null });
  readonly parameters = new ParameterStore(place, this.clock);
  readonly dynamo = new DynamoDb(place);
  readonly ecs = new Ecs(place);
  readonly rolling = new RollingServices({ ecs: this.ecs, place, clock: this.clock });
  #parts: AssessParts & WatchParts | null = null;
  /** Calls on their way, and how often there were none before the next: steps of AWS calls in sequence. */
  #inFlight = 0;
  steps = 0;
  readonly storm = { services: 1000, minutes: 60 };

  async start(): Promise<void> {
    const services = [cloudWatchService(this.cloudWatch), codeDeployService(this.codeDeploy), ecsService(this.ecs, this.rolling), ssmService(this.parameters), this.dynamo.service];
    for (const service of services) this.server.register(service);
    // Tests ask more often in a second than AWS allows in an account; throttling has tests of its own.
    this.server.quotas.enabled = false;
    await this.server.listen();
    const { iam } = this.server;
    iam.putRole({ roleName, arn: `arn:aws:iam::${place.account}:role/${roleName}` });
    iam.putRolePolicy(roleName, { name: 'all', document: { Statement: [{ Effect: 'Allow', Action: actions, Resource: ['*'] }] } });
    await createTables(this.dynamo);
    this.codeDeploy.createApplication('shop', 'Lambda');
    const aliases = new LambdaAliases({ place, clock: this.clock });
    for (const name of ['prod', 'other']) this.codeDeploy.createDeploymentGroup({ application: 'shop', name, platform: new LambdaPlatform(aliases) });
    for (const name of ['5xx', 'latency']) this.cloudWatch.putMetricAlarm({ AlarmName: name, Namespace: 'Shop', MetricName: name, Statistic: 'Sum', Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold' });
    this.traffic(500);
  }

  async stop(): Promise<void> {
    await this.server.close();
    this.clock.stop();
  }

  /** Minutes from now, as text. */
  at(minutes: number): string {
    return new Date(this.clock.now() + minutes * 60_000).toISOString();
  }

  /** A service of its own name in the catalogue, with release v2 ten minutes old and v1 known good. */
  async attach(service: string, over: Partial<ServiceInput> = {}): Promise<void> {
    this.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, ...over }) });
    await putRelease(this.table, this.release(service), 'w-1');
    await putKnownGood(this.table, service, { version: 'v1', since: this.at(-600), basis: 'baked', states: { web: { blue: 100, green: 0 }, app: { live: '1' } } });
  }

  catalogue(service: string, value: unknown): void {
    this.parameters.put({ name: `/ripcord/services/${service}`, value: typeof value === 'string' ? value : JSON.stringify(value), type: 'String', tier: 'Advanced', overwrite: true, by: 'test' });
  }

  release(service: string, over: Partial<Release> = {}): Release {
    return {
      id: 'r-2', service, version: 'v2', previousVersion: 'v1', startedAt: this.at(-10), finishedAt: this.at(-9), status: 'finished', origin: 'event', actor: 'ada',
      touched: ['code'], left: { web: { blue: 0, green: 100 } }, alarmsAtStart: [], ...over,
    };
  }

  /** Requests of one minute that is over. */
  traffic(count: number): void {
    this.cloudWatch.record({ ...requests, value: count, at: this.clock.now() - 100_000 });
  }

  fire(...names: string[]): void {
    for (const name of names) this.cloudWatch.setAlarmState(name, 'ALARM', 'Threshold Crossed');
  }

  calm(...names: string[]): void {
    for (const name of names) this.cloudWatch.setAlarmState(name, 'OK', 'all is well');
  }

  /** A deployment as CodeDeploy remembers it, times in minutes from now. */
  deployment(over: { version: number; from: number; to: number | null; group?: string } & Partial<Pick<DeploymentRecord, 'status' | 'creator' | 'rollbackInfo' | 'input'>>): DeploymentRecord {
    const { version, from, to, group = 'prod', ...more } = over;
    const record = this.codeDeploy.recordPastDeployment({ application: 'shop', group, revision: appSpec(version) });
    return Object.assign(record, { createdAt: Date.parse(this.at(from)), startedAt: Date.parse(this.at(from)), completedAt: to === null ? null : Date.parse(this.at(to)), ...more });
  }

  get parts(): AssessParts & WatchParts {
    if (this.#parts !== null) return this.#parts;
    const { accessKeyId, secretAccessKey, sessionToken } = this.server.iam.issueKey(roleName);
    const options = { endpoint: this.server.endpoint, region: place.region, credentials: { accessKeyId, secretAccessKey, sessionToken }, maxAttempts: 2 };
    const dynamo = this.#counted(new DynamoDBClient(options));
    this.#parts = {
      catalogue: { client: this.#counted(new SSMClient(options)), prefix: '/ripcord/services/' }, table: { client: dynamo, name: 'ledger' }, audit: new AuditRecord(dynamo, 'audit', 'ledger'),
      cloudWatch: this.#counted(new CloudWatchClient(options)), cloudWatchIn: (region) => this.#counted(new CloudWatchClient({ ...options, region })), codeDeploy: this.#counted(new CodeDeployClient(options)), ecs: this.#counted(new ECSClient(options)),
      storm: this.storm, clock: { now: () => new Date(this.clock.now()) }, codeVersion: 'abc123',
    };
    return this.#parts;
  }

  get table(): LedgerTable {
    return this.parts.table;
  }

  #counted<Client extends { send: (...given: never[]) => unknown }>(client: Client): Client {
    const send = client.send.bind(client) as (...given: unknown[]) => Promise<unknown>;
    const counted = async (...given: unknown[]): Promise<unknown> => {
      if (this.#inFlight === 0) this.steps += 1;
      this.#inFlight += 1;
      try {
        return await send(...given);
      } finally {
        // Whatever the reply leads to is the next step only when nothing else is on its way.
        this.#inFlight -= 1;
      }
    };
    return Object.assign(client, { send: counted });
  }

  input(service: string, given: unknown, over: Partial<AssessInput> = {}): AssessInput {
    return { rollbackId: `rb-${service}`, startedAt: this.at(0), input: given, look: 0, approval: null, evidence: null, audit: null, ...over };
  }

  /** As if nobody had told on-call of a storm. */
  forgetStormPage(): Promise<void> {
    return this.#empty('STORM#TOLD');
  }

  /** As if no service had been counted either. */
  async forgetStorm(): Promise<void> {
    const length = this.storm.minutes * 60_000;
    const current = Math.floor(this.clock.now() / length) * length;
    for (const start of [current - length, current, current + length]) await this.#empty(`STORM#${new Date(start).toISOString()}`);
    await this.forgetStormPage();
  }

  async #empty(sk: string): Promise<void> {
    await putIf(this.table, { pk: 'ACCOUNT', sk }, { attributes: {}, condition: 'pk <> :none', values: { ':none': { S: 'none' } } });
  }

  /** Counts services that have nothing to do with each other, or are of the group given. */
  async count(names: readonly string[], group?: string): Promise<void> {
    for (const service of names) await addToStorm(this.table, { service, group: group ?? service }, this.storm.minutes, new Date(this.clock.now()));
  }

  assess(input: AssessInput): ReturnType<typeof assess> {
    return assess(input, this.parts, silent);
  }

  /** Rows of the audit as values. */
  async audited(rollbackId: string): Promise<Record<string, unknown>[]> {
    const rows = await new AuditRows(this.parts.table.client, 'audit').read(rollbackId);
    return rows.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
  }
}

/** The account of a test file, and the service of the test that runs. */
export let rig: Rig;
export let service = '';
let prefix = '';
let count = 0;

/** From now on it is about another service, of which nothing is known. */
export function nextService(): void {
  service = `${prefix}-${(count += 1)}`;
}

/** To be called at the top of a test file: each test has a service of its own, with such a name; alarms and deployments are the same for all. */
export function useRig(name: string): void {
  prefix = name;
  beforeAll(async () => {
    rig = new Rig();
    await rig.start();
  });
  afterAll(async () => { await rig.stop(); });
  beforeEach(nextService);
}

/** The event of an alarm, as its rule hands it over. */
export const alarmInput = (about: string, alarm = '5xx', more: object = {}): unknown => ({
  service: about, event: {
    source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change', time: '2026-11-20T09:14:07Z',
    detail: { alarmName: alarm, state: { value: 'ALARM', timestamp: '2026-11-20T09:14:07.104+0000' }, ...more },
  },
});
