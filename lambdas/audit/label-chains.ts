// What the chains of labels are called: each person's of one rollback, and the one of labels that came as events.

/** The chain of one person's labels of one rollback. No user id holds a `#`, and none is `event`. */
export const labelChain = (userId: string, rollbackId: string): string => `label#${userId}#${rollbackId}`;

/** All that IAM lets the function write begins so. No person's user id is `event`. */
export const eventChain = (rollbackId: string): string => `label#event#${rollbackId}`;

export const isLabelChain = (chain: string): boolean => chain.startsWith('label#');

/** Whose labels of which rollback; null: a chain of no person's. */
export function personIn(chain: string): { readonly userId: string; readonly rollbackId: string } | null {
  const [, userId = '', rollbackId = ''] = /^label#([^#]+)#([^#]+)$/.exec(chain) ?? [];
  return userId === '' || userId === 'event' ? null : { userId, rollbackId };
}
