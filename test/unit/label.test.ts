// Labels and the score made of them: who said it is IAM's word, the sealed record stays as it is, and every figure is counted from rows.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../bin/ripcord.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { labelChain } from '../../lambdas/audit/label-chains.ts';
import type { HttpAnswer } from '../../lambdas/runtime/answer-request.ts';
import { labelByPerson, labelRequestOf } from '../../lambdas/runtime/label-request.ts';
import { auditTable, startTables, type Tables } from './audit-tables.ts';

const me = { userId: 'AROAEXAMPLE:dana', arn: 'arn:aws:sts::111122223333:assumed-role/operator/dana' };
let tables: Tables;
let engine: Server;
/** Who IAM says the caller is. */
let caller: { readonly userId: string | null; readonly userArn: unknown };

/** The function URL, after IAM: the sandbox checks signatures in tests of the whole. */
async function served(body: string): Promise<HttpAnswer> {
  return labelByPerson({ method: 'POST', rollback: null, body, ...caller }, { audit: tables.labels, clock: { now: () => new Date() } });
}

beforeAll(async () => {
  tables = await startTables();
  engine = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += String(chunk); });
    request.on('end', () => void served(body).then(({ statusCode, headers, body: text }) => response.writeHead(statusCode, headers).end(text)));
  });
  await new Promise<void>((resolve) => { engine.listen(0, '127.0.0.1', resolve); });
  const environment = {
    AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-key', RIPCORD_AUDIT_TABLE: auditTable, RIPCORD_LEDGER_TABLE: 'ledger',
    AWS_ENDPOINT_URL: tables.endpoint, RIPCORD_LABEL_URL: `http://127.0.0.1:${(engine.address() as AddressInfo).port}/`,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  engine.closeAllConnections();
  await new Promise<void>((resolve) => { engine.close(() => { resolve(); }); });
  await tables.stop();
});

async function run(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const lines: { out: string[]; error: string[] } = { out: [], error: [] };
  const code = await main(['node', 'ripcord', ...words], { out: (text) => { lines.out.push(text); }, error: (text) => { lines.error.push(text); }, code: 0 });
  return { code, out: lines.out.join('\n'), error: lines.error.join('\n') };
}

let count = 0;
let id = '';
let service = '';
beforeEach(() => {
  id = `rb-l${(count += 1)}`;
  service = `shop-${count}`;
  caller = { userId: me.userId, userArn: me.arn };
});

async function ended(): Promise<void> {
  const about = { rollbackId: id, service, at: '2026-11-20T09:10:00.000Z' };
  const at = await tables.audit.append({ ...about, kind: 'reported', data: { ending: { outcome: 'shadow' } } }, null);
  await tables.audit.seal({ ...about, data: { outcome: 'shadow' } }, at);
}

