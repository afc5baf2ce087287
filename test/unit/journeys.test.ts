// Journeys against real HTTP servers on loopback: what passes, what fails and why, and what they must never reach.
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../lambdas/config/journey-addresses.ts';
import { runJourneys } from '../../lambdas/adapters/journeys.ts';
import type { Journey } from '../../lambdas/config/schema.ts';
import { bodyOf, journey, json, lookup, readSecrets, type Requests, run, serve, servers, tools } from './journey-rig.ts';

describe('a journey', () => {
  it('goes through its requests, fills templates, carries values with their types, and says who it is', async () => {
    const seen: string[] = [];
    const host = await serve((request, response) => {
      void (async () => {
        seen.push(`${request.method} ${request.url} ${request.headers['user-agent']} ${String(request.headers['x-ripcord-rollback'])} ${request.headers['authorization'] ?? '-'} ${await bodyOf(request)}`);
        json(response, request.url === '/cart' ? { id: 'a/b c', total: 12.5 } : { ok: true, lines: [{ n: 1 }, { n: 1 }] });
      })();
    });
    const result = await run(journey(host, [
      { url: `http://${host}/cart`, method: 'POST', body: { json: { item: 7 } }, headers: { authorization: 'Bearer {{secret.key}}' }, carry: { cart: '$.id', total: '$.total' } },
      { url: `http://${host}/pay/{{cart}}?q={{cart}}`, method: 'PUT', body: { json: { total: '{{total}}', note: 'pay {{total}}' } }, expect: { json: [{ path: '$.ok', equals: true }, { path: '$.lines[*].n', equals: 1 }, { path: '$.gone', exists: false }] } },
    ], { secrets: { key: { arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' } } }), { readSecrets: async () => new Map([['key', 's3cret']]) });
    expect(result).toMatchObject({ journey: 'j', ok: true, failedAt: null, reason: null });
    expect(seen).toEqual([
      'POST /cart ripcord-journey rb-1 Bearer s3cret {"item":7}',
      'PUT /pay/a/b%20c?q=a%2Fb%20c ripcord-journey rb-1 - {"total":12.5,"note":"pay 12.5"}',
    ]);
  });

  it.each<[string, Record<string, unknown>, (response: ServerResponse) => void, RegExp]>([
    ['another status', {}, (response) => { json(response, {}, 503); }, /answered 503, expected 200/],
    ['wrong JSON', { expect: { json: [{ path: '$.status', equals: 'up' }] } }, (response) => { json(response, { status: 'down' }); }, /\$\.status is .*down.*expected .*up/],
    ['one of many matches wrong', { expect: { json: [{ path: '$[*]', equals: 1 }] } }, (response) => { json(response, [1, 2]); }, /\$\[\*\] is "2"/],
    ['a missing value', { expect: { json: [{ path: '$.a', exists: true }] } }, (response) => { json(response, {}); }, /\$\.a is missing/],
    ['no JSON at all', { expect: { json: [{ path: '$', exists: true }] } }, (response) => { response.end('<html>'); }, /body is not JSON/],
    ['missing text', { expect: { text: ['Thank you'] } }, (response) => { response.end('Sorry'); }, /does not contain "Thank you"/],
    ['another header', { expect: { header: { 'X-Side': 'blue' } } }, (response) => { response.setHeader('x-side', 'green').end(); }, /header X-Side is "green", expected "blue"/],
    ['too slow an answer', { expect: { latencyMs: 30 } }, (response) => { setTimeout(() => response.end(), 120); }, /took \d+ ms, expected at most 30 ms/],
    ['nothing to carry', { carry: { id: '$.id' } }, (response) => { json(response, {}); }, /\$\.id is missing, so "id" cannot be carried/],
    ['a broken connection', {}, (response) => { response.destroy(); }, /socket hang up|ECONNRESET/],
  ])('fails with its request and the reason on %s', async (_, request, listener, reason) => {
    const host = await serve((__, response) => { listener(response); });
    const result = await run(journey(host, [{ url: `http://${host}/`, ...request }]));
    expect(result).toMatchObject({ ok: false, failedAt: 'r1' });
    expect(result.couldNotRun).toBeUndefined();
    expect(result.reason).toMatch(reason);
  });

  it('counts a refused connection against the service', async () => {
    const host = await serve(() => undefined);
    const gone = servers.pop();
    await new Promise<void>((resolve) => { gone?.close(() => { resolve(); }); });
    const result = await run(journey(host, [{ url: `http://${host}/` }]));
    expect(result).toMatchObject({ ok: false, failedAt: 'r1' });
    expect(result.couldNotRun).toBeUndefined();
  });
});

describe('the limits of a request', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['never answers', () => undefined],
    ['answers a byte now and then', (response) => { const timer = setInterval(() => response.write('x'), 40); response.on('close', () => { clearInterval(timer); }); }],
  ])('hold over the whole exchange with a server that %s', async (_, listener) => {
    const host = await serve((__, response) => { listener(response); });
    const began = performance.now();
    const result = await run(journey(host, [{ url: `http://${host}/`, timeoutMs: 300 }]));
    expect(result).toMatchObject({ ok: false, reason: 'no complete answer within 300 ms' });
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('count redirects in', async () => {
    const host = await serve((request, response) => { setTimeout(() => response.writeHead(302, { location: `/${String(request.url).length}x` }).end(), 150); });
    const result = await run(journey(host, [{ url: `http://${host}/`, timeoutMs: 350, followRedirects: 5 }]));
    expect(result.reason).toBe('no complete answer within 350 ms');
  });

  it('end an endless body after 1 MiB', async () => {
    let sent = 0;
    const host = await serve((_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => { while (!response.destroyed && response.write(chunk)) sent += chunk.length; };
      response.on('drain', write);
      write();
    });
    const result = await run(journey(host, [{ url: `http://${host}/`, timeoutMs: 5000 }]));
    expect(result.reason).toBe('answered with a body of more than 1 MiB');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('redirects', () => {
  it('are an answer like any other when the journey follows none', async () => {
    const host = await serve((_, response) => { response.writeHead(302, { location: 'http://elsewhere.example/' }).end(); });
    expect(await run(journey(host, [{ url: `http://${host}/`, expect: { status: 302, header: { location: 'http://elsewhere.example/' } } }]))).toMatchObject({ ok: true });
  });

  it('are followed on the same host, as a GET without a body after 303', async () => {
    const seen: string[] = [];
    const host = await serve((request, response) => {
      void (async () => {
        seen.push(`${request.method} ${request.url} ${await bodyOf(request)} ${request.headers['content-type'] ?? '-'}`);
        if (request.url === '/') response.writeHead(303, { location: '/done' }).end();
        else response.end('done');
      })();
    });
    expect(await run(journey(host, [{ url: `http://${host}/`, method: 'POST', body: { json: 1 }, followRedirects: 1, expect: { text: ['done'] } }]))).toMatchObject({ ok: true });
    expect(seen).toEqual(['POST / 1 application/json', 'GET /done  -']);
  });

  it('end after as many as were allowed', async () => {
    let count = 0;
    const host = await serve((_, response) => { count += 1; response.writeHead(302, { location: '/again' }).end(); });
    expect(await run(journey(host, [{ url: `http://${host}/`, followRedirects: 3 }]))).toMatchObject({ ok: false, reason: 'more than 3 redirects' });
    expect(count).toBe(4);
  });

  it('do not lead to another host, unless the journey names it, and then without its secrets', async () => {
    const seen: unknown[] = [];
    const other = (await serve((request, response) => { seen.push([request.headers['authorization'], request.headers['x-key'], request.headers['x-plain']]); response.end('other'); })).replace('127.0.0.1', 'localhost');
    const host = await serve((_, response) => { response.writeHead(307, { location: `http://${other}/` }).end(); });
    const request = { url: `http://${host}/`, followRedirects: 2, headers: { authorization: 'Basic abc', 'x-key': '{{secret.key}}', 'x-plain': 'yes' } };
    const secrets = { secrets: { key: { arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' } } };
    const refused = await run(journey(host, [request], { allowLoopback: [host, other], ...secrets }), { readSecrets });
    expect(refused.reason).toBe(`redirected to ${other}, which \`allowHosts\` does not name`);
    expect(seen).toEqual([]);
    expect(await run(journey(host, [request], { allowLoopback: [host, other], allowHosts: ['localhost'], ...secrets }), { readSecrets })).toMatchObject({ ok: true });
    expect(seen).toEqual([[undefined, undefined, 'yes']]);
  });

  it('do not lead to the metadata service, even when the journey names it', async () => {
    const host = await serve((_, response) => { response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(); });
    const result = await run(journey(host, [{ url: `http://${host}/`, followRedirects: 1 }], { allowHosts: ['169.254.169.254'] }));
    expect(result).toMatchObject({ ok: false, couldNotRun: true });
    expect(result.reason).toMatch(/link-local address, where instance metadata lives/);
  });
});

describe('the address fence', () => {
  it.each([
    'http://169.254.169.254/', 'http://169.254.170.2/', 'http://2852039166/', 'http://0xa9.254.43518/', 'http://[::ffff:169.254.169.254]/', 'http://[::ffff:a9fe:a9fe]/',
    'http://[fd00:ec2::254]/', 'http://[fe80::1]/', 'http://0.0.0.0/', 'http://[::]/', 'http://224.0.0.1/', 'http://255.255.255.255/', 'http://[ff02::1]/',
    'http://[64:ff9b::a9fe:a9fe]/', 'http://[2002:a9fe:a9fe::1]/', 'http://[::a9fe:a9fe]/', 'http://127.0.0.1:9/', 'http://127.9.9.9/', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/',
  ])('refuses the literal %s before anything is sent', async (url) => {
    const result = await run(journey('127.0.0.1:1', [{ url }]));
    expect(result).toMatchObject({ ok: false, couldNotRun: true, failedAt: 'r1' });
    expect(result.durationMs).toBeLessThan(200);
  });

  it.each(['10.0.0.1', '172.16.3.4', '192.168.1.1', '100.64.0.1', 'fd12:3456::1', '8.8.8.8', '2600:1f18::1', '::ffff:10.0.0.1', '64:ff9b::808:808'])('lets %s pass: internal load balancers live there', (address) => {
    expect(refusal(address, false)).toBeNull();
  });

  it.each([
    ['169.254.169.254', 4], ['fe80::1', 6], ['::ffff:169.254.169.254', 6], ['127.0.0.1', 4],
  ] as const)('refuses a name that resolves to %s at the moment of connecting', async (address, family) => {
    const result = await run(journey('127.0.0.1:1', [{ url: 'http://shop.example:8080/' }]), {
      lookup: (_, __, callback) => { callback(null, [{ address, family }]); },
    });
    expect(result).toMatchObject({ ok: false, couldNotRun: true });
    expect(result.reason).toContain(`shop.example is ${address}`);
  });

  it('refuses a name of which one address is out of bounds', async () => {
    const result = await run(journey('127.0.0.1:1', [{ url: 'http://shop.example/' }]), {
      lookup: (_, __, callback) => { callback(null, [{ address: '10.0.0.1', family: 4 }, { address: '169.254.169.254', family: 4 }]); },
    });
    expect(result).toMatchObject({ couldNotRun: true });
  });

  it('reaches loopback only on the host and port the journey names', async () => {
    const host = await serve((_, response) => { response.end('hi'); });
    const port = host.split(':')[1] ?? '';
    expect(await run(journey(host, [{ url: `http://shop.example:${port}/` }], { allowLoopback: [`shop.example:${port}`] }), { lookup })).toMatchObject({ ok: true });
    expect(await run(journey(host, [{ url: `http://${host}/` }], { allowLoopback: ['127.0.0.1:1'] }))).toMatchObject({ ok: false, couldNotRun: true });
  });
});

describe('a journey that cannot be run', () => {
  it.each<[string, Requests, RegExp]>([
    ['a template without a value', [{ url: 'http://shop.example/{{nothing}}' }], /\{\{nothing\}\} has no value/],
    ['a template in the host', [{ url: 'http://shop.{{secret.key}}.example/' }], /stands in the host/],
    ['another scheme', [{ url: '{{secret.url}}' }], /scheme file:/],
    ['a header with a blank in its name', [{ url: 'http://shop.example/', headers: { 'odd key': '1' } }], /header "odd key" has a name that HTTP does not allow/],
    ['a header with a line break', [{ url: 'http://shop.example/', headers: { 'h-key': 'a\nb' } }], /header h-key has a value that HTTP does not allow/],
    ['a secret that no header takes', [{ url: 'http://shop.example/', headers: { 'h-key': 'Bearer {{secret.lines}}' } }], /header h-key has a value that HTTP does not allow/],
  ])('is no evidence against the service: %s', async (_, requests, reason) => {
    const result = await run(journey('127.0.0.1:1', requests), { readSecrets: async () => new Map([['key', 'x'], ['url', 'file:///etc/passwd'], ['lines', 'a\r\nb']]) });
    expect(result).toMatchObject({ ok: false, couldNotRun: true });
    expect(result.reason).toMatch(reason);
  });

  it('says so for a path that is no JSONPath', async () => {
    const host = await serve((_, response) => { json(response, {}); });
    expect(await run(journey(host, [{ url: `http://${host}/`, expect: { json: [{ path: '$[', exists: true }] } }]))).toMatchObject({ ok: false, couldNotRun: true });
  });

  it('does not go to a host that only the service named', async () => {
    const host = await serve((_, response) => { json(response, { next: 'http://attacker.example/' }); });
    const result = await run(journey(host, [{ url: `http://${host}/`, carry: { next: '$.next' } }, { url: '{{next}}' }]));
    expect(result).toMatchObject({ ok: false, couldNotRun: true, failedAt: 'r2' });
    expect(result.reason).toMatch(/leads to attacker\.example/);
  });

  it('says so when its secrets cannot be read', async () => {
    const result = await run(journey('127.0.0.1:1', [{ url: 'http://shop.example/' }]), { readSecrets: async () => { throw new Error('not authorized'); } });
    expect(result).toMatchObject({ ok: false, couldNotRun: true, failedAt: null, reason: 'its secrets could not be read: not authorized' });
  });
});

describe('the journeys of a round', () => {
  it('run side by side, and the failure of one hides no other', async () => {
    let open = 0;
    let most = 0;
    const host = await serve((request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => { open -= 1; if (request.url === '/bad') response.destroy(); else response.end('ok'); }, 100);
    });
    const one = (path: string): Journey => journey(host, [{ url: `http://${host}${path}` }]);
    const results = await runJourneys({ a: one('/ok'), b: one('/bad'), c: one('/ok'), d: journey(host, [{ url: 'http://169.254.169.254/' }]) }, tools());
    expect(results.map(({ journey: name, ok }) => [name, ok])).toEqual([['a', true], ['b', false], ['c', true], ['d', false]]);
    expect(most).toBe(3);
  });
});
