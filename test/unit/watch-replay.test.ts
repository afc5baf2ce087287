// What a Watch kept as known good, or took back, made again from its row alone; and rows in which nothing was decided.
import { beforeEach, describe, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { failedLooked } from '../../lambdas/domain/bake-end.ts';
import type { TargetState } from '../../lambdas/domain/vocabulary.ts';
import type { Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { watchChain } from '../../lambdas/runtime/watch-kept.ts';
import { serviceInput } from './assess-rig.ts';
import { blue, conclude, goods, green, recordSettled, rig, service, settledAt, statesAt } from './watch-rig.ts';

beforeEach(() => {
  rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, signals: { ...serviceInput.signals, traffic: { none: 'nobody sends it requests here' } } }) });
});

const captured = (state: TargetState, minutes = 0.1) => statesAt({ web: state }, minutes);
async function began(): Promise<Watching> {
  const watching = await recordSettled('Started', 0);
  await conclude('start', watching, captured(blue));
  return watching;
}
const finished = async (state: TargetState): Promise<void> => { await conclude('left', await recordSettled('Finished', 0.5), captured(state, 0.5)); };

interface Data {
  readonly question: Record<string, unknown>;
  readonly looked: WatchLooked;
  readonly good?: Record<string, unknown> | null;
  readonly withdrawn?: readonly object[];
}

async function rowOf(verb: string): Promise<{ readonly row: AuditRow; readonly data: Data }> {
  const [row] = await new AuditRows(rig.table.client, 'audit').read(watchChain(service, verb));
  if (row === undefined) throw new Error(`${verb} left no row`);
  return { row, data: JSON.parse(row.data) as Data };
}

const again = (row: AuditRow, data: object = JSON.parse(row.data) as object) => replayRows([{ ...row, data: JSON.stringify(data) }])[0];

describe('what was kept as known good', () => {
  it('as a release began is in the row as in the ledger, and made again from what was captured', async () => {
    await began();
    const { row, data } = await rowOf('start');
    expect(await goods()).toEqual([data.good]);
    expect(data.good).toMatchObject({ version: 'v1', basis: 'observed', states: { web: blue }, unproven: { releaseId: 'build-2', targets: ['web'] } });
    expect(again(row)?.result).toBe('same');
    for (const forged of [{ states: { web: green } }, { since: settledAt(-1) }, { unproven: undefined }])
      expect(again(row, { ...data, good: { ...data.good, ...forged } })?.differences, JSON.stringify(forged)).toEqual([expect.stringMatching(/^good: recorded \{.*, now \{/) as string]);
    expect(again(row, { ...data, good: null })?.result).toBe('different');
  });

  it('at the end of a bake is in the row as in the ledger, and made again from what was captured', async () => {
    const watching = await began();
    await finished(green);
    await conclude('settle', watching, captured(green, 30));
    const { row, data } = await rowOf('settle');
    expect(await goods()).toContainEqual(data.good);
    expect(data.good).toMatchObject({ version: 'v2', basis: 'baked', states: { web: green } });
    expect(again(row)?.result).toBe('same');
    for (const forged of [{ states: { web: blue } }, { since: settledAt(-1) }, { basis: 'observed' }])
      expect(again(row, { ...data, good: { ...data.good, ...forged } })).toMatchObject({ result: 'different' });
    const { good: _, ...older } = data;
    expect(again(row, older)).toMatchObject({ result: 'unkept', verdict: 'ended' });
  });
});

describe('what was taken back', () => {
  it('is made again from how the release left the target', async () => {
    await began();
    await finished(blue);
    expect(await goods()).toEqual([]);
    const { row, data } = await rowOf('left');
    expect([again(row)?.result, data.looked.reasons.map(({ code }) => code)]).toEqual(['same', ['left-kept', 'withdrawn']]);
    expect(data.withdrawn).toEqual([{ version: 'v1', since: expect.any(String) as string, basis: 'observed', states: {} }]);
    const withdrawal = data.question['withdrawal'] as { readonly release: object };
    const moved = { ...data, question: { ...data.question, withdrawal: { ...withdrawal, release: { ...withdrawal.release, left: { web: green } } } } };
    expect(again(row, moved)?.differences).toEqual([expect.stringMatching(/^reasons: .*"withdrawn"/) as string, expect.stringMatching(/^withdrawn: recorded \[\{.*, now \[\]$/) as string]);
    expect(again(row, { ...data, looked: { ...data.looked, reasons: data.looked.reasons.slice(0, 1) } })?.result).toBe('different');
  });

  it('of a row that holds the reason alone cannot be made again', async () => {
    const { row, data } = await began().then(() => rowOf('start'));
    const { withdrawal: _, ...question } = data.question;
    expect(again(row, { ...data, question: { ...question, withdrawn: [{ code: 'withdrawn', text: 'nobody can check this' }] } })).toMatchObject({ result: 'unkept' });
  });
});

describe('a release that AWS calls failed', () => {
  const question = { service: 'shop', event: { deploymentId: 'ecs-svc/b', cluster: 'prod', ecsService: 'cart' }, version: 'cart:2', newest: { id: 'ecs-svc/b', version: 'cart:2' } };
  const told = { verb: 'record', question, looked: failedLooked(question), codeVersion: 'x' };
  const of = (data: object) => began().then(() => rowOf('start')).then(({ row }) => again(row, data));

  it('is made again from what its event said and what ECS showed then', async () => {
    expect(await of(told)).toMatchObject({ result: 'same', verdict: 'signal' });
    const back = { ...question, newest: { id: 'ecs-svc/c', version: 'cart:1' } };
    expect(await of({ ...told, question: back })).toMatchObject({ result: 'different', differences: expect.arrayContaining(['answer: recorded "signal", now "ended"', expect.stringMatching(/^reasons: .*"already-undone"/)]) as string[] });
    expect(await of({ ...told, question: back, looked: failedLooked(back) })).toMatchObject({ result: 'same', verdict: 'ended' });
  });

  it('has no reason that was made up, and no rollback of another release', async () => {
    expect(await of({ ...told, looked: { ...told.looked, reasons: [{ code: 'whatever', text: 'x' }] } })).toMatchObject({ differences: [expect.stringMatching(/^reasons: /)] });
    expect(await of({ ...told, question: { ...question, event: { ...question.event, deploymentId: 'ecs-svc/z' } } })).toMatchObject({ differences: [expect.stringMatching(/^rollback: /)] });
    expect(await of({ ...told, question: { service: 'shop', releaseId: 'r', reason: { code: 'whatever', text: 'x' } } })).toMatchObject({ result: 'unkept' });
  });
});

describe('what could not be captured of what a release left', () => {
  it('is made again from the captures, and from the versions that could have to be taken back: none', async () => {
    const watching = await recordSettled('Finished', 0.5);
    await conclude('left', watching, [...captured(green, 0.5), { targetId: 'app', status: 'failed', state: null, reason: { code: 'denied', text: 'not allowed' } }]);
    const { row, data } = await rowOf('left');
    expect([again(row)?.result, data.looked.reasons.map(({ code }) => code)]).toEqual(['same', ['left-kept', 'not-captured']]);
    expect(data.question['withdrawal']).toMatchObject({ goods: [], changed: [] });
    expect(again(row, { ...data, looked: { ...data.looked, reasons: [...data.looked.reasons, { code: 'withdrawn', text: '' }] } })?.result).toBe('different');
    expect(again(row, { ...data, question: { ...data.question, withdrawal: null } })?.result).toBe('unkept');
  });
});
