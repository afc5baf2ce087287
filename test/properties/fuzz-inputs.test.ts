// Whatever an execution or an event holds: read, or refused with one clean reason, in bounded time. Never another error.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../lambdas/domain/errors.ts';
import { parseReleaseEvent } from '../../lambdas/domain/release-event.ts';
import { parseTrigger } from '../../lambdas/domain/trigger.ts';
import { manyCases } from './many-cases.ts';
import { mutated, nasty, nested } from './hostile-values.ts';
import { pipelineEvents, releaseEvents } from './release-samples.ts';

const now = '2026-11-20T09:14:07.104+0000';
const event = (source: string, type: string, detail: object): object => ({ service: 'shop', event: { version: '0', id: 'e-1', source, 'detail-type': type, time: '2026-11-20T09:14:07Z', account: '111122223333', region: 'eu-west-1', resources: [], detail } });
const alarm = { alarmName: 'errors', state: { value: 'ALARM', reason: 'r', timestamp: now }, muteDetail: { mutedByArn: 'arn:aws:x', muteWindowEnd: now } };
const valid: readonly object[] = [
  { service: 'shop', reason: 'it is broken', requestedBy: 'dana', mode: 'dry-run' },
  event('aws.cloudwatch', 'CloudWatch Alarm State Change', alarm),
  event('aws.cloudwatch', 'CloudWatch Alarm Contributor State Change', { ...alarm, alarmContributor: { id: 'c', attributes: { Host: 'h' } } }),
  event('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', { deploymentId: 'd-1', application: 'a', deploymentGroup: 'g', state: 'FAILURE', instanceGroupId: 'i', region: 'eu-west-1' }),
  event('ripcord.signal', 'Signal', { service: 'shop', tool: 'datadog', id: '1', status: 'firing', summary: 'errors', since: now, url: 'https://example.com/' }),
  event('ripcord.watch', 'Watch Signal', { releaseId: 'r-1', alarms: ['a'], journeys: ['j'] }),
];
const releases: readonly object[] = [...pipelineEvents, ...releaseEvents].map((one) => ({ service: 'shop', event: one }));

/** Why it was refused; null when it was read. */
function reasonOf(parse: (input: unknown) => unknown, input: unknown): string | null {
  try {
    parse(input);
    return null;
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
}

function check(parse: (input: unknown) => unknown, input: unknown): void {
  const began = performance.now();
  const reason = reasonOf(parse, input) ?? '';
  expect(reason).not.toMatch(/[<>\p{Cc}\u202A-\u202E]/u);
  expect(Array.from(reason).length).toBeLessThanOrEqual(200);
  // Generous: a busy machine is no finding, a parser that runs away is.
  expect(performance.now() - began).toBeLessThan(2000);
}

describe('what starts a rollback', () => {
  it('is read as it is, when it is well formed', () => {
    for (const one of valid) expect(() => parseTrigger(one)).not.toThrow();
    for (const one of releases) expect(() => parseReleaseEvent(one)).not.toThrow();
  });

  it('is read or refused, whatever it is', () => {
    expect.hasAssertions();
    fc.assert(fc.property(fc.oneof(nasty, fc.object()), (input) => { check(parseTrigger, input); }), manyCases(300));
  });

  it('is read or refused, with any part of a good one put in another way', () => {
    expect.hasAssertions();
    fc.assert(fc.property(mutated(valid), (input) => { check(parseTrigger, input); }), manyCases(600));
  });

  it('cannot be nested deeper than anything can read', () => {
    for (const depth of [101, 5000, 30_000]) expect(() => parseTrigger({ service: 'shop', event: { detail: nested(depth) } })).toThrow(/nested more than 100 levels/);
  });

  it('never names a service, a target or a strategy that the input could smuggle in', () => {
    expect.hasAssertions();
    fc.assert(fc.property(mutated(valid), (input) => {
      try {
        const { service, trigger } = parseTrigger(input);
        expect(service).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
        expect(Object.keys(trigger)).not.toEqual(expect.arrayContaining(['targets', 'listenerArn', 'strategy', '__proto__']));
        expect(Object.getPrototypeOf(trigger)).toBe(Object.prototype);
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }), manyCases(300));
  });
});

describe('what a Watch is told of a release', () => {
  it('is read or refused, whatever it is', () => {
    expect.hasAssertions();
    fc.assert(fc.property(fc.oneof(nasty, mutated(releases)), (input) => { check(parseReleaseEvent, input); }), manyCases(600));
  });
});
