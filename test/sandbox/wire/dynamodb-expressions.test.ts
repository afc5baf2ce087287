// Expressions that dynalite parses once: the next call must get what the parser itself would have made of its names and values.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { remembering, type Context } from '../../../sandbox/services/dynamodb/expressions.ts';
import { place } from './world.ts';

type Names = Readonly<Record<string, string>>;
type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Parse = Parameters<typeof remembering>[0];
type Parser = 'conditionParser' | 'updateParser' | 'projectionParser';

const load = createRequire(import.meta.url);
const { compare } = load('dynalite/db') as { readonly compare: Context['compare'] };
const isReserved = (name: string): boolean => ['STATUS', 'DATA'].includes(name.toUpperCase());

/** A copy of the parser that nobody has changed. */
function freshParser(name: Parser): Parse {
  const path = load.resolve(`dynalite/db/${name}`);
  const loaded = load.cache[path];
  delete load.cache[path];
  const { parse } = load(path) as { readonly parse: Parse };
  load.cache[path] = loaded;
  return parse;
}

/** What comes of it, in the result and in the names and values that are then unused. */
function outcome(parse: Parse, expression: string, attrNames: Names, attrVals: Values): unknown {
  const unused = (all: object): Record<string, true> => Object.fromEntries(Object.keys(all).map((name) => [name, true]));
  const context = { attrNames, attrVals, unusedAttrNames: unused(attrNames), unusedAttrVals: unused(attrVals), isReserved, compare };
  let result: unknown;
  try {
    result = parse(expression, { context });
  } catch (error) {
    return (error as Error).message;
  }
  return { result, names: context.unusedAttrNames, values: context.unusedAttrVals };
}

const s = (text: string): { readonly S: string } => ({ S: text });
const n = (number: number): { readonly N: string } => ({ N: String(number) });

interface Call {
  readonly names?: Names;
  readonly values?: Values;
}

function told(parser: Parser, expression: string, calls: readonly Call[]): { readonly outcomes: unknown[]; readonly expected: unknown[]; readonly parsed: number } {
  const plain = freshParser(parser);
  const watched = vi.fn<Parse>(plain);
  const parse = remembering(watched);
  const outcomes = calls.map(({ names = {}, values = {} }) => outcome(parse, expression, names, values));
  const parsed = watched.mock.calls.length;
  return { outcomes, expected: calls.map(({ names = {}, values = {} }) => outcome(plain, expression, names, values)), parsed };
}

const owner = { '#o': 'owner' };

describe('an expression with the same names and types is parsed once, and means the values of each call', () => {
  test.each<[Parser, string, readonly Call[]]>([
    ['conditionParser', 'attribute_not_exists(pk) OR (#o = :me AND NOT fence > :one)', [1, 2, 3].map((one) => ({ names: owner, values: { ':me': s(`run-${one}`), ':one': n(one) } }))],
    ['conditionParser', 'pk = :pk AND sk BETWEEN :from AND :to', [1, 2].map((one) => ({ values: { ':pk': s('a'), ':from': s(`${one}`), ':to': s(`${one + 1}`) } }))],
    ['conditionParser', 'a.b[1].constructor IN (:a, :b) AND size(#o) > :n', [1, 2].map((one) => ({ names: owner, values: { ':a': s(`${one}`), ':b': { M: { x: s('y') } }, ':n': n(one) } }))],
    ['conditionParser', 'contains(touched, :a) OR begins_with(sk, :a)', [s('one'), s('other')].map((value) => ({ values: { ':a': value } }))],
    ['updateParser', 'SET #o = :me, n = if_not_exists(n, :one) + :one, l = list_append(l, :l) REMOVE old[0] ADD fence :one', [1, 2].map((one) => ({ names: owner, values: { ':me': s(`run-${one}`), ':one': n(one), ':l': { L: [s(`${one}`)] } } }))],
    ['updateParser', 'DELETE names :gone', [['a'], ['b', 'c']].map((SS) => ({ values: { ':gone': { SS } } }))],
    ['updateParser', 'SET isSealed = :flag', [true, false].map((BOOL) => ({ values: { ':flag': { BOOL } } }))],
    ['projectionParser', '#o, a.b[2]', [{ names: owner }, { names: owner }]],
    // Whether a value is left over is for the caller to say, each time.
    ['conditionParser', 'a = :used', [1, 2].map((one) => ({ names: owner, values: { ':used': n(one), ':unused': n(one) } }))],
  ])('%s: %s', (parser, expression, calls) => {
    const { outcomes, expected, parsed } = told(parser, expression, calls);
    expect(outcomes).toStrictEqual(expected);
    expect(outcomes.every((one) => typeof (one as { readonly result?: unknown }).result === 'object')).toBe(true);
    expect(parsed).toBe(1);
  });
});

