// Assess against real clients and the sandbox's services: what it reads, in how many steps, what it decides, what it leaves behind.
import { beforeEach, describe, expect, it } from 'vitest';
import { answerApproval, putApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import { closeRollback } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock, readLock, releaseLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Approval, JourneyRound } from '../../lambdas/domain/workflow.ts';
import { alarmInput, rig, service, serviceInput, useRig } from './assess-rig.ts';

useRig('shop');

beforeEach(async () => {
  await rig.attach(service);
  rig.fire('5xx', 'latency');
  rig.storm.services = 1000;
});

const codes = (reasons: readonly { readonly code: string }[]) => reasons.map(({ code }) => code);
const ledger = (of = service) => readService(rig.table, of, new Date(rig.clock.now()));

describe('Assess', () => {
  it('rolls back in four steps of AWS calls, with the lock, its place in the window of the storm, one audit row and the record of the rollback', async () => {
    rig.steps = 0;
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(rig.steps).toBe(4);
    expect(said).toMatchObject({
      verdict: 'roll-back', mode: 'roll-back', service, fence: 1, configVersion: 1, codeVersion: 'abc123', knownGood: { version: 'v1', basis: 'baked' },
      release: { id: 'r-2', version: 'v2' }, audit: { length: 1 }, verification: { passesInARow: 2, intervalSeconds: 10, deadlineSeconds: 300 }, requestedBy: null,
    });
    expect(said.rungs.map(({ name }) => name)).toEqual(['alb-weights', 'codedeploy']);
    expect(said.rungs[0]?.waves[0]?.[0]).toMatchObject({ id: 'alb-weights/web', good: { version: 'v1', state: { blue: 100, green: 0 } }, release: { isFinished: true, left: { blue: 0, green: 100 } } });
    const { lock, rollbacks } = await ledger();
    expect(lock.owner).toBe(`rb-${service}`);
    expect(rollbacks).toMatchObject([{ rollbackId: `rb-${service}`, isAutomatic: true, release: { id: 'r-2', version: 'v2' }, goodVersion: 'v1', endedAt: null }]);
  });

  it('writes a row from which the decision can be made again', async () => {
    await rig.assess(rig.input(service, alarmInput(service)));
    const [row] = await rig.audited(`rb-${service}`);
    expect(decide(row?.['question'] as Question)).toEqual(row?.['decision']);
    expect(row).toMatchObject({ configVersion: 1, codeVersion: 'abc123', fence: 1 });
  });

  it('is safe to run twice', async () => {
    const input = rig.input(service, alarmInput(service));
    const [first, second] = [await rig.assess(input), await rig.assess(input)];
    expect(second).toMatchObject({ verdict: 'roll-back', fence: first.fence });
    expect((await ledger()).rollbacks).toHaveLength(1);
  });

  it('names the version of the catalogue entry that decided', async () => {
    await rig.attach(service, { signals: { ...serviceInput.signals, minimum: 1 } });
    expect((await rig.assess(rig.input(service, alarmInput(service)))).configVersion).toBe(2);
  });

  it('hands over to the proof why journeys are enough for few requests, where the service says so', async () => {
    await rig.attach(service, { verification: { deadlineMinutes: 5, fewRequests: { journeys: 'hardly anybody comes at night' } } });
    expect((await rig.assess(rig.input(service, alarmInput(service)))).verification).toEqual({ passesInARow: 3, intervalSeconds: 20, deadlineSeconds: 300, fewRequests: 'hardly anybody comes at night' });
  });

  it('joins the run that has the lock, and leaves it the signal', async () => {
    await acquireLock(rig.table, service, 'rb-first', { now: new Date(rig.clock.now()) });
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(said).toMatchObject({ verdict: 'joined', page: false, fence: null, rungs: [] });
    expect(await ledger()).toMatchObject({ lock: { owner: 'rb-first' }, rollbacks: [], signals: [{ rollbackId: `rb-${service}`, source: '5xx' }] });
    expect(await rig.audited(`rb-${service}`)).toHaveLength(1);
  });

  it('leaves a forged alarm alone: read again, it is OK', async () => {
    rig.calm('5xx', 'latency');
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(said).toMatchObject({ verdict: 'leave', page: false });
    expect(codes(said.reasons)).toEqual(['no-longer-firing']);
    expect((await ledger()).rollbacks).toEqual([]);
  });

  it('holds with one signal, and acts when another tool\'s joins it', async () => {
    rig.calm('latency');
    const input = rig.input(service, alarmInput(service));
    const held = await rig.assess(input);
    expect(held).toMatchObject({ verdict: 'hold', holdSeconds: 15, wantsEvidence: true, fence: 1 });
    const signal = { source: 'ripcord.signal', 'detail-type': 'Signal', time: rig.at(0), detail: { service, tool: 'datadog', id: 'm-1', status: 'firing', summary: 'p99 is up' } };
    expect((await rig.assess({ ...rig.input(service, { service, event: signal }), rollbackId: `other-${service}` })).verdict).toBe('joined');
    expect(await rig.assess({ ...input, look: 1, audit: held.audit })).toMatchObject({ verdict: 'roll-back', fence: 1, audit: { length: 2 } });
  });

  it('takes a failing journey for the second signal', async () => {
    rig.calm('latency');
    const evidence: JourneyRound = { at: rig.at(0), results: [{ journey: 'buy', ok: false, durationMs: 9, failedAt: 'home', reason: 'status 500' }] };
    expect((await rig.assess(rig.input(service, alarmInput(service), { look: 1, evidence }))).verdict).toBe('roll-back');
  });

  it('holds without data about traffic: nobody counted is not nobody came', async () => {
    await rig.attach(service, { signals: { ...serviceInput.signals, traffic: { metric: { namespace: 'Shop', name: 'Nothing' }, minimumRequests: 1, minutes: 5 } } });
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(said.verdict).toBe('hold');
    expect(codes(said.reasons)).toEqual(['traffic-unknown']);
  });

  it('does not count the minute that is not over', async () => {
    const metric = { namespace: 'Shop', name: `Running-${service}` };
    rig.cloudWatch.record({ ...metric, dimensions: {}, value: 900, at: rig.clock.now() });
    await rig.attach(service, { signals: { ...serviceInput.signals, traffic: { metric, minimumRequests: 50, minutes: 5 } } });
    expect(codes((await rig.assess(rig.input(service, alarmInput(service)))).reasons)).toEqual(['traffic-unknown']);
  });

  it('takes an alarm that does not exist for unknown, not for quiet', async () => {
    await rig.attach(service, { signals: { ...serviceInput.signals, alarms: [{ name: 'gone' }] } });
    const said = await rig.assess(rig.input(service, alarmInput(service, 'gone')));
    expect(said).toMatchObject({ verdict: 'hold', signals: [{ source: 'gone', status: 'unknown' }] });
  });

  it('keeps a muted alarm from counting for anybody, and pages nobody for it', async () => {
    const muteDetail = { mutedByArn: 'arn:night', muteWindowEnd: rig.at(60).replace('Z', '+0000') };
    const silenced = { ...rig.input(service, alarmInput(service, 'latency', { muteDetail })), rollbackId: `muted-${service}` };
    const muted = await rig.assess(silenced);
    expect(muted).toMatchObject({ verdict: 'leave', page: false });
    await releaseLock(rig.table, { service, owner: silenced.rollbackId, fence: muted.fence ?? 0 }, null);
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(said.verdict).toBe('hold');
    expect(said.signals.find(({ source }) => source === 'latency')?.status).toBe('unknown');
  });

  it('waits for a person when the budget is spent, and acts on the answer', async () => {
    await rig.attach(service, { policy: { ...serviceInput.policy, dailyBudget: 1, coolDownMinutes: 0 } });
    const first = await rig.assess(rig.input(service, alarmInput(service)));
    await closeRollback(rig.table, { service, startedAt: (await ledger()).rollbacks[0]?.startedAt ?? '', rollbackId: `rb-${service}` }, { endedAt: rig.at(0), outcome: 'failed', auditLength: 1, auditHash: first.audit.hash });
    await releaseLock(rig.table, { service, owner: `rb-${service}`, fence: 1 }, null);
    const input = { ...rig.input(service, alarmInput(service)), rollbackId: `second-${service}` };
    expect(await rig.assess(input)).toMatchObject({ verdict: 'ask', approval: { timeoutSeconds: 1800, onDeadline: 'stop' } });
    expect((await ledger()).rollbacks).toHaveLength(1);
    const approval = { answer: 'approved', by: 'arn:aws:iam::111122223333:role/ops', at: rig.at(0), comment: '' } as const;
    await putApproval(rig.table, { rollbackId: input.rollbackId, service, requestedBy: null, askedAt: rig.at(-1), deadlineAt: rig.at(29), onDeadline: 'stop', shown: {} }, 'token');
    await answerApproval(rig.table, input.rollbackId, approval);
    expect(await rig.assess({ ...input, look: 1, approval })).toMatchObject({ verdict: 'roll-back' });
    expect((await ledger()).rollbacks).toHaveLength(2);
  });

  it('shows a dry run without taking the lock, without a record, and beside a run that has the lock', async () => {
    await acquireLock(rig.table, service, 'rb-first', { now: new Date(rig.clock.now()) });
    const said = await rig.assess(rig.input(service, { service, reason: 'what would you do', requestedBy: 'ada', mode: 'dry-run' }));
    expect(said).toMatchObject({ verdict: 'roll-back', mode: 'dry-run', fence: null, requestedBy: 'ada' });
    expect(await ledger()).toMatchObject({ lock: { owner: 'rb-first' }, rollbacks: [] });
  });

  it('decides in shadow as in earnest, holds the lock meanwhile, and keeps the record apart from rollbacks that acted', async () => {
    await rig.attach(service, { policy: { ...serviceInput.policy, mode: 'shadow', dailyBudget: 1 } });
    const input = rig.input(service, alarmInput(service));
    expect(await rig.assess(input)).toMatchObject({ verdict: 'roll-back', mode: 'shadow', fence: expect.any(Number) as number, headline: expect.stringMatching(/^In shadow: /) as string });
    expect(await ledger()).toMatchObject({ lock: { owner: input.rollbackId }, rollbacks: [], shadowed: [{ rollbackId: input.rollbackId, isShadow: true, release: { version: 'v2' } }] });
  });

  it('records a release in shadow once, for itself as often as it looks', async () => {
    await rig.attach(service, { policy: { ...serviceInput.policy, mode: 'shadow' } });
    const input = rig.input(service, alarmInput(service));
    await rig.assess(input);
    expect(await rig.assess({ ...input, look: 1 })).toMatchObject({ verdict: 'roll-back' });
    await releaseLock(rig.table, { service, owner: input.rollbackId, fence: (await ledger()).lock.fence }, null);
    const later = await rig.assess({ ...input, rollbackId: `${input.rollbackId}-2` });
    expect(later).toMatchObject({ verdict: 'leave', page: false, reasons: [{ code: 'already-shadowed' }] });
  });

  it('changes nothing in shadow for a person either', async () => {
    await rig.attach(service, { policy: { ...serviceInput.policy, mode: 'shadow' } });
    expect(await rig.assess(rig.input(service, { service, reason: 'customers report errors', requestedBy: 'ada' }))).toMatchObject({ verdict: 'roll-back', mode: 'shadow' });
  });

  it('does not count a person\'s rollback as one by itself', async () => {
    await rig.assess(rig.input(service, { service, reason: 'customers report errors', requestedBy: 'ada' }));
    expect((await ledger()).rollbacks).toMatchObject([{ isAutomatic: false }]);
  });
});

