// Where the requests of a journey may lead: what no connection could ever reach is found before it is deployed.
import ipaddr from 'ipaddr.js';
import { bareHost, isLoopbackNamed, portOf, refusal } from '../lambdas/config/journey-addresses.ts';
import type { Journey } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { isToken, withoutTemplates } from './journey-text.ts';

type Path = readonly PropertyKey[];

/** @param at where the journey stands. */
export const hostProblems = (journey: Journey, at: Path): readonly Problem[] => [
  ...journey.requests.flatMap(({ url }, index) => found(urlWords(url, journey.allowLoopback), [...at, 'requests', index, 'url'])),
  ...journey.allowHosts.flatMap((host, index) => found(hostWords(host), [...at, 'allowHosts', index])),
  ...journey.allowLoopback.flatMap((host, index) => found(loopbackWords(host), [...at, 'allowLoopback', index])),
];

const found = (message: string | null, path: Path): Problem[] => (message === null ? [] : [{ path, message }]);

/** A template at the beginning stands for a whole URL, which only its value shows. */
function urlWords(template: string, allowLoopback: readonly string[]): string | null {
  if (isToken(template)) return null;
  if (template.startsWith('{{')) return withoutTemplates(template).startsWith('{{') ? 'begins with a template that has no end; write {{name}}' : null;
  const host = /^https?:\/\/([^/?#]*)/.exec(template)?.[1] ?? '';
  if (host === '') return 'has no host; write it after the //';
  if (host.includes('{{')) return 'has a template in its host, and a service must not choose who gets the secrets; write the host out and a / after it, or begin the URL with a {{secret.name}} that holds all of it';
  const url = withoutTemplates(template, 'x');
  return URL.canParse(url) ? serverWords(new URL(url), allowLoopback) : 'is no URL; compare its host and its port';
}

function serverWords(url: URL, allowLoopback: readonly string[]): string | null {
  if (url.username !== '' || url.password !== '') return 'holds a user or a password, which no request sends and everybody can read; send a header `authorization: Basic {{secret.name}}`';
  return addressWords(bareHost(url), isLoopbackNamed(url, bareHost(url), allowLoopback));
}

function addressWords(host: string, isLoopbackAllowed: boolean): string | null {
  const why = refusal(host === 'localhost' ? '127.0.0.1' : host, isLoopbackAllowed);
  return why === null || !(host === 'localhost' || ipaddr.isValid(host)) ? null : `leads to ${host}, ${why}, which no journey may reach; name a host of the service`;
}

/** A list's text is compared letter by letter, so it has to be written as a URL gives its host back. */
function hostWords(text: string): string | null {
  if (isToken(text)) return null;
  const url = URL.canParse(text) && text.includes('//') ? new URL(text) : URL.canParse(`https://${text}/`) ? new URL(`https://${text}/`) : null;
  if (url === null || !/^([a-z0-9._-]+|\[[0-9a-f:]+\])$/.test(url.hostname)) return `${JSON.stringify(text)} is no host; write one, such as shop.example or shop.example:8443`;
  const server = `${url.hostname}:${portOf(url)}`;
  if (text !== url.hostname && text !== server) return `${JSON.stringify(text)} is never the host of a URL; write ${url.port === '' ? url.hostname : server}`;
  return addressWords(bareHost(url), true);
}

const loopbackWords = (text: string): string | null =>
  (isToken(text) || /^[^/\s@]+:\d+$/.test(text) && URL.canParse(`http://${text}/`) ? null : `${JSON.stringify(text)} needs a host and its port, such as 127.0.0.1:8080`);
