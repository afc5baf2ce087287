// What a Watch leaves in the audit: a row at each change of what it concludes and at its end, from which the same conclusion can be made again.
import { beforeEach, describe, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { ChainSealed } from '../../lambdas/adapters/audit-store.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditEntry, type AuditRow, genesis } from '../../lambdas/audit/entry.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import type { WatchMemory } from '../../lambdas/domain/bake-memory.ts';
import type { Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { type WatchParts, watch } from '../../lambdas/runtime/watch.ts';
import { keep, watchChain } from '../../lambdas/runtime/watch-kept.ts';
import { serviceInput } from './assess-rig.ts';
import { captured, pipeline, ran, record as recordEvent, rig, service, start } from './watch-rig.ts';

beforeEach(() => {
  rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, signals: { ...serviceInput.signals, traffic: { none: 'nobody sends it requests here' } }, policy: { ...serviceInput.policy, bakeMinutes: 10 } }) });
});

const watchId = 'w-1';
const record = (type: 'Started' | 'Finished', minutes: number) => recordEvent(pipeline(type, minutes), `${watchId}-${type}`);
/** @param minutes how far ahead of the rig's clock. */
function look(watching: Watching, before: WatchLooked, minutes: number, parts: Partial<WatchParts> = {}): Promise<WatchLooked> {
  const clock = { now: () => new Date(rig.clock.now() + minutes * 60_000) };
  const memory: WatchMemory | null = before.memory ?? null;
  return watch({ verb: 'look', watchId, watch: watching, look: 1, looksLeft: 1400, memory, evidence: ran(true) }, { ...rig.parts, clock, ...parts }) as Promise<WatchLooked>;
}

async function rows(id = watchId): Promise<readonly AuditRow[]> {
  const read = await new AuditRows(rig.table.client, 'audit').read(watchChain(service, id));
  expect(verifyChain(read, await readAnchor(rig.table, watchChain(service, id)) ?? undefined)).toMatchObject({ intact: true, isAnchored: read.length > 0 });
  expect(replayRows(read).filter(({ result }) => result !== 'same')).toEqual([]);
  return read;
}
const told = (all: readonly AuditRow[]): string[] => all.map(({ kind, data }) => {
  const { verb, looked, outcome } = JSON.parse(data) as { verb?: string; looked?: WatchLooked; outcome?: string };
  return kind === 'sealed' ? `sealed ${outcome}` : `${verb} ${looked?.answer} ${[...new Set(looked?.reasons.map(({ code }) => code))].join(' ')}`;
});

describe('a watch that ends well', () => {
  it('leaves a row at each change, none for a look that says the same, and is closed by the last', async () => {
    const watching = await record('Started', -12);
    let looked = await start(watching);
    for (const minutes of [0, 1, 2]) looked = await look(watching, looked, minutes);
    await record('Finished', -1);
    for (const minutes of [3, 4, 5, 6]) looked = await look(watching, looked, minutes);
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green').slice(0, 1) }, rig.parts);
    looked = await look(watching, looked, 10);
    expect(looked.answer).toBe('known-good');
    await watch({ verb: 'settle', watchId, watch: watching, captured: captured('green'), reasons: looked.reasons, memory: looked.memory ?? null }, rig.parts);
    const all = await rows();
    expect(told(all)).toEqual([
      expect.stringContaining('start continue'), 'look continue in-progress', 'look continue baking', 'look known-good baked', 'settle ended known-good not-captured', 'sealed known-good',
    ]);
    expect(replayRows(all).map(({ verdict }) => verdict)).toEqual(['continue', 'continue', 'continue', 'known-good', 'ended']);
    expect(await rows('w-2')).toEqual([]);
    // The call that closed it comes again.
    const again = await watch({ verb: 'settle', watchId, watch: watching, captured: captured('green'), reasons: looked.reasons, memory: looked.memory ?? null }, rig.parts) as WatchLooked;
    expect([again.answer, (await rows()).length]).toEqual(['ended', all.length]);
  });

  it('holds the readings of its conclusion: changed in the record, another conclusion comes of them', async () => {
    const watching = await record('Started', -12);
    await look(watching, await start(watching), 0);
    const [, row] = await rows();
    const data = JSON.parse(row?.data ?? '') as { question: { alarms: { state: string }[] } };
    expect(data.question.alarms.map(({ state }) => state)).toEqual(['OK', 'OK']);
    const forged = replayRows([{ ...row as AuditRow, data: JSON.stringify({ ...data, question: { ...data.question, alarms: data.question.alarms.map((alarm) => ({ ...alarm, state: 'ALARM', since: rig.at(0) })) } }) }]);
    expect(forged).toMatchObject([{ kind: 'watched', result: 'different', differences: expect.arrayContaining(['answer: recorded "continue", now "signal"']) as string[] }]);
    const [began] = await rows();
    const beginning = JSON.parse(began?.data ?? '') as { question: { observed: { alarms: { state: string }[] } } };
    expect(beginning.question.observed.alarms.map(({ state }) => state)).toEqual(['OK', 'OK']);
    const sick = { ...beginning, question: { ...beginning.question, observed: { ...beginning.question.observed, alarms: beginning.question.observed.alarms.map((alarm) => ({ ...alarm, state: 'ALARM' })) } } };
    expect(replayRows([{ ...began as AuditRow, data: JSON.stringify(sick) }])).toMatchObject([{ result: 'different', differences: [expect.stringMatching(/^reasons: .*"not-quiet"/) as string] }]);
    for (const broken of ['{}', '{"verb":"toString","question":{},"looked":{}}', 'null']) expect(replayRows([{ ...row as AuditRow, data: broken }])).toMatchObject([{ result: 'different' }]);
  });

  it('says what could not be captured of a release that finished', async () => {
    const watching = await record('Started', -2);
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    expect(told(await rows('w-2'))).toEqual(['left ended left-kept not-captured', 'sealed left-kept']);
  });
});

