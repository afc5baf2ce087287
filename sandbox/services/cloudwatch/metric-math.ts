// Computes a parsed metric math expression over time series.
import { AwsError } from '../../aws/world.ts';
import type { MathNode } from './math-parser.ts';

/** Period start in epoch milliseconds to value. */
export type Points = ReadonlyMap<number, number>;
export type MathValue = { readonly kind: 'scalar'; readonly value: number } | { readonly kind: 'series'; readonly points: Points } | { readonly kind: 'list'; readonly items: readonly Points[] };

export interface MathScope {
  /** The value of another query. @throws AwsError when there is none. */
  resolve(id: string): MathValue;
  /** METRICS(): every plain metric of the request. */
  metrics(): readonly Points[];
  /** Every period of the window: what FILL fills. */
  readonly grid: readonly number[];
  readonly periodSeconds: number;
}

const scalar = (value: number): MathValue => ({ kind: 'scalar', value });
const series = (of: Points): MathValue => ({ kind: 'series', points: of });
const refuse = (why: string): AwsError => new AwsError('ValidationError', `Metric math: ${why}`);

const operations: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b,
  '<': (a, b) => Number(a < b), '>': (a, b) => Number(a > b), '<=': (a, b) => Number(a <= b), '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b),
  '&&': (a, b) => Number(a !== 0 && b !== 0), '||': (a, b) => Number(a !== 0 || b !== 0),
};

const reductions: Readonly<Record<string, (values: readonly number[]) => number>> = {
  SUM: (values) => values.reduce((a, b) => a + b, 0),
  AVG: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  MIN: (values) => Math.min(...values),
  MAX: (values) => Math.max(...values),
};

const pointwise: Readonly<Record<string, (value: number) => number>> = { ABS: Math.abs, CEIL: Math.ceil, FLOOR: Math.floor };

/** From the datapoint before, and the seconds between the two. */
const steps: Readonly<Record<string, (change: number, seconds: number) => number>> = { DIFF: (change) => change, RATE: (change, seconds) => change / seconds };

const known = 'FILL, IF, SUM, AVG, MIN, MAX, ABS, CEIL, FLOOR, DIFF, RATE, RUNNING_SUM, PERIOD, DATAPOINT_COUNT and METRICS()';

/** @throws AwsError `ValidationError` for a function or a mix of operands that the sandbox does not support. */
export function computeMath(node: MathNode, scope: MathScope): MathValue {
  if (node.kind === 'number') return scalar(node.value);
  if (node.kind === 'reference') return scope.resolve(node.id);
  if (node.kind === 'list') return { kind: 'list', items: node.items.map((item) => points(computeMath(item, scope))) };
  if (node.kind === 'call') return call(node.name, node.parameters, scope);
  return combine(node.operator, computeMath(node.left, scope), computeMath(node.right, scope));
}

function combine(operator: string, left: MathValue, right: MathValue): MathValue {
  const operation = operations[operator];
  if (operation === undefined) throw refuse(`the operator ${operator} is not supported`);
  if (left.kind === 'scalar' && right.kind === 'scalar') return scalar(operation(left.value, right.value));
  if (left.kind === 'list' || right.kind === 'list') throw refuse('operators between lists are not supported by the sandbox');
  const times = left.kind === 'series' ? left.points.keys() : points(right).keys();
  const result = new Map<number, number>();
  for (const at of times) {
    const a = valueAt(left, at);
    const b = valueAt(right, at);
    // A period in which either side has no datapoint has no result; neither has a division by zero.
    const value = a === undefined || b === undefined ? Number.NaN : operation(a, b);
    if (Number.isFinite(value)) result.set(at, value);
  }
  return series(result);
}

function call(name: string, parameters: readonly MathNode[], scope: MathScope): MathValue {
  const values = parameters.map((parameter) => (parameter.kind === 'reference' && name === 'FILL' && parameter.id === 'REPEAT' ? scalar(Number.NaN) : computeMath(parameter, scope)));
  if (name === 'METRICS' && values.length === 0) return { kind: 'list', items: scope.metrics() };
  if (name === 'FILL' && values.length === 2) return fill(points(values[0]), values[1], scope.grid);
  if (name === 'IF' && (values.length === 2 || values.length === 3)) return choose(values, scope.grid);
  const each = pointwise[name];
  if (each !== undefined && values.length === 1) return series(new Map([...points(values[0])].map(([at, value]) => [at, each(value)])));
  const step = steps[name];
  if (step !== undefined && values.length === 1) return series(stepped(points(values[0]), step));
  if (name === 'RUNNING_SUM' && values.length === 1) return series(runningSum(points(values[0])));
  if (name === 'PERIOD' && values.length === 1) return scalar(scope.periodSeconds);
  if (name === 'DATAPOINT_COUNT' && values.length === 1 && values[0]?.kind === 'series') return scalar(values[0].points.size);
  const reduction = reductions[name];
  if (reduction === undefined || values.length !== 1) throw refuse(`the function ${name} with ${values.length} parameters is not supported by the sandbox; it knows ${known}`);
  return reduce(values[0], reduction);
}

function reduce(value: MathValue | undefined, reduction: (values: readonly number[]) => number): MathValue {
  if (value?.kind !== 'list') return scalar(reduction([...points(value).values()]));
  const items = value.items;
  const times = new Set(items.flatMap((item) => [...item.keys()]));
  return series(new Map([...times].toSorted((a, b) => a - b).map((at) => [at, reduction(items.flatMap((item) => item.get(at) ?? []))])));
}

function stepped(given: Points, step: (change: number, seconds: number) => number): Points {
  const sorted = [...given].toSorted(([a], [b]) => a - b);
  return new Map(sorted.flatMap(([at, value], index) => {
    const before = sorted[index - 1];
    return before === undefined ? [] : [[at, step(value - before[1], (at - before[0]) / 1000)] as const];
  }));
}

function runningSum(given: Points): Points {
  let sum = 0;
  return new Map([...given].toSorted(([a], [b]) => a - b).map(([at, value]) => [at, (sum += value)]));
}

// The docs let FILL fill the whole requested range, also for a metric without a single datapoint.
function fill(given: Points, filler: MathValue | undefined, grid: readonly number[]): MathValue {
  const result = new Map<number, number>();
  let last: number | undefined;
  for (const at of grid) {
    last = given.get(at) ?? last;
    const substitute = filler?.kind === 'scalar' && Number.isNaN(filler.value) ? last : filler === undefined ? undefined : valueAt(filler, at);
    const value = given.get(at) ?? substitute;
    if (value !== undefined) result.set(at, value);
  }
  return series(result);
}

function choose([condition, whenTrue, whenFalse]: readonly MathValue[], grid: readonly number[]): MathValue {
  if (condition === undefined || whenTrue === undefined) throw refuse('IF needs a condition and a value');
  const result = new Map<number, number>();
  for (const at of grid) {
    const holds = valueAt(condition, at);
    if (holds === undefined) continue;
    const chosen = holds !== 0 ? whenTrue : whenFalse;
    const value = chosen === undefined ? undefined : valueAt(chosen, at);
    if (value !== undefined) result.set(at, value);
  }
  return series(result);
}

function valueAt(value: MathValue, at: number): number | undefined {
  if (value.kind === 'scalar') return value.value;
  if (value.kind === 'series') return value.points.get(at);
  throw refuse('a list cannot stand where one series is needed');
}

function points(value: MathValue | undefined): Points {
  if (value?.kind !== 'series') throw refuse('a time series is needed where a number or a list stands');
  return value.points;
}