describe('ripcord label', () => {
  it('keeps who said what in a chain below their own user id, and leaves the sealed record as it is', async () => {
    await ended();
    const before = await tables.audit.read(id);
    const said = await run('label', id, 'wrong', '--comment', 'a dependency was down');
    expect(await tables.audit.read(id)).toEqual(before);
    const [row] = await tables.audit.read(labelChain(me.userId, id));
    expect(said).toEqual({ code: 0, error: '', out: `${id} (${service}) is labelled wrong by ${me.arn}. Keep this to check it later: npx ripcord audit verify '${labelChain(me.userId, id)}' --expect ${row?.hash}` });
    expect(row).toMatchObject({ kind: 'labelled', service });
    expect(JSON.parse(row?.data ?? '')).toEqual({ rollbackId: id, opinion: 'wrong', comment: 'a dependency was down', by: me.arn, sealedAt: before.at(-1)?.hash });
  });

  it('adds a second word to the first, and the last one counts', async () => {
    await ended();
    await run('label', id, 'wrong');
    await run('label', id, 'right');
    const rows = await tables.audit.read(labelChain(me.userId, id));
    expect(verifyChain(rows)).toMatchObject({ intact: true, length: 2 });
    expect((await run('score', service)).out).toContain('shadowed  1, labelled right 1, wrong 0');
  });

  it('is told its hash, which shows when all of the chain and its anchor are written anew', async () => {
    await ended();
    const told = async (opinion: string): Promise<string> => / --expect ([0-9a-f]{64})$/.exec((await run('label', id, opinion)).out)?.[1] ?? '';
    const chain = labelChain(me.userId, id);
    const first = await told('wrong');
    expect(await told('wrong')).toBe(first);
    await told('right');
    const last = (await tables.audit.read(chain)).at(-1)?.hash ?? '';
    expect(await run('audit', 'verify', chain, '--expect', last)).toEqual({ code: 0, error: '', out: `Intact: ${chain}: 2 rows, last hash ${last}\nOf these rows 0 to 1 are as written down, and that is all of them.` });
    expect(await run('audit', 'verify', chain, '--expect', first)).toEqual({
      code: 2, out: '', error: `NOT PROVEN: ${chain}: row 0 is as written down; row 1 is not vouched for by this hash: the anchor fits them, and whoever wrote them anew could move it. Give --expect the hash of row 1.`,
    });
    for (const row of await tables.audit.read(chain)) await tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: chain }, seq: { N: String(row.seq) } } }));
    await tables.client.send(new DeleteItemCommand({ TableName: 'ledger', Key: { pk: { S: `AUDIT#${chain}` }, sk: { S: 'ANCHOR' } } }));
    await run('label', id, 'right');
    expect(await run('audit', 'verify', chain)).toMatchObject({ code: 0 });
    expect(await run('audit', 'verify', chain, '--expect', first)).toMatchObject({ code: 1, error: expect.stringContaining(`none has the hash ${first}`) as string });
    expect(await run('audit', 'verify', chain, '--expect', '12')).toMatchObject({ code: 1, error: expect.stringContaining('--expect needs a hash') as string });
  });

  it('has an anchor: labels that were cut off or taken away whole are named, also when others were added since', async () => {
    await ended();
    for (const opinion of ['wrong', 'right']) await run('label', id, opinion);
    const chain = labelChain(me.userId, id);
    expect(await run('audit', 'verify', chain)).toMatchObject({ code: 0, out: expect.stringContaining('2 rows') as string });
    const remove = (seq: number) => tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: chain }, seq: { N: String(seq) } } }));
    await remove(1);
    expect(await run('audit', 'verify', chain)).toMatchObject({ code: 1, error: expect.stringContaining('[truncated 1]') as string });
    await run('label', id, 'right', '--comment', 'anew');
    expect(await run('audit', 'verify', chain)).toMatchObject({ code: 1, error: expect.stringContaining('row 1 was removed') as string });
    for (const seq of [0, 2]) await remove(seq);
    expect(await run('audit', 'verify', chain)).toMatchObject({ code: 1, error: expect.stringContaining('[truncated 0]') as string });
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 1, error: `BROKEN: ${chain}: rows 0 to 2 of 3 are missing: cut from the end [truncated 0]` });
  });

  it('is missed when the whole chain of a person is gone with its anchor, whoever else labelled', async () => {
    await ended();
    const persons = ['AROAEXAMPLE:dana', 'AROAEXAMPLE:lee', 'AIDAANN'] as const;
    for (const userId of persons) {
      caller = { userId, userArn: me.arn };
      await run('label', id, 'right');
    }
    const [dana, lee, ann] = persons.map((userId) => labelChain(userId, id)) as [string, string, string];
    const checked = (said: { readonly out: string; readonly error: string }): string[] => `${said.out}\n${said.error}`.split('\n').flatMap((line) => line.split(': ')[1] ?? []);
    for (const words of [[], ['--labels']]) expect(checked(await run('audit', 'verify', id, ...words))).toEqual([id, ann, dana, lee]);
    await tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: lee }, seq: { N: '0' } } }));
    for (const asked of [id, lee]) expect(await run('audit', 'verify', asked)).toMatchObject({ code: 1, error: `BROKEN: ${lee}: row 0 of 1 is missing: cut from the end [truncated 0]` });
    await tables.client.send(new DeleteItemCommand({ TableName: 'ledger', Key: { pk: { S: `AUDIT#${lee}` }, sk: { S: 'ANCHOR' } } }));
    for (const asked of [id, lee]) expect(await run('audit', 'verify', asked)).toMatchObject({ code: 1, error: `BROKEN: ${lee}: all its rows and its anchor are gone: the ledger lists who labelled, and names it [removed 0]` });
    const list = { TableName: 'ledger', Key: { pk: { S: `AUDIT#label#persons#${id}` }, sk: { S: 'LIST' } } };
    await tables.client.send(new DeleteItemCommand(list));
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 0 });
    for (const words of [[id, '--labels'], [dana]]) expect(await run('audit', 'verify', ...words)).toMatchObject({ code: 2, error: expect.stringMatching(/^NOT PROVEN: label#.*: 1 rows that fit together, .* the ledger's list of who labelled does not name it: somebody changed the list/) as string });
  });

  it('is one label when the same word is sent again, as after a reply that got lost, and two when it changed', async () => {
    await ended();
    const said = (): Promise<number> => tables.audit.read(labelChain(me.userId, id)).then((rows) => rows.length);
    for (const [opinion, comment, rows] of [['wrong', 'a', 1], ['wrong', 'a', 1], ['wrong', 'b', 2], ['right', 'b', 3], ['wrong', 'b', 4]] as const) {
      expect(await run('label', id, opinion, '--comment', comment)).toMatchObject({ code: 0 });
      expect(await said()).toBe(rows);
    }
  });

  it('takes no label for a rollback that runs still or never was, and no other word', async () => {
    await tables.audit.append({ rollbackId: id, service, kind: 'assessed', at: '2026-11-20T09:10:00.000Z', data: {} }, null);
    expect(await run('label', id, 'right')).toMatchObject({ code: 1, error: expect.stringContaining('has not ended') as string });
    expect(await run('label', 'rb-unknown', 'right')).toMatchObject({ code: 1, error: expect.stringContaining('Not taken (404): no record of a rollback "rb-unknown"') as string });
    expect((await run('label', 'rb-\u202eunknown', 'right')).error).toContain('no record of a rollback "rb- unknown"');
    expect(await run('label', id, 'perhaps')).toMatchObject({ code: 1, error: expect.stringContaining('right, wrong') as string });
    expect(await tables.audit.read(labelChain(me.userId, id))).toEqual([]);
  });

  it('says what is wrong with the call: no URL, nobody verified, a function that failed', async () => {
    await ended();
    expect(await run('label', id, 'right', '--url', 'nowhere')).toMatchObject({ code: 1, error: expect.stringContaining("give the stack's output LabelUrl") as string });
    caller = { userId: null, userArn: me.arn };
    expect(await run('label', id, 'right')).toMatchObject({ code: 1, error: expect.stringContaining('Not taken (403): IAM verified nobody') as string });
    expect(await run('label', id, 'right', '--comment', 'x'.repeat(5000))).toMatchObject({ code: 1 });
  });

  it('says when there is nothing to score', async () => {
    expect(await run('score', 'nowhere')).toMatchObject({ code: 0, out: 'No rollback of nowhere has ended yet.' });
    expect(await run('score', 'nowhere', '--json')).toMatchObject({ code: 0, out: '[]' });
  });

  it('is counted without a row that cannot be read, which is named', async () => {
    await ended();
    for (const [seq, data] of [[8, '{"question":'], [9, 'null']] as const)
      await tables.client.send(new PutItemCommand({ TableName: auditTable, Item: { rollbackId: { S: id }, seq: { N: String(seq) }, kind: { S: 'assessed' }, service: { S: service }, data: { S: data } } }));
    const { code, out, error } = await run('score', service);
    expect([code, out]).toEqual([0, expect.stringContaining('shadowed  1')]);
    expect(error.split('\n')).toEqual([8, 9].map((seq) => `Row ${seq} of ${id} cannot be read and is not counted: check it with \`ripcord audit verify ${id}\`.`));
    for (const seq of ['8', '9']) await tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: id }, seq: { N: seq } } }));
  });

  it('is counted for a service in shadow, as text and as JSON', async () => {
    await ended();
    expect((await run('score', service)).out.split('\n').slice(-3)).toEqual([
      '  false rollbacks: not known: none is labelled', '  median time to detect not known, decide not known, restore not known, verify not known',
      '  in shadow, what would have been done: false rollbacks not known: none is labelled; median time to detect not known, decide not known',
    ]);
    await run('label', id, 'wrong');
    expect((await run('score', service)).out).toContain('in shadow, what would have been done: false rollbacks 100.0 % of 1 labelled; median time to');
    expect(JSON.parse((await run('score', service, '--json')).out)).toMatchObject([{ service, falseRollbackRate: null, shadow: { falseRollbackRate: 1 } }]);
  });
});

