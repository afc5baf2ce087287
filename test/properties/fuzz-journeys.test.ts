// Whatever a service answers, a journey fails with a reason: within its time and its memory, without a secret, without reaching what it must not.
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { refusal } from '../../lambdas/config/journey-addresses.ts';
import { type JourneyTools, runJourneys } from '../../lambdas/adapters/journeys.ts';
import type { Journey, JourneyRequest } from '../../lambdas/config/schema.ts';
import type { JourneyResult } from '../../lambdas/domain/workflow.ts';
import { drip, type HostileServer, type Misbehaviour, pour, startHostile } from '../fixtures/hostile-server.ts';
import { manyCases } from './many-cases.ts';

const servers: HostileServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function hostile(...given: Parameters<typeof startHostile>): Promise<HostileServer> {
  const server = await startHostile(...given);
  servers.push(server);
  return server;
}

const secret = 'S3cr/et+"key';
const timeoutMs = 400;
const request = (url: string, more: Partial<JourneyRequest> = {}): JourneyRequest => ({
  name: 'home', method: 'GET', url, headers: { 'x-key': '{{secret.key}}' }, timeoutMs, expect: { status: 200, json: [], text: [], header: {} }, carry: {}, followRedirects: 5, ...more,
});
const journey = (host: string, more: Partial<JourneyRequest> = {}, scheme = 'http'): Journey => ({
  requests: [request(`${scheme}://${host}/`, more)], secrets: { key: { arn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:key' } }, allowHosts: [], allowLoopback: [host],
});

async function run(one: Journey, more: Partial<JourneyTools> = {}): Promise<JourneyResult> {
  const [result] = await runJourneys({ one }, { rollbackId: 'rb-1', readSecrets: async () => new Map([['key', secret]]), ...more });
  if (result === undefined) throw new Error('no result');
  return result;
}

const expectJson: Partial<JourneyRequest> = { expect: { status: 200, text: [], header: {}, json: [{ path: '$..deep', exists: true }] } };
const head = (lines: string, body: string | Buffer = ''): Buffer => Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`), Buffer.from(body)]);
const answer = (bytes: string | Buffer): Misbehaviour => (socket) => { socket.end(bytes); };

interface Case {
  readonly misbehave: Misbehaviour;
  readonly why: RegExp;
  readonly more?: Partial<JourneyRequest>;
}

const cases: Readonly<Record<string, Case>> = {
  'nothing, for ever': { misbehave: () => undefined, why: /no complete answer within 400 ms/ },
  'a hang-up': { misbehave: (socket) => { socket.destroy(); }, why: /hang up|ECONNRESET/ },
  'garbage': { misbehave: answer(Buffer.from([0x16, 3, 1, 0xff, 0])), why: /Parse Error|Expected HTTP/ },
  'a header, byte by byte': { misbehave: (socket) => { socket.write('HTTP/1.1 200 OK\r\na: '); drip(socket, 'b', 20); }, why: /no complete answer/ },
  'a body, byte by byte': { misbehave: (socket) => { socket.write(head('content-length: 100000\r\n')); drip(socket, 'x', 10); }, why: /no complete answer/ },
  'headers without an end': { misbehave: (socket) => { socket.write('HTTP/1.1 200 OK\r\n'); pour(socket, 'a: b\r\n'.repeat(1000)); }, why: /[Hh]eader/ },
  'a body without an end': { misbehave: (socket) => { socket.write(head('')); pour(socket, 'x'.repeat(65_536)); }, why: /more than 1 MiB/ },
  'informational answers without an end': { misbehave: (socket) => { pour(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)); }, why: /no complete answer|[Hh]eader/ },
  'ten megabytes of JSON': { misbehave: answer(head('content-type: application/json\r\n', `[${'1,'.repeat(5_000_000)}1]`)), why: /more than 1 MiB/ },
  'JSON nested a hundred thousand deep': { misbehave: answer(head('', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)), why: /nested too deep/, more: { expect: { status: 200, text: [], header: {}, json: [{ path: '$', equals: 1 }] } } },
  'an answer cut off midway': { misbehave: answer(head('content-length: 1000\r\n', '{"a":')), why: /aborted|ECONNRESET|hang up/ },
  'broken chunks': { misbehave: answer(head('transfer-encoding: chunked\r\n', 'ZZ\r\nx\r\n')), why: /Parse Error|aborted/ },
  'another protocol': { misbehave: answer('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), why: /another protocol|answered 101/ },
  'a bomb in gzip, which nobody asked for': { misbehave: answer(head('content-encoding: gzip\r\n', gzipSync(Buffer.alloc(50_000_000)))), why: /is not JSON/, more: expectJson },
  'text that is no UTF-8': { misbehave: answer(head('', Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]))), why: /is not JSON/, more: expectJson },
  'a redirect to itself': { misbehave: answer('HTTP/1.1 302 Found\r\nlocation: /\r\nconnection: close\r\n\r\n'), why: /more than 5 redirects/ },
  'a redirect to another host': { misbehave: answer('HTTP/1.1 302 Found\r\nlocation: http://evil.example/\r\n\r\n'), why: /redirected to evil\.example/ },
  'a redirect to the metadata service': { misbehave: answer('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\r\n'), why: /169\.254\.169\.254/ },
  'a redirect to a file': { misbehave: answer('HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\n\r\n'), why: /redirected from http: to file:/ },
  'a redirect to no URL': { misbehave: answer('HTTP/1.1 302 Found\r\nlocation: http://[\r\n\r\n'), why: /no URL/ },
  'its secret as a host': { misbehave: answer(`HTTP/1.1 302 Found\r\nlocation: http://${encodeURIComponent(secret).replaceAll('%', '')}.example/\r\n\r\n`), why: /redirected/ },
  'its secret in the body': { misbehave: answer(head('', `${'x'.repeat(100)}${secret}`)), why: /is not JSON/, more: expectJson },
};

describe('a hostile answer', () => {
  it.each(Object.entries(cases))('%s: fails with a reason, in time', async (_, { misbehave, why, more = {} }) => {
    const server = await hostile(misbehave);
    const result = await run(journey(server.host, more));
    expect(result).toMatchObject({ ok: false, failedAt: 'home' });
    expect(result.reason).toMatch(why);
    expect(result.durationMs).toBeLessThan(timeoutMs * 6);
    expect((result.reason ?? '').toLowerCase()).not.toContain(secret.toLowerCase());
    expect((result.reason ?? '').length).toBeLessThanOrEqual(400);
    // Sockets buffer some; what is poured after the limit is not read.
    expect(server.sent()).toBeLessThan(16 * 2 ** 20);
  });

  it.each([['untrusted', /self[- ]signed|certificate|altname/i], ['no-certificate', /handshake|SSL|alert/i]] as const)('TLS that is %s is not believed', async (secure, why) => {
    const server = await hostile(answer(head('', 'ok')), secure);
    const result = await run(journey(server.host, {}, 'https'));
    expect(result).toMatchObject({ ok: false });
    expect(result.reason).toMatch(why);
    // Not one byte of the request went out.
    expect(server.requests).toEqual([]);
  });

  it('plain text where TLS was asked for fails', async () => {
    const server = await hostile(answer(head('', 'ok')));
    expect((await run(journey(server.host, {}, 'https'))).reason).toMatch(/SSL|wrong version|packet length/i);
  });

  it('counts against the service: only what a person has to mend in the journey does not', async () => {
    const server = await hostile(answer(head('', '['.repeat(100_000) + ']'.repeat(100_000))));
    expect((await run(journey(server.host, expectJson))).couldNotRun).toBeUndefined();
  });

  it('of any bytes at all ends the journey, and no process', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, isBody) => {
      const server = await hostile(answer(isBody ? head('', Buffer.from(bytes)) : Buffer.from(bytes)));
      const result = await run(journey(server.host, expectJson));
      expect(result.ok).toBe(false);
      expect(result.reason).toEqual(expect.not.stringMatching(/\p{Cc}/u));
    }), manyCases(40));
  });

  it('of a name that is never resolved ends in time', async () => {
    const result = await run({ ...journey('127.0.0.1:1'), requests: [request('http://slow.example/')] }, { lookup: () => undefined });
    expect(result).toMatchObject({ ok: false });
    expect(result.reason).toMatch(/no complete answer/);
  });
});

