// What still tells on-call when Ripcord itself cannot.

export interface Told {
  readonly topic: string;
  readonly subject: string;
}

/** The engine's own alarm that the Watchdog failed, or that an event could not even be delivered: nobody else is left who could page. */
export const isLastResort = ({ topic, subject }: Told): boolean => topic === 'on-call' && /^ALARM: .*(watchdog|dead-letters)/.test(subject);
