// What an answer gives to the next requests: bounded, never quoted, and no way to lead a secret elsewhere.
import { describe, expect, it } from 'vitest';
import { assertLead, carryLimits } from '../../lambdas/adapters/journey-carried.ts';
import { masker } from '../../lambdas/adapters/journey-template.ts';
import { runJourneys } from '../../lambdas/adapters/journeys.ts';
import type { Journey } from '../../lambdas/config/schema.ts';
import { journey, json, lookup, run, serve, tools } from './journey-rig.ts';

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `token-${index}`);

describe('a carried value', () => {
  it.each<[string, unknown, RegExp]>([
    ['is a text of nearly a megabyte', 'S3cret+'.repeat(130_000), /"t" at \$\.t has 910000 bytes, more than the 4096/],
    ['is a byte too long', `S3cret+${'x'.repeat(carryLimits.bytes - 6)}`, /"t" at \$\.t has 4097 bytes/],
    ['is too long in bytes, not in letters', 'ä'.repeat(carryLimits.bytes / 2 + 1), /"t" at \$\.t has 4098 bytes/],
    ['holds six thousand texts', many(6000), /"t" at \$\.t has \d+ bytes/],
    ['holds a text more than it may', many(carryLimits.texts + 1), /"t" at \$\.t holds 101 texts, more than the 100/],
  ])('fails its journey by name, and hides no other, when it %s', async (_, t, reason) => {
    const host = await serve((request, response) => { json(response, request.url === '/' ? { t } : {}); });
    const results = await runJourneys({
      hostile: journey(host, [{ url: `http://${host}/`, timeoutMs: 5000, carry: { t: '$.t' } }, { url: `http://${host}/next`, expect: { json: [{ path: '$.never', exists: true }] } }]),
      healthy: journey(host, [{ url: `http://${host}/next`, timeoutMs: 5000 }]),
    }, tools());
    expect(results.map(({ journey: name, ok, failedAt }) => [name, ok, failedAt])).toEqual([['hostile', false, 'r1'], ['healthy', true, null]]);
    expect(results[0]?.reason).toMatch(reason);
    expect(results[0]?.couldNotRun).toBeUndefined();
    expect(JSON.stringify(results)).not.toMatch(/S3cret|token-|ää/);
  });

  it('goes on at the limits, and is not quoted', async () => {
    const longest = 'S3cret+'.repeat(600).slice(0, carryLimits.bytes);
    const list = many(carryLimits.texts);
    const host = await serve((request, response) => { json(response, request.url === '/' ? { longest, list } : { echo: `${'-'.repeat(30)}${encodeURIComponent(longest)} ${list[99]}` }); });
    const result = await run(journey(host, [
      { url: `http://${host}/`, carry: { longest: '$.longest', list: '$.list' } }, { url: `http://${host}/next`, expect: { json: [{ path: '$.echo', equals: '' }] } },
    ]));
    expect(result).toMatchObject({ ok: false, failedAt: 'r2', reason: `$.echo is "\\"${'-'.repeat(30)}[carried]…", expected "\\"\\""` });
  });

  it('may hold half a letter', async () => {
    const host = await serve((request, response) => { if (request.url === '/') response.end(String.raw`{"t":"abc\ud800def"}`); else json(response, decodeURIComponent(request.url ?? '')); });
    const result = await run(journey(host, [{ url: `http://${host}/`, carry: { t: '$.t' } }, { url: `http://${host}/{{t}}`, expect: { json: [{ path: '$', equals: 1 }] } }]));
    expect(result).toMatchObject({ ok: false, failedAt: 'r2', reason: String.raw`$ is "\"/[carried]\"", expected "1"` });
  });

  it('that no header can hold counts against the service', async () => {
    const host = await serve((_, response) => { json(response, { t: 'line\nS3cret' }); });
    const result = await run(journey(host, [{ url: `http://${host}/`, carry: { t: '$.t' } }, { url: `http://${host}/`, headers: { 'x-key': '{{t}}' } }]));
    expect(result).toMatchObject({ ok: false, failedAt: 'r2', reason: 'header x-key cannot hold what an earlier request carried' });
    expect(result.couldNotRun).toBeUndefined();
  });
});

