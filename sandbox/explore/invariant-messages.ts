// People hear once that a rollback began and once how it ended; twice only where nobody can know whether it was sent (decision 0006), never not at all.
import type { FaultName } from './cases.ts';
import type { Run } from './invariants.ts';
import { lastResorts, type Struck } from './last-resort.ts';

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
    return all.length > (all.every((one) => mayComeTwice(one, run)) ? 2 : 1) ? [`messages: the same one ${all.length} times, ${key}`] : [];
  });
}

/** What each of those who send at the beginning or the end of a rollback sends. */
const sends: Readonly<Record<string, Sent['kind']>> = { announce: 'started', report: 'ended', watchdog: 'ended' };

/**
 * Only where its sender died between sending and its note, or could not know whether this very call took effect, nobody knows that it was sent.
 * A stopped execution excuses no message: a function that is at work goes on to its end and writes its note, and the Watchdog waits for that.
 */
function mayComeTwice({ kind, receiver }: Sent, run: Run): boolean {
  const { struck, mayRepeatMessages } = run;
  if (!mayRepeatMessages || struck === null || sends[struck.actor] !== kind) return false;
  if (struck.fault === 'killed') return true;
  return lostReplies.includes(struck.fault) && receiversOf(run).some((one) => one.receiver === receiver && struckReceiver(struck) === one.name);
}

const lostReplies: readonly FaultName[] = ['reset-after', 'error-after', 'late-reply'];

/** Whom the call that was struck would tell: each receiver is told by a call of its own. Null: nobody. */
function struckReceiver({ at }: Struck): Receiver['name'] | null {
  const topic = (['OnCall', 'Stakeholders'] as const).find((name) => at.includes(`sns:Publish.${name}`));
  return topic ?? (at.includes('events:PutEvents') ? 'event bus' : null);
}

/** Where something was changed, every receiver heard that it began, and how it ended; and whoever heard that it began also hears how it ended, whatever was changed. */
export function saidOnce(run: Run): string[] {
  const sent = sentBy(run);
  return [...run.writes.length === 0 ? [] : unheardOf(run, sent), ...leftWaiting(run, sent)];
}

function unheardOf(run: Run, sent: readonly Sent[]): string[] {
  const hasAlarm = lastResorts(run).length > 0;
  const unheard = (kind: Sent['kind']): readonly Receiver[] =>
    receiversOf(run).filter(({ receiver, name }) => !isLost(kind, name, run.struck) && !sent.some((one) => one.kind === kind && one.receiver === receiver));
  return [
    ...(isStoppedBefore(run) ? [] : unheard('started').map(({ name }) => `messages: something was changed, and ${name} was not told that it began`)),
    ...(hasAlarm ? [] : unheard('ended').map(({ name }) => `messages: something was changed, and ${name} was not told how it ended`)),
  ];
}

/** The first message promises a second. Who heard of no end at all is named already where something was changed. */
function leftWaiting(run: Run, sent: readonly Sent[]): string[] {
  if (lastResorts(run).length > 0) return [];
  const heardEnd = (receiver: string, rollbackId: string | null): boolean => sent.some((one) => one.kind === 'ended' && one.receiver === receiver && (rollbackId === null || one.rollbackId === rollbackId));
  return receiversOf(run).filter(({ receiver, name }) => !isLost('ended', name, run.struck) && (run.writes.length === 0 || heardEnd(receiver, null))).flatMap(({ receiver, name }) => {
    const begun = new Set(sent.filter((one) => one.kind === 'started' && one.receiver === receiver).map(({ rollbackId }) => rollbackId));
    return [...begun].filter((rollbackId) => !heardEnd(receiver, rollbackId)).map((rollbackId) => `messages: ${name} was told that ${rollbackId} began, and not how it ended`);
  });
}

interface Receiver {
  readonly name: 'OnCall' | 'Stakeholders' | 'event bus';
  /** As in `Sent`. */
  readonly receiver: string;
}

const receiversOf = ({ world: { ripcord: { names } } }: Run): readonly Receiver[] => [
  { name: 'OnCall', receiver: names.onCallTopicArn }, { name: 'Stakeholders', receiver: names.stakeholderTopicArn }, { name: 'event bus', receiver: 'event bus' },
];

/** A person stopped the rollback before its announcement had begun. One that has begun goes on to its end. */
const isStoppedBefore = ({ struck, world }: Run): boolean =>
  struck?.fault === 'aborted' && world.sandbox.services.functions.list().every(({ spec, invocations }) => spec.name !== 'ripcord-announce' || invocations === 0);

/**
 * Who sends this kind cannot, for good, send it to this receiver: a rollback does not wait for that, and the loss of one excuses no other.
 * Where Announce cannot work at all nobody announces in its stead; where Report cannot, the Watchdog tells the end.
 */
function isLost(kind: Sent['kind'], name: Receiver['name'], struck: Struck | null): boolean {
  if (struck === null || sends[struck.actor] !== kind || !forGood.includes(struck.fault)) return false;
  const to = struckReceiver(struck);
  return to === name || (to === null && kind === 'started');
}

const forGood: readonly FaultName[] = ['throttled-for-good', 'error-for-good', 'denied', 'refused-for-good'];
