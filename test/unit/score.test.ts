// The score of a service: what its rollbacks did, the labels on them, and the times that went by.
import { describe, expect, it } from 'vitest';
import { type ScoredRow, scoresOf } from '../../bin/commands/score.ts';
import { labelChain } from '../../lambdas/audit/label-chains.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { AlarmReading } from '../../lambdas/domain/readings.ts';
import { alarm, alarmTrigger, minute, question, release } from './domain/samples.ts';

const second = (s: number): string => new Date(Date.UTC(2026, 10, 20, 9, 0, s)).toISOString();
const row = (rollbackId: string, seq: number, at: string, [kind, data]: readonly [string, object]): ScoredRow => ({ rollbackId, seq, at, kind, service: 'checkout', data: JSON.stringify(data) });
const assessed = (firstSignal: number): readonly [string, object] => ['assessed', { question: { startedAt: second(60) }, decision: { firstSignalAt: second(firstSignal) } }];
const end = (outcome: string): readonly [string, object] => ['reported', { ending: { outcome } }];
/** First signal, then a run a minute in, its verdict after 5 s, its last change after 12 s more, its proof after 40 s more. */
const acted = (name: string, firstSignal: number, outcome = 'recovered'): ScoredRow[] => [
  row(name, 0, second(61), ['assessed', { question: { startedAt: second(60) }, decision: { firstSignalAt: null } }]),
  row(name, 1, second(65), assessed(firstSignal)), row(name, 2, second(66), ['change-intended', {}]), row(name, 3, second(77), ['change-made', {}]),
  row(name, 4, second(100), ['verified', {}]), row(name, 5, second(117), ['verified', {}]), row(name, 6, second(118), end(outcome)),
];
const word = (who: string, rollbackId: string, opinion: string, seq = 0): ScoredRow => row(labelChain(who, rollbackId), seq, second(200), ['labelled', { rollbackId, opinion }]);

