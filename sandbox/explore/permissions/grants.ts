// What a synthesized stack allows, statement by statement, with the reasons that stand beside it; and the same stack without one of them.
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { matchesArn, matchesWildcard } from '../../aws/iam/match.ts';
import { many, type RawStatement } from '../../aws/iam/policy.ts';
import type { Permission } from '../../aws/world.ts';
import { readAssembly, type Resource, type StackArtifact } from '../../deploy/assembly.ts';
import type { Deployed } from '../../deploy/deployer.ts';
import { resolve, type Scope } from '../../deploy/intrinsics.ts';
import type { Place } from '../../aws/world.ts';

/** One action that one statement allows, on each of its resources. */
export interface Grant {
  /** `<holder>/<number of the statement>/<action>`. */
  readonly id: string;
  /** `assess`, `strategy-codedeploy`, `Rollback` …: whose role it is, or the resource whose policy it is. */
  readonly holder: string;
  /** As IAM's decisions name it. */
  readonly statement: string;
  readonly action: string;
  readonly resources: readonly string[];
  /** A resource's own policy: `*` in it means that resource. */
  readonly isResourcePolicy: boolean;
  /** Why it is allowed on a resource with a wildcard. */
  readonly wide: string | null;
  /** Who demands it, where no call is checked for it. */
  readonly uncalled: string | null;
  /** What on-call sees of its loss, where no record names it or nobody is told. */
  readonly quiet: string | null;
  /** How many actions its statement allows. */
  readonly together: number;
  readonly place: { readonly logicalId: string; readonly index: number };
}

interface Reasons {
  readonly wide: Readonly<Record<string, string>>;
  readonly uncalled: Readonly<Record<string, string>>;
  readonly quiet: Readonly<Record<string, string>>;
}

interface Policy {
  readonly logicalId: string;
  readonly holder: string;
  /** What IAM's decisions call it. */
  readonly name: string;
  readonly isResourcePolicy: boolean;
  readonly reasons: Reasons;
  readonly statements: readonly RawStatement[];
}

const none: Reasons = { wide: {}, uncalled: {}, quiet: {} };

/** Everything that the assembly's roles and resource policies allow, people's managed policies aside. @param deployed of the same assembly. */
export async function grantsOf(assembly: string, deployed: Deployed, place: Place): Promise<readonly Grant[]> {
  const grants: Grant[] = [];
  for (const stack of readAssembly(assembly)) {
    const reasons = await reasonsOf(assembly, stack);
    for (const policy of policiesOf(stack, { deployed, place, reasons })) grants.push(...grantsIn(policy));
  }
  return grants;
}

/** Whether this decision of IAM's was made by this grant, through this resource of it. */
export const isBy = ({ statement, action }: Grant, resource: string, permission: Permission): boolean =>
  permission.allowed && permission.statement === statement && matchesWildcard(action, permission.action, { ignoreCase: true }) && (resource === '*' || matchesArn(resource, permission.resource));

/** Copies the assembly, with one action, or the whole statement, taken out of a template. @returns the copy's folder. */
export async function without(assembly: string, { place: { logicalId, index }, action }: Grant, { whole, into }: { readonly whole: boolean; readonly into: string }): Promise<string> {
  // Of an exploration that was stopped halfway.
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  for (const name of await readdir(assembly)) {
    const from = path.resolve(assembly, name);
    if (!name.endsWith('.template.json')) {
      await symlink(from, path.join(into, name));
      continue;
    }
    const template = JSON.parse(await readFile(from, 'utf8')) as { readonly Resources: Record<string, Resource> };
    const resource = template.Resources[logicalId];
    if (resource !== undefined) takeOut(template.Resources, logicalId, { index, action: whole ? null : action });
    await writeFile(path.join(into, name), JSON.stringify(template));
  }
  return into;
}

function takeOut(resources: Record<string, Resource>, logicalId: string, { index, action }: { readonly index: number; readonly action: string | null }): void {
  const resource = resources[logicalId] as Resource;
  if (resource.Type === 'AWS::Lambda::Permission') {
    delete resources[logicalId];
    return;
  }
  const document = (resource.Properties?.['PolicyDocument'] ?? resource.Properties?.['KeyPolicy']) as { Statement: { Action: string | string[] }[] };
  const statement = document.Statement[index];
  if (statement === undefined) throw new Error(`${logicalId} has no statement ${index}`);
  const left = action === null ? [] : many(statement.Action).filter((one) => one !== action);
  // A statement that allows what nobody asks for keeps the numbers of those after it.
  statement.Action = left.length === 0 ? 'sandbox:Nothing' : left;
}

