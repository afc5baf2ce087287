// Who calls, by access key, and whether the policies let them: identity policies, resource policies, trust policies.
import { createHash } from 'node:crypto';
import { aboutAction, fitsRest, namesPrincipal, readPolicy, speaksAbout, trustPolicyOf, type PolicyDocument, type Question, type Statement } from './iam/policy.ts';
import { AccessDenied } from './iam/access-denied.ts';
import type { ConditionContext } from './iam/conditions.ts';
import { globalContext, type Caller } from './iam/global-context.ts';
import { unused } from './iam/unused.ts';
import type { Authorization, Permission, Place, Principal, SandboxClock } from './world.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

export interface RoleDefinition {
  readonly roleName: string;
  readonly arn: string;
  /** Inline policies. */
  readonly policies?: readonly NamedPolicy[];
  readonly managedPolicyArns?: readonly string[];
  /** AssumeRolePolicyDocument: which services and principals may take the role. */
  readonly trust?: PolicyDocument;
}

/** Put these into a child process as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
export interface IssuedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly principal: Principal;
}

/** What belongs to an access key of the sandbox: the same in every sandbox. */
export function secretsOfKey(accessKeyId: string): Pick<IssuedKey, 'secretAccessKey' | 'sessionToken'> {
  const derive = (purpose: string): string => createHash('sha256').update(`${purpose} ${accessKeyId}`).digest('base64url');
  return { secretAccessKey: derive('secret').slice(0, 40), sessionToken: `sandbox/${derive('session')}` };
}

interface Role {
  readonly roleName: string;
  readonly arn: string;
  readonly inline: Map<string, readonly Statement[]>;
  readonly managed: Set<string>;
  readonly trust: readonly Statement[] | null;
}

interface Decision {
  readonly allowed: boolean;
  readonly explicit: boolean;
  readonly statement: string | null;
}

export class Iam {
  readonly #place: Place;
  readonly #clock: SandboxClock;
  readonly #roles = new Map<string, Role>();
  readonly #users = new Map<string, Map<string, readonly Statement[]>>();
  readonly #managed = new Map<string, readonly Statement[]>();
  readonly #resourcePolicies = new Map<string, Map<string, readonly Statement[]>>();
  readonly #keys = new Map<string, IssuedKey>();
  readonly #used = new Map<string, Set<string>>();
  #issued = 0;
  /** Hears every decision, also of those that stand in no call's record: a workflow's role calling a function, a function URL. */
  onDecision: ((permission: Permission, principal: Principal) => void) | null = null;

