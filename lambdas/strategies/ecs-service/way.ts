// What users notice of a rolling deployment: how many tasks ECS may stop before new ones run is the service's own setting.
import type { WayEffect } from '../../domain/way-effect.ts';
import type { Way } from '../way.ts';
import type { EcsServiceTarget } from './manifest.ts';
import type { EcsServiceState } from './plan.ts';

/** Nobody knows beforehand how long tasks take to start, to pass their health checks and to drain. */
const typical = { seconds: 300, basis: 'typical' } as const;

const effect: Way<EcsServiceTarget, EcsServiceState>['effect'] = (_target, { state }): WayEffect => {
  const { minimumHealthyPercent: percent = null, desired = null } = state?.rolling ?? {};
  if (percent === null || desired === null) return { downtime: 'unknown', text: 'how many tasks ECS stops before new ones run was not read', ...typical };
  // ECS rounds the lower limit up: of one task with 50 % the one stays.
  const kept = Math.ceil((desired * percent) / 100);
  if (kept >= desired) return { downtime: 'none', text: 'new tasks run before old ones stop', ...typical };
  return kept === 0
    ? { downtime: 'interruption', text: `ECS may stop all ${desired} tasks before a new one runs (minimumHealthyPercent ${percent})`, ...typical }
    : { downtime: 'less-capacity', text: `as few as ${kept} of ${desired} tasks run meanwhile (minimumHealthyPercent ${percent})`, ...typical };
};

export const way: Way<EcsServiceTarget, EcsServiceState> = { order: 42, kind: 'redeploy', effect };
