// Where to go back to: the newest version that is proven good, older than the suspect, and never rolled back itself.
import { at } from './instants.ts';
import type { KnownGoodFacts, Question, ReleaseFacts } from './question.ts';
import type { DeploymentReading } from './readings.ts';

type Known = Pick<Question, 'knownGoods' | 'deployments' | 'quarantined' | 'policy' | 'now'>;

/** The ledger's newest; else what CodeDeploy's own history proves; else null. */
export function chooseGood(known: Known, suspect: ReleaseFacts | null): KnownGoodFacts | null {
  const before = suspect === null ? at(known.now) : at(suspect.startedAt);
  const usable = [...known.knownGoods, ...fromHistory(known, before)].filter(({ version, since }) =>
    version !== suspect?.version && !known.quarantined.includes(version) && at(since) < before);
  const newestFirst = usable.toSorted((a, b) => at(b.since) - at(a.since));
  return newestFirst.find(({ basis }) => basis !== 'history') ?? newestFirst[0] ?? null;
}

/** Deployments that succeeded and stayed live for a bake time: until the next one of their target, or until the suspect began. */
function fromHistory({ deployments, policy }: Known, before: number): KnownGoodFacts[] {
  return deployments.flatMap((deployment) => {
    if (deployment.status !== 'finished' || deployment.finishedAt === null || deployment.nature === 'upkeep') return [];
    const liveSeconds = (endOfLife(deployment, deployments, before) - at(deployment.finishedAt)) / 1000;
    if (liveSeconds < policy.bakeMinutes * 60) return [];
    return [{ version: deployment.version, since: deployment.finishedAt, basis: 'history', targets: [deployment.targetId] }];
  });
}

function endOfLife(deployment: DeploymentReading, all: readonly DeploymentReading[], before: number): number {
  const followers = all
    .filter(({ id, targetId, nature }) => id !== deployment.id && targetId === deployment.targetId && nature !== 'upkeep')
    .map(({ startedAt }) => at(startedAt))
    .filter((startedAt) => startedAt >= at(deployment.startedAt));
  return Math.min(before, ...followers);
}
