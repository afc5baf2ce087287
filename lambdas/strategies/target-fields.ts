// Fields that several strategies' targets share: ARNs, named sides, and which side is the good one.
import * as z from 'zod';

/** CDK tokens stand for values known only at deploy time: their shape cannot be checked at synth. */
export const isToken = (value: string): boolean => value.includes('${Token[');

/** An ARN of one service, for example `arn('elasticloadbalancing', 'listener/')`; CDK tokens pass. */
export const arn = (service: string, resourcePrefix: string) =>
  z.string().refine(
    (value) => isToken(value) || new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:(\\d{12})?:${resourcePrefix}.+$`).test(value),
    { error: `needs an ARN like arn:aws:${service}:<region>:<account>:${resourcePrefix}…` },
  );

export const sideName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, { error: 'needs a name of lower-case letters, digits and hyphens' });

/** At least two named sides: with one there is nowhere to go back to. */
export const sides = <Value extends z.ZodType<string>>(value: Value) =>
  z.record(sideName, value).refine((all) => Object.keys(all).length >= 2, { error: 'needs at least two sides, for example blue and green' });

/** `last-known-good`: the side the ledger saw survive its bake. A side's name: always that side (a stable/canary layout). */
export const goodSide = z.union([z.literal('last-known-good'), z.strictObject({ side: sideName })], {
  error: 'needs its good side: either `last-known-good`, or `{ side: <name> }` when one side is always the stable one',
});
