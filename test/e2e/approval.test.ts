// A person is asked: who may answer, what an answer does, what its absence does, and that the task token stays where it is.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RollbackRun, SentMessage } from '../../sandbox/scenarios/scenario.ts';
import { type Environment, ripcordInside, type Said, start, startRipcord } from './command-line.ts';
import { Rig } from './rig.ts';
import { policyWith } from './small-services.ts';

const approver = 'release-approver';
const always = (timeoutMinutes: number, onDeadline: 'stop' | 'roll-back') => ({ changes: { policy: policyWith({ required: 'always', timeoutMinutes, onDeadline }) } });
const services = {
  yes: always(1440, 'stop'),
  no: always(1440, 'stop'),
  own: { changes: { policy: policyWith({ required: 'manual-only', timeoutMinutes: 1440, onDeadline: 'stop' }) } },
  quiet: always(1440, 'stop'),
  late: always(10, 'stop'),
  forced: always(10, 'roll-back'),
} as const;
type Service = keyof typeof services;

let rig: Rig;
const asked = {} as Record<Service, RollbackRun>;

beforeAll(async () => {
  const arn = (role: string): string => `arn:aws:iam::111122223333:role/${role}`;
  rig = await Rig.start({ services, engine: { approvers: [arn(approver)] } });
  const { iam } = rig.sandbox;
  const { ApproverPolicy = '', OperatorPolicy = '' } = rig.deployed.outputs;
  iam.putRole({ roleName: approver, arn: arn(approver), managedPolicyArns: [ApproverPolicy] });
  iam.putRole({ roleName: 'operator', arn: arn('operator'), managedPolicyArns: [OperatorPolicy] });
  // May call the URL, as far as IAM goes, and is no approver of the engine all the same.
  iam.putRole({ roleName: 'intruder', arn: arn('intruder'), managedPolicyArns: [ApproverPolicy] });
  await rig.release();
  for (const name of Object.keys(services)) if (name !== 'own') rig.fire(name);
  rig.ask({ service: 'own', reason: 'customers complain', requestedBy: 'erin@example.com' });
  await Promise.all((Object.keys(services) as Service[]).map(async (name) => {
    await rig.until(`somebody is asked about ${name}`, () => rig.runs(name).some(({ rollbackId }) => question(rollbackId) !== undefined));
    const [run] = rig.runs(name);
    if (run !== undefined) asked[name] = run;
  }));
});
afterAll(() => rig.stop());

const question = (rollbackId: string): SentMessage | undefined => rig.messages(rollbackId).find(({ subject }) => subject.includes('approve the rollback'));

const environment = (session: string, role: string): Environment => {
  const { accessKeyId, secretAccessKey, sessionToken } = rig.sandbox.iam.issueKey(role, session);
  return {
    PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: rig.sandbox.endpoint, AWS_MAX_ATTEMPTS: '1',
    AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken,
  };
};

const ripcord = (session: string, args: readonly string[], role = approver): Promise<Said> => ripcordInside(args, environment(session, role));

const answersOf = async (rollbackId: string): Promise<readonly Record<string, unknown>[]> =>
  (await rig.audit(rollbackId)).filter(({ kind }) => kind === 'approval-answered').map(({ data }) => data);

const lastQuestion = async (rollbackId: string): Promise<string> => JSON.stringify((await rig.audit(rollbackId)).findLast(({ kind }) => kind === 'assessed')?.data);

test('the message says what would be done, until when, and what silence means; nothing is changed meanwhile', async () => {
  const text = question(asked.yes.rollbackId)?.text ?? '';
  expect(text).toMatch(/green 100 → 0|blue 0 → 100/);
  expect(text).toContain('Without an answer, NOTHING is changed');
  expect(question(asked.forced.rollbackId)?.text).toContain('GOES AHEAD by itself');
  expect(question(asked.own.rollbackId)?.text).toContain('erin@example.com asked for it and may not approve it');
  expect(await rig.kinds(asked.yes.rollbackId)).toEqual(['assessed', 'planned', 'approval-asked']);
  expect(rig.changes('yes')).toEqual([]);
});

test('only an approver is heard: IAM refuses an operator, the engine refuses who is not on its list', async () => {
  const { rollbackId } = asked.yes;
  const [operator, intruder] = await Promise.all([ripcord('oscar', ['approve', rollbackId], 'operator'), ripcord('ivan', ['approve', rollbackId], 'intruder')]);
  expect(operator).toMatchObject({ code: 1, text: expect.stringContaining('Your role lacks this permission') as string });
  expect(intruder).toMatchObject({ code: 1, text: expect.stringContaining('only a session of an approver role may answer') as string });
  expect(await answersOf(rollbackId)).toMatchObject([{ taken: false, code: 'not-an-approver', by: expect.stringContaining('assumed-role/intruder/ivan') as string }]);
  expect(rig.changes('yes')).toEqual([]);
});

test('yes rolls back; a second answer is refused, and the first one stands', async () => {
  const { rollbackId } = asked.yes;
  expect(await startRipcord(['approve', rollbackId, '--comment', 'go on'], environment('ann', approver))).toMatchObject({ code: 0, text: expect.stringContaining('approved') as string });
  expect(await startRipcord(['reject', rollbackId], environment('bob', approver))).toMatchObject({ code: 1, text: expect.stringMatching(/ann.*the first answer counts/) as string });
  const ended = await rig.ended('yes');
  expect(ended.outcome, ended.headline).toBe('recovered');
  expect(rig.changes('yes')).toEqual(['ModifyListener']);
  expect(rig.targets['yes']?.live()).toBe('blue');
  const given = await answersOf(rollbackId);
  expect(given.filter(({ taken }) => taken === true)).toMatchObject([{ answer: 'approve', comment: 'go on', by: expect.stringContaining('release-approver/ann') as string }]);
  expect(await rig.lockOwner('yes')).toBeNull();
});