describe('the score', () => {
  it('counts what acted, shadowed and left things alone, what changed nothing, and not what runs still', () => {
    const rows = [
      ...acted('a', 0), row('b', 0, second(1), end('shadow')), row('c', 0, second(1), end('left')), row('d', 0, second(1), end('rejected')),
      row('e', 0, second(1), end('refused')), row('f', 0, second(1), end('failed')), row('g', 0, second(1), assessed(0)),
    ];
    expect(scoresOf(rows)).toMatchObject([{ service: 'checkout', counts: { acted: { total: 1 }, shadowed: { total: 1 }, left: { total: 2 }, unchanged: { total: 2 } } }]);
  });

  it('counts a label on a rollback that could change nothing, apart from those that acted', () => {
    const rows = [...acted('a', 0), row('b', 0, second(1), end('failed')), word('ann', 'b', 'wrong'), row('c', 0, second(1), end('refused')), word('ann', 'c', 'right')];
    expect(scoresOf(rows)).toMatchObject([{ falseRollbackRate: null, counts: { acted: { right: 0, wrong: 0 }, left: { total: 0 }, unchanged: { total: 2, right: 1, wrong: 1 } } }]);
  });

  it('takes medians from the first signal to the proof, of rollbacks that acted', () => {
    const [score] = scoresOf([...acted('a', 0), ...acted('b', 30), ...acted('c', 50), row('d', 0, second(1), end('shadow'))].toReversed());
    expect(score?.medians).toEqual({ detect: 30, decide: 5, restore: 12, verify: 40 });
  });

  it('takes the first bad minute of an alarm for the beginning, which an alarm tells minutes later, but nothing from before the release', () => {
    const detectOf = (from: number, over: object = {}): number | null | undefined => scoresOf(acted('a', 50).map((one) => (one.kind !== 'assessed' ? one : {
      ...one, data: JSON.stringify({
        question: { startedAt: second(60), alarms: [{ name: '5xx', state: 'ALARM', fault: { from: second(from), to: second(from + 1) } }], releases: [{ id: 'r-2', startedAt: second(20) }] },
        decision: { firstSignalAt: second(50), releaseId: 'r-2', signals: [{ kind: 'alarm', source: '5xx', status: 'firing', isOlderThanRelease: false, ...over }] },
      }),
    })))[0]?.medians.detect;
    expect(detectOf(30)).toBe(30);
    expect(detectOf(5)).toBe(40);
    for (const over of [{ status: 'quiet' }, { status: 'unknown' }, { isOlderThanRelease: true }, { kind: 'external' }, { source: 'latency' }]) expect(detectOf(30, over)).toBe(10);
  });

  it('takes no alarm for the beginning that was there before the release, as the verdict itself says', () => {
    const began = (name: string, from: number) => alarm(name, { since: minute(from + 2), fault: { from: minute(from), to: minute(from + 1) } });
    const detectOf = (...older: readonly AlarmReading[]): number | null | undefined => {
      const asked = question({ startedAt: minute(200.5), now: minute(200.6), trigger: alarmTrigger({ at: minute(200) }), releases: [release()], alarms: [began('5xx', 198), began('latency', 198), ...older] });
      const [score] = scoresOf([
        row('a', 0, minute(200.6), ['assessed', { question: asked, decision: decide(asked) }]), row('a', 1, minute(200.7), ['change-intended', {}]), row('a', 2, minute(206), end('recovered')),
      ]);
      return score?.medians.detect;
    };
    expect([detectOf(), detectOf(began('old', -6000)), detectOf(began('disk', 190))]).toEqual([150, 150, 630]);
  });

  it('knows no time to verify of what never recovered', () => {
    expect(scoresOf(acted('a', 0, 'not-recovered'))[0]?.medians).toEqual({ detect: 60, decide: 5, restore: 12, verify: null });
  });

  it('rates false rollbacks by those that acted and are labelled, and is silent without one', () => {
    const rows = [...acted('a', 0), ...acted('b', 0), ...acted('c', 0), row('d', 0, second(1), end('shadow')), word('ann', 'd', 'wrong')];
    expect(scoresOf(rows)[0]).toMatchObject({ falseRollbackRate: null, counts: { shadowed: { wrong: 1 } } });
    expect(scoresOf([...rows, word('ann', 'a', 'wrong'), word('ann', 'b', 'right')])[0]?.falseRollbackRate).toBe(0.5);
  });

  /** A run in shadow: a bad minute, a run 60 s in, its verdict so many seconds after that. */
  const shadowed = (name: string, bad: number, decided: number): ScoredRow[] => [row(name, 0, second(60 + decided), assessed(bad)), row(name, 1, second(90), end('shadow'))];

  it('rates and times what would have been done in shadow apart from what was done', () => {
    const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
    const rows = names.flatMap((name, index) => [...shadowed(name, 2 * index, 4), word('ann', name, index < 4 ? 'wrong' : 'right')]);
    expect(scoresOf(rows)[0]).toMatchObject({
      falseRollbackRate: null, medians: { detect: null, decide: null, restore: null, verify: null },
      shadow: { falseRollbackRate: 0.4, medians: { detect: 51, decide: 4 } },
    });
    const [both] = scoresOf([...rows, ...acted('a', 0), word('ann', 'a', 'wrong')]);
    expect([both?.falseRollbackRate, both?.medians.detect, both?.shadow.falseRollbackRate, both?.shadow.medians.detect]).toEqual([1, 60, 0.4, 51]);
    expect(scoresOf(acted('a', 0))[0]?.shadow).toEqual({ falseRollbackRate: null, medians: { detect: null, decide: null } });
  });

  it('takes the last word of each person, and one wrong for wrong', () => {
    const rate = (...labels: ScoredRow[]): number | null | undefined => scoresOf([...acted('a', 0), ...labels])[0]?.falseRollbackRate;
    expect(rate(word('ann', 'a', 'right', 1), word('ann', 'a', 'wrong', 0))).toBe(0);
    expect(rate(word('ann', 'a', 'wrong'), word('bob', 'a', 'right'))).toBe(1);
    expect(rate(word('bob', 'a', 'right'), word('ann', 'a', 'wrong'))).toBe(1);
  });

  it('takes the last word of each role, whatever its sessions were called, and those of two roles or users as two', () => {
    const at = (seconds: number, who: string, opinion: string): ScoredRow => ({ ...word(who, 'a', opinion), at: second(seconds) });
    const rate = (...labels: ScoredRow[]): number | null | undefined => scoresOf([...acted('a', 0), ...labels])[0]?.falseRollbackRate;
    expect(rate(at(300, 'AROAONCALL:monday', 'right'), at(200, 'AROAONCALL:botocore-session-17', 'wrong'))).toBe(0);
    expect(rate(at(200, 'AROAONCALL:monday', 'right'), at(300, 'AROAONCALL:botocore-session-17', 'wrong'))).toBe(1);
    expect(rate(at(300, 'AROAONCALL:monday', 'right'), at(200, 'AROAOTHER:monday', 'wrong'))).toBe(1);
    expect(rate(at(300, 'AROAONCALL:monday', 'right'), at(200, 'AIDAANN', 'wrong'))).toBe(1);
  });
});
