// Plays one scenario from an empty sandbox to its verdict.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { startSandbox, type Sandbox } from '../sandbox.ts';
import type { RollbackRun, Scenario } from '../scenarios/scenario.ts';
import { createAlarms } from './alarms.ts';
import { startCodeDeployWorkload } from './codedeploy-workload.ts';
import { startDnsWorkload } from './dns-workload.ts';
import { startEcsWorkload } from './ecs-workload.ts';
import { startLoadBalancerWorkload } from './load-balancer-workload.ts';
import { startOthers } from './others.ts';
import { type AuditRecord, namesOf, RipcordView } from './ripcord-view.ts';
import { LiveStage, type Checked } from './stage.ts';
import { type RunCosts, runCosts } from './cost.ts';
import { measure, type Measured } from './measure.ts';
import { Timeline, type Print } from './timeline.ts';
import type { RunningWorkload } from './workload.ts';

export interface PlayOptions {
  /** Sandbox seconds per wall second. */
  readonly speed: number;
  /** Makes a CDK assembly of a services.yaml. */
  readonly synthesize: (configPath: string, outDirectory: string) => void;
  /** Working folder of this play; emptied first. */
  readonly directory: string;
  readonly print: Print;
  readonly port?: number;
}

export interface Played {
  readonly scenario: string;
  readonly passed: boolean;
  readonly checks: readonly Checked[];
  /** Error that ended the play early; null when it came to its end. */
  readonly error: string | null;
  readonly breaches: readonly string[];
  readonly measured: Measured | null;
  /** Absent when nothing was played. */
  readonly costs?: RunCosts;
  readonly rollbacks: readonly RollbackRun[];
  /** The whole audit of each rollback, as it is stored. */
  readonly records: readonly AuditRecord[];
  /** The incident report of the last rollback that wrote one. */
  readonly report: string | null;
}

/** Real milliseconds that a function gets at least: no less than most have on AWS, as sandbox time is real time while they work. */
export const graceMs = 30_000;

const starters: Readonly<Record<Scenario['traffic'], (sandbox: Sandbox) => Promise<RunningWorkload>>> = {
  'load-balancer': async (sandbox) => startLoadBalancerWorkload(sandbox),
  dns: startDnsWorkload,
  codedeploy: startCodeDeployWorkload,
  ecs: startEcsWorkload,
};

/** A sandbox with its workload under load and the real stack deployed into it. */
export interface Running {
  readonly sandbox: Sandbox;
  readonly stage: LiveStage;
  readonly ripcord: RipcordView;
  readonly timeline: Timeline;
  stop(): Promise<void>;
}

export async function setUp(scenario: Scenario, options: PlayOptions): Promise<Running> {
  const { directory, speed, print, port } = options;
  await rm(directory, { recursive: true, force: true });
  await mkdir(path.join(directory, 'logs'), { recursive: true });
  const sandbox = await startSandbox({ speed, graceMs, logDirectory: path.join(directory, 'logs'), ...(port === undefined ? {} : { port }) });
  try {
    const running = await starters[scenario.traffic](sandbox);
    sandbox.onStop(() => running.stop());
    createAlarms(sandbox.services.cloudwatch, running.names);
    const others = await startOthers(sandbox, running, scenario);
    const config = path.join(directory, 'services.yaml');
    await writeFile(config, stringify({ engine: { onCall: ['on-call@example.com'], ...scenario.engine }, services: { checkout: scenario.service(running.names, others.names), ...others.documents } }));
    const assembly = path.join(directory, 'cdk.out');
    options.synthesize(config, assembly);
    const ripcord = new RipcordView(sandbox, namesOf(await sandbox.deploy(assembly)));
    const timeline = new Timeline(sandbox, print);
    timeline.follow(ripcord.names);
    const stage = new LiveStage({ sandbox, running, ripcord, timeline, others: others.workloads });
    stage.load.start();
    others.load();
    return { sandbox, stage, ripcord, timeline, stop: async () => { stage.load.stop(); timeline.stop(); await sandbox.stop(); } };
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

export async function play(scenario: Scenario, options: PlayOptions): Promise<Played> {
  const running = await setUp(scenario, options);
  let error: string | null = null;
  try {
    await scenario.play(running.stage);
  } catch (caught) {
    error = caught instanceof Error ? caught.message : String(caught);
  }
  try {
    return await verdictOf(scenario, running, error);
  } finally {
    await running.stop();
  }
}

/** What a play came to, whatever it was that was played. */
export async function verdictOf(scenario: Pick<Scenario, 'name'>, { sandbox, stage, ripcord }: Running, error: string | null): Promise<Played> {
  const breaches = sandbox.breaches.map(({ invariant, problem, cause }) => `${invariant}: ${problem} (after ${cause})`);
  const unsupported = sandbox.calls.unsupported.map(({ service, operation }) => `the sandbox has no ${service}:${operation}`);
  const rollbacks = ripcord.rollbacks();
  const records = await Promise.all(rollbacks.map(({ rollbackId }) => ripcord.record(rollbackId)));
  const report = records.flatMap(({ rows }) => rows.filter(({ kind }) => kind === 'reported')).at(-1);
  const markdown = report === undefined ? null : (JSON.parse(report.data) as { readonly markdown?: unknown }).markdown;
  const broken = [...breaches, ...unsupported];
  return {
    scenario: scenario.name,
    passed: error === null && broken.length === 0 && stage.checks.every(({ holds }) => holds),
    checks: stage.checks,
    error,
    breaches: broken,
    measured: await measure({ stage, ripcord }),
    costs: runCosts(sandbox, ripcord.names),
    rollbacks,
    records,
    report: typeof markdown === 'string' ? markdown : null,
  };
}
