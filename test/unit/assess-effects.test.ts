// What Assess knows of a way back before anything is read live: where it comes from, how it chooses, and what the steps may do.
import { beforeEach, describe, expect, it } from 'vitest';
import { answerApproval, putApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import { putKnownGood, putRelease } from '../../lambdas/adapters/ledger-history.ts';
import type { ServiceInput } from '../../lambdas/config/schema.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { alarmInput, nextService, rig, service, serviceInput, useRig } from './assess-rig.ts';

useRig('effects');
beforeEach(() => {
  rig.fire('5xx', 'latency');
});

const web = serviceInput.targets['web'];
const fleet = { strategy: 'codedeploy', platform: 'Server', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good' } as const;
const dns = { strategy: 'route53-weights', hostedZoneId: 'Z1', recordName: 'shop.example', recordType: 'A', records: { blue: 'b', green: 'g' }, good: { side: 'blue' } } as const;

/** A service with these targets, whose release left them so. */
async function assessed(targets: ServiceInput['targets'], left: Readonly<Record<string, JsonObject>>, over: Partial<ServiceInput> = {}) {
  await rig.attach(service, { targets, ...over });
  await putRelease(rig.table, rig.release(service, { left }), 'w-1');
  const said = await rig.assess(rig.input(service, alarmInput(service)));
  const [row] = await rig.audited(`rb-${service}`);
  expect(decide(row?.['question'] as Question)).toEqual(row?.['decision']);
  return { said, question: row?.['question'] as Question };
}

const inPlace = { platform: 'Server', group: { style: 'IN_PLACE', config: null } };
const weights = { weights: { blue: 0, green: 100 }, strangers: {} };

describe('what a way does to users', () => {
  it('comes from how the last release left the target, and orders the ways', async () => {
    const { said, question } = await assessed({ app: fleet, edge: dns }, { app: inPlace, edge: { ...weights, ttlSeconds: 60 } });
    expect(question.targets['edge']?.effect).toMatchObject({ downtime: 'mixed', seconds: 120, basis: 'known' });
    expect(question.targets['app']?.effect).toMatchObject({ downtime: 'interruption' });
    expect(question).toMatchObject({ hasOwnRungs: false, patience: { proofSeconds: 300, stepSeconds: 3600 } });
    expect(said.rungs.map(({ name }) => name)).toEqual(['route53-weights', 'codedeploy']);
    expect(said.ways?.map(({ rung, risk }) => [rung, risk?.level])).toEqual([['codedeploy', 'high'], ['route53-weights', 'low']]);
  });

  it('comes from what was known good where the release left nothing, and else is unknown', async () => {
    const first = await assessed({ edge: dns, app: fleet }, {});
    expect([first.question.targets['edge']?.effect?.basis, first.question.targets['app']?.effect?.downtime]).toEqual(['typical', 'unknown']);
    nextService();
    await putKnownGood(rig.table, service, { version: 'v1.1', since: rig.at(-500), basis: 'baked', states: { edge: { ...weights, ttlSeconds: 90 } } });
    const second = await assessed({ edge: dns, app: fleet }, { app: inPlace });
    expect([second.question.targets['edge']?.effect?.seconds, second.question.targets['app']?.effect?.downtime]).toEqual([150, 'interruption']);
  });

  it('of a deployment that runs is that of a stop; of one that is over, of a redeploy', async () => {
    const app = serviceInput.targets['app'] ?? fleet;
    rig.deployment({ version: 2, from: -8, to: -7 });
    expect((await assessed({ app, edge: dns }, {})).question.targets['app']?.effect?.text).toBe('both versions are there');
    rig.deployment({ version: 3, from: -1, to: null, status: 'InProgress' });
    nextService();
    const { question } = await assessed({ app, edge: dns }, {});
    expect(question.targets['app']?.effect?.text).toBe('users go back to what still runs');
    expect(question.targets['edge']?.effect?.text).toContain('resolvers');
  });

  it('orders nothing where the service names its rungs', async () => {
    const { said, question } = await assessed({ web: web ?? dns, edge: dns }, { edge: { ...weights, ttlSeconds: 60 } }, { rungs: [[['edge']], [['web']]] });
    expect([question.hasOwnRungs, said.rungs.map(({ name }) => name)]).toEqual([true, ['rung-1', 'rung-2']]);
  });

  it('asks where a TTL outlasts the proof, and not where the policy accepts that', async () => {
    const slow = { edge: { ...weights, ttlSeconds: 600 } };
    expect((await assessed({ edge: dns }, slow)).said.verdict).toBe('ask');
    nextService();
    expect((await assessed({ edge: dns }, slow, { policy: { ...serviceInput.policy, slowWayBack: { accepted: 'nothing else goes back' } } })).said.verdict).toBe('roll-back');
  });
});

describe('a step', () => {
  const policy = { ...serviceInput.policy, interruption: 'ask' as const };
  const first = async (over: Partial<ServiceInput>, targets: ServiceInput['targets'] = { edge: dns }, left: Readonly<Record<string, JsonObject>> = { edge: { ...weights, ttlSeconds: 60 } }) => {
    const { said } = await assessed(targets, left, over);
    return [said.verdict, said.rungs[0]?.waves[0]?.[0]?.mustNotInterrupt];
  };

  it('must not interrupt users where the policy wants a yes to that and nobody is asked', async () => {
    expect(await first({ policy })).toEqual(['roll-back', true]);
  });

  it('may after a yes, and where a dry run shows what would be asked about', async () => {
    await rig.attach(service, { targets: { edge: dns }, policy: { ...policy, approval: { required: 'always', timeoutMinutes: 10, onDeadline: 'stop' } } });
    await putRelease(rig.table, rig.release(service, { left: { edge: { ...weights, ttlSeconds: 60 } } }), 'w-1');
    const input = rig.input(service, alarmInput(service));
    const approval = { answer: 'approved', by: 'arn:aws:iam::111122223333:role/ops', at: rig.at(0), comment: '' } as const;
    await putApproval(rig.table, { rollbackId: input.rollbackId, service, requestedBy: null, askedAt: rig.at(-1), deadlineAt: rig.at(29), onDeadline: 'stop', shown: {} }, 'token');
    await answerApproval(rig.table, input.rollbackId, approval);
    const approved = await rig.assess({ ...input, look: 1, approval });
    expect([approved.verdict, approved.rungs[0]?.waves[0]?.[0]?.mustNotInterrupt]).toEqual(['roll-back', undefined]);
    nextService();
    await rig.attach(service, { targets: { app: fleet }, policy });
    const dry = await rig.assess(rig.input(service, { service, reason: 'what would you do', requestedBy: 'ada', mode: 'dry-run' }));
    expect([dry.verdict, dry.ways?.[0]?.answer, dry.rungs[0]?.waves[0]?.[0]?.mustNotInterrupt]).toEqual(['roll-back', 'ask', undefined]);
  });

  it('may where the policy does not say so, or a person is asked', async () => {
    expect(await first({})).toEqual(['roll-back', undefined]);
    nextService();
    expect(await first({ policy: { ...policy, approval: { required: 'always', timeoutMinutes: 10, onDeadline: 'stop' } } })).toEqual(['ask', undefined]);
  });
});
