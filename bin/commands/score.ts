// ripcord score: what each service's rollbacks came to, how many were wrong by people's labels, and how long each part took.
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { Command } from 'commander';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { duration, plain } from '../../lambdas/runtime/messages-text.ts';
import type { Opinion } from './label.ts';
import { type RecordOptions, tableOf } from './record.ts';
import type { Terminal } from './terminal.ts';

export type ScoredRow = Pick<AuditRow, 'rollbackId' | 'seq' | 'at' | 'kind' | 'service' | 'data'>;

/** `acted`: it set out to change something. `unchanged`: refused, a dry run, or over before it changed anything, also where it could not. */
const fates = ['acted', 'shadowed', 'left', 'unchanged'] as const;
type Fate = (typeof fates)[number];

const parts = ['detect', 'decide', 'restore', 'verify'] as const;
type Part = (typeof parts)[number];
type Times = Readonly<Record<Part, number | null>>;

interface Counted {
  readonly total: number;
  readonly right: number;
  readonly wrong: number;
}

export interface Score {
  readonly service: string;
  readonly counts: Readonly<Record<Fate, Counted>>;
  /** Wrong among the labelled rollbacks that acted, 0–1; null while none is labelled. */
  readonly falseRollbackRate: number | null;
  /** Medians of the rollbacks that acted, in seconds; null where none has both ends. */
  readonly medians: Times;
  /** The same of the runs in shadow, of what would have been done; they restore and verify nothing. */
  readonly shadow: { readonly falseRollbackRate: number | null; readonly medians: Pick<Times, 'detect' | 'decide'> };
}

const kinds = ['assessed', 'change-intended', 'change-made', 'verified', 'reported', 'labelled'] as const;

/** False for data that no function of the engine wrote: it says nothing that could be counted. */
function isReadable({ data }: ScoredRow): boolean {
  try {
    const parsed: unknown = JSON.parse(data);
    return parsed !== null && typeof parsed === 'object';
  } catch {
    return false;
  }
}

const dataOf = (row: ScoredRow): Readonly<Record<string, unknown>> => JSON.parse(row.data) as Readonly<Record<string, unknown>>;
const inner = (value: unknown, name: string): unknown => (value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>)[name] : undefined);
const listIn = (value: unknown, name: string): readonly unknown[] => {
  const list = inner(value, name);
  return Array.isArray(list) ? list : [];
};
const instant = (value: unknown): number | null => (typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? Date.parse(value) : null);

/** One score a service, by name. Rows may come in any order; a rollback without an end is not counted. */
export function scoresOf(rows: readonly ScoredRow[]): Score[] {
  const ordered = rows.toSorted((a, b) => a.seq - b.seq);
  const labels = opinionsOf(ordered.filter(({ kind }) => kind === 'labelled'));
  const runs = [...grouped(ordered.filter(({ kind }) => kind !== 'labelled'), ({ rollbackId }) => rollbackId)].flatMap(([id, own]) => {
    const run = runOf(own);
    return run === null ? [] : [{ ...run, opinion: labels.get(id) ?? null }];
  });
  return [...grouped(runs, ({ service }) => service)].map(([service, own]) => scoreOf(service, own)).toSorted((a, b) => (a.service < b.service ? -1 : 1));
}

function grouped<One>(all: readonly One[], nameOf: (one: One) => string): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of all) groups.set(nameOf(one), [...(groups.get(nameOf(one)) ?? []), one]);
  return groups;
}

/**
 * The last word of each user and of each role; one "wrong" makes it wrong, whoever else was content. What came as an event counts only where nobody said it with
 * credentials of their own.
 */
