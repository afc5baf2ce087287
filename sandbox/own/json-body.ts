// Builds a JSON body in which given JSONPaths find what is wanted, and says which of them it cannot serve.
import { isDeepStrictEqual } from 'node:util';
import { query } from 'jsonpath-rfc9535';
import parse from 'jsonpath-rfc9535/parser';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a path has to find: exactly this; nothing; or anything, which is `any` where nothing else asks for a value. */
export type Wish = { readonly equals: Json } | { readonly absent: true } | { readonly any: Json };

/** The reason is a sentence for the person who wrote the path. */
export class CannotBuild extends Error {
  override readonly name = 'CannotBuild';
}

type Segment = ReturnType<typeof parse>['segments'][number];
type Selector = Extract<Segment['node'], { type: 'BracketedSelection' }>['selectors'][number];
type Condition = Extract<Selector, { type: 'FilterSelector' }>['value'];
type Comparison = Extract<Condition, { type: 'ComparisonExpr' }>;

/**
 * The body with one more wish built in; what is there stays.
 * @throws CannotBuild when the path is no JSONPath, wants what something else forbids, or asks with a function.
 */
export function withWish(body: Json | undefined, path: string, wish: Wish): Json | undefined {
  const segments = segmentsOf(path);
  return 'absent' in wish ? body : put(body, segments, wish);
}

/** Whether the path finds in the body what is wanted, by the same rules as a journey's expectation. */
export function holds(body: Json | undefined, path: string, wish: Wish): boolean {
  const found = body === undefined ? [] : (query(body, path) as Json[]);
  if ('absent' in wish) return found.length === 0;
  return found.length > 0 && (!('equals' in wish) || found.every((value) => isDeepStrictEqual(value, wish.equals)));
}

/** How much a path leaves open: what names its places goes first, or it would add places that a wildcard has passed already. */
export const openness = (path: string): number => (path.match(/\*|\?|\.\./g) ?? []).length;

function segmentsOf(path: string): readonly Segment[] {
  try {
    return parse(path).segments;
  } catch (error) {
    throw new CannotBuild(`${path} is not a JSONPath of RFC 9535 (${error instanceof Error ? error.message : String(error)})`);
  }
}

type Build = Exclude<Wish, { absent: true }>;

function put(node: Json | undefined, segments: readonly Segment[], wish: Build): Json {
  const [segment, ...rest] = segments;
  if (segment === undefined) return wanted(node, wish);
  const into = (child: Json | undefined): Json => put(child, rest, wish);
  // What `..name` asks for at any depth is also found right here.
  const { node: selected } = segment;
  if (selected.type === 'MemberNameShorthand') return member(node, selected.value, into);
  if (selected.type === 'WildcardSelector') return each(node, into);
  let built = node;
  for (const selector of selected.selectors) built = select(built, selector, into);
  if (built === undefined) throw new CannotBuild('an empty selection finds nothing');
  return built;
}

function wanted(node: Json | undefined, wish: Build): Json {
  if ('any' in wish) return node ?? wish.any;
  if (node !== undefined && !isDeepStrictEqual(node, wish.equals)) throw new CannotBuild(`another expectation wants ${JSON.stringify(node)} at this place`);
  return wish.equals;
}

type Into = (child: Json | undefined) => Json;

function select(node: Json | undefined, selector: Selector, into: Into): Json {
  if (selector.type === 'NameSelector') return member(node, selector.value, into);
  if (selector.type === 'IndexSelector') return item(node, selector.value, into);
  if (selector.type === 'SliceSelector') return item(node, selector.start ?? 0, into);
  if (selector.type === 'WildcardSelector') return each(node, into);
  let element: Json | undefined;
  for (const [segments, wish] of conditionsOf(selector.value)) element = put(element, segments, wish);
  return [...listOf(node), into(element)];
}

function member(node: Json | undefined, name: string, into: Into): Json {
  if (node !== undefined && !isObject(node)) throw new CannotBuild(`"${name}" is wanted inside ${JSON.stringify(node)}, where another expectation wants no object`);
  return { ...node, [name]: into(node !== undefined && Object.hasOwn(node, name) ? node[name] : undefined) };
}

function item(node: Json | undefined, index: number, into: Into): Json {
  const list = [...listOf(node)];
  const length = Math.max(list.length, index < 0 ? -index : index + 1);
  if (length > 1000) throw new CannotBuild(`a list of ${length} items is longer than the rehearsal builds`);
  const at = index < 0 ? length + index : index;
  return Array.from({ length }, (_, position) => (position === at ? into(list[position]) : list[position] ?? null));
}

function each(node: Json | undefined, into: Into): Json {
  if (node === undefined) return [into(undefined)];
  if (isObject(node)) return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, into(child)]));
  return listOf(node).map((child) => into(child));
}

function listOf(node: Json | undefined): readonly Json[] {
  if (node === undefined) return [];
  if (!Array.isArray(node)) throw new CannotBuild(`a list is wanted where another expectation wants ${JSON.stringify(node)}`);
  return node;
}

const isObject = (node: Json): node is { [key: string]: Json } => typeof node === 'object' && node !== null && !Array.isArray(node);

/** What an element needs to pass a filter: only comparisons with a literal, and tests that something is there. */
function conditionsOf(condition: Condition): [readonly Segment[], Build][] {
  if (condition.type === 'LogicalAndExpr') return [...conditionsOf(condition.left), ...conditionsOf(condition.right)];
  if (condition.type === 'LogicalOrExpr') return conditionsOf(condition.left);
  if (condition.type === 'ComparisonExpr') return [compared(condition)];
  if (condition.type === 'TestExpr' && condition.expression.type === 'FilterQuery' && condition.expression.value.type === 'RelQuery') return [[condition.expression.value.segments, { any: 'made-up' }]];
  throw new CannotBuild('the rehearsal cannot make up a value for a filter with a function or a negation');
}

const mirrored: Readonly<Record<Comparison['op'], Comparison['op']>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function compared({ left, right, op }: Comparison): [readonly Segment[], Build] {
  if (right.type === 'RelSingularQuery' && left.type === 'Literal') return compared({ type: 'ComparisonExpr', left: right, right: left, op: mirrored[op] });
  if (left.type !== 'RelSingularQuery' || right.type !== 'Literal') throw new CannotBuild('the rehearsal cannot make up a value for a filter that compares with a function or another place');
  const segments = left.segments.map(({ node }): Segment => ({ type: 'ChildSegment', node: node.type === 'MemberNameShorthand' ? node : { type: 'BracketedSelection', selectors: [node] } }));
  return [segments, { equals: passing(op, right.value) }];
}

function passing(op: Comparison['op'], literal: string | number | boolean | null): Json {
  if (op === '==' || op === '<=' || op === '>=') return literal;
  if (op === '!=') return literal === 'made-up' ? 'another' : 'made-up';
  if (typeof literal !== 'number') throw new CannotBuild(`the rehearsal cannot make up a value that is ${op} ${JSON.stringify(literal)}`);
  return op === '>' ? literal + 1 : literal - 1;
}
