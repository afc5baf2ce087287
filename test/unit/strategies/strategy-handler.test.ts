// The function of a strategy: order of lock, record and write; what is retried; what a lost lock or a conflict does.
import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { AwsCallError, type AwsFault } from '../../../lambdas/adapters/aws-errors.ts';
import type { Downtime } from '../../../lambdas/domain/way-effect.ts';
import type { AuditEntry } from '../../../lambdas/audit/entry.ts';
import type { JsonObject } from '../../../lambdas/domain/vocabulary.ts';
import type { StepApplied, StepConfirmed, StepPlan, StrategyInput } from '../../../lambdas/domain/workflow.ts';
import { strategyHandler } from '../../../lambdas/runtime/strategy-handler.ts';
import type { Strategy } from '../../../lambdas/strategies/strategy.ts';

type Side = { readonly side: string };

const fault = (kind: AwsFault): AwsCallError => new AwsCallError(kind, { action: 'lamp:Switch', awsCode: 'Code', text: 'said' }, null);

/** A lamp that can be switched: the smallest strategy there is. */
class World {
  side = 'bad';
  downtime: Downtime = 'none';
  isHeld = true;
  readonly story: string[] = [];
  readonly rows: AuditEntry[] = [];
  readonly asked: unknown[] = [];
  failures: AwsCallError[] = [];
  captureFailure: AwsCallError | null = null;
  onApply: () => void = () => {};

  readonly strategy: Strategy<JsonObject, Side> = {
    manifest: { name: 'lamp', summary: '', target: z.strictObject({ lamp: z.string() }), states: { same: () => false, isSplit: () => false } },
    way: { order: 1, kind: 'traffic-shift', effect: () => ({ downtime: this.downtime, text: 'a lamp', seconds: 7, basis: 'known' }) },
    capture: () => {
      this.story.push('capture');
      return this.captureFailure === null ? Promise.resolve({ state: { side: this.side }, facts: {} }) : Promise.reject(this.captureFailure);
    },
    plan: (question) => {
      const { state } = question.live;
      if (state.side === 'good') return { outcome: 'already', from: state, to: state, summary: 'good already' };
      if (state.side === 'theirs' || (question.expectedFrom !== null && question.expectedFrom.side !== state.side)) return { outcome: 'impossible', from: state, reason: { code: 'changed-by-someone-else', text: 'theirs' } };
      return state.side === 'broken' ? { outcome: 'impossible', from: state, reason: { code: 'destination-gone', text: 'gone' } } : { outcome: 'change', from: state, to: { side: 'good' }, summary: 'bad → good' };
    },
    apply: ({ key, to }) => {
      this.story.push(`apply ${key}`);
      this.onApply();
      const failure = this.failures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      this.side = to.side;
      return Promise.resolve({ handle: { change: 'c-1' }, confirmAfterSeconds: 3 });
    },
    confirm: (question) => {
      this.asked.push(question);
      return this.captureFailure === null
        ? Promise.resolve({ answer: this.side === question.to.side ? 'yes' : 'not-yet', detail: this.side, retryAfterSeconds: 1, progress: { seen: true } })
        : Promise.reject(this.captureFailure);
    },
  };

  readonly run = async <Output>(input: Partial<StrategyInput>): Promise<Output> => strategyHandler(this.strategy, () => ({
    clock: { now: () => new Date('2026-11-20T09:00:00.000Z') },
    renew: () => { this.story.push('renew'); return Promise.resolve(this.isHeld); },
    audit: { append: (entry, cursor) => { this.story.push(entry.kind); this.rows.push(entry); return Promise.resolve({ length: (cursor?.length ?? 0) + 1, hash: 'h' }); } },
  }))({ verb: 'apply', rollbackId: 'run-1', step, fence: 7, planned: null, applied: null, audit: null, ...input }) as Promise<Output>;
}

const step: StrategyInput['step'] = { id: 'first/hall', service: 'checkout', strategy: 'lamp', targetId: 'hall', target: { lamp: 'hall' }, good: null, release: null };

