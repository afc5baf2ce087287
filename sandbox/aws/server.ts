// The endpoint of every AWS service on 127.0.0.1: HTTP in, one call dispatched, HTTP out.
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Calls } from './calls.ts';
import { detailOf, Dispatcher, InvalidInput, Throttled, Unsupported, type Answer, type RegisteredService, type World } from './dispatch.ts';
import { Faults } from './faults.ts';
import { Iam } from './iam.ts';
import { AccessDenied } from './iam/access-denied.ts';
import { Quotas } from './quotas.ts';
import { readCredential, verifySignature, type Credential } from './signature.ts';
import { cborDialect, isCbor } from './wire/cbor.ts';
import { headerOf, type Dialect, type WireReply, type WireRequest } from './wire/dialect.ts';
import { jsonDialect } from './wire/json-rpc.ts';
import type { DialectName } from './wire/model.ts';
import { queryDialect } from './wire/query.ts';
import { restDialect } from './wire/rest.ts';
import { AwsError, type AwsService, type Place, type Principal, type SandboxClock } from './world.ts';

export interface SandboxServerOptions {
  readonly services: readonly AwsService[];
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly iam?: Iam;
  readonly faults?: Faults;
  readonly calls?: Calls;
  readonly quotas?: Quotas;
}

/** A request as it came over the wire. */
export interface Requested {
  readonly trace: string | null;
  /** IAM prefix. */
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly input: unknown;
}

/** Null: not known. */
export type InAdvance = (asked: Requested) => Answer | null;

const dialects: Readonly<Record<DialectName, Dialect>> = {
  awsJson1_0: jsonDialect('1.0'),
  awsJson1_1: jsonDialect('1.1'),
  awsQuery: queryDialect,
  restJson1: restDialect('json'),
  restXml: restDialect('xml'),
  rpcv2Cbor: cborDialect,
};

// Larger than any request that AWS takes here (Lambda: 6 MB).
const longestBody = 16 * 1024 * 1024;

/** AWS on one port. Clients are told by AWS_ENDPOINT_URL, or --endpoint-url. */
export class SandboxServer {
  readonly iam: Iam;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly quotas: Quotas;
  readonly #dispatcher: Dispatcher;
  readonly #clock: SandboxClock;
  readonly #region: string;
  readonly #server: http.Server;
  #inAdvance: InAdvance | null = null;

  constructor(options: SandboxServerOptions) {
    const { place, clock } = options;
    this.#clock = clock;
    this.#region = place.region;
    this.iam = options.iam ?? new Iam(place, clock);
    this.faults = options.faults ?? new Faults();
    this.calls = options.calls ?? new Calls();
    this.quotas = options.quotas ?? new Quotas(clock);
    const world: World = { place, clock, iam: this.iam, faults: this.faults, calls: this.calls, quotas: this.quotas };
    this.#dispatcher = new Dispatcher(world, options.services);
    this.#server = http.createServer((request, response) => void this.handle(request, response));
    // Idle handlers keep their connections as long as they live.
    this.#server.keepAliveTimeout = 120_000;
  }

  /** Adds one more service; may be called while the server listens. */
  register(service: AwsService): void {
    this.#dispatcher.register(service);
  }

  get services(): readonly RegisteredService[] {
    return this.#dispatcher.services;
  }

  /** From now on it is asked of each request first, and may know the answer already: such a call is not made, nor recorded. */
  answeredBy(inAdvance: InAdvance): void {
    this.#inAdvance = inAdvance;
  }

