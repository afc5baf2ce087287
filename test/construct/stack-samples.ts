// The example app as a template, made once for all tests of one file.
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RipcordStack } from '../../lib/app.ts';
import { loadConfig, parseConfig } from '../../lib/load-config.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** CloudFormation's own schemas take longer to load than all the rest; `cdk synth` of the example checks against them. */
export const quietApp = (): App => new App({ builtinCloudFormationValidation: false });

export const exampleTemplate = (): Template => Template.fromStack(new RipcordStack(quietApp(), 'Ripcord', loadConfig('services.yaml')));

export const templateOf = (yaml: string): Template => Template.fromStack(new RipcordStack(quietApp(), 'Ripcord', parseConfig(yaml, 'services.yaml')));

export const listOf = <Value>(value: Value | readonly Value[]): readonly Value[] => (Array.isArray(value) ? value as readonly Value[] : [value as Value]);

/** Every statement of the role whose logical id begins so. */
export function statementsOf(template: Template, role: string): Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy') as Record<string, Resource>)
    .filter(({ Properties }) => JSON.stringify(Properties['Roles']).includes(`"${role}`))
    .flatMap(({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);
}

export const actionsOf = (statements: readonly Statement[], effect: Statement['Effect'] = 'Allow'): string[] =>
  [...new Set(statements.filter((one) => one.Effect === effect).flatMap((one) => listOf(one.Action)))].toSorted();
