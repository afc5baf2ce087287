// A journey that could never run or never pass is refused at synth, each mistake once, with its place and its mend.
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../lib/load-config.ts';
import { minimalYaml } from './config-samples.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with one journey of a catalogue, without the path that all share. */
function problemsOf(journey: Fields): string[] {
  const [before = '', after = ''] = minimalYaml.split('    verification:\n');
  const given = stringify({ journeys: { buy: journey } }).replaceAll(/^/gm, '    ').trimEnd();
  try {
    parseConfig(`${before}${given}\n    verification:\n${after}`, 'services.yaml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(/^services\.yaml:\d+ services\.checkout\.journeys\.buy\./, ''));
  }
}

const secrets = { h: { arn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:h-AbCdEf' } };
const asked = (request: Fields, more: Fields = {}): Fields => ({ requests: [{ name: 'a', url: 'https://shop.example/', ...request }], secrets, ...more });

describe('is refused', () => {
  it.each<[string, Fields, string]>([
    ['a JSONPath that breaks off', asked({ expect: { json: [{ path: '$[', exists: true }] } }), 'requests.0.expect.json.0.path: "$[" is no JSONPath of RFC 9535; one is $.items[0].id, or $..[?@.name == \'tea\'].price'],
    ['a carried JSONPath that breaks off', asked({ carry: { t: '$..[?@' } }), 'requests.0.carry.t: "$..[?@" is no JSONPath of RFC 9535; one is $.items[0].id, or $..[?@.name == \'tea\'].price'],
    ['a header with a blank in its name', asked({ headers: { 'x key': '1' } }), 'requests.0.headers.x key: is no name of a header; write letters, digits and hyphens'],
    ['an expected header with a blank in its name', asked({ expect: { header: { 'x key': '1' } } }), 'requests.0.expect.header.x key: is no name of a header; write letters, digits and hyphens'],
    ['a header with a line break', asked({ headers: { 'x-key': 'a\nb' } }), 'requests.0.headers.x-key: has a value that no header can hold: a line break, or a letter beyond Latin-1; encode it'],
    ['a header with a letter of many bytes', asked({ headers: { 'x-price': '12 €' } }), 'requests.0.headers.x-price: has a value that no header can hold: a line break, or a letter beyond Latin-1; encode it'],
    ['a length of its own', asked({ headers: { 'Content-Length': '3' } }), 'requests.0.headers.Content-Length: is set from the body by itself; leave it out'],
    ['one header in two spellings', asked({ headers: { 'X-Key': '1', 'x-key': '2' } }), 'requests.0.headers.x-key: is the same header as X-Key, in other letters; leave one of them out'],
    ['a URL without a host', asked({ url: 'http://' }), 'requests.0.url: has no host; write it after the //'],
    ['a URL with a port that is none', asked({ url: 'http://shop.example:99999/' }), 'requests.0.url: is no URL; compare its host and its port'],
    ['a template in the host', asked({ url: 'https://{{secret.h}}.example/' }), 'requests.0.url: has a template in its host, and a service must not choose who gets the secrets; write the host out and a / after it, or begin the URL with a {{secret.name}} that holds all of it'],
    ['a template right after the host', asked({ url: 'https://shop.example{{secret.h}}' }), 'requests.0.url: has a template in its host, and a service must not choose who gets the secrets; write the host out and a / after it, or begin the URL with a {{secret.name}} that holds all of it'],
    ['a template without an end', asked({ url: '{{secret.h/x' }), 'requests.0.url: begins with a template that has no end; write {{name}}'],
    ['the metadata service', asked({ url: 'http://169.254.169.254/latest/' }), 'requests.0.url: leads to 169.254.169.254, a link-local address, where instance metadata lives, which no journey may reach; name a host of the service'],
    ['the metadata service as a number', asked({ url: 'http://2852039166/{{secret.h}}' }), 'requests.0.url: leads to 169.254.169.254, a link-local address, where instance metadata lives, which no journey may reach; name a host of the service'],
    ['the metadata service in IPv6', asked({ url: 'http://[fd00:ec2::254]/' }), 'requests.0.url: leads to fd00:ec2::254, an address of the metadata service, which no journey may reach; name a host of the service'],
    ['loopback', asked({ url: 'http://127.0.0.1:8080/' }), 'requests.0.url: leads to 127.0.0.1, a loopback address that `allowLoopback` does not name, which no journey may reach; name a host of the service'],
    ['loopback by its name', asked({ url: 'http://localhost:8080/' }), 'requests.0.url: leads to localhost, a loopback address that `allowLoopback` does not name, which no journey may reach; name a host of the service'],
    ['a password in the URL', asked({ url: 'https://bob:pw@shop.example/' }), 'requests.0.url: holds a user or a password, which no request sends and everybody can read; send a header `authorization: Basic {{secret.name}}`'],
    ['every host', asked({}, { allowHosts: ['*'] }), 'allowHosts.0: "*" is no host; write one, such as shop.example or shop.example:8443'],
    ['a URL as a host', asked({}, { allowHosts: ['https://x/'] }), 'allowHosts.0: "https://x/" is never the host of a URL; write x'],
    ['no host as a host', asked({}, { allowHosts: [''] }), 'allowHosts.0: "" is no host; write one, such as shop.example or shop.example:8443'],
    ['a host in capitals', asked({}, { allowHosts: ['Shop.Example:8443'] }), 'allowHosts.0: "Shop.Example:8443" is never the host of a URL; write shop.example:8443'],
    ['the metadata service as a host', asked({}, { allowHosts: ['169.254.169.254'] }), 'allowHosts.0: leads to 169.254.169.254, a link-local address, where instance metadata lives, which no journey may reach; name a host of the service'],
    ['loopback without a port', asked({}, { allowLoopback: ['127.0.0.1'] }), 'allowLoopback.0: "127.0.0.1" needs a host and its port, such as 127.0.0.1:8080'],
    ['a redirect that is followed', asked({ followRedirects: 2, expect: { status: 302 } }), 'requests.0.expect.status: is a redirect, and `followRedirects` follows it; leave `followRedirects` out, or expect the status behind it'],
    ['JSON of a HEAD', asked({ method: 'HEAD', expect: { json: [{ path: '$.a', exists: true }] } }), 'requests.0.expect.json: needs a body, which an answer to a HEAD never has; leave it out, or use GET and its status'],
    ['text of a HEAD', asked({ method: 'HEAD', expect: { text: ['a'] } }), 'requests.0.expect.text: needs a body, which an answer to a HEAD never has; leave it out, or use GET and its status'],
    ['a value carried from no content', asked({ expect: { status: 204 }, carry: { a: '$.a' } }), 'requests.0.carry: needs a body, which an answer with status 204 never has; leave it out, or use GET and its status'],
    ['more patience than time', asked({ expect: { latencyMs: 6000 } }), 'requests.0.expect.latencyMs: allows 6000 ms, and `timeoutMs` ends the request after 5000; set one of them so that the first is not above the second'],
    ['too much to carry', asked({ carry: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`v${index}`, '$.a'])) }), 'requests: carries 21 values, more than 20; carry fewer, or make two journeys of it'],
  ])('%s', (_, journey, expected) => {
    expect(problemsOf(journey)).toEqual([expected]);
  });

  it('each of two that contradict the body', () => {
    expect(problemsOf(asked({ method: 'POST', headers: { 'transfer-encoding': 'chunked', 'content-length': '2' }, body: { text: 'hi' } }))).toHaveLength(2);
  });
});

