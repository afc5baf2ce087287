// Plays a storm: thousands of alarm events within a minute of sandbox time, against the real stack and the account's quotas.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import { awsQuotas, type Quota } from '../aws/quotas.ts';
import { startSandbox, type Sandbox } from '../sandbox.ts';
import { namesOf, RipcordView } from '../stage/ripcord-view.ts';
import { StormCounts } from './storm-counts.ts';
import { exactBuffers, type Recorded } from './storm-memory.ts';
import { createService, sendEvent, startHealthy, type StormService } from './storm-world.ts';

export interface StormOptions {
  readonly services: number;
  readonly events: number;
  /** Sandbox seconds in which the events are sent; default 60. */
  readonly seconds?: number;
  /** Lambda invocations at work at once in the account; default 1000. */
  readonly concurrency?: number;
  /** Which share of AWS's quota the account has for what each event may ask, above 0 to 1: fewer events need less to be a storm; default 1. */
  readonly quotaShare?: number;
  readonly directory: string;
  readonly synthesize: (configPath: string, outDirectory: string) => void;
  /** Writes a release of the service, ten minutes old, into the ledger. */
  readonly release: (at: { readonly endpoint: string; readonly table: string; readonly service: string; readonly now: number }) => Promise<void>;
  readonly progress?: (counts: StormCounts, sent: number) => void;
}

export interface StormResult {
  readonly counts: StormCounts;
  /** Sent to on-call. */
  readonly pages: readonly { readonly subject: string; readonly text: string }[];
  /** What on-call heard from alarms of the engine. */
  readonly alarms: readonly string[];
  readonly deadLetters: number;
  /** Owners of locks that nobody freed. */
  readonly locks: readonly string[];
  readonly breaches: readonly string[];
  /** Runs that joined no other, and whose chain is not sealed. */
  readonly unsealed: readonly string[];
  /** Sandbox seconds in which the events were sent. */
  readonly sentSeconds: number;
  readonly wallSeconds: number;
}

/** Function processes on this machine: more than it has cores, since one whose call was throttled waits before it asks again. */
const processes = 10;
/** Invocations that wait for one of them: below `low` sandbox time goes faster again, above `high` slower. */
const queue = { low: 4, high: 20 } as const;
/** Between two looks of the sender, in wall milliseconds. */
const beatMs = 20;

export async function playStorm(options: StormOptions): Promise<StormResult> {
  const { server, port } = await startHealthy();
  const sandbox = await startSandbox({
    speed: 60, handleSignals: false, processes, graceMs: 30_000, keptCalls: 2000, keptExecutions: 500,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.quotaShare === undefined ? {} : { quotas: quotasOf(options.quotaShare) }),
  });
  const asBefore = exactBuffers();
  try {
    return await play(sandbox, port, options);
  } finally {
    asBefore();
    await sandbox.stop();
    server.close();
  }
}

async function play(sandbox: Sandbox, port: number, options: StormOptions): Promise<StormResult> {
  const { services, view, tables, ledger } = await deployStorm(sandbox, port, options);
  const counts = new StormCounts(sandbox, services, view.names.rollbackMachineArn);
  const calm = calmWhatIsPutBack(sandbox, services);
  const before = await recordedIn(sandbox, tables);
  counts.sample();
  const began = performance.now();
  const sentSeconds = await send(sandbox, services, { options, counts, calm });
  await sandbox.services.events.settled();
  while (counts.ended < started(sandbox)) await beat(counts, options);
  counts.sample();
  counts.record(before, await recordedIn(sandbox, tables));
  await alarmsHadTheirSay(sandbox, services);
  return {
    counts, sentSeconds, wallSeconds: (performance.now() - began) / 1000,
    pages: view.messages().filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE ')),
    alarms: view.messages().flatMap(({ topic, subject }) => (topic === 'on-call' && /^(ALARM|INSUFFICIENT_DATA): /.test(subject) ? [subject] : [])),
    deadLetters: counts.apis.get('sqs:SendMessage')?.asked ?? 0,
    locks: (await sandbox.services.dynamodb.items(ledger)).flatMap(({ sk, owner }) => (sk?.S === 'LOCK' && owner?.S !== undefined ? [owner.S] : [])),
    unsealed: await unsealed(sandbox, view.names.auditTable, counts.ownRuns),
    breaches: sandbox.breaches.map(({ invariant, problem }) => `${invariant}: ${problem}`),
  };

  function started({ services: { states } }: Sandbox): number {
    return counts.ended + states.executions(view.names.rollbackMachineArn).filter(({ status }) => status === 'RUNNING').length;
  }
}

interface Deployed {
  readonly services: readonly StormService[];
  readonly view: RipcordView;
  /** Names of all tables. */
  readonly tables: readonly string[];
  readonly ledger: string;
}

/** Services that are all healthy, each with a release of ten minutes ago, and Ripcord. */
export async function deployStorm(sandbox: Sandbox, port: number, options: Pick<StormOptions, 'services' | 'directory' | 'synthesize' | 'release'>): Promise<Deployed> {
  const services = Array.from({ length: options.services }, (_, index) => createService(sandbox, `service-${index + 1}`, port));
  const deployed = await deploy(sandbox, services, options);
  await allHealthy(sandbox, services);
  const now = sandbox.clock.now();
  for (const { name } of services) await options.release({ endpoint: sandbox.endpoint, table: deployed.ledger, service: name, now });
  return { services, ...deployed };
}

async function beat(counts: StormCounts, { progress, events }: StormOptions): Promise<void> {
  progress?.(counts, events);
  await wait(10 * beatMs);
}

