// One AWS call from decoded input to answer: faults, quota, IAM, the operation, the invariants, the record.
import { randomUUID } from 'node:crypto';
import { type Calls, type CallWithoutVerdict } from './calls.ts';
import type { FaultRule, Faults, FaultyCall } from './faults.ts';
import type { Iam } from './iam.ts';
import { AccessDenied } from './iam/access-denied.ts';
import type { Quotas } from './quotas.ts';
import { checkShape, type ShapeProblem } from './wire/shape-check.ts';
import { readModel, type OperationModel, type ServiceModel } from './wire/model.ts';
import { AwsError, type Authorization, type AwsService, type Operation, type Permission, type Place, type Principal, type SandboxClock } from './world.ts';

export interface World {
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly iam: Iam;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly quotas: Quotas;
}

export interface Asked {
  readonly caller: Principal;
  readonly service: RegisteredService;
  readonly operation: string;
  readonly input: unknown;
  /** From the credential scope; default the sandbox's own. */
  readonly region?: string;
  readonly trace?: string | null;
}

export interface Answer {
  readonly requestId: string;
  readonly output: unknown;
  readonly error: AwsError | null;
  /** The connection is to be broken instead of answering. */
  readonly reset: boolean;
  readonly delayWallMilliseconds: number;
}

export interface RegisteredService {
  readonly service: AwsService;
  readonly model: ServiceModel;
}

interface Progress {
  permissions: readonly Permission[];
  output: unknown;
  error: AwsError | null;
  reset: boolean;
  delayWallMilliseconds: number;
  hasRun: boolean;
}

/** Refused because the sandbox has no such thing; AWS would perhaps do it. */
export class Unsupported extends AwsError {
  constructor(message: string) {
    super('SandboxUnsupported', message, { status: 501 });
  }
}

export class Dispatcher {
  readonly #world: World;
  readonly #services = new Map<string, RegisteredService>();

  constructor(world: World, services: readonly AwsService[]) {
    this.#world = world;
    for (const service of services) this.register(service);
  }

  /** @throws Error when an operation of the service is unknown to its SDK client, or the signing name is taken. */
  register(service: AwsService): void {
    const model = readModel(service.schemas);
    for (const name of Object.keys(service.operations)) {
      if (!model.operations.has(name)) throw new Error(`${service.iamPrefix}: the SDK client knows no operation ${name}`);
    }
    if (this.#services.has(service.signingName)) throw new Error(`two services sign as "${service.signingName}"`);
    this.#services.set(service.signingName, { service, model });
  }

  find(signingName: string): RegisteredService | undefined {
    return this.#services.get(signingName);
  }

  get services(): readonly RegisteredService[] {
    return [...this.#services.values()];
  }

  /** Never throws: what goes wrong is in the answer, and in the call log. */
  async call(asked: Asked): Promise<Answer> {
    const { clock, calls, faults, place } = this.#world;
    const region = asked.region ?? place.region;
    const { service } = asked.service;
    const [startedAt, began] = [clock.now(), calls.last];
    const requestId = randomUUID();
    const operation = Object.hasOwn(service.operations, asked.operation) ? service.operations[asked.operation] : undefined;
    const progress: Progress = { permissions: [], output: null, error: null, reset: false, delayWallMilliseconds: 0, hasRun: false };
    const call: FaultyCall = { service: service.iamPrefix, operation: asked.operation, caller: asked.caller, input: asked.input, requestId, region };
    const struck = operation === undefined ? [] : faults.strike(call);
    const input = structuredClone(asked.input);
    try {
      if (operation === undefined) throw this.#unsupported(asked);
      if (!this.#isThere(asked, region)) throw new Unsupported(`the sandbox has ${service.iamPrefix}:${asked.operation} in ${place.region} alone, and was asked in ${region}`);
      await this.#perform(operation, { asked, requestId, struck, call, progress });
    } catch (error) {
      progress.error = toAwsError(error, `${service.iamPrefix}:${asked.operation}`);
      if (error instanceof AccessDenied) progress.permissions = [...progress.permissions, error.permission];
    }
    calls.add({
      began,
      startedAt,
      endedAt: clock.now(),
      service: service.iamPrefix,
      operation: asked.operation,
      caller: asked.caller,
      input,
      ...outcomeOf(progress),
      mutating: operation?.mutating === true && progress.hasRun,
      requestId,
      region,
      permissions: progress.permissions,
      trace: asked.trace ?? null,
      faults: struck.map((rule) => rule.name),
    });
    const { output, error, reset, delayWallMilliseconds } = progress;
    return { requestId, output, error, reset, delayWallMilliseconds };
  }

  async #perform(
    operation: Operation,
    step: { asked: Asked; requestId: string; struck: readonly FaultRule[]; call: FaultyCall; progress: Progress },
  ): Promise<void> {
    const { asked, requestId, struck, call, progress } = step;
    const { clock, iam, quotas } = this.#world;
    const place = { ...this.#world.place, region: call.region };
    const { service, model } = asked.service;
    const context = { caller: asked.caller, place, clock, requestId };
    const shape = operationModel(model, asked.operation);
    await this.#before(struck, { call, progress });
    if (progress.reset) return;
    if (!quotas.take(service.iamPrefix, asked.operation, asked.input ?? {})) throw throttled();
    checkInput(shape, asked.input);
    const permissions: Permission[] = [];
    progress.permissions = permissions;
    const authorizations = operation.authorize(asked.input as never, context);
    if (struck.some((rule) => rule.effect.kind === 'deny')) throw injectedDenial(call, authorizations[0]);
    for (const { context: keys, ...authorization } of authorizations) permissions.push(...iam.authorize(asked.caller, { ...authorization, context: { 'aws:RequestedRegion': place.region, ...keys } }));
    const old = struck.map(({ effect }) => effect).find((effect) => effect.kind === 'stale');
    const stale = old === undefined ? undefined : (this.#previous(call) ?? old.otherwise);
    progress.hasRun = stale === undefined;
    const output = stale ?? (await operation.run(asked.input as never, context));
    checkOutput(shape, output ?? {});
    progress.output = structuredClone(output);
    await this.#after(struck, { call, progress });
  }

  async #before(struck: readonly FaultRule[], { call, progress }: { call: FaultyCall; progress: Progress }): Promise<void> {
    for (const { effect } of struck) {
      if (effect.kind === 'before') await effect.run(call);
      if (effect.kind === 'throttle') throw throttled();
      if (effect.kind === 'error' && effect.after !== true) throw serverError(effect.status);
      if (effect.kind === 'reset' && !effect.after) progress.reset = true;
    }
  }

  async #after(struck: readonly FaultRule[], { call, progress }: { call: FaultyCall; progress: Progress }): Promise<void> {
    for (const { effect } of struck) {
      if (effect.kind === 'after') await effect.run(call);
      if (effect.kind === 'delay') progress.delayWallMilliseconds += effect.wallMilliseconds;
      if (effect.kind === 'reset' && effect.after) progress.reset = true;
      if (effect.kind === 'error' && effect.after === true) throw serverError(effect.status);
    }
  }

  #previous(call: FaultyCall): unknown {
    const key = JSON.stringify(call.input);
    const { service, operation, region } = call;
    const same = this.#world.calls.list({ service, operation, where: (past) => past.errorCode === null && past.region === region && JSON.stringify(past.input) === key });
    return same.at(-1)?.output ?? undefined;
  }

  /** What is kept for one Region only must not be shown as another's. */
  #isThere({ service: { service }, operation }: Asked, region: string): boolean {
    const { inEveryRegion = [] } = service;
    return region === this.#world.place.region || inEveryRegion === 'all' || inEveryRegion.includes(operation);
  }