const curl = (() => {
  try {
    return execFileSync('curl', ['--version'], { encoding: 'utf8' }).includes('aws-sigv4') || /curl (?:7\.(?:7[5-9]|[89]\d)|[89]\.|\d{2})/.test(execFileSync('curl', ['--version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
})();
if (!curl) console.log('approval.test: the printed curl line is not tried, because no curl with --aws-sigv4 is installed');

describe.runIf(curl)('the curl line of the message', () => {
  test('rejects as it is printed; nothing is changed, and that is recorded', async () => {
    const { rollbackId } = asked.no;
    const line = question(rollbackId)?.text.split('\n').map((one) => one.replace(/^[-\s]+/, '')).find((one) => one.startsWith('curl') && one.includes('reject')) ?? '';
    expect(await start('bash', ['-c', line], environment('carl', approver))).toMatchObject({ code: 0, text: expect.stringContaining('rejected') as string });
  });
});

test('no changes nothing, and that is recorded', async () => {
  const { rollbackId } = asked.no;
  if (!curl) await ripcord('carl', ['reject', rollbackId]);
  const ended = await rig.ended('no');
  expect(ended).toMatchObject({ status: 'SUCCEEDED', outcome: 'rejected' });
  expect(rig.changes('no')).toEqual([]);
  expect(await answersOf(rollbackId)).toMatchObject([{ taken: true, answer: 'reject', by: expect.stringContaining('release-approver/carl') as string }]);
  expect((await rig.kinds(rollbackId)).at(-1)).toBe('sealed');
  expect(rig.messages(rollbackId).at(-1)?.subject).toContain('rejected');
  expect(await rig.lockOwner('no')).toBeNull();
});

test('who asked may not approve; a colleague may', async () => {
  const { rollbackId } = asked.own;
  const refused = await ripcord('erin', ['approve', rollbackId]);
  expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('who asks may not answer') as string });
  expect(rig.changes('own')).toEqual([]);
  expect(await ripcord('frank', ['approve', rollbackId])).toMatchObject({ code: 0 });
  const ended = await rig.endOf(asked.own);
  expect(ended.outcome, ended.headline).toBe('recovered');
  expect(await answersOf(rollbackId)).toMatchObject([{ taken: false, code: 'own-request' }, { taken: true, answer: 'approve' }]);
});

test('a yes that comes when nothing fires any more rolls nothing back', async () => {
  rig.calm('quiet');
  expect(await ripcord('gina', ['approve', asked.quiet.rollbackId])).toMatchObject({ code: 0, text: expect.stringContaining('reads every signal again first') as string });
  const ended = await rig.ended('quiet');
  expect(ended.outcome, ended.headline).toBe('left');
  expect(rig.changes('quiet')).toEqual([]);
  expect(await lastQuestion(ended.rollbackId)).toContain('no-longer-firing');
});

test('a deadline that passes with the rule to stop changes nothing, is recorded, and pages', async () => {
  const ended = await rig.ended('late');
  expect(ended.outcome, ended.headline).toBe('left');
  expect(rig.changes('late')).toEqual([]);
  expect(await lastQuestion(ended.rollbackId)).toContain('deadline-passed');
  expect(rig.messages(ended.rollbackId).at(-1)).toMatchObject({ topic: 'on-call', subject: expect.stringMatching(/^PAGE .*nothing was changed/) as string });
  expect(await ripcord('hugo', ['approve', ended.rollbackId])).toMatchObject({ code: 1, text: expect.stringMatching(/deadline|does not wait/) as string });
});

test('a deadline that passes with the rule to roll back rolls back, is recorded, and pages', async () => {
  const ended = await rig.ended('forced');
  expect(ended.outcome, ended.headline).toBe('recovered');
  expect(rig.changes('forced')).toEqual(['ModifyListener']);
  expect(await lastQuestion(ended.rollbackId)).toContain('deadline-roll-back');
  const pages = rig.messages(ended.rollbackId).filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE '));
  expect(pages.map(({ subject }) => subject)).toEqual([expect.stringContaining('approve') as string, expect.stringContaining('nobody answered') as string]);
});

test('the task token is in the ledger and nowhere else that people read', async () => {
  const tokens = (await rig.ledger()).flatMap(({ sk, taskToken }) => (sk === 'APPROVAL' && taskToken !== undefined ? [taskToken] : []));
  expect(tokens).toHaveLength(Object.keys(services).length);
  const audit = await rig.sandbox.services.dynamodb.items(rig.ripcord.names.auditTable);
  const logs = rig.sandbox.services.functions.list().map(({ log }) => log.lines);
  const read = JSON.stringify([rig.sandbox.inbox, audit, logs, rig.sandbox.services.events.events.filter(({ source }) => source === 'ripcord')]);
  expect(read.length).toBeGreaterThan(50_000);
  for (const token of tokens) expect(read.includes(token) || read.includes(JSON.stringify(token).slice(1, -1))).toBe(false);
});

test('no function was refused a call, and no invariant broke', () => {
  expect(rig.denials().filter((text) => text.includes('/ripcord-') || text.includes('Ripcord'))).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
