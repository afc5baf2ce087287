// The command line as a person uses it: signed answers, a checked record, and errors that say what to do.
import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../bin/ripcord.ts';
import type { AuditCursor } from '../../lambdas/domain/vocabulary.ts';
import { auditTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
let folder: string;
beforeAll(async () => {
  tables = await startTables();
  folder = await mkdtemp(join(tmpdir(), 'ripcord-cli-'));
});
afterAll(async () => {
  await tables.stop();
  await rm(folder, { recursive: true });
});

const environment = {
  AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-key', AWS_SESSION_TOKEN: 'session-token',
  RIPCORD_AUDIT_TABLE: auditTable, RIPCORD_LEDGER_TABLE: 'ledger',
};
const before = { ...process.env };
beforeEach(() => { Object.assign(process.env, environment, { AWS_ENDPOINT_URL: tables.endpoint }); });
afterEach(() => {
  for (const name of [...Object.keys(environment), 'AWS_ENDPOINT_URL', 'RIPCORD_APPROVAL_URL']) {
    const value = before[name];
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
});

async function run(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const lines: { out: string[]; error: string[] } = { out: [], error: [] };
  const screen = { out: (text: string) => { lines.out.push(text); }, error: (text: string) => { lines.error.push(text); }, code: 0 };
  const code = await main(['node', 'ripcord', ...words], screen);
  return { code, out: lines.out.join('\n'), error: lines.error.join('\n') };
}

describe('ripcord approve and reject', () => {
  interface Seen { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string }
  let server: Server;
  let seen: Seen[];
  let reply: { status: number; body: string };
  let url: string;

  beforeEach(async () => {
    seen = [];
    reply = { status: 200, body: JSON.stringify({ result: 'approved: rollback rb-1 goes on' }) };
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += String(chunk); });
      request.on('end', () => {
        seen.push({ headers: request.headers, body, path: request.url ?? '' });
        response.writeHead(reply.status).end(reply.body);
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  });

  /** Signature Version 4 by hand, from the AWS documentation: independent of the signer that is tested. */
  function expectedSignature({ headers, body, path }: Seen): string {
    const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
    const canonical = ['POST', path, '', ...names.split(';').map((name) => `${name}:${String(headers[name])}`), '', names, createHash('sha256').update(body).digest('hex')].join('\n');
    const date = String(headers['x-amz-date']);
    const scope = `${date.slice(0, 8)}/eu-west-1/lambda/aws4_request`;
    const toSign = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
    const key = [date.slice(0, 8), 'eu-west-1', 'lambda', 'aws4_request'].reduce<string | Buffer>((secret, part) => createHmac('sha256', secret).update(part).digest(), 'AWS4secret-key');
    return createHmac('sha256', key).update(toSign).digest('hex');
  }

  it('sign the answer with the credentials of the caller for the service lambda', async () => {
    const { code, out } = await run('approve', 'rb-1', '--comment', 'looks right', '--url', url);
    expect([code, out]).toEqual([0, 'approved: rollback rb-1 goes on']);
    const [request] = seen;
    expect(JSON.parse(request?.body ?? '')).toEqual({ rollback: 'rb-1', answer: 'approve', comment: 'looks right' });
    expect(request?.headers.authorization).toMatch(/Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/lambda\/aws4_request/);
    expect(request?.headers['x-amz-security-token']).toBe('session-token');
    expect(request?.headers.authorization).toContain(`Signature=${request === undefined ? '' : expectedSignature(request)}`);
  });

  it('take the URL from the environment', async () => {
    process.env['RIPCORD_APPROVAL_URL'] = url;
    expect(await run('reject', 'rb-1')).toMatchObject({ code: 0 });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ rollback: 'rb-1', answer: 'reject', comment: '' });
  });

  it('say why an answer was not taken, and exit with 1', async () => {
    reply = { status: 409, body: JSON.stringify({ error: 'carol answered "rejected"', code: 'answered-before' }) };
    expect(await run('approve', 'rb-1', '--url', url)).toMatchObject({ code: 1, error: 'Not taken (409): carol answered "rejected"' });
  });

  it('say what to do when IAM refuses the call', async () => {
    reply = { status: 403, body: JSON.stringify({ Message: 'Forbidden' }) };
    const { code, error } = await run('approve', 'rb-1', '--url', url);
    expect(code).toBe(1);
    expect(error).toMatch(/IAM refused the call: sign in with an approver's role/);
  });

  it('send no signature in clear text to another machine', async () => {
    expect(await run('approve', 'rb-1', '--url', 'http://answers.example/')).toMatchObject({ code: 1, error: expect.stringContaining('has to begin with https:') as string });
    expect(await run('approve', 'rb-1', '--url', 'nowhere')).toMatchObject({ code: 1, error: expect.stringContaining('is no URL') as string });
  });
});

describe('ripcord audit', () => {
  let count = 0;
  let id: string;
  let seal: AuditCursor;

  beforeEach(async () => {
    id = `rb-c${(count += 1)}`;
    const about = { rollbackId: id, service: 'checkout', at: '2026-11-20T09:00:00.000Z' };
    let at = await tables.audit.append({ ...about, kind: 'assessed', data: { verdict: 'roll-back', headline: 'worse \u001b[31mred' } }, null);
    at = await tables.audit.append({ ...about, kind: 'reported', data: { markdown: '# It recovered' } }, at);
    seal = await tables.audit.seal({ ...about, data: { outcome: 'recovered' } }, at);
  });

  /** What somebody with too many rights could do. */
  async function forge(seq: number): Promise<void> {
    const row = (await tables.audit.read(id))[seq];
    if (row === undefined) throw new Error('no such row');
    await tables.client.send(new PutItemCommand({ TableName: auditTable, Item: {
      rollbackId: { S: id }, seq: { N: String(seq) }, at: { S: row.at }, kind: { S: row.kind }, service: { S: row.service }, data: { S: '{"verdict":"leave"}' },
      previousHash: { S: row.previousHash }, hash: { S: row.hash },
    } }));
  }

  const cut = (chain: string, seq: number) => tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: chain }, seq: { N: String(seq) } } }));
  const loseAnchor = (chain: string) => tables.client.send(new DeleteItemCommand({ TableName: 'ledger', Key: { pk: { S: `AUDIT#${chain}` }, sk: { S: 'ANCHOR' } } }));

  it('verify says that a chain is intact, sealed and anchored', async () => {
    expect(await run('audit', 'verify', id)).toEqual({ code: 0, error: '', out: expect.stringMatching(new RegExp(`^Intact: ${id}: 3 rows, last hash ${seal.hash}\\nNo labels\\. That .*$`)) as string });
  });

  it('verify names the row that was changed, and exits with 1', async () => {
    await forge(0);
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 1, error: `BROKEN: ${id}: row 0 was changed: its hash does not fit its content [changed 0]` });
  });

  it('verify names the rows that were cut from the end of a rollback that runs, also when it has written on since', async () => {
    const running = `${id}-runs`;
    const add = (at: AuditCursor | null, n = 0) => tables.audit.append({ rollbackId: running, service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { n } }, at);
    let at: AuditCursor | null = null;
    for (let row = 0; row < 5; row += 1) at = await add(at);
    expect(await run('audit', 'verify', running)).toMatchObject({ code: 0, out: expect.stringMatching(/5 rows, .*\nNot sealed: the rollback runs still/) as string });
    await cut(running, 4);
    expect(await run('audit', 'verify', running)).toMatchObject({ code: 1, error: `BROKEN: ${running}: row 4 of 5 is missing: cut from the end [truncated 4]` });
    await cut(running, 3);
    expect(await run('audit', 'verify', running)).toMatchObject({ code: 1, error: `BROKEN: ${running}: rows 3 to 4 of 5 are missing: cut from the end [truncated 3]` });
    await add(null, 1);
    expect(await run('audit', 'verify', running)).toMatchObject({ code: 1, error: `BROKEN: ${running}: row 3 was removed: row 5 stands where it stood [removed 3]` });
  });

  it('verify reads rows and anchor of one moment while a rollback writes on', async () => {
    const running = `${id}-writes`;
    const write = async (): Promise<void> => {
      let at: AuditCursor | null = null;
      for (let row = 0; row < 40; row += 1) at = await tables.audit.append({ rollbackId: running, service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: {} }, at);
    };
    await tables.audit.append({ rollbackId: running, service: 'checkout', kind: 'assessed', at: '2026-11-20T09:00:00.000Z', data: {} }, null);
    const writing = write();
    for (let check = 0; check < 6; check += 1) expect((await run('audit', 'verify', running)).error).not.toContain('BROKEN');
    await writing;
    expect(await run('audit', 'verify', running)).toMatchObject({ code: 0 });
  });

  it('verify ends with 2 when the anchor was taken away, and says so', async () => {
    await loseAnchor(id);
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 2, out: '', error: expect.stringMatching(/^NOT PROVEN: .*: 3 rows .*\n.*somebody took that away/) as string });
  });

  it('verify names a broken chain with 1 also when another one is not proven', async () => {
    await tables.audit.append({ rollbackId: `label#event#${id}`, service: 'checkout', kind: 'labelled', at: '2026-11-20T09:00:00.000Z', data: {} }, null);
    await loseAnchor(`label#event#${id}`);
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 2, out: expect.stringContaining('Intact') as string, error: expect.stringContaining(`NOT PROVEN: label#event#${id}`) as string });
    await forge(0);
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 1 });
  });

  it('verify takes the anchor that the end message gave', async () => {
    expect(await run('audit', 'verify', id, '--anchor', `3:${seal.hash}`)).toMatchObject({ code: 0 });
    expect(await run('audit', 'verify', id, '--anchor', `4:${seal.hash}`)).toMatchObject({ code: 1, error: expect.stringContaining('[truncated 3]') as string });
    expect(await run('audit', 'verify', id, '--anchor', 'abc')).toMatchObject({ code: 1, error: expect.stringContaining('--anchor needs') as string });
  });

  it('export and verify --file agree, and a cut file is named', async () => {
    const path = join(folder, `${id}.json`);
    expect(await run('audit', 'export', id, '-o', path)).toMatchObject({ code: 0 });
    expect(await run('audit', 'verify', '--file', path)).toMatchObject({ code: 0, out: expect.stringContaining('came from the export itself') as string });
    const text = await readFile(path, 'utf8');
    const whole = JSON.parse(text) as { rows: unknown[] };
    await writeFile(path, JSON.stringify({ ...whole, rows: whole.rows.slice(0, 2) }));
    expect(await run('audit', 'verify', '--file', path)).toMatchObject({ code: 1, error: expect.stringContaining('[truncated 2]') as string });
    await writeFile(path, '{"rows": [1]}');
    expect(await run('audit', 'verify', '--file', path)).toMatchObject({ code: 1, error: expect.stringContaining('is not an export') as string });
  });

  it('finds that every row was removed, where the ledger remembers the rollback', async () => {
    for (const seq of [0, 1, 2]) await cut(id, seq);
    expect(await run('audit', 'verify', id)).toMatchObject({ code: 1, error: expect.stringContaining('rows 0 to 2 of 3 are missing: cut from the end [truncated 0]') as string });
  });

  it('asks for what it needs', async () => {
    expect(await run('audit', 'verify')).toMatchObject({ code: 1, error: expect.stringContaining('one of the two') as string });
    expect(await run('audit', 'verify', 'rb-unknown')).toMatchObject({ code: 1, error: expect.stringContaining('has no row of rollback "rb-unknown"') as string });
    expect(await run('audit', 'verify', id, '--table', 'elsewhere')).toMatchObject({ code: 1, error: expect.stringContaining('There is no such table') as string });
  });

  it('finds the tables of the engine by itself', async () => {
    const asked: string[] = [];
    const parameters = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += String(chunk); });
      request.on('end', () => {
        const { Name } = JSON.parse(body) as { Name: string };
        asked.push(Name);
        const tableOf: Readonly<Record<string, string>> = { '/other/audit-table': auditTable, '/other/ledger-table': 'ledger' };
        const Value = tableOf[Name];
        const answer = Value === undefined ? { __type: 'ParameterNotFound' } : { Parameter: { Value } };
        response.writeHead(Value === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => { parameters.listen(0, '127.0.0.1', resolve); });
    process.env['RIPCORD_AUDIT_TABLE'] = '';
    process.env['RIPCORD_LEDGER_TABLE'] = '';
    process.env['AWS_ENDPOINT_URL_SSM'] = `http://127.0.0.1:${(parameters.address() as AddressInfo).port}`;
    try {
      expect(await run('audit', 'verify', id, '--engine', 'other')).toMatchObject({ code: 0, out: expect.stringContaining('Intact') as string });
      expect(new Set(asked)).toEqual(new Set(['/other/audit-table', '/other/ledger-table']));
      expect(await run('audit', 'verify', id, '--engine', 'none', '--table', auditTable)).toMatchObject({ code: 1, error: expect.stringContaining('/none/ledger-table') as string });
    } finally {
      Reflect.deleteProperty(process.env, 'AWS_ENDPOINT_URL_SSM');
      parameters.closeAllConnections();
      await new Promise<void>((resolve) => { parameters.close(() => { resolve(); }); });
    }
  });

  it('show and report say what happened, without control characters', async () => {
    const shown = await run('show', id);
    expect(shown.out).toMatch(/0 {2}2026-11-20 09:00:00 UTC {2}assessed .*roll-back, worse \[31mred/);
    expect(shown.out).not.toContain('\u001b');
    expect(await run('report', id)).toMatchObject({ code: 0, out: '# It recovered' });
  });

  it('plan prints the newest plan of a record, show puts it below the rows, and a record without one says so', async () => {
    const planned = `${id}-planned`;
    const row = (kind: 'approval-asked' | 'reported', plan: readonly string[], at: string) => tables.audit.append({ rollbackId: planned, service: 'checkout', kind, at, data: { plan } }, null);
    await row('approval-asked', ['Back to v0'], '2026-11-20T09:00:00.000Z');
    await row('reported', ['Back to v1. \u001b[31m', '1. web'], '2026-11-20T09:01:00.000Z');
    expect(await run('plan', planned)).toMatchObject({ code: 0, out: 'Back to v1. [31m\n1. web' });
    expect((await run('show', planned)).out).toMatch(/\n\nThe plan\n {2}Back to v1\. \[31m\n {2}1\. web$/);
    expect((await run('show', id)).out).not.toContain('The plan');
    expect(await run('plan', id)).toMatchObject({ code: 1, error: expect.stringContaining('holds no plan') as string });
  });

  it('report says when a rollback has not ended', async () => {
    await tables.audit.append({ rollbackId: `${id}-running`, service: 'checkout', kind: 'assessed', at: '2026-11-20T09:00:00.000Z', data: {} }, null);
    expect(await run('report', `${id}-running`)).toMatchObject({ code: 1, error: expect.stringContaining('has not ended') as string });
  });
});

