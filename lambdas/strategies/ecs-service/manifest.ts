// ecs-service: deploys the task definition that was good on an ECS service with rolling deployments.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { arn, isToken } from '../target-fields.ts';
import { serviceStates } from './plan.ts';

const name = (what: string) => z.string().refine((value) => isToken(value) || /^[\w-]{1,255}$/.test(value), { error: `needs the name of the ${what}, not its ARN` });

export const target = z.strictObject({
  strategy: z.literal('ecs-service'),
  cluster: name('cluster'),
  /** Its deployment controller has to be ECS with rolling deployments; one of CodeDeploy's belongs to strategy `codedeploy`. */
  service: name('service'),
  good: z.literal('last-known-good', { error: 'needs its good side: `good: last-known-good`' }),
  /** Task role and execution role of the task definitions: needed where ECS asks whether the caller may pass them. */
  roles: z.array(arn('iam', 'role/')).max(10).optional(),
});

export type EcsServiceTarget = z.output<typeof target>;

export const manifest: Manifest<EcsServiceTarget> = {
  name: 'ecs-service',
  summary: 'Deploy the last known good task definition of an ECS service with rolling deployments.',
  target,
  states: serviceStates,
};
