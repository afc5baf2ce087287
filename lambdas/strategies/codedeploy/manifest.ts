// codedeploy: stops a running deployment with rollback, or redeploys the last known good revision.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { deployedStates } from './plan.ts';

const common = {
  strategy: z.literal('codedeploy'),
  application: z.string().min(1).max(100),
  deploymentGroup: z.string().min(1).max(100),
  /** A redeploy goes to the revision that survived its bake; there is no other safe choice. */
  good: z.literal('last-known-good', { error: 'needs its good side: `good: last-known-good`' }),
  /** Deployment configuration of the redeploy. Absent: all at once. */
  deploymentConfig: z.string().min(1).optional(),
};

export const target = z.discriminatedUnion('platform', [
  z.strictObject({ ...common, platform: z.literal('Server') }),
  z.strictObject({ ...common, platform: z.literal('Lambda'), functionName: z.string().min(1), alias: z.string().min(1) }),
  z.strictObject({ ...common, platform: z.literal('ECS'), cluster: z.string().min(1), service: z.string().min(1) }),
]);

export type CodeDeployTarget = z.output<typeof target>;

export const manifest: Manifest<CodeDeployTarget> = {
  name: 'codedeploy',
  summary: 'Stop a running CodeDeploy deployment with rollback, or redeploy the last known good revision.',
  target,
  states: deployedStates,
};
