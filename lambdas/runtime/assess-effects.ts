// What users would notice of each target's way back, before anything is read live: from the catalogue, and from how the target looked last.
import type { TargetConfig } from '../config/schema.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import type { TargetFacts } from '../domain/question.ts';
import type { DeploymentReading } from '../domain/readings.ts';
import { targetFacts } from '../domain/rungs.ts';
import { versionOnSide, type ShareOf } from '../domain/side-version.ts';
import type { TargetState } from '../domain/vocabulary.ts';
import { total, weightsIn } from '../strategies/weights.ts';
import { wayOf } from '../strategies/ways.ts';

interface Around {
  readonly ledger: Pick<ServiceLedger, 'releases' | 'knownGoods'>;
  readonly deployments: readonly DeploymentReading[];
  /** Where releases that began before this are not in the ledger as it was read; null where all are. */
  readonly readBack: string | null;
}

export const factsOf = (targets: Readonly<Record<string, TargetConfig>>, { ledger, deployments, readBack }: Around): Record<string, TargetFacts> =>
  Object.fromEntries(Object.entries(targets).map(([id, target]) => {
    const isRunning = deployments.some(({ targetId, status }) => targetId === id && status === 'in-progress');
    const way = wayOf(target.strategy);
    const side = typeof target.good === 'object' && 'side' in target.good ? target.good.side : null;
    const sideVersion = side === null ? null : versionOnSide(id, ledger, shareOf(side), readBack);
    return [id, targetFacts(target, { way: way.kind, ...(sideVersion === null ? {} : { sideVersion }), effect: way.effect(target, { state: lastSeen(id, ledger), planned: null, isRunning }) })];
  }));

/** What the newest release left is newer than what was known good. */
const lastSeen = (id: string, { releases, knownGoods }: Around['ledger']): TargetState | null =>
  releases.find(({ left }) => left?.[id] !== undefined)?.left?.[id] ?? knownGoods.find(({ states }) => states[id] !== undefined)?.states[id] ?? null;

/** Only what shares traffic out has sides. */
const shareOf = (side: string): ShareOf => (state) => {
  const read = weightsIn(state);
  const sum = read === null ? 0 : total(read.weights) + total(read.strangers);
  const own = read?.weights[side];
  return own === undefined || sum === 0 ? null : own === sum ? 'all' : own === 0 ? 'none' : 'some';
};
