// The grammar of composite alarms.
import { describe, expect, it } from 'vitest';
import { alarmsOf, parseAlarmRule, ruleHolds } from '../../../sandbox/services/cloudwatch/alarm-rule.ts';
import type { StateValue } from '../../../sandbox/services/cloudwatch/alarm-evaluation.ts';
import { refusal } from './rig.ts';

const states: Readonly<Record<string, StateValue>> = { red: 'ALARM', green: 'OK', 'with space': 'ALARM' };
const holds = (rule: string): boolean => ruleHolds(parseAlarmRule(rule), (name) => states[name] ?? 'INSUFFICIENT_DATA');

describe('an alarm rule', () => {
  it.each([
    ['ALARM(red)', true],
    ['ALARM("red")', true],
    ["ALARM('with space')", true],
    ['ALARM(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:red)', true],
    ['OK(red)', false],
    ['INSUFFICIENT_DATA(blank)', true],
    ['NOT ALARM(green)', true],
    ['ALARM(red) AND ALARM(green)', false],
    ['ALARM(red) AND NOT ALARM(green)', true],
    ['ALARM(green) OR ALARM(red)', true],
    ['ALARM(red) OR ALARM(red) AND ALARM(green)', true],
    ['(ALARM(red) OR ALARM(red)) AND ALARM(green)', false],
    ['NOT (ALARM(green) OR FALSE)', true],
    ['TRUE', true],
    ['alarm(red) and not ok(red)', true],
  ])('%s is %s', (rule, expected) => {
    expect(holds(rule)).toBe(expected);
  });

  it.each(['', 'ALARM()', 'ALARM(red', 'ALARM red', 'ALARM(red) ALARM(green)', 'ALARM(red) AND', 'BROKEN(red)', 'AT_LEAST(1, ALARM, (red, green))'])('refuses "%s"', (rule) => {
    expect(refusal(() => parseAlarmRule(rule)).code).toBe('ValidationError');
  });

  it('names each alarm once', () => {
    expect(alarmsOf(parseAlarmRule('(ALARM(a) OR OK(b)) AND NOT ALARM(a)'))).toEqual(['a', 'b']);
  });
});
