// Makes everything that a CDK assembly describes, stack by stack, or refuses with a list of what it cannot make.
import { AwsError } from '../aws/world.ts';
import { readAssembly, type StackArtifact, type Template } from './assembly.ts';
import { condition, resolve, type Created, type Scope } from './intrinsics.ts';
import { physicalName, stableUuid } from './physical-name.ts';
import { creationOrder } from './references.ts';
import { resolvedProperties } from './resolved.ts';
import type { DeployTarget, Making, ResourceType } from './resource-type.ts';
import { iamTypes } from './resources/iam.ts';
import { lambdaTypes } from './resources/lambda.ts';
import { messagingTypes } from './resources/messaging.ts';
import { storageTypes } from './resources/storage.ts';
import { workflowTypes } from './resources/workflow.ts';

export interface DeployedResource extends Created {
  readonly type: string;
}

export interface DeployedStack {
  readonly stackName: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Logical id to what was made. */
  readonly resources: Readonly<Record<string, DeployedResource>>;
}

export interface Deployed {
  readonly stacks: Readonly<Record<string, DeployedStack>>;
  /** Outputs of all stacks; of the same name the last stack's. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Physical ids of all resources of one type, in order of creation. */
  byType(type: string): readonly DeployedResource[];
}

const types: Readonly<Record<string, ResourceType>> = { ...iamTypes, ...lambdaTypes, ...messagingTypes, ...storageTypes, ...workflowTypes };

/** Looked through once: they are frozen when they are deployed. */
const supported = new WeakSet<Template>();

/**
 * @param assembly its folder, or what `readAssembly` said of it: whoever deploys it often reads it once.
 * @throws Error that lists every resource type and property the sandbox does not support, or names the resource that failed.
 */
export async function deployAssembly(assembly: string | readonly StackArtifact[], target: DeployTarget): Promise<Deployed> {
  const stacks = typeof assembly === 'string' ? readAssembly(assembly) : assembly;
  const issues = stacks.filter(({ template }) => !supported.has(template)).flatMap(unsupported);
  if (issues.length > 0) throw new Error(`The sandbox cannot deploy this assembly:\n${issues.map((one) => `  ${one}`).join('\n')}`);
  for (const { template } of stacks) supported.add(template);
  const exports = new Map<string, unknown>();
  const deployed: Record<string, DeployedStack> = {};
  for (const stack of stacks) deployed[stack.stackName] = await deployStack(stack, target, exports);
  const all = Object.values(deployed);
  return {
    stacks: deployed,
    outputs: Object.assign({}, ...all.map(({ outputs }) => outputs)) as Record<string, string>,
    byType: (type) => all.flatMap(({ resources }) => Object.values(resources)).filter((one) => one.type === type),
  };
}

function unsupported({ stackName, template }: StackArtifact): string[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const type = types[Type];
    if (type === undefined) return [`${stackName}/${id}: resource type ${Type} is not supported`];
    const strange = Object.keys(Properties).filter((one) => !type.acted.includes(one) && !type.ignored.includes(one));
    return strange.map((one) => `${stackName}/${id}: property ${one} of ${Type} is not supported`);
  });
}

async function deployStack(stack: StackArtifact, target: DeployTarget, exports: Map<string, unknown>): Promise<DeployedStack> {
  const { stackName, template } = stack;
  const { place } = target;
  const created = new Map<string, Created>();
  const stackId = `arn:${place.partition}:cloudformation:${place.region}:${place.account}:stack/${stackName}/${stableUuid(stackName, 'stack')}`;
  const scope: Scope = { place, stackName, stackId, template, created, exports, lookUp: (service, reference) => lookUp(target, service, reference) };
  for (const id of creationOrder(template)) {
    const { Type, Condition } = template.Resources[id] ?? { Type: '' };
    if (Condition !== undefined && !condition(Condition, scope)) continue;
    try {
      created.set(id, await (types[Type] as ResourceType).make(making(stack, id, { target, properties: resolvedProperties(id, scope) })));
    } catch (error) {
      const why = error instanceof AwsError ? `${error.code}: ${error.message}` : (error as Error).message;
      throw new Error(`${stackName}/${id} (${Type}): ${why}`, { cause: error });
    }
  }
  const resources = Object.fromEntries([...created].map(([id, one]) => [id, { ...one, type: template.Resources[id]?.Type ?? '' }]));
  return { stackName, resources, outputs: outputsOf(stack, scope, exports) };
}

function outputsOf({ template }: StackArtifact, scope: Scope, exports: Map<string, unknown>): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [id, { Value, Export, Condition }] of Object.entries(template.Outputs ?? {})) {
    if (Condition !== undefined && !condition(Condition, scope)) continue;
    const value = resolve(Value, scope);
    outputs[id] = String(value);
    if (Export !== undefined) exports.set(String(resolve(Export.Name, scope)), value);
  }
  return outputs;
}

function lookUp({ services }: DeployTarget, service: 'ssm' | 'secretsmanager', reference: string): string {
  if (service === 'ssm') return services.parameters.get(reference).value;
  // secretsmanager:<id or ARN>:SecretString:<key>
  const [, id = reference, key] = /^(arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+|[^:]+)(?::SecretString(?::([^:]*))?.*)?$/.exec(reference) ?? [];
  const current = services.secrets.get(id).versions.find(({ stages }) => stages.includes('AWSCURRENT'));
  if (current === undefined) throw new Error(`secret ${id} has no current version`);
  if (key === undefined || key === '') return current.value;
  return String((JSON.parse(current.value) as Record<string, unknown>)[key]);
}

function making({ stackName, assets }: StackArtifact, logicalId: string, { target, properties }: Pick<Making, 'target' | 'properties'>): Making {
  const { place } = target;
  return {
    target,
    logicalId,
    properties,
    name: (property, longest) => (typeof properties[property] === 'string' ? properties[property] : physicalName(stackName, logicalId, longest)),
    uuid: () => stableUuid(stackName, logicalId),
    asset: (objectKey) => {
      const found = assets.get(objectKey);
      if (found === undefined) throw new Error(`the assembly has no asset ${objectKey}`);
      return found;
    },
    arn: (service, resource) => `arn:${place.partition}:${service}:${place.region}:${place.account}:${resource}`,
  };
}
