// When a stop, a rollback or a redeploy counts as done, failed, or somebody else's.
import { describe, expect, it } from 'vitest';
import { confirmed, type Detailed, type Question, type Seen } from '../../../lambdas/strategies/codedeploy/follow.ts';
import { manifest } from '../../../lambdas/strategies/codedeploy/manifest.ts';
import type { CodeDeployState } from '../../../lambdas/strategies/codedeploy/plan.ts';

const common = { strategy: 'codedeploy', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good' };
const platforms = { Lambda: { platform: 'Lambda', functionName: 'shop', alias: 'live' }, Server: { platform: 'Server' } } as const;
const state = (platform: 'Lambda' | 'Server', live: string): CodeDeployState => ({ platform, live, shifting: {}, revision: null, running: null });

const question = (platform: 'Lambda' | 'Server', seconds: number): Question => ({
  key: 'run/step', target: manifest.target.parse({ ...common, ...platforms[platform] }), from: state(platform, '5'), to: state(platform, '4'), handle: null,
  appliedAt: '2026-11-20T09:00:00.000Z', now: new Date(Date.parse('2026-11-20T09:00:00.000Z') + seconds * 1000).toISOString(), progress: null,
});
const detailed = (id: string, status: string, fields: Partial<Detailed> = {}): Detailed => ({
  id, status, creator: 'user', description: '', revision: null, previousRevision: null, createdAt: '2026-11-20T09:00:00.000Z', completedAt: null,
  rolledBackBy: null, rollsBack: null, error: null, overview: null, isWaitingForTermination: false, ...fields,
});
const serving = (live: string, shifting: Record<string, number> = {}): Seen['serving'] => ({ live, shifting });
const look = (seen: Partial<Seen>, seconds = 10, platform: 'Lambda' | 'Server' = 'Lambda') =>
  confirmed(question(platform, seconds), { followed: null, last: null, serving: serving('4'), ...seen });

describe('a redeploy', () => {
  it.each(['Created', 'Queued', 'InProgress', 'Baking', 'Ready'])('is waited for while it is %s', (status) => {
    expect(look({ followed: { deployment: detailed('d-1', status), stopped: null } })).toMatchObject({ answer: 'not-yet' });
  });

  it('is done when the traffic has moved, though the old tasks wait for their end', () => {
    const waiting = { deployment: detailed('d-1', 'InProgress', { isWaitingForTermination: true }), stopped: null };
    expect(look({ followed: waiting })).toMatchObject({ answer: 'yes' });
    expect(look({ followed: waiting, serving: serving('5') }, 300)).toMatchObject({ answer: 'not-yet' });
  });

  it('is done only when it succeeded and the alias agrees', () => {
    const followed = { deployment: detailed('d-1', 'Succeeded'), stopped: null };
    expect(look({ followed })).toMatchObject({ answer: 'yes' });
    expect(look({ followed, serving: serving('5') })).toMatchObject({ answer: 'not-yet' });
    expect(look({ followed, serving: serving('5') }, 61)).toMatchObject({ answer: 'failed' });
    expect(look({ followed, serving: serving('4', { '5': 0.1 }) }, 61)).toMatchObject({ answer: 'failed', detail: expect.stringContaining('weights on 5') as string });
  });

  it.each([['ALARM_ACTIVE', 'alarm'], ['REVISION_MISSING', 'revision does not exist'], ['HEALTH_CONSTRAINTS', 'too many instances failed'], ['NEW_CODE', 'said so']])(
    'that failed with %s says what that means', (code, words) => {
      const deployment = detailed('d-1', 'Failed', { error: { code, message: 'said so' } });
      expect(look({ followed: { deployment, stopped: null } })).toMatchObject({ answer: 'failed', detail: expect.stringContaining(words) as string });
    });

  it('is overtaken when somebody deploys after it, but not by auto scaling', () => {
    const followed = { deployment: detailed('d-1', 'Succeeded'), stopped: null };
    const later = { createdAt: '2026-11-20T09:05:00.000Z' };
    expect(look({ followed, last: detailed('d-2', 'InProgress', later) })).toMatchObject({ answer: 'changed-by-someone-else' });
    expect(look({ followed, last: detailed('d-2', 'InProgress', { ...later, creator: 'autoscaling' }) })).toMatchObject({ answer: 'yes' });
  });
});

describe('a stop', () => {
  it('is followed to the deployment that undoes it, never judged by its own end', () => {
    const stopped = detailed('d-BAD', 'Stopped', { rolledBackBy: 'd-UNDO' });
    expect(look({ followed: { deployment: detailed('d-UNDO', 'InProgress'), stopped }, last: stopped })).toMatchObject({ answer: 'not-yet' });
    expect(look({ followed: { deployment: detailed('d-UNDO', 'Succeeded'), stopped }, last: stopped })).toMatchObject({ answer: 'yes' });
    expect(look({ followed: { deployment: detailed('d-UNDO', 'Failed'), stopped }, last: stopped })).toMatchObject({ answer: 'failed' });
  });

  it('fails when CodeDeploy begins no rollback in three minutes', () => {
    const stopped = detailed('d-BAD', 'Stopped');
    expect(look({ followed: { deployment: stopped, stopped } }, 30)).toMatchObject({ answer: 'not-yet' });
    expect(look({ followed: { deployment: stopped, stopped } }, 181)).toMatchObject({ answer: 'failed', detail: expect.stringContaining('no rollback') as string });
  });

  it('that came too late is overtaken: the redeploy has to follow', () => {
    const stopped = detailed('d-BAD', 'Succeeded');
    expect(look({ followed: { deployment: stopped, stopped } })).toMatchObject({ answer: 'overtaken', detail: expect.stringContaining('before it could be stopped') as string });
  });
});

const fleetOf = (overview: Detailed['overview']) => ({ deployment: detailed('d-1', 'Succeeded', { overview }), stopped: null });

describe('a fleet of servers', () => {
  it('is back only when every instance took the revision', () => {
    expect(look({ followed: fleetOf({ Succeeded: 3, Failed: 0, Skipped: 0 }) }, 10, 'Server')).toMatchObject({ answer: 'yes' });
    expect(look({ followed: fleetOf({ Succeeded: 2, Failed: 1 }) }, 10, 'Server')).toMatchObject({ answer: 'failed', detail: expect.stringContaining('2 of 3') as string });
    expect(look({ followed: fleetOf({ Succeeded: 0 }) }, 10, 'Server')).toMatchObject({ answer: 'failed' });
  });

  it('without a count of instances proves nothing', () => {
    expect(look({ followed: fleetOf(null) }, 10, 'Server')).toMatchObject({ answer: 'cannot-verify' });
  });
});

describe('a step that had nothing to do', () => {
  it('is confirmed by what serves alone', () => {
    expect(look({})).toMatchObject({ answer: 'yes' });
    expect(look({ serving: serving('5') })).toMatchObject({ answer: 'changed-by-someone-else' });
  });
});