describe('Assess in a storm', () => {
  it('rolls nothing back, and pages once', async () => {
    rig.storm.services = 2;
    const said = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      await rig.attach(`storm-${name}`);
      said.push(await rig.assess(rig.input(`storm-${name}`, alarmInput(`storm-${name}`))));
    }
    expect(said.filter(({ reasons }) => codes(reasons).includes('storm')).filter(({ page }) => page)).toHaveLength(1);
    expect(said.at(-1)).toMatchObject({ verdict: 'joined', page: false });
  });

  it('leaves the one page to a service that acts: one in shadow wakes nobody', async () => {
    Object.assign(rig.storm, { services: 2, minutes: 41 });
    for (const name of ['g', 'h', 'i']) await rig.attach(`storm-${name}`, name === 'h' ? { policy: { ...serviceInput.policy, mode: 'shadow' } } : {});
    await rig.forgetStormPage();
    await rig.count(['storm-g', 'storm-i']);
    expect(await rig.assess(rig.input('storm-h', alarmInput('storm-h')))).toMatchObject({ verdict: 'leave', mode: 'shadow' });
    expect(await rig.assess(rig.input('storm-i', alarmInput('storm-i')))).toMatchObject({ verdict: 'leave', page: true });
  });

  it('keeps the one page for a run that sends it: one that joins another run uses nothing up', async () => {
    // Windows of several lengths begin at the same moment now and then, and this one must be fresh.
    const windowOf = (minutes: number): number => Math.floor(rig.clock.now() / 60_000 / minutes) * minutes;
    Object.assign(rig.storm, { services: 2, minutes: [43, 47].find((minutes) => windowOf(minutes) !== windowOf(41)) });
    for (const name of ['d', 'e', 'f']) await rig.attach(`storm-${name}`);
    await rig.forgetStormPage();
    await rig.count(['storm-d', 'storm-e']);
    const first = rig.input('storm-f', alarmInput('storm-f'));
    await acquireLock(rig.table, 'storm-f', first.rollbackId, { now: new Date(rig.clock.now()) });
    const second = await rig.assess({ ...first, rollbackId: 'rb-storm-f-2', input: alarmInput('storm-f', 'latency') });
    expect(second.verdict).toBe('joined');
    expect(await rig.assess(first)).toMatchObject({ verdict: 'leave', page: true });
    expect((await rig.audited(first.rollbackId))[0]).toMatchObject({ question: { storm: { isAnnounced: false } }, decision: { page: true } });
  });
});

