// Function URLs with IAM authentication: a port of their own each, Signature Version 4 checked, payload format 2.0.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Iam } from '../../aws/iam.ts';
import { readCredential, verifySignature } from '../../aws/signature.ts';
import { AwsError, type LambdaPort, type Place, type Principal, type SandboxClock } from '../../aws/world.ts';

export interface FunctionUrlParts {
  readonly iam: Iam;
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly lambda: LambdaPort;
}

export interface FunctionUrl {
  readonly functionArn: string;
  /** With the closing slash, as AWS gives it. */
  readonly url: string;
}

const bodyLimitBytes = 6 * 1024 * 1024;

export class FunctionUrls {
  readonly #parts: FunctionUrlParts;
  readonly #servers: Server[] = [];
  readonly #urls: FunctionUrl[] = [];

  constructor(parts: FunctionUrlParts) {
    this.#parts = parts;
  }

  get urls(): readonly FunctionUrl[] {
    return this.#urls;
  }

  async create(functionArn: string): Promise<FunctionUrl> {
    const server = createServer((request, response) => void this.#serve(functionArn, request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    const made = { functionArn, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
    this.#urls.push(made);
    return made;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    })));
  }

  async #serve(functionArn: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (body === null) return answer(response, 413, { Message: 'Request Too Long' });
    const caller = this.#authenticate(request, body);
    const refusal = caller === null ? 'missing or wrong signature' : this.#denied(functionArn, caller);
    // AWS tells the caller no more than this, whatever the reason is.
    if (caller === null || refusal !== null) return answer(response, 403, { Message: 'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html' });
    try {
      const { payload, functionError } = await this.#parts.lambda.invoke(functionArn, this.#event(request, body, caller));
      if (functionError === null) return reply(response, payload);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.code === 'TooManyRequestsException') return answer(response, 429, { Message: 'Rate Exceeded.' });
    }
    answer(response, 502, { Message: 'Internal Server Error' });
  }

  #authenticate(request: IncomingMessage, body: Buffer): Principal | null {
    const { iam } = this.#parts;
    const credential = readCredential(request.headers);
    const secret = credential === null ? null : iam.secretOf(credential.accessKeyId);
    if (credential === null || secret === null || credential.service !== 'lambda') return null;
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const caller = iam.principalOf(credential.accessKeyId);
    if (caller.kind === 'role' && request.headers['x-amz-security-token'] !== iam.sessionTokenOf(credential.accessKeyId)) return null;
    return verifySignature({ method: request.method ?? 'GET', path, query, headers: request.headers, body }, secret) ? caller : null;
  }

  /** Since October 2025 a call through a URL needs both permissions. */
  #denied(functionArn: string, caller: Principal): string | null {
    try {
      this.#parts.iam.authorize(caller, { action: 'lambda:InvokeFunctionUrl', resources: [functionArn], context: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } });
      this.#parts.iam.authorize(caller, { action: 'lambda:InvokeFunction', resources: [functionArn], context: { 'lambda:InvokedViaFunctionUrl': 'true' } });
      return null;
    } catch (error) {
      if (error instanceof AwsError) return error.message;
      throw error;
    }
  }

  #event(request: IncomingMessage, body: Buffer, caller: Principal): Record<string, unknown> {
    const { place, clock } = this.#parts;
    const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split('?', 2);
    const now = new Date(clock.now());
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : (value ?? '')]));
    const isText = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded))/.test(headers['content-type'] ?? 'text/plain');
    const query = Object.fromEntries(new URLSearchParams(rawQueryString));
    return {
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString,
      headers,
      ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
      requestContext: {
        accountId: place.account,
        apiId: headers['host']?.split(':')[0] ?? '',
        authorizer: { iam: iamOf(caller, place) },
        domainName: headers['host'] ?? '',
        domainPrefix: headers['host']?.split('.')[0] ?? '',
        http: { method: request.method ?? 'GET', path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: headers['user-agent'] ?? '' },
        requestId: randomUUID(),
        routeKey: '$default',
        stage: '$default',
        time: now.toUTCString(),
        timeEpoch: now.getTime(),
      },
      ...(body.length === 0 ? {} : { body: isText ? body.toString() : body.toString('base64') }),
      isBase64Encoded: body.length > 0 && !isText,
    };
  }
}

function iamOf(caller: Principal, place: Place): Record<string, unknown> {
  const accessKey = 'accessKeyId' in caller ? caller.accessKeyId : '';
  const id = caller.kind === 'role' ? `AROASANDBOX:${caller.sessionName}` : 'AIDASANDBOX';
  return { accessKey, accountId: place.account, callerId: id, cognitoIdentity: null, principalOrgId: '', userArn: caller.arn, userId: id };
}

/** Without a status code the whole result is the body, as Lambda infers it. */
function reply(response: ServerResponse, payload: unknown): void {
  const shaped = typeof payload === 'object' && payload !== null && 'statusCode' in payload ? (payload as Record<string, unknown>) : null;
  if (shaped === null) return answer(response, 200, payload);
  const { statusCode, headers, body, isBase64Encoded, cookies } = shaped;
  for (const [name, value] of Object.entries((headers ?? {}) as Record<string, string>)) response.setHeader(name, value);
  if (Array.isArray(cookies)) response.setHeader('set-cookie', cookies as string[]);
  response.writeHead(Number(statusCode));
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  response.end(isBase64Encoded === true ? Buffer.from(text, 'base64') : text);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > bodyLimitBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
