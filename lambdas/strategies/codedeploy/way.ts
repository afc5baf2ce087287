// What users notice of a redeploy or a stop: servers are restarted in place; tasks and function versions are there side by side.
import type { WayEffect } from '../../domain/way-effect.ts';
import type { SeenState, Way } from '../way.ts';
import type { CodeDeployTarget } from './manifest.ts';
import type { CodeDeployState } from './plan.ts';

/** Nobody knows beforehand how long hooks, health checks and draining take. */
const redeployed = { seconds: 300, basis: 'typical' } as const;
/** What was live still runs. */
const returned = { seconds: 60, basis: 'typical' } as const;

const effect: Way<CodeDeployTarget, CodeDeployState>['effect'] = (target, seen) => {
  const { platform, deploymentConfig = null } = target;
  const isRunning = seen.isRunning || (seen.planned !== null && seen.state?.running != null);
  if (platform === 'Server') return servers(deploymentConfig, { ...seen, isRunning });
  if (isRunning) return { downtime: 'none', text: 'users go back to what still runs', ...returned };
  // All at once is what Ripcord asks for where the target names no configuration.
  if (deploymentConfig !== null && !deploymentConfig.endsWith('AllAtOnce')) return { downtime: 'mixed', text: `${deploymentConfig} moves users little by little`, ...redeployed };
  return { downtime: 'none', text: platform === 'ECS' ? 'new tasks run before users move' : 'both versions are there', ...(platform === 'ECS' ? redeployed : returned) };
};

/** A rollback that CodeDeploy makes of what it stopped keeps to the group's own configuration. */
function servers(declared: string | null, { state, isRunning }: SeenState<CodeDeployState>): WayEffect {
  const { style = null, config: group = null } = state?.group ?? {};
  const config = isRunning ? group : declared ?? 'CodeDeployDefault.AllAtOnce';
  if (style === 'BLUE_GREEN') return { downtime: 'none', text: 'new servers run before users move', ...redeployed };
  if (style === null || config === null) return { downtime: 'unknown', text: 'whether servers are restarted in place, and how many at once, was not read', ...redeployed };
  const known: Readonly<Record<string, Pick<WayEffect, 'downtime' | 'text'>>> = {
    'CodeDeployDefault.AllAtOnce': { downtime: 'interruption', text: 'all servers are restarted at once' },
    'CodeDeployDefault.HalfAtATime': { downtime: 'less-capacity', text: 'up to half of the servers are restarted at a time' },
    'CodeDeployDefault.OneAtATime': { downtime: 'less-capacity', text: 'servers are restarted one at a time' },
  };
  return { ...(known[config] ?? { downtime: 'unknown', text: `how many servers ${config} restarts at once was not read` }), ...redeployed };
}

export const way: Way<CodeDeployTarget, CodeDeployState> = { order: 40, kind: 'redeploy', effect };
