// Which chains of labels belong to a rollback: what events brought, what the ledger lists of persons, and on demand what stands in the table unlisted.
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { readLabelList } from '../../lambdas/adapters/audit-label-list.ts';
import { eventChain, isLabelChain, personIn } from '../../lambdas/audit/label-chains.ts';
import { ledgerTable, readChain, readRecord, type Recorded, type RecordOptions, tableOf } from './record.ts';

/** `gone`: the list names it, and neither a row nor an anchor is left. `unlisted`: its rows are there, and the list does not name it. */
export interface LabelChain extends Recorded {
  readonly list: 'named' | 'gone' | 'unlisted';
}

/**
 * The chain that was asked for and, of a rollback, those of its labels.
 * @param isThorough looks at every row of the table for chains of persons that the ledger does not list.
 * @throws as `readRecord` for the chain that was asked for.
 */
export async function chainsOf(chain: string, options: RecordOptions, isThorough: boolean): Promise<readonly (Recorded | LabelChain)[]> {
  const person = personIn(chain);
  const list = await readLabelList(await ledgerTable(options), person?.rollbackId ?? chain);
  if (list.includes(chain)) return [await namedChain(chain, options)];
  if (person !== null) return [{ ...await readRecord(chain, options), list: 'unlisted' }];
  if (isLabelChain(chain)) return [await readRecord(chain, options)];
  const found = isThorough ? await personChains(chain, options) : [];
  const labels = await Promise.all([
    readChain(eventChain(chain), options), ...list.map((name) => namedChain(name, options)), ...found.filter((name) => !list.includes(name)).map((name) => unlisted(name, options)),
  ]);
  return [await readRecord(chain, options), ...labels.filter((one) => one !== null)];
}

async function namedChain(name: string, options: RecordOptions): Promise<LabelChain> {
  const recorded = await readChain(name, options);
  return recorded === null ? { rollbackId: name, anchor: null, rows: [], list: 'gone' } : { ...recorded, list: 'named' };
}

async function unlisted(name: string, options: RecordOptions): Promise<LabelChain | null> {
  const recorded = await readChain(name, options);
  return recorded === null ? null : { ...recorded, list: 'unlisted' };
}

/** Names of the chains of persons' labels of one rollback of which a row is left. */
async function personChains(rollback: string, options: RecordOptions): Promise<readonly string[]> {
  const client = new DynamoDBClient({});
  const chains = new Set<string>();
  const pages = paginateScan({ client }, {
    TableName: await tableOf(options), ProjectionExpression: 'rollbackId', FilterExpression: 'begins_with(rollbackId, :label) AND contains(rollbackId, :rollback)',
    ExpressionAttributeValues: { ':label': { S: 'label#' }, ':rollback': { S: `#${rollback}` } },
  });
  for await (const { Items = [] } of pages) for (const item of Items) chains.add(item['rollbackId']?.S ?? '');
  return [...chains].filter((chain) => personIn(chain)?.rollbackId === rollback).toSorted();
}
