// The way back of an ECS service: what is planned and refused, and what its deployments say of a change that was made.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepRequest } from '../../../lambdas/domain/vocabulary.ts';
import { confirmed, type SeenDeployment } from '../../../lambdas/strategies/ecs-service/follow.ts';
import { manifest } from '../../../lambdas/strategies/ecs-service/manifest.ts';
import { permissions } from '../../../lambdas/strategies/ecs-service/permissions.ts';
import { type EcsServiceFacts, type EcsServiceState, plan } from '../../../lambdas/strategies/ecs-service/plan.ts';

const arn = (revision: number): string => `arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:${revision}`;
const target = manifest.target.parse({ strategy: 'ecs-service', cluster: 'prod', service: 'shop', good: 'last-known-good' });
const at = (revision: number, others: EcsServiceState['others'] = {}): EcsServiceState => ({ taskDefinition: arn(revision), others });
const release = (left: EcsServiceState | null): StepRequest['release'] => ({ id: 'r-2', version: '2', startedAt: '2026-11-20T09:00:00Z', isFinished: left !== null, left });

interface Asked {
  readonly live: EcsServiceState;
  readonly good?: EcsServiceState | null;
  readonly left?: EcsServiceState | null;
  readonly seen?: EcsServiceState;
  readonly facts?: Partial<EcsServiceFacts>;
}

const ask = ({ live, good = at(1), left = at(2), seen, facts = {} }: Asked) => plan({
  target, good: good === null ? null : { version: '1.0.0', state: good }, release: release(left), expectedFrom: seen ?? null,
  live: { state: live, facts: { controller: 'ECS', deploymentKind: 'ROLLING', rollout: 'COMPLETED', rolloutReason: '', destinations: { [arn(1)]: null }, ...facts } },
});

