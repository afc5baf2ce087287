// dynalite's actions, called without its HTTP server: one table at a time, in the order in which calls come.
import { createRequire } from 'node:module';
import { AwsError, type Place } from '../../aws/world.ts';
import { rememberExpressions } from './expressions.ts';
import { sortedRows, type Rows } from './rows.ts';

type Json = Readonly<Record<string, unknown>>;
type Callback = (error: unknown, data?: Json) => void;
type Action = (store: DynaliteStore, data: Json, done: Callback) => void;

interface DynaliteStore {
  readonly db: Rows;
  readonly tableDb: { awsAccountId: string; awsRegion: string };
}

interface ActionValidation {
  readonly types: unknown;
  readonly custom?: unknown;
}

interface Validations {
  checkTypes(data: Json, types: unknown): Json;
  checkValidations(data: Json, types: unknown, custom: unknown, store: DynaliteStore): void;
}

// dynalite has no types, and its entry point exports nothing but a server of its own.
const require = createRequire(import.meta.url);
const db = require('dynalite/db') as { create(options: object): DynaliteStore };
const validations = require('dynalite/validations') as Validations;

rememberExpressions();

interface Served {
  readonly action: Action;
  readonly validation: ActionValidation;
}

// `require` walks the disk for its answer each time.
const served = new Map<string, Served>();

function operationOf(name: string): Served {
  const found = served.get(name) ?? { action: require(`dynalite/actions/${name}`) as Action, validation: require(`dynalite/validations/${name}`) as ActionValidation };
  served.set(name, found);
  return found;
}

interface Refusal {
  readonly statusCode: number;
  readonly body: { readonly __type: string; readonly message?: string; readonly Message?: string } & Json;
}

export class DynaliteTables {
  readonly #store: DynaliteStore;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: Place) {
    this.#store = db.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    Object.assign(this.#store.db, sortedRows());
    this.#store.tableDb.awsAccountId = place.account;
    this.#store.tableDb.awsRegion = place.region;
  }

  /**
   * Runs one operation, with input and output as JSON on the wire; `then` is run before any other operation gets its turn.
   * @throws AwsError as DynamoDB would send it.
   */
  run<T>(operation: string, input: Json, then: (perform: (operation: string, input: Json) => Promise<Json>) => Promise<T>): Promise<T>;
  run(operation: string, input: Json): Promise<Json>;
  run(operation: string, input: Json, then?: (perform: (operation: string, input: Json) => Promise<Json>) => Promise<unknown>): Promise<unknown> {
    const perform = (name: string, data: Json): Promise<Json> => this.#perform(name, data);
    const result = this.#turn.then(() => (then === undefined ? perform(operation, input) : then(perform)));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #perform(operation: string, input: Json): Promise<Json> {
    // Nobody who asks again and again may keep the event loop from the others.
    await new Promise<void>((resolve) => { setImmediate(resolve); });
    const { action, validation } = operationOf(operation.charAt(0).toLowerCase() + operation.slice(1));
    return new Promise((resolve, reject) => {
      try {
        // What has no place in the request is taken out of it.
        const data = validations.checkTypes({ ...input }, validation.types);
        validations.checkValidations(data, validation.types, validation.custom, this.#store);
        action(this.#store, data, (error, output) => (error === null || error === undefined ? resolve(output ?? {}) : reject(refusal(error))));
      } catch (error) {
        reject(refusal(error));
      }
    });
  }
}

function refusal(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return error;
  const { statusCode, body } = error as Refusal;
  const { __type: type, message, Message: capitalMessage, ...fields } = body;
  return new AwsError(type.slice(type.indexOf('#') + 1), message ?? capitalMessage ?? '', { status: statusCode, fields });
}
