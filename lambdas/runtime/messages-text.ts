// How messages write things: plain text nobody can smuggle anything into, times in UTC, links to the console.
import type { Instant, Release, Signal, StepRequest } from '../domain/vocabulary.ts';
import type { StepResult } from '../domain/workflow.ts';

/** Text that people or tools typed, made harmless for mail, chat and terminals: no control characters, no tags, at most `limit` characters. */
export function plain(text: string, limit = 500): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]+/gu, ' ').replaceAll('<', '‹').replaceAll('>', '›').replaceAll(/ {2,}/g, ' ').trim();
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/** SNS takes printable ASCII below 100 characters, without line breaks. */
export function subjectOf(text: string): string {
  const ascii = plain(text, 1000).replaceAll('‹', '(').replaceAll('›', ')').replaceAll('→', '->').replaceAll('…', '...').replaceAll(/[^\u0020-\u007e]/g, '?');
  return ascii.length > 99 ? `${ascii.slice(0, 96)}...` : ascii;
}

/** `2026-11-20 09:14:07 UTC`. */
export const utc = (at: Instant): string => (Number.isNaN(Date.parse(at)) ? plain(at, 40) : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`);

/** `4 min 10 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `1 journey`, `3 journeys`. */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

export const secondsBetween = (from: Instant, to: Instant): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

const consoleHosts: Readonly<Record<string, string>> = { aws: 'console.aws.amazon.com', 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com' };

export const regionOf = (machineArn: string): string => machineArn.split(':')[3] ?? '';

/** The execution's page in the Step Functions console. */
export function executionPage(machineArn: string, rollbackId: string): string {
  const [, partition = 'aws', , region = '', account = '', , machine = ''] = machineArn.split(':');
  const execution = ['arn', partition, 'states', region, account, 'execution', machine, rollbackId].join(':');
  return `https://${region}.${consoleHosts[partition] ?? consoleHosts['aws']}/states/home?region=${region}#/v2/executions/details/${execution}`;
}

/** What a release touched; that code is an assumption where nobody said. */
export const touchedText = ({ touched }: Pick<Release, 'touched'>): string => (touched.length === 0 ? 'nobody said what it touched, taken as code' : `touched ${touched.join(', ')}`);

/** A titled block of a message; an empty one says so rather than vanish. */
export const section = (title: string, lines: readonly string[]): string => `${title}\n${(lines.length === 0 ? ['nothing'] : lines).map((line) => `  ${line}`).join('\n')}`;

export const signalLine = (signal: Signal): string =>
  `${signal.kind === signal.source ? signal.kind : `${signal.kind} ${plain(signal.source, 120)}`}: ${signal.status}${signal.since === null ? '' : ` since ${utc(signal.since)}`}${signal.isOlderThanRelease ? ', from before the release' : ''}; ${plain(signal.summary, 400)}`;

export const stepLine = (step: StepRequest): string =>
  `${plain(step.targetId, 60)} (${step.strategy})${step.good === null ? '' : ` to ${plain(step.good.version, 80)}`}`;

/** What one step did and whether it took hold. */
export function resultLine({ rung, applied, confirmed }: StepResult): string {
  const what = { changed: 'changed', already: 'was already there', failed: 'FAILED', 'changed-by-someone-else': 'left alone, CHANGED BY SOMEONE ELSE' }[applied.status];
  const why = applied.reason === null ? '' : ` (${plain(applied.reason.text, 300)})`;
  const held = confirmed === null ? '' : confirmed.answer === 'yes' ? '; confirmed' : `; ${confirmed.answer}: ${plain(confirmed.detail, 200)}`;
  return `${utc(applied.at)} ${plain(applied.targetId, 60)} (${plain(applied.strategy, 40)}, rung ${plain(rung, 40)}): ${what}: ${plain(applied.summary, 300)}${why}${held}`;
}
