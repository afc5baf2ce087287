// Parses and evaluates the AlarmRule expression of a composite alarm.
import { AwsError } from '../../aws/world.ts';
import type { StateValue } from './alarm-evaluation.ts';

export type RuleNode =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'state'; readonly state: StateValue; readonly alarm: string }
  | { readonly kind: 'not'; readonly of: RuleNode }
  | { readonly kind: 'and' | 'or'; readonly of: readonly RuleNode[] };

const refuse = (why: string): AwsError => new AwsError('ValidationError', `AlarmRule must not contain invalid expressions: ${why}`);
const states: readonly string[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

/**
 * Alarms are named by name or ARN, in quotes or not; `AT_LEAST` is not supported by the sandbox.
 * @throws AwsError `ValidationError` for a syntax error.
 */
export function parseAlarmRule(text: string): RuleNode {
  const tokens = text.match(/"[^"]*"|'[^']*'|[()]|[^\s()"']+/g) ?? [];
  let position = 0;
  const take = (): string => tokens[position++] ?? '';
  const peek = (): string => tokens[position]?.toUpperCase() ?? '';

  const sequence = (keyword: 'AND' | 'OR', inner: () => RuleNode): RuleNode => {
    const first = inner();
    const rest: RuleNode[] = [];
    while (peek() === keyword) {
      position += 1;
      rest.push(inner());
    }
    return rest.length === 0 ? first : { kind: keyword === 'AND' ? 'and' : 'or', of: [first, ...rest] };
  };
  const either = (): RuleNode => sequence('OR', both);
  const both = (): RuleNode => sequence('AND', single);
  const expectClose = (): void => {
    if (take() !== ')') throw refuse(`a closing parenthesis is missing in '${text}'`);
  };
  const single = (): RuleNode => {
    const token = take();
    const word = token.toUpperCase();
    if (word === 'NOT') return { kind: 'not', of: single() };
    if (word === 'TRUE' || word === 'FALSE') return { kind: 'constant', value: word === 'TRUE' };
    if (token === '(') {
      const node = either();
      expectClose();
      return node;
    }
    if (!isState(word) || take() !== '(') throw refuse(`'${token}' in '${text}'`);
    const alarm = unquoted(take());
    if (alarm === '' || alarm === ')') throw refuse(`an alarm's name is missing in '${text}'`);
    expectClose();
    return { kind: 'state', state: word, alarm };
  };
  const node = either();
  if (position < tokens.length) throw refuse(`'${tokens[position] ?? ''}' in '${text}'`);
  return node;
}

const isState = (word: string): word is StateValue => states.includes(word);

function unquoted(token: string): string {
  const name = /^["']/.test(token) ? token.slice(1, -1) : token;
  return name.startsWith('arn:') ? name.split(':').slice(6).join(':') : name;
}

export function ruleHolds(node: RuleNode, stateOf: (alarm: string) => StateValue): boolean {
  if (node.kind === 'constant') return node.value;
  if (node.kind === 'state') return stateOf(node.alarm) === node.state;
  if (node.kind === 'not') return !ruleHolds(node.of, stateOf);
  if (node.kind === 'and') return node.of.every((inner) => ruleHolds(inner, stateOf));
  return node.of.some((inner) => ruleHolds(inner, stateOf));
}

/** Names of the alarms a rule looks at, each once. */
export function alarmsOf(node: RuleNode): string[] {
  if (node.kind === 'constant') return [];
  if (node.kind === 'state') return [node.alarm];
  if (node.kind === 'not') return alarmsOf(node.of);
  return [...new Set(node.of.flatMap(alarmsOf))];
}
