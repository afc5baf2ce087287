// IAM policy documents, and which of their statements speak about a request.
import { isFrozenThrough } from '../../frozen.ts';
import { checkOperators, meetsConditions, substitute, valuesIn, type ConditionBlock, type ConditionContext } from './conditions.ts';
import { matchesArn, matchesWildcard } from './match.ts';

type OneOrMany = string | readonly string[];

/** What decisions call the trust policy of a role. */
export const trustPolicyOf = (roleName: string): string => `trust-${roleName}`;

/** A statement as it stands in the JSON. */
export interface RawStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: OneOrMany;
  readonly NotAction?: OneOrMany;
  readonly Resource?: OneOrMany;
  readonly NotResource?: OneOrMany;
  readonly Principal?: '*' | Readonly<Record<string, OneOrMany>>;
  readonly Condition?: ConditionBlock;
}

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: RawStatement | readonly RawStatement[];
}

export interface Statement {
  /** `<policy name>/<Sid or index>`. */
  readonly id: string;
  readonly effect: 'Allow' | 'Deny';
  readonly raw: RawStatement;
}

export interface Question {
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

const knownKeys = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'Condition']);

/**
 * Reads a document's statements.
 * @throws Error for anything in it that the sandbox does not evaluate: a permission must not be given or kept back by a misunderstanding.
 */
export function readPolicy(name: string, document: PolicyDocument): readonly Statement[] {
  if (!isFrozenThrough(document)) return statementsOf(name, document);
  let read = frozenPolicies.get(document);
  if (read === undefined) frozenPolicies.set(document, (read = new Map()));
  let statements = read.get(name);
  if (statements === undefined) read.set(name, (statements = statementsOf(name, document)));
  return statements;
}

// By name: all sandboxes of a process that deploy one assembly have the same documents.
const frozenPolicies = new WeakMap<PolicyDocument, Map<string, readonly Statement[]>>();

function statementsOf(name: string, document: PolicyDocument): readonly Statement[] {
  return many(document.Statement).map((raw, index) => {
    const id = `${name}/${raw.Sid ?? String(index)}`;
    for (const key of Object.keys(raw)) if (!knownKeys.has(key)) throw new Error(`IAM statement ${id}: the sandbox does not know "${key}"`);
    if (raw.Effect !== 'Allow' && raw.Effect !== 'Deny') throw new Error(`IAM statement ${id}: Effect is "${raw.Effect}"`);
    if ((raw.Action === undefined) === (raw.NotAction === undefined)) throw new Error(`IAM statement ${id}: needs either Action or NotAction`);
    for (const value of [...many(raw.Action ?? []), ...many(raw.Resource ?? []), ...many(raw.NotResource ?? [])]) {
      if (typeof value !== 'string') throw new Error(`IAM statement ${id}: ${JSON.stringify(value)} is not a resolved string`);
    }
    checkOperators(raw.Condition);
    return { id, effect: raw.Effect, raw };
  });
}

// By what `readPolicy` made of a document, which never changes: a policy that is replaced is read anew.
const aboutActions = new WeakMap<readonly Statement[], Map<string, readonly Statement[]>>();

/** Those statements of one document whose action fits; nothing else of them is looked at. */
export function aboutAction(statements: readonly Statement[], action: string): readonly Statement[] {
  let known = aboutActions.get(statements);
  if (known === undefined) aboutActions.set(statements, (known = new Map()));
  let found = known.get(action);
  if (found === undefined) known.set(action, (found = statements.filter(({ raw }) => fitsAction(raw, action))));
  return found;
}

/** Whether the statement's action, resource and conditions fit the request; its Principal is not looked at. */
export const speaksAbout = ({ raw }: Statement, question: Question): boolean => fitsAction(raw, question.action) && fitsRest(raw, question);

/** Whether resource and conditions of a statement fit the request, whose action does. The context is asked for only where it counts. */
export function fitsRest(raw: RawStatement, question: Question): boolean {
  if (raw.Resource !== undefined && !anyResource(many(raw.Resource), question)) return false;
  if (raw.NotResource !== undefined && anyResource(many(raw.NotResource), question)) return false;
  return raw.Condition === undefined || meetsConditions(raw.Condition, question.context);
}

function fitsAction({ Action, NotAction }: RawStatement, action: string): boolean {
  if (Action !== undefined && !anyAction(many(Action), action)) return false;
  return NotAction === undefined || !anyAction(many(NotAction), action);
}

function anyAction(patterns: readonly string[], action: string): boolean {
  for (const pattern of patterns) if (matchesWildcard(pattern, action, { ignoreCase: true })) return true;
  return false;
}

function anyResource(patterns: readonly string[], question: Question): boolean {
  for (const pattern of patterns) {
    const filled = pattern.includes('${') ? substitute(pattern, valuesIn(question.context)) : pattern;
    if (filled !== null && (question.resource === '*' ? filled === '*' : matchesArn(filled, question.resource))) return true;
  }
  return false;
}

/** Whether a resource policy's statement names one of these: ARNs, account ids, or service names. */
export function namesPrincipal({ Principal: principal }: RawStatement, identities: { readonly aws: readonly string[]; readonly service: string | null }): boolean {
  if (principal === undefined) return false;
  if (principal === '*') return true;
  if (identities.service !== null && many(principal['Service'] ?? []).includes(identities.service)) return true;
  return many(principal['AWS'] ?? []).some((name) => name === '*' || identities.aws.includes(name));
}

export function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
