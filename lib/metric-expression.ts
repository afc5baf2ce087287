// Checks an expression over one's own metrics before CloudWatch sees it: only what gives one value a minute, and never a zero where nothing is known.

/** CloudWatch knows many more; these give one value a period from the values of that same period, and can be judged minute by minute. */
const functions = ['ABS', 'AVG', 'CEIL', 'FILL', 'FLOOR', 'IF', 'MAX', 'MIN', 'SUM'] as const;
/** Of a single metric these give one number for the whole day, not one a minute. */
const overLists: readonly string[] = ['AVG', 'MAX', 'MIN', 'SUM'];
const operators: readonly string[] = ['+', '-', '*', '/', '<', '>', '<=', '>=', '==', '!=', '&&', '||', 'AND', 'OR'];
const token = /\s*(\d+(?:\.\d+)?|[A-Za-z]\w*|<=|>=|==|!=|&&|\|\||[-+*/<>(),[\]])/y;

/** @returns the words and signs of the expression, or null when it holds something else. */
function tokensOf(expression: string): string[] | null {
  const tokens: string[] = [];
  token.lastIndex = 0;
  const text = expression.trim();
  while (token.lastIndex < text.length) {
    const found = token.exec(text)?.[1];
    if (found === undefined) return null;
    tokens.push(found);
  }
  return tokens;
}

export interface Expressed {
  readonly expression: string;
  /** Names of the metrics that it may use. */
  readonly ids: readonly string[];
  /** Of errors alone a missing value means none. */
  readonly mayFill: boolean;
}

/** @returns what is wrong and how to mend it, or null. */
export function expressionProblem({ expression, ids, mayFill }: Expressed): string | null {
  const tokens = tokensOf(expression);
  if (tokens === null || tokens.length === 0) return 'is not metric math: names of `metrics`, numbers, + - * / < > and functions such as SUM([a, b])';
  for (const [index, word] of tokens.entries()) {
    const problem = wordProblem(word, { next: tokens.slice(index + 1), ids, mayFill });
    if (problem !== null) return problem;
  }
  if (!tokens.some((word) => ids.includes(word))) return 'uses none of its `metrics`';
  return shapeProblem(tokens);
}

/** Names of the metrics in an expression that has a value only where each of them has one; none where it takes a list, which does without. */
export const neededIn = (expression: string, ids: readonly string[]): readonly string[] =>
  (expression.includes('[') ? [] : ids.filter((id) => tokensOf(expression)?.includes(id) === true));

/**
 * What a minute without one of the metrics would hide: an expression has no value then, which for errors counts as none. Of a single metric that is what its absence says.
 * @param needed names without which there are no requests, so that nobody takes such a minute for one without errors.
 * @returns what is wrong and how to mend it, or null.
 */
export function unfilledProblem({ expression, ids }: Pick<Expressed, 'expression' | 'ids'>, needed: readonly string[]): string | null {
  const tokens = tokensOf(expression) ?? [];
  const used = tokens.flatMap((word, index) => (ids.includes(word) ? [{ word, isFilled: tokens[index - 2] === 'FILL' && tokens[index + 1] === ',' }] : []));
  const bare = used.find(({ word, isFilled }) => !isFilled && !needed.includes(word));
  if (bare === undefined || new Set(used.map(({ word }) => word)).size === 1) return null;
  return `needs FILL(${bare.word}, 0) in place of ${bare.word}: in a minute without it the whole has no value, and would count as one without errors`;
}

interface Around {
  readonly next: readonly string[];
  readonly ids: readonly string[];
  readonly mayFill: boolean;
}

function wordProblem(word: string, { next, ids, mayFill }: Around): string | null {
  if (!/^[A-Za-z]/.test(word) || operators.includes(word) || ids.includes(word)) return null;
  if (!(functions as readonly string[]).includes(word)) return `names ${word}, which is none of its \`metrics\` (${ids.join(', ')}) and none of the functions ${functions.join(', ')}`;
  if (next[0] !== '(') return `needs a parenthesis after ${word}`;
  if (overLists.includes(word) && next[1] !== '[') return `needs a list in ${word}, such as ${word}([a, b]): of one metric it is one number for the whole day`;
  if (word === 'FILL' && !mayFill) return 'must not use FILL here: a minute without requests is unknown, not zero';
  return null;
}

const closes: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** Operands and operators take turns, and what is opened is closed. */
function shapeProblem(tokens: readonly string[]): string | null {
  const open: string[] = [];
  let wantsOperand = true;
  for (const [index, word] of tokens.entries()) {
    const isCall = word === '(' && /^[A-Z]/.test(tokens[index - 1] ?? '') && !operators.includes(tokens[index - 1] ?? '');
    if (word === '-' && wantsOperand) continue;
    const isOperand = /^[\dA-Za-z([]/.test(word) && !operators.includes(word);
    if (isOperand !== wantsOperand && !isCall) return `has ${word} where ${wantsOperand ? 'a metric or a number' : 'an operator'} is needed`;
    if (closes[word] !== undefined) open.push(closes[word]);
    else if (word === ')' || word === ']') {
      if (open.pop() !== word) return `closes ${word} without having opened it`;
      continue;
    }
    wantsOperand = isCall || closes[word] !== undefined || !isOperand;
  }
  if (open.length > 0) return `does not close: ${open.toReversed().join(' ')} is missing`;
  return wantsOperand ? 'ends too early' : null;
}