async function reasonsOf(assembly: string, { id }: StackArtifact): Promise<ReadonlyMap<string, Reasons>> {
  const text = await readFile(path.join(assembly, `${id}.metadata.json`), 'utf8').catch(() => readFile(path.join(assembly, 'manifest.json'), 'utf8'));
  const json = JSON.parse(text) as Record<string, unknown>;
  const entries = (json['artifacts'] === undefined ? json : (json['artifacts'] as Record<string, { metadata?: object }>)[id]?.metadata ?? {}) as Record<string, { type: string; data: unknown }[]>;
  const logicalIds = new Map(Object.entries(entries).flatMap(([key, all]) => all.filter(({ type }) => type === 'aws:cdk:logicalId').map(({ data }) => [key, String(data)])));
  const found = new Map<string, Reasons>();
  for (const [key, all] of Object.entries(entries))
    for (const { type, data } of all) {
      const logicalId = logicalIds.get(`${key}/Resource`);
      if (type !== 'ripcord:permissions' || logicalId === undefined) continue;
      const before = found.get(logicalId) ?? none;
      const said = data as Reasons;
      found.set(logicalId, { wide: { ...before.wide, ...said.wide }, uncalled: { ...before.uncalled, ...said.uncalled }, quiet: { ...before.quiet, ...said.quiet } });
    }
  return found;
}

interface Known {
  readonly deployed: Deployed;
  readonly place: Place;
  readonly reasons: ReadonlyMap<string, Reasons>;
}

function policiesOf(stack: StackArtifact, { deployed, place, reasons }: Known): readonly Policy[] {
  const { template, stackName } = stack;
  const created = new Map(Object.entries(deployed.stacks[stackName]?.resources ?? {}));
  const scope: Scope = { place, stackName, stackId: '', template, created, exports: new Map(), lookUp: (_, reference) => reference };
  return Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]): Policy[] => {
    const read = (property: string): unknown => resolve(Properties[property], scope);
    const statementsOf = (document: unknown): readonly RawStatement[] => many((document as { Statement: RawStatement | RawStatement[] }).Statement);
    const own = { logicalId, isResourcePolicy: true, reasons: reasons.get(ownerOf(logicalId, Properties)) ?? none };
    switch (Type) {
      case 'AWS::IAM::Policy': {
        const role = (Properties['Roles'] as { readonly Ref: string }[])[0]?.Ref ?? '';
        return [{ logicalId, name: String(read('PolicyName')), holder: holderOf(role), isResourcePolicy: false, reasons: reasons.get(role) ?? none, statements: statementsOf(read('PolicyDocument')) }];
      }
      case 'AWS::SNS::TopicPolicy':
      case 'AWS::SQS::QueuePolicy':
        return [{ ...own, name: logicalId, holder: holderOf(logicalId), statements: statementsOf(read('PolicyDocument')) }];
      case 'AWS::KMS::Key':
        return [{ ...own, name: logicalId, holder: 'MessagesKey', statements: statementsOf(read('KeyPolicy')) }];
      case 'AWS::Lambda::Permission':
        return [{ ...own, name: logicalId, holder: holderOf(logicalId), statements: [{ Sid: logicalId, Effect: 'Allow', Action: String(read('Action')), Resource: String(read('FunctionName')), Principal: { Service: String(read('Principal')) } }] }];
      default:
        return [];
    }
  });
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

function grantsIn({ logicalId, holder, name, isResourcePolicy, reasons, statements }: Policy): readonly Grant[] {
  return statements.flatMap((raw, index): Grant[] => {
    if (raw.Effect !== 'Allow') return [];
    const actions = many(raw.Action ?? []);
    return actions.map((action) => ({
      id: `${holder}/${index}/${action}`, holder, statement: `${name}/${raw.Sid ?? String(index)}`, action, resources: many(raw.Resource ?? []), isResourcePolicy,
      wide: reasons.wide[action] ?? null, uncalled: reasons.uncalled[action] ?? null, quiet: reasons.quiet[action] ?? null, together: actions.length, place: { logicalId, index },
    }));
  });
}
