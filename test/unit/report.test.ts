// How a rollback ends: every outcome, its record, its messages, the freed lock; and the same again when the step dies in between.
import { beforeEach, describe, expect, it } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { acquireLock, readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { Outcome, Reported, ReportInput } from '../../lambdas/domain/workflow.ts';
import { type Death, endRollback } from '../../lambdas/runtime/report.ts';
import { endingOf } from '../../lambdas/runtime/report-outcome.ts';
import { assessment, reportInput, result, verified } from './report-samples.ts';
import { another, begun, clock, id, inputAgain, ledger, markdown, parts, sent, service, tables } from './report-rig.ts';
import { recordRollback } from './rollback-rows.ts';

const death = (status: string, input: ReportInput): Death => ({ status, isTold: false, inputFrom: () => input });

describe('the outcome', () => {
  const cases: readonly [string, Outcome, { readonly ok: boolean; readonly page: boolean }, () => ReportInput][] = [
    ['recovered', 'recovered', { ok: true, page: false }, () => reportInput()],
    ['recovered by a later rung', 'recovered', { ok: true, page: false }, () => reportInput({ results: [result({ status: 'failed' }, null), result()] })],
    ['still bad after all rungs', 'not-recovered', { ok: false, page: true }, () => reportInput({ verified: verified({ answer: 'still-bad' }) })],
    ['never verified', 'not-recovered', { ok: false, page: true }, () => reportInput({ results: [result({ status: 'failed' }, null)], verified: null })],
    ['changed, but not confirmed', 'not-recovered', { ok: false, page: true }, () => reportInput({ results: [result({}, 'cannot-verify')], verified: null })],
    ['overwritten before apply', 'stopped', { ok: false, page: true }, () => reportInput({ results: [result({ status: 'changed-by-someone-else' }, null)], verified: null })],
    ['overwritten after apply', 'stopped', { ok: false, page: true }, () => reportInput({ results: [result({}, 'changed-by-someone-else')], verified: null })],
    ['overwritten while it was proven', 'stopped', { ok: false, page: true }, () => reportInput({ verified: verified({ answer: 'still-bad', reasons: [{ code: 'changed-by-someone-else', text: 'x' }] }) })],
    ['failed before anything', 'failed', { ok: false, page: true }, () => reportInput({ results: [], verified: null, error: { Error: 'States.TaskFailed', Cause: 'x' } })],
    ['failed after a change', 'failed', { ok: false, page: true }, () => reportInput({ verified: null, error: { Error: 'X', Cause: '{"errorMessage":"boom"}' } })],
    ['never assessed', 'failed', { ok: false, page: true }, () => reportInput({ assessment: null, results: [], verified: null, error: { Error: 'TypeError', Cause: 'x' } })],
    ['refused', 'refused', { ok: false, page: false }, () => reportInput({ assessment: null, results: [], verified: null, error: { Error: 'Refused', Cause: '{"errorType":"Refused","errorMessage":"service \\"x\\" is not in the catalogue"}' } })],
    ['left alone', 'left', { ok: true, page: false }, () => reportInput({ assessment: assessment({ verdict: 'leave', rungs: [] }), results: [], verified: null })],
    ['left, and somebody has to look', 'left', { ok: true, page: true }, () => reportInput({ assessment: assessment({ verdict: 'leave', page: true }), results: [], verified: null })],
    ['asked about, and nobody answered', 'left', { ok: true, page: true }, () => reportInput({ assessment: assessment({ verdict: 'leave' }), results: [], verified: null, approval: { answer: 'deadline', by: null, at: '', comment: '' } })],
    ['rejected', 'rejected', { ok: true, page: false }, () => reportInput({ assessment: assessment({ verdict: 'leave' }), results: [], verified: null, approval: { answer: 'rejected', by: 'arn:bob', at: '', comment: '' } })],
    ['a dry run', 'dry-run', { ok: true, page: false }, () => reportInput({ assessment: assessment({ mode: 'dry-run' }), results: [], verified: null })],
    ['a dry run that broke', 'failed', { ok: false, page: true }, () => reportInput({ assessment: assessment({ mode: 'dry-run' }), results: [], verified: null, error: { Error: 'X' } })],
    ['in shadow', 'shadow', { ok: true, page: false }, () => reportInput({ assessment: assessment({ mode: 'shadow' }), results: [], verified: null })],
    ['left alone in shadow, where somebody would have to look', 'left', { ok: true, page: false }, () => reportInput({ assessment: assessment({ mode: 'shadow', verdict: 'leave', page: true }), results: [], verified: null })],
    ['in shadow, and broke', 'failed', { ok: false, page: true }, () => reportInput({ assessment: assessment({ mode: 'shadow' }), results: [], verified: null, error: { Error: 'X' } })],
    ['a verdict without steps', 'failed', { ok: false, page: true }, () => reportInput({ results: [], verified: null })],
  ];

  it.each(cases)('of a rollback that was %s is %s', (_, outcome, end, input) => {
    expect(endingOf(input())).toMatchObject({ outcome, ...end });
  });

  it('of one that was ended from outside is died, whatever it had reached', () => {
    expect(endingOf(reportInput({ verified: null }), 'TIMED_OUT')).toMatchObject({ outcome: 'died', ok: false, page: true, reasons: [{ code: 'died' }, ...endingOf(reportInput({ verified: null })).reasons] });
  });

  it('says of a plan whose every way is closed that nothing leads back, and why', () => {
    const shut = (stepId: string) => ({ stepId, strategy: 'any', targetId: 'any', outcome: 'impossible', from: null, to: null, reason: { code: 'destination-gone', text: `${stepId} is gone.` }, summary: '', expectedSeconds: 0 } as const);
    const headline = (mode: 'dry-run' | 'shadow', ...stepIds: string[]) => endingOf(reportInput({ assessment: assessment({ mode }), results: [], verified: null, plans: stepIds.map(shut) })).headline;
    expect(headline('dry-run', 'alb-weights/web', 'codedeploy/group')).toBe('checkout: dry run, nothing was changed. No way back can be taken as things are: alb-weights/web is gone.');
    expect(headline('shadow', 'alb-weights/web', 'codedeploy/group')).toBe('checkout in shadow: nothing was changed. No way back can be taken as things are: alb-weights/web is gone.');
    expect(headline('dry-run', 'alb-weights/web')).toBe('checkout: dry run from v42 to v41, nothing was changed');
  });

  it('of a dry run says from what to what, or why there is no way back', () => {
    const dry = (change: Parameters<typeof assessment>[0] = {}) => endingOf(reportInput({ assessment: assessment({ mode: 'dry-run', ...change }), results: [], verified: null })).headline;
    expect(dry()).toBe('checkout: dry run from v42 to v41, nothing was changed');
    expect(dry({ rungs: [], headline: 'v41 does not work with the database.' })).toBe('checkout: dry run, nothing was changed. v41 does not work with the database.');
  });

  it('says that nothing was changed where a service recovered on a version that was live already', () => {
    const input = reportInput({ results: [result({ status: 'already' })] });
    expect(endingOf(input).headline).toBe('checkout was on v41 already, nothing was changed, and it has recovered');
    // A repeat of Apply finds what the first try had changed.
    expect(endingOf(input, null, true).headline).toBe('checkout was rolled back from v42 to v41 and has recovered');
  });

  it('names the reason of a refusal, also in the one line that the console shows', () => {
    const refused = cases.find(([name]) => name === 'refused')?.[3]();
    expect(refused === undefined ? '' : endingOf(refused).headline).toBe('checkout: the request was refused, nothing was changed. service "x" is not in the catalogue');
    expect(refused === undefined ? [] : endingOf(refused).reasons).toEqual([{ code: 'error', text: 'Refused: service "x" is not in the catalogue' }]);
  });
});

describe('ending a recovered rollback', () => {
  let reported: Reported;
  beforeEach(async () => { reported = await endRollback(await begun(), parts()); });

  it('seals the audit with the report and anchors its head', async () => {
    const rows = await tables.audit.read(id);
    expect(rows.map(({ kind }) => kind)).toEqual(['assessed', 'reported', 'sealed']);
    expect(JSON.parse(rows[2]?.data ?? '')).toEqual({ outcome: 'recovered', rows: 3 });
    const anchor = await readAnchor(tables.ledger, id);
    expect(anchor).toEqual({ length: 3, hash: rows[2]?.hash, isSealed: true });
    expect(reported).toMatchObject({ outcome: 'recovered', ok: true, auditLength: 3, auditHash: anchor?.hash });
    expect(verifyChain(rows, anchor ?? undefined)).toMatchObject({ intact: true, isAnchored: true });
  });

  it('closes the record, quarantines the version, and marks the release', async () => {
    expect(await ledger()).toMatchObject({ rollbacks: [{ rollbackId: id, outcome: 'recovered', endedAt: clock.at }], quarantined: ['v42'], releases: [{ id: 'd-ABC123', status: 'failed' }] });
  });

  it('frees the lock with the cool-down of the service', async () => {
    expect(await readLock(tables.ledger, service)).toMatchObject({ owner: null, leaseUntil: null, coolDownUntil: '2026-11-20T10:02:00.000Z', lastRollbackId: id });
  });

  it('tells on-call, stakeholders and the bus, with the head of the chain', () => {
    expect(sent.messages.map(({ topic, urgency }) => [topic, urgency])).toEqual([['on-call', 'notice'], ['stakeholders', 'notice']]);
    expect(sent.messages[0]?.text).toContain(reported.auditHash);
    expect(sent.events).toMatchObject([{ type: 'Rollback Ended', detail: { outcome: 'recovered', auditLength: 3, auditHash: reported.auditHash, version: 'v42', goodVersion: 'v41' } }]);
  });

  it('changes nothing when it is repeated, not even by the Watchdog', async () => {
    const before = [await tables.audit.read(id), await ledger()];
    clock.at = '2026-11-20T11:00:00.000Z';
    expect(await endRollback(await inputAgain(), parts())).toEqual(reported);
    expect(await endRollback(await inputAgain(), parts(), death('FAILED', await inputAgain()))).toEqual(reported);
    expect([await tables.audit.read(id), await ledger()]).toEqual(before);
    expect(sent.messages).toHaveLength(2);
  });

  it('leaves a lock that another rollback took meanwhile', async () => {
    await acquireLock(tables.ledger, service, 'rb-other', { now: clock.now() });
    await endRollback(await inputAgain(), parts());
    expect((await readLock(tables.ledger, service)).owner).toBe('rb-other');
  });
});

describe('ending a rollback that did not recover', () => {
  it('pages, keeps the version out of quarantine, and still frees the lock', async () => {
    await endRollback(await begun({ verified: verified({ answer: 'still-bad', reasons: [{ code: 'alarm-firing', text: 'Alarm 5xx is in ALARM.' }] }) }), parts());
    expect(sent.messages[0]).toMatchObject({ topic: 'on-call', urgency: 'page', subject: expect.stringMatching(/^PAGE Ripcord: .*NOT proven/) as string });
    expect(sent.messages[0]?.text).toContain('Alarm 5xx is in ALARM.');
    expect(await ledger()).toMatchObject({ quarantined: [], releases: [{ status: 'finished' }], lock: { owner: null, coolDownUntil: '2026-11-20T10:02:00.000Z' } });
  });

  it('holds no version back that it did not take out of service', async () => {
    await endRollback(await begun({ results: [result({ status: 'already' })] }), parts());
    expect(await ledger()).toMatchObject({ quarantined: [], releases: [{ status: 'finished' }] });
  });

  it.each([[['flag-off'], true], [['flag-off', 'traffic-shift'], false], [['redeploy'], false]] as const)('keeps the release live in the ledger when only flags were turned off (%j: %s)', async (ways, keeps) => {
    const way = { rung: 'alb-weights', ways, answer: 'chosen', reasons: [], to: ['v41'], expectedSeconds: 2 } as const;
    const input = await begun({}, { ways: [way] });
    await recordRollback(tables.ledger, { rollbackId: id, service, startedAt: input.startedAt, isAutomatic: true, release: null, goodVersion: 'v41', endedAt: null, outcome: null });
    const { headline } = await endRollback(input, parts());
    expect(headline).toContain(keeps ? 'keeps v42 with its flags turned off' : 'was rolled back from v42 to v41');
    const { quarantined, releases, rollbacks } = await ledger();
    expect({ quarantined, status: releases[0]?.status, keeps: rollbacks[0]?.keepsRelease }).toEqual(keeps ? { quarantined: [], status: 'finished', keeps: true } : { quarantined: ['v42'], status: 'failed', keeps: undefined });
  });

  it('holds the version back when only a row tells of the change: a repeat of Apply found it done', async () => {
    const input = await begun({ results: [result({ status: 'already' })] });
    await tables.audit.append({ rollbackId: id, service, kind: 'change-intended', at: '2026-11-20T09:15:00.000Z', data: { targetId: 'web' } }, null);
    await endRollback(input, parts());
    expect(await ledger()).toMatchObject({ quarantined: ['v42'], releases: [{ status: 'failed' }] });
  });

  it('starts no cool-down when nothing was tried, and tells nobody who need not know', async () => {
    await endRollback(await begun({ results: [], verified: null }, { verdict: 'leave', rungs: [] }), parts());
    expect((await readLock(tables.ledger, service))).toMatchObject({ owner: null, coolDownUntil: null });
    expect(sent.messages).toEqual([]);
    expect(sent.events).toMatchObject([{ type: 'Rollback Ended', detail: { outcome: 'left' } }]);
  });

  it.each([[null, 'shadow'], ['TIMED_OUT', 'died']] as const)('leaves nothing behind in shadow but its record (ended by %s)', async (status, outcome) => {
    const input = await begun({ results: [], verified: null }, { mode: 'shadow' });
    await recordRollback(tables.ledger, { rollbackId: `${id}-s`, service, startedAt: input.startedAt, isAutomatic: true, release: null, goodVersion: 'v41', endedAt: null, outcome: null, isShadow: true });
    await endRollback(input, parts(), status === null ? null : death(status, input));
    expect(await ledger()).toMatchObject({ quarantined: [], releases: [{ status: 'finished' }], lock: { owner: null, coolDownUntil: null }, rollbacks: [{ outcome }], shadowed: [{ rollbackId: `${id}-s` }] });
  });

  it('pages on-call alone when somebody has to look', async () => {
    await endRollback(await begun({ results: [], verified: null }, { verdict: 'leave', page: true }), parts());
    expect(sent.messages.map(({ topic, urgency }) => [topic, urgency])).toEqual([['on-call', 'page']]);
  });

  it('frees the lock that Assess took before it died', async () => {
    await endRollback(await begun({ results: [], verified: null, error: { Error: 'Lambda.Unknown', Cause: 'x' } }, null), parts());
    expect((await readLock(tables.ledger, service)).owner).toBeNull();
    expect(sent.messages[0]).toMatchObject({ urgency: 'page' });
  });

  it('closes one that died, and says that the rest is not known', async () => {
    const input = await begun({ verified: null });
    const reported = await endRollback(input, parts(), death('ABORTED', input));
    expect(reported).toMatchObject({ outcome: 'died', ok: false });
    expect(sent.messages[0]?.text).toContain('The execution ended as ABORTED; nothing after its last audit row is known.');
    expect((await ledger()).rollbacks).toMatchObject([{ outcome: 'died' }]);
  });
});

describe('the incident report', () => {
  it('holds summary, impact, evidence, release, actions, proof, timeline, follow-ups and the hash', async () => {
    await endRollback(await begun({ results: [result({ status: 'failed', reason: { code: 'denied', text: 'ModifyRule was denied' } }, null), result()] }), parts());
    const text = await markdown();
    const head = (await tables.audit.read(id))[0]?.hash ?? 'none';
    for (const fact of [
      'Outcome: recovered', 'From v42 to v41', 'Duration: 2.5 minutes, from the first signal (2026-11-20 09:14:00 UTC) to the proof of recovery (2026-11-20 09:16:30 UTC)',
      'Failed requests: not measured.', 'checkout-5xx', 'd-ABC123', 'alice', 'First signal 4 min after it began', 'blue 0 → 100, green 100 → 0', 'The whole state before each change',
      'Journey buy: passed', 'Database changes of v42 are NOT undone', 'Not tried: api', 'ModifyRule was denied', '2026-11-20 09:14:06 UTC assessed', 'catalogue version 7', 'code version abc123', head, 'this one is held',
    ]) expect(text).toContain(fact);
    expect(text).not.toContain('"weights"');
  });

  it('carries no tag and no broken table from what users typed', async () => {
    await endRollback(await begun({}, { reasons: [{ code: 'x', text: '<img src=x onerror=alert(1)> | [a](javascript:b)\n# heading' }] }), parts());
    const text = await markdown();
    expect(text).not.toMatch(/<(img|script)/);
    expect(text).not.toMatch(/\n# heading/);
    expect(text).toContain(String.raw`\| \[a\](javascript:b) \# heading`);
  });

  it('says when the end of the impact is not proven, and when its begin is not known', async () => {
    await endRollback(await begun({ verified: verified({ answer: 'still-bad' }) }), parts());
    expect(await markdown()).toContain('Duration: at least 3.0 minutes from the first signal (2026-11-20 09:14:00 UTC); the end is not proven.');
    another();
    await endRollback(await begun({}, { firstSignalAt: null }), parts());
    expect(await markdown()).toContain('Duration: not measured');
  });

  it('fits its row after a long rollback', async () => {
    const input = await begun({ results: Array.from({ length: 120 }, () => result({ summary: 'x'.repeat(5000), reason: { code: 'c', text: 'y'.repeat(5000) } })) }, { reasons: Array.from({ length: 2000 }, () => ({ code: 'z', text: 'z'.repeat(5000) })) });
    await expect(endRollback(input, parts())).resolves.toMatchObject({ outcome: 'recovered' });
  });
});
