// What comes between the record of a rollback and the end of its lock: a signal is told once, or taken up by the run that brought it, and a look keeps no lock.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { joinSignal } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock, type LockHold, readLock, releaseLock } from '../../lambdas/adapters/ledger-lock.ts';
import type { Notices } from '../../lambdas/adapters/notices.ts';
import type { DeliveredSignal } from '../../lambdas/domain/ledger.ts';
import type { AuditCursor } from '../../lambdas/domain/vocabulary.ts';
import { assess } from '../../lambdas/runtime/assess.ts';
import { endRollback, type ReportParts } from '../../lambdas/runtime/report.ts';
import { alarmInput, Rig } from './assess-rig.ts';
import { begun, id, inputAgain, markdown, parts, sent, service, tables } from './report-rig.ts';
import { silent } from './report-samples.ts';

const leave = (over: Partial<DeliveredSignal> = {}) =>
  joinSignal(tables.ledger, service, { at: '2026-11-20T09:16:55.000Z', rollbackId: `${id}-joiner`, kind: 'alarm', source: '5xx', status: 'firing', since: null, summary: 'alarm 5xx', mutedUntil: null, leftTo: id, ...over });

/** While people are told how it ended, before any of them knows. */
const whileTold = (then: () => Promise<void>): Partial<ReportParts> => ({
  notices: Object.assign(Object.create(sent.notices) as Notices, {
    send: async (...given: Parameters<Notices['send']>) => {
      if (given[0].event?.detailType === 'Rollback Ended') await then();
      return sent.notices.send(...given);
    },
  }),
});

const late = () => sent.messages.filter(({ subject }) => subject.includes('a new signal came in as its rollback ended'));

describe('what is left to a rollback whose record is sealed', () => {
  it('pages on-call once, in a message and an event of its own, however often the step is repeated', async () => {
    await endRollback(await begun(), parts(whileTold(leave)));
    await endRollback(await inputAgain(), parts());
    expect(late()).toMatchObject([{ topic: 'on-call', urgency: 'page', subject: `PAGE Ripcord: ${service}: a new signal came in as its rollback ended: look at it` }]);
    expect(late()[0]?.text).toContain('alarm 5xx, firing, at 2026-11-20 09:16:55 UTC');
    expect(sent.events.map(({ type }) => type)).toEqual(['Rollback Ended', 'Late Signal']);
    expect(await markdown()).not.toContain('late-signal');
  });

  it('is told by a repeat, where the first try died with the lock already free', async () => {
    let reads = 0;
    const dies = parts({ ...whileTold(leave), signalsOfOthers: async (about) => { if ((reads += 1) === 2) throw new Error('throttled'); return parts().signalsOfOthers(about); } });
    await expect(endRollback(await begun(), dies)).rejects.toThrow('throttled');
    expect([(await readLock(tables.ledger, service)).owner, late().length]).toEqual([null, 0]);
    await endRollback(await inputAgain(), parts());
    expect(late()).toHaveLength(1);
  });

  it.each<[string, Partial<DeliveredSignal>]>([
    ['was quiet', { status: 'quiet' }], ['fired before the last look', { since: '2026-11-20T09:10:00.000Z' }],
    ['was left to another run', { leftTo: 'rb-other' }], ['was brought by a run that goes on itself', { leftTo: null }],
  ])('is nothing to be told when it %s', async (_name, over) => {
    await endRollback(await begun(), parts(whileTold(() => leave(over))));
    expect(late()).toEqual([]);
  });

  it('wakes nobody a second time within the same minute', async () => {
    await endRollback(await begun({ verified: null }), parts(whileTold(leave)));
    expect(late().map(({ urgency }) => urgency)).toEqual(['notice']);
  });

  it('is told to nobody in shadow', async () => {
    await endRollback(await begun({ results: [], verified: null }, { mode: 'shadow' }), parts(whileTold(leave)));
    expect([late(), sent.events.map(({ type }) => type)]).toEqual([[], ['Rollback Ended']]);
  });

  it('is not told again when the record names it already', async () => {
    await leave();
    await endRollback(await begun(), parts());
    expect([late().length, (await markdown()).includes('alarm 5xx, firing')]).toEqual([0, true]);
  });
});

const rig = new Rig();
beforeAll(() => rig.start());
afterAll(() => rig.stop());