describe('apply', () => {
  it('records the state before, then writes, then records what was done', async () => {
    const world = new World();
    const applied = await world.run<StepApplied>({});
    expect(world.story).toEqual(['renew', 'capture', 'change-intended', 'apply run-1/first/hall', 'change-made']);
    expect(world.rows[0]?.data).toMatchObject({ stepId: 'first/hall', from: { side: 'bad' }, to: { side: 'good' } });
    expect(applied).toMatchObject({ status: 'changed', from: { side: 'bad' }, to: { side: 'good' }, handle: { change: 'c-1' }, confirmAfterSeconds: 3, reason: null });
  });

  it('finds its own work on a repeat, records it, and writes nothing', async () => {
    const world = new World();
    await world.run({});
    const again = await world.run<StepApplied>({});
    expect(again).toMatchObject({ status: 'already', to: { side: 'good' } });
    expect(world.story.filter((line) => line.startsWith('apply'))).toHaveLength(1);
    expect(world.rows.at(-1)).toMatchObject({ kind: 'change-made', data: { status: 'already' } });
  });

  it.each([[{ isHeld: false }, {}], [{}, { fence: null }]])('writes nothing without the lock', async (fields, input) => {
    const world = Object.assign(new World(), fields);
    expect(await world.run<StepApplied>(input)).toMatchObject({ status: 'failed', reason: { code: 'lock-lost' } });
    expect(world.story.some((line) => line.startsWith('apply'))).toBe(false);
    expect(world.side).toBe('bad');
  });

  it.each([['theirs', 'changed-by-someone-else'], ['broken', 'failed']])('of a target that is %s ends as %s, with a row in the audit', async (side, status) => {
    const world = Object.assign(new World(), { side });
    expect(await world.run<StepApplied>({})).toMatchObject({ status, from: { side }, to: null });
    expect(world.rows.at(-1)).toMatchObject({ kind: 'change-failed', data: { status } });
  });

  it('holds the live state against the plan that a person saw', async () => {
    const planned: StepPlan = { stepId: step.id, strategy: 'lamp', targetId: 'hall', outcome: 'change', from: { side: 'worse' }, to: { side: 'good' }, reason: null, summary: '', expectedSeconds: 1 };
    expect(await new World().run<StepApplied>({ planned })).toMatchObject({ status: 'changed-by-someone-else' });
  });

  it.each(['throttled', 'unavailable'] as const)('is tried again by the workflow when the write is %s, and says so in the audit', async (kind) => {
    const world = Object.assign(new World(), { failures: [fault(kind)] });
    await expect(world.run({})).rejects.toMatchObject({ name: 'Retryable' });
    expect(world.rows.map((row) => row.kind)).toEqual(['change-intended', 'change-failed']);
  });

  it.each(['denied', 'gone', 'invalid', 'unknown'] as const)('fails with the call and the mend when the write is %s', async (kind) => {
    const world = Object.assign(new World(), { failures: [fault(kind)] });
    const applied = await world.run<StepApplied>({});
    expect(applied).toMatchObject({ status: 'failed', from: { side: 'bad' }, reason: { code: kind } });
    expect(applied.reason?.text).toMatch(/lamp:Switch .*\. [A-Z].+\.$/);
  });

  it('reads once more when the write met another change, and acts on what is true then', async () => {
    const world = Object.assign(new World(), { failures: [fault('conflicting')] });
    expect(await world.run<StepApplied>({})).toMatchObject({ status: 'changed' });
    expect(world.story).toEqual(['renew', 'capture', 'change-intended', 'apply run-1/first/hall', 'change-failed', 'capture', 'change-intended', 'apply run-1/first/hall', 'change-made']);
  });

  it('gives up after the second conflict, and never overwrites what somebody did in between', async () => {
    const twice = Object.assign(new World(), { failures: [fault('conflicting'), fault('conflicting')] });
    expect(await twice.run<StepApplied>({})).toMatchObject({ status: 'failed', reason: { code: 'conflicting' } });
    const taken = Object.assign(new World(), { failures: [fault('conflicting')] });
    taken.onApply = () => { taken.side = 'theirs'; };
    expect(await taken.run<StepApplied>({})).toMatchObject({ status: 'changed-by-someone-else' });
    expect(taken.side).toBe('theirs');
  });

  it('of a target that does not fit the schema reads and writes nothing', async () => {
    const world = new World();
    expect(await world.run<StepApplied>({ step: { ...step, target: { lamp: 5 } } })).toMatchObject({ status: 'failed', reason: { code: 'invalid-target', text: expect.stringContaining('lamp') as string } });
    expect(world.story).toEqual([]);
  });
});

