// Two runs of one service that want a person's yes, whoever answers which of them and when: an answer counts for the run that asked, one acts, and no question is left without a word.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import type { HttpAnswer } from '../../lambdas/runtime/answer-request.ts';
import { nothingLost } from './interleaving-lost.ts';
import { Questions, timeoutMinutes, tokenOf } from './interleaving-questions.ts';
import { attached, inputs, type Kind, Lamp, pause, type Ran, rig, turn, withAccount, World } from './interleaving-world.ts';
import { manyCases, patience } from './many-cases.ts';

withAccount();

const which = fc.constantFrom('first' as const, 'second' as const);

/** Before the run asks, or so many turns after. */
interface Attempt {
  readonly about: 'first' | 'second';
  readonly session: string;
  readonly says: 'approve' | 'reject';
  readonly isEarly: boolean;
  readonly turns: number;
  readonly times: number;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  about: which, session: fc.constantFrom('bob', 'carol', 'dana'), says: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
  isEarly: fc.boolean(), turns: fc.nat(20), times: fc.integer({ min: 1, max: 2 }),
});

/** Somebody says yes and somebody no, at the same moment. */
const opposed: fc.Arbitrary<Attempt[]> = fc.record({ about: which, turns: fc.nat(6) }).map(({ about, turns }) =>
  [{ session: 'bob', says: 'approve' as const }, { session: 'carol', says: 'reject' as const }].map((one) => ({ ...one, about, turns, isEarly: false, times: 1 })));

const setup = fc.record({
  scheduler: fc.scheduler(),
  first: fc.constantFrom('errors' as const, 'person' as const),
  second: fc.constantFrom<Kind[]>('latency', 'external', 'watch', 'person', 'person'),
  /** The second begins so many turns after the first one's question; null: beside it. */
  begins: fc.option(fc.nat(60), { nil: null }),
  deadlines: fc.tuple(fc.nat(40), fc.nat(40)),
  onDeadline: fc.constantFrom('stop' as const, 'roll-back' as const),
  attempts: fc.oneof({ weight: 3, arbitrary: fc.array(attempt, { minLength: 1, maxLength: 4 }) }, { weight: 1, arbitrary: opposed }),
  /** Whose task somebody completes with the other one's yes. */
  stray: fc.option(fc.record({ to: which, turns: fc.nat(20) }), { nil: null, freq: 3 }),
});

interface Tried {
  readonly rollbackId: string;
  readonly says: 'approve' | 'reject';
  readonly reply: HttpAnswer;
}

test('two runs of one service, one approval each, in any order: an answer counts for the run that asked, one acts, no question is left without a word', async () => {
  await fc.assert(fc.asyncProperty(setup, async ({ scheduler: s, first, second, begins, deadlines, onDeadline, attempts, stray }) => {
    const service = await attached({ approval: { required: 'always', timeoutMinutes, onDeadline } });
    const lamp = new Lamp(s, () => undefined);
    const questions = new Questions(new World(service, s, lamp.acting));
    const ids = { first: `${service}-first`, second: `${service}-second` };
    const [runs, tried] = await s.waitFor(Promise.all([
      Promise.all([
        questions.run(ids.first, inputs(service)[first], { after: deadlines[0] }),
        (async () => {
          if (begins !== null) await questions.asks(ids.first);
          await pause(s, begins ?? 0);
          return questions.run(ids.second, inputs(service)[second], { after: deadlines[1] });
        })(),
      ]),
      Promise.all(attempts.flatMap(({ about, session, says, isEarly, turns, times }) => Array.from({ length: times }, async (): Promise<Tried> => {
        if (!isEarly) await questions.asks(ids[about]);
        await pause(s, turns);
        return { rollbackId: ids[about], says, reply: await questions.try(ids[about], { session, says }) };
      }))),
      (async () => {
        if (stray === null) return;
        await questions.asks(ids[stray.to]);
        await pause(s, stray.turns);
        const other = ids[stray.to === 'first' ? 'second' : 'first'];
        await turn(s, async () => void questions.take(tokenOf(ids[stray.to]), { answer: 'approved', by: `whoever answered ${other}`, at: rig.at(0), comment: '' }));
      })(),
    ]));
    expect(lamp.over.length, 'changes of the target').toBeLessThanOrEqual(1);
    expect(questions.world.mostActing, 'runs that act at the same time').toBeLessThanOrEqual(1);
    for (const ran of runs) await checkAnswer(ran, questions, { tried, onDeadline });
    checkTold(runs, questions);
    expect(stray === null ? [...questions.errors] : [], 'runs that were ended by an error').toEqual([]);
    await nothingLost(questions.world, runs);
  }), { ...manyCases(16), endOnFailure: true });
}, patience(120_000));

/** Who acted was allowed to by an answer to its own question, and whoever was told that an answer counts was told the truth. */
async function checkAnswer({ seen: { rollbackId }, applied }: Ran, { taken }: Questions, { tried, onDeadline }: { readonly tried: readonly Tried[]; readonly onDeadline: string }): Promise<void> {
  const counts = taken.get(tokenOf(rollbackId))?.answer ?? 'none';
  const kept = (await readApproval(rig.table, rollbackId))?.answer?.answer ?? null;
  expect(applied === null || kept === 'approved' || (counts === 'deadline' && onDeadline === 'roll-back'), `${rollbackId} acted after "${counts}", where "${kept}" was answered`).toBe(true);
  const said = tried.filter((one) => one.rollbackId === rollbackId && one.reply.statusCode < 300).map(({ says }) => (says === 'approve' ? 'approved' : 'rejected'));
  expect(said.filter((one) => one !== counts), `answers to ${rollbackId} that were called taken, where "${counts}" counts`).toEqual([]);
}

/** One end each; and a page where a question got no answer that could be used. */
function checkTold(runs: readonly Ran[], { world: { sent }, asked, taken, errors }: Questions): void {
  for (const { seen: { rollbackId, verdict }, applied } of runs) {
    const ends = sent.events.filter(({ type, detail }) => type === 'Rollback Ended' && detail['rollbackId'] === rollbackId);
    expect(ends.length, `ends told of ${rollbackId}`).toBe(verdict === 'joined' && !asked.has(rollbackId) ? 0 : 1);
    const questions = sent.events.filter(({ type, detail }) => type === 'Approval Needed' && detail['rollbackId'] === rollbackId).length;
    expect(questions, `questions of ${rollbackId}`).toBe(asked.has(rollbackId) ? 1 : 0);
    const isUnanswered = asked.has(rollbackId) && applied === null && (errors.has(rollbackId) || taken.get(tokenOf(rollbackId))?.answer === 'deadline');
    const about = sent.messages.filter(({ topic, subject, text, urgency }) => topic === 'on-call' && urgency === 'page' && !subject.includes('approve the rollback') && text.includes(`Rollback id: ${rollbackId}`));
    expect(isUnanswered && about.length === 0, `${rollbackId} was not answered, and nobody was paged about it`).toBe(false);
  }
}