  /** @returns the endpoint's URL. @throws Error when the port is taken. */
  listen(port = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve(this.endpoint);
      });
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /**
   * The same call without the wire, for services that act in a role's name (a rule's target, a state machine's task): IAM, faults, quotas and the log apply.
   * @throws AwsError as a client would see it.
   */
  async call(caller: Principal, signingName: string, asked: { operation: string; input: unknown; region?: string }): Promise<unknown> {
    const answer = await this.answer(caller, signingName, asked);
    if (answer.error !== null) throw answer.error;
    if (answer.reset) throw new AwsError('ConnectionReset', 'the connection was broken', { status: 500 });
    return answer.output;
  }

  /** The same, for whoever needs to know all that came of it: an error is part of the answer. */
  answer(caller: Principal, signingName: string, asked: { operation: string; input: unknown; region?: string; trace?: string }): Promise<Answer> {
    const service = this.#dispatcher.find(signingName);
    if (service === undefined) throw new Unsupported(`the sandbox has no service that signs as "${signingName}"`);
    return this.#dispatcher.call({ caller, service, ...asked });
  }

  /** Answers one request, whichever server took it. */
  async handle(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    try {
      const request = await readRequest(message);
      const reply = await this.#answer(request);
      if (reply === null) return void message.socket.destroy();
      // In sandbox time: an SDK that sees another date takes its own clock to be wrong, and retries what it should not.
      const date = new Date(this.#clock.now()).toUTCString();
      response.writeHead(reply.status, { ...reply.headers, date, 'content-length': String(reply.body.byteLength) });
      response.end(reply.body);
    } catch (error) {
      // Only a client that went away while it sent, or a body beyond every limit, comes here.
      response.destroy(error instanceof Error ? error : undefined);
    }
  }

  /** Null: break the connection. */
  async #answer(request: WireRequest): Promise<WireReply | null> {
    const credential = readCredential(request.headers);
    if (credential === null) return this.#refuse(request, new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', { status: 403 }));
    const target = this.#dispatcher.find(credential.service);
    if (target === undefined) {
      const known = this.#dispatcher.services.map(({ service }) => service.signingName).toSorted().join(', ');
      return this.#refuse(request, new Unsupported(`the sandbox has no service that signs as "${credential.service}"; it has: ${known}`), credential);
    }
    const dialect = chooseDialect(target, request);
    const operation = dialect.operation(target.model, request);
    const unsigned = this.#signatureProblem(request, credential);
    if (unsigned !== null) return dialect.encodeError(target.model, unsigned, 'sandbox');
    if (operation === null) return this.#refuse(request, new Unsupported(`${target.service.iamPrefix}: no operation for ${request.method} ${request.path}`), credential);
    const input = decodeInput(dialect, target, { operation, request });
    if (input instanceof AwsError) return dialect.encodeError(target.model, input, 'sandbox');
    const caller = this.iam.principalOf(credential.accessKeyId);
    const trace = headerOf(request, 'x-amzn-trace-id') ?? null;
    const answer = this.#inAdvance?.({ trace, service: target.service.iamPrefix, operation, region: credential.region, input }) ?? await this.#dispatcher.call({ caller, service: target, operation, input, region: credential.region, trace });
    return this.#encode(dialect, target, { operation, answer });
  }

  async #encode(dialect: Dialect, target: RegisteredService, { operation, answer }: { operation: string; answer: Answer }): Promise<WireReply | null> {
    if (answer.delayWallMilliseconds > 0) await wait(answer.delayWallMilliseconds, undefined, { ref: false });
    if (answer.reset) return null;
    const { model } = target;
    if (answer.error !== null) return dialect.encodeError(model, inDialect(answer.error, dialect, target.service), answer.requestId);
    const shape = model.operations.get(operation);
    if (shape === undefined) throw new Error(`no model of ${operation}`);
    return dialect.encode(shape, answer.output, { model, requestId: answer.requestId });
  }

  /** Only keys that the sandbox issued have a secret to check with; everybody else is the person at the keyboard. */
  #signatureProblem(request: WireRequest, credential: Credential): AwsError | null {
    const secret = this.iam.secretOf(credential.accessKeyId);
    if (secret === null) return null;
    const token = this.iam.principalOf(credential.accessKeyId).kind === 'role' ? this.iam.sessionTokenOf(credential.accessKeyId) : null;
    if (token !== null && headerOf(request, 'x-amz-security-token') !== token) {
      return new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.', { status: 403 });
    }
    if (verifySignature(request, secret)) return null;
    const message = 'The request signature we calculated does not match the signature you provided.';
    return new AwsError('SignatureDoesNotMatch', message, { status: 403 });
  }

  #refuse(request: WireRequest, error: AwsError, credential?: Credential): WireReply {
    const now = this.#clock.now();
    const wanted = headerOf(request, 'x-amz-target') ?? new URLSearchParams(request.body.toString('utf8')).get('Action') ?? `${request.method} ${request.path}`;
    this.calls.add({
      began: this.calls.last,
      startedAt: now,
      endedAt: now,
      service: credential?.service ?? 'unknown',
      operation: wanted,
      caller: this.iam.principalOf(credential?.accessKeyId ?? null),
      input: null,
      output: null,
      status: error.status,
      errorCode: error.code,
      errorDetail: detailOf(error),
      mutating: false,
      requestId: 'sandbox',
      region: credential?.region ?? this.#region,
      permissions: [],
      trace: null,
      faults: [],
    });
    return plainError(request, error);
  }
}

