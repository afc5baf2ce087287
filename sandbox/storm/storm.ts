// Plays a storm: thousands of alarm events within a minute of sandbox time, against the real stack and the account's quotas.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startSandbox, type Sandbox } from '../sandbox.ts';
import { namesOf, RipcordView } from '../stage/ripcord-view.ts';
import { StormCounts } from './storm-counts.ts';
import { brake, checkSeconds, createService, sendEvent, startHealthy, type StormService } from './storm-world.ts';

export interface StormOptions {
  readonly services: number;
  readonly events: number;
  /** Sandbox seconds in which the events are sent; default 60. */
  readonly seconds?: number;
  /** Lambda invocations at work at once in the account; default 1000. */
  readonly concurrency?: number;
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
  readonly deadLetters: number;
  /** Owners of locks that nobody freed. */
  readonly locks: readonly string[];
  readonly breaches: readonly string[];
  /** Sandbox seconds in which the events were sent. */
  readonly sentSeconds: number;
  readonly wallSeconds: number;
}

/** Function processes on this machine, and how many runs may be on their way before sandbox time is slowed for them. */
const processes = 6;
const backlog = { low: 40, high: 100 } as const;
/** Between two looks of the sender, in wall milliseconds. */
const beatMs = 20;

export async function playStorm(options: StormOptions): Promise<StormResult> {
  const { server, port } = await startHealthy();
  const sandbox = await startSandbox({
    speed: 60, handleSignals: false, processes, graceMs: 30_000, keptCalls: 2000, keptExecutions: 500,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  try {
    return await play(sandbox, port, options);
  } finally {
    await sandbox.stop();
    server.close();
  }
}

async function play(sandbox: Sandbox, port: number, options: StormOptions): Promise<StormResult> {
  const services = Array.from({ length: options.services }, (_, index) => createService(sandbox, `service-${index + 1}`, port));
  const { view, ledger } = await deploy(sandbox, services, options);
  // Until a first check has found every target healthy; some are late when hundreds begin together.
  await sandbox.clock.sleep(2 * checkSeconds * 1000);
  const now = sandbox.clock.now();
  for (const { name } of services) await options.release({ endpoint: sandbox.endpoint, table: ledger, service: name, now });
  const counts = new StormCounts(sandbox, services, view.names.rollbackMachineArn);
  calmWhatIsPutBack(sandbox, services);
  counts.sample();
  const began = performance.now();
  const sentSeconds = await send(sandbox, services, { options, counts });
  await sandbox.services.events.settled();
  while (counts.ended < started(sandbox)) await beat(counts, options);
  counts.sample();
  return {
    counts, sentSeconds, wallSeconds: (performance.now() - began) / 1000,
    pages: view.messages().filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE ')),
    deadLetters: counts.apis.get('sqs:SendMessage')?.asked ?? 0,
    locks: (await sandbox.services.dynamodb.items(ledger)).flatMap(({ sk, owner }) => (sk?.S === 'LOCK' && owner?.S !== undefined ? [owner.S] : [])),
    breaches: sandbox.breaches.map(({ invariant, problem }) => `${invariant}: ${problem}`),
  };

  function started({ services: { states } }: Sandbox): number {
    return counts.ended + states.executions(view.names.rollbackMachineArn).filter(({ status }) => status === 'RUNNING').length;
  }
}

async function beat(counts: StormCounts, { progress, events }: StormOptions): Promise<void> {
  progress?.(counts, events);
  await wait(10 * beatMs);
}

async function deploy(sandbox: Sandbox, services: readonly StormService[], { directory, synthesize }: StormOptions): Promise<{ readonly view: RipcordView; readonly ledger: string }> {
  const [config, out] = [path.join(directory, 'services.yaml'), path.join(directory, 'cdk.out')];
  await rm(out, { recursive: true, force: true });
  await writeFile(config, stringify({ engine: { storm: brake }, services: Object.fromEntries(services.map(({ name, document }) => [name, document])) }));
  synthesize(config, out);
  const deployed = await sandbox.deploy(out);
  const tables = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'].flatMap((type) => deployed.byType(type));
  const ledger = tables.find(({ ref }) => ref.includes('Ledger'))?.ref;
  if (ledger === undefined) throw new Error('the stack has no ledger table');
  return { view: new RipcordView(sandbox, namesOf(deployed)), ledger };
}

/** An alarm is OK again as soon as its service is put back. */
function calmWhatIsPutBack({ calls, services: { cloudwatch } }: Sandbox, services: readonly StormService[]): void {
  calls.onCall(({ service, mutating, caller, status, input }) => {
    if (service !== 'elasticloadbalancing' || !mutating || caller.kind !== 'role' || status >= 300) return;
    const text = JSON.stringify(input);
    const back = services.find(({ listenerArn }) => text.includes(listenerArn));
    if (back !== undefined) cloudwatch.setAlarmState(back.alarm, 'OK', 'it was put back');
  });
}

/** Sends the events evenly, and slows sandbox time down when this machine cannot follow: in AWS functions run side by side, here a few do. */
async function send(sandbox: Sandbox, services: readonly StormService[], { options, counts }: { readonly options: StormOptions; readonly counts: StormCounts }): Promise<number> {
  const { clock } = sandbox;
  const { events, seconds = 60, progress } = options;
  const done = clock.work();
  const from = clock.now();
  let [sent, rate] = [0, 1];
  while (sent < events) {
    // A beat that took long must not send in one go what would have come while the clock was slow.
    const due = Math.min(events, Math.ceil(((clock.now() - from) / 1000 / seconds) * events), counts.ended + 2 * backlog.high);
    for (; sent < due; sent += 1) sendEvent(sandbox, services[sent % services.length] as StormService, Math.floor(sent / services.length));
    const waiting = sent - counts.ended;
    rate = waiting > backlog.high ? Math.max(0.01, rate * 0.9) : waiting < backlog.low ? Math.min(1, rate * 1.05) : rate;
    clock.slow(rate);
    progress?.(counts, sent);
    await wait(beatMs);
  }
  const sentSeconds = (clock.now() - from) / 1000;
  clock.slow(1);
  done();
  return sentSeconds;
}
