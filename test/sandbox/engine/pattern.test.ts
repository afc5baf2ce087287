// The event patterns that AWS publishes as examples, and the corners around them.
import { describe, expect, test } from 'vitest';
import { compilePattern, InvalidEventPattern } from '../../../sandbox/services/events/pattern.ts';

const matches = (pattern: unknown, event: unknown): boolean => compilePattern(pattern)(event);

// "Comparison operators for use in event patterns" and "Amazon EventBridge event patterns" of the EventBridge user guide.
describe('published examples', () => {
  const ec2 = {
    version: '0', id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718', 'detail-type': 'EC2 Instance State-change Notification', source: 'aws.ec2', account: '111122223333',
    time: '2017-12-22T18:43:48Z', region: 'us-west-1', resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0'], detail: { 'instance-id': 'i-1234567890abcdef0', state: 'terminated' },
  };

  test.each<[string, unknown, unknown, boolean]>([
    ['fields and values', { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'], detail: { state: ['terminated'] } }, ec2, true],
    ['another value', { detail: { state: ['running'] } }, ec2, false],
    ['any value of the list', { detail: { state: ['running', 'terminated'] } }, ec2, true],
    ['an element of an array', { resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0'] }, ec2, true],
    ['null', { detail: { responseElements: [null] } }, { detail: { responseElements: null } }, true],
    ['the empty string', { detail: { 'redacted-value': [''] } }, { detail: { 'redacted-value': '' } }, true],
    ['prefix', { time: [{ prefix: '2017-12-22' }] }, ec2, true],
    ['prefix, not', { time: [{ prefix: '2017-10-02' }] }, ec2, false],
    ['prefix ignoring case', { detail: { service: [{ prefix: { 'equals-ignore-case': 'EventB' } }] } }, { detail: { service: 'eventbridge' } }, true],
    ['suffix', { source: [{ suffix: '.png' }] }, { source: 'a.png' }, true],
    ['suffix, not', { source: [{ suffix: '.png' }] }, { source: 'a.jpg' }, false],
    ['suffix ignoring case', { source: [{ suffix: { 'equals-ignore-case': '.png' } }] }, { source: 'A.PNG' }, true],
    ['anything-but', { detail: { state: [{ 'anything-but': 'initializing' }] } }, { detail: { state: 'running' } }, true],
    ['anything-but, not', { detail: { state: [{ 'anything-but': 'initializing' }] } }, { detail: { state: 'initializing' } }, false],
    ['anything-but a number', { detail: { 'x-limit': [{ 'anything-but': 123 }] } }, { detail: { 'x-limit': 124 } }, true],
    ['anything-but a list', { detail: { state: [{ 'anything-but': ['stopped', 'overloaded'] }] } }, { detail: { state: 'overloaded' } }, false],
    ['anything-but a prefix', { detail: { state: [{ 'anything-but': { prefix: 'init' } }] } }, { detail: { state: 'initializing' } }, false],
    ['anything-but prefixes', { detail: { state: [{ 'anything-but': { prefix: ['init', 'error'] } }] } }, { detail: { state: 'running' } }, true],
    ['anything-but a suffix', { detail: { FileName: [{ 'anything-but': { suffix: '.txt' } }] } }, { detail: { FileName: 'a.txt' } }, false],
    ['anything-but ignoring case', { detail: { state: [{ 'anything-but': { 'equals-ignore-case': ['INITIALIZING', 'error'] } }] } }, { detail: { state: 'Error' } }, false],
    ['anything-but a wildcard', { detail: { FilePath: [{ 'anything-but': { wildcard: '*/lib/*' } }] } }, { detail: { FilePath: 'a/lib/b' } }, false],
    ['anything-but wildcards, else', { detail: { FilePath: [{ 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }] } }, { detail: { FilePath: 'a/src/b' } }, true],
    ['numeric', { detail: { 'c-count': [{ numeric: ['>', 0, '<=', 5] }], 'd-count': [{ numeric: ['<', 10] }], 'x-limit': [{ numeric: ['=', 301.8] }] } }, { detail: { 'c-count': 5, 'd-count': 9, 'x-limit': 3.018e2 } }, true],
    ['numeric, out of range', { detail: { 'c-count': [{ numeric: ['>', 0, '<=', 5] }] } }, { detail: { 'c-count': 6 } }, false],
    ['numeric on text', { detail: { 'c-count': [{ numeric: ['>', 0] }] } }, { detail: { 'c-count': '5' } }, false],
    ['cidr', { detail: { sourceIPAddress: [{ cidr: '10.0.0.0/24' }] } }, { detail: { sourceIPAddress: '10.0.0.255' } }, true],
    ['cidr, outside', { detail: { sourceIPAddress: [{ cidr: '10.0.0.0/24' }] } }, { detail: { sourceIPAddress: '10.0.1.1' } }, false],
    ['cidr v6', { detail: { sourceIPAddress: [{ cidr: '2001:db8::/32' }] } }, { detail: { sourceIPAddress: '2001:db8::1' } }, true],
    ['exists', { detail: { state: [{ exists: true }] } }, ec2, true],
    ['exists on a missing field', { detail: { 'c-count': [{ exists: false }] } }, ec2, true],
    ['exists false on a present field', { detail: { state: [{ exists: false }] } }, ec2, false],
    ['equals-ignore-case', { 'detail-type': [{ 'equals-ignore-case': 'ec2 instance state-change notification' }] }, ec2, true],
    ['wildcard', { EventBusArn: [{ wildcard: 'arn:aws:events:us-east-1:*:event-bus/*' }] }, { EventBusArn: 'arn:aws:events:us-east-1:1:event-bus/a' }, true],
    ['wildcard, not', { FilePath: [{ wildcard: 'dir/*.png' }] }, { FilePath: 'dir/a.jpg' }, false],
    ['an escaped wildcard', { FilePath: [{ wildcard: 'a\\*b' }] }, { FilePath: 'a*b' }, true],
    ['an escaped wildcard is literal', { FilePath: [{ wildcard: 'a\\*b' }] }, { FilePath: 'axb' }, false],
    ['complex example with several kinds', { time: [{ prefix: '2017-10-02' }], detail: { state: [{ 'anything-but': 'initializing' }], 'c-count': [{ numeric: ['>', 0, '<=', 5] }], 'd-count': [{ numeric: ['<', 10] }], 'x-limit': [{ 'anything-but': [100, 200, 300] }] } },
      { time: '2017-10-02T00:00:00Z', detail: { state: 'a', 'c-count': 1, 'd-count': 1, 'x-limit': 1 } }, true],
    ['$or', { detail: { $or: [{ 'c-count': [{ numeric: ['>', 0, '<=', 5] }] }, { 'd-count': [{ numeric: ['<', 10] }] }, { 'x-limit': [{ numeric: ['=', 301.8] }] }] } }, { detail: { 'c-count': 99, 'd-count': 3 } }, true],
    ['$or, none', { detail: { $or: [{ a: [1] }, { b: [2] }] } }, { detail: { a: 2, b: 1 } }, false],
    ['$or beside a field', { source: ['x'], $or: [{ a: [1] }, { b: [2] }] }, { source: 'y', a: 1 }, false],
  ])('%s', (_name, pattern, event, expected) => expect(matches(pattern, event)).toBe(expected));
});

describe('corners', () => {
  test.each<[string, unknown, unknown, boolean]>([
    ['exists: false below a missing object', { detail: { muteDetail: { mutedByArn: [{ exists: false }] } } }, { detail: {} }, true],
    ['exists: false below a present object', { detail: { muteDetail: { mutedByArn: [{ exists: false }] } } }, { detail: { muteDetail: { mutedByArn: 'x' } } }, false],
    ['exists sees leaves only', { detail: { state: [{ exists: true }] } }, { detail: { state: { value: 'x' } } }, false],
    ['anything-but needs the field', { a: [{ 'anything-but': 'x' }] }, {}, false],
    ['a field inside an array of objects', { a: { b: [1] } }, { a: [{ b: 2 }, { b: 1 }] }, true],
    ['a number does not equal its text', { a: [1] }, { a: '1' }, false],
    ['a value or absent', { a: [{ exists: false }, 'x'] }, {}, true],
  ])('%s', (_name, pattern, event, expected) => expect(matches(pattern, event)).toBe(expected));

  test.each<[string, unknown]>([
    ['no object', []],
    ['an empty object', {}],
    ['a bare value', { source: 'aws.ec2' }],
    ['an empty list', { source: [] }],
    ['an unknown filter', { source: [{ like: 'x' }] }],
    ['two filters in one', { source: [{ prefix: 'a', suffix: 'b' }] }],
    ['exists with text', { source: [{ exists: 'yes' }] }],
    ['half a numeric pair', { a: [{ numeric: ['>'] }] }],
    ['an unknown comparison', { a: [{ numeric: ['!=', 1] }] }],
    ['a bad cidr', { a: [{ cidr: '10.0.0.0/99' }] }],
    ['two wildcards in a row', { a: [{ wildcard: 'a**b' }] }],
    ['an $or of one', { $or: [{ a: [1] }] }],
    ['a nested array', { a: [['x']] }],
  ])('%s is refused', (_name, pattern) => expect(() => compilePattern(pattern)).toThrow(InvalidEventPattern));
});