describe('a watch that starts a rollback', () => {
  it('leaves a row for it, and none for the looks after it that only wait', async () => {
    const watching = await record('Started', -1);
    let looked = await start(watching);
    rig.fire('5xx');
    for (const minutes of [0, 1, 2]) looked = await look(watching, looked, minutes);
    expect(told(await rows())).toEqual([expect.stringContaining('start continue'), 'look signal signal', 'look continue in-progress']);
  });

  it('starts it though the record cannot be written, says so, and fails at the next look', async () => {
    const watching = await record('Started', -1);
    const begun = await start(watching);
    rig.fire('5xx');
    const audit = { append: () => Promise.reject(new Error('table is gone')), seal: () => Promise.reject(new Error('table is gone')) };
    const looked = await look(watching, begun, 0, { audit });
    expect([looked.answer, looked.reasons.at(-1)]).toEqual(['signal', { code: 'not-recorded', text: 'That was not recorded: table is gone' }]);
    await expect(look(watching, looked, 1, { audit })).rejects.toThrow('table is gone');
    expect(await look(watching, looked, 1)).toMatchObject({ answer: 'continue' });
    expect(told(await rows())).toEqual([expect.stringContaining('start continue'), 'look continue in-progress']);
  });
});

describe('what is kept', () => {
  const looked = (answer: WatchLooked['answer'], code: string): WatchLooked => ({ answer, waitSeconds: 60, reasons: [{ code, text: '' }], rollback: null });
  const question = { release: { id: 'r', version: 'v' }, captured: [], withdrawal: null };

  it('is bounded while something flaps, but not what is done about it', async () => {
    const entries: AuditEntry[] = [];
    const audit = { append: async (entry: AuditEntry) => { entries.push(entry); return { length: entries.length, hash: '' }; }, seal: () => Promise.reject(new Error('not asked')) };
    let memory: WatchMemory | null = null;
    for (let turn = 0; turn < 100; turn += 1)
      memory = (await keep({ service, watchId }, { verb: 'left', question, withdrawn: [], looked: { ...looked('continue', `c-${turn % 2}`), ...(memory === null ? {} : { memory }) } }, { ...rig.parts, audit }, memory)).memory ?? null;
    expect(entries).toHaveLength(40);
    await keep({ service, watchId }, { verb: 'left', question, withdrawn: [], looked: looked('signal', 'c-0') }, { ...rig.parts, audit }, memory);
    expect(entries).toHaveLength(41);
  });

  it('is the end of a watch whose event told of a failure', async () => {
    await keep({ service, watchId: 'w-9', isLast: true }, { verb: 'left', question, withdrawn: [], looked: looked('signal', 'failed') }, rig.parts);
    expect((await new AuditRows(rig.table.client, 'audit').read(watchChain(service, 'w-9'))).map(({ kind }) => kind)).toEqual(['watched', 'sealed']);
    const sealed = { append: () => Promise.reject(new ChainSealed('closed', genesis)), seal: () => Promise.reject(new Error('not asked')) };
    expect(await keep({ service, watchId: 'w-9' }, { verb: 'left', question, withdrawn: [], looked: looked('ended', 'x') }, { ...rig.parts, audit: sealed })).toEqual(looked('ended', 'x'));
  });
});
