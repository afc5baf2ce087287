// Who could have done it, in which order, and in which words.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import { suspectLines } from '../../../lambdas/domain/suspects-words.ts';
import { timeWeight } from '../../../lambdas/domain/suspect-weights.ts';
import type { Suspect } from '../../../lambdas/domain/workflow.ts';
import { measured, reading, since } from './metric-samples.ts';
import { alarm, journeys, minute, neighbour, payments5, question, quiet, release, sick } from './samples.ts';

const ranked = (over: Parameters<typeof question>[0]): readonly Suspect[] => decide(question(over)).suspects;
const shareOf = (asked: Parameters<typeof question>[0], id = 'r-2'): number => ranked(asked).find((one) => one.release?.id === id)?.share ?? 0;
const older = { startedAt: minute(-40), finishedAt: minute(-38) };
const harm = { errors: since(2, 0.3) };

describe('the ranking', () => {
  it('numbers the suspects with their shares and reasons', () => {
    const asked = { releases: [release({ ...older, version: '2.0.0' })], neighbours: [neighbour({ releases: [payments5], alarms: sick })] };
    const lines = suspectLines(ranked(asked));
    expect(lines[0]).toMatch(/^1\. payments 5\.1\.0 \(9\d %\): payments is sick itself, not later than this service; began 4 min before the fault; would explain what is seen of this service as well; most outages follow a change; but it is one step away$/);
    expect(lines[1]).toMatch(/^2\. checkout 2\.0\.0 \(\d+ %\): 2 independent signals of this service; most outages follow a change; but began 46 min before the fault$/);
    expect(lines.at(-1)).toMatch(/^3\. something that is not on record \(\d %\)$/);
  });

  it('says nothing where nothing is on record', () => {
    expect(suspectLines(ranked({ releases: [] }))).toEqual([]);
  });

  it.each<[string, Parameters<typeof question>[0], Parameters<typeof question>[0]]>([
    ['a release right before the fault', {}, { releases: [release(older)] }],
    ['a release that runs still', { releases: [release({ ...older, finishedAt: null, status: 'in-progress' })] }, { releases: [release(older)] }],
    ['two independent signals', { releases: [release(older)] }, { releases: [release(older)], alarms: [alarm('5xx'), quiet('latency')] }],
    ['a journey that passed as it began', { releases: [release({ ...older, journeysFailedAtStart: [] })], evidence: journeys(false) }, { releases: [release({ ...older, journeysFailedAtStart: [] })], evidence: journeys(true) }],
    ['one side that is sick alone', { releases: [release(older)], alarms: [alarm('5xx', { side: 'green' }), quiet('blue-5xx', { side: 'blue' })] }, { releases: [release(older)], alarms: [alarm('5xx', { side: 'green' }), quiet('blue-5xx', { side: 'green' })] }],
    ['alarms that watch no side, beside both sides sick', { releases: [release(older)] }, { releases: [release(older)], alarms: [alarm('5xx', { side: 'green' }), alarm('latency', { side: 'blue' })] }],
    ['the new side sick, beside the side declared good',
      { targets: { web: { strategy: 'alb-weights', goodSide: 'blue' } }, releases: [release(older)], alarms: [alarm('5xx', { side: 'green' }), quiet('b', { side: 'blue' })] },
      { targets: { web: { strategy: 'alb-weights', goodSide: 'blue' } }, releases: [release(older)], alarms: [alarm('5xx', { side: 'blue' }), quiet('b', { side: 'green' })] }],
    ['metrics that say nothing, beside metrics that saw the same elsewhere', { releases: [release(older)] }, { releases: [release(older)], metrics: reading(harm, [measured('payments', harm), measured('search', harm)]) }],
  ])('gives more to %s', (_name, more, less) => {
    expect(shareOf(more)).toBeGreaterThan(shareOf(less));
  });

  it.each<[string, Parameters<typeof neighbour>[0], Parameters<typeof neighbour>[0]]>([
    ['is sick itself', { alarms: sick }, { alarms: [] }],
    ['has no alarms, beside one that is well', { alarms: [] }, {}],
    ['is called directly', {}, { distance: 2 }],
    ['cannot be done without', {}, { critical: false }],
    ['changed what is shared', { releases: [{ ...payments5, touched: ['infrastructure'] }] }, {}],
    ['failed', { releases: [{ ...payments5, status: 'failed' }] }, {}],
    ['is being taken back', { lockedBy: 'rb-p', rollbacks: [{ rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: null, outcome: null }] }, {}],
    ['fell sick before this service, not after it', { alarms: sick }, { alarms: [alarm('payments-5xx', { fault: { from: minute(8), to: minute(9) }, since: minute(9) })] }],
    ['was well when its release began', { alarms: sick }, { alarms: [alarm('payments-5xx', { fault: { from: minute(-30), to: minute(-29) }, since: minute(-28) })] }],
  ])('gives more to a release of a dependency that %s', (_name, more, less) => {
    const shareWith = (over: Parameters<typeof neighbour>[0]) => shareOf({ releases: [release(older)], neighbours: [neighbour({ releases: [payments5], ...over })] }, 'p-5');
    expect(shareWith(more)).toBeGreaterThan(shareWith(less));
  });

  it('leaves out a dependency\'s release that began after the fault, and one that was taken back before', () => {
    expect(shareOf({ neighbours: [neighbour({ releases: [{ ...payments5, startedAt: minute(7) }], alarms: sick })] }, 'p-5')).toBe(0);
    const undone = [{ rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: minute(4), outcome: 'recovered' as const }];
    expect(shareOf({ neighbours: [neighbour({ releases: [payments5], rollbacks: undone })] }, 'p-5')).toBe(0);
  });

  it('takes a dependency that was sick before this service\'s release for likelier than that release', () => {
    const [first] = ranked({ neighbours: [neighbour({ alarms: [alarm('payments-5xx', { fault: { from: minute(-20), to: minute(-19) }, since: minute(-18) })] })] });
    expect(first).toMatchObject({ kind: 'sickness', service: 'payments', release: null });
  });

  it('takes a dependency that fell sick with this service for likelier than a release minutes before, however much of this service fails', () => {
    const asked = { releases: [release({ journeysFailedAtStart: [] })], evidence: journeys(false), alarms: [alarm('5xx'), alarm('latency'), alarm('queue')], neighbours: [neighbour({ alarms: sick })] };
    const [first, second] = ranked(asked);
    expect(first).toMatchObject({ kind: 'sickness', service: 'payments' });
    expect((first?.share ?? 0) / (second?.share ?? 1)).toBeGreaterThan(2);
    expect(decide(question(asked)).reasons.map(({ code }) => code)).toContain('shared-dependency');
  });

  it('lets metrics tell the two apart only where controls stayed flat', () => {
    const asked = { neighbours: [neighbour({ alarms: sick })] };
    const [without, alone, compared] = [asked, { ...asked, metrics: reading(harm) }, { ...asked, metrics: reading(harm, [measured('search'), measured('mail')]) }].map((one) => shareOf(one));
    expect(alone).toBeLessThan((without ?? 0) * 1.5);
    expect(compared).toBeGreaterThan((alone ?? 1) * 2);
    // A control without requests since stayed not flat: it says nothing.
    const silent = measured('search', { requests: (m) => (m >= 0 ? null : 1000) });
    expect(shareOf({ ...asked, metrics: reading(harm, [silent]) })).toBe(alone);
    const unread = [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'no answer' }];
    const lasting = { errors: since(-8, 0.3) };
    const began = { ...asked, releases: [release({ startedAt: minute(-10) })] };
    const [silentRegion, nobody] = [{ ...reading(lasting, [measured('search'), measured('mail')]), unread }, reading(lasting)].map((metrics) => shareOf({ ...began, metrics }));
    expect(silentRegion).toBe(nobody);
  });

  it('suspects nobody for the releases of those that only depend on this service', () => {
    expect(ranked({ neighbours: [neighbour({ relation: 'dependent', releases: [payments5], alarms: sick })] }).map(({ service }) => service)).toEqual(['checkout', '']);
  });

  it('gives hardly anything to a dependency\'s release that a newer one replaced', () => {
    const newer = { ...payments5, id: 'p-6', version: '5.2.0', startedAt: minute(4), finishedAt: minute(4) };
    const asked = { neighbours: [neighbour({ releases: [newer, payments5], alarms: sick })] };
    expect(shareOf(asked, 'p-5') * 5).toBeLessThan(shareOf(asked, 'p-6'));
  });

  it.each([{ suppressedBy: 'WaitPeriod' }, { evaluationState: 'PARTIAL_DATA' }])('takes an alarm of a dependency that proves nothing for neither sick nor well: %o', (over) => {
    const silenced = sick.map((one) => ({ ...one, ...over }));
    const shareWith = (alarms: typeof sick) => shareOf({ releases: [release(older)], neighbours: [neighbour({ releases: [payments5], alarms })] }, 'p-5');
    expect(shareWith(silenced)).toBe(shareWith([]));
  });

  const ok = (name: string) => quiet(name);
  const silent = (name: string) => quiet(name, { state: 'INSUFFICIENT_DATA' });
  it.each<[string, Parameters<typeof neighbour>[0], RegExp]>([
    ['says nothing', { alarms: [ok('a'), silent('b'), silent('c')] }, /nobody knows whether payments is well: 1 of its alarms is OK, 2 say nothing/],
    ['is missing', { alarms: [ok('a'), ok('b'), quiet('c', { state: 'missing' })] }, /2 of its alarms are OK, 1 says nothing/],
    ['is suppressed', { alarms: [ok('a'), quiet('b', { suppressedBy: 'Alarm' })] }, /1 of its alarms is OK, 1 says nothing/],
    ['is not read', { alarms: [ok('a'), ok('b')], hasMoreAlarms: true }, /2 of its alarms are OK, others were not read/],
    ['is not read, one says nothing', { alarms: [ok('a'), silent('b')], hasMoreAlarms: true }, /1 of its alarms is OK, 1 says nothing, and others were not read/],
  ])('never takes a dependency for well of which one alarm %s, and lets a signal that it had count', (_name, over, words) => {
    const storm = { services: ['checkout', 'payments'], limit: 5, minutes: 10, isAnnounced: false };
    const asked = (theirs: Parameters<typeof neighbour>[0]) => ({ releases: [release(older)], storm, neighbours: [neighbour({ releases: [payments5], ...theirs })] });
    const told = (theirs: Parameters<typeof neighbour>[0]) => suspectLines(ranked(asked(theirs))).find((line) => line.includes('payments')) ?? '';
    expect(shareOf(asked(over), 'p-5')).toBe(shareOf(asked({ alarms: [] }), 'p-5'));
    expect(told(over)).toMatch(words);
    expect(told(over)).toContain('payments had a signal lately');
    expect(told({ alarms: [ok('a'), ok('b')] })).toMatch(/but the alarms of payments are OK/);
    expect(told({ alarms: [ok('a'), ok('b')] })).not.toContain('nobody knows');
  });

  it('says of a dependency that several share whether it is known to be well, and of a sick one nothing of that', () => {
    const asked = (theirs: Parameters<typeof neighbour>[0]) => ranked({ storm: { services: ['checkout', 'a', 'b'], limit: 5, minutes: 10, isAnnounced: false }, neighbours: [neighbour({ sharedWith: ['a', 'b'], ...theirs })] })
      .find(({ kind }) => kind === 'sickness');
    const [well, open] = [asked({}), asked({ alarms: [ok('a'), silent('b')] })];
    expect(open?.share).toBeGreaterThan(well?.share ?? 1);
    expect(open?.reasons.map(({ text }) => text)).toContain('nobody knows whether payments is well: 1 of its alarms is OK, 1 says nothing');
    expect(asked({ alarms: [...sick, silent('b')] })?.reasons.map(({ text }) => text).join()).not.toContain('nobody knows');
  });

  it('folds a long tail into what is not on record', () => {
    const many = Array.from({ length: 12 }, (_, index) => release({ id: `r-${index}`, startedAt: minute(-index * 5), finishedAt: null }));
    const all = ranked({ releases: many });
    expect(all).toHaveLength(8);
    expect(all.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 2);
  });
});