describe('the request of a label', () => {
  const asked = (iam: unknown, body: unknown = '{}') => ({ requestContext: { http: { method: 'POST' }, authorizer: { iam } }, body });

  it('is told from an event, and names only whom IAM verified', () => {
    expect(labelRequestOf({ id: 'e', time: 't', detail: { requestContext: { authorizer: { iam: me } } } })).toBeNull();
    expect(labelRequestOf({ ...asked({ userId: me.userId }), requestContext: null })).toBeNull();
    expect(labelRequestOf(asked({ userId: me.userId, userArn: me.arn }))).toMatchObject({ userId: me.userId, userArn: me.arn, method: 'POST' });
    for (const userId of ['event', 'AIDA#x', 'AROAX:a#b', '', null, 7]) expect(labelRequestOf(asked({ userId, userArn: me.arn })), String(userId)).toMatchObject({ userId: null });
    expect(labelRequestOf(asked(undefined))).toMatchObject({ userId: null });
  });

  it.each<[string, string]>([
    ['no JSON', 'must be JSON'], ['null', 'name of an execution'], ['{"rollback":"a#b","label":"right"}', 'name of an execution'], ['{"rollback":"rb-1","label":"perhaps"}', '"right" or "wrong"'],
    ['{"rollback":"rb-1","label":"right","comment":7}', 'must be text'], ['{"rollback":"rb-1","label":"right","by":"eve"}', 'unknown fields: by'], [`{"x":"${'x'.repeat(5000)}"}`, 'at most 4096'],
  ])('is refused when it is %s', async (body, why) => {
    const { statusCode, body: text } = await served(body);
    expect([statusCode, text]).toEqual([400, expect.stringContaining(why.replaceAll('"', '\\"')) as string]);
  });

  it('is a POST', async () => {
    expect(await labelByPerson({ method: 'GET', rollback: null, body: '', ...caller }, { audit: tables.audit, clock: { now: () => new Date() } })).toMatchObject({ statusCode: 405 });
  });
});
