// The sentences that every strategy keeps, checked against the sandbox's services with the role that its manifest asks for.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepApplied } from '../../lambdas/domain/workflow.ts';
import type { Bench } from './bench.ts';

const sentences = {
  readOnly: 'capture and plan change nothing',
  works: 'apply puts the target back, and confirm says so',
  twice: 'apply twice leaves the same world, and the second says already or adopts',
  already: 'a target that is as it should be is already done, without a write',
  someoneElse: 'a target that somebody else changed is not written',
  overtaken: 'a change that somebody else overwrites afterwards is not confirmed',
  throttling: 'throttled reads and writes are tried again, and end the same',
  lostReply: 'a write whose answer was lost is found on the repeat',
  throttledForGood: 'throttling that does not end is left to the workflow to try again',
  denial: 'a write that is denied fails with the name of the action, and changes nothing',
  deniedRead: 'a read that is denied fails with the name of the action, and changes nothing',
  manifest: 'every call is named in the manifest, and every action of the manifest is used',
  pages: 'answers that come in pages are read to the end',
} as const;

type Sentence = keyof typeof sentences;

export interface Subject {
  readonly bench: Bench;
  /** IAM actions of a read and of the write. */
  readonly read: string;
  readonly write: string;
  /** What the world looks like to a user: compared before and after. */
  readonly world: () => unknown;
  readonly isBack: () => boolean;
  /** A change that is neither what the release left nor the goal. */
  readonly somebodyElse: () => void | Promise<void>;
  /** Puts so much beside the target that its answers come in pages. */
  readonly crowd?: () => void | Promise<void>;
  /** Actions that AWS demands though nobody calls them, or that this subject's story does not need, with why. */
  readonly unused: Readonly<Record<string, string>>;
  /** Names of broken rules of the world, checked after every change. */
  readonly breaches: () => readonly string[];
}

export interface Contract {
  readonly name: string;
  readonly start: () => Promise<Subject>;
  /** A sentence is skipped only for a reason. */
  readonly skips?: Partial<Record<Sentence, string>>;
}

const operationOf = (action: string): { service: string; operation: string } => ({ service: action.split(':')[0] ?? '', operation: action.split(':')[1] ?? '' });

export function keepsTheContract({ name, start, skips = {} }: Contract): void {
  describe(`${name} keeps the contract of strategies`, () => {
    let subject: Subject;
    beforeEach(async () => { subject = await start(); });
    afterEach(async () => {
      const breaches = subject.breaches();
      await subject.bench.account.close();
      expect(breaches).toEqual([]);
    });
    for (const [key, check] of Object.entries(checks) as [Sentence, (subject: Subject) => Promise<void>][]) {
      const reason = skips[key];
      // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the assertions are in the check, the title is the sentence
      it.skipIf(reason !== undefined)(reason === undefined ? sentences[key] : `${sentences[key]}: skipped, because ${reason}`, () => check(subject));
    }
  });
}

const tokenIn = (part: unknown): unknown => (part as { nextToken?: unknown } | null)?.nextToken;

/** Confirms, and shows what confirm said when it did not say yes. */
async function proven(bench: Bench, applied: StepApplied): Promise<void> {
  const { answer, detail } = await bench.confirm(applied);
  expect(`${answer}: ${detail}`).toMatch(/^yes: /);
}

