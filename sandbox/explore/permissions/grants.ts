// What a synthesized stack allows, statement by statement, with the reasons that stand beside it; and the same stack without one of them.
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { matchesArn, matchesWildcard } from '../../aws/iam/match.ts';
import { many } from '../../aws/iam/policy.ts';
import type { Permission } from '../../aws/world.ts';
import type { Resource } from '../../deploy/assembly.ts';
import type { Policy } from './policies.ts';
import { reasonsFor, type Reason } from './reasons.ts';

/** One action that one statement allows, on each of its resources. */
export interface Grant {
  /** `<holder>/<number of the statement>/<action>`. */
  readonly id: string;
  /** `assess`, `strategy-codedeploy`, `Rollback` …: whose role it is, or the resource whose policy it is. */
  readonly holder: string;
  /** Logical id of the role or of the resource that holds it. */
  readonly owner: string;
  /** As IAM's decisions name it. */
  readonly statement: string;
  readonly action: string;
  readonly resources: readonly string[];
  /** A resource's own policy: `*` in it means that resource. */
  readonly isResourcePolicy: boolean;
  /** Of a trust policy: the role's name. */
  readonly trusted: string | null;
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

/** Everything that these policies allow, those of people aside: no scenario is played by people. */
export const grantsOf = (policies: readonly Policy[], reasons: readonly Reason[]): readonly Grant[] =>
  policies.filter(({ kind }) => kind !== 'managed').flatMap((policy) => grantsIn(policy, reasons));

/** What the policies for people allow: nobody takes it away, but each wildcard needs its reason there too. */
export const peoplesGrants = (policies: readonly Policy[], reasons: readonly Reason[]): readonly Grant[] =>
  policies.filter(({ kind }) => kind === 'managed').flatMap((policy) => grantsIn(policy, reasons));

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
  const { PolicyDocument, KeyPolicy } = resource.Properties ?? {};
  const document = (PolicyDocument ?? KeyPolicy) as { Statement: { Action: string | string[] }[] };
  const statement = document.Statement[index];
  if (statement === undefined) throw new Error(`${logicalId} has no statement ${index}`);
  const left = action === null ? [] : many(statement.Action).filter((one) => one !== action);
  // A statement that allows what nobody asks for keeps the numbers of those after it.
  statement.Action = left.length === 0 ? 'sandbox:Nothing' : left;
}

function grantsIn({ logicalId, holder, owner, name, kind, roleName, resourceArn, statements }: Policy, reasons: readonly Reason[]): readonly Grant[] {
  return statements.flatMap((raw, index): Grant[] => {
    if (raw.Effect !== 'Allow') return [];
    const actions = many(raw.Action ?? []);
    // A trust policy stands on its role.
    const resources = raw.Resource === undefined ? [resourceArn ?? ''] : many(raw.Resource);
    return actions.map((action) => {
      const textOf = (of: Reason['kind']): string | null => reasonsFor(reasons, of, { owner, action, resources })[0]?.text ?? null;
      return {
        id: `${holder}/${index}/${action}`, holder, owner, statement: `${name}/${raw.Sid ?? String(index)}`, action, resources, isResourcePolicy: kind === 'trust' || kind === 'resource', trusted: kind === 'trust' ? roleName : null,
        wide: textOf('wide'), uncalled: textOf('uncalled'), quiet: textOf('quiet'), together: actions.length, place: { logicalId, index },
      };
    });
  });
}