function opinionsOf(labels: readonly ScoredRow[]): Map<string, Opinion> {
  const said = labels.map((row) => ({ data: dataOf(row), fromEvent: row.rollbackId.startsWith('label#event#'), chain: row.rollbackId, at: row.at }));
  const proven = new Set(said.flatMap(({ data, fromEvent }) => (fromEvent ? [] : [data['rollbackId']])));
  const counted = said.filter(({ data, fromEvent }) => !fromEvent || !proven.has(data['rollbackId']));
  // Within a chain the rows say their order; between the chains of two sessions only the time does.
  const last = new Map(counted.map((one) => [one.fromEvent ? JSON.stringify([one.chain, one.data['by']]) : one.chain, one]));
  const ofEach = new Map([...last].toSorted(([, a], [, b]) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(([name, one]) => [one.fromEvent ? name : withoutSession(name), one]));
  const opinions = new Map<string, Opinion>();
  for (const { data: { rollbackId, opinion } } of ofEach.values()) {
    if (typeof rollbackId !== 'string' || (opinion !== 'right' && opinion !== 'wrong')) continue;
    if (opinions.get(rollbackId) !== 'wrong') opinions.set(rollbackId, opinion);
  }
  return opinions;
}

/** Whoever assumes a role names the session, often another at each login: a label of yesterday could not be taken back. */
const withoutSession = (chain: string): string => chain.replace(/^(label#[A-Z0-9]+):[^#]*/, '$1');

interface Run {
  readonly service: string;
  readonly fate: Fate;
  readonly times: Times;
}

function runOf(rows: readonly ScoredRow[]): Run | null {
  const reported = rows.find(({ kind }) => kind === 'reported');
  if (reported === undefined) return null;
  const outcome = inner(dataOf(reported)['ending'], 'outcome');
  const hasActed = rows.some(({ kind }) => kind === 'change-intended' || kind === 'change-made');
  const fate: Fate = hasActed ? 'acted' : outcome === 'shadow' ? 'shadowed' : outcome === 'left' || outcome === 'rejected' ? 'left' : 'unchanged';
  return { service: reported.service, fate, times: timesOf(rows, outcome === 'recovered') };
}

/** From the first bad minute to the run, to the verdict that acted, to the last change, to the round that proved it. */
function timesOf(rows: readonly ScoredRow[], hasRecovered: boolean): Times {
  const last = (kind: string): ScoredRow | undefined => rows.findLast((row) => row.kind === kind);
  const assessed = last('assessed');
  const { question, decision } = assessed === undefined ? {} as Record<string, unknown> : dataOf(assessed);
  const [signal, began] = [onsetOf(question, decision), instant(inner(question, 'startedAt'))];
  const [decided, changed, proven] = [instant(assessed?.at), instant(last('change-made')?.at), hasRecovered ? instant(last('verified')?.at) : null];
  const seconds = (from: number | null, to: number | null): number | null => (from === null || to === null ? null : Math.max(0, to - from) / 1000);
  return { detect: seconds(signal, began), decide: seconds(began, decided), restore: seconds(decided, changed), verify: seconds(changed, proven) };
}

/**
 * When users began to suffer: the first bad minute of an alarm that accused the release which was taken back, but no earlier than that began; an alarm
 * changes its state minutes after that. Without one, the first signal. An alarm from before the release tells nothing of when its harm began.
 */
function onsetOf(question: unknown, decision: unknown): number | null {
  const [signal, releaseId] = [instant(inner(decision, 'firstSignalAt')), inner(decision, 'releaseId')];
  const release = instant(inner(listIn(question, 'releases').find((one) => inner(one, 'id') === releaseId), 'startedAt'));
  const accusers = listIn(decision, 'signals').filter((one) => inner(one, 'kind') === 'alarm' && inner(one, 'status') === 'firing' && inner(one, 'isOlderThanRelease') === false).map((one) => inner(one, 'source'));
  const bad = listIn(question, 'alarms').flatMap((alarm) => (accusers.includes(inner(alarm, 'name')) ? instant(inner(inner(alarm, 'fault'), 'from')) ?? [] : []));
  const known = [...bad.map((from) => Math.max(from, release ?? from)), ...(signal === null ? [] : [signal])];
  return known.length === 0 ? null : Math.min(...known);
}

function scoreOf(service: string, runs: readonly (Run & { readonly opinion: Opinion | null })[]): Score {
  const count = (fate: Fate, opinion?: Opinion): number => runs.filter((run) => run.fate === fate && (opinion === undefined || run.opinion === opinion)).length;
  const counted = (fate: Fate) => ({ total: count(fate), right: count(fate, 'right'), wrong: count(fate, 'wrong') });
  const counts = { acted: counted('acted'), shadowed: counted('shadowed'), left: counted('left'), unchanged: counted('unchanged') };
  const rate = ({ right, wrong }: Counted): number | null => (right + wrong === 0 ? null : wrong / (right + wrong));
  const middle = (fate: Fate, part: Part): number | null => median(runs.flatMap((run) => (run.fate === fate ? run.times[part] ?? [] : [])));
  return {
    service, counts, falseRollbackRate: rate(counts.acted),
    medians: { detect: middle('acted', 'detect'), decide: middle('acted', 'decide'), restore: middle('acted', 'restore'), verify: middle('acted', 'verify') },
    shadow: { falseRollbackRate: rate(counts.shadowed), medians: { detect: middle('shadowed', 'detect'), decide: middle('shadowed', 'decide') } },
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

interface ScoreOptions extends RecordOptions {
  readonly json?: true;
}

export function addScoreCommand(program: Command, screen: Terminal): void {
  program.command('score')
    .description('Counts rollbacks that acted, shadowed, left things alone or changed nothing, the labels on them, the false-rollback rate, and median times; what was done in shadow apart. Reads the whole audit table.')
    .argument('[service]', 'one service; default all')
    .option('--json', 'print the scores as JSON: times in seconds, rates from 0 to 1, null for what is not known')
    .option('--engine <name>', 'name of the engine', 'ripcord')
    .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)')
    .action(async (service: string | undefined, options: ScoreOptions) => {
      const rows = await scan(options);
      for (const { rollbackId, seq } of rows.filter((row) => !isReadable(row)))
        screen.error(`Row ${seq} of ${plain(rollbackId)} cannot be read and is not counted: check it with \`ripcord audit verify ${plain(rollbackId)}\`.`);
      const scores = scoresOf(rows.filter((row) => isReadable(row))).filter((one) => service === undefined || one.service === service);
      if (options.json === true) screen.out(JSON.stringify(scores, null, 2));
      else if (scores.length === 0) screen.out(`No rollback${service === undefined ? '' : ` of ${service}`} has ended yet.`);
      else for (const score of scores) screen.out(linesOf(score));
    });
}

async function scan(options: RecordOptions): Promise<ScoredRow[]> {
  const rows: ScoredRow[] = [];
  const names = kinds.map((_, index) => `:kind${index}`);
  const pages = paginateScan({ client: new DynamoDBClient({}) }, {
    TableName: await tableOf(options), FilterExpression: `kind IN (${names.join(', ')})`,
    ExpressionAttributeValues: Object.fromEntries(kinds.map((kind, index) => [`:kind${index}`, { S: kind }])),
  });
  for await (const { Items = [] } of pages)
    for (const item of Items) {
      const text = (name: string): string => item[name]?.S ?? '';
      rows.push({ rollbackId: text('rollbackId'), seq: Number(item['seq']?.N), at: text('at'), kind: text('kind'), service: text('service'), data: text('data') });
    }
  return rows;
}

function linesOf({ service, counts, falseRollbackRate, medians, shadow }: Score): string {
  const shown = fates.map((fate) => `  ${fate.padEnd(9)} ${counts[fate].total}, labelled right ${counts[fate].right}, wrong ${counts[fate].wrong}`);
  const rate = (value: number | null, { right, wrong }: Counted): string => (value === null ? 'not known: none is labelled' : `${(value * 100).toFixed(1)} % of ${right + wrong} labelled`);
  const times = (known: Partial<Times>): string =>
    parts.flatMap((part) => (known[part] === undefined ? [] : [`${part} ${known[part] === null ? 'not known' : duration(known[part])}`])).join(', ');
  return [
    service, ...shown,
    `  false rollbacks: ${rate(falseRollbackRate, counts.acted)}`, `  median time to ${times(medians)}`,
    ...(counts.shadowed.total === 0 ? [] : [
      `  in shadow, what would have been done: false rollbacks ${rate(shadow.falseRollbackRate, counts.shadowed)}; median time to ${times(shadow.medians)}`,
    ]),
  ].join('\n');
}
