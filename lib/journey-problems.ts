// Looks at one journey beyond the schema: what could never run, or never pass, is found before somebody needs it at night.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import parse from 'jsonpath-rfc9535/parser';
import type { Journey, JourneyRequest } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { hostProblems } from './journey-hosts.ts';
import { isToken, templateProblems, withoutTemplates } from './journey-text.ts';

type Path = readonly PropertyKey[];

/** Each is looked for in all that a reason quotes. */
const mostCarried = 20;

/** @param at where the journey stands, for the path of each problem. */
export function journeyProblems(journey: Journey, at: Path): readonly Problem[] {
  const carried = new Set(journey.requests.flatMap(({ carry }) => Object.keys(carry))).size;
  return [
    ...templateProblems(journey, at),
    ...hostProblems(journey, at),
    ...(carried > mostCarried ? [{ path: [...at, 'requests'], message: `carries ${carried} values, more than ${mostCarried}; carry fewer, or make two journeys of it` }] : []),
    ...journey.requests.flatMap((request, index) => {
      const here = [...at, 'requests', index];
      return [...headerProblems(request, here), ...pathProblems(request, here), ...expectationProblems(request, [...here, 'expect'])];
    }),
  ];
}

/** The request's own length and framing come from its body: a second word on them is one too many. */
const framing = ['content-length', 'transfer-encoding', 'trailer', 'upgrade'];

function headerProblems({ headers, expect }: JourneyRequest, here: Path): Problem[] {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return [
    ...Object.entries(headers).flatMap(([name, value], index) => {
      const path = [...here, 'headers', name];
      if (framing.includes(name.toLowerCase())) return [{ path, message: 'is set from the body by itself; leave it out' }];
      if (names.indexOf(name.toLowerCase()) < index) return [{ path, message: `is the same header as ${Object.keys(headers)[names.indexOf(name.toLowerCase())]}, in other letters; leave one of them out` }];
      return fieldProblems(name, value, path);
    }),
    ...Object.entries(expect.header).flatMap(([name, value]) => fieldProblems(name, value, [...here, 'expect', 'header', name])),
  ];
}

function fieldProblems(name: string, value: string, path: Path): Problem[] {
  if (isToken(name) || isToken(value)) return [];
  if (!passes(() => { validateHeaderName(name); })) return [{ path, message: 'is no name of a header; write letters, digits and hyphens' }];
  return passes(() => { validateHeaderValue(name, withoutTemplates(value)); }) ? [] : [{ path, message: 'has a value that no header can hold: a line break, or a letter beyond Latin-1; encode it' }];
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const pathProblems = ({ carry, expect }: JourneyRequest, here: Path): Problem[] => [
  ...Object.entries(carry).flatMap(([name, text]) => pathProblem(text, [...here, 'carry', name])),
  ...expect.json.flatMap(({ path }, index) => pathProblem(path, [...here, 'expect', 'json', index, 'path'])),
];

const pathProblem = (text: string, path: Path): Problem[] =>
  (isToken(text) || passes(() => { parse(text); }) ? [] : [{ path, message: `${JSON.stringify(text)} is no JSONPath of RFC 9535; one is $.items[0].id, or $..[?@.name == 'tea'].price` }]);

const redirects = [301, 302, 303, 307, 308];
const bodiless = [204, 205, 304];

/** Expectations that contradict each other: no answer meets them. */
function expectationProblems({ method, expect, carry, timeoutMs, followRedirects }: JourneyRequest, at: Path): Problem[] {
  const statuses = [expect.status].flat();
  const without = method === 'HEAD' ? 'to a HEAD' : statuses.every((status) => bodiless.includes(status)) ? `with status ${statuses.join(' or ')}` : null;
  const wanted: [boolean, Path][] = [
    [expect.json.length > 0, [...at, 'json']], [expect.text.length > 0, [...at, 'text']], [Object.keys(carry).length > 0, [...at.slice(0, -1), 'carry']],
  ];
  return [
    ...wanted.flatMap(([isWanted, path]) => (isWanted && without !== null ? [{ path, message: `needs a body, which an answer ${without} never has; leave it out, or use GET and its status` }] : [])),
    ...(followRedirects > 0 && statuses.every((status) => redirects.includes(status))
      ? [{ path: [...at, 'status'], message: `is a redirect, and \`followRedirects\` follows it; leave \`followRedirects\` out, or expect the status behind it` }] : []),
    ...((expect.latencyMs ?? 0) > timeoutMs
      ? [{ path: [...at, 'latencyMs'], message: `allows ${expect.latencyMs} ms, and \`timeoutMs\` ends the request after ${timeoutMs}; set one of them so that the first is not above the second` }] : []),
  ];
}