const isUntouched = async () => {
  expect(await readLock(rig.table, service)).toMatchObject({ owner: null, fence: 0 });
};

describe('Assess refuses', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['what is no event', () => ({ service, event: 'ALARM' }), /"event"/],
    ['target ids', () => ({ service, reason: 'why', requestedBy: 'ada', targets: ['arn:…'] }), /keys that do not belong here/],
    ['300 kB of text', () => ({ service, reason: 'x'.repeat(300_000), requestedBy: 'ada' }), /too large/],
    ['a service that is not in the catalogue', () => alarmInput('nobody'), /service "nobody" is not in the catalogue/],
  ])('%s: audited, and nothing is changed', async (_name, given, message) => {
    await expect(rig.assess(rig.input(service, given()))).rejects.toMatchObject({ name: 'Refused', message: expect.stringMatching(message) as string });
    const [row, more] = await rig.audited(`rb-${service}`);
    expect(row).toMatchObject({ refused: { text: expect.stringMatching(message) as string } });
    expect(more).toBeUndefined();
    await isUntouched();
  });

  it.each([['no JSON', '{', /it is not JSON/], ['about another service', { name: 'other', service: {} }, /about "other"/], ['an entry with a mistake', { name: '', service: { targets: {} } }, /cannot be used/]])('a catalogue entry that is %s, before anything is changed', async (_name, value, message) => {
    rig.catalogue(service, typeof value === 'object' && value.name === '' ? { ...value, name: service } : value);
    await expect(rig.assess(rig.input(service, alarmInput(service)))).rejects.toMatchObject({ name: 'Stopped', code: 'catalogue-invalid', message: expect.stringMatching(message) as string });
    await isUntouched();
  });

  it.each(['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'codedeploy:ListDeployments'])('to guess when %s is denied', async (action) => {
    const giveBack = rig.server.iam.takeAway('assess', action);
    try {
      await expect(rig.assess(rig.input(service, alarmInput(service)))).rejects.toMatchObject({ name: 'Stopped', code: 'denied' });
    } finally {
      giveBack();
    }
    expect((await ledger()).rollbacks).toEqual([]);
  });
});

