// The exploration's invariants can fail: a run that keeps all of them, and the same run with exactly one thing broken.
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sandbox/aws/world.ts';
import { faultNames, parseCase, type FaultName } from '../../sandbox/explore/cases.ts';
import { judge, type Run } from '../../sandbox/explore/invariants.ts';
import { isReached, isUnfair, mayRepeatMessages } from '../../sandbox/explore/run-case.ts';
import { sessionOf } from '../../sandbox/explore/scenarios.ts';
import { isGood, told } from '../../sandbox/explore/tell.ts';
import { announces, callOf, forwarding } from './announced-calls.ts';

const [onCall, stakeholders] = ['arn:aws:sns:eu-west-1:111122223333:on-call', 'arn:aws:sns:eu-west-1:111122223333:stakeholders'];
const id = 'run-1';

interface Mail {
  readonly topicArn: string;
  readonly subject: string;
  readonly message: string;
}

interface Row {
  readonly kind: string;
  readonly at?: string;
  readonly data: unknown;
}

interface Made {
  readonly outcome: string;
  readonly mails: readonly Mail[];
  readonly events: readonly { readonly source: string; readonly 'detail-type': string; readonly detail: Readonly<Record<string, unknown>> }[];
  readonly rows: readonly Row[];
  readonly writes: readonly CallRecord[];
  readonly ledger: Run['ledger'];
  /** Bodies in the dead-letter queue. */
  readonly undelivered: readonly string[];
  /** Of a target that is not as Ripcord's writes leave it: by the name by which a call is about it. */
  readonly live: Readonly<Record<string, string>>;
  /** The one that a person changed; null: none. */
  readonly meddled: string | null;
  readonly meddledLive: string;
  readonly mayRepeatMessages: boolean;
  /** Of a case; null: a run without a fault. */
  readonly struck: string | null;
  /** Records end without their seal. */
  readonly isOpen: boolean;
  /** What the function that proves read of alarms, secrets and metrics. */
  readonly proof: readonly CallRecord[];
  /** Of the scenario, beyond a plain one's. */
  readonly scenario: Readonly<Record<string, unknown>>;
  readonly announced: number;
  /** Runs beside the first. */
  readonly others: readonly { readonly rollbackId: string; readonly outcome: string; readonly status?: string; readonly rows: readonly Row[] }[];
}

const mail = (topicArn: string, subject: string): Mail => ({ topicArn, subject, message: `${subject.includes('rolling back') ? '' : 'Incident report: shop\n'}Rollback id: ${id}` });
const event = (type: 'Rollback Started' | 'Rollback Ended') => ({ source: 'ripcord', 'detail-type': type, detail: { rollbackId: id, headline: 'as before', outcome: 'paged' } });
const started = [mail(onCall, 'ACTION shop: rolling back it'), mail(stakeholders, 'shop: rolling back it')];
const paged = [mail(onCall, 'PAGE shop: not recovered'), mail(stakeholders, 'shop: not recovered')];
const alarm: Mail = { topicArn: onCall, subject: 'ALARM: "ripcord-handler-lost-watchdog"', message: 'the Watchdog failed' };

const reported = { kind: 'reported', data: { ending: { reasons: [{ code: 'not-proven', text: 'The journey still fails.' }] } } };
const intended: Row = { kind: 'change-intended', data: { targetId: 'first', strategy: 'alb-weights', from: { actions: forwarding(0) }, to: { actions: forwarding(100) } } };
const read = callOf({ service: 'elasticloadbalancing', operation: 'DescribeListeners', output: { Listeners: [{ DefaultActions: forwarding(0) }] }, seconds: 1 });
const write = callOf({ service: 'elasticloadbalancing', operation: 'ModifyListener', input: { ListenerArn: 'listener', DefaultActions: forwarding(100) }, seconds: 3 });
const joined = (other: string): Row => ({ kind: 'assessed', data: { decision: { verdict: 'joined', reasons: [{ code: 'joined', text: `Rollback ${other} has it.` }] } } });
const sealed = (outcome: string): Row => ({ kind: 'sealed', data: { outcome } });

const alarmsRead = (state: string): CallRecord => callOf({ service: 'cloudwatch', operation: 'DescribeAlarms', output: { MetricAlarms: [{ AlarmName: 'shop-errors', StateValue: state }] }, seconds: 1 });
const secretRead = callOf({ service: 'secretsmanager', operation: 'GetSecretValue', seconds: 1 });
const metricsRead = callOf({ service: 'cloudwatch', operation: 'GetMetricData', seconds: 1 });

