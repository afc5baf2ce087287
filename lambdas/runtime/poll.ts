// The poll: compares every service of the catalogue with the ledger, and starts what a lost event did not start. Each finding once.
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { readAlarms } from '../adapters/alarms.ts';
import { listEntries } from '../adapters/catalogue-list.ts';
import type { CatalogueStore } from '../adapters/catalogue.ts';
import { readDeployments } from '../adapters/deployments.ts';
import { readEcsDeployments } from '../adapters/ecs-deployments.ts';
import { startOnce } from '../adapters/executions.ts';
import { readAlias } from '../adapters/lambda-alias.ts';
import { keepSeen, readSeen, readWeighed } from '../adapters/ledger-poll.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { readService } from '../adapters/ledger.ts';
import { isMuted } from '../adapters/mute-rules.ts';
import { type AliasSource, groupsOf, releaseSources } from '../config/release-sources.ts';
import type { CatalogueEntry } from '../config/schema.ts';
import type { Clock } from '../domain/clock.ts';
import { lookBackMinutes, type Lost, lostAlarms, lostAliasMove, lostDeployment, lostEcsDeployment, type Polled } from '../domain/lost.ts';
import type { AlarmReading } from '../domain/readings.ts';
import type { Log } from './logger.ts';

export interface PollParts {
  readonly catalogue: CatalogueStore;
  readonly table: LedgerTable;
  readonly cloudWatch: CloudWatchClient;
  readonly codeDeploy: CodeDeployClient;
  readonly ecs: ECSClient;
  readonly lambda: LambdaClient;
  readonly stepFunctions: SFNClient;
  readonly machines: Readonly<Record<Lost['machine'], string>>;
  readonly clock: Clock;
}

export interface PollSummary {
  readonly services: number;
  /** Names of the executions that this poll started. */
  readonly started: readonly string[];
}

/** Services polled side by side: enough to hide the waiting, few enough for CodeDeploy's and ECS's account-wide rates. */
const atOnce = 4;
/** After so many seconds no further service is begun, so that the function ends by itself; the next poll begins at another service. */
const budgetSeconds = 200;
/** How often the order of the services moves on by one: as often as the poll runs, in milliseconds. */
const turn = 5 * 60_000;

