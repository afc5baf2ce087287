// The exploration's invariants can fail: a run that keeps all of them, and the same run with exactly one thing broken.
import { expect, test } from 'vitest';
import { faultNames } from '../../sandbox/explore/cases.ts';
import { judge } from '../../sandbox/explore/invariants.ts';
import { alarm, alarmsRead, broken, by, endless, event, good, id, intended, joined, lockRow, mail, metricsRead, onCall, pageOf, recovered, reported, runOf, sealed, second, secretRead, stakeholders, started, unheard, withRecord, type Mail, type Row, type Made } from './explored-run.ts';

test('the run from which the others differ keeps every invariant', () => {
  expect(judge(runOf(), () => null)).toMatchObject({ ending: 'paged', broken: [] });
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

test('leaving it is an end for an old answer about an alarm alone', () => {
  const left = { outcome: 'left', mails: [], events: [], writes: [], rows: [{ kind: 'assessed', data: { decision: { verdict: 'leave', reasons: [{ code: 'x', text: 'All is quiet.' }] } } }] };
  expect(broken({ ...left, struck: by('assess', 'stale', 'cloudwatch:DescribeAlarms') })).toEqual([]);
  for (const fault of faultNames.filter((one) => one !== 'stale')) expect(broken({ ...left, struck: by('assess', fault, 'cloudwatch:DescribeAlarms') }), fault).toEqual([endless]);
  for (const what of ['cloudwatch:GetMetricData', 'elasticloadbalancing:DescribeListeners', 'cloudwatch:DescribeAlarmsForMetric']) expect(broken({ ...left, struck: by('assess', 'stale', what) }), what).toEqual([endless]);
  expect(broken({ ...left, struck: null })).toEqual([endless]);
});
