// What a play has shown, for a person at a terminal.
import pc from 'picocolors';
import type { Cost, RunCosts } from './cost.ts';
import type { Measured } from './measure.ts';
import type { Played } from './play.ts';
import { prices } from './prices.ts';

const time = (seconds: number | null): string => (seconds === null ? '–' : seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`);

export function summaryLines(played: Played): readonly string[] {
  const lines = played.checks.map(({ fact, holds, evidence }) => (holds ? `  ${pc.green('✓')} ${fact}` : `  ${pc.red('✗')} ${fact}: ${evidence}`));
  for (const breach of played.breaches) lines.push(`  ${pc.red('✗')} ${breach}`);
  if (played.error !== null) lines.push(`  ${pc.red('✗')} ${played.error}`);
  if (played.measured !== null) lines.push('', ...measuredLines(played.measured));
  if (played.costs !== undefined) lines.push(...costLines(played.costs));
  lines.push('', `  ${played.passed ? pc.green(`${played.scenario}: as it should be`) : pc.red(`${played.scenario}: not as it should be`)}`);
  return lines;
}

function measuredLines(measured: Measured): readonly string[] {
  const { detectSeconds, decideSeconds, restoreSeconds, verifySeconds, requests, failedRequests, eventToChangeMs } = measured;
  const share = requests === 0 ? 0 : (100 * failedRequests) / requests;
  return [
    `  ${pc.bold('detect')} ${time(detectSeconds)}   ${pc.bold('decide')} ${time(decideSeconds)}   ${pc.bold('restore')} ${time(restoreSeconds)}   ${pc.bold('verify')} ${time(verifySeconds)}   ${pc.dim('(sandbox time)')}`,
    `  ${requests} requests, ${failedRequests} failed (${share.toFixed(1)} %)${eventToChangeMs === null ? '' : `; from the event to the first change: ${eventToChangeMs.toFixed(0)} ms`}`,
  ];
}

/** At list prices; what the sandbox's own computer is slower or faster than Lambda goes into the seconds, which are the smaller part. */
export function costLines({ watch, rollback }: RunCosts): readonly string[] {
  const told = ({ transitions, invocations, calls, dollars }: Cost): string => `${transitions} transitions, ${invocations} invocations, ${calls} calls: $${dollars.toFixed(4)}`;
  if (watch === null && rollback === null) return [];
  const parts = [
    ...(watch === null ? [] : [`watching the release for ${watch.minutes} min: ${told(watch)}`]),
    ...(rollback === null ? [] : [`rolling back: ${told(rollback)}`]),
  ];
  return [`  ${pc.bold('cost')}   ${parts.join('; ')} ${pc.dim(`(list prices of ${prices.region}, ${prices.asOf})`)}`];
}
