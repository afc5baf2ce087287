// M of N and missing data, against the tables that AWS publishes.
import { describe, expect, it } from 'vitest';
import { evaluate, evaluationRange, type AlarmConditions, type MissingData, type StateValue } from '../../../sandbox/services/cloudwatch/alarm-evaluation.ts';
import { minute, noon } from './rig.ts';

const conditions = (over: Partial<AlarmConditions> = {}): AlarmConditions => ({
  evaluationPeriods: 3, datapointsToAlarm: 3, comparison: 'GreaterThanThreshold', threshold: 5, missingData: 'missing', ...over,
});

const range = (picture: string) => picture.split(' ').map((mark, index) => ({ at: noon + index * minute, value: mark === '-' ? null : mark === 'X' ? 9 : 0 }));

const stateAfter = (picture: string, over: Partial<AlarmConditions>, current: StateValue): StateValue => evaluate(range(picture), conditions(over), current)?.state ?? current;

type Cell = StateValue | 'kept';
type Row = readonly [picture: string, missing: Cell, ignore: Cell, breaching: Cell, notBreaching: Cell];
const treatments: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

// CloudWatch user guide, "How alarm state is evaluated when data is missing".
const threeOfThree: readonly Row[] = [
  ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
  ['0 - - - -', 'OK', 'OK', 'OK', 'OK'],
  ['- - - - -', 'INSUFFICIENT_DATA', 'kept', 'ALARM', 'OK'],
  ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['- - X - -', 'ALARM', 'kept', 'ALARM', 'OK'],
];
const twoOfThree: readonly Row[] = [
  ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
  ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
  ['- - - X -', 'ALARM', 'kept', 'ALARM', 'OK'],
];

describe.each([['3 out of 3', 3, threeOfThree], ['2 out of 3', 2, twoOfThree]] as const)('%s', (_, datapointsToAlarm, rows) => {
  const cases = rows.flatMap(([picture, ...cells]) => treatments.flatMap((missingData, index) => (['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const).map((current) => ({ picture, missingData, current, cell: cells[index] ?? 'kept' }))));
  it.each(cases)('"$picture" with $missingData goes from $current to $cell', ({ picture, missingData, current, cell }) => {
    expect(stateAfter(picture, { datapointsToAlarm, missingData }, current)).toBe(cell === 'kept' ? current : cell);
  });
});

describe('alarm evaluation', () => {
  it('fetches more periods than it evaluates', () => {
    expect(evaluationRange(3)).toBe(5);
  });

  it.each(['- - - - X', '- - - X -'])('does not go to ALARM on "%s" when three datapoints are needed', (picture) => {
    expect(stateAfter(picture, {}, 'OK')).toBe('OK');
  });

  it('does not need the breaching points to be adjacent', () => {
    expect(stateAfter('0 0 X 0 X', { datapointsToAlarm: 2 }, 'OK')).toBe('ALARM');
    expect(stateAfter('0 0 X 0 X', { datapointsToAlarm: 3 }, 'OK')).toBe('OK');
  });

  it.each([
    ['GreaterThanThreshold', 5, false], ['GreaterThanOrEqualToThreshold', 5, true], ['LessThanThreshold', 5, false], ['LessThanOrEqualToThreshold', 5, true],
    ['LessThanThreshold', 4, true], ['GreaterThanThreshold', 6, true],
  ] as const)('%s 5 with a value of %d breaches: %s', (comparison, value, breaches) => {
    const result = evaluate([{ at: noon, value }], conditions({ comparison, evaluationPeriods: 1, datapointsToAlarm: 1 }), 'OK');
    expect(result?.state).toBe(breaches ? 'ALARM' : 'OK');
  });

  it('gives the reason in the words of CloudWatch', () => {
    expect(evaluate(range('0 0 X 0 X'), conditions({ datapointsToAlarm: 2 }), 'OK')?.reason).toBe(
      'Threshold Crossed: 2 out of the last 3 datapoints [9.0 (20/11/26 12:04:00), 9.0 (20/11/26 12:02:00)] were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).',
    );
    expect(evaluate(range('- - - - -'), conditions({ missingData: 'breaching' }), 'OK')?.reason).toBe('Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].');
    expect(evaluate(range('- - - - -'), conditions(), 'OK')?.reason).toBe('Insufficient Data: 3 datapoints were unknown.');
  });
});
