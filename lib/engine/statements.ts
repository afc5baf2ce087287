// Turns IAM statements that are plain data into the policy of a role or of people; a wildcard carries its reason into cdk-nag's report.
import { aws_iam as iam, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';

/** Ends in a wildcard, or is one. Tokens are compared by their literal parts only. */
const isWildcard = (resource: string): boolean => resource.includes('*');

function policyStatement({ actions, resources, conditions }: Statement, effect: iam.Effect): iam.PolicyStatement {
  return new iam.PolicyStatement({ effect, actions: [...actions], resources: [...resources], ...(conditions === undefined ? {} : { conditions }) });
}

/** A role, or a policy that people's roles take. */
export type Holder = iam.IRole | iam.ManagedPolicy;

function add(holder: Holder, statement: iam.PolicyStatement): void {
  if (holder instanceof iam.ManagedPolicy) holder.addStatements(statement);
  else holder.addToPrincipalPolicy(statement);
}

/**
 * Adds the statements to the role or policy.
 * @throws Error when a resource has a wildcard and the statement does not say why nothing narrower is possible.
 */
export function allow(holder: Holder, statements: readonly Statement[]): void {
  for (const statement of statements) {
    const wildcards = statement.resources.filter(isWildcard);
    if (wildcards.length > 0 && statement.because === undefined)
      throw new Error(`IAM statement ${statement.actions.join(', ')} on ${wildcards.join(', ')} needs \`because\`: why nothing narrower is possible`);
    add(holder, policyStatement(statement, iam.Effect.ALLOW));
    if (statement.because !== undefined) acknowledgeWildcards(holder, wildcards, statement.because);
    if (statement.because !== undefined || statement.uncalled !== undefined || statement.quiet !== undefined)
      explain(holder, { ...reasonsOf(statement), resources: statement.resources });
  }
}

const reasonsOf = ({ actions, because, uncalled = {}, quiet = {} }: Statement): Reasons => ({
  wide: because === undefined ? {} : Object.fromEntries(actions.map((action) => [action, because])), uncalled, quiet,
});

export interface Reasons {
  /** Action to why it is allowed on a resource with a wildcard. */
  readonly wide?: Readonly<Record<string, string>>;
  /** Action to who demands it, though no call of ours is checked for it. */
  readonly uncalled?: Readonly<Record<string, string>>;
  /** Action to what on-call sees of its loss, where no record can name it or nobody can be told of it by itself. */
  readonly quiet?: Readonly<Record<string, string>>;
  /** Of the one statement that they speak of; absent: of every statement of the holder with that action. */
  readonly resources?: readonly string[];
}

/** Writes the reasons of a role's permissions, or of a resource's own policy, into the assembly's metadata, where whoever checks the stack reads them. */
export function explain(holder: IConstruct, { wide = {}, uncalled = {}, quiet = {}, resources }: Reasons): void {
  holder.node.addMetadata('ripcord:permissions', { wide, uncalled, quiet, resources: resources ?? null });
}

export function deny(holder: Holder, statement: Statement): void {
  add(holder, policyStatement(statement, iam.Effect.DENY));
}

/** Tells cdk-nag why these resources end in a wildcard; any other wildcard on the same construct is still a finding. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources)
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${shown(Stack.of(scope).resolve(resource))}]`, reason });
}

/** A resolved string as cdk-nag writes it: `arn:<AWS::Partition>:ssm:…`. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (join !== undefined) return join[1].map(shown).join(join[0]);
  return `<${ref ?? attribute?.join('.') ?? JSON.stringify(value)}>`;
}
