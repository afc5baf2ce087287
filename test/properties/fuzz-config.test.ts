// Whatever stands in services.yaml: a configuration, or an error in which every line names the file. In bounded time, never a crash.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { parseConfig } from '../../lib/load-config.ts';
import { minimalYaml } from '../construct/config-samples.ts';
import { manyCases } from './many-cases.ts';

/** Lines of the error; null when it was accepted. */
function problems(text: string): readonly string[] | null {
  try {
    parseConfig(text, 'services.yaml');
    return null;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Error') throw error;
    return error.message.split('\n');
  }
}

function check(text: string): void {
  const began = performance.now();
  const found = problems(text);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(found?.[0] ?? 'services.yaml: accepted').toMatch(/^services\.yaml[: ]/);
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }), fc.jsonValue(),
  fc.constantFrom<unknown>(null, '', 0, -1, Infinity, true, [], {}, '*a', '&a', '!!js/function x', '${Token[X.1]}', '{{x}}', '__proto__', 'constructor', 'x'.repeat(5000), '\u0000', '\u202E', [[[[]]]]),
);

function places(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => places(member, [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const members = value as Record<string, unknown>;
  const changed = replaced(members[key], rest, by);
  return Array.isArray(value) ? value.map((one: unknown, index) => (String(index) === key ? changed : one)) : { ...members, [key]: changed };
}

const good: unknown = parseDocument(minimalYaml).toJS();
const mutated = fc.record({ at: fc.constantFrom(...places(good)), by: hostile, extra: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'targets', 'x y', '1', '') }) })
  .map(({ at, by, extra }) => stringify(replaced(good, extra === undefined ? at : [...at, extra], by)));

describe('services.yaml', () => {
  it('is refused in words, with any part of a good one put in another way', () => {
    expect.hasAssertions();
    fc.assert(fc.property(mutated, check), manyCases(120));
  });

  it('is refused in words, with any piece of its text cut out, doubled or overwritten', () => {
    expect.hasAssertions();
    fc.assert(fc.property(fc.nat({ max: minimalYaml.length }), fc.nat({ max: 80 }), fc.string({ unit: 'binary', maxLength: 12 }), (at, length, text) => {
      check(minimalYaml.slice(0, at) + text + minimalYaml.slice(at + length));
      check(minimalYaml.slice(0, at + length) + minimalYaml.slice(at));
    }), manyCases(80));
  });

  it('is refused in words, whatever it is', () => {
    expect.hasAssertions();
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.jsonValue().map((value) => stringify(value))), check), manyCases(120));
  });

  const aliases = 'bcdefghij'.split('').map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[index]}`).join(',')}]`);
  it.each([
    ['a bomb of aliases', `a: &a [x,x,x,x,x,x,x,x,x]\n${aliases.join('\n')}\n`, /^services\.yaml: its aliases .* cannot be resolved/],
    ['an alias of what holds it', 'services: &a\n  x: *a\n', /^services\.yaml/],
    ['brackets without an end', `services: ${'['.repeat(20_000)}`, /nested too deep/],
    ['steps without an end', Array.from({ length: 1300 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), /nested too deep/],
    ['more steps than anybody needs, and fewer than a stack holds', Array.from({ length: 150 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), /nested too deep/],
    ['a tag that nobody knows', 'engine: !secret {}\nservices: {}\n', /services\.yaml:1: Unresolved tag: !secret/],
    ['two documents', 'engine: {}\n---\nservices: {}\n', /multiple documents/],
    ['nothing', '', /needs a mapping/],
    ['binary', '\u0000\u0001\uFFFD', /^services\.yaml/],
    ['a key that is a mapping', '? {a: 1}\n: 2\nservices: {}\n', /is not a known key/],
    ['a prototype', `${minimalYaml}__proto__: { polluted: true }\n`, /__proto__: is not a known key/],
    ['more text than a stack could hold', `services:\n${'  # comment\n'.repeat(100_000)}`, /has \d+ characters, more than the 1000000/],
  ] as const)('refuses %s', (_, text, why) => {
    const began = performance.now();
    expect((problems(text) ?? []).join('\n')).toMatch(why);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('names a hundred problems of thousands, and says that there are more', () => {
    const found = problems(`services:\n${Array.from({ length: 5000 }, (_, index) => `  s${index}: {}`).join('\n')}`) ?? [];
    expect(found.length).toBeLessThanOrEqual(101);
    expect(found.at(-1)).toMatch(/^services\.yaml: and \d+ more$/);
  });
});

describe('what is well formed and cannot be meant', () => {
  const journey = (requests: unknown, more: object = {}): string => stringify(replaced(good, ['services', 'checkout', 'journeys'], { buy: { requests, ...more } }));

  it.each([
    ['the URL', [{ name: 'a', url: 'https://shop.example/{{basket}}' }], /journeys\.buy\.requests\.0\.url: \{\{basket\}\} has no value/],
    ['a header', [{ name: 'a', url: 'https://shop.example/', headers: { 'x-key': '{{secret.key}}' } }], /requests\.0\.headers\.x-key: \{\{secret\.key\}\} has no value/],
    ['a JSON body', [{ name: 'a', url: 'https://shop.example/', body: { json: { deep: ['{{ basket }}'] } } }], /requests\.0\.body\.json\.deep\.0: \{\{ basket \}\} has no value/],
    ['a request before it is carried', [{ name: 'a', url: 'https://shop.example/{{id}}' }, { name: 'b', url: 'https://shop.example/', carry: { id: '$.id' } }], /requests\.0\.url: \{\{id\}\} has no value/],
    ['a name that is no name', [{ name: 'a', url: 'https://shop.example/{{a b}}' }], /\{\{a b\}\} has no value/],
  ])('refuses a template without a value in %s', (_, requests, why) => {
    expect((problems(journey(requests)) ?? []).join('\n')).toMatch(why);
  });

  it('says what was meant by a misspelt template', () => {
    const requests = [{ name: 'a', url: 'https://shop.example/', carry: { basket: '$.id' } }, { name: 'b', url: 'https://shop.example/{{baskte}}' }];
    expect(problems(journey(requests))).toEqual([expect.stringMatching(/services\.checkout\.journeys\.buy\.requests\.1\.url: .*did you mean "basket"\?$/) as string]);
  });

  it('accepts what is carried before, and a secret of the journey', () => {
    const requests = [{ name: 'a', url: 'https://shop.example/', carry: { basket: '$.id' } }, { name: 'b', url: 'https://shop.example/{{basket}}', headers: { 'x-key': '{{ secret.key }}' } }];
    expect(problems(journey(requests, { secrets: { key: { arn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf' } } }))).toBeNull();
  });

  it('refuses an alarm that is named twice', () => {
    const text = stringify(replaced(good, ['services', 'checkout', 'signals', 'alarms'], [{ name: 'errors' }, { name: 'latency' }, { name: 'errors', group: 'other' }]));
    expect(problems(text)).toEqual([expect.stringContaining('services.checkout.signals.alarms.2.name: names alarm "errors" a second time') as string]);
  });

  it('says what was meant by a misspelt target of a rung', () => {
    const text = stringify(replaced(good, ['services', 'checkout', 'rungs'], [[['webb']]]));
    expect(problems(text)).toEqual([expect.stringMatching(/names target "webb", which is not one of web; did you mean web\?$/) as string]);
  });
});
