// What comes while a rollback is being closed, and the step that closes it when it dies in between: it is repeated until everything is done once.
import { describe, expect, it } from 'vitest';
import { readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { joinSignal } from '../../lambdas/adapters/ledger-history.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { DeliveredSignal } from '../../lambdas/domain/ledger.ts';
import type { Assessment, ReportInput } from '../../lambdas/domain/workflow.ts';
import { endRollback } from '../../lambdas/runtime/report.ts';
import { silent, withoutNotes } from './report-samples.ts';
import { begun, breakOff, clock, id, inputAgain, kinds, ledger, markdown, parts, sent, service, tables } from './report-rig.ts';

describe('a signal that joins after the last round of proof', () => {
  const join = (over: Partial<DeliveredSignal> = {}) =>
    joinSignal(tables.ledger, service, { at: '2026-11-20T09:16:40.000Z', rollbackId: `${id}-joiner`, kind: 'alarm', source: '5xx', status: 'firing', since: null, summary: 'alarm 5xx', mutedUntil: null, ...over });
  const ended = async (change: Partial<ReportInput> = {}, assessed: Partial<Assessment> = {}) => {
    const reported = await endRollback(await begun(change, assessed), parts());
    return { ...reported, urgency: sent.messages[0]?.urgency, text: sent.messages[0]?.text ?? '' };
  };
  const told = 'a new signal came in while this rollback was being closed';

  it('wakes somebody, and is named in the message and in the report', async () => {
    await join();
    const { outcome, headline, urgency, text } = await ended();
    expect([outcome, urgency]).toEqual(['recovered', 'page']);
    expect(headline).toBe(`${service} was rolled back from v42 to v41 and has recovered; ${told}`);
    for (const each of [text, await markdown()]) expect(each).toContain(`${told}: alarm 5xx, firing, at 2026-11-20 09:16:40 UTC: alarm 5xx`);
    expect(text).toContain('YOU have to look');
    expect(await ledger()).toMatchObject({ quarantined: ['v42'], lock: { owner: null } });
  });

  it('stays told when the step is repeated after it was freed', async () => {
    await join();
    const first = await ended();
    expect(await endRollback(await inputAgain(), parts())).toMatchObject({ headline: first.headline });
  });

  it.each<[string, () => Promise<void>]>([
    ['joined before that round, which looked at everything', () => join({ at: '2026-11-20T09:16:20.000Z' })],
    ['was its own', () => join({ rollbackId: id })],
    ['is muted', () => join({ mutedUntil: '2026-11-20T12:00:00.000Z' })],
  ])('is none when it %s', async (_name, before) => {
    await before();
    const { urgency, text } = await ended();
    expect(urgency).toBe('notice');
    expect(text).not.toContain(told);
  });

  it('is named and wakes nobody when its source was quiet again', async () => {
    await join({ kind: 'external', source: 'datadog/1' });
    await join({ kind: 'external', source: 'datadog/1', status: 'quiet', at: '2026-11-20T09:16:50.000Z', rollbackId: `${id}-quiet` });
    const { urgency, text } = await ended();
    expect(urgency).toBe('notice');
    expect(text).toContain(`${told}: external datadog/1, quiet`);
  });

  it('counts from the decision where nothing was proven, and changes no other outcome', async () => {
    await join({ at: '2026-11-20T09:14:10.000Z' });
    await join({ at: '2026-11-20T09:14:01.000Z', source: 'early', rollbackId: `${id}-early` });
    const { outcome, headline } = await ended({ results: [], verified: null }, { verdict: 'leave', rungs: [] });
    expect([outcome, headline.includes(told), sent.messages]).toEqual(['left', false, []]);
    expect(await markdown()).toContain(`${told}: alarm 5xx`);
    expect(await markdown()).not.toContain('alarm early');
  });

  it('keeps the lock when the ledger cannot say whether there was one, so that the step is tried again', async () => {
    await expect(endRollback(await begun(), parts({ signalsOfOthers: async () => { throw new Error('throttled'); } }))).rejects.toThrow('throttled');
    expect((await readLock(tables.ledger, service)).owner).toBe(id);
    expect(await kinds()).toEqual(['assessed']);
  });
});

describe('a step that dies in between', () => {
  /** Every write that Report makes, cut off one after the other, then repeated to the end. */
  it.each(Array.from({ length: 9 }, (_, index) => index))('is completed by a repeat, wherever it was cut off (write %i)', async (cut) => {
    const input = await begun();
    let writes = 0;
    const send = tables.client.send.bind(tables.client);
    tables.client.send = (async (command: { constructor: { name: string } }) => {
      const isWrite = /^(PutItem|UpdateItem|TransactWriteItems)/.test(command.constructor.name);
      if (isWrite && writes++ === cut) throw Object.assign(new Error('the function died'), { name: 'Died' });
      return send(command as never);
    }) as typeof tables.client.send;
    try {
      await endRollback(input, parts()).then(() => undefined, () => undefined);
    } finally {
      tables.client.send = send;
    }
    clock.at = '2026-11-20T09:20:00.000Z';
    const reported = await endRollback(input, parts());
    expect(await kinds()).toEqual(['assessed', 'reported', 'sealed']);
    expect(verifyChain(await tables.audit.read(id), { length: reported.auditLength, hash: reported.auditHash })).toMatchObject({ intact: true });
    expect(await ledger()).toMatchObject({ lock: { owner: null }, quarantined: ['v42'], rollbacks: [{ outcome: 'recovered' }], releases: [{ status: 'failed' }] });
    expect(sent.events.map(({ type }) => type)).toContain('Rollback Ended');
    expect(sent.messages.length).toBeGreaterThanOrEqual(2);
  });

  it('ends well where only the note of the message fails: the step is not tried again, so nobody hears it again', async () => {
    const warnings: string[] = [];
    const log = { ...silent, warn: (text: string) => { warnings.push(text); } };
    expect(await endRollback(await begun(), parts({ table: withoutNotes(tables.ledger), log }))).toMatchObject({ outcome: 'recovered' });
    expect(sent.messages.map(({ topic }) => topic)).toEqual(['on-call', 'stakeholders']);
    expect((await readLock(tables.ledger, service)).owner).toBeNull();
    expect(warnings).toEqual([expect.stringContaining('"ended"') as string]);
  });

  it('frees the lock although nobody could be told, then fails, so that telling is tried again', async () => {
    const input = await begun();
    breakOff('on-call');
    await expect(endRollback(input, parts())).rejects.toThrow(/on-call is not there/);
    expect((await readLock(tables.ledger, service)).owner).toBeNull();
    breakOff(null);
    await endRollback(input, parts());
    expect(sent.messages.filter(({ topic }) => topic === 'on-call')).toHaveLength(1);
    // Who heard it at the first try hears it once.
    expect(sent.messages.filter(({ topic }) => topic === 'stakeholders')).toHaveLength(1);
    expect(sent.events.filter(({ type }) => type === 'Rollback Ended')).toHaveLength(1);
  });

  it('counts an event that the bus refused as not told', async () => {
    const input = await begun();
    breakOff('bus');
    await expect(endRollback(input, parts())).rejects.toThrow(/was refused: InternalFailure/);
  });

  it('ends although the catalogue cannot be read', async () => {
    const reported = await endRollback(await begun(), parts({ factsOf: async () => { throw new Error('denied'); } }));
    expect(reported.outcome).toBe('recovered');
    expect((await readLock(tables.ledger, service)).coolDownUntil).toBe('2026-11-20T09:47:00.000Z');
  });
});
