// What still tells on-call when Ripcord itself cannot.
import type { SentMessage } from '../scenarios/scenario.ts';
import type { Case } from './cases.ts';
import type { Run } from './invariants.ts';

export interface Told {
  readonly topic: string;
  readonly subject: string;
}

/** The part of a case that says who was struck, and how. */
export type Struck = Pick<Case, 'actor' | 'at' | 'fault'>;

/** The Watchdog failed to its last try, or an event could not even be delivered: nobody else is left who could page. Its throttles say neither. */
const isAlarm = ({ topic, subject }: Told): boolean => topic === 'on-call' && /^ALARM: "[\w-]+-(handler-lost-watchdog|dead-letters|dead-letters-more)"$/.test(subject);

// After any other loss the Watchdog lives, and has to do its work itself.
const lastOnes = ['watchdog', 'rules'];

/** The engine's own alarm stands for the page, the record, the messages and the freed lock: only where the fault struck the Watchdog, or what starts a run. */
export const isLastResort = (told: Told, struck: Struck | null): boolean => struck !== null && lastOnes.includes(struck.actor) && isAlarm(told);

/** The engine's own alarms, where they stand for what Ripcord could not do any more. */
export const lastResorts = ({ world, struck }: Pick<Run, 'world' | 'struck'>): readonly SentMessage[] => world.messages().filter((told) => isLastResort(told, struck));
