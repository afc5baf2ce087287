// ssm-parameter: turns a feature flag off, or puts a configuration value back, in an SSM parameter that holds no secret.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { isToken } from '../target-fields.ts';
import { parameterStates } from './plan.ts';

/** A version or label after a colon would pin one value for ever: only a bare name can change. */
const parameterName = /^([\w.-]+|(arn:aws[a-z-]*:ssm:[a-z0-9-]*:\d{12}:parameter)?(\/[\w.-]+)+)$/;

export const target = z.strictObject({
  strategy: z.literal('ssm-parameter'),
  /** Name or ARN of a String or StringList parameter of this account and Region. A CDK token has to stand for the ARN. */
  parameter: z.string().max(1100).refine((value) => isToken(value) || parameterName.test(value), { error: 'needs a parameter\'s name like /shop/flags/new-checkout, or its ARN, without a version or label' }),
  good: z.union([z.literal('last-known-good'), z.strictObject({ value: z.string().min(1).max(8192) })], {
    error: 'needs its good value: either `last-known-good`, or `{ value: <text> }` when one value always means off',
  }),
  /** How long an application may go on with the value it read before, in seconds: its polling interval, or the time to live of its cache. */
  takesEffectSeconds: z.int().min(0).max(3600).default(60),
});

export type SsmParameterTarget = z.output<typeof target>;

export const manifest: Manifest<SsmParameterTarget> = {
  name: 'ssm-parameter',
  summary: 'Turn a feature flag off, or put a configuration value back, in an SSM parameter.',
  target,
  states: parameterStates,
};
