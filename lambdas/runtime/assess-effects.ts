// What users would notice of each target's way back, before anything is read live: from the catalogue, and from how the target looked last.
import type { TargetConfig } from '../config/schema.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import type { TargetFacts } from '../domain/question.ts';
import type { DeploymentReading } from '../domain/readings.ts';
import { targetFacts } from '../domain/rungs.ts';
import type { TargetState } from '../domain/vocabulary.ts';
import { wayOf } from '../strategies/ways.ts';

interface Around {
  readonly ledger: Pick<ServiceLedger, 'releases' | 'knownGoods'>;
  readonly deployments: readonly DeploymentReading[];
}

export const factsOf = (targets: Readonly<Record<string, TargetConfig>>, { ledger, deployments }: Around): Record<string, TargetFacts> =>
  Object.fromEntries(Object.entries(targets).map(([id, target]) => {
    const isRunning = deployments.some(({ targetId, status }) => targetId === id && status === 'in-progress');
    const way = wayOf(target.strategy);
    return [id, targetFacts(target, { way: way.kind, effect: way.effect(target, { state: lastSeen(id, ledger), planned: null, isRunning }) })];
  }));

/** What the newest release left is newer than what was known good. */
const lastSeen = (id: string, { releases, knownGoods }: Around['ledger']): TargetState | null =>
  releases.find(({ left }) => left?.[id] !== undefined)?.left?.[id] ?? knownGoods.find(({ states }) => states[id] !== undefined)?.states[id] ?? null;
