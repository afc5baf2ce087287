// The lines about metrics that the example only shows are right when they are taken in.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryName } from '../../lambdas/domain/metric-plan.ts';
import { parseConfig } from '../../lib/load-config.ts';

test('the metrics of the example can be switched on by taking their comment signs away', () => {
  const example = readFileSync('services.yaml', 'utf8');
  const on = example.replaceAll(/^( +)# ((?:metrics|controls|slo):.*| {2}- \{ kind: .*)$/gm, '$1$2');
  const { signals } = parseConfig(on, 'services.yaml').services['checkout'] ?? {};
  expect(signals?.metrics).toMatchObject([{ kind: 'alb-target-group', name: 'shop', percentile: 'p99' }]);
  expect(signals?.slo).toEqual({ availability: 99.9, latency: { p99Ms: 800 }, minimumRequests: 100 });
  expect(signals?.controls?.map((entry) => entryName(entry))).toContain('shop in us-east-1');
  expect(signals?.controls).toMatchObject([{ kind: 'lambda', functionName: 'recommendations' }, { kind: 'lambda', functionName: 'payments', calls: true }, { kind: 'alb-target-group', region: 'us-east-1' }]);
});