describe('what makes a difference to the parser is parsed again', () => {
  test.each<[string, Parser, string, readonly Call[]]>([
    ['other names', 'conditionParser', '#o = :me', [owner, { '#o': 'holder' }, owner].map((names) => ({ names, values: { ':me': s('me') } }))],
    ['a name that is missing', 'conditionParser', '#o = :me', [owner, {}].map((names) => ({ names, values: { ':me': s('me') } }))],
    ['a value that is missing', 'updateParser', 'SET a = :a', [{ ':a': n(1) }, {}, { ':b': n(1) }].map((values) => ({ values }))],
    ['another type', 'updateParser', 'ADD a :a', [n(1), s('x'), { SS: ['x'] }].map((value) => ({ values: { ':a': value } }))],
    ['another type in a function', 'conditionParser', 'begins_with(a, :a)', [s('x'), n(1)].map((value) => ({ values: { ':a': value } }))],
    ['bounds that are out of order', 'conditionParser', 'a BETWEEN :from AND :to', [[1, 2], [2, 1], [3, 4]].map(([from = 0, to = 0]) => ({ values: { ':from': n(from), ':to': n(to) } }))],
    ['a type that there is not', 'conditionParser', 'attribute_type(a, :type)', [s('S'), s('X'), s('NS')].map((value) => ({ values: { ':type': value } }))],
  ])('%s', (_, parser, expression, calls) => {
    const { outcomes, expected } = told(parser, expression, calls);
    expect(outcomes).toEqual(expected);
    expect(new Set(outcomes.map((one) => JSON.stringify(one))).size).toBeGreaterThan(1);
  });
});

test.each([['conditionParser', 'status = :a'], ['conditionParser', '((a = :a))'], ['conditionParser', 'a ='], ['updateParser', 'SET a = :a, a.b = :a'], ['projectionParser', 'a, a']] as const)('%s refuses a second time as well: %s', (parser, expression) => {
  const { outcomes, expected, parsed } = told(parser, expression, [1, 2].map((one) => ({ values: { ':a': n(one) } })));
  expect(outcomes).toEqual(expected);
  expect(parsed).toBe(2);
});

test('what is remembered is bounded', () => {
  const parse = vi.fn<Parse>(() => ({}));
  const remembered = remembering(parse);
  for (let one = 0; one <= 1000; one += 1) outcome(remembered, `a${one}`, {}, {});
  outcome(remembered, 'a1', {}, {});
  expect(parse).toHaveBeenCalledTimes(1001);
  outcome(remembered, 'a0', {}, {});
  expect(parse).toHaveBeenCalledTimes(1002);
});

describe('in a table', () => {
  let dynamodb: DynamoDb;
  const TableName = 'ledger';
  const Key = { pk: s('a') };

  beforeEach(async () => {
    dynamodb = new DynamoDb(place);
    await dynamodb.createTable({ TableName, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] });
  });

  const update = (UpdateExpression: string, values: Values, over: object = {}): Promise<Readonly<Record<string, unknown>>> =>
    dynamodb.perform('UpdateItem', { TableName, Key, UpdateExpression, ExpressionAttributeValues: values, ReturnValues: 'ALL_NEW', ...over });

  test('an update reckons from the row as it is each time', async () => {
    for (const one of [1, 2, 3]) await update('SET n = if_not_exists(n, :zero) + :by, l = list_append(if_not_exists(l, :none), :l)', { ':zero': n(0), ':by': n(one), ':none': { L: [] }, ':l': { L: [n(one)] } });
    expect(await dynamodb.items(TableName)).toEqual([{ ...Key, n: n(6), l: { L: [n(1), n(2), n(3)] } }]);
  });

  test('a key condition the other way round is turned each time', async () => {
    await dynamodb.putItem(TableName, Key);
    const found = async (): Promise<unknown> => (await dynamodb.perform('Query', { TableName, KeyConditionExpression: ':p = pk', ExpressionAttributeValues: { ':p': s('a') } }))['Count'];
    expect([await found(), await found()]).toEqual([1, 1]);
  });

  test('two at once have each their own values', async () => {
    await Promise.all(['one', 'other'].map((name) => dynamodb.perform('UpdateItem', { TableName, Key: { pk: s(name) }, UpdateExpression: 'SET #o = :me', ExpressionAttributeNames: owner, ExpressionAttributeValues: { ':me': s(name) } })));
    expect(Object.fromEntries((await dynamodb.items(TableName)).map(({ pk, owner: by }) => [pk?.S, by?.S]))).toEqual({ one: 'one', other: 'other' });
  });

  test.each<[string, Values, Names | undefined, string]>([
    ['SET a = :a', { ':a': n(1), ':b': n(1) }, undefined, 'Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}'],
    ['SET a = :a', { ':a': n(1) }, owner, 'Value provided in ExpressionAttributeNames unused in expressions: keys: {#o}'],
    ['SET a = :a', { ':b': n(1) }, undefined, 'Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :a'],
    ['SET #a = :a', { ':a': n(1) }, owner, 'Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #a'],
    ['SET status = :a', { ':a': n(1) }, undefined, 'Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status'],
  ])('%s with %j and %j is refused as often as it is asked', async (expression, values, names, message) => {
    await update('SET a = :a', { ':a': n(0) });
    const over = names === undefined ? {} : { ExpressionAttributeNames: names };
    for (const _ of [1, 2]) await expect(update(expression, values, over)).rejects.toMatchObject({ code: 'ValidationException', message });
  });
});
