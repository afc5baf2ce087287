// People answer an approval late, twice, yes and no, in any order: one answer counts, whoever was told "yes, taken" was, and every try is on record.
import { SFNClient } from '@aws-sdk/client-sfn';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Approvals } from '../../lambdas/adapters/approvals.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import type { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import type { Approval, Assessment } from '../../lambdas/domain/workflow.ts';
import { answer } from '../../lambdas/runtime/answer.ts';
import { type HttpAnswer, requestOf } from '../../lambdas/runtime/answer-request.ts';
import { approve } from '../../lambdas/runtime/approve.ts';
import { assess } from '../../lambdas/runtime/assess.ts';
import { machineArn, recordingNotices, silent } from '../unit/report-samples.ts';
import { manyCases, patience } from './many-cases.ts';
import { attached, inputs, Lamp, pause, type Ran, rig, turn, withAccount, World } from './interleaving-world.ts';
import { nothingLost } from './interleaving-lost.ts';

withAccount();

const role = 'arn:aws:iam::111122223333:role/Approver';
const timeoutMinutes = 30;

/** The task of the workflow that waits for an answer: it takes the first one, unless its time is over. */
class WaitingTask {
  taken: Approval | null = null;
  readonly token: string;
  readonly #goOn: (taken: Approval) => void;

  constructor(token: string, goOn: (taken: Approval) => void) {
    this.token = token;
    this.#goOn = goOn;
  }

  /** @returns false when nothing waits any more. */
  take(approval: Approval): boolean {
    if (this.taken !== null) return false;
    this.taken = approval;
    this.#goOn(approval);
    return true;
  }

  /** Gives answers to this task, each in its turn. @param slow turns that each is under way. */
  approvals(s: fc.Scheduler, slow = 0): Approvals {
    const client = new SFNClient({ region: 'eu-west-1' });
    client.send = (async ({ input }: { input: { taskToken: string; output: string } }) => {
      await pause(s, slow);
      return turn(s, async () => {
        if (input.taskToken !== this.token || !this.take(JSON.parse(input.output) as Approval)) throw Object.assign(new Error('no'), { name: 'TaskTimedOut' });
        return {};
      });
    }) as typeof client.send;
    return new Approvals(client);
  }
}

interface Tried {
  readonly session: string;
  readonly says: 'approve' | 'reject';
  readonly reply: HttpAnswer;
}

/** What is kept of a try. */
interface Kept {
  readonly by: string;
  readonly answer: string;
  readonly taken: boolean;
}

/** One rollback that asks, and those who answer. */
class Asked {
  readonly ran: Promise<Ran>;
  readonly lamp: Lamp;
  readonly world: World;
  /** Tries that came when the record was sealed: it takes no more rows. */
  readonly afterwards: Kept[] = [];
  readonly #task: WaitingTask;

  constructor(world: World, lamp: Lamp, goOn: (taken: Approval) => Promise<Ran>) {
    this.world = world;
    this.lamp = lamp;
    let end: (ran: Promise<Ran>) => void = () => undefined;
    this.ran = new Promise((resolve) => { end = resolve; });
    this.#task = new WaitingTask(`token-${world.service}`, (taken) => { end(goOn(taken)); });
  }

  get taken(): Approval | null {
    return this.#task.taken;
  }

