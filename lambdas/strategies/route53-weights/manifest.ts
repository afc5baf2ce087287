// route53-weights: shifts a weighted DNS record group back to the good record in one all-or-nothing batch.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { goodSide, sides } from '../target-fields.ts';
import { weightedStates } from '../weights.ts';

export const target = z.strictObject({
  strategy: z.literal('route53-weights'),
  /** Without the `/hostedzone/` prefix. */
  hostedZoneId: z.string().min(1),
  /** With or without the trailing dot; compared in lower case. */
  recordName: z.string().min(1),
  recordType: z.enum(['A', 'AAAA', 'CNAME']),
  /** Side name to the record's SetIdentifier. */
  records: sides(z.string().min(1).max(128)),
  good: goodSide,
});

export type Route53WeightsTarget = z.output<typeof target>;

export const manifest: Manifest<Route53WeightsTarget> = {
  name: 'route53-weights',
  summary: 'Shift a weighted Route 53 record group back to the good record.',
  target,
  states: weightedStates,
};
