// What the chains of labels are called: each person's of one rollback, and the one of labels that came as events.

/** The chain of one person's labels of one rollback. No user id holds a `#`, and none is `event`. */
export const labelChain = (userId: string, rollbackId: string): string => `label#${userId}#${rollbackId}`;

/** All that IAM lets the function write begins so. No person's user id is `event`. */
export const eventChain = (rollbackId: string): string => `label#event#${rollbackId}`;

export const isLabelChain = (chain: string): boolean => chain.startsWith('label#');

/** Whose labels of which rollback: a user id, or `event`. Null: no chain of labels. */
export function labellerIn(chain: string): { readonly labeller: string; readonly rollbackId: string } | null {
  const [, labeller = '', rollbackId = ''] = /^label#([^#]+)#([^#]+)$/.exec(chain) ?? [];
  return labeller === '' ? null : { labeller, rollbackId };
}