describe('what a hostile answer carries', () => {
  const carrying = (host: string, paths: Record<string, string>): Journey => {
    const [first] = journey(host, { carry: paths, timeoutMs: 5000 }).requests;
    // Its expectation cannot be met, so that all that came back has to be masked and quoted.
    const second = request(`http://${host}/{{a}}`, { name: 'next', timeoutMs: 5000, expect: { status: 200, text: [], header: {}, json: [{ path: '$.text', equals: secret }] } });
    return { ...journey(host), requests: [...(first === undefined ? [] : [first]), second] };
  };

  it('fails one journey by name, whatever it is: it hides no other and is never quoted', async () => {
    await fc.assert(fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', minLength: 6, maxLength: 6000 }), fc.array(fc.string({ minLength: 6 }), { maxLength: 300 })), async (value) => {
      const server = await hostile(answer(head('connection: close\r\n', JSON.stringify({ a: value, text: [value, secret] }))));
      const results = await runJourneys({ one: carrying(server.host, { a: '$.a' }), other: journey(server.host) }, { rollbackId: 'rb-1', readSecrets: async () => new Map([['key', secret]]) });
      expect(results.map(({ ok }) => ok)).toEqual([false, true]);
      const reason = results[0]?.reason ?? '';
      const begin = typeof value === 'string' && value.length > 20 ? JSON.stringify(value).slice(1, 20) : secret;
      for (const text of [secret, begin]) expect(reason).not.toContain(text);
    }), manyCases(30));
  });

  it.each<[string, unknown]>([
    ['one text of nearly a megabyte', 'S3cret+'.repeat(130_000)], ['six thousand texts', Array.from({ length: 6000 }, (_, index) => `token-${index}`)], ['twenty thousand texts', Array.from({ length: 20_000 }, (_, index) => `token-${index}-${'x'.repeat(10)}`)],
    ['a hundred texts for each of twenty names', Array.from({ length: 100 }, (_, index) => `token-${index}`)], ['nested a hundred thousand deep', null],
    ['what takes longest to look for', `${'a'.repeat(2000)}b${'a'.repeat(2000)}`],
  ])('leaves the others their time: %s', async (_, a) => {
    const json = a === null ? `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}` : JSON.stringify({ a, text: 'a'.repeat(Math.max(0, 900_000 - JSON.stringify(a).length)) });
    const [server, slow] = [await hostile(answer(head('connection: close\r\n', json))), await hostile((socket) => { setTimeout(() => { socket.end(head('content-length: 0\r\n')); }, 250); })];
    const names = Object.fromEntries('abcdefghijklmnopqrst'.split('').map((name) => [name, '$.a']));
    const results = await runJourneys({ one: carrying(server.host, names), two: carrying(server.host, names), healthy: journey(slow.host, { timeoutMs: 2500 }) }, { rollbackId: 'rb-1', readSecrets: async () => new Map([['key', secret]]) });
    expect(results.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(JSON.stringify(results)).not.toMatch(/S3cret|token-/);
  });
});

