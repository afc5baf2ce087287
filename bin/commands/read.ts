// ripcord show | plan | report: what a rollback did row by row, what it means to do, and its incident report.
import type { Command } from 'commander';
import { dataIn } from '../../lambdas/audit/data.ts';
import { gist } from '../../lambdas/runtime/incident-gist.ts';
import { plain, utc } from '../../lambdas/runtime/messages-text.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { readRows, type RecordOptions } from './record.ts';
import { Mistake, type Terminal } from './terminal.ts';

const withTable = (command: Command): Command => command
  .argument('<rollback>', 'name of the Step Functions execution')
  .option('--engine <name>', 'name of the engine', 'ripcord')
  .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)');

export function addReadCommands(program: Command, screen: Terminal): void {
  withTable(program.command('show').description('Shows what a rollback did so far, row by row'))
    .action(async (rollback: string, options: RecordOptions) => {
      const rows = await readRows(rollback, options);
      for (const row of rows) screen.out(lineOf(row));
      const plan = planIn(rows);
      if (plan.length > 0) screen.out(['', 'The plan', ...plan.map((line) => `  ${line}`)].join('\n'));
    });
  withTable(program.command('plan').description('Prints the plan of a rollback as a runbook: of a dry run, of one that waits for a person, of one in shadow'))
    .action(async (rollback: string, options: RecordOptions) => {
      const rows = await readRows(rollback, options);
      const plan = planIn(rows);
      if (plan.length === 0) throw new Mistake(`Rollback "${rollback}" holds no plan: it acted without one, weighed no way back, or is not that far yet. \`ripcord show ${rollback}\` says how far it is.`);
      screen.out(plan.join('\n'));
    });
  withTable(program.command('report').description('Prints the incident report of a rollback in Markdown'))
    .action(async (rollback: string, options: RecordOptions) => {
      const rows = await readRows(rollback, options);
      const markdown = markdownOf(rows.find(({ kind }) => kind === 'reported'));
      if (typeof markdown !== 'string') throw new Mistake(`Rollback "${rollback}" has not ended: there is no report yet. \`ripcord show ${rollback}\` says how far it is.`);
      screen.out(markdown);
    });
}

/** The newest plan of a record, cleaned: a row can be written by an older version, or by somebody else. */
function planIn(rows: readonly AuditRow[]): string[] {
  const plans = rows.flatMap((row) => {
    const { kind } = row;
    if (kind !== 'approval-asked' && kind !== 'reported') return [];
    const plan = dataIn(row)?.['plan'];
    return Array.isArray(plan) && plan.length > 0 ? [plan.map((line) => plain(String(line), 2000))] : [];
  });
  return plans.at(-1) ?? [];
}

const markdownOf = (row: AuditRow | undefined): unknown => (row === undefined ? undefined : dataIn(row)?.['markdown']);

const lineOf = (row: AuditRow): string => `${String(row.seq).padStart(3)}  ${utc(row.at)}  ${plain(row.kind, 30).padEnd(18)} ${gist(row)}`;
