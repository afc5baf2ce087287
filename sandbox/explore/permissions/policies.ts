// The policies of a deployed assembly, of roles, of people and of resources: who holds each, what it says, and where it stands.
import { many, trustPolicyOf, type RawStatement } from '../../aws/iam/policy.ts';
import type { Place } from '../../aws/world.ts';
import { readAssembly, type Resource, type StackArtifact } from '../../deploy/assembly.ts';
import type { Deployed } from '../../deploy/deployer.ts';
import { resolve, type Scope } from '../../deploy/intrinsics.ts';

export interface Policy {
  readonly kind: 'identity' | 'managed' | 'trust' | 'resource';
  readonly logicalId: string;
  /** Short: `assess`, `strategy-codedeploy`, `Rollback-workflow` …, or the resource whose policy it is. */
  readonly holder: string;
  /** Logical id of the role or of the resource that holds it. */
  readonly owner: string;
  /** What IAM's decisions call it. */
  readonly name: string;
  /** Of an `identity` policy and of a trust. */
  readonly roleName: string | null;
  /** What a `resource` policy stands on; of a trust its role, of a managed policy itself. */
  readonly resourceArn: string | null;
  readonly statements: readonly RawStatement[];
}

/** @param deployed of the same assembly. */
export function policiesOf(assembly: string, deployed: Deployed, place: Place): readonly Policy[] {
  return readAssembly(assembly).flatMap((stack) => {
    const scope = scopeOf(stack, deployed, place);
    return Object.entries(stack.template.Resources).flatMap(([logicalId, resource]) => policiesIn(logicalId, resource, scope));
  });
}

/** In which a stack's references are known. */
export const scopeOf = ({ template, stackName }: StackArtifact, deployed: Deployed, place: Place): Scope => ({
  place, stackName, stackId: '', template, created: new Map(Object.entries(deployed.stacks[stackName]?.resources ?? {})), exports: new Map(), lookUp: (_, reference) => reference,
});

function policiesIn(logicalId: string, { Type, Properties = {} }: Resource, scope: Scope): readonly Policy[] {
  const read = (property: string): unknown => resolve(Properties[property], scope);
  const statementsIn = (document: unknown): readonly RawStatement[] => many((document as { Statement: RawStatement | RawStatement[] }).Statement);
  const arnOf = (id: string): string => String(scope.created.get(id)?.attributes['Arn']);
  const made = { logicalId, owner: logicalId, name: logicalId, holder: holderOf(logicalId), roleName: null, resourceArn: null };
  switch (Type) {
    case 'AWS::IAM::Policy': {
      const owner = (Properties['Roles'] as { readonly Ref: string }[])[0]?.Ref ?? '';
      return [{ ...made, kind: 'identity', owner, name: String(read('PolicyName')), holder: holderOf(owner), roleName: (read('Roles') as string[])[0] ?? '', statements: statementsIn(read('PolicyDocument')) }];
    }
    case 'AWS::IAM::Role': {
      const roleName = scope.created.get(logicalId)?.ref ?? '';
      return [{ ...made, kind: 'trust', name: trustPolicyOf(roleName), roleName, resourceArn: arnOf(logicalId), statements: statementsIn(read('AssumeRolePolicyDocument')) }];
    }
    case 'AWS::IAM::ManagedPolicy': {
      const arn = scope.created.get(logicalId)?.ref ?? '';
      return [{ ...made, kind: 'managed', name: arn.slice(arn.lastIndexOf('/') + 1), resourceArn: arn, statements: statementsIn(read('PolicyDocument')) }];
    }
    case 'AWS::DynamoDB::Table':
      return Properties['ResourcePolicy'] === undefined ? [] : [{ ...made, kind: 'resource', name: `${logicalId}-0`, resourceArn: arnOf(logicalId), statements: statementsIn((read('ResourcePolicy') as { PolicyDocument: unknown }).PolicyDocument) }];
    case 'AWS::SNS::TopicPolicy':
    case 'AWS::SQS::QueuePolicy': {
      const statements = statementsIn(read('PolicyDocument'));
      return [{ ...made, kind: 'resource', owner: ownerOf(logicalId, Properties), resourceArn: many(statements[0]?.Resource ?? '')[0] ?? '', statements }];
    }
    case 'AWS::KMS::Key':
      return [{ ...made, kind: 'resource', holder: 'MessagesKey', resourceArn: arnOf(logicalId), statements: statementsIn(read('KeyPolicy')) }];
    case 'AWS::Lambda::Permission':
      return [{
        ...made, kind: 'resource', owner: ownerOf(logicalId, Properties), resourceArn: String(read('FunctionName')),
        statements: [{ Sid: logicalId, Effect: 'Allow', Action: String(read('Action')), Resource: String(read('FunctionName')), Principal: { Service: String(read('Principal')) } }],
      }];
    default:
      return [];
  }
}

interface OneReference {
  readonly Ref?: string;
  readonly 'Fn::GetAtt'?: readonly string[];
}

/** Logical id of the resource whose policy it is. */
function ownerOf(logicalId: string, { Topics, Queues, FunctionName }: NonNullable<Resource['Properties']>): string {
  const [first] = many((Topics ?? Queues ?? FunctionName ?? []) as OneReference | OneReference[]);
  return first?.Ref ?? first?.['Fn::GetAtt']?.[0] ?? logicalId;
}

/** `EngineHandlersassessRole9B5A11E5` to `assess`. */
const holderOf = (logicalId: string): string => logicalId.slice(0, -8)
  .replace(/^EngineHandlers(\w+?)Role$/, '$1').replace(/^EngineStrategies(\w+?)Role$/, 'strategy-$1').replace(/^EngineWorkflows(\w+?)StateMachineRole$/, '$1-workflow')
  .replace(/^EngineDeliveryRole$/, 'rules').replace(/AllowEventRule.*$/, '').replace(/^Engine(Handlers|Messages|Delivery)?/, '');
