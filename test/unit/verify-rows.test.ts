// What each round of proof leaves in the audit: everything that its answer was made from.
import { describe, expect, it } from 'vitest';
import type { MetricsReading } from '../../lambdas/domain/metrics.ts';
import { judgeRound, type RoundQuestion } from '../../lambdas/domain/proof.ts';
import { reading as madeReading } from './domain/metric-samples.ts';
import { minute } from './domain/samples.ts';
import { alarm, failed, live, passed, proofInput, prove, tables, useTables } from './verify-rig.ts';

useTables();

describe('the rows of a proof', () => {
  it('leaves one row a round, with everything that its answer was made from', async () => {
    const input = proofInput({ passes: 0, releaseStartedAt: minute(-20), alarmsAtStart: ['disk'] });
    const metrics = madeReading();
    const first = await prove(input, { alarms: [alarm('5xx', 'ALARM')], isLeaseHeld: false, metrics });
    await prove({ ...input, audit: first.audit });
    const rows = await tables.audit.read(input.rollbackId);
    expect(rows.map(({ kind }) => kind)).toEqual(['verified', 'verified']);
    const { question, ...said } = JSON.parse(rows[0]?.data ?? '') as { readonly question: RoundQuestion; readonly reasons: readonly { readonly code: string }[] };
    const { verification, since: changed, releaseStartedAt } = input;
    expect(question).toEqual({
      purpose: 'proof', verification, since: changed, releaseStartedAt, passes: 0, alarmsAtStart: ['disk'], isLeaseHeld: false, metrics,
      live: [{ stepId: 'alb-weights/web', answer: 'yes', detail: 'as seen' }], journeys: first.journeys,
      alarms: [{ name: '5xx', state: 'ALARM', evaluationState: null, reason: 'because' }],
    });
    const { answer, passes, waitSeconds, reasons } = first;
    expect(said).toEqual({ answer, passes, waitSeconds, reasons, round: 4, codeVersion: 'abcdef012345' });
    expect(judgeRound(question)).toEqual({ answer, passes, waitSeconds, reasons });
    expect(first.audit).toMatchObject({ length: 1 });
  });

  it('fits the audit with the most that a service can declare: a whole reading, and fifty alarms that all fire', async () => {
    const counts = Array.from({ length: 1030 }, (_, index) => 1_000_000 + index);
    const metrics: MetricsReading = { status: 'read', end: minute(10), controls: [], metrics: ['a', 'b', 'c', 'd'].map((name) => ({ name, requests: counts, errors: counts, latency: counts })) };
    expect(JSON.stringify(metrics).length).toBeGreaterThan(98_000);
    const alarms = Array.from({ length: 50 }, (_, index) => ({ ...alarm(`${index}${'a'.repeat(250)}`, 'ALARM'), reason: 'é'.repeat(300), children: Array.from({ length: 100 }, () => 'b'.repeat(255)) }));
    const input = proofInput({ releaseStartedAt: minute(-20), live: Array.from({ length: 20 }, () => ({ ...live('not-yet'), detail: 'c'.repeat(300) })) });
    await prove(input, { alarms, metrics, results: Array.from({ length: 20 }, () => ({ ...failed, reason: 'd'.repeat(200) })) });
    const [row] = await tables.audit.read(input.rollbackId);
    expect(judgeRound((JSON.parse(row?.data ?? '') as { readonly question: RoundQuestion }).question).answer).toBe('not-yet');
  });

  it('holds no metrics where there is no release that they could be compared across: none are read', async () => {
    const input = proofInput();
    await prove(input, { metrics: madeReading() });
    const [row] = await tables.audit.read(input.rollbackId);
    expect((JSON.parse(row?.data ?? '') as { readonly question: RoundQuestion }).question).not.toHaveProperty('metrics');
  });
});

describe('evidence', () => {
  it('never says recovered, and hands over what the journeys found', async () => {
    const input = proofInput({ purpose: 'evidence', verification: null, since: null, live: [] });
    const verified = await prove(input, { results: [passed] });
    expect(verified).toMatchObject({ answer: 'not-yet', waitSeconds: 0, journeys: { results: [passed] } });
    expect(await tables.audit.read(input.rollbackId)).toHaveLength(1);
  });

  it('leaves no row for a watch, which is no rollback', async () => {
    const input = proofInput({ purpose: 'evidence', verification: null, since: null, fence: null });
    expect((await prove(input)).audit).toBeNull();
    expect(await tables.audit.read(input.rollbackId)).toEqual([]);
  });
});
