// lambda-alias: points an alias back at the version that was good, and takes its weights away.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { isToken } from '../target-fields.ts';
import { aliasStates } from './plan.ts';

export const target = z.strictObject({
  strategy: z.literal('lambda-alias'),
  functionName: z.string().refine((value) => isToken(value) || /^[\w-]{1,64}$/.test(value), { error: 'needs the function\'s name, not its ARN, and without a version or alias' }),
  /** An alias that CodeDeploy shifts belongs to strategy `codedeploy`: Lambda does not tell who moves it, and the next step of the deployment would move it again. */
  alias: z.string().refine((value) => isToken(value) || /^(?!\d+$)[\w-]{1,128}$/.test(value), { error: 'needs the name of an alias, such as `live`; a version number cannot be moved' }),
  /** The version before is not the number before: only the ledger knows. */
  good: z.literal('last-known-good', { error: 'needs its good side: `good: last-known-good`' }),
});

export type LambdaAliasTarget = z.output<typeof target>;

export const manifest: Manifest<LambdaAliasTarget> = {
  name: 'lambda-alias',
  summary: 'Point a Lambda alias back at the version that was good.',
  target,
  states: aliasStates,
};