  constructor(place: Place, clock: SandboxClock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** Makes a role, or replaces the role of that name. */
  putRole(definition: RoleDefinition): void {
    const inline = (definition.policies ?? []).map(({ name, document }) => [name, readPolicy(name, document)] as const);
    this.#roles.set(definition.roleName, {
      roleName: definition.roleName,
      arn: definition.arn,
      inline: new Map(inline),
      managed: new Set(definition.managedPolicyArns ?? []),
      trust: definition.trust === undefined ? null : readPolicy(trustPolicyOf(definition.roleName), definition.trust),
    });
  }

  /** From now on no service can take the role on. @throws Error when there is no such role. */
  distrust(roleName: string): void {
    this.#roles.set(roleName, { ...this.#role(roleName), trust: null });
  }

  /** Adds an inline policy to a role (AWS::IAM::Policy), or replaces it. */
  putRolePolicy(roleName: string, policy: NamedPolicy): void {
    this.#role(roleName).inline.set(policy.name, readPolicy(policy.name, policy.document));
  }

  removeRolePolicy(roleName: string, policyName: string): void {
    this.#role(roleName).inline.delete(policyName);
  }

  putManagedPolicy(arn: string, document: PolicyDocument): void {
    this.#managed.set(arn, readPolicy(arn.slice(arn.lastIndexOf('/') + 1), document));
  }

  attachRolePolicy(roleName: string, policyArn: string): void {
    this.#role(roleName).managed.add(policyArn);
  }

  /** Policy of a queue, topic, function or table; `name` tells several on one resource apart. */
  putResourcePolicy(resourceArn: string, document: PolicyDocument, name = 'resource-policy'): void {
    const policies = this.#resourcePolicies.get(resourceArn) ?? new Map<string, readonly Statement[]>();
    policies.set(name, readPolicy(name, document));
    this.#resourcePolicies.set(resourceArn, policies);
  }

  putUser(userName: string, policies: readonly NamedPolicy[]): void {
    this.#users.set(userName, new Map(policies.map(({ name, document }) => [name, readPolicy(name, document)])));
  }

  /** Takes one action away from a role, as an explicit deny; the returned function gives it back. */
  takeAway(roleName: string, action: string): () => void {
    const name = `taken-away-${action}`;
    this.putRolePolicy(roleName, { name, document: { Statement: { Effect: 'Deny', Action: action, Resource: '*' } } });
    return () => this.removeRolePolicy(roleName, name);
  }

  /** A session's key for a role, by its ARN or name. @throws Error when there is no such role. */
  issueKey(role: string, sessionName?: string): IssuedKey {
    const { roleName } = this.#role(role.slice(role.lastIndexOf('/') + 1));
    const accessKeyId = this.#nextKeyId('ASIA');
    const principal: Principal = { kind: 'role', ...this.#session(roleName, sessionName ?? roleName), accessKeyId };
    return this.#register(accessKeyId, principal);
  }

  /** From now on this key, which a process got elsewhere, is a session of the role. @throws Error when there is no such role. */
  adoptKey(role: string, accessKeyId: string): void {
    const { roleName } = this.#role(role.slice(role.lastIndexOf('/') + 1));
    this.#register(accessKeyId, { kind: 'role', ...this.#session(roleName, roleName), accessKeyId });
  }

  /** @throws Error when there is no such user. */
  issueUserKey(userName: string): IssuedKey {
    if (!this.#users.has(userName)) throw new Error(`no user ${userName}`);
    const accessKeyId = this.#nextKeyId('AKIA');
    return this.#register(accessKeyId, { kind: 'user', arn: `arn:aws:iam::${this.#place.account}:user/${userName}`, accessKeyId });
  }

  /**
   * The role as a service takes it on, for example events.amazonaws.com for a rule's target.
   * @param sourceArn the resource for which the service acts, for `aws:SourceArn` conditions.
   * @throws AccessDenied when the role's trust policy does not name the service.
   */
  assume(roleArn: string, service: string, sourceArn?: string): Principal {
    const role = this.#role(roleArn.slice(roleArn.lastIndexOf('/') + 1));
    const question: Question = { action: 'sts:AssumeRole', resource: roleArn, context: this.#globalContext({ kind: 'service', arn: service, service, ...(sourceArn === undefined ? {} : { sourceArn }) }) };
    const trusting = (role.trust ?? []).find((statement) => statement.effect === 'Allow' && namesPrincipal(statement.raw, { aws: [], service }) && speaksAbout(statement, question));
    const permission: Permission = { action: 'sts:AssumeRole', resource: roleArn, allowed: trusting !== undefined, statement: trusting?.id ?? null };
    this.onDecision?.(permission, { kind: 'service', arn: service, service });
    if (!permission.allowed) throw new AccessDenied({ kind: 'service', arn: service, service }, permission, { explicit: false });
    return { kind: 'role', ...this.#session(role.roleName, service.split('.')[0] ?? service), accessKeyId: '' };
  }

  /** Who a key belongs to; keys that the sandbox did not issue belong to the person at the keyboard. */
  principalOf(accessKeyId: string | null): Principal {
    const issued = accessKeyId === null ? undefined : this.#keys.get(accessKeyId);
    return issued?.principal ?? { kind: 'root', arn: `arn:aws:iam::${this.#place.account}:root` };
  }

  /** The secret of a key that the sandbox issued, else null. */
  secretOf(accessKeyId: string): string | null {
    return this.#keys.get(accessKeyId)?.secretAccessKey ?? null;
  }

  /** The session token that belongs to a role's key, else null. */
  sessionTokenOf(accessKeyId: string): string | null {
    return this.#keys.get(accessKeyId)?.sessionToken ?? null;
  }

  /** ARN of the role behind a session, or null for anybody else. */
  roleArnOf(principal: Principal): string | null {
    return principal.kind === 'role' ? (this.#roles.get(principal.roleName)?.arn ?? null) : null;
  }

  /**
   * Checks one authorization, each of its resources.
   * @returns the decisions, all of them allowed.
   * @throws AccessDenied for the first resource that is not allowed, with the message that AWS gives.
   */
  authorize(principal: Principal, authorization: Authorization): readonly Permission[] {
    const { action } = authorization;
    const question = this.#questionOf(principal, authorization);
    return authorization.resources.map((resource) => {
      const decision = this.#decide(principal, question(resource));
      const permission: Permission = { action, resource, allowed: decision.allowed, statement: decision.statement };
      this.onDecision?.(permission, principal);
      if (!decision.allowed) throw new AccessDenied(principal, permission, decision);
      if (principal.kind === 'role' && decision.statement !== null) this.#used.set(principal.roleName, (this.#used.get(principal.roleName) ?? new Set<string>()).add(`${decision.statement} ${action}`));
      return permission;
    });
  }

  /** Whether it would be allowed; nothing is recorded. */
  isAllowed(principal: Principal, authorization: Authorization): boolean {
    return authorization.resources.map(this.#questionOf(principal, authorization)).every((question) => this.#decide(principal, question).allowed);
  }

  /** For machinery that acts as a role: null when the role may do it, else why not. */
  denies(roleArn: string, authorization: Authorization): string | null {
    const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    if (!this.#roles.has(roleName)) return `there is no role ${roleArn}`;
    try {
      this.authorize({ kind: 'role', ...this.#session(roleName, 'sandbox'), accessKeyId: '' }, authorization);
      return null;
    } catch (error) {
      if (error instanceof AccessDenied) return error.message;
      throw error;
    }
  }

  /** `<policy>/<statement> <action>` of everything that ever allowed a call of the role. */
  usedBy(roleName: string): readonly string[] {
    return [...(this.#used.get(roleName) ?? [])].toSorted();
  }

  /** `<policy>/<statement> <action>` of everything that the role's policies grant by name and no call has used. */
  unusedBy(roleName: string): readonly string[] {
    return unused(this.#policiesOf(this.#role(roleName)).flat(), this.#used.get(roleName) ?? new Set());
  }

  get roleNames(): readonly string[] {
    return [...this.#roles.keys()];
  }

  #decide(principal: Principal, question: Question): Decision {
    if (principal.kind === 'root') return { allowed: true, explicit: false, statement: null };
    let allow: Statement | null = null;
    for (const statement of this.#aboutAction(principal, question)) {
      if (!fitsRest(statement.raw, question)) continue;
      if (statement.effect === 'Deny') return { allowed: false, explicit: true, statement: statement.id };
      allow ??= statement;
    }
    return { allowed: allow !== null, explicit: false, statement: allow?.id ?? null };
  }

  /** What the caller's own policies say about the action, then those of the resource that name the caller. */
  #aboutAction(principal: Principal, { action, resource }: Question): readonly Statement[] {
    const found = this.#identityPolicies(principal).flatMap((statements) => aboutAction(statements, action));
    const policies = this.#resourcePolicies.get(resource);
    if (policies === undefined) return found;
    const roleArn = this.roleArnOf(principal);
    const identities = { aws: [principal.arn, ...(roleArn === null ? [] : [roleArn])], service: principal.kind === 'service' ? principal.service : null };
    for (const statements of policies.values()) found.push(...aboutAction(statements, action).filter(({ raw }) => namesPrincipal(raw, identities)));
    return found;
  }

  #identityPolicies(principal: Principal): readonly (readonly Statement[])[] {
    if (principal.kind === 'role') return this.#policiesOf(this.#role(principal.roleName));
    if (principal.kind !== 'user') return [];
    return [...(this.#users.get(principal.arn.slice(principal.arn.lastIndexOf('/') + 1))?.values() ?? [])];
  }

  #policiesOf(role: Role): readonly (readonly Statement[])[] {
    const policies = [...role.inline.values()];
    for (const arn of role.managed) {
      const statements = this.#managed.get(arn);
      if (statements === undefined) throw new Error(`role ${role.roleName} has the managed policy ${arn}, which the sandbox does not have`);
      policies.push(statements);
    }
    return policies;
  }

  /** Its context is made when a condition asks for it, and once for all resources. */
  #questionOf(principal: Principal, { action, context }: Authorization): (resource: string) => Question {
    let made: ConditionContext | null = null;
    const contextOf = (): ConditionContext => (made ??= { ...this.#globalContext(principal), ...context });
    return (resource) => ({ action, resource, get context() { return contextOf(); } });
  }

  #globalContext(principal: Principal): Readonly<Record<string, string>> {
    const caller: Caller = { principal, roleArn: this.roleArnOf(principal) };
    return globalContext(caller, { place: this.#place, now: this.#clock.now() });
  }

  #role(roleName: string): Role {
    const role = this.#roles.get(roleName);
    if (role === undefined) throw new Error(`no role ${roleName}; known: ${[...this.#roles.keys()].join(', ')}`);
    return role;
  }

  #session(roleName: string, sessionName: string): { arn: string; roleName: string; sessionName: string } {
    return { arn: `arn:aws:sts::${this.#place.account}:assumed-role/${roleName}/${sessionName}`, roleName, sessionName };
  }

  #nextKeyId(prefix: 'ASIA' | 'AKIA'): string {
    this.#issued += 1;
    return `${prefix}SANDBOX${String(this.#issued).padStart(9, '0')}`;
  }

  #register(accessKeyId: string, principal: Principal): IssuedKey {
    const key: IssuedKey = { accessKeyId, ...secretsOfKey(accessKeyId), principal };
    this.#keys.set(accessKeyId, key);
    return key;
  }
}
