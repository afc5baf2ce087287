// What tells of a release, and how everything else is refused.
import { describe, expect, it } from 'vitest';
import { parseReleaseEvent } from '../../../lambdas/domain/release-event.ts';

const detail = { service: 'checkout', releaseId: 'build-812', version: 'v2', actor: 'pipeline' };
const event = (over: object = {}, type = 'Release Started', more: object = {}) => ({
  service: 'checkout', event: { source: 'ripcord.release', 'detail-type': type, time: '2026-11-20T09:00:00Z', detail: { ...detail, ...over }, ...more },
});
const deployment = (state: string) => ({
  service: 'checkout', event: {
    source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: '2026-11-20T09:00:00Z',
    detail: { deploymentId: 'd-2', application: 'shop', deploymentGroup: 'prod', state, region: 'eu-west-1' },
  },
});

describe('a release event', () => {
  it('tells of a release that began or finished', () => {
    expect(parseReleaseEvent(event()).event).toEqual({
      origin: 'event', phase: 'started', releaseId: 'build-812', version: 'v2', previousVersion: null, actor: 'pipeline', touched: null, manifest: null, at: '2026-11-20T09:00:00.000Z',
    });
    expect(parseReleaseEvent(event({ previousVersion: 'v1', touched: ['code', 'database'] }, 'Release Finished')).event).toMatchObject({ phase: 'finished', previousVersion: 'v1', touched: ['code', 'database'] });
  });

  it('tells of a deployment that began or succeeded', () => {
    expect(parseReleaseEvent(deployment('START')).event).toEqual({ origin: 'codedeploy', phase: 'started', deploymentId: 'd-2', application: 'shop', deploymentGroup: 'prod' });
    expect(parseReleaseEvent(deployment('SUCCESS')).event).toMatchObject({ phase: 'finished' });
  });

  it.each<[string, unknown, RegExp]>([
    ['a failed deployment', deployment('FAILURE'), /only START and SUCCESS are/],
    ['another service', event({ service: 'payments' }), /of service "payments"/],
    ['unknown keys', event({ targets: [] }), /keys that do not belong here: targets/],
    ['an unknown part', event({ touched: ['everything'] }), /"touched/],
    ['HTML in an actor', event({ actor: '<img src=x>' }), /"actor" must not contain HTML/],
    ['no time', event({}, 'Release Started', { time: undefined }), /needs its `time`/],
    ['another kind', event({}, 'Release Pondered'), /tells of no release/],
    ['no event', { service: 'checkout' }, /"event"/],
  ])('is refused: %s', (_name, input, message) => {
    expect(() => parseReleaseEvent(input)).toThrow(message);
  });
});
