// One stack for all scenarios, what it allows, and which scenario takes which permission.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { JsonValue } from '../../scenarios/scenario.ts';
import { grantsOf, isBy, peoplesGrants, type Grant } from './grants.ts';
import { policiesOf, type Policy } from './policies.ts';
import { reasonsOf, type Reason } from './reasons.ts';
import { playIn, type Played } from './play.ts';
import { permissionScenarios } from './scenarios.ts';
import { approverArn, documentOf, secretName, services } from './services.ts';
import { PermissionWorld, type Shared } from './world.ts';

export type Synthesize = (config: string, out: string) => void;

export interface Prepared {
  readonly assembly: string;
  readonly policies: readonly Policy[];
  readonly reasons: readonly Reason[];
  readonly grants: readonly Grant[];
  /** Of people, beside them. */
  readonly peoplesGrants: readonly Grant[];
}

/** @param directory where the stack is synthesized. */
export async function preparePermissions(directory: string, shared: Shared, synthesize: Synthesize): Promise<Prepared> {
  await mkdir(directory, { recursive: true });
  const { sandbox, account, targets } = await PermissionWorld.empty(shared);
  try {
    const secretArn = sandbox.services.secrets.arn(secretName);
    const documents = Object.fromEntries(services.map((service) => [service.name, documentOf(service, targets[service.name] as NonNullable<(typeof targets)[string]>, { port: shared.port, secretArn })]));
    const config = path.join(directory, 'services.yaml');
    // No brake: one service at a time is sick.
    await writeFile(config, stringify({ engine: { approvers: [approverArn] }, services: documents as JsonValue }));
    const assembly = path.join(directory, 'cdk.out');
    synthesize(config, assembly);
    const deployed = await sandbox.deploy(assembly);
    const policies = policiesOf(assembly, deployed, sandbox.place);
    const reasons = await reasonsOf(assembly, deployed, sandbox.place);
    return { assembly, policies, reasons, grants: grantsOf(policies, reasons), peoplesGrants: peoplesGrants(policies, reasons) };
  } finally {
    await account.stop();
    await sandbox.stop();
  }
}

/** Plays scenarios with every permission in place, a few side by side. */
export async function recordUse(shared: Shared, { assembly }: Prepared, { names = permissionScenarios.map(({ name }) => name), atOnce }: { readonly names?: readonly string[]; readonly atOnce: number }): Promise<readonly Played[]> {
  const waiting = [...names];
  const all: Played[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) all.push(await playIn(shared, next, { assembly }));
  }));
  return all;
}

/** Scenarios that take the grant: first those in which nobody is paged anyway, of these the quickest. */
export const usersOf = (grant: Grant, played: readonly Played[]): readonly string[] =>
  played.filter(({ used }) => used.some((permission) => isBy(grant, '*', permission)))
    .toSorted((one, other) => one.pages.length - other.pages.length || one.wallMilliseconds - other.wallMilliseconds).map(({ scenario }) => scenario);

/** Grants on a resource that no scenario takes, and that carry no reason: `<grant> on <resource>`. */
export const unexplained = (grants: readonly Grant[], played: readonly Played[]): readonly string[] =>
  grants.filter(({ uncalled }) => uncalled === null).flatMap((grant) => grant.resources.filter((resource) => !played.some(({ used }) => used.some((permission) => isBy(grant, resource, permission)))).map((resource) => `${grant.id} on ${resource}`));