async function deploy(sandbox: Sandbox, services: readonly StormService[], { directory, synthesize }: Pick<StormOptions, 'directory' | 'synthesize'>): Promise<Omit<Deployed, 'services'>> {
  const [config, out] = [path.join(directory, 'services.yaml'), path.join(directory, 'cdk.out')];
  await rm(out, { recursive: true, force: true });
  await writeFile(config, stringify({ services: Object.fromEntries(services.map(({ name, document }) => [name, document])) }));
  synthesize(config, out);
  const deployed = await sandbox.deploy(out);
  const tables = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'].flatMap((type) => deployed.byType(type)).map(({ ref }) => ref);
  const ledger = tables.find((name) => name.includes('Ledger'));
  if (ledger === undefined) throw new Error('the stack has no ledger table');
  return { view: new RipcordView(sandbox, namesOf(deployed)), tables, ledger };
}

async function recordedIn({ services: { dynamodb } }: Sandbox, tables: readonly string[]): Promise<Recorded> {
  const items = (await Promise.all(tables.map((name) => dynamodb.items(name)))).flat();
  return { rows: items.length, bytes: items.reduce((sum, item) => sum + JSON.stringify(item).length, 0) };
}

/** A change of one service costs the same in a small storm and in a large one: its quotas stay whole. */
const isAskedByAll = ({ service, operations }: Quota): boolean => (service === 'cloudwatch' && operations.test('DescribeAlarms')) || service === 'ssm';
const quotasOf = (share: number): Quota[] => awsQuotas.map((quota) => (isAskedByAll(quota) ? { ...quota, burst: Math.max(1, Math.round(quota.burst * share)), perSecond: quota.perSecond * share } : quota));

/** Until a first check has found every target healthy; some are late when hundreds begin together. */
async function allHealthy({ clock, services: { loadBalancing } }: Sandbox, services: readonly StormService[]): Promise<void> {
  const groups = services.flatMap(({ groupArns }) => groupArns.map((arn) => loadBalancing.targetGroup(arn)));
  while (groups.some(({ targets }) => [...targets.values()].some(({ health }) => health.State !== 'healthy'))) await clock.sleep(5000);
}

/** The longest period of an alarm of the engine, and a minute. */
const longestAlarmMinutes = 16;

/** What rings late was rung by the storm all the same. Its cause is mended first: the poll would find what fires on, and that is no part of it. */
async function alarmsHadTheirSay({ clock, services: { cloudwatch } }: Sandbox, services: readonly StormService[]): Promise<void> {
  for (const { alarm } of services) cloudwatch.setAlarmState(alarm, 'OK', 'the storm is over');
  const calm = clock.hurry(20);
  await clock.sleep(longestAlarmMinutes * 60_000);
  calm();
}

/** Of the runs that did not join another, those whose record does not end in its seal. */
async function unsealed({ services: { dynamodb } }: Sandbox, auditTable: string, runs: ReadonlySet<string>): Promise<readonly string[]> {
  const last = new Map<string, { readonly seq: number; readonly kind: string }>();
  for (const { rollbackId, seq, kind } of await dynamodb.items(auditTable)) {
    const [id, at] = [rollbackId?.S ?? '', Number(seq?.N)];
    if (at >= (last.get(id)?.seq ?? 0)) last.set(id, { seq: at, kind: kind?.S ?? '' });
  }
  return [...runs].filter((id) => last.get(id)?.kind !== 'sealed');
}

/** An alarm is OK again as soon as its service is put back. @returns since when each is. */
function calmWhatIsPutBack({ calls, clock, services: { cloudwatch } }: Sandbox, services: readonly StormService[]): ReadonlyMap<string, number> {
  const calm = new Map<string, number>();
  calls.onCall(({ service, mutating, caller, status, input }) => {
    if (service !== 'elasticloadbalancing' || !mutating || caller.kind !== 'role' || status >= 300) return;
    const text = JSON.stringify(input);
    const back = services.find(({ listenerArn }) => text.includes(listenerArn));
    if (back === undefined) return;
    calm.set(back.alarm, clock.now());
    cloudwatch.setAlarmState(back.alarm, 'OK', 'it was put back');
  });
  return calm;
}

/** Sends the events evenly, and slows sandbox time down when this machine cannot follow: in AWS functions run side by side, here a few do. */
interface Sending {
  readonly options: StormOptions;
  readonly counts: StormCounts;
  readonly calm: ReadonlyMap<string, number>;
}

async function send(sandbox: Sandbox, services: readonly StormService[], { options, counts, calm }: Sending): Promise<number> {
  const { clock, services: { functions } } = sandbox;
  const { events, seconds = 60, progress } = options;
  const done = clock.work();
  const from = clock.now();
  let [sent, rate] = [0, 1];
  while (sent < events) {
    const { queued } = functions;
    // A beat that took long must not send in one go what would have come while the clock was slow.
    const due = Math.min(events, Math.ceil(((clock.now() - from) / 1000 / seconds) * events), sent + Math.max(0, 2 * queue.high - queued));
    for (; sent < due; sent += 1) sendEvent(sandbox, services[sent % services.length] as StormService, { round: Math.floor(sent / services.length), calm });
    // Not the runs on their way: one that waits to try again waits in sandbox time, and would wait the longer for it.
    rate = queued > queue.high ? Math.max(0.01, rate * 0.9) : queued < queue.low ? Math.min(1, rate * 1.05) : rate;
    clock.slow(rate);
    progress?.(counts, sent);
    await wait(beatMs);
  }
  const sentSeconds = (clock.now() - from) / 1000;
  clock.slow(1);
  done();
  return sentSeconds;
}