describe('the weight of time', () => {
  const at = (minutes: number) => timeWeight({ startedAt: minute(0), finishedAt: minute(0) }, Date.parse(minute(minutes)), 240).weight;

  it('is high at once, nothing after half an hour, and against it at the end of the window', () => {
    expect(at(0)).toBeCloseTo(2.53, 2);
    expect(at(25)).toBeGreaterThan(0.2);
    expect(at(35)).toBeLessThan(0);
    expect(at(240)).toBeCloseTo(-1.69, 2);
    expect(at(9999)).toBe(at(240));
  });

  it('does not fall while the release runs, but no release runs for more than an hour', () => {
    const running = (minutes: number) => timeWeight({ startedAt: minute(0), finishedAt: null }, Date.parse(minute(minutes)), 240);
    expect(running(50).weight).toBe(at(0));
    expect(running(50).text).toBe('began 50 min before the fault and was not finished yet');
    expect(running(90).weight).toBe(at(30));
  });
});

describe('what is done about it', () => {
  const verdict = (over: Parameters<typeof question>[0], more: Partial<Question> = {}) => decide({ ...question(over), ...more });

  it('never names a release of another service as the one to take back', () => {
    const said = verdict({ releases: [release(older)], neighbours: [neighbour({ releases: [payments5], alarms: sick })] });
    expect(said.rungs).toEqual([]);
    expect(said.reasons.find(({ code }) => code === 'dependency-suspected')?.text).toMatch(/^payments 5\.1\.0 \(9\d %\): .*Ripcord rolls back checkout for nothing that payments did\.$/);
  });

  it('looks every 15 seconds at first, every 30 while it waits for a rollback elsewhere, and for half an hour at the most', () => {
    const rollbacks = [{ rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: null, outcome: null }];
    const asked = { releases: [release(older)], neighbours: [neighbour({ releases: [payments5], alarms: sick, rollbacks, lockedBy: 'rb-p' })] };
    expect(verdict(asked).holdSeconds).toBe(15);
    expect(verdict({ ...asked, startedAt: minute(4), now: minute(10) })).toMatchObject({ verdict: 'hold', holdSeconds: 30 });
    expect(verdict({ ...asked, startedAt: minute(-21), now: minute(10) })).toMatchObject({ verdict: 'leave', page: true });
  });

  it('does not wait for a rollback that died: its lock is free, whatever its record says', () => {
    const rollbacks = [{ rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: null, outcome: null }];
    const asked = { releases: [release(older)], neighbours: [neighbour({ releases: [payments5], alarms: sick, rollbacks })], startedAt: minute(4), now: minute(10) };
    expect(verdict(asked)).toMatchObject({ verdict: 'leave', page: true });
  });

  it('does not wait for a run elsewhere that only decides still: it may be waiting for this one', () => {
    const asked = { releases: [release(older)], neighbours: [neighbour({ releases: [payments5], alarms: sick, lockedBy: 'rb-p' })], startedAt: minute(4), now: minute(10) };
    expect(verdict(asked)).toMatchObject({ verdict: 'leave', page: true });
  });

  it('holds back although both went out together when the dependency is on its way back already', () => {
    const rollbacks = [{ rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: null, outcome: null }];
    expect(verdict({ neighbours: [neighbour({ releases: [payments5], alarms: sick, rollbacks, lockedBy: 'rb-p' })] }).verdict).toBe('hold');
  });
});
