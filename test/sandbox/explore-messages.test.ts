// The exploration's invariants of what people are told: a run that keeps them, and the same run with exactly one message lost, repeated or too open.
import { expect, test } from 'vitest';
import { faultNames, parseCase, type FaultName } from '../../sandbox/explore/cases.ts';
import { mayRepeatMessages } from '../../sandbox/explore/run-case.ts';
import { sessionOf } from '../../sandbox/explore/scenarios.ts';
import { broken, by, event, good, id, mail, onCall, paged, pageOf, recovered, reported, second, stakeholders, started, unheard, type Mail } from './explored-run.ts';

test('each receiver has to hear that a rollback began', () => {
  expect(broken({ mails: [started[0] as Mail, ...paged] })).toEqual(['messages: something was changed, and Stakeholders was not told that it began']);
  expect(broken({ mails: [started[1] as Mail, ...paged] })).toEqual(['messages: something was changed, and OnCall was not told that it began']);
  expect(broken({ events: [event('Rollback Ended')] })).toEqual(['messages: something was changed, and event bus was not told that it began']);
  expect(broken({ mails: paged, writes: [] })).toEqual([]);
});

test('a lost announcement excuses the receiver that it struck, for good, and no other; a run that a person stopped need not begin', () => {
  const silent = { mails: paged, events: [event('Rollback Ended')] };
  const lost = (what: string, fault: FaultName): number => broken({ ...silent, struck: by('announce', fault, what) }).length;
  expect([lost('sns:Publish.OnCall', 'denied'), lost('events:PutEvents.Rollback-Started', 'error-for-good'), lost('dynamodb:UpdateItem.MESSAGE-started', 'throttled-for-good')]).toEqual([2, 2, 0]);
  expect([lost('sns:Publish.OnCall', 'error-once'), lost('dynamodb:UpdateItem.MESSAGE-started', 'killed'), broken({ ...silent, struck: by('report', 'denied') }).length]).toEqual([3, 3, 3]);
  expect(broken({ ...silent, struck: by('assess', 'aborted'), announced: 0 })).toEqual([]);
  // What has begun goes on to its end, whoever stops the execution.
  expect(broken({ ...silent, struck: by('report', 'aborted') })).toHaveLength(3);
});

test('whoever was told that a rollback began has to hear how that one ended, also where nothing was changed', () => {
  const nothing = { writes: [], rows: [reported] };
  const untold = (name: string, which = id): string => `messages: ${name} was told that ${which} began, and not how it ended`;
  expect(broken(nothing)).toEqual([]);
  expect(broken({ ...nothing, mails: [...started, paged[0] as Mail] })).toEqual([untold('Stakeholders')]);
  expect(broken({ ...nothing, mails: [started[0] as Mail, paged[0] as Mail] })).toEqual([]);
  expect(broken({ ...nothing, events: [event('Rollback Started')] })).toEqual([untold('event bus')]);
  expect(broken({ ...nothing, mails: [...started, paged[0] as Mail], struck: by('report', 'denied', 'sns:Publish.Stakeholders') })).toEqual([]);
  expect(broken({ ...nothing, mails: [...started, paged[0] as Mail], struck: by('report', 'error-once', 'sns:Publish.Stakeholders') })).toEqual([untold('Stakeholders')]);
  // The end of another run is none of this one's.
  const other = { others: [{ rollbackId: second, outcome: 'failed', rows: [reported] }] };
  const beginning = { ...mail(stakeholders, 'shop: rolling back it'), message: `Rollback id: ${second}` };
  expect(broken({ ...other, mails: [...good.mails, beginning, pageOf(second)] })).toEqual([untold('Stakeholders', second)]);
});

test('each receiver has to hear how it ended, but for the one that could not be told', () => {
  const [toOnCall, toOthers] = paged as [Mail, Mail];
  const without = (struck: string): readonly string[] => broken({ mails: [...started, toOnCall], struck });
  expect(broken({ ...recovered, mails: [...started, toOthers] })).toEqual(unheard('OnCall'));
  expect(broken({ events: [event('Rollback Started')] })).toEqual(unheard('event bus'));
  expect([without(by('report', 'denied', 'sns:Publish.Stakeholders')), without(by('watchdog', 'error-for-good', 'sns:Publish.Stakeholders'))]).toEqual([[], []]);
  for (const struck of [by('report', 'denied'), by('report', 'denied', 'sns:Publish.OnCall'), by('report', 'error-once', 'sns:Publish.Stakeholders'), by('announce', 'denied', 'sns:Publish.Stakeholders')])
    expect(without(struck)).toEqual(unheard('Stakeholders'));
});

test('a message comes twice only where it could be in doubt, from the sender and to the receiver that was struck; never three times', () => {
  const repeated = (what: Mail, struck: string, count = 2): readonly string[] => broken({ mails: [...good.mails, ...Array.from({ length: count - 1 }, () => what)], mayRepeatMessages: true, struck });
  const [atStart, page, toOthers] = [started[0], paged[0], paged[1]] as [Mail, Mail, Mail];
  const said = (count: number, kind = 'ended', topic = onCall): string[] => [`messages: the same one ${count} times, ${kind} at ${topic} of ${id}`];
  const dead = by('report', 'killed');
  expect([repeated(page, dead), repeated(toOthers, dead), repeated(page, by('watchdog', 'killed')), repeated(atStart, by('announce', 'killed'))]).toEqual([[], [], [], []]);
  expect([repeated(page, dead, 3), repeated(atStart, dead), repeated(page, by('announce', 'killed'))]).toEqual([said(3), said(2, 'started'), said(2)]);
  const lost = by('report', 'reset-after', 'sns:Publish.OnCall');
  expect([repeated(page, lost), repeated(toOthers, lost)]).toEqual([[], said(2, 'ended', stakeholders)]);
  // A stop by a person leaves each function at its work.
  expect([repeated(page, by('report', 'aborted')), repeated(atStart, by('announce', 'aborted'))]).toEqual([said(2), said(2, 'started')]);
  expect(broken({ mails: [...good.mails, page], struck: dead })).toEqual(said(2));
});

test('nobody can know after a death of the sender, a stop, or the loss of the very reply', () => {
  const may = (actor: string, what: string): readonly FaultName[] => faultNames.filter((fault) => mayRepeatMessages(parseCase(by(actor, fault, what))));
  expect(may('report', 'sns:Publish.OnCall')).toEqual(['error-after', 'reset-after', 'late-reply', 'killed', 'aborted']);
  expect(may('announce', 'events:PutEvents.Rollback-Started')).toEqual(['error-after', 'reset-after', 'late-reply', 'killed', 'aborted']);
  expect(may('report', 'dynamodb:UpdateItem.MESSAGE-ended')).toEqual(['killed', 'aborted']);
  expect(may('assess', 'dynamodb:Query')).toEqual(['aborted']);
});

test('no secret stands in a message that could not be delivered', () => {
  const waiting = { pk: `ROLLBACK#${id}`, sk: 'APPROVAL', taskToken: 'AQCEAAAAtoken' };
  expect(broken({ undelivered: ['{"reason":"a value that nobody says"}', '{"taskToken":"AQCEAAAAtoken"}'], ledger: [waiting] })).toEqual([
    'secret: the journey\'s secret stands in queue undelivered', 'secret: a task token stands in queue undelivered',
  ]);
  expect(broken({ undelivered: [sessionOf('a value that nobody says')] })).toEqual(['secret: what the journey carries stands in queue undelivered']);
  expect(broken({ undelivered: ['{"service":"shop"}'], ledger: [waiting] })).toEqual([]);
});
