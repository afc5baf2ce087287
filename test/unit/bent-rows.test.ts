// Rows whose data is not JSON, put in by somebody: whoever reads the record reads on, and the check names them.
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { toItem } from '../../lambdas/adapters/audit-rows.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditKind, type AuditRow, cursorAt, genesis, hashOf, rowAfter } from '../../lambdas/audit/entry.ts';
import { eventChain, labelChain } from '../../lambdas/audit/label-chains.ts';
import { stepsSeen } from '../../lambdas/runtime/announce-seen.ts';
import { addLabel } from '../../lambdas/runtime/label.ts';
import { labelByPerson, type LabelRequest } from '../../lambdas/runtime/label-request.ts';
import { endRollback } from '../../lambdas/runtime/report.ts';
import { reportInput } from '../../lambdas/runtime/watchdog.ts';
import { auditTable } from './audit-tables.ts';
import { begun, clock, id, inputAgain, kinds, parts, sent, service, tables } from './report-rig.ts';

const bentData = ['x', '', 'null', '7', '[]'] as const;

/** As somebody could put it in, with a hash that fits. */
function bent(chain: string, kind: AuditKind, { data, after = genesis }: { readonly data: string; readonly after?: typeof genesis }): AuditRow {
  const row = { ...rowAfter(after, { rollbackId: chain, service, kind, at: '2026-11-20T09:00:00.000Z', data: {} }), data };
  return { ...row, hash: hashOf(row) };
}
const put = (row: AuditRow) => tables.client.send(new PutItemCommand({ TableName: auditTable, Item: toItem(row) }));

describe.each(bentData)('a row with data %j', (data) => {
  it('is left out of what the Watchdog and the first message know', () => {
    const rows = (['assessed', 'change-intended', 'change-made', 'reported'] as const).map((kind) => bent('rb', kind, { data }));
    const whole = rowAfter(genesis, { rollbackId: 'rb', service, kind: 'change-intended', at: '2026-11-20T09:00:00.000Z', data: { stepId: 'dns/web', summary: 'blue 0 → 100' } });
    expect(reportInput({ name: 'rb', status: 'FAILED', startDate: 1 }, [...rows, whole])).toMatchObject({ rollbackId: 'rb', assessment: null, results: [{ applied: { stepId: 'dns/web' } }] });
    expect([...stepsSeen([...rows, whole])]).toEqual([['dns/web', 'blue 0 → 100, being done']]);
  });

  it('keeps no label from being added', async () => {
    const chains = [eventChain(id), labelChain('AROATEST:dana', id)];
    await tables.audit.seal({ rollbackId: id, service, at: '2026-11-20T09:00:00.000Z', data: {} }, null);
    for (const chain of chains) await put(bent(chain, 'labelled', { data }));
    expect(await addLabel({ id: 'e-1', time: '2026-11-20T09:00:00Z', detail: { rollback: id, label: 'right', by: 'pager' } }, { audit: tables.audit })).toMatchObject({ added: true });
    const request: LabelRequest = { method: 'POST', path: '/', query: '', body: JSON.stringify({ rollback: id, label: 'right' }), userArn: 'arn:aws:iam::1:role/r', userId: 'AROATEST:dana' } as unknown as LabelRequest;
    expect(await labelByPerson(request, { audit: tables.audit, clock })).toMatchObject({ statusCode: 200 });
    for (const chain of chains) {
      const rows = await tables.audit.read(chain);
      expect(rows).toHaveLength(2);
      expect(verifyChain(rows)).toMatchObject({ intact: false, fault: 'inserted' });
    }
  });

  it('keeps Report from nothing', async () => {
    const input = await begun();
    const after = (await tables.audit.read(id)).map((row) => cursorAt(row)).at(-1) ?? genesis;
    await put(bent(id, 'reported', { data, after }));
    expect(await endRollback(input, parts())).toMatchObject({ outcome: 'recovered' });
    expect(await kinds()).toEqual(['assessed', 'reported', 'reported', 'sealed']);
    expect(verifyChain(await tables.audit.read(id))).toMatchObject({ intact: false, fault: 'inserted', seq: 1 });
    expect(sent.messages.length).toBeGreaterThan(0);
  });
});

it('a row that was put in behind the seal keeps a repeat of Report from nothing', async () => {
  const first = await endRollback(await begun(), parts());
  await put(bent(id, 'confirmed', { data: 'x', after: { length: first.auditLength, hash: first.auditHash } }));
  expect(await endRollback(await inputAgain(), parts())).toEqual(first);
  expect(verifyChain(await tables.audit.read(id))).toMatchObject({ intact: false, fault: 'inserted', seq: first.auditLength });
});
