// The account's request rates: burst, refill in sandbox time, and how a refusal looks.
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, test } from 'vitest';
import { Quotas } from '../../../sandbox/aws/quotas.ts';
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import type { SandboxClock } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { person, place } from './world.ts';

function clockAt(time: { now: number }): SandboxClock {
  return { speed: 1, now: () => time.now, sleep: () => Promise.resolve(), every: () => () => undefined };
}

function taken(quotas: Quotas, service: string, operation: string, tries = 1000): number {
  let count = 0;
  while (count < tries && quotas.take(service, operation)) count += 1;
  return count;
}

test.each([
  ['route53', 'ChangeResourceRecordSets', 5, 5],
  ['elasticloadbalancing', 'ModifyRule', 20, 3],
  ['elasticloadbalancing', 'DescribeRules', 40, 10],
  ['cloudwatch', 'DescribeAlarms', 9, 9],
  ['cloudwatch', 'SetAlarmState', 3, 3],
])('%s:%s: a burst of %i, then %i a second', (service, operation, burst, perSecond) => {
  const time = { now: 0 };
  const quotas = new Quotas(clockAt(time));
  expect(taken(quotas, service, operation)).toBe(burst);
  time.now += 1000;
  expect(taken(quotas, service, operation)).toBe(perSecond);
  time.now += 3_600_000;
  expect(taken(quotas, service, operation)).toBe(burst);
});

test('all calls of Route 53 share one quota; a refused call takes nothing', () => {
  const time = { now: 0 };
  const quotas = new Quotas(clockAt(time));
  expect(taken(quotas, 'route53', 'GetChange', 3)).toBe(3);
  expect(taken(quotas, 'route53', 'ListResourceRecordSets')).toBe(2);
  expect(quotas.take('route53', 'GetChange')).toBe(false);
  time.now += 200;
  expect(quotas.take('route53', 'GetChange')).toBe(true);
});

test('reads of a load balancer count against the writes\' account-wide limit, not the other way round', () => {
  const quotas = new Quotas(clockAt({ now: 0 }));
  taken(quotas, 'elasticloadbalancing', 'ModifyRule');
  expect(taken(quotas, 'elasticloadbalancing', 'DescribeRules')).toBe(20);
});

test('what has no published quota, and everything when switched off, is never refused', () => {
  const quotas = new Quotas(clockAt({ now: 0 }));
  expect(taken(quotas, 'dynamodb', 'PutItem')).toBe(1000);
  quotas.enabled = false;
  expect(taken(quotas, 'route53', 'GetChange')).toBe(1000);
});

test('a client sees throttling, and the call takes no effect', async () => {
  const clock = new SpedUpClock();
  const store = new ParameterStore(place, clock);
  const quotas = new Quotas(clock, { quotas: [{ service: 'ssm', operations: /./, burst: 1, perSecond: 0.001 }] });
  const server = new SandboxServer({ services: [ssmService(store)], place, clock, quotas });
  const client = new SSMClient({ endpoint: await server.listen(), region: place.region, credentials: person, maxAttempts: 1 });
  const put = (Name: string): Promise<unknown> => client.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String' }));
  await put('/a');
  await expect(put('/b')).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  expect(store.below('/', true)).toHaveLength(1);
  client.destroy();
  await server.close();
});