describe('Assess and a person\'s answer', () => {
  const asked = async (over: object = {}) => {
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, policy: { approval: { required: 'always', timeoutMinutes: 60, onDeadline: 'roll-back' } } }) });
    const rollbackId = `rb-${service}`;
    await putApproval(rig.table, { rollbackId, service, requestedBy: null, askedAt: rig.at(-10), deadlineAt: rig.at(50), onDeadline: 'roll-back', shown: {}, ...over }, 'token');
    return rollbackId;
  };
  const told = (answer: Approval['answer']): Approval => ({ answer, by: answer === 'deadline' ? null : 'arn:aws:sts::111122223333:assumed-role/Approvers/bob', at: rig.at(0), comment: 'typed' });
  const look = (answer: Approval['answer']) => rig.assess(rig.input(service, alarmInput(service), { look: 1, approval: told(answer) }));

  it('acts on the answer that the ledger holds, not on what the workflow was told of it', async () => {
    const answer: Approval = { answer: 'approved', by: 'arn:aws:sts::111122223333:assumed-role/Approvers/carol', at: rig.at(-1), comment: '' };
    await answerApproval(rig.table, await asked(), answer);
    expect(await look('approved')).toMatchObject({ verdict: 'roll-back' });
    expect((await rig.audited(`rb-${service}`))[0]).toMatchObject({ question: { approval: answer } });
  });

  it('refuses a yes that no approver gave, whoever completed the waiting task', async () => {
    await asked();
    await expect(look('approved')).rejects.toMatchObject({ code: 'forged-answer' });
    await expect(look('rejected')).rejects.toMatchObject({ code: 'forged-answer' });
    expect((await ledger()).rollbacks).toEqual([]);
  });

  it('refuses a deadline that has not passed, and a yes to a question that nobody asked', async () => {
    await expect(look('approved')).rejects.toMatchObject({ code: 'forged-answer' });
    await asked();
    await expect(look('deadline')).rejects.toMatchObject({ code: 'forged-answer' });
    await asked({ askedAt: rig.at(-61), deadlineAt: rig.at(-1) });
    expect(await look('deadline')).toMatchObject({ verdict: 'roll-back' });
  });
});
