// A secret that a server spells in its own way does not come back either.
import { describe, expect, it } from 'vitest';
import { credentialsIn, spelled } from '../../lambdas/adapters/journey-spellings.ts';
import { masker } from '../../lambdas/adapters/journey-template.ts';
import type { JourneyResult } from '../../lambdas/domain/workflow.ts';
import { journey, run, serve } from './journey-rig.ts';

const secret = 'k3y/A=b&c+"9éü';
const each = (how: (letter: string) => string): string => Array.from(secret, how).join('');
const hex = (letter: string, digits: number): string => letter.charCodeAt(0).toString(16).padStart(digits, '0');
const rare = (how: (letter: string) => string) => (letter: string): string => (/[a-z0-9]/i.test(letter) ? letter : how(letter));

const spellings: readonly (readonly [string, string])[] = [
  ['by mustache', each(rare((letter) => `&#x${hex(letter, 2).toUpperCase()};`))],
  ['for HTML, in decimal', each(rare((letter) => `&#${letter.charCodeAt(0)};`))],
  ['for HTML, by name', secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('/', '&sol;')],
  ['by PHP', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
  ['by Go and Rails', each(rare((letter) => `\\u${hex(letter, 4)}`))],
  ['in bytes of a string', each(rare((letter) => `\\x${hex(letter, 2)}`))],
  ['in percent signs, every letter', Buffer.from(secret).toString('hex').replaceAll(/../g, '%$&')],
  ['in percent signs, twice', encodeURIComponent(encodeURIComponent(secret))],
  ['as a form', encodeURIComponent(secret).replaceAll('%2F', '/')],
  ['for HTML, within JSON', JSON.stringify(each(rare((letter) => `&#x${hex(letter, 2)};`)))],
  ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
  ['in base64, after a user', Buffer.from(`shop:${secret}`).toString('base64')],
  ['in base64 for URLs, after a user and within a path', `/${Buffer.from(`me:${secret}`).toString('base64url')}/`],
  ['in hex', Buffer.from(secret).toString('hex')],
  ['in hex, in capitals', Buffer.from(secret).toString('hex').toUpperCase()],
];

/** What comes of a journey that has the secret, and whose service answers so. */
async function answered(expected: object, body: string, headers: Readonly<Record<string, string>> = {}): Promise<JourneyResult> {
  const host = await serve((_request, response) => { response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body); });
  return run(journey(host, [{ url: `http://${host}/`, headers: { 'x-key': '{{secret.key}}' }, expect: expected }]), { readSecrets: async () => new Map([['key', 'abc/d=e&f']]) });
}

describe('a value that nobody may read', () => {
  it.each(spellings)('is found when it was spelled %s', (_how, text) => {
    expect(spelled([secret])(`the key ${text} is wrong`)).toBe(true);
  });

  it.each(spellings)('takes with it the whole of what is quoted, spelled %s', (_how, text) => {
    expect(masker([{ values: [secret], instead: '[secret]' }])(`the key ${text} is wrong`)).toMatch(/^(the key \[secret\] is wrong|\[secret\])$/);
  });

  it('is found where the quotation begins to be cut', () => {
    const text = `${'x'.repeat(495)}${spellings[4]?.[1]}`;
    expect(masker([{ values: [secret], instead: '[secret]' }])(text)).toBe('[secret]');
  });

  it.each(['the key is wrong', '{"error":"k3y\\/B"}', Buffer.from('shop:another').toString('base64'), '%6b%33', '&#x6b;3y', '&;&#;&#x;\\u12\\x\\%4%'])('is not seen in %s', (text) => {
    const mask = masker([{ values: [secret, 'abc'], instead: '[secret]' }]);
    expect(mask(text)).toBe(text);
  });

  it('takes no longer for a text made to be slow, and for ever so many values', () => {
    const values = Array.from({ length: 20_000 }, (_, index) => `${'a'.repeat(40)}${index}`);
    const holds = spelled(values);
    const began = performance.now();
    for (const unit of ['&', '&#', '\\', '\\u', '%', '%2', 'a', '&amp;', '%25', 'A=']) expect(holds(unit.repeat(1300).slice(0, 1300))).toBe(false);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('is not quoted from a value, a header or a page, however the service escapes it', async () => {
    const html = 'abc&#x2F;d&#x3D;e&amp;f';
    expect(await answered({ json: [{ path: '$.error', equals: '' }] }, JSON.stringify({ error: html }))).toMatchObject({ reason: '$.error is "[secret]", expected "\\"\\""' });
    expect(await answered({ json: [{ path: '$.error', equals: '' }] }, '{"error":"abc\\\\/d\\\\u003de\\\\u0026f"}')).toMatchObject({ reason: '$.error is "[secret]", expected "\\"\\""' });
    expect(await answered({ header: { 'x-error': 'none' } }, '{}', { 'x-error': html })).toMatchObject({ reason: 'header x-error is "[secret]", expected "none"' });
  });

  it('is not quoted from a body that is no JSON, of which nothing is', async () => {
    const body = '<h1>Whoops</h1> key=abc, and whatever else a broken server prints';
    const { reason } = await answered({ json: [{ path: '$', exists: true }] }, body, { 'content-type': 'text/html; charset=utf-8; key=abc' });
    expect(reason).toBe(`the body is not JSON, but ${body.length} bytes of text/html, with status 200`);
    expect(await answered({ json: [{ path: '$', exists: true }] }, '<', { 'content-type': 'my key/abc' })).toMatchObject({ reason: 'the body is not JSON, but 1 bytes of no known type, with status 200' });
  });
});

describe('Basic credentials', () => {
  const basic = Buffer.from('shop-user:p4ss/word?').toString('base64');

  it.each([['alone', basic], ['with their scheme', `Basic ${basic}`], ['for URLs, without padding', Buffer.from('shop-user:p4ss/word?').toString('base64url')]])('are read %s', (_how, value) => {
    expect(credentialsIn(value)).toEqual(['shop-user:p4ss/word?', 'shop-user', 'p4ss/word?']);
  });

  it.each(['plain-key', 's3cr3t+/=&', '', 'c2hvcA=='])('are not read in %j', (value) => {
    expect(credentialsIn(value)).toEqual([]);
  });

  it('come back neither whole nor by half, where the server decodes them', () => {
    const mask = masker([{ values: [basic], instead: '[secret]' }]);
    expect(mask('user shop-user has another password than p4ss/word?')).toBe('user [secret] has another password than [secret]');
    expect(mask('no p4ss&#x2F;word? of anybody')).toBe('[secret]');
  });
});