describe('the plan of ecs-service', () => {
  it('deploys the good task definition', () => {
    expect(ask({ live: at(2) })).toMatchObject({ outcome: 'change', to: at(1), summary: 'deploy shop:1 in place of shop:2; the number of tasks stays' });
  });

  it('does so in the middle of a release as well', () => {
    expect(ask({ live: at(2, { [arn(1)]: 2 }), left: null, facts: { rollout: 'IN_PROGRESS' } })).toMatchObject({ outcome: 'change', to: at(1) });
  });

  it('is done, or follows what ECS does already, where the good one is primary', () => {
    expect(ask({ live: at(1) })).toMatchObject({ outcome: 'already', summary: 'shop:1 is deployed already' });
    expect(ask({ live: at(1, { [arn(2)]: 3 }), facts: { rollout: 'IN_PROGRESS' } })).toMatchObject({ outcome: 'already', to: at(1), summary: expect.stringContaining('follow it') as string });
  });

  it('does not call a good one done whose deployment failed', () => {
    expect(ask({ live: at(1), facts: { rollout: 'FAILED', rolloutReason: 'tasks failed to start' } })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-unhealthy', text: expect.stringContaining('tasks failed to start') as string } });
  });

  it.each([['CODE_DEPLOY', 'strategy `codedeploy`'], ['EXTERNAL', 'not by ECS itself']])('refuses a service whose controller is %s', (controller, text) => {
    expect(ask({ live: at(2), facts: { controller } })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported', text: expect.stringContaining(text) as string } });
  });

  it.each(['BLUE_GREEN', 'LINEAR', 'CANARY'])('refuses deployments that are %s', (deploymentKind) => {
    expect(ask({ live: at(2), facts: { deploymentKind } })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported' } });
  });

  it.each([['INACTIVE', { [arn(1)]: 'it is INACTIVE' }], ['never looked up', {}]])('is impossible when the good one is %s', (_, destinations) => {
    expect(ask({ live: at(2), facts: { destinations } })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-gone' } });
  });

  it('does not replace what neither the release left nor a person saw', () => {
    expect(ask({ live: at(3) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else', text: 'Release r-2 left shop:2, but shop:3 is deployed now.' } });
    expect(ask({ live: at(2), seen: at(3) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('knows nothing to go back to without a good version, or its task definition', () => {
    expect(ask({ live: at(2), good: null })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
    expect(ask({ live: at(2), good: {} as EcsServiceState })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });

  it('replaces only what the release left, for every mix of revisions, and is done when deployed', () => {
    const revision = fc.integer({ min: 1, max: 4 });
    fc.assert(fc.property(revision, revision, fc.option(revision), (live, good, left) => {
      const asked = { good: at(good), left: left === null ? null : at(left), facts: { destinations: { [arn(good)]: null } } };
      const answer = ask({ live: at(live), ...asked });
      const expected = live === good ? 'already' : left === null || left === live ? 'change' : 'impossible';
      const then = answer.outcome === 'change' ? ask({ live: answer.to, ...asked }).outcome : 'already';
      expect([answer.outcome, then]).toEqual([expected, 'already']);
    }));
  });
});

const deployment = (id: string, revision: number, fields: Partial<SeenDeployment> = {}): SeenDeployment => ({ id, taskDefinition: arn(revision), rollout: 'COMPLETED', reason: '', running: 3, failed: 0, ...fields });

interface Looked {
  /** The first one is the primary one. */
  readonly deployments: readonly SeenDeployment[];
  readonly desired?: number | null;
  readonly secondsLater?: number;
  readonly handle?: { readonly deploymentId: string } | null;
}

const look = ({ deployments, desired = 3, secondsLater = 60, handle = { deploymentId: 'own' } }: Looked) => confirmed({
  key: 'run/step', target, from: at(2), to: at(1), handle, appliedAt: '2026-11-20T09:00:00.000Z', now: new Date(Date.parse('2026-11-20T09:00:00Z') + secondsLater * 1000).toISOString(), progress: null,
}, { desired, primaryId: deployments[0]?.id ?? null, deployments });

describe('what the deployments say', () => {
  it('is yes only when all tasks run the good one, ECS is content, and no other task runs', () => {
    expect(look({ deployments: [deployment('own', 1)] })).toMatchObject({ answer: 'yes', detail: '3 of 3 tasks run shop:1.' });
    expect(look({ deployments: [deployment('own', 1, { running: 2 })] }).answer).toBe('not-yet');
    expect(look({ deployments: [deployment('own', 1, { rollout: 'IN_PROGRESS' })] }).answer).toBe('not-yet');
    expect(look({ deployments: [deployment('own', 1), deployment('before', 2, { running: 1 })] })).toMatchObject({ answer: 'not-yet', detail: expect.stringContaining('1 still run shop:2') as string });
  });

  it('counts tasks where ECS tells no rollout', () => {
    expect(look({ deployments: [deployment('own', 1, { rollout: null })] }).answer).toBe('yes');
    expect(look({ deployments: [deployment('own', 1, { rollout: null, running: 1 })] }).answer).toBe('not-yet');
  });

  it('is not known when ECS names no primary deployment, or no number of tasks', () => {
    expect(look({ deployments: [] }).answer).toBe('cannot-verify');
    expect(look({ deployments: [deployment('own', 1)], desired: null }).answer).toBe('cannot-verify');
  });

  it('is a failure when the deployment failed, and when ECS went back by itself', () => {
    expect(look({ deployments: [deployment('own', 1, { rollout: 'FAILED', reason: 'no room' })] })).toMatchObject({ answer: 'failed', detail: expect.stringContaining('no room') as string });
    const gone = [deployment('back', 2, { rollout: 'IN_PROGRESS' }), deployment('own', 1, { rollout: 'FAILED', reason: 'circuit breaker', running: 0 })];
    expect(look({ deployments: gone })).toMatchObject({ answer: 'failed', detail: expect.stringContaining('went back to shop:2 by itself') as string });
    const later = [deployment('back', 2, { rollout: 'IN_PROGRESS', reason: 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.' })];
    expect(look({ deployments: later })).toMatchObject({ answer: 'failed', detail: expect.stringContaining('by itself') as string });
  });

  it('is somebody\'s change when another task definition is primary', () => {
    expect(look({ deployments: [deployment('new', 3), deployment('own', 1)] })).toMatchObject({ answer: 'changed-by-someone-else' });
    expect(look({ deployments: [deployment('new', 3)], secondsLater: 1 })).toMatchObject({ answer: 'changed-by-someone-else' });
  });

  it('waits a moment for a read that lags behind the write, and no longer', () => {
    expect(look({ deployments: [deployment('before', 2)], secondsLater: 5 }).answer).toBe('not-yet');
    expect(look({ deployments: [deployment('before', 2)], secondsLater: 31 }).answer).toBe('changed-by-someone-else');
    expect(look({ deployments: [deployment('before', 2)], secondsLater: 5, handle: null }).answer).toBe('changed-by-someone-else');
  });
});

describe('the permissions of ecs-service', () => {
  const place = { partition: 'aws', account: '111122223333', region: 'eu-west-1' };
  const roles = ['arn:aws:iam::111122223333:role/shop-task'];

  it('hand over only the roles that the target declares, and only to tasks', () => {
    const passing = (fields: object) => permissions(manifest.target.parse({ ...target, ...fields }), place).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing({})).toEqual([]);
    expect(passing({ roles })).toMatchObject([{ resources: roles, conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } }, uncalled: { 'iam:PassRole': expect.stringContaining('does not document') as string } }]);
  });

  it('change one service', () => {
    const [first] = permissions(target, place);
    expect(first).toEqual({ actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: ['arn:aws:ecs:eu-west-1:111122223333:service/prod/shop'] });
  });
});