/** A rollback that changed its target, did not help, and paged. */
const good: Made = {
  outcome: 'failed', mails: [...started, ...paged], events: [event('Rollback Started'), event('Rollback Ended')],
  rows: [intended, reported], writes: [write], ledger: [], undelivered: [], live: {}, meddled: null, meddledLive: 'person', mayRepeatMessages: false, struck: 'two-rungs/assess/dynamodb:Query#1/error-once', others: [],
  isOpen: false, proof: [alarmsRead('OK'), secretRead], scenario: {}, announced: 1,
};

function runOf(changes: Partial<Made> = {}): Run {
  const made = { ...good, ...changes };
  const targetOf = (prefix: string, touched: string, strategy: string) => ({ prefix, isTouchedBy: (input: string) => input.includes(touched), document: { strategy, listenerArn: touched }, live: () => (made.meddled === touched ? made.meddledLive : made.live[touched] ?? (JSON.stringify(made.writes).includes(touched) ? 'blue' : 'green')), untouched: () => 'green' });
  const closed = (rows: readonly Row[], outcome: string): readonly Row[] =>
    (made.isOpen || rows.length === 0 || rows.at(-1)?.kind === 'sealed' || JSON.stringify(rows).includes('"verdict":"joined"') ? rows : [...rows, sealed(outcome)]);
  const stored = (rows: readonly Row[]) => rows.map((row, seq) => ({ seq, at: '2026-01-01T00:00:03Z', hash: `hash of ${seq}`, ...row, data: JSON.stringify(row.data) }));
  const calls = { list: () => [read, ...made.proof, ...stored(made.rows).map(({ hash }) => announces(hash, 2)), ...made.writes], unsupported: [] };
  const targets = { first: targetOf('elasticloadbalancing', 'listener', 'alb-weights'), second: targetOf('route53', 'zone', 'route53-weights') };
  const world = {
    scenario: { name: 'shop', cure: 'first', ends: 'recovered', mayChange: true, ...made.scenario }, secret: 'a value that nobody says',
    targets, meddledTarget: made.meddled === null ? null : Object.values(targets).find((target) => target.isTouchedBy(made.meddled ?? '')),
    runs: () => [{ rollbackId: id, outcome: made.outcome }, ...made.others].map((one) => ({ status: 'SUCCEEDED', headline: 'as before', ...one })),
    messages: () => made.mails.map(({ topicArn, subject, message }) => ({ topic: topicArn === onCall ? 'on-call' : 'stakeholders', subject, text: message })),
    ripcord: { names: { onCallTopicArn: onCall, stakeholderTopicArn: stakeholders } },
    sandbox: {
      inbox: made.mails, calls, breaches: [], clock: { now: () => Date.parse('2026-01-01T01:00:00Z') },
      services: {
        queues: { names: ['undelivered'], peek: () => made.undelivered.map((body) => ({ messageId: 'm-1', body, attributes: {}, sentAt: 0, sender: 'events' })) }, events: { events: made.events }, functions: { list: () => [{ spec: { name: 'ripcord-announce' }, log: { lines: [] }, invocations: made.announced }] }, states: { executions: () => [] },
      },
    },
  };
  const records = [{ rollbackId: id, rows: made.rows, outcome: made.outcome }, ...made.others].map(({ rollbackId, rows, outcome }) => ({ rollbackId, rows: stored(closed(rows, outcome)) }));
  const struck = made.struck === null ? null : parseCase(made.struck);
  return { world, records, ledger: made.ledger, writes: made.writes, hasMeddled: made.meddled !== null, mayRepeatMessages: made.mayRepeatMessages, struck } as unknown as Run;
}

/** The plain run, and one record more. */
function withRecord(rollbackId: string, row: Row): Run {
  const run = runOf();
  return { ...run, records: [...run.records, { rollbackId, rows: [{ rollbackId, seq: 0, at: '2026-01-01T00:00:03Z', previousHash: '', hash: 'one more', ...row, data: JSON.stringify(row.data) }] }] } as unknown as Run;
}