const checks: Readonly<Record<Sentence, (subject: Subject) => Promise<void>>> = {
  readOnly: async ({ bench, world }) => {
    const before = world();
    expect(await bench.capture()).toMatchObject({ status: 'captured', reason: null });
    expect(await bench.plan()).toMatchObject({ outcome: 'change' });
    expect(bench.changes()).toEqual([]);
    expect(world()).toEqual(before);
  },
  works: async ({ bench, isBack }) => {
    const applied = await bench.apply();
    expect(applied).toMatchObject({ status: 'changed', reason: null });
    await proven(bench, applied);
    expect(isBack()).toBe(true);
    expect(bench.changes()).toHaveLength(1);
    expect(bench.rows.map((row) => row.kind)).toEqual(['change-intended', 'change-made', 'confirmed']);
  },
  twice: async ({ bench, isBack, world }) => {
    await bench.confirm(await bench.apply());
    const after = world();
    const again = await bench.apply();
    expect(['already', 'changed']).toContain(again.status);
    await proven(bench, again);
    expect(bench.changes()).toHaveLength(1);
    expect([isBack(), world()]).toEqual([true, after]);
  },
  already: async ({ bench, world }) => {
    await bench.confirm(await bench.apply());
    const [mark, before] = [bench.account.server.calls.last, world()];
    const again = await bench.apply();
    expect(again).toMatchObject({ status: 'already', reason: null });
    await proven(bench, again);
    expect([bench.changes(mark), world()]).toEqual([[], before]);
  },
  someoneElse: async ({ bench, somebodyElse, world }) => {
    await somebodyElse();
    const before = world();
    expect(await bench.plan()).toMatchObject({ outcome: 'impossible', reason: { code: 'changed-by-someone-else' } });
    expect(await bench.apply()).toMatchObject({ status: 'changed-by-someone-else', to: null });
    expect([bench.changes(), world()]).toEqual([[], before]);
  },
  overtaken: async ({ bench, somebodyElse }) => {
    const applied = await bench.apply();
    await bench.confirm(applied);
    await somebodyElse();
    expect(await bench.look(applied)).toMatchObject({ answer: 'changed-by-someone-else' });
  },
  throttling: async ({ bench, read, write, isBack }) => {
    const { faults } = bench.account.server;
    const injected = [read, write].map((action) => faults.add({ name: 'throttle', ...operationOf(action), calls: [1], effect: { kind: 'throttle' } }));
    await proven(bench, await bench.apply());
    expect(injected.map((fault) => fault.injected)).toEqual([1, 1]);
    expect(isBack()).toBe(true);
  },
  lostReply: async ({ bench, write, isBack, world }) => {
    const fault = bench.account.server.faults.add({ name: 'lost', ...operationOf(write), effect: { kind: 'reset', after: true } });
    const first = await bench.apply().catch((error: unknown) => error);
    fault.remove();
    if (first instanceof Error) expect(first).toMatchObject({ name: 'Retryable' });
    const applied = await bench.apply();
    await proven(bench, applied);
    const after = world();
    await proven(bench, await bench.apply());
    expect([isBack(), world()]).toEqual([true, after]);
  },
  throttledForGood: async ({ bench, write, world }) => {
    const before = world();
    bench.account.server.faults.add({ name: 'throttle', ...operationOf(write), effect: { kind: 'throttle' } });
    await expect(bench.apply()).rejects.toMatchObject({ name: 'Retryable' });
    expect(world()).toEqual(before);
    expect(bench.rows.map((row) => row.kind)).toEqual(['change-intended', 'change-failed']);
  },
  denial: async ({ bench, write, world }) => {
    const before = world();
    bench.takeAway(write);
    expect(await bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'denied', text: expect.stringContaining(write) as string } });
    expect(world()).toEqual(before);
    expect(bench.rows.at(-1)).toMatchObject({ kind: 'change-failed' });
  },
  deniedRead: async ({ bench, read }) => {
    bench.takeAway(read);
    const reason = { code: 'denied', text: expect.stringContaining(read) as string };
    expect(await bench.capture()).toMatchObject({ status: 'failed', state: null, reason });
    expect(await bench.plan()).toMatchObject({ outcome: 'impossible', reason });
    expect(await bench.apply()).toMatchObject({ status: 'failed', reason });
    expect(bench.changes()).toEqual([]);
  },
  manifest: async ({ bench, unused }) => {
    await bench.confirm(await bench.apply());
    expect(bench.calls().filter((call) => call.errorCode !== null).map((call) => `${call.operation} ${call.errorCode}`)).toEqual([]);
    const left = bench.account.server.iam.unusedBy('strategy').map((entry) => entry.slice(entry.lastIndexOf(' ') + 1));
    expect(left.toSorted()).toEqual(Object.keys(unused).toSorted());
  },
  pages: async ({ bench, crowd, isBack }) => {
    await crowd?.();
    await proven(bench, await bench.apply());
    const tokens = bench.calls().flatMap(({ output }) => tokenIn(output) ?? []);
    expect(tokens.filter((token) => !bench.calls().some(({ input }) => tokenIn(input) === token))).toEqual([]);
    expect(isBack()).toBe(true);
  },
};
