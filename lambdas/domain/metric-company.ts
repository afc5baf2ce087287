// What is said of the controls beside the judge's verdict: which of them share a harm, and which could not be read.
import type { ComparisonMove } from '../statistics/comparison.ts';
import type { Judgement } from '../statistics/judgement.ts';
import { patiencePoints } from '../statistics/settings.ts';
import type { MetricsRead } from './metrics.ts';

/** Harm that has lasted so many minutes is judged without the controls of a Region that still does not answer: the judge waits as long for controls with too little data. */
export const minutesWaitedFor = patiencePoints;
/** A sentence is for the first lines of a message. */
const mostNamed = 3;
const mostCharacters = 160;

/** One sentence a Region that was not read; empty when all were. */
export const unreadText = ({ unread = [] }: MetricsRead): string =>
  unread.map(({ region, why }) => `The controls of ${region} could not be read: ${why.slice(0, mostCharacters).replace(/\.$/, '')}.`).join(' ');

/** Which controls moved with the service; empty where none did. */
export function sharedBy({ signals }: Judgement): string {
  const sharing = signals.flatMap(({ status, controls, dependencies }): readonly ComparisonMove[] => {
    if (status === 'shared') return controls.filter(({ shared }) => shared > 0);
    return status === 'dependency' ? dependencies.toSorted((a, b) => b.effect - a.effect).slice(0, 1) : [];
  });
  const names = [...new Set(sharing.map(({ name }) => name))];
  return names.length === 0 ? '' : `${listed(names)} got worse as well.`;
}

/** The first few of them. */
export const listed = (names: readonly string[]): string =>
  `${names.slice(0, mostNamed).join(', ')}${names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ''}`;