it('a journey that breaks in a way nobody thought of hides no other, and its error is not quoted', async () => {
  const host = await serve((_, response) => { json(response, {}); });
  const broken = { ...journey(host, [{ url: `http://${host}/` }]), get requests(): Journey['requests'] { throw new SyntaxError('S3cret'); } };
  const results = await runJourneys({ broken, healthy: journey(host, [{ url: `http://${host}/` }]) }, tools());
  expect(results).toMatchObject([{ journey: 'broken', ok: false, couldNotRun: true, failedAt: null, reason: 'it broke off with SyntaxError' }, { journey: 'healthy', ok: true }]);
});

describe('masking', () => {
  const masked = (text: string, ...values: string[]): string => masker([{ values, instead: '[x]' }])(text);

  it('leaves every other letter where it is, whatever becomes of it in lower case', () => {
    const letters = Array.from({ length: 0x1_00_00 }, (_, unit) => String.fromCharCode(unit));
    const wrong = Array.from({ length: letters.length / 32 }, (_, index) => letters.slice(32 * index, 32 * index + 32).join('S3CRET'))
      .filter((text) => masked(text, 's3cret') !== text.replaceAll('S3CRET', '[x]'));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['in another case', 'a ÄRGER% b', 'a [x] b', ['ärger%']],
    ['with a letter that has two small forms', 'a ΟΔΟΣΑ', 'a [x]Α', ['ΟΔΟΣ']],
    ['URL-encoded', 'a S3cret%2b%C3%A4 b', 'a [x] b', ['S3cret+ä']],
    ['JSON-escaped', String.raw`a line\"quote b`, 'a [x] b', ['line"quote']],
    ['in base64', `a ${Buffer.from('S3cret+').toString('base64')} b`, 'a [x] b', ['S3cret+']],
    ['longest first', 'abcdef', '[x]', ['abc', 'abcdef']],
    ['over each other', 'abcdef', '[x]', ['abcd', 'cdef']],
    ['none, for an empty one', 'abc', 'abc', ['']],
  ])('takes values out %s', (_, text, expected, values) => {
    expect(masked(text, ...values)).toBe(expected);
  });

  it('leaves no half of a value where it stops reading', () => {
    const whole = `${'-'.repeat(495)}S3cretS3cret`;
    for (let cut = 0; cut < 30; cut += 1) expect(masked(whole.slice(cut), 'S3cretS3cret')).not.toContain('S3');
  });

  it('takes out what is longer than any regular expression', () => {
    const secret = 'S3cret+('.repeat(8000);
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) expect(masked(`a ${spelling} b`, secret)).toBe('a [x]…');
  });

  it('takes no time over what it will not quote', () => {
    const values = Array.from({ length: 20 }, (_, index) => `${'a'.repeat(2000 + index)}b${'a'.repeat(2000)}`);
    const began = performance.now();
    masked('a'.repeat(2 ** 20), ...values);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

function outcome(action: () => void): string {
  try {
    action();
    return 'goes';
  } catch (error) { return String(error); }
}

describe('a carried URL', () => {
  const secrets = { t: { arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' } };
  const asked = { url: '{{n}}', headers: { 'x-key': 'Bearer {{secret.t}}' } };
  const readT = { readSecrets: async () => new Map([['t', 's3cret']]), lookup };

  async function pair(): Promise<{ host: string; other: string; seen: unknown[]; first: Record<string, unknown> }> {
    const seen: unknown[] = [];
    const other = await serve((request, response) => { seen.push(request.headers['x-key']); json(response, {}); });
    const host = await serve((request, response) => { json(response, { n: `http://${other}/`, own: `http://${String(request.headers.host)}/` }); });
    return { host, other, seen, first: { url: `http://${host}/`, carry: { n: '$.n' } } };
  }

  it.each<[string, Record<string, unknown>]>([
    ['a header', asked], ['its query', { url: '{{n}}?k={{secret.t}}' }], ['its body', { url: '{{n}}', method: 'POST', body: { json: { k: '{{secret.t}}' } } }], ['authorization', { url: '{{n}}', headers: { Authorization: 'Basic abc' } }],
  ])('takes no secret in %s to another port of the same host', async (_, second) => {
    const { host, other, seen, first } = await pair();
    const result = await run(journey(host, [first, second], { secrets, allowLoopback: [host, other] }), readT);
    expect(seen).toEqual([]);
    expect(result).toMatchObject({ ok: false, couldNotRun: true, failedAt: 'r2', reason: expect.stringContaining(`the carried URL leads to ${other}, and this request holds a secret`) as string });
  });

  it('leads to another port of the same host without a secret', async () => {
    const { host, other, seen, first } = await pair();
    expect(await run(journey(host, [first, { url: '{{n}}' }], { allowLoopback: [host, other] }))).toMatchObject({ ok: true });
    expect(seen).toEqual([undefined]);
  });

  it.each<[string, (other: string) => { requests?: Record<string, unknown>[]; allowHosts?: string[] }]>([
    ['a request names', (other) => ({ requests: [{ url: `http://${other}/named` }] })], ['allowHosts names', (other) => ({ allowHosts: [other] })],
  ])('takes the secret to a server that %s', async (_, more) => {
    const { host, other, seen, first } = await pair();
    const { requests = [], allowHosts = [] } = more(other);
    expect(await run(journey(host, [first, asked, ...requests], { secrets, allowLoopback: [host, other], allowHosts }), readT)).toMatchObject({ ok: true });
    expect(seen[0]).toBe('Bearer s3cret');
  });

  it('takes the secret back to the server that handed it out', async () => {
    const { host } = await pair();
    expect(await run(journey(host, [{ url: `http://${host}/`, carry: { n: '$.own' } }, asked], { secrets }), readT)).toMatchObject({ ok: true });
  });

  it('takes no secret to any port of a host that allowHosts names without one', async () => {
    const { host, other, seen, first } = await pair();
    const result = await run(journey(host, [first, asked], { secrets, allowLoopback: [host, other], allowHosts: ['127.0.0.1'] }), readT);
    expect([seen, result.couldNotRun]).toEqual([[], true]);
  });

  it.each<[string, { from: string; to: string; urls: string[]; allowHosts?: string[] }, RegExp]>([
    ['from https: to http:, although a request goes there so', { from: 'https://a.example/', to: 'http://a.example/', urls: ['https://a.example/', 'http://a.example/'] }, /^ExchangeFailed: the carried URL leads from https: to http:/],
    ['from http: to https: on the same host', { from: 'http://a.example/', to: 'https://a.example/', urls: ['http://a.example/'] }, /^goes$/],
    ['to http: where requests go by https:', { from: 'http://b.example/', to: 'http://a.example:443/', urls: ['https://a.example/', 'http://b.example/'] }, /^JourneyBroken: .* leads to a\.example:443, and this request holds a secret: name a\.example:443 in/],
    ['to a port that allowHosts writes out', { from: 'https://a.example/', to: 'https://b.example/', urls: ['https://a.example/'], allowHosts: ['b.example:443'] }, /^goes$/],
    ['to another port of a host in allowHosts', { from: 'https://a.example/', to: 'https://b.example:8443/', urls: ['https://a.example/'], allowHosts: ['b.example'] }, /^JourneyBroken: .* name b\.example:8443 in/],
    ['to where a secret leads', { from: 'https://a.example/', to: 'https://b.example:8443/x', urls: ['https://a.example/', '{{secret.base}}/y'] }, /^goes$/],
    ['to where another answer leads', { from: 'https://a.example/', to: 'https://b.example:8443/x', urls: ['https://a.example/', '{{base}}/y'] }, /^JourneyBroken: .* neither a request of this journey nor/],
  ])('with a secret %s', (_, { from, to, urls, allowHosts = [] }, expected) => {
    const lead = { to: new URL(to), from: new URL(from), journey: journey('127.0.0.1:1', urls.map((url) => ({ url })), { allowHosts }), isConfidential: true };
    const values = new Map([['secret.base', 'https://b.example:8443'], ['base', 'https://b.example:8443']]);
    expect(outcome(() => { assertLead({ ...lead, values }); })).toMatch(expected);
  });
});
