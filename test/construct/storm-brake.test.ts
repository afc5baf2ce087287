// The numbers of the storm brake as Assess gets them, and the word at synth where it can never engage.
import type { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import type { ServiceConfig } from '../../lambdas/config/schema.ts';
import { RipcordStack } from '../../lib/app.ts';
import { brakeProblem, defaultStorm, type Storm, unrelatedLimit } from '../../lib/engine/storm-brake.ts';
import { loadConfig } from '../../lib/load-config.ts';
import { quietApp } from './stack-samples.ts';

const config = loadConfig('services.yaml');
const sample = config.services['checkout'];

/** So many services, each with a listener of its own. */
function stackOf(count: number, storm: Storm | undefined, dependencies: Readonly<Record<string, readonly string[]>> = {}): Stack {
  const names = Array.from({ length: count }, (__, index) => `service-${index + 1}`);
  const services = Object.fromEntries(names.map((name) => [name, {
    ...JSON.parse(JSON.stringify(sample).replaceAll('listener/app', `listener/app/${name}`).replaceAll('checkout', name)) as ServiceConfig, dependencies: [...dependencies[name] ?? []],
  }]));
  const { storm: given, ...engine } = config.engine;
  return new RipcordStack(quietApp(), 'Ripcord', { ...config, engine: { ...engine, storm: storm ?? given }, services });
}

const told = (stack: Stack): Record<string, string> => {
  const functions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).map(({ Properties }) => (Properties as { Environment?: { Variables?: Record<string, string> } }).Environment?.Variables ?? {});
  return functions.find((variables) => variables['RIPCORD_STORM_SERVICES'] !== undefined) ?? {};
};
const warnings = (stack: Stack): string[] => Annotations.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry }) => JSON.stringify(entry.data)).filter((text) => text.includes('storm'));

describe('the number of strangers that engage the brake', () => {
  test.each([[1, 1], [2, 1], [3, 1], [4, 2], [6, 2], [200, 2]])('by default, of %i groups protected: more than %i', (count, limit) => {
    expect(unrelatedLimit(defaultStorm, count)).toBe(limit);
  });

  test('is never more than half of the groups; where nobody names it, it is the number of all', () => {
    expect(unrelatedLimit({ services: 9, minutes: 10, unrelated: 7 }, 6)).toBe(3);
    expect(unrelatedLimit({ services: 9, minutes: 10 }, 6)).toBe(9);
  });

  test('reaches Assess as the services that are attached make it', () => {
    expect(told(stackOf(2, defaultStorm))).toMatchObject({ RIPCORD_STORM_SERVICES: '5', RIPCORD_STORM_UNRELATED: '1', RIPCORD_STORM_MINUTES: '10' });
    expect(told(stackOf(4, undefined, { 'service-1': ['service-2'] }))).toMatchObject({ RIPCORD_STORM_UNRELATED: '1' });
    expect(told(stackOf(4, { services: 3, minutes: 20 }))).toMatchObject({ RIPCORD_STORM_SERVICES: '3', RIPCORD_STORM_UNRELATED: '3', RIPCORD_STORM_MINUTES: '20' });
  });
});

describe('a brake that can never engage', () => {
  test('is told at synth, with the mend', () => {
    expect(warnings(stackOf(2, { services: 5, minutes: 10 }))).toEqual([expect.stringMatching(/engine\.storm\.services is 5, and 2 services are protected: the brake can never engage, .* below 2\./)]);
  });

  test('is none by default, nor where a single service has no company', () => {
    expect(brakeProblem(defaultStorm, 2)).toBeNull();
    expect(brakeProblem({ services: 5, minutes: 10 }, 1)).toBeNull();
    expect(brakeProblem({ services: 2, minutes: 10 }, 3)).toBeNull();
    expect(brakeProblem({ services: 3, minutes: 10 }, 3)).toContain('can never engage');
  });
});
