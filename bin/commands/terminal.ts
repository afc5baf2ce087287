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

/** What keeps a connection from being made, by the code that Node gives it. */
const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at', ENOTFOUND: 'There is no host', EAI_AGAIN: 'No name server told the address of', ETIMEDOUT: 'No connection came about with', EHOSTUNREACH: 'No way leads to', ENETUNREACH: 'No way leads to', ECONNRESET: 'The connection was broken off by',
};

interface NetworkError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** The error of the network behind this one: `fetch` keeps it as the cause, and a host with several addresses has one for each. */
function networkErrorIn(error: unknown): NetworkError | null {
  if (!(error instanceof Error)) return null;
  const { code, address, hostname } = error as NetworkError;
  if (code !== undefined && code in unreachable && (address ?? hostname) !== undefined) return error;
  const inner: readonly unknown[] = [...(error instanceof AggregateError ? error.errors as readonly unknown[] : []), error.cause];
  return inner.map((one) => networkErrorIn(one)).find((one) => one !== null) ?? (code !== undefined && code in unreachable ? error : null);
}

function unreachableText({ code = '', address, port, hostname, message }: NetworkError): string {
  const host = hostname ?? address;
  const place = host === undefined ? 'the endpoint' : `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  const own = Object.entries(process.env).flatMap(([name, value]) => (name.startsWith('AWS_ENDPOINT_URL') && value !== undefined && value !== '' ? [`${name}=${value}`] : []));
  const mend = own.length === 0
    ? 'check AWS_REGION, the network and its proxy, and the URL where one was given.'
    : `check that something runs there (\`npm start\` for the sandbox), and ${own.join(' and ')}: unset it to reach AWS.`;
  return `${unreachable[code] ?? ''} ${place}: ${mend}\n(${code}: ${message || code})`;
}

export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'Mistake') return error.message;
  const network = networkErrorIn(error);
  if (network !== null) return unreachableText(network);
  if (error.message.includes('Region is missing')) return 'No AWS Region was found: set AWS_REGION, or give the profile one.';
  const mend = mends[error.name];
  return mend === undefined ? `${error.name}: ${error.message}` : `${mend}\n(${error.name}: ${error.message})`;
}
