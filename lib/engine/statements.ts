// Turns IAM statements that are plain data into a role's policy; a wildcard carries its reason into cdk-nag's report.
import { aws_iam as iam, Validations } from 'aws-cdk-lib';
import type { Statement } from '../../lambdas/strategies/strategy.ts';

/** Ends in a wildcard, or is one. Tokens are compared by their literal parts only. */
const isWildcard = (resource: string): boolean => resource.includes('*');

function policyStatement({ actions, resources, conditions }: Statement, effect: iam.Effect): iam.PolicyStatement {
  return new iam.PolicyStatement({ effect, actions: [...actions], resources: [...resources], ...(conditions === undefined ? {} : { conditions }) });
}

/**
 * Adds the statements to the role.
 * @throws Error when a resource has a wildcard and the statement does not say why nothing narrower is possible.
 */
export function allow(role: iam.IRole, statements: readonly Statement[]): void {
  for (const statement of statements) {
    const wildcards = statement.resources.filter(isWildcard);
    if (wildcards.length > 0 && statement.because === undefined)
      throw new Error(`IAM statement ${statement.actions.join(', ')} on ${wildcards.join(', ')} needs \`because\`: why nothing narrower is possible`);
    role.addToPrincipalPolicy(policyStatement(statement, iam.Effect.ALLOW));
    if (statement.because !== undefined && wildcards.length > 0) acknowledgeWildcard(role, statement.because);
  }
}

export function deny(role: iam.IRole, statement: Statement): void {
  role.addToPrincipalPolicy(policyStatement(statement, iam.Effect.DENY));
}

export function acknowledgeWildcard(scope: iam.IRole, reason: string): void {
  Validations.of(scope).acknowledge({ id: 'AwsSolutions-IAM5', reason });
}
