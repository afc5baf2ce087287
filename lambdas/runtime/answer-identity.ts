// Who answers: taken from what IAM verified, compared with the roles that may and with the person who asked.

export interface Identity {
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>`, as IAM verified it. */
  readonly arn: string;
  readonly account: string;
  readonly partition: string;
  readonly role: string;
  readonly session: string;
}

/** Null for anything but the session of a role: users and root cannot be approvers. */
export function identityOf(userArn: unknown): Identity | null {
  if (typeof userArn !== 'string') return null;
  const match = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+)$/.exec(userArn);
  if (match === null) return null;
  const [, partition = '', account = '', role = '', session = ''] = match;
  return { arn: userArn, account, partition, role, session };
}

/** A session's ARN has lost the path of its role; a role's name is unique in its account all the same. */
export function isApprover(identity: Identity, roleArns: readonly string[]): boolean {
  return roleArns.some((arn) => {
    const match = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn.trim());
    return match !== null && match[1] === identity.partition && match[2] === identity.account && match[3] === identity.role;
  });
}

/** Every way in which one person may be written: the whole text, what follows the last slash, what stands before an @. */
function spellings(text: string): string[] {
  const whole = text.trim().toLowerCase();
  const last = whole.split('/').at(-1) ?? whole;
  return [whole, last, last.split('@')[0] ?? last].filter((one) => one !== '');
}

/**
 * Whether the person who answers is the one who asked. `requestedBy` was typed, so the comparison is generous: ARN, session name,
 * user name and mail address count as one person when any of them agree.
 */
export function isAsker(identity: Identity, requestedBy: string | null): boolean {
  if (requestedBy === null) return false;
  const mine = new Set(spellings(identity.arn));
  return spellings(requestedBy).some((one) => mine.has(one));
}