function chooseDialect(target: RegisteredService, request: WireRequest): Dialect {
  if (isCbor(request)) return cborDialect;
  const type = headerOf(request, 'content-type') ?? '';
  if (type.startsWith('application/x-amz-json-1.0')) return dialects.awsJson1_0;
  if (type.startsWith('application/x-amz-json-1.1')) return dialects.awsJson1_1;
  if (type.startsWith('application/x-www-form-urlencoded')) return dialects.awsQuery;
  return dialects[target.model.dialect];
}

function decodeInput(dialect: Dialect, target: RegisteredService, { operation, request }: { operation: string; request: WireRequest }): unknown {
  const shape = target.model.operations.get(operation);
  // The dispatcher refuses it by name.
  if (shape === undefined) return {};
  try {
    return dialect.decode(shape, request, target.model) ?? {};
  } catch (error) {
    return new AwsError('SerializationException', error instanceof Error ? error.message : String(error));
  }
}

/** Errors that every service has, but each dialect spells in its own way. */
function inDialect(error: AwsError, dialect: Dialect, service: AwsService): AwsError {
  const named = (code: string, status: number): AwsError => new AwsError(code, error.message, { status });
  if (error instanceof AccessDenied) return named(service.errorCodes?.accessDenied ?? dialect.codes.accessDenied, dialect.deniedStatus);
  if (error instanceof Throttled) return named(service.errorCodes?.throttled ?? dialect.codes.throttled, 400);
  if (error instanceof InvalidInput) return named(dialect.codes.invalid, 400);
  return error;
}

/** For requests of which not even the service is known: understood by JSON and by XML clients. */
function plainError(request: WireRequest, error: AwsError): WireReply {
  const isXml = !(headerOf(request, 'content-type') ?? '').includes('json');
  const headers = { 'x-amzn-errortype': error.code, 'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.0' };
  const escaped = error.message.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${escaped}</Message></Error></ErrorResponse>`;
  const json = JSON.stringify({ __type: error.code, message: error.message });
  return { status: error.status, headers, body: Buffer.from(isXml ? xml : json) };
}

async function readRequest(message: http.IncomingMessage): Promise<WireRequest> {
  const body = await readBody(message);
  const [path, query] = splitOnce(message.url ?? '/');
  return { method: message.method ?? 'GET', path, query, headers: message.headers, body };
}

// By its events: an iterator over it costs more than all else that is done to read a request.
function readBody(message: http.IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestBody) message.destroy(new Error(`a request of more than ${longestBody} bytes`));
      else chunks.push(chunk);
    });
    message.on('end', () => resolve(Buffer.concat(chunks)));
    message.on('error', reject);
    message.on('close', () => reject(new Error('the client went away')));
  });
}

function splitOnce(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}
