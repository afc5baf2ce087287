// Reads the HTTP request of an answer: payload format 2.0 of a function URL, at most 4 kB, nothing unknown in it.

export interface HttpRequest {
  readonly method: string;
  /** Rollback id of the query string. */
  readonly rollback: string | null;
  readonly userArn: unknown;
  readonly body: string;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answering {
  readonly rollback: string;
  readonly answer: 'approve' | 'reject';
  readonly comment: string;
}

const maximumBytes = 4096;
/** An execution's name, as Step Functions allows it. */
const executionName = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** @throws Error when this is not the event of a function URL. */
export function requestOf(event: unknown): HttpRequest {
  const given = (event ?? {}) as {
    requestContext?: { http?: { method?: unknown }; authorizer?: { iam?: { userArn?: unknown } } };
    queryStringParameters?: Record<string, unknown>; body?: unknown; isBase64Encoded?: unknown;
  };
  const method = given.requestContext?.http?.method;
  if (typeof method !== 'string') throw new Error('this function answers its own URL only: the event has no requestContext.http.method');
  const rollback = given.queryStringParameters?.['rollback'];
  const text = typeof given.body === 'string' ? given.body : '';
  return {
    method,
    rollback: typeof rollback === 'string' ? rollback : null,
    userArn: given.requestContext?.authorizer?.iam?.userArn,
    body: given.isBase64Encoded === true ? Buffer.from(text, 'base64').toString('utf8') : text,
  };
}

/** The id, or null when it cannot be the name of an execution. */
export const rollbackIdOf = (value: unknown): string | null => (typeof value === 'string' && executionName.test(value) ? value : null);

/** The parsed answer, or in words what is wrong with it; with the rollback it is about, where that much can be read. */
export function answeringOf(body: string): Answering | { readonly wrong: string; readonly rollback: string | null } {
  if (Buffer.byteLength(body) > maximumBytes) return { wrong: `the body has ${Buffer.byteLength(body)} bytes, at most ${maximumBytes} are taken`, rollback: null };
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    return { wrong: 'the body must be JSON, like {"rollback": "<id>", "answer": "approve", "comment": "why"}', rollback: null };
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return { wrong: 'the body must be a JSON object', rollback: null };
  const { rollback, answer, comment = '', ...unknown } = given as Record<string, unknown>;
  const id = rollbackIdOf(rollback);
  if (id === null) return { wrong: '"rollback" must be the name of an execution', rollback: null };
  const extra = Object.keys(unknown);
  if (extra.length > 0) return { wrong: `unknown fields: ${extra.join(', ').slice(0, 200)}`, rollback: id };
  if (answer !== 'approve' && answer !== 'reject') return { wrong: '"answer" must be "approve" or "reject"', rollback: id };
  if (typeof comment !== 'string') return { wrong: '"comment" must be text', rollback: id };
  return { rollback: id, answer, comment };
}

export const reply = (statusCode: number, body: Readonly<Record<string, unknown>>): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  body: `${JSON.stringify(body, null, 2)}\n`,
});
