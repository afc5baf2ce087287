// Which chains of labels belong to a rollback: what the ledger lists, and what stands in the table unlisted.
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { readLabelList } from '../../lambdas/adapters/audit-label-list.ts';
import { eventChain, isLabelChain, labellerIn } from '../../lambdas/audit/label-chains.ts';
import { ledgerTable, readChain, readRecord, type Recorded, type RecordOptions, tableOf } from './record.ts';

/** `gone`: the list names it, and neither a row nor an anchor is left. `unlisted`: its rows are there, and the list does not name it. */
export interface LabelChain extends Recorded {
  readonly list: 'named' | 'gone' | 'unlisted';
}

/**
 * The chain that was asked for and, of a rollback, those of its labels.
 * @param isThorough looks at every row of the table for chains of labels that the ledger does not list.
 * @throws as `readRecord` for the chain that was asked for.
 */
export async function chainsOf(chain: string, options: RecordOptions, isThorough: boolean): Promise<readonly (Recorded | LabelChain)[]> {
  const labels = labellerIn(chain);
  const list = await readLabelList(await ledgerTable(options), labels?.rollbackId ?? chain);
  if (list.includes(chain)) return [await namedChain(chain, options)];
  if (labels !== null) return [{ ...await readRecord(chain, options), list: 'unlisted' }];
  if (isLabelChain(chain)) return [await readRecord(chain, options)];
  const others = new Set([eventChain(chain), ...isThorough ? await labelChains(chain, options) : []]);
  const found = await Promise.all([...list.map((name) => namedChain(name, options)), ...[...others].filter((name) => !list.includes(name)).map((name) => unlisted(name, options))]);
  return [await readRecord(chain, options), ...found.filter((one) => one !== null)];
}

async function namedChain(name: string, options: RecordOptions): Promise<LabelChain> {
  const recorded = await readChain(name, options);
  return recorded === null ? { rollbackId: name, anchor: null, rows: [], list: 'gone' } : { ...recorded, list: 'named' };
}

async function unlisted(name: string, options: RecordOptions): Promise<LabelChain | null> {
  const recorded = await readChain(name, options);
  return recorded === null ? null : { ...recorded, list: 'unlisted' };
}

/** Names of the chains of labels of one rollback of which a row is left. */
async function labelChains(rollback: string, options: RecordOptions): Promise<readonly string[]> {
  const client = new DynamoDBClient({});
  const chains = new Set<string>();
  const pages = paginateScan({ client }, {
    TableName: await tableOf(options), ProjectionExpression: 'rollbackId', FilterExpression: 'begins_with(rollbackId, :label) AND contains(rollbackId, :rollback)',
    ExpressionAttributeValues: { ':label': { S: 'label#' }, ':rollback': { S: `#${rollback}` } },
  });
  for await (const { Items = [] } of pages) for (const item of Items) chains.add(item['rollbackId']?.S ?? '');
  return [...chains].filter((chain) => labellerIn(chain)?.rollbackId === rollback).toSorted();
}
