// What a service or a redirect can get of a journey's secrets: nothing, and nothing of them comes back in a reason.
import { describe, expect, it } from 'vitest';
import { bodyOf, journey, json, lookup, readSecrets, run, serve } from './journey-rig.ts';

describe('secrets', () => {
  it.each(['s3cr3t+/=&', 'line"quote', 'plain-key'])('never come back in a reason, however the service echoes %s', async (secret) => {
    const host = await serve((request, response) => { json(response, { echo: [request.url, request.headers['x-key'], encodeURIComponent(secret), Buffer.from(secret).toString('base64')] }); });
    const result = await run(journey(host, [{ url: `http://${host}/{{secret.key}}?k={{secret.key}}`, headers: { 'x-key': '{{secret.key}}' }, expect: { json: [{ path: '$.echo', equals: 'none' }] } }]), {
      readSecrets: async () => new Map([['key', secret]]),
    });
    expect(result.ok).toBe(false);
    for (const spelling of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64')]) expect(JSON.stringify(result)).not.toContain(spelling);
    expect(result.reason).toContain('[secret]');
  });
});

describe('what one answer gives to the next request', () => {
  it('is never quoted: it may be the token of a session', async () => {
    const token = 'sess-4f9a8c+7d6e';
    const host = await serve((request, response) => {
      json(response, request.url === '/login' ? { session: { token, page: '12' } } : { error: `page 12 of ${request.headers.authorization ?? ''} expired` });
    });
    const result = await run(journey(host, [
      { url: `http://${host}/login`, carry: { session: '$.session', token: '$.session.token' } },
      { url: `http://${host}/basket`, headers: { authorization: 'Bearer {{token}}' }, expect: { json: [{ path: '$.error', equals: '' }] } },
    ]));
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('page 12 of Bearer [carried] expired') as string });
    expect(JSON.stringify(result)).not.toContain(token);
  });
});

describe('secrets of a journey', () => {
  const secrets = { key: { arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' } };

  it('do not go to a host that the service chose, not even in the query of a carried URL', async () => {
    const seen: string[] = [];
    const thief = await serve((request, response) => { seen.push(request.url ?? ''); json(response, {}); });
    const host = await serve((_, response) => { json(response, { next: `http://thief.example:${thief.split(':')[1] ?? ''}/` }); });
    const result = await run(journey(host, [
      { url: `http://${host}/`, carry: { next: '$.next' } }, { url: '{{next}}?key={{secret.key}}' },
    ], { secrets, allowLoopback: [host, thief] }), { readSecrets, lookup });
    expect(seen).toEqual([]);
    expect(result).toMatchObject({ ok: false, couldNotRun: true, reason: expect.stringContaining('neither a request of this journey nor `allowHosts` names') as string });
  });

  it('do not have their host lengthened by what the service answers', async () => {
    const host = await serve((_, response) => { json(response, { next: '.thief.example' }); });
    const result = await run(journey(host, [
      { url: `http://${host}/`, carry: { next: '$.next' } }, { url: '{{secret.key}}{{next}}/', headers: { authorization: '{{secret.key}}' } },
    ], { secrets }), { readSecrets: async () => new Map([['key', 'http://shop.example']]), lookup });
    expect(result).toMatchObject({ ok: false, couldNotRun: true, reason: expect.stringContaining('changes the host') as string });
  });

  it('do not go along in a body that a redirect sends to another host', async () => {
    const seen: string[] = [];
    const other = await serve((request, response) => { void (async () => { seen.push(await bodyOf(request)); json(response, {}); })(); });
    const host = await serve((_, response) => { response.writeHead(307, { location: `http://other.example:${other.split(':')[1] ?? ''}/` }).end(); });
    const result = await run(journey(host, [
      { url: `http://${host}/login`, method: 'POST', body: { json: { password: '{{secret.key}}' } }, followRedirects: 1 },
    ], { secrets, allowHosts: ['other.example'], allowLoopback: [host, other] }), { readSecrets, lookup });
    expect(seen).toEqual([]);
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('with a body that holds a secret') as string });
  });

  it('do not go along in a header to another port of the same host', async () => {
    const seen: unknown[] = [];
    const other = await serve((request, response) => { seen.push(request.headers['x-key']); json(response, {}); });
    const host = await serve((_, response) => { response.writeHead(302, { location: `http://${other}/` }).end(); });
    await run(journey(host, [{ url: `http://${host}/`, headers: { 'x-key': '{{secret.key}}' }, followRedirects: 1 }], { secrets, allowLoopback: [host, other] }), { readSecrets });
    expect(seen).toEqual([undefined]);
  });

  it('are masked before a text is cut, so that no half of one remains', async () => {
    const host = await serve((_, response) => { response.end(`${'x'.repeat(116)}s3cret`); });
    const result = await run(journey(host, [{ url: `http://${host}/`, expect: { json: [{ path: '$', exists: true }] } }], { secrets }), { readSecrets });
    expect(result.ok).toBe(false);
    expect(result.reason).not.toContain('xs3');
  });
});
