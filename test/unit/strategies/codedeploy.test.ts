// The way back of a deployment group: adopt, stop or redeploy, and to what.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StepRequest } from '../../../lambdas/domain/vocabulary.ts';
import { type CodeDeployTarget, manifest } from '../../../lambdas/strategies/codedeploy/manifest.ts';
import { type CodeDeployFacts, type CodeDeployState, type Deployment, plan, type Question, wayFrom } from '../../../lambdas/strategies/codedeploy/plan.ts';
import { containerIn, type Revision, sameVersion, versionIn } from '../../../lambdas/strategies/codedeploy/revision.ts';

const common = { strategy: 'codedeploy', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good' };
const lambdaTarget: CodeDeployTarget = manifest.target.parse({ ...common, platform: 'Lambda', functionName: 'shop', alias: 'live' });
const ecsTarget: CodeDeployTarget = manifest.target.parse({ ...common, platform: 'ECS', cluster: 'prod', service: 'shop' });
const serverTarget: CodeDeployTarget = manifest.target.parse({ ...common, platform: 'Server' });

const appSpec = (content: string): Revision => ({ revisionType: 'AppSpecContent', appSpecContent: { content, sha256: 'x' } });
const lambdaRevision = (current: string, wanted: string): Revision =>
  appSpec(JSON.stringify({ version: '0.0', Resources: [{ shop: { Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion: current, TargetVersion: wanted } } }] }));
const taskDefinition = (revision: number): string => `arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:${revision}`;
const ecsRevision = (revision: number): Revision => appSpec(`version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "${taskDefinition(revision)}"
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 8080
`);
const s3 = (key: string, fields: object = {}): Revision => ({ revisionType: 'S3', s3Location: { bucket: 'builds', key, bundleType: 'zip', ...fields } });

const deployment = (id: string, fields: Partial<Deployment> = {}): Deployment => ({
  id, status: 'Succeeded', creator: 'user', description: '', revision: null, previousRevision: null, createdAt: '2026-11-20T09:00:00.000Z',
  completedAt: '2026-11-20T09:10:00.000Z', rolledBackBy: null, rollsBack: null, isWaitingForTermination: false, ...fields,
});
const running = (id: string, fields: Partial<Deployment> = {}): Deployment => deployment(id, { status: 'InProgress', completedAt: null, ...fields });

const lambdaState = (fields: Partial<CodeDeployState> = {}): CodeDeployState => ({ platform: 'Lambda', live: '5', shifting: {}, revision: lambdaRevision('4', '5'), running: null, ...fields });
const release = (fields: Partial<NonNullable<StepRequest['release']>> = {}): StepRequest['release'] => ({ id: 'd-BAD', version: '5', startedAt: '2026-11-20T09:00:00.000Z', isFinished: true, left: null, ...fields });
const goodLambda = { version: '4', state: lambdaState({ live: '4', revision: lambdaRevision('3', '4') }) };

type Asked = Partial<Omit<Question, 'live'>> & { readonly state: CodeDeployState; readonly facts?: Partial<CodeDeployFacts> };
const ask = ({ state, facts = {}, ...rest }: Asked) => plan({
  target: lambdaTarget, good: null, release: release(), expectedFrom: null, ...rest,
  live: { state, facts: { last: null, succeeded: null, history: [], container: null, destinations: {}, ...facts } },
});

