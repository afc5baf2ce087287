// People hear once that a rollback began and once how it ended; twice only where a death in mid-send leaves no choice (decision 0006), never not at all.
import type { Run } from './invariants.ts';
import { isLastResort } from './last-resort.ts';

interface Sent {
  /** What makes two messages one and the same: receiver, kind, run and headline. The Watchdog, which knows the record alone, words the rest in its own way. */
  readonly identity: string;
  readonly kind: 'started' | 'ended';
  readonly receiver: string;
  readonly rollbackId: string;
}

const kinds = { 'Rollback Started': 'started', 'Rollback Ended': 'ended' } as const;

function sentBy({ world }: Run): readonly Sent[] {
  const { inbox, services: { events } } = world.sandbox;
  const ids = world.runs().map(({ rollbackId }) => rollbackId);
  // Its own: a message may also name a run that this one joined.
  const rollbackOf = (text: string): string => ids.find((id) => text.includes(`Rollback id: ${id}`) || text.includes(`"rollbackId":"${id}"`)) ?? '';
  const mails = inbox.flatMap(({ topicArn, subject, message }): Sent[] => {
    const kind = /rolling back /.test(subject ?? '') ? 'started' : /Incident report: /.test(message) ? 'ended' : null;
    return kind === null ? [] : [{ kind, receiver: topicArn, rollbackId: rollbackOf(message), identity: `${topicArn} ${subject}` }];
  });
  const told = events.events.filter(({ source }) => source === 'ripcord').flatMap((event): Sent[] => {
    const kind = kinds[event['detail-type'] as keyof typeof kinds] as 'started' | 'ended' | undefined;
    return kind === undefined ? [] : [{ kind, receiver: 'event bus', rollbackId: rollbackOf(JSON.stringify(event.detail)), identity: JSON.stringify([kind, event.detail['outcome'], event.detail['headline']]) }];
  });
  return [...mails, ...told];
}

/** At each receiver one message of each kind, counted by its identity. */
export function announcedTwice(run: Run): string[] {
  const groups = new Map<string, Sent[]>();
  for (const sent of sentBy(run)) {
    const key = `${sent.kind} at ${sent.receiver} of ${sent.rollbackId}`;
    groups.set(key, [...(groups.get(key) ?? []), sent]);
  }
  return [...groups].flatMap(([key, all]) => {
    const identities = new Set(all.map(({ identity }) => identity)).size;
    if (identities > 1) return [`messages: ${identities} different ones, ${key}`];
    return all.length > 1 && !run.mayRepeatMessages ? [`messages: the same one ${all.length} times, ${key}`] : [];
  });
}

/** Where something was changed, somebody heard that it began and how it ended. */
export function saidOnce(run: Run): string[] {
  if (run.writes.length === 0) return [];
  const sent = sentBy(run);
  const hasAlarm = run.world.messages().some(isLastResort);
  const has = (kind: Sent['kind']): boolean => sent.some((one) => one.kind === kind);
  // An announcement that cannot be made is not what a rollback waits for: then the end message, or an alarm of the engine, is the first that is heard.
  const isHeard = has('started') || has('ended') || hasAlarm;
  return [
    ...(isHeard ? [] : ['messages: something was changed, and nobody was told']),
    ...(has('ended') || hasAlarm ? [] : ['messages: nobody was told how it ended']),
  ];
}
