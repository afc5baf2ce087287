// The written reasons that stand beside permissions, as the assembly's metadata holds them.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Place } from '../../aws/world.ts';
import { readAssembly, type StackArtifact } from '../../deploy/assembly.ts';
import type { Deployed } from '../../deploy/deployer.ts';
import { resolve, type Scope } from '../../deploy/intrinsics.ts';
import { scopeOf } from './policies.ts';

/** `wide`: why a wildcard. `uncalled`: who demands it, although no call is checked for it. `quiet`: what on-call sees of its loss instead of a page and a record that names it. */
export const reasonKinds = ['wide', 'uncalled', 'quiet'] as const;

export interface Reason {
  readonly kind: (typeof reasonKinds)[number];
  /** Logical id of the role or resource beside which it stands. */
  readonly owner: string;
  readonly action: string;
  /** Of the one statement that it speaks of; null: of every statement of the owner with that action. */
  readonly resources: readonly string[] | null;
  readonly text: string;
}

/** A permission, as far as a reason names it. */
interface About {
  readonly owner: string;
  readonly action: string;
  readonly resources: readonly string[];
}

export const speaksOf = (reason: Reason, { owner, action, resources }: About): boolean =>
  reason.owner === owner && reason.action === action && (reason.resources === null || reason.resources.every((one) => resources.includes(one)));

export const reasonsFor = (reasons: readonly Reason[], kind: Reason['kind'], about: About): readonly Reason[] => reasons.filter((reason) => reason.kind === kind && speaksOf(reason, about));

/** @param deployed of the same assembly. */
export async function reasonsOf(assembly: string, deployed: Deployed, place: Place): Promise<readonly Reason[]> {
  const all = await Promise.all(readAssembly(assembly).map((stack) => reasonsIn(assembly, stack, scopeOf(stack, deployed, place))));
  return all.flat();
}

type Said = Readonly<Partial<Record<(typeof reasonKinds)[number], Readonly<Record<string, string>>>>> & { readonly resources?: readonly unknown[] | null };

async function reasonsIn(assembly: string, { id }: StackArtifact, scope: Scope): Promise<readonly Reason[]> {
  const text = await readFile(path.join(assembly, `${id}.metadata.json`), 'utf8').catch(() => readFile(path.join(assembly, 'manifest.json'), 'utf8'));
  const json = JSON.parse(text) as Record<string, unknown>;
  const entries = (json['artifacts'] === undefined ? json : (json['artifacts'] as Record<string, { metadata?: object }>)[id]?.metadata ?? {}) as Record<string, { type: string; data: unknown }[]>;
  const logicalIds = new Map(Object.entries(entries).flatMap(([key, all]) => all.filter(({ type }) => type === 'aws:cdk:logicalId').map(({ data }) => [key, String(data)])));
  return Object.entries(entries).flatMap(([key, all]) => all.filter(({ type }) => type === 'ripcord:permissions').flatMap(({ data }) => {
    const owner = logicalIds.get(`${key}/Resource`);
    if (owner === undefined) throw new Error(`a reason stands beside ${key}, which is no resource of the stack`);
    const { resources = null, ...said } = data as Said;
    const known = resources === null ? null : resources.map((one) => String(resolve(one, scope)));
    return reasonKinds.flatMap((kind) => Object.entries(said[kind] ?? {}).map(([action, why]): Reason => ({ kind, owner, action, resources: known, text: why })));
  }));
}
