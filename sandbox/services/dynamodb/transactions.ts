// TransactWriteItems: all of its writes or none, told apart from its own repeat, and at odds with whatever writes the same item meanwhile.
import { createHash } from 'node:crypto';
import type { AttributeValue, CancellationReason, TransactWriteItem, TransactWriteItemsInput } from '@aws-sdk/client-dynamodb';
import { AwsError, type Authorization, type Operation } from '../../aws/world.ts';
import type { DynamoDb } from './dynamodb.ts';
import { type KeyBudget, spentMessage } from './key-budget.ts';
import { partitionKeyOf, permissionsOf, type TableRequest } from './permissions.ts';

type Json = Readonly<Record<string, unknown>>;
type Perform = (operation: string, input: Json) => Promise<Json>;

/** How long DynamoDB knows a token after its transaction went through. */
const tokenMilliseconds = 10 * 60_000;
const mostItems = 100;
/** Each item is prepared and then written. */
const phases = 2;

// A condition alone is tried as an update without a change, which is undone in any case.
const actions = { Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', ConditionCheck: 'UpdateItem' } as const;
type Kind = keyof typeof actions;

interface Part {
  readonly kind: Kind;
  readonly request: TableRequest & Json;
  /** Names the item among all of all tables. */
  readonly item: string;
  /** Names its partition. */
  readonly partition: string;
}

interface Done {
  readonly part: Part;
  readonly old: Json | null;
  readonly units: number;
}

export class Transactions {
  readonly #dynamodb: DynamoDb;
  readonly #budget: KeyBudget;
  readonly #busy = new Set<string>();
  readonly #running = new Set<string>();
  readonly #tokens = new Map<string, { readonly asked: string; readonly until: number }>();

  constructor(dynamodb: DynamoDb, budget: KeyBudget) {
    this.#dynamodb = dynamodb;
    this.#budget = budget;
  }

  get operation(): Operation<TransactWriteItemsInput, Json> {
    return {
      mutating: true,
      authorize: ({ TransactItems }) => (TransactItems ?? []).flatMap((item) => this.#permissions(item)),
      run: (input, { clock }) => this.#write(input, clock.now()),
    };
  }

  /** @throws AwsError TransactionConflictException when a transaction is about to write this very item. */
  refuseBusy(request: TableRequest): void {
    if (this.#busy.has(this.#itemOf(request))) throw new AwsError('TransactionConflictException', 'Transaction is ongoing for the item');
  }

  /** Each item takes the permission of its single write, and may be told from it. */
  #permissions(item: TransactWriteItem): Authorization[] {
    const { kind, request } = partOf(item);
    const operation = kind === 'ConditionCheck' ? 'ConditionCheckItem' : actions[kind];
    return permissionsOf(this.#dynamodb, operation, request)
      .map((one) => ({ ...one, context: { ...one.context, 'dynamodb:EnclosingOperation': 'TransactWriteItems' } }));
  }

  async #write(input: TransactWriteItemsInput, now: number): Promise<Json> {
    const { TransactItems = [], ClientRequestToken: token, ReturnConsumedCapacity: told = 'NONE' } = input;
    if (TransactItems.length === 0 || TransactItems.length > mostItems) throw invalid(`Member must have length less than or equal to ${mostItems}, and greater than or equal to 1`);
    if ((token ?? '').length > 36) throw invalid("Value at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36");
    const parts = TransactItems.map((item) => this.#part(item));
    if (new Set(parts.map(({ item }) => item)).size < parts.length) throw invalid('Transaction request cannot include multiple operations on one item');
    const asked = createHash('sha256').update(JSON.stringify(TransactItems)).digest('hex');
    if (token !== undefined && this.#isRepeat(token, asked, now)) return {};
    this.#refuse(parts, ({ item }) => this.#busy.has(item), { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' });
    this.#refuse(parts, ({ partition }) => this.#budget.isSpent(partition, now), { Code: 'ThrottlingError', Message: spentMessage });
    for (const { item } of parts) this.#busy.add(item);
    if (token !== undefined) this.#running.add(token);
    try {
      const done = await this.#dynamodb.exclusively((perform) => this.#all(parts, perform, now));
      if (token !== undefined) this.#tokens.set(token, { asked, until: now + tokenMilliseconds });
      return told === 'NONE' ? {} : { ConsumedCapacity: done.map(({ part, units }) => ({ TableName: part.request.TableName, CapacityUnits: units })) };
    } finally {
      for (const { item } of parts) this.#busy.delete(item);
      this.#running.delete(token ?? '');
    }
  }

  #part(item: TransactWriteItem): Part {
    const { kind, request } = partOf(item);
    if (this.#dynamodb.keysOf(request.TableName ?? '') === null) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return { kind, request, item: this.#itemOf(request), partition: `${request.TableName} ${partitionKeyOf(this.#dynamodb, request)}` };
  }

  #itemOf(request: TableRequest): string {
    const keys = this.#dynamodb.keysOf(request.TableName ?? '');
    const named: Readonly<Record<string, AttributeValue>> = request.Key ?? request.Item ?? {};
    return JSON.stringify([this.#dynamodb.tableArn(request.TableName ?? ''), named[keys?.hash ?? ''], named[keys?.range ?? '']]);
  }

  #isRepeat(token: string, asked: string, now: number): boolean {
    for (const [old, { until }] of this.#tokens) {
      if (until >= now) break;
      this.#tokens.delete(old);
    }
    if (this.#running.has(token)) throw new AwsError('TransactionInProgressException', 'The transaction with the given request token is already in progress.');
    const known = this.#tokens.get(token);
    if (known === undefined) return false;
    if (known.asked !== asked) throw new AwsError('IdempotentParameterMismatchException', 'Request parameters do not match those of the first request with this token');
    return true;
  }

  #refuse(parts: readonly Part[], isHit: (part: Part) => boolean, reason: CancellationReason): void {
    if (parts.some(isHit)) throw cancelled(parts.map((part) => (isHit(part) ? reason : none)));
  }

  async #all(parts: readonly Part[], perform: Perform, now: number): Promise<readonly Done[]> {
    const done: Done[] = [];
    const reasons: CancellationReason[] = [];
    let fault: unknown = null;
    for (const part of parts) {
      try {
        done.push(await prepared(part, perform));
        reasons.push(none);
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') fault ??= error;
        reasons.push({ Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...(error instanceof AwsError ? error.fields : {}) });
      }
    }
    const isCancelled = reasons.some((reason) => reason !== none);
    for (const part of parts) this.#budget.take(part.partition, now, done.find((one) => one.part === part)?.units ?? phases);
    for (const one of done.toReversed()) if (isCancelled || one.part.kind === 'ConditionCheck') await this.#undo(one, perform);
    if (fault !== null) throw fault;
    if (isCancelled) throw cancelled(reasons);
    return done;
  }

  async #undo({ part: { request }, old }: Done, perform: Perform): Promise<void> {
    const { TableName } = request;
    if (old !== null) await perform('PutItem', { TableName, Item: old });
    else await perform('DeleteItem', { TableName, Key: this.#keyOf(request) });
  }

  #keyOf({ TableName, Key, Item = {} }: TableRequest): Json {
    const keys = this.#dynamodb.keysOf(TableName ?? '');
    return Key ?? Object.fromEntries([keys?.hash, keys?.range].flatMap((name) => (name === undefined || name === null ? [] : [[name, Item[name]]])));
  }
}

const none: CancellationReason = { Code: 'None' };

async function prepared(part: Part, perform: Perform): Promise<Done> {
  const answer = await perform(actions[part.kind], { ...part.request, ReturnValues: 'ALL_OLD', ReturnConsumedCapacity: 'INDEXES' });
  const { Attributes, ConsumedCapacity } = answer as { readonly Attributes?: Json; readonly ConsumedCapacity?: { readonly Table?: { readonly CapacityUnits?: number } } };
  return { part, old: Attributes ?? null, units: phases * (ConsumedCapacity?.Table?.CapacityUnits ?? 1) };
}

function partOf(item: TransactWriteItem): Pick<Part, 'kind' | 'request'> {
  const [first, ...more] = (Object.keys(actions) as Kind[]).filter((kind) => item[kind] !== undefined);
  if (first === undefined || more.length > 0) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  return { kind: first, request: item[first] as unknown as Part['request'] };
}

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

function cancelled(reasons: readonly CancellationReason[]): AwsError {
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`;
  return new AwsError('TransactionCanceledException', message, { fields: { CancellationReasons: reasons } });
}