  #unsupported(asked: Asked): Unsupported {
    const { service, model } = asked.service;
    const has = Object.keys(service.operations).toSorted().join(', ');
    const known = model.operations.has(asked.operation) ? '' : ' (nor does the SDK client know it)';
    return new Unsupported(`the sandbox does not support ${service.iamPrefix}:${asked.operation}${known}; of this service it has: ${has}`);
  }
}

function outcomeOf(progress: Progress): Pick<CallWithoutVerdict, 'output' | 'status' | 'errorCode' | 'errorDetail'> {
  const { output, error, reset } = progress;
  if (error !== null) return { output, status: error.status, errorCode: error.code, errorDetail: detailOf(error) };
  return { output, status: reset ? 0 : 200, errorCode: reset ? 'ConnectionReset' : null, errorDetail: null };
}

export const detailOf = ({ message, fields }: AwsError): string => JSON.stringify([message, fields]);

function operationModel(model: ServiceModel, name: string): OperationModel {
  const operation = model.operations.get(name);
  if (operation === undefined) throw new Unsupported(`the SDK client knows no operation ${name}`);
  return operation;
}

function checkInput(operation: OperationModel, input: unknown): void {
  const problem = checkShape(operation.input, input ?? {}).find(({ kind }) => kind !== 'unknown');
  if (problem === undefined) return;
  if (problem.kind === 'type') throw new AwsError('SerializationException', `${problem.path} ${problem.detail}`);
  throw new InvalidInput(
    `1 validation error detected: Value null at '${problem.path}' failed to satisfy constraint: Member must not be null`,
  );
}

/** Each dialect has its own code for it. */
export class InvalidInput extends AwsError {
  constructor(message: string) {
    super('ValidationException', message);
  }
}

/** Each dialect has its own code for it. */
export class Throttled extends AwsError {
  constructor() {
    super('ThrottlingException', 'Rate exceeded');
  }
}

function throttled(): Throttled {
  return new Throttled();
}

function checkOutput(operation: OperationModel, output: unknown): void {
  const problems = checkShape(operation.output, output).filter(({ path }) => path !== '$metadata');
  if (problems.length === 0) return;
  const text = problems.map(({ path, detail }: ShapeProblem) => `${path} ${detail}`).join('; ');
  throw new Error(`the sandbox answered ${operation.name} in a shape that AWS does not have: ${text}`);
}

function serverError(status: 500 | 503): AwsError {
  return status === 500
    ? new AwsError('InternalFailure', 'The request processing has failed because of an unknown error.', { status })
    : new AwsError('ServiceUnavailable', 'The request has failed due to a temporary failure of the server.', { status });
}

function injectedDenial(call: FaultyCall, authorization: Authorization | undefined): AccessDenied {
  const action = authorization?.action ?? `${call.service}:${call.operation}`;
  const resource = authorization?.resources[0] ?? '*';
  return new AccessDenied(call.caller, { action, resource, allowed: false, statement: null }, { explicit: false });
}

function toAwsError(error: unknown, what: string): AwsError {
  if (error instanceof AwsError) return error;
  // A fault of the sandbox itself: loud on the terminal, and an error that no client takes for an answer.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(`sandbox: ${what} failed: ${text}`);
  return new AwsError('InternalFailure', `the sandbox failed: ${error instanceof Error ? error.message : String(error)}`, { status: 500 });
}
