// A user's own services.yaml, rehearsed whole: what recovers, what is said about it, and what fails the right way.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { synthesize } from '../../lib/app.ts';
import { rehearse } from '../../sandbox/commands.ts';
import { answerTo } from '../../sandbox/own/mirror.ts';
import { recordMet, type MetricEntry } from '../../sandbox/own/service-metrics.ts';

let directory: string;
let out: string[];
let errors: string[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ripcord-own-'));
  out = [];
  errors = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

const play = (config: string, service?: string): Promise<number> =>
  rehearse([], { config, ...(service === undefined ? {} : { service }), speed: 120, directory, synthesize: (from, to) => void synthesize(from, to) });
const fixture = (name: string): string => `test/fixtures/own/${name}.yaml`;
const told = (): string => stripVTControlCharacters(out.join(''));
const failed = (): string[] => told().split('\n').filter((line) => line.includes('✗'));
const rehearsedCopy = async (service: string): Promise<string> => JSON.stringify(parse(await readFile(path.join(directory, 'own', service, 'services.yaml'), 'utf8')));

test('a rule with three sides goes back, after an approver said yes and a tool spoke up', async () => {
  expect({ code: await play(fixture('balanced')), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain('elasticloadbalancing:ModifyRule done');
  expect(told()).toContain('datadog sends a ripcord.signal event');
  expect(told()).not.toContain('sentry sends');
  expect(told()).toContain('✓ a person was asked, and the audit names the role whose session said yes');
  expect(told()).toContain('✓ canary is back on 1.0.0');
  expect(told()).toMatch(/balanced\.yaml:32 services\.orders\.journeys\.order\.requests\.0\.url: https:\/\/orders\.example\.com → http:\/\/127\.0\.0\.1:\d+/);
  const copy = await rehearsedCopy('orders');
  expect(copy).toContain('$.links[?@.rel == \'self\'].href');
  expect(copy).not.toContain('orders.example.com');
});

test('two weighted names go back in one wave', async () => {
  expect({ code: await play(fixture('dns')), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain('✓ public is back on 1.0.0');
  expect(told()).toContain('✓ images is back on 1.0.0');
});

test.each([['mailer', 'function'], ['tasks', 'tasks']])('what CodeDeploy deploys goes back: %s', async (service, target) => {
  expect({ code: await play(fixture('deployed'), service), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain(`✓ ${target} is back on 1.0.0`);
});

test.each([['flags', 'checkout'], ['mailer', 'function'], ['tasks', 'tasks']])('what a pipeline moves by itself goes back: %s', async (service, target) => {
  expect({ code: await play(fixture('quick'), service), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain(`✓ ${target} is back on 1.0.0`);
});

test('a promise goes without alarms, and over metric math; what a laptop has too few requests for is said', async () => {
  expect({ code: await play(fixture('promised')), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain('✓ web is back on 1.0.0');
  expect(told()).toMatch(/promised\.yaml:\d+ services\.orders\.signals\.slo\.latency: \{"p99Ms":800\} → \{ p50Ms: 400 \}/);
  expect(told()).toMatch(/signals\.metrics\.0\.requests: placed \+ failed → one metric/);
});

test.each([['checkout', 'web'], ['search', 'dns']])('the service %s of the repository is rehearsable as it is', async (service, target) => {
  expect({ code: await play('services.yaml', service), failed: failed() }, told()).toEqual({ code: 0, failed: [] });
  expect(told()).toContain(`✓ ${target} is back on 1.0.0`);
  expect(told()).toMatch(/services\.yaml:\d+ services\.\w+\.policy\.bakeMinutes: 60.* → 5/);
});

test('what cannot be rehearsed is named with its line, what cannot be reached is not rolled back, and both fail', async () => {
  expect(await play(fixture('beyond')), told()).toBe(1);
  const lines = failed().join('\n');
  expect(lines).toContain('beyond.yaml:23 services.ledger.journeys.balance.requests.0.expect.json.0: the rehearsal cannot make up a value for a filter');
  expect(lines).toContain('beyond.yaml:25 services.ledger.journeys.balance.requests.0.expect.json.2: another expectation wants "EUR" at this place');
  expect(lines).toMatch(/the rollback says it recovered: .*Only 2 of 3 independent signals/);
  expect(failed()).toHaveLength(3);
  expect(told()).toContain('3 independent ones are asked for, and there are never more than 2');
  const copy = await rehearsedCopy('ledger');
  expect(copy).toContain('EUR');
  expect(copy).not.toContain('USD');
});

describe('without a play', () => {
  test('each service is tried, and one that AWS itself would refuse says why', async () => {
    const { services } = parse(await readFile(fixture('balanced'), 'utf8')) as { services: { orders: { targets: { canary: { targetGroups: Record<string, string>; ruleArn: string } }; policy: object } } };
    const { orders } = services;
    for (const side of ['four', 'five', 'six']) orders.targets.canary.targetGroups[side] = `arn:aws:elasticloadbalancing:eu-central-1:444455556666:targetgroup/orders-${side}/5555555555555555`;
    orders.policy = { approval: { none: 'there is nothing to approve' } };
    const copies = structuredClone(orders);
    copies.targets.canary.ruleArn = copies.targets.canary.ruleArn.replace(/[^/]+$/, '6666666666666666');
    const config = path.join(directory, 'six.yaml');
    await writeFile(config, stringify({ services: { orders, copies } }));
    expect(await play(config)).toBe(1);
    expect(failed()).toHaveLength(2);
    expect(failed()[0]).toContain('it cannot be built in the sandbox: You can specify at most 5 target groups');
    expect(told()).toContain('0 of 2 services as they should be; not: orders, copies');
  });

  test.each([
    ['no such service', () => play('services.yaml', 'basket'), /has no service "basket"; it has checkout, search/],
    ['no such file', () => play('missing.yaml'), /missing\.yaml: cannot be read/],
    ['a scenario beside a configuration', () => rehearse(['manual'], { config: 'services.yaml', speed: 60, directory, synthesize }), /leave out manual/],
    ['a service without a configuration', () => rehearse([], { service: 'checkout', speed: 60, directory, synthesize }), /--service needs --config/],
  ])('%s ends with exit code 2 and the reason', async (_, run, reason) => {
    expect(await run()).toBe(2);
    expect(errors.join('')).toMatch(reason);
    expect(told()).toBe('');
  });

  test('a wrong configuration is refused in the words of the schema', async () => {
    const wrong = path.join(directory, 'wrong.yaml');
    await writeFile(wrong, (await readFile(fixture('dns'), 'utf8')).replace('recordType: CNAME', 'recordType: TXT'));
    expect(await play(wrong)).toBe(2);
    expect(errors.join('')).toMatch(/wrong\.yaml:9 services\.search\.targets\.public\.recordType: /);
  });
});

test.each<[MetricEntry, string[]]>([
  [{ kind: 'lambda', functionName: 'f', alias: 'live' }, ['AWS/Lambda Invocations {"FunctionName":"f","Resource":"f:live"} 1', 'AWS/Lambda Errors {"FunctionName":"f","Resource":"f:live"} 1', 'AWS/Lambda Duration {"FunctionName":"f","Resource":"f:live"} 250']],
  [{ kind: 'alb-target-group', loadBalancer: 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1' }, ['AWS/ApplicationELB RequestCount {"LoadBalancer":"app/a/1"} 1', 'AWS/ApplicationELB HTTPCode_Target_5XX_Count {"LoadBalancer":"app/a/1"} 1', 'AWS/ApplicationELB TargetResponseTime {"LoadBalancer":"app/a/1"} 0.25']],
  [{ kind: 'api-gateway', apiName: 'a', stage: 'prod' }, ['AWS/ApiGateway Count {"ApiName":"a","Stage":"prod"} 1', 'AWS/ApiGateway 5XXError {"ApiName":"a","Stage":"prod"} 1', 'AWS/ApiGateway Latency {"ApiName":"a","Stage":"prod"} 250']],
  [{ kind: 'ecs-service', cluster: 'c', service: 's', discoveryName: 'd' }, ['AWS/ECS RequestCount {"DiscoveryName":"d","ServiceName":"s","ClusterName":"c"} 1', 'AWS/ECS HTTPCode_Target_5XX_Count {"TargetDiscoveryName":"d"} 1', 'AWS/ECS TargetResponseTime {"TargetDiscoveryName":"d"} 250']],
  [{ kind: 'own', requests: { namespace: 'N', name: 'R' }, latency: { namespace: 'N', name: 'L', unit: 'seconds' } }, ['N R {} 1', 'N L {} 0.25']],
])('a failed request is measured as AWS does it: %j', (entry, recorded) => {
  const seen: string[] = [];
  recordMet({ record: ({ namespace, name, dimensions, value }) => void seen.push(`${namespace} ${name} ${JSON.stringify(dimensions)} ${value}`) }, entry, { failed: true, seconds: 0.25 });
  expect(seen).toEqual(recorded);
});

describe('the mirror', () => {
  const carried = (name: string): string => `made-up-${name}`;

  test('meets paths with names, positions, wildcards, slices and filters in one body', () => {
    const json = [
      { path: '$.a[\'b c\'][2].d', equals: { e: 1 } }, { path: '$.a[\'b c\'][-1].f', exists: true }, { path: '$.list[?@.n > 4 && @.kind != \'x\'].id', equals: 7 },
      { path: '$..deep', equals: null }, { path: '$.slice[1:3]', exists: true }, { path: '$.none', exists: false }, { path: '$.all[*].ok', equals: true },
    ];
    const { answer, unmet } = answerTo({ name: 'one', url: 'https://x', expect: { json, text: ['"open":true', 'Hello'] }, carry: { id: '$.list[0].id' } }, carried);
    expect(unmet).toEqual([]);
    expect(JSON.parse(answer.body)).toMatchObject({ a: { 'b c': [null, null, { d: { e: 1 }, f: 'made-up' }] }, list: [{ id: 7, n: 5 }], all: [{ ok: true }], open: true });
    expect(answer.body).toContain('Hello');
  });

  test.each([
    ['a body after 204', { status: 204, text: ['x'] }, ['expect', 'text', 0]],
    ['a status that ends nothing', { status: 101 }, ['expect', 'status']],
    ['a header of the connection', { header: { Connection: 'upgrade' } }, ['expect', 'header', 'Connection']],
    ['a path that is none', { json: [{ path: '$.a[', exists: true }] }, ['expect', 'json', 0]],
    ['presence and absence of one place', { json: [{ path: '$.a', exists: true }, { path: '$.a', exists: false }] }, ['expect', 'json', 1]],
    ['a list that is an object', { json: [{ path: '$.a', equals: 'text' }, { path: '$.a.b', exists: true }] }, ['expect', 'json', 1]],
  ])('says that it cannot meet %s', (_, expected, where) => {
    expect(answerTo({ name: 'one', url: 'https://x', expect: expected }, carried).unmet.map((one) => one.where)).toEqual([where]);
  });
});
