// What dynalite keeps its rows in: plain memory in the order of their keys, without the encodings, iterators and event loop turns of a database library.
import { Readable, Stream } from 'node:stream';

type Done<Value = never> = (error: null, value?: Value) => void;

/** One change of several. */
export interface Change {
  readonly type: 'put' | 'del';
  readonly key: string;
  readonly value?: unknown;
}

/** Keys from and up to: `gte` goes before `gt`, `lte` before `lt`. A limit that is missing or below 0 is none. */
export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** The functions through which dynalite reaches its database. */
export interface Rows {
  put(key: string, value: unknown, done: Done): void;
  get(key: string, done: Done<unknown>): void;
  del(key: string, done: Done): void;
  batch(changes: readonly Change[], done: Done): void;
  createKeyStream(range?: Range): Stream;
  createValueStream(range?: Range): Stream;
}

/** Values are JSON, copied in and out: nobody sees what another does to them. Whoever asks is called back at once; a stream waits until somebody listens. */
export function sortedRows(): Rows {
  const values = new Map<string, unknown>();
  const keys: string[] = [];
  const change = ({ type, key, value }: Change): void => {
    const isNew = !values.has(key);
    if (type === 'put') {
      if (isNew) keys.splice(firstFrom(keys, key), 0, key);
      values.set(key, copied(value));
    } else if (!isNew) {
      keys.splice(firstFrom(keys, key), 1);
      values.delete(key);
    }
  };
  const apply = (changes: readonly Change[], done: Done): void => {
    changes.forEach(change);
    done(null);
  };
  return {
    put: (key, value, done) => apply([{ type: 'put', key, value }], done),
    get: (key, done) => done(null, copied(values.get(key))),
    del: (key, done) => apply([{ type: 'del', key }], done),
    batch: apply,
    createKeyStream: (range) => Readable.from(within(keys, range)),
    createValueStream: (range) => new ValueStream(within(keys, range).map((key) => values.get(key))),
  };
}

/** dynalite takes from it no more than "data" and "end", and destroys it when it has enough. */
class ValueStream extends Stream {
  #isDestroyed = false;

  constructor(values: readonly unknown[]) {
    super();
    process.nextTick(() => {
      for (const value of values) {
        if (this.#isDestroyed) return;
        this.emit('data', copied(value));
      }
      if (!this.#isDestroyed) this.emit('end');
    });
  }

  destroy(): void {
    this.#isDestroyed = true;
  }
}

function within(keys: readonly string[], { gt, gte, lt, lte, reverse = false, limit = -1 }: Range = {}): readonly string[] {
  const from = gte !== undefined ? firstFrom(keys, gte) : gt === undefined ? 0 : firstAfter(keys, gt);
  const to = lte !== undefined ? firstAfter(keys, lte) : lt === undefined ? keys.length : firstFrom(keys, lt);
  if (limit < 0) return reverse ? keys.slice(from, to).toReversed() : keys.slice(from, to);
  return reverse ? keys.slice(Math.max(from, to - limit), to).toReversed() : keys.slice(from, Math.min(to, from + limit));
}

const firstFrom = (keys: readonly string[], key: string): number => first(keys, (one) => one >= key);
const firstAfter = (keys: readonly string[], key: string): number => first(keys, (one) => one > key);

/** Place of the first that fits, as all after it do, or how many there are. */
function first(keys: readonly string[], isFit: (key: string) => boolean): number {
  let from = 0;
  let to = keys.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isFit(keys[middle] ?? '')) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** As JSON text would carry it: without what is undefined. */
function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) copy[name] = copied(member);
  return copy;
}