describe('a deployment in progress', () => {
  const bad = running('d-BAD', { revision: lambdaRevision('4', '5'), previousRevision: lambdaRevision('3', '4') });
  const state = lambdaState({ live: '4', shifting: { '5': 0.1 }, running: bad });

  it.each(['Created', 'Queued', 'InProgress', 'Baking', 'Ready'])('is stopped with rollback while it is %s', (status) => {
    const answer = ask({ state: { ...state, running: { ...bad, status } }, good: goodLambda, release: release({ isFinished: false }) });
    expect(answer).toMatchObject({ outcome: 'change', to: { live: '4', shifting: {}, running: null }, summary: expect.stringContaining('stop d-BAD') as string });
    expect(answer.outcome === 'change' && wayFrom(answer.from)).toBe('stop');
  });

  it('goes back to the task definition of the previous revision, even when traffic has moved already', () => {
    const green = running('d-BAD', { revision: ecsRevision(7), previousRevision: ecsRevision(6) });
    const ecs: CodeDeployState = { platform: 'ECS', live: taskDefinition(7), shifting: {}, revision: ecsRevision(6), running: green };
    expect(ask({ state: ecs, target: ecsTarget, release: release({ isFinished: false }) })).toMatchObject({ outcome: 'change', to: { live: taskDefinition(6) } });
  });

  it('is not stopped when it is the first of its group', () => {
    expect(ask({ state: { ...state, running: { ...bad, previousRevision: null } } })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });

  it('is not stopped when that would bring back a version that is not the known good', () => {
    const good = { version: '3', state: lambdaState({ live: '3' }) };
    expect(ask({ state, good, release: release({ isFinished: false }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good', text: expect.stringContaining('3 is') as string } });
  });

  it('is left alone when it is newer than the release: it may be the fix', () => {
    const fix = running('d-FIX', { ...bad, id: 'd-FIX', createdAt: '2026-11-20T09:30:00.000Z' });
    const asked = { state: { ...state, running: fix }, good: goodLambda };
    expect(ask({ ...asked, release: release({ left: lambdaState() }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
    expect(ask(asked)).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else', text: expect.stringContaining('d-FIX') as string } });
    expect(ask({ ...asked, release: release({ isFinished: false }), facts: { succeeded: deployment('d-BAD') } })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it.each<[string, Partial<CodeDeployState>]>([['wholly', { live: '6', shifting: {} }], ['in part', { shifting: { '5': 0.1, '6': 0.2 } }], ['for the rest of the shift', { live: '6' }]])('is not stopped when somebody set the alias by hand, %s, with a release or without', (_, byHand) => {
    for (const asked of [release({ isFinished: false }), null])
      expect(ask({ state: { ...state, ...byHand }, good: goodLambda, release: asked })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else', text: 'Deployment d-BAD moves the alias from 4 to 5, but it serves 6: somebody set it by hand.' } });
  });

  it.each<[string, Partial<CodeDeployState>]>([['has not begun', { shifting: {} }], ['has come to all', { live: '5', shifting: {} }], ['comes from a revision that was not given back', { live: '6', running: { ...bad, revision: { revisionType: 'AppSpecContent' } } }]])('is stopped when its shift %s', (_, shift) => {
    expect(ask({ state: { ...state, ...shift }, release: release({ isFinished: false }) }).outcome).toBe('change');
  });

  it('of another group than the release named is stopped while that release runs', () => {
    const other = running('d-OTHER', { ...bad, id: 'd-OTHER', createdAt: '2026-11-20T09:01:00.000Z' });
    expect(ask({ state: { ...state, running: other }, good: goodLambda, release: release({ id: 'd-ELSEWHERE', isFinished: false }) }).outcome).toBe('change');
  });
});

describe('a rollback in progress', () => {
  it.each([
    ['CodeDeploy made it', { creator: 'codeDeployRollback' }],
    ['CloudFormation made it', { creator: 'CloudFormationRollback' }],
    ['it undoes another deployment', { rollsBack: 'd-BAD' }],
    ['Ripcord made it', { description: 'ripcord run-1/first/alias' }],
  ])('is adopted, never stopped, when %s', (_, fields) => {
    const native = running('d-UNDO', { revision: lambdaRevision('5', '4'), createdAt: '2026-11-20T09:20:00.000Z', ...fields });
    const answer = ask({ state: lambdaState({ running: native }), good: goodLambda });
    expect(answer).toMatchObject({ outcome: 'change', to: { live: '4' }, summary: expect.stringContaining('d-UNDO') as string });
    expect(answer.outcome === 'change' && wayFrom(answer.from)).toBe('adopt');
  });

  it('that has moved the traffic, and only keeps the bad tasks for a while, leaves nothing to do', () => {
    const ours = running('d-OURS', { description: 'ripcord run-1/first/ecs', revision: ecsRevision(6), isWaitingForTermination: true });
    const ecs = { platform: 'ECS' as const, live: taskDefinition(6), shifting: {}, revision: ecsRevision(7), running: ours };
    const good = { version: '6', state: { ...ecs, revision: ecsRevision(6), running: null } };
    expect(ask({ state: ecs, good, target: ecsTarget }).outcome).toBe('already');
    expect(ask({ state: { ...ecs, running: { ...ours, isWaitingForTermination: false } }, good, target: ecsTarget }).outcome).toBe('change');
  });

  it('is adopted from the deployment that it undoes, before it shows in the list', () => {
    const bad = running('d-BAD', { rolledBackBy: 'd-UNDO', previousRevision: lambdaRevision('3', '4') });
    const answer = ask({ state: lambdaState({ running: bad }), good: goodLambda });
    expect(answer.outcome === 'change' && wayFrom(answer.from)).toBe('adopt');
    expect(answer).toMatchObject({ summary: expect.stringContaining('d-UNDO') as string, to: { live: '4' } });
  });
});

describe('a finished Lambda deployment', () => {
  it('is redeployed with a fresh AppSpec: from what the alias has now, to the known good', () => {
    const answer = ask({ state: lambdaState(), good: goodLambda });
    const revision = answer.outcome === 'change' ? answer.to.revision : null;
    const content = revision?.appSpecContent?.content ?? '';
    expect(JSON.parse(content)).toEqual({ version: '0.0', Resources: [{ shop: { Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion: '5', TargetVersion: '4' } } }] });
    expect(revision?.appSpecContent?.sha256).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('is done already when the alias is at the known good, and not while it also sends traffic elsewhere', () => {
    expect(ask({ state: lambdaState({ live: '4' }), good: goodLambda }).outcome).toBe('already');
    expect(ask({ state: lambdaState({ live: '4', shifting: { '5': 0.1 } }), good: goodLambda })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported', text: expect.stringContaining('update-alias') as string } });
  });

  it('is not redeployed to a version that is gone', () => {
    expect(ask({ state: lambdaState(), good: goodLambda, facts: { destinations: { '4': 'version 4 does not exist' } } })).toMatchObject({ outcome: 'impossible', reason: { code: 'destination-gone' } });
  });

  it('is left alone when it is not what the release left', () => {
    expect(ask({ state: lambdaState({ live: '6' }), good: goodLambda, release: release({ left: lambdaState() }) })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });

  it('is left alone when a newer deployment succeeded since', () => {
    const newer = deployment('d-NEWER', { createdAt: '2026-11-20T10:00:00.000Z' });
    expect(ask({ state: lambdaState({ live: '6' }), good: goodLambda, facts: { succeeded: newer } })).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
  });
});

const old = (id: string, version: string, at: string, fields: Partial<Deployment> = {}): Deployment =>
  deployment(id, { revision: lambdaRevision('0', version), createdAt: `2026-11-${at}T08:00:00.000Z`, completedAt: `2026-11-${at}T08:05:00.000Z`, ...fields });

describe('the good version of a group that the ledger has no state of', () => {
  it('is the newest success older than the release with another revision, whatever the order of the list', () => {
    const history = [old('d-2', '2', '12'), old('d-BAD', '5', '20', { createdAt: '2026-11-20T09:00:00.000Z' }), old('d-4', '4', '19'), old('d-3', '3', '15')];
    expect(ask({ state: lambdaState(), facts: { history } })).toMatchObject({ outcome: 'change', to: { live: '4' } });
  });

  it('is the version that Assess found proven, not a newer success that did not last', () => {
    const history = [old('d-BAD', '5', '20', { createdAt: '2026-11-20T09:00:00.000Z' }), old('d-4', '4', '19'), old('d-3', '3', '15')];
    expect(ask({ state: lambdaState(), good: { version: '3', state: null }, facts: { history } })).toMatchObject({ outcome: 'change', to: { live: '3' } });
    expect(ask({ state: lambdaState(), good: { version: '2', state: null }, facts: { history } })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });

  it('is not what a state holds that was captured after the release had moved the traffic', () => {
    const late = lambdaState({ live: '5', running: running('d-BAD', { revision: lambdaRevision('4', '5'), previousRevision: lambdaRevision('3', '4') }) });
    const history = [old('d-4', '4', '19')];
    expect(ask({ state: lambdaState(), good: { version: '4', state: late }, facts: { history } })).toMatchObject({ outcome: 'change', to: { live: '4' } });
  });

  it('is what a state holds that was captured while the good deployment only kept the old tasks', () => {
    const kept = running('d-6', { revision: ecsRevision(6), previousRevision: ecsRevision(5), isWaitingForTermination: true });
    const baked: CodeDeployState = { platform: 'ECS', live: taskDefinition(6), shifting: {}, revision: ecsRevision(6), running: kept };
    const state: CodeDeployState = { ...baked, live: taskDefinition(7), revision: ecsRevision(7), running: null };
    expect(ask({ target: ecsTarget, state, good: { version: 'build-6', state: baked } })).toMatchObject({ outcome: 'change', to: { live: taskDefinition(6) } });
  });

  it('is never a deployment of the bad revision, of auto scaling, or one that failed', () => {
    const history = [
      old('d-5', '5', '19'), old('d-A', '4', '18', { creator: 'autoscaling' }), old('d-U', '4', '18', { creator: 'CodeDeployAutoUpdate' }),
      old('d-F', '4', '17', { status: 'Failed' }), old('d-3', '3', '10'),
    ];
    expect(ask({ state: lambdaState(), facts: { history } })).toMatchObject({ outcome: 'change', to: { live: '3' } });
    expect(ask({ state: lambdaState(), facts: { history: history.slice(0, 4) } })).toMatchObject({ outcome: 'impossible', reason: { code: 'no-known-good' } });
  });
});

const properties = (answer: ReturnType<typeof ask>): unknown =>
  answer.outcome === 'change' && (JSON.parse(answer.to.revision?.appSpecContent?.content ?? '{}') as { Resources: { TargetService: { Properties: unknown } }[] }).Resources[0]?.TargetService.Properties;

describe('a finished ECS deployment', () => {
  const state: CodeDeployState = { platform: 'ECS', live: taskDefinition(7), shifting: {}, revision: ecsRevision(7), running: null };
  const good = { version: '6', state: { ...state, live: taskDefinition(6), revision: ecsRevision(6) } };

  it('is redeployed with the old task definition, and container and port of its own AppSpec', () => {
    expect(properties(ask({ state, good, target: ecsTarget, facts: { container: { name: 'other', port: 1 } } })))
      .toEqual({ TaskDefinition: taskDefinition(6), LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 8080 } });
  });

  it('takes container and port from the service when CodeDeploy kept only the hash of the AppSpec', () => {
    const hashed = { version: '6', state: { ...good.state, revision: { revisionType: 'AppSpecContent', appSpecContent: { sha256: 'x' } } } };
    expect(properties(ask({ state, good: hashed, target: ecsTarget, facts: { container: { name: 'web', port: 80 } } }))).toMatchObject({ LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 } });
    expect(ask({ state, good: hashed, target: ecsTarget })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported' } });
  });

  it('keeps network and capacity of a JSON AppSpec, and leaves its hooks out', () => {
    const json = appSpec(JSON.stringify({
      version: 0, Resources: [{ TargetService: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition: taskDefinition(6), PlatformVersion: '1.4.0', LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 } } } }],
      Hooks: [{ BeforeAllowTraffic: 'check' }],
    }));
    const answer = ask({ state, good: { version: '6', state: { ...good.state, revision: json } }, target: ecsTarget });
    expect(properties(answer)).toMatchObject({ PlatformVersion: '1.4.0' });
    expect(answer.outcome === 'change' && answer.to.revision?.appSpecContent?.content).not.toContain('Hooks');
  });
});

describe('a finished deployment to servers', () => {
  const state: CodeDeployState = { platform: 'Server', live: 's3://builds/5.zip', shifting: {}, revision: s3('5.zip'), running: null };
  const good = { version: '4', state: { ...state, live: 's3://builds/4.zip', revision: s3('4.zip') } };

  it('is redeployed with the known-good revision as it was recorded', () => {
    expect(ask({ state, good, target: serverTarget })).toMatchObject({ outcome: 'change', to: { live: 's3://builds/4.zip', revision: s3('4.zip') } });
  });

  it('that ended halfway leaves a mixed fleet, so the good revision is deployed again', () => {
    const answer = ask({ state: { ...state, live: null, revision: s3('4.zip') }, good, target: serverTarget });
    expect(answer).toMatchObject({ outcome: 'change', summary: expect.stringContaining('mixed fleet') as string });
  });

  it('cannot be redeployed when the revision was not recorded', () => {
    expect(ask({ state, good: { ...good, state: { ...good.state, revision: null } }, target: serverTarget })).toMatchObject({ outcome: 'impossible', reason: { code: 'unsupported' } });
  });
});

describe('revisions', () => {
  it.each<[CodeDeployTarget['platform'], string, string, boolean]>([
    ['Lambda', '4', '4', true], ['Lambda', '4', '5', false],
    ['ECS', taskDefinition(6), 'shop:6', true], ['ECS', taskDefinition(6), 'shop:7', false],
    ['Server', 's3://b/k#tag', 's3://b/k', true], ['Server', 's3://b/k#tag', 's3://b/k#other', false], ['Server', 's3://b/k?versionId=1', 's3://b/k?versionId=2', false],
  ])('of %s: %s and %s are the same: %s', (platform, one, other, same) => {
    expect(sameVersion(platform, one, other)).toBe(same);
  });

  it('are never the same when one of them is not known', () => {
    expect(sameVersion('Lambda', null, null)).toBe(false);
  });

  it('are read from YAML, JSON, buckets and repositories', () => {
    expect(versionIn('ECS', ecsRevision(6))).toBe(taskDefinition(6));
    expect(containerIn(ecsRevision(6))).toEqual({ name: 'web', port: 8080 });
    expect(versionIn('Lambda', lambdaRevision('4', '5'))).toBe('5');
    expect(versionIn('Server', s3('k.zip', { version: 'v1', eTag: '"abc"' }))).toBe('s3://builds/k.zip?versionId=v1#abc');
    expect(versionIn('Server', { revisionType: 'GitHub', gitHubLocation: { repository: 'a/b', commitId: 'c' } })).toBe('github:a/b@c');
    expect(versionIn('Lambda', appSpec(''))).toBeNull();
  });
});
