// What the exploration says of its cases: which were reached, which were played again, and the line that closes it.
import { expect, test } from 'vitest';
import { isReached, isUnfair } from '../../sandbox/explore/run-case.ts';
import { isGood, told } from '../../sandbox/explore/tell.ts';

test('what is done after the effect was not done where AWS refused the call', () => {
  const refused = { output: null, faults: ['killed', 'error-after', 'denied'] };
  expect([isReached('killed', 1, [refused]), isReached('error-after', 1, [refused]), isReached('denied', 1, [refused]), isReached('denied', 0, [refused])]).toEqual([false, false, true, false]);
  expect([isReached('killed', 1, [refused, { ...refused, output: {} }]), isReached('killed', 1, [refused, { output: {}, faults: [] }])]).toEqual([true, false]);
});

test('the closing line counts by scenario the cases that never came to their call', () => {
  const result = (scenario: string, reached: boolean) => ({ id: `${scenario}/a/b#1/denied`, scenario, fault: 'denied', ending: 'paged', isReached: reached, broken: [], outcomes: '', wallMilliseconds: 1, plays: 1, playedBack: { before: 2, after: 0, byHeart: 0 }, difference: null, brokenBefore: [], endingWhole: null }) as const;
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
  const whole = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), playedBack: { before: 0, after: 0, byHeart: 0 }, difference: 'assess: GetItem came to 1, and in the recording to 2' }] });
  expect(whole.at(-1)).toBe('1 cases in 1 s: all keep every invariant; 1 could not be played back, and were played whole (the first: assess: GetItem came to 1, and in the recording to 2)');
  const after = told({ cases: [], seconds: 1, results: [{ ...result('manual', true), playedBack: { before: 1, after: 5, byHeart: 0 } }, { ...result('manual', true), playedBack: { before: 1, after: 1, byHeart: 0 } }, result('manual', true)] });
  expect(after.at(-1)).toContain('4 invocations before a fault were played back; in 2 cases what came after it was as without a fault, and was played back too');
});

test('a case is played again when it broke on a machine that was too slow, three times at most', () => {
  const slow = { ending: 'broken', isOverdue: true } as const;
  expect([1, 2, 3].map((plays) => isUnfair(slow, plays))).toEqual([true, true, false]);
  expect([isUnfair({ ...slow, isOverdue: false }, 1), isUnfair({ ...slow, ending: 'paged' }, 1)]).toEqual([false, false]);
});