describe('plan', () => {
  it('says what would be done, records it and changes nothing', async () => {
    const world = new World();
    expect(await world.run<StepPlan>({ verb: 'plan' })).toMatchObject({ outcome: 'change', summary: 'bad → good', expectedSeconds: 7 });
    expect([world.side, world.story]).toEqual(['bad', ['capture', 'planned']]);
  });

  it('says what users notice, from what is live', async () => {
    const world = Object.assign(new World(), { downtime: 'interruption' });
    expect(await world.run<StepPlan>({ verb: 'plan' })).toMatchObject({ outcome: 'change', effect: { downtime: 'interruption', text: 'a lamp', seconds: 7 } });
    expect(world.rows.at(-1)?.data).toMatchObject({ effect: { downtime: 'interruption' } });
  });

  it.each([['interruption', 'impossible'], ['unknown', 'impossible'], ['less-capacity', 'change'], ['mixed', 'change'], ['none', 'change']] as const)('where nobody said yes to an interruption and it is %s: %s', async (downtime, outcome) => {
    const world = Object.assign(new World(), { downtime });
    const planned = await world.run<StepPlan>({ verb: 'plan', step: { ...step, mustNotInterrupt: true } });
    const applied = await world.run<StepApplied>({ step: { ...step, mustNotInterrupt: true } });
    expect([planned.outcome, applied.status, world.side]).toEqual(outcome === 'change' ? ['change', 'changed', 'good'] : ['impossible', 'failed', 'bad']);
    expect(planned.reason?.code ?? null).toBe(outcome === 'change' ? null : 'would-interrupt');
  });

  it('that may not read is impossible, with the reason', async () => {
    const world = Object.assign(new World(), { captureFailure: fault('denied') });
    expect(await world.run<StepPlan>({ verb: 'plan' })).toMatchObject({ outcome: 'impossible', from: null, reason: { code: 'denied' } });
  });
});

describe('capture', () => {
  it('gives the state, or the reason why there is none', async () => {
    expect(await new World().run({ verb: 'capture' })).toEqual({ targetId: 'hall', status: 'captured', state: { side: 'bad' }, reason: null, at: '2026-11-20T09:00:00.000Z' });
    expect(await Object.assign(new World(), { captureFailure: fault('gone') }).run({ verb: 'capture' })).toMatchObject({ status: 'failed', state: null, reason: { code: 'gone' } });
    await expect(Object.assign(new World(), { captureFailure: fault('throttled') }).run({ verb: 'capture' })).rejects.toMatchObject({ name: 'Retryable' });
  });
});

const changed = async (): Promise<[World, StepApplied]> => { const world = new World(); return [world, await world.run<StepApplied>({})]; };

describe('confirm', () => {
  it('renews the lease, and records each new answer once', async () => {
    const [world, applied] = await changed();
    world.story.length = 0;
    const confirmed = await world.run<StepConfirmed>({ verb: 'confirm', applied });
    expect(confirmed).toMatchObject({ stepId: 'first/hall', answer: 'yes' });
    await world.run({ verb: 'confirm', applied, confirmed });
    expect(world.story).toEqual(['renew', 'confirmed', 'renew']);
  });

  it('gives the strategy back what it wanted to remember', async () => {
    const [world, applied] = await changed();
    const confirmed = await world.run<StepConfirmed>({ verb: 'confirm', applied });
    await world.run({ verb: 'confirm', applied, confirmed });
    expect(world.asked).toMatchObject([{ progress: null, appliedAt: '2026-11-20T09:00:00.000Z', handle: { change: 'c-1' } }, { progress: { seen: true } }]);
  });

  it('fails when the lock was lost', async () => {
    const [world, applied] = await changed();
    world.isHeld = false;
    expect(await world.run<StepConfirmed>({ verb: 'confirm', applied })).toMatchObject({ answer: 'failed' });
  });

  it('that may not read cannot verify', async () => {
    const [world, applied] = await changed();
    world.captureFailure = fault('denied');
    expect(await world.run<StepConfirmed>({ verb: 'confirm', applied })).toMatchObject({ answer: 'cannot-verify', detail: expect.stringContaining('lamp:Switch') as string });
  });

  it('of a step that failed is a failure', async () => {
    const [world, applied] = await changed();
    expect(await world.run<StepConfirmed>({ verb: 'confirm', applied: { ...applied, status: 'failed' } })).toMatchObject({ answer: 'failed' });
  });
});

describe('input that is not for this function', () => {
  it.each([[{ verb: 'destroy' as never }, 'verb'], [{ step: { ...step, strategy: 'other' } }, 'other']])('is refused', async (input, word) => {
    await expect(new World().run(input)).rejects.toThrow(word);
  });
});
