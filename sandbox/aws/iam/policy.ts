// IAM policy documents, and which of their statements speak about a request.
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

/** Whether the statement's action, resource and conditions fit the request; its Principal is not looked at. */
export function speaksAbout(statement: Statement, question: Question): boolean {
  const { raw } = statement;
  const isAction = (pattern: string): boolean => matchesWildcard(pattern, question.action, { ignoreCase: true });
  // First, as most statements are about other actions.
  if (raw.Action !== undefined && !many(raw.Action).some(isAction)) return false;
  if (raw.NotAction !== undefined && many(raw.NotAction).some(isAction)) return false;
  const isResource = (pattern: string): boolean => {
    const filled = pattern.includes('${') ? substitute(pattern, valuesIn(question.context)) : pattern;
    return filled !== null && (question.resource === '*' ? filled === '*' : matchesArn(filled, question.resource));
  };
  if (raw.Resource !== undefined && !many(raw.Resource).some(isResource)) return false;
  if (raw.NotResource !== undefined && many(raw.NotResource).some(isResource)) return false;
  return meetsConditions(raw.Condition, question.context);
}

/** Whether a resource policy's statement names one of these: ARNs, account ids, or service names. */
export function namesPrincipal(raw: RawStatement, identities: { readonly aws: readonly string[]; readonly service: string | null }): boolean {
  const { Principal: principal } = raw;
  if (principal === undefined) return false;
  if (principal === '*') return true;
  const names = (kind: string): readonly string[] => many(principal[kind] ?? []);
  if (identities.service !== null && names('Service').some((name) => name === identities.service)) return true;
  return names('AWS').some((name) => name === '*' || identities.aws.includes(name));
}

export function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
