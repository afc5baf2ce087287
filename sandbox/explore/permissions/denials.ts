// Each Deny has to bite: when every other Deny has fallen and its caller may do anything else, it alone refuses a call, and without it that call goes through.
import { many, type RawStatement } from '../../aws/iam/policy.ts';
import { AwsError, type Permission, type Principal } from '../../aws/world.ts';
import { forbiddenCall } from './forbidden-calls.ts';
import type { Policy } from './policies.ts';
import { PermissionWorld, type Shared } from './world.ts';

export interface DenialResult {
  /** `<holder>/<number of the statement>/<action>` and the resource. */
  readonly id: string;
  /** Why it does not bite; null: it does. */
  readonly problem: string | null;
}

interface Denial {
  readonly id: string;
  readonly policy: Policy;
  readonly index: number;
  readonly raw: RawStatement;
  readonly action: string;
  /** One that exists, or could. */
  readonly resource: string;
}

/** Every action that some Deny of the stack forbids, on each of its resources. */
export const denialsOf = (policies: readonly Policy[]): readonly Denial[] =>
  policies.flatMap((policy) => policy.statements.flatMap((raw, index) => (raw.Effect !== 'Deny' ? [] : many(raw.Action ?? []).flatMap((action) => many(raw.Resource ?? []).map((named): Denial => {
    const resource = named === '*' ? policy.resourceArn ?? named : named.replaceAll('*', 'any');
    return { id: `${policy.holder}/${index}/${action} on ${resource}`, policy, index, raw, action, resource };
  })))));

const anything = { name: 'anything', document: { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } } };
const nothing: RawStatement = { Effect: 'Allow', Action: 'sandbox:Nothing', Resource: '*' };

/** Tries all of them in one sandbox. */
export async function tryDenials(shared: Shared, assembly: string, policies: readonly Policy[]): Promise<readonly DenialResult[]> {
  const world = await PermissionWorld.start(shared, assembly);
  try {
    for (const policy of policies) put(world, policy, null);
    const results: DenialResult[] = [];
    for (const denial of denialsOf(policies)) results.push({ id: denial.id, problem: await problemOf(world, denial) });
    return results;
  } finally {
    await world.stop();
  }
}

async function problemOf(world: PermissionWorld, denial: Denial): Promise<string | null> {
  const { policy, index, raw } = denial;
  const caller = callerOf(world, denial);
  put(world, policy, index);
  const bitten = await asked(world, caller, denial);
  put(world, policy, null);
  const free = await asked(world, caller, denial);
  const name = `${policy.name}/${raw.Sid ?? String(index)}`;
  if (bitten === null || free === null) return 'the sandbox knows no call that it could forbid';
  if (bitten.allowed || bitten.statement !== name) return `a call that it should forbid is ${bitten.allowed ? `allowed by ${bitten.statement}` : `refused by ${bitten.statement ?? 'nobody'} in its place`}`;
  return free.allowed ? null : `a call that it forbids is refused without it too, by ${free.statement ?? 'nobody who allows it'}`;
}

/** Whoever has the policy, or for a resource anybody, with a policy beside it that allows everything. */
function callerOf({ sandbox: { iam, place } }: PermissionWorld, { policy, raw }: Denial): Principal {
  const roleName = policy.roleName ?? 'bold';
  if (policy.roleName === null)
    iam.putRole({ roleName, arn: `arn:aws:iam::${place.account}:role/${roleName}`, policies: [anything], managedPolicyArns: policy.kind === 'managed' ? [policy.resourceArn ?? ''] : [] });
  else iam.putRolePolicy(roleName, anything);
  const { principal } = iam.issueKey(roleName);
  return principal.kind === 'role' && JSON.stringify(raw.Condition ?? {}).includes('aws:SecureTransport') ? { ...principal, isUnencrypted: true } : principal;
}

/** Makes the call. @returns what IAM decided about the action; null: no call is known that asks for it. */
async function asked({ sandbox: { server }, decisions }: PermissionWorld, caller: Principal, { action, resource }: Denial): Promise<Permission | null> {
  const call = forbiddenCall(action, resource);
  if (call === null) return null;
  const from = decisions.length;
  try {
    await server.call(caller, call.signingName, call);
  } catch (error) {
    // What the call itself comes to does not matter: IAM decides before.
    if (!(error instanceof AwsError)) throw error;
  }
  return decisions.slice(from).map(({ permission }) => permission).find((one) => one.action === call.action && one.resource === resource) ?? null;
}

/** Puts the policy with this Deny alone, or with none: the numbers of its statements stay what they are. */
function put({ sandbox: { iam } }: PermissionWorld, { kind, name, roleName, resourceArn, statements }: Policy, index: number | null): void {
  if (!statements.some(({ Effect }) => Effect === 'Deny')) return;
  const document = { Statement: statements.map((raw, at) => (raw.Effect === 'Deny' && at !== index ? nothing : raw)) };
  if (kind === 'identity') iam.putRolePolicy(roleName ?? '', { name, document });
  else if (kind === 'managed') iam.putManagedPolicy(resourceArn ?? '', document);
  else if (kind === 'resource') iam.putResourcePolicy(resourceArn ?? '', document, name);
  else throw new Error(`a Deny in a trust policy, ${name}, is not tried`);
}