  async ask(seen: Assessment): Promise<void> {
    const parts = { audit: rig.parts.audit as AuditRecord, table: rig.table, notices: recordingNotices().notices, approvals: this.#task.approvals(this.world.s), clock: rig.parts.clock, machineArn, log: silent };
    await approve({ taskToken: this.#task.token, plans: [], assessment: seen }, { ...parts, factsOf: async () => null, answerUrl: async () => 'https://answer.example/' });
  }

  async try(rollback: string, { session, says, slow }: Pick<Tried, 'session' | 'says'> & Pick<Timing, 'slow'>): Promise<Tried> {
    const parts = this.world.parts();
    const log = { ...silent, warn: (_: string, data?: object) => { this.afterwards.push(data as Kept); } };
    const event = {
      requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: `arn:aws:sts::111122223333:assumed-role/Approver/${session}` } } },
      body: JSON.stringify({ rollback, answer: says }), isBase64Encoded: false,
    };
    return { session, says, reply: await answer(requestOf(event), { audit: parts.audit, table: parts.table, approvals: this.#task.approvals(this.world.s, slow), clock: parts.clock, approverRoleArns: [role], log }) };
  }

  /** The deadline: first by the clock, then, a moment later, for the workflow. */
  async timeOut(after: number, drift: number): Promise<void> {
    await pause(this.world.s, after);
    await turn(this.world.s, async () => void (this.world.ahead = (timeoutMinutes * 60 + 1) * 1000));
    await pause(this.world.s, drift);
    await turn(this.world.s, async () => void this.#task.take({ answer: 'deadline', by: null, at: rig.at(timeoutMinutes), comment: '' }));
  }
}

const opinion = fc.constantFrom('approve' as const, 'reject' as const);

interface Timing {
  /** Who says what after how many turns, and how many times at once. */
  readonly tries: readonly { readonly session: string; readonly says: Tried['says']; readonly after: number; readonly times: number }[];
  readonly deadline: number;
  readonly drift: number;
  /** Turns that an answer is under way to the waiting task. */
  readonly slow: number;
}

/** Any number of tries, and a deadline at any moment. */
const anyhow: fc.Arbitrary<Timing> = fc.record({
  // Who asked is among them; nobody with the role of dana may answer for dana.
  tries: fc.array(fc.record({ session: fc.constantFrom('bob', 'carol', 'dana'), says: opinion, after: fc.nat(4), times: fc.integer({ min: 1, max: 2 }) }), { minLength: 1, maxLength: 3 }),
  deadline: fc.nat(16),
  drift: fc.nat(4),
  slow: fc.constantFrom(0, 0, 2),
});

/** One person says the same twice, and the deadline comes between the calls of the first time: it was kept, and did not get through. */
const cutOff: fc.Arbitrary<Timing> = fc.record({ session: fc.constantFrom('bob', 'carol'), says: opinion, again: fc.integer({ min: 6, max: 12 }), deadline: fc.integer({ min: 2, max: 4 }), drift: fc.nat(2) })
  .map(({ session, says, again, deadline, drift }) => ({ tries: [0, again].map((after) => ({ session, says, after, times: 1 })), deadline, drift, slow: 12 }));

const setup = fc.record({
  scheduler: fc.scheduler(),
  kind: fc.constantFrom('errors' as const, 'person' as const),
  onDeadline: fc.constantFrom('stop' as const, 'roll-back' as const),
  timing: fc.oneof({ weight: 2, arbitrary: cutOff }, { weight: 1, arbitrary: anyhow }),
});

test('an approval that is answered late, twice, yes and no, in any order: one answer counts, and nobody is told otherwise', async () => {
  await fc.assert(fc.asyncProperty(setup, async ({ scheduler: s, kind, onDeadline, timing: { tries, deadline, drift, slow } }) => {
    const service = await attached({ approval: { required: 'always', timeoutMinutes, onDeadline } });
    const [rollbackId, input] = [`${service}-run`, inputs(service)[kind]];
    const first = await assess(rig.input(service, input, { rollbackId }), rig.parts, silent);
    expect(first.verdict).toBe('ask');
    const lamp = new Lamp(s, () => undefined);
    const world = new World(service, s, lamp.acting);
    const asked = new Asked(world, lamp, async (approval) => {
      const parts = world.parts();
      return world.end(await assess(rig.input(service, input, { rollbackId, look: 1, approval }), parts, silent), input, parts);
    });
    await asked.ask(first);
    const [tried, ran] = await s.waitFor(Promise.all([
      Promise.all(tries.flatMap(({ session, says, after, times }) => Array.from({ length: times }, async () => {
        await pause(s, after);
        return asked.try(rollbackId, { session, says, slow });
      }))),
      asked.ran,
      asked.timeOut(deadline, drift),
    ]));
    await nothingLost(world, [ran]);
    await checkAnswers(asked, tried, { rollbackId, onDeadline });
  }), { ...manyCases(20), endOnFailure: true });
}, patience(120_000));

const answerOf = (says: string): string => (says === 'approve' ? 'approved' : 'rejected');

async function checkAnswers({ taken, lamp, afterwards }: Asked, said: readonly Tried[], { rollbackId, onDeadline }: { readonly rollbackId: string; readonly onDeadline: string }): Promise<void> {
  const counts = taken?.answer ?? '';
  expect(lamp.over.length, `changes after "${counts}"`).toBe(counts === 'approved' || (counts === 'deadline' && onDeadline === 'roll-back') ? 1 : 0);
  const told = said.filter(({ reply }) => reply.statusCode < 300).map(({ says }) => answerOf(says));
  expect(told.filter((answered) => answered !== counts), `answers that were called taken, where "${counts}" counts`).toEqual([]);
  expect(counts === 'deadline' || told.length > 0, 'somebody was told that the answer counts').toBe(true);
  const rows = (await new AuditRows(rig.table.client, 'audit').read(rollbackId)).filter(({ kind }) => kind === 'approval-answered').map(({ data }) => JSON.parse(data) as Kept);
  const kept = [...rows, ...afterwards];
  expect(kept.filter((one) => one.taken && answerOf(one.answer) !== counts), 'kept as taken, though they did not count').toEqual([]);
  // The same try at the same instant is one row.
  const keys = new Set(kept.map(({ by, answer: says, taken: isTaken }) => `${by.split('/').at(-1)} ${says} ${isTaken}`));
  expect(keys, 'tries on record').toEqual(new Set(said.map(({ session, says, reply }) => `${session} ${says} ${reply.statusCode < 300}`)));
}