const broken = (changes: Partial<Made> = {}): readonly string[] => judge(runOf(changes), () => null).broken.map((text) => text.replace(/(end: [^:]+):.*/s, '$1'));
const endless = 'end: neither recovered and proven, nor stopped with on-call paged and the reason recorded';
const lockRow = { pk: 'SERVICE#shop', sk: 'LOCK', owner: id, leaseUntil: String(Date.parse('2026-01-01T01:05:00Z')) };
const by = (actor: string, fault: FaultName, what = 'dynamodb:PutItem.LOCK'): string => `two-rungs/${actor}/${what}#1/${fault}`;

const unheard = (...names: readonly string[]): string[] => names.map((name) => `messages: something was changed, and ${name} was not told how it ended`);

test('the run from which the others differ keeps every invariant', () => {
  expect(judge(runOf(), () => null)).toMatchObject({ ending: 'paged', broken: [] });
});

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

test('an alarm of the engine stands for page, lock and last message only where the Watchdog itself, or what starts a run, was struck', () => {
  const dead = { mails: [...started, alarm], events: [event('Rollback Started')], rows: [intended], ledger: [lockRow] };
  for (const actor of ['watchdog', 'rules']) expect(broken({ ...dead, struck: by(actor, 'denied') })).toEqual([]);
  for (const struck of [by('report', 'denied'), by('assess', 'killed'), by('strategy-alb-weights', 'aborted'), null]) {
    expect(broken({ ...dead, struck })).toEqual([endless, `lock: ${id} still holds it`, ...unheard('OnCall', 'Stakeholders', 'event bus')]);
  }
});

test('a lock is not held for longer than the longest lease, even where the Watchdog is dead', () => {
  const late = { ...lockRow, leaseUntil: String(Date.parse('2026-01-01T02:00:00Z')) };
  expect(broken({ mails: [...good.mails, alarm], ledger: [late], struck: by('watchdog', 'denied') })).toEqual([`lock: held by ${id} for another 3600 s`]);
});

test('a page is no end without a reason in the record', () => {
  const withRows = (...rows: readonly Row[]): readonly string[] => broken({ rows: [intended, ...rows] });
  expect(withRows()).toEqual([endless]);
  expect(withRows({ kind: 'reported', data: { ending: { reasons: [] } } })).toEqual([endless]);
  expect(withRows({ kind: 'reported', data: { ending: { reasons: [{ code: 'x', text: ' ' }] } } })).toEqual([endless]);
  const assessed = (verdict: string): Row => ({ kind: 'assessed', data: { decision: { verdict, reasons: [{ code: 'x', text: 'Because.' }] } } });
  expect(withRows(assessed('roll-back'))).toEqual([endless]);
  expect(withRows(assessed('leave'))).toEqual([]);
  expect(withRows({ kind: 'assessed', data: { refused: { code: 'x', text: 'No such service.' } } })).toEqual([]);
});

test('a page without a word is no end', () => {
  expect(broken({ mails: [...started, mail(stakeholders, 'shop: not recovered'), { topicArn: onCall, subject: 'PAGE shop', message: '' }] })).toEqual([endless, ...unheard('OnCall')]);
});

const recovered = { outcome: 'recovered', rows: [intended, { kind: 'verified', data: { answer: 'recovered' } }, sealed('recovered')] };
const second = 'run-2';
const pageOf = (rollbackId: string): Mail => ({ topicArn: onCall, subject: 'PAGE shop: not recovered', message: `Incident report: shop\nRollback id: ${rollbackId}` });