describe('is accepted', () => {
  it.each<[string, Fields]>([
    ['a secret that holds a whole URL', asked({ url: '{{secret.h}}/x' })],
    ['templates in path, query and header', asked({ url: 'https://shop.example:8443/{{secret.h}}?q={{secret.h}}', headers: { 'X-Key': 'Bearer {{secret.h}}', 'x-other': 'Größe' } })],
    ['a private address', asked({ url: 'http://10.0.0.1:8080/' })],
    ['loopback that is named', asked({ url: 'http://127.0.0.1:8080/' }, { allowLoopback: ['127.0.0.1:8080'], allowHosts: ['127.0.0.1'] })],
    ['hosts as URLs give them back', asked({}, { allowHosts: ['cdn.example', 'cdn.example:8443', 'cdn.example:443', '[2600:1f18::1]:80', 'xn--mller-kva.example'] })],
    ['a redirect that is not followed', asked({ expect: { status: 302, header: { location: '/x' } } })],
    ['a redirect or what is behind it', asked({ followRedirects: 1, expect: { status: [200, 302] } })],
    ['a HEAD for its status and headers', asked({ method: 'HEAD', expect: { status: 200, header: { 'x-side': 'blue' } } })],
    ['no content or some', asked({ expect: { status: [200, 204], text: ['a'] } })],
    ['patience to the end', asked({ expect: { latencyMs: 5000 } })],
    ['a JSONPath with functions', asked({ carry: { a: "$.links[?length(@.rel) > 3 && @.rel == 'self'].href" } })],
    ['what only the deployment knows', asked({ url: 'https://${Token[Lb.Dns.12]}/', headers: { 'x-key': '${Token[Key.13]}' } }, { allowHosts: ['${Token[Lb.Dns.12]}'] })],
  ])('%s', (_, journey) => {
    expect(problemsOf(journey)).toEqual([]);
  });
});