describe('the address fence', () => {
  const byte = fc.nat({ max: 255 });
  const linkLocal = fc.tuple(byte, byte).map(([c, d]) => [169, 254, c, d] as const);
  const hex = (parts: readonly number[]): string => [0, 2].map((at) => (((parts[at] ?? 0) << 8) | (parts[at + 1] ?? 0)).toString(16)).join(':');
  const spellings: readonly ((ip: readonly number[]) => string)[] = [
    (ip) => `[::ffff:${ip.join('.')}]`, (ip) => `[::ffff:${hex(ip)}]`, (ip) => `[64:ff9b::${hex(ip)}]`, (ip) => `[64:ff9b:1::${hex(ip)}]`, (ip) => `[::${hex(ip)}]`,
    (ip) => `[2002:${hex(ip)}::1]`, (ip) => `[::ffff:0:${hex(ip)}]`, (ip) => String(ip.reduce((sum, one) => sum * 256 + one, 0)),
    (ip) => ip.map((one) => `0${one.toString(8)}`).join('.'), (ip) => ip.map((one) => `0x${one.toString(16)}`).join('.'), (ip) => `${ip[0]}.${ip[1]}.${(ip[2] ?? 0) * 256 + (ip[3] ?? 0)}`,
    (ip) => `${ip.join('.')}.`,
  ];

  it('knows a link-local address in every spelling, as a literal and from a name', async () => {
    await fc.assert(fc.asyncProperty(linkLocal, fc.constantFrom(...spellings), async (ip, spell) => {
      const url = `http://${spell(ip)}/latest/meta-data/`;
      fc.pre(URL.canParse(url));
      const result = await run({ ...journey('127.0.0.1:1'), requests: [request(url)] });
      expect(result, url).toMatchObject({ ok: false, couldNotRun: true });
      expect(refusal(new URL(url).hostname.replaceAll(/^\[|\]$/g, ''), true)).not.toBeNull();
    }), manyCases(150));
  });

  it('asks again for each connection: a name that was good once and is not on the redirect is not followed', async () => {
    const server = await hostile(answer('HTTP/1.1 302 Found\r\nlocation: /again\r\nconnection: close\r\n\r\n'));
    const port = server.host.split(':')[1] ?? '';
    let asked = 0;
    const lookup: JourneyTools['lookup'] = (_, __, callback) => { callback(null, [{ address: (asked += 1) === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]); };
    const result = await run({ ...journey(`shop.example:${port}`), requests: [request(`http://shop.example:${port}/`)] }, { lookup });
    expect(result).toMatchObject({ ok: false, couldNotRun: true });
    expect(result.reason).toContain('169.254.169.254');
    expect(asked).toBe(2);
  });
});