describe('a run that finds the lock taken', () => {
  /** The rollback that has the lock ends as the signal is written: it reads no more. */
  function endsMeanwhile(about: string, hold: { readonly owner: string; readonly fence: number }): void {
    const { client } = rig.table;
    const send = client.send.bind(client);
    client.send = (async (command: { readonly input: { readonly Item?: { readonly sk?: { readonly S?: string } } } }) => {
      if (command.input.Item?.sk?.S?.startsWith('SIGNAL#') === true) {
        client.send = send;
        await releaseLock(rig.table, { service: about, ...hold }, null);
      }
      return send(command as never);
    }) as typeof client.send;
  }

  it.each([['an alarm', (about: string) => alarmInput(about)], ['a person', (about: string) => ({ service: about, reason: 'customers cannot pay', requestedBy: 'dana' })]])('decides by itself, for %s, when that run ends before it could see the signal', async (kind, input) => {
    const about = `gone-${kind.split(' ')[1]}`;
    await rig.attach(about);
    rig.fire('5xx', 'latency');
    const taken = await acquireLock(rig.table, about, 'rb-first', { now: new Date(rig.clock.now()) });
    endsMeanwhile(about, { owner: 'rb-first', fence: taken.held ? taken.fence : 0 });
    const said = await assess(rig.input(about, input(about)), rig.parts, silent);
    expect(said).toMatchObject({ verdict: 'roll-back' });
    expect((await readLock(rig.table, about)).owner).toBe(`rb-${about}`);
    expect((await rig.audited(`rb-${about}`)).length).toBe(1);
    rig.calm('5xx', 'latency');
  });
});

describe('a look whose execution somebody ended meanwhile', () => {
  const lookAgain = (about: string, audit: AuditCursor) => assess(rig.input(about, alarmInput(about), { look: 1, audit }), rig.parts, silent);
  const by = (about: string) => ({ rollbackId: `rb-${about}`, service: about, at: rig.at(0) });
  afterEach(async () => {
    rig.calm('5xx', 'latency');
    rig.server.faults.clear();
    rig.storm.services = 1000;
    await rig.forgetStorm();
  });

  /** After its first look the record is sealed; the lock is still as that look left it. */
  async function sealed(about: string): Promise<{ readonly audit: AuditCursor; readonly hold: LockHold }> {
    await rig.attach(about);
    rig.fire('5xx', 'latency');
    const { audit, fence } = await assess(rig.input(about, alarmInput(about)), rig.parts, silent);
    const record = new AuditRecord(rig.table.client, 'audit', 'ledger');
    await record.seal({ ...by(about), data: { outcome: 'died' } }, await record.append({ ...by(about), kind: 'reported', data: {} }, audit));
    return { audit, hold: { service: about, owner: `rb-${about}`, fence: fence ?? 0 } };
  }

  it('keeps no lock that it has taken again: nobody else would free it', async () => {
    const { audit, hold } = await sealed('ended');
    await releaseLock(rig.table, hold, null);
    await expect(lookAgain('ended', audit)).rejects.toThrow('is sealed at row');
    expect(await readLock(rig.table, 'ended')).toMatchObject({ owner: null, fence: hold.fence + 1 });
  });

  it('keeps none either where it ends at the door, in a storm in which no alarm can be read', async () => {
    const { audit, hold } = await sealed('ended-at-door');
    await releaseLock(rig.table, hold, null);
    rig.storm.services = 2;
    await rig.count(['x', 'y', 'z']);
    rig.server.faults.add({ name: 'busy', when: ({ operation }) => operation === 'DescribeAlarms', effect: { kind: 'throttle' } });
    await expect(lookAgain('ended-at-door', audit)).rejects.toThrow('is sealed at row');
    expect(await readLock(rig.table, 'ended-at-door')).toMatchObject({ owner: null, fence: hold.fence + 1 });
  });

  it('leaves the lock that it had before to whoever seals the record, who frees it with its cool-down', async () => {
    const { audit, hold } = await sealed('ending');
    await expect(lookAgain('ending', audit)).rejects.toThrow('is sealed at row');
    expect(await readLock(rig.table, 'ending')).toMatchObject({ owner: hold.owner, fence: hold.fence });
    expect(await releaseLock(rig.table, hold, new Date(rig.at(30)))).toBe(true);
  });
});