describe('ripcord', () => {
  it('helps, and refuses what it does not know', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('approve') as string });
    expect(await run('audit', 'verify', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--anchor') as string });
    expect(await run('frobnicate')).toMatchObject({ code: 1, error: expect.stringContaining('unknown command') as string });
  });

  it.each([
    ['an address', 'http://127.0.0.1:9', 'Nothing listens at 127.0.0.1:9: check that something runs there'],
    ['a name of several addresses', 'http://localhost:9', ':9: check that something runs there'],
    ['a name of none', 'http://sandbox.invalid:9', 'sandbox.invalid: check that something runs there'],
  ])('says which endpoint does not answer, and what to check: %s', async (_, endpoint, said) => {
    process.env['AWS_ENDPOINT_URL'] = endpoint;
    const { code, error } = await run('show', 'rb-1');
    expect([code, error]).toEqual([1, expect.stringContaining(said)]);
    expect(error).toContain(`and AWS_ENDPOINT_URL=${endpoint}: unset it to reach AWS.\n(`);
  });

  it('says so of the approval URL too, whose error lies behind another', async () => {
    Reflect.deleteProperty(process.env, 'AWS_ENDPOINT_URL');
    const { code, error } = await run('approve', 'rb-1', '--url', 'http://127.0.0.1:5999/');
    expect([code, error]).toEqual([1, expect.stringContaining('Nothing listens at 127.0.0.1:5999: check AWS_REGION, the network and its proxy, and the URL where one was given.\n(ECONNREFUSED: ')]);
  });
});
