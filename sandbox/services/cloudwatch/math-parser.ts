// Parses the part of CloudWatch metric math that the sandbox supports; refuses the rest by name.
import { AwsError } from '../../aws/world.ts';

export type MathNode =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'reference'; readonly id: string }
  | { readonly kind: 'list'; readonly items: readonly MathNode[] }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly MathNode[] }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: MathNode; readonly right: MathNode };

// Loosest first.
const levels: readonly (readonly string[])[] = [['||'], ['&&'], ['==', '!=', '<=', '>=', '<', '>'], ['+', '-'], ['*', '/']];

const refuse = (expression: string, why: string): AwsError =>
  new AwsError('ValidationError', `Error in expression '${expression}': ${why}`);

/** @throws AwsError `ValidationError` for a syntax error or what the sandbox does not support (SEARCH, Metrics Insights, anomaly bands …). */
export function parseMath(expression: string): MathNode {
  if (/^\s*SELECT\b/i.test(expression)) throw refuse(expression, 'Metrics Insights queries are not supported by the sandbox');
  const tokens = tokenize(expression);
  const parser = new Parser(expression, tokens);
  const node = parser.level(0);
  parser.end();
  return node;
}

function tokenize(expression: string): string[] {
  const tokens = expression.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\w+|==|!=|<=|>=|&&|\|\||[-+*/()[\],<>]|\S/g) ?? [];
  if (tokens.length === 0) throw refuse(expression, 'the expression is empty');
  return tokens;
}

class Parser {
  readonly #expression: string;
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(expression: string, tokens: readonly string[]) {
    this.#expression = expression;
    this.#tokens = tokens;
  }

  level(depth: number): MathNode {
    const operators = levels[depth];
    if (operators === undefined) return this.#unary();
    let left = this.level(depth + 1);
    for (let operator = this.#takeOneOf(operators); operator !== null; operator = this.#takeOneOf(operators)) {
      left = { kind: 'binary', operator, left, right: this.level(depth + 1) };
    }
    return left;
  }

  end(): void {
    const rest = this.#tokens[this.#position];
    if (rest !== undefined) throw refuse(this.#expression, `'${rest}' is not expected here or not supported by the sandbox`);
  }

  #unary(): MathNode {
    if (this.#takeOneOf(['-']) !== null) return { kind: 'binary', operator: '-', left: { kind: 'number', value: 0 }, right: this.#unary() };
    return this.#primary();
  }

  #primary(): MathNode {
    const token = this.#tokens[this.#position++];
    if (token === undefined) throw refuse(this.#expression, 'it ends too early');
    if (token === '(') return this.#until(this.level(0), ')');
    if (token === '[') return { kind: 'list', items: this.#items(']') };
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (!/^[A-Za-z]\w*$/.test(token)) throw refuse(this.#expression, `'${token}' is not expected here or not supported by the sandbox`);
    if (this.#takeOneOf(['(']) !== null) return { kind: 'call', name: token.toUpperCase(), parameters: this.#items(')') };
    return { kind: 'reference', id: token };
  }

  #items(close: string): MathNode[] {
    const items: MathNode[] = [];
    if (this.#takeOneOf([close]) !== null) return items;
    do items.push(this.level(0));
    while (this.#takeOneOf([',']) !== null);
    if (this.#takeOneOf([close]) === null) throw refuse(this.#expression, `'${close}' is missing`);
    return items;
  }

  #until(node: MathNode, close: string): MathNode {
    if (this.#takeOneOf([close]) === null) throw refuse(this.#expression, `'${close}' is missing`);
    return node;
  }

  #takeOneOf(wanted: readonly string[]): string | null {
    const token = this.#tokens[this.#position];
    if (token === undefined || !wanted.includes(token)) return null;
    this.#position += 1;
    return token;
  }
}
