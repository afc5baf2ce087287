// Where a command writes, its exit code, and how an error is said with its mend.

export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** Exit code of the command. */
  code: number;
}

export const terminal: Terminal = {
  out: (text) => { console.log(text); },
  error: (text) => { console.error(text); },
  code: 0,
};

/** An error that is a sentence for the person at the keyboard, and nothing more. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

const mends: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'No AWS credentials were found: run `aws sso login` or `aws configure`, or set AWS_PROFILE.',
  ExpiredTokenException: 'The AWS credentials have expired: sign in again.',
  ExpiredToken: 'The AWS credentials have expired: sign in again.',
  AccessDeniedException: 'Your role lacks this permission: ask for the viewer, operator or approver policy of the engine.',
  ResourceNotFoundException: 'There is no such table in this account and Region: check --table, AWS_REGION and AWS_PROFILE.',
  ParameterNotFound: 'There is no engine of that name in this account and Region: check --engine, AWS_REGION and AWS_PROFILE, or give --url or --table.',
};

export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'Mistake') return error.message;
  if (error.message.includes('Region is missing')) return 'No AWS Region was found: set AWS_REGION, or give the profile one.';
  const mend = mends[error.name];
  return mend === undefined ? `${error.name}: ${error.message}` : `${mend}\n(${error.name}: ${error.message})`;
}