test('a run that recovered excuses no other: each is joined, left with a reason, or stopped and paged', () => {
  const besides = (outcome: string, rows: readonly Row[], mails: readonly Mail[] = []) => broken({ ...recovered, others: [{ rollbackId: second, outcome, rows }], mails: [...good.mails, ...mails] });
  const leave = { kind: 'assessed', data: { decision: { verdict: 'leave', reasons: [{ code: 'x', text: 'Not ours.' }] } } };
  expect([besides('joined', [joined(id)]), besides('left', [leave]), besides('failed', [reported], [pageOf(second)])]).toEqual([[], [], []]);
  expect(besides('joined', [])).toEqual([endless]);
  expect(besides('joined', [joined('run-3')])).toEqual([endless]);
  expect(besides('left', [])).toEqual([endless]);
  expect(besides('failed', [reported])).toEqual([endless]);
  expect(besides('failed', [], [pageOf(second)])).toEqual([endless]);
  expect(besides('recovered', [sealed('recovered')])).toEqual([endless]);
  // A person stopped both; the second had put down nothing, or that it had joined the first.
  const stopped = (rows: readonly Row[], struck: string) => broken({ struck, others: [{ rollbackId: second, outcome: 'aborted', status: 'ABORTED', rows }] });
  expect([stopped([], by('assess', 'aborted')), stopped([joined(id)], by('assess', 'aborted'))]).toEqual([[], []]);
  expect([stopped([], by('assess', 'denied')), stopped([joined('run-3')], by('assess', 'aborted')), stopped([reported], by('assess', 'aborted'))]).toEqual([[endless], [endless], [endless]]);
  expect(broken({ outcome: 'joined', rows: [joined(second)], writes: [], others: [{ rollbackId: second, outcome: 'joined', rows: [joined(id)] }], mails: [] })).toEqual([endless]);
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

test('a target is back where a change of Ripcord\'s took effect, and as the release has it where none did; a person\'s stays', () => {
  const untouched = 'live state: target second is';
  for (const live of ['mixed', 'shifting', 'person', 'blue']) expect(broken({ live: { zone: live } }), live).toEqual([`${untouched} ${live}, and has to be green: Ripcord changed nothing there`]);
  for (const live of ['mixed', 'shifting', 'person', 'green']) {
    expect(broken({ live: { listener: live } }), live).toEqual([`live state: target first is ${live}, and has to be blue: Ripcord changed it`]);
    expect(broken({ ...recovered, live: { listener: live } }), live).toEqual([endless, `live state: target first is ${live}, and has to be blue: Ripcord changed it`]);
  }
  expect(broken({ scenario: { mayChange: false } })).toEqual(['live state: ModifyListener although nothing may be changed']);
  expect([broken({ meddled: 'zone' }), broken({ meddled: 'listener' })]).toEqual([[], []]);
  for (const meddledLive of ['blue', 'green', 'mixed', 'shifting']) expect(broken({ meddled: 'zone', meddledLive })).toEqual([`someone else's change was overwritten: ${meddledLive} is live`]);
});

test('a record has to be closed, but for one that says which other run has it, or that nobody could close any more', () => {
  expect(broken({ isOpen: true })).toEqual([`audit: the record of ${id} ends without a seal, with a row reported`]);
  expect(broken({ isOpen: true, mails: [...good.mails, alarm], struck: by('watchdog', 'denied') })).toEqual([]);
  expect(broken({ ...recovered, others: [{ rollbackId: second, outcome: 'joined', rows: [joined(id)] }] })).toEqual([]);
  // That of a Watch is closed when its release has baked.
  const open: Row = { kind: 'watched', data: {} };
  expect([judge(withRecord('watch#shop#1', open), () => null).broken, judge(withRecord('run-9', open), () => null).broken]).toEqual([[], ['audit: the record of run-9 ends without a seal, with a row watched']]);
});

test('called recovered, it has to be proven by what the sandbox answered in that round', () => {
  const proven = (changes: Partial<Made>): readonly string[] => broken({ ...recovered, ...changes });
  expect(proven({})).toEqual([]);
  for (const proof of [[secretRead], [alarmsRead('ALARM'), secretRead], [alarmsRead('OK'), alarmsRead('ALARM'), secretRead], [{ ...alarmsRead('OK'), trace: 'another' }, secretRead], [{ ...alarmsRead('OK'), output: null }, secretRead]])
    expect(proven({ proof })).toEqual(['proof: called recovered without an answer that the alarm is OK']);
  expect(proven({ proof: [alarmsRead('OK')] })).toEqual(['proof: called recovered without the secret that the journey needs']);
  expect(proven({ scenario: { measured: true } })).toEqual(['proof: called recovered without any metric']);
  expect(proven({ scenario: { measured: true }, proof: [...good.proof, metricsRead] })).toEqual([]);
  expect(proven({ scenario: { path: '/broken' } })).toEqual(['proof: called recovered, and the journey fails to this moment']);
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

test('leaving it is an end for an old answer about an alarm alone', () => {
  const left = { outcome: 'left', mails: [], events: [], writes: [], rows: [{ kind: 'assessed', data: { decision: { verdict: 'leave', reasons: [{ code: 'x', text: 'All is quiet.' }] } } }] };
  expect(broken({ ...left, struck: by('assess', 'stale', 'cloudwatch:DescribeAlarms') })).toEqual([]);
  for (const fault of faultNames.filter((one) => one !== 'stale')) expect(broken({ ...left, struck: by('assess', fault, 'cloudwatch:DescribeAlarms') }), fault).toEqual([endless]);
  for (const what of ['cloudwatch:GetMetricData', 'elasticloadbalancing:DescribeListeners', 'cloudwatch:DescribeAlarmsForMetric']) expect(broken({ ...left, struck: by('assess', 'stale', what) }), what).toEqual([endless]);
  expect(broken({ ...left, struck: null })).toEqual([endless]);
});

test('what is done after the effect was not done where AWS refused the call', () => {
  const refused = { output: null, faults: ['killed', 'error-after', 'denied'] };
  expect([isReached('killed', 1, [refused]), isReached('error-after', 1, [refused]), isReached('denied', 1, [refused]), isReached('denied', 0, [refused])]).toEqual([false, false, true, false]);
  expect([isReached('killed', 1, [refused, { ...refused, output: {} }]), isReached('killed', 1, [refused, { output: {}, faults: [] }])]).toEqual([true, false]);
});

test('the closing line counts by scenario the cases that never came to their call', () => {
  const result = (scenario: string, reached: boolean) => ({ id: `${scenario}/a/b#1/denied`, scenario, fault: 'denied', ending: 'paged', isReached: reached, broken: [], outcomes: '', wallMilliseconds: 1, plays: 1, playedBack: { before: 2, after: 0 }, difference: null, brokenBefore: [], endingWhole: null }) as const;
  const lines = told({ cases: [], seconds: 1, results: [result('manual', false), result('manual', false), result('dns-flip', true), result('alb-flip', false)] });
  expect(lines.at(-1)).toBe('4 cases in 1 s: all keep every invariant; in 3 the run ended without that call having been struck (alb-flip 1, manual 2); 8 invocations before a fault were played back');
  const again = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), plays: 2, brokenBefore: ['lock: a still holds it'] }] });
  expect(again.slice(-3, -1)).toEqual(['broke on a machine that was too slow, and then held: manual/a/b#1/denied', '  lock: a still holds it']);
  expect(again.at(-1)).toBe('1 cases in 1 s: all keep every invariant; 1 were played again, as this machine was too slow for a fair trial; 2 invocations before a fault were played back');
  expect([isGood([result('manual', false)]), isGood([result('manual', false), result('manual', false)]), isGood([{ ...result('manual', true), ending: 'broken' }]), isGood([{ ...result('manual', true), endingWhole: 'broken' }]), isGood([])]).toEqual([true, false, false, false, false]);
  expect([isGood([{ ...result('manual', true), endingWhole: 'recovered' }]), isGood([{ ...result('manual', true), endingWhole: 'paged' }])]).toEqual([false, true]);
  const brokeBefore = { ...result('manual', true), brokenBefore: ['lock: a still holds it'] };
  expect([isGood([brokeBefore]), isGood([brokeBefore, brokeBefore])]).toEqual([true, false]);
  const both = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), endingWhole: 'paged' }, { ...result('alb-flip', true), endingWhole: 'recovered' }] });
  expect(both.at(-1)).toContain('2 cases were played whole as well, 1 of them ended otherwise (alb-flip/a/b#1/denied: paged, whole recovered)');
  const whole = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), playedBack: { before: 0, after: 0 }, difference: 'assess: GetItem came to 1, and in the recording to 2' }] });
  expect(whole.at(-1)).toBe('1 cases in 1 s: all keep every invariant; 1 could not be played back, and were played whole (the first: assess: GetItem came to 1, and in the recording to 2)');
  const after = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), playedBack: { before: 1, after: 5 } }, { ...result('manual', true), playedBack: { before: 1, after: 1 } }, result('manual', true)] });
  expect(after.at(-1)).toContain('4 invocations before a fault were played back; in 2 cases what came after it was as without a fault, and was played back too');
});

test('a case is played again when it broke on a machine that was too slow, three times at most', () => {
  const slow = { ending: 'broken', isOverdue: true } as const;
  expect([1, 2, 3].map((plays) => isUnfair(slow, plays))).toEqual([true, true, false]);
  expect([isUnfair({ ...slow, isOverdue: false }, 1), isUnfair({ ...slow, ending: 'paged' }, 1)]).toEqual([false, false]);
});