/** @throws AggregateError at the end when anything could not be read or started: everything else was done before. */
export async function poll(parts: PollParts, log: Log): Promise<PollSummary> {
  const began = parts.clock.now();
  const { entries, failures } = await listEntries(parts.catalogue);
  const problems: Error[] = [...failures];
  const alarms = await alarmsOf(entries, parts).catch((error: unknown) => {
    problems.push(asError(error));
    return null;
  });
  const started: string[] = [];
  const waiting = rotated(entries, Math.floor(began.getTime() / turn));
  const work = async (): Promise<void> => {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      const isLate = parts.clock.now().getTime() - began.getTime() > budgetSeconds * 1000;
      const result = isLate ? { started: [], problems: [new Error(`no time was left for ${entry.name}`)] } : await pollService(entry, alarms, { parts, log });
      started.push(...result.started);
      problems.push(...result.problems);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (problems.length > 0) throw new AggregateError(problems, `the poll of ${entries.length} services is not whole: ${problems.slice(0, 10).map(({ message }) => message).join('; ')}`);
  return { services: entries.length, started };
}

/** With more services than there is time for, each comes to be the first one. */
const rotated = <One>(all: readonly One[], by: number): One[] => [...all.slice(by % Math.max(1, all.length)), ...all.slice(0, by % Math.max(1, all.length))];

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** All services' alarms in as few calls as possible: DescribeAlarms is allowed nine times a second in an account. */
async function alarmsOf(entries: readonly CatalogueEntry[], { cloudWatch }: PollParts): Promise<ReadonlyMap<string, AlarmReading>> {
  const names = [...new Set(entries.flatMap(({ service }) => service.signals.alarms.map(({ name }) => name)))];
  return new Map((await readAlarms(cloudWatch, names.map((name) => ({ name })))).map((alarm) => [alarm.name, alarm]));
}

interface Result {
  readonly started: string[];
  readonly problems: Error[];
}

interface Context {
  readonly parts: PollParts;
  readonly log: Log;
}

/** Each source by itself: one that cannot be read keeps no other from being looked at. */
async function pollService(entry: CatalogueEntry, alarms: ReadonlyMap<string, AlarmReading> | null, { parts, log }: Context): Promise<Result> {
  const result: Result = { started: [], problems: [] };
  const attempt = async (what: () => Promise<void>): Promise<void> => what().catch((error: unknown) => {
    log.error(`${entry.name} could not be polled whole`, error);
    result.problems.push(new Error(`${entry.name}: ${asError(error).message}`, { cause: error }));
  });
  const start = async (lost: Lost | null): Promise<void> => {
    if (lost === null || !await startOnce(parts.stepFunctions, { machineArn: parts.machines[lost.machine], name: lost.name, input: lost.input })) return;
    log.warn(`${entry.name}: ${lost.reason.text}`, { service: entry.name, execution: lost.name, code: lost.reason.code });
    result.started.push(lost.name);
  };
  await attempt(async () => {
    const polled = await polledOf(entry, parts);
    for (const look of looks(entry, { parts, polled, start, alarms })) await attempt(look);
  });
  return result;
}

async function polledOf({ name, service }: CatalogueEntry, { table, clock }: PollParts): Promise<Polled> {
  const now = clock.now();
  const [ledger, assessedAt] = await Promise.all([readService(table, name, now), readWeighed(table, name)]);
  return { service: name, ledger, assessedAt, windowMinutes: service.policy.releaseWindowMinutes, now: now.toISOString() };
}

interface Looking {
  readonly parts: PollParts;
  readonly polled: Polled;
  readonly start: (lost: Lost | null) => Promise<void>;
  readonly alarms: ReadonlyMap<string, AlarmReading> | null;
}

/** What there is to look at of one service. */
function looks({ service }: CatalogueEntry, { parts, polled, start, alarms }: Looking): (() => Promise<void>)[] {
  const { ecs, lambda } = releaseSources(service);
  const now = new Date(polled.now);
  const list = { from: new Date(now.getTime() - lookBackMinutes(polled) * 60_000), to: now };
  return [
    ...groupsOf(service).map((group) => async () => start(lostDeployment(group, await readDeployments(parts.codeDeploy, { groups: [group], ids: [], settled: new Set(), list }), polled))),
    ...ecs.map((source) => async () => start(lostEcsDeployment(source, await readEcsDeployments(parts.ecs, source), polled))),
    ...lambda.map((source) => async () => pollAlias(source, { parts, polled, start })),
    async () => {
      const own = service.signals.alarms.flatMap(({ name, group = name }) => {
        const reading = alarms?.get(name);
        return reading === undefined ? [] : [{ ...reading, group }];
      });
      await start(await firstUnmuted(lostAlarms(own, polled), parts));
    },
  ];
}

/** One run reads every alarm of the service again, so one is enough. */
async function firstUnmuted(lost: ReturnType<typeof lostAlarms>, { cloudWatch }: PollParts): Promise<Lost | null> {
  for (const one of lost) if (!await isMuted(cloudWatch, one.alarm)) return one;
  return null;
}

async function pollAlias(source: AliasSource, { parts: { lambda, table }, polled, start }: Omit<Looking, 'alarms'>): Promise<void> {
  const key = `${source.functionName}:${source.alias}`;
  const [reading, seen] = await Promise.all([readAlias(lambda, source), readSeen(table, polled.service, key)]);
  await start(lostAliasMove(source, reading, { seen, polled }));
  // Only after the start: a poll that breaks in between finds the same again.
  await keepSeen(table, polled.service, key, { ...reading, at: polled.now });
}
