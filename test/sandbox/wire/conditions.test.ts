// IAM's condition operators, by table.
import { expect, test } from 'vitest';
import { meetsConditions, type ConditionBlock } from '../../../sandbox/aws/iam/conditions.ts';

type Context = Record<string, string | string[]>;

test.each<[boolean, ConditionBlock, Context]>([
  [true, { StringEquals: { k: 'a' } }, { k: 'a' }],
  [true, { StringEquals: { K: ['b', 'a'] } }, { k: 'a' }],
  [false, { StringEquals: { k: 'A' } }, { k: 'a' }],
  [false, { StringEquals: { k: 'a' } }, {}],
  [true, { StringEqualsIfExists: { k: 'a' } }, {}],
  [false, { StringEqualsIfExists: { k: 'a' } }, { k: 'b' }],
  [true, { StringEqualsIgnoreCase: { k: 'A' } }, { k: 'a' }],
  [true, { StringNotEquals: { k: 'a' } }, { k: 'b' }],
  [true, { StringNotEquals: { k: 'a' } }, {}],
  [false, { StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' }],
  [true, { StringLike: { k: 'ab*' } }, { k: 'abc' }],
  [false, { StringLike: { k: 'ab?' } }, { k: 'abcd' }],
  [false, { StringNotLike: { k: 'ab*' } }, { k: 'abc' }],
  [true, { ArnLike: { k: 'arn:aws:sns:*:1:t*' } }, { k: 'arn:aws:sns:eu:1:topic' }],
  [true, { ArnEquals: { k: 'arn:aws:sns:*:1:topic' } }, { k: 'arn:aws:sns:eu:1:topic' }],
  [false, { ArnLike: { k: 'arn:aws:*:topic' } }, { k: 'arn:aws:sns:eu:1:topic' }],
  [true, { ArnNotLike: { k: 'arn:aws:sqs:*:*:*' } }, { k: 'arn:aws:sns:eu:1:topic' }],
  [true, { Bool: { k: true } }, { k: 'true' }],
  [false, { Bool: { k: 'true' } }, { k: 'false' }],
  [false, { Bool: { k: 'true' } }, {}],
  [true, { BoolIfExists: { k: 'true' } }, {}],
  [true, { Null: { k: 'true' } }, {}],
  [false, { Null: { k: 'false' } }, {}],
  [true, { Null: { k: false } }, { k: 'a' }],
  [true, { NumericLessThan: { k: '10' } }, { k: '9' }],
  [false, { NumericLessThanEquals: { k: '10' } }, { k: '11' }],
  [true, { NumericGreaterThanEquals: { k: '10' } }, { k: '10' }],
  [true, { NumericNotEquals: { k: '10' } }, { k: '9' }],
  [true, { DateGreaterThan: { k: '2026-01-01T00:00:00Z' } }, { k: '2026-11-20T09:00:00Z' }],
  [false, { DateLessThan: { k: '2026-01-01T00:00:00Z' } }, { k: '2026-11-20T09:00:00Z' }],
  [true, { IpAddress: { k: ['10.0.0.0/8', '127.0.0.0/8'] } }, { k: '127.0.0.1' }],
  [false, { NotIpAddress: { k: '127.0.0.1' } }, { k: '127.0.0.1' }],
  [true, { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'b'] }],
  [false, { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'c'] }],
  [true, { 'ForAllValues:StringEquals': { k: 'a' } }, {}],
  [false, { 'ForAllValues:StringEquals': { k: 'a' }, Null: { k: 'false' } }, {}],
  [true, { 'ForAnyValue:StringLike': { k: 'a*' } }, { k: ['x', 'ab'] }],
  [false, { 'ForAnyValue:StringLike': { k: 'a*' } }, {}],
  [false, { 'ForAllValues:StringNotEquals': { k: 'a' } }, { k: ['a', 'b'] }],
  [false, { StringEquals: { k: 'a', other: 'x' } }, { k: 'a', other: 'y' }],
  [true, { StringEquals: { k: '${aws:username}' } }, { k: 'olga', 'aws:username': 'olga' }],
  [false, { StringEquals: { k: '${aws:username}' } }, { k: '' }],
  [true, { StringEquals: { k: "${aws:username, 'nobody'}" } }, { k: 'nobody' }],
  [true, { StringEquals: { k: 'a$b' } }, { k: 'a$b' }],
])('%s: %j with %j', (expected, block, context) => {
  expect(meetsConditions(block, context)).toBe(expected);
});

test.each(['StringStartsWith', 'BinaryEquals', 'ForSomeValues:StringEquals', 'NullIfExists', 'constructor'])('refuses the operator %s, even behind one that is not met', (operator) => {
  expect(() => meetsConditions({ StringEquals: { k: 'a' }, [operator]: { k: 'a' } }, {})).toThrow(operator);
});
