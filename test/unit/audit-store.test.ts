// The audit store on a real DynamoDB engine: races, lost replies, seals, sizes.
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditEntry } from '../../lambdas/audit/entry.ts';
import { auditTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
const freshId = (): string => `rb-${(count += 1)}`;
const entry = (rollbackId: string, n: unknown = 0): AuditEntry => ({ rollbackId, service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { n: n as number } });

/** The same client, but each reply of the named call is lost once after its effect. */
function losingReplies(): Tables['client'] {
  let isLost = false;
  return {
    send: async (command: PutItemCommand) => {
      const answer = await tables.client.send(command);
      if (!isLost && command instanceof PutItemCommand) {
        isLost = true;
        // What the SDK does by itself: it sends the call once more.
        return tables.client.send(new PutItemCommand(command.input));
      }
      return answer;
    },
  } as unknown as Tables['client'];
}

describe('AuditStore', () => {
  it('writes rows that form one chain, each on the next number', async () => {
    const id = freshId();
    let at = await tables.audit.append(entry(id, 1), null);
    at = await tables.audit.append(entry(id, 2), at);
    expect(at.length).toBe(2);
    const rows = await tables.audit.read(id);
    expect(rows.map(({ seq, data }) => [seq, data])).toEqual([[0, '{"n":1}'], [1, '{"n":2}']]);
    expect(verifyChain(rows, at)).toMatchObject({ intact: true });
  });

  it('loses nothing when many writers race with the same cursor', async () => {
    const id = freshId();
    const start = await tables.audit.append(entry(id, 'first'), null);
    await Promise.all(Array.from({ length: 24 }, (_, n) => new AuditStore(tables.client, auditTable).append(entry(id, n), n % 3 === 0 ? null : start)));
    const rows = await tables.audit.read(id);
    expect(rows).toHaveLength(25);
    expect(verifyChain(rows)).toMatchObject({ intact: true });
    expect(new Set(rows.map(({ data }) => data)).size).toBe(25);
  });

  it('recognises its own row after a lost reply and does not add it twice', async () => {
    const id = freshId();
    const at = await new AuditStore(losingReplies(), auditTable).append(entry(id, 'mine'), null);
    expect(at.length).toBe(1);
    expect(await tables.audit.read(id)).toHaveLength(1);
  });

  it('recognises its own row also when somebody else wrote behind it meanwhile', async () => {
    const id = freshId();
    const first = await tables.audit.append(entry(id, 'mine'), null);
    await tables.audit.append(entry(id, 'theirs'), first);
    const at = await tables.audit.append(entry(id, 'mine'), null);
    expect(at.length).toBe(2);
    expect(await tables.audit.read(id)).toHaveLength(2);
  });

  it('never replaces a row that is there', async () => {
    const id = freshId();
    await tables.audit.append(entry(id, 'old'), null);
    await tables.audit.append(entry(id, 'new'), null);
    expect((await tables.audit.read(id)).map(({ data }) => data)).toEqual(['{"n":"old"}', '{"n":"new"}']);
  });

  it('says in the seal how many rows there are, and lets nothing follow it', async () => {
    const id = freshId();
    const stale = await tables.audit.append(entry(id), null);
    await tables.audit.append(entry(id, 'between'), stale);
    const seal = await tables.audit.seal({ rollbackId: id, service: 'checkout', at: '2026-11-20T09:01:00.000Z', data: { outcome: 'recovered' } }, stale);
    const rows = await tables.audit.read(id);
    expect(rows.at(-1)).toMatchObject({ kind: 'sealed', data: '{"outcome":"recovered","rows":3}' });
    expect(seal.length).toBe(3);
    await expect(tables.audit.append(entry(id, 'late'), null)).rejects.toMatchObject({ name: 'ChainSealed' });
    expect(await tables.audit.read(id)).toHaveLength(3);
  });

  it('refuses data above 300 kB with its size and kind, and writes nothing', async () => {
    const id = freshId();
    await expect(tables.audit.append(entry(id, 'x'.repeat(301 * 1024)), null)).rejects.toThrow(/"confirmed" has 308\d{3} bytes; at most 307200/);
    expect(await tables.audit.read(id)).toEqual([]);
    await tables.audit.append(entry(id, 'x'.repeat(290 * 1024)), null);
  });

  it('reads chains longer than one page', async () => {
    const id = freshId();
    let at = null;
    for (let n = 0; n < 5; n += 1) at = await tables.audit.append(entry(id, `${n}${'x'.repeat(280 * 1024)}`), at);
    expect(verifyChain(await tables.audit.read(id))).toMatchObject({ intact: true, length: 5 });
  });

  it('records text with a lone surrogate rather than lose the row', async () => {
    const id = freshId();
    await tables.audit.append(entry(id, 'a\uD800b'), null);
    const rows = await tables.audit.read(id);
    expect(rows[0]?.data).toBe('{"n":"a\uFFFDb"}');
    expect(verifyChain(rows)).toMatchObject({ intact: true });
  });
});
