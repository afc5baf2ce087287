// A record decided again: the same decision from the same question, and every way in which it can turn out otherwise is named.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { main } from '../../bin/ripcord.ts';
import type { AuditAnchor } from '../../lambdas/audit/chain.ts';
import { type AuditRow, cursorAt, genesis, rowAfter } from '../../lambdas/audit/entry.ts';
import { type Decision, decide } from '../../lambdas/domain/decide.ts';
import { judgeRound, type ProofQuestion, type RoundQuestion, type RoundVerdict } from '../../lambdas/domain/proof.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { bundleOf } from '../../lib/engine/bundle.ts';
import { reading, since } from './domain/metric-samples.ts';
import { minute, quiet, question } from './domain/samples.ts';

const here = bundleOf('assess').digest;
const verifier = bundleOf('verify').digest;
const about = { rollbackId: 'rb-1', service: 'checkout', at: '2026-11-20T09:10:00.000Z' };

type Kind = 'assessed' | 'verified' | 'watched' | 'planned' | 'change-made' | 'reported' | 'sealed';

/** A whole chain of these rows, sealed. */
function chainWith(...given: readonly (readonly [Kind, object])[]): AuditRow[] {
  const rows: AuditRow[] = [];
  const add = (kind: Kind, data: JsonObject): void => {
    const last = rows.at(-1);
    rows.push(rowAfter(last === undefined ? genesis : cursorAt(last), { ...about, kind, data }));
  };
  for (const [kind, data] of given) add(kind, data as JsonObject);
  add('sealed', { rows: given.length + 1 });
  return rows;
}
const chainOf = (...assessed: readonly object[]): AuditRow[] => chainWith(...assessed.map((data) => ['assessed', data] as const));

const recorded = (asked: Question, over: Partial<Decision> = {}, codeVersion = here): object => ({ question: asked, decision: { ...decide(asked), ...over }, fence: 1, configVersion: 1, codeVersion });
const held = question({ alarms: [question().alarms[0] ?? quiet('5xx'), quiet('latency')] });
const differencesOf = (data: object): readonly string[] => replayRows(chainOf(data)).flatMap(({ differences }) => differences);

describe('a decision made again', () => {
  it('is the same for what decided it, whatever the verdict', () => {
    const replayed = replayRows(chainOf(recorded(held), recorded(question())));
    expect(replayed.map(({ seq, result, verdict }) => [seq, result, verdict])).toEqual([[0, 'same', 'hold'], [1, 'same', 'roll-back']]);
  });

  it.each<readonly [string, Partial<Decision>, string]>([
    ['verdict', { verdict: 'leave' }, 'verdict: recorded "leave", now "roll-back"'],
    ['reasons', { reasons: [{ code: 'storm', text: '' }] }, 'reasons: recorded [{"code":"storm"}], now '],
    ['release', { releaseId: 'r-9' }, 'releaseId: recorded "r-9", now "r-2"'],
    ['rungs', { rungs: [] }, 'rungs: recorded [], now '],
    ['known good', { good: null }, 'good: recorded null, now '],
    ['page', { page: true }, 'page: recorded true, now false'],
    ['approval', { approval: { timeoutSeconds: 60, onDeadline: 'stop' } }, 'approval: recorded '],
    ['hold', { holdSeconds: 9 }, 'holdSeconds: recorded 9, now 0'],
    ['evidence', { wantsEvidence: true }, 'wantsEvidence: recorded true, now false'],
    ['ways back', { ways: [] }, 'ways: recorded [], now [{'],
    ['releases passed', { passed: [] }, 'passed: recorded [], now [{'],
    ['suspects', { suspects: [] }, 'suspects: recorded [], now [{'],
    ['signals', { signals: [] }, 'signals: recorded [], now [{'],
    ['first signal', { firstSignalAt: null }, 'firstSignalAt: recorded null, now "'],
  ])('names another %s', (_, over, said) => {
    expect(differencesOf(recorded(question(), over))).toEqual([expect.stringContaining(said)]);
  });

  it('holds what users would notice of each way, as it chose by that: another effect is another decision', () => {
    const effect = { downtime: 'interruption', text: 'all servers are restarted at once', seconds: 300, basis: 'typical' } as const;
    const { targets } = question();
    const asked = question({ hasOwnRungs: false, targets: { app: { ...targets['app'], strategy: 'codedeploy', goodSide: null, effect: { ...effect, downtime: 'mixed' } }, web: { ...targets['web'], strategy: 'alb-weights', goodSide: null, effect } } });
    const data = JSON.parse(JSON.stringify(recorded(asked))) as { readonly question: Question; readonly decision: Decision };
    expect(data.decision.rungs.map(({ name }) => name)).toEqual(['codedeploy', 'alb-weights']);
    expect(differencesOf(data)).toEqual([]);
    expect(differencesOf({ ...data, question: { ...data.question, hasOwnRungs: true } }).join(' ')).toContain('rungs: recorded ');
    const calm = { ...data.question.targets, web: { ...data.question.targets['web'], effect: { ...effect, downtime: 'none' } } };
    expect(differencesOf({ ...data, question: { ...data.question, targets: calm } }).map((said) => said.split(':')[0])).toEqual(expect.arrayContaining(['reasons', 'rungs', 'ways']));
  });

  it('may be worded anew: a sentence is no decision', () => {
    const other = JSON.parse(JSON.stringify(decide(question())), (name, value: unknown) => (['headline', 'text', 'summary'].includes(name) ? 'other words' : value)) as Decision;
    expect(other).not.toEqual(decide(question()));
    expect(differencesOf(recorded(question(), other))).toEqual([]);
  });

  it('names what the record does not say at all, and what no decision says', () => {
    const { ways: _, ...rest } = decide(question());
    expect(differencesOf({ ...recorded(question()), decision: { ...rest, extra: 1 } })).toEqual([expect.stringContaining('ways: recorded nothing, now '), 'extra: recorded 1, now nothing']);
  });

  it('follows the question, not the decision that stands beside it', () => {
    expect(differencesOf({ ...recorded(question()), question: held })).toContain('verdict: recorded "roll-back", now "hold"');
  });

  it('is different when the question lacks what this code asks for', () => {
    const { alarms: _, ...older } = question();
    expect(differencesOf({ ...recorded(question()), question: older })).toEqual([expect.stringContaining('cannot be decided again')]);
  });

  it('is not looked for where the input was refused', () => {
    expect(replayRows(chainOf({ refused: { code: 'bad-input', text: 'no service' }, codeVersion: here }))).toMatchObject([{ result: 'unasked', verdict: 'bad-input', differences: [] }]);
  });
});

/** A day of metrics with harm from the release, seven minutes before the change, until three minutes after it. */
const healed = reading({ errors: (m) => (m >= -8 && m < 2 ? 0.3 : 0), until: 30 });
const proof = (over: Partial<ProofQuestion> = {}): ProofQuestion => ({
  purpose: 'proof', verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 3000 }, since: minute(0), releaseStartedAt: minute(-8), passes: 2,
  alarmsAtStart: [], isLeaseHeld: true, live: [{ stepId: 'alb-weights/web', answer: 'yes', detail: 'as planned' }],
  journeys: { at: minute(31), results: [{ journey: 'buy', ok: true, durationMs: 5, failedAt: null, reason: null }] },
  alarms: [{ name: '5xx', state: 'OK', evaluationState: null, reason: 'quiet' }], metrics: healed, ...over,
});
const round = (asked: RoundQuestion, over: Partial<RoundVerdict> = {}): object => ({ round: 3, ...judgeRound(asked), ...over, question: asked, codeVersion: verifier });
const replayRound = (data: object) => replayRows(chainWith(['verified', data]))[0];

describe('a round of proof made again', () => {
  it('is the same for what it was made from, metrics included', () => {
    expect(replayRound(round(proof()))).toEqual({ seq: 0, kind: 'verified', result: 'same', verdict: 'recovered', differences: [], codeVersion: verifier });
    const bad = reading({ errors: since(-8, 0.3), until: 30 });
    expect(replayRound(round(proof({ metrics: bad })))).toMatchObject({ result: 'same', verdict: expect.not.stringContaining('recovered') as string });
    expect(replayRound(round({ purpose: 'evidence', journeys: proof().journeys }))).toMatchObject({ result: 'same', verdict: 'not-yet' });
  });

  const failed = { at: minute(31), results: [{ journey: 'buy', ok: false, durationMs: 5, failedAt: 'pay', reason: 'answered 503' }] };
  it.each<readonly [string, Partial<ProofQuestion>]>([
    ['a journey failed', { journeys: failed }],
    ['an alarm fired', { alarms: [{ name: '5xx', state: 'ALARM', evaluationState: null, reason: 'many' }] }],
    ['an alarm could not be evaluated', { alarms: [{ name: '5xx', state: 'OK', evaluationState: 'EVALUATION_FAILURE', reason: 'quiet' }] }],
    ['the metrics were still bad', { metrics: reading({ errors: since(-8, 0.3), until: 30 }) }],
    ['the metrics could not be read', { metrics: { status: 'unknown', why: 'denied' } }],
    ['a target was not as planned', { live: [{ stepId: 'alb-weights/web', answer: 'not-yet', detail: 'weights 50 and 50' }] }],
    ['another rollback had the lock', { isLeaseHeld: false }],
    ['too few rounds had passed', { passes: 1 }],
    ['more rounds in a row were asked for', { verification: { intervalSeconds: 20, passesInARow: 4, deadlineSeconds: 3000 } }],
  ])('is not `recovered` when %s, whatever the row says', (_, over) => {
    const { result, differences = [] } = replayRound({ ...round(proof()), question: proof(over) }) ?? {};
    expect([result, differences[0]]).toEqual(['different', expect.stringMatching(/^answer: recorded "recovered", now "(not-yet|still-bad)"$/)]);
  });

  it('says which answer the deadline made', () => {
    const late = proof({ since: '2026-11-20T07:00:00.000Z', releaseStartedAt: null, journeys: { ...failed, at: minute(0) } });
    expect(replayRound(round(late))).toMatchObject({ result: 'same', verdict: 'still-bad' });
    expect(replayRound(round(late, { answer: 'not-yet' }))?.differences).toEqual(['answer: recorded "not-yet", now "still-bad"']);
  });

  it.each<readonly [string, Partial<RoundVerdict>, string]>([
    ['count of rounds', { passes: 9 }, 'passes: recorded 9, now 3'],
    ['wait', { waitSeconds: 9 }, 'waitSeconds: recorded 9, now 0'],
    ['reasons', { reasons: [] }, 'reasons: recorded [], now [{"code":"journeys-passed"}'],
  ])('names another %s', (_, over, said) => {
    expect(replayRound(round(proof(), over))?.differences).toEqual([expect.stringContaining(said)]);
  });

  it('is neither the same nor different where the row was written before it kept what it was made from', () => {
    const older = { purpose: 'proof', round: 3, answer: 'recovered', passes: 3, reasons: [], alarms: { '5xx': 'ALARM' }, journeys: failed, live: [] };
    expect(replayRound(older)).toMatchObject({ result: 'unkept', verdict: 'recovered', differences: [] });
    const { question: _, ...cut } = round(proof()) as { readonly question: unknown };
    expect(replayRound(cut)).toMatchObject({ result: 'different', differences: ['cannot be read: row 0 holds no question with its answer'] });
  });
});

describe('a row that cannot be read', () => {
  const broken = (data: string): AuditRow[] => {
    const [first, second, ...rest] = chainWith(['assessed', recorded(question())], ['assessed', recorded(question())]);
    if (first === undefined || second === undefined) throw new Error('no rows');
    return [first, { ...second, data }, ...rest];
  };

  it.each([
    ['{"question":', 'row 1 holds data that is not JSON'], ['', 'row 1 holds data that is not JSON'], ['null', 'row 1 holds no object'], ['[1]', 'row 1 holds no object'], ['7', 'row 1 holds no object'],
    [JSON.stringify({ ...recorded(question()), decision: null }), 'row 1 holds no question with its decision'], [JSON.stringify({ ...recorded(question()), question: null }), 'row 1 holds no question with its decision'],
  ])('is named, and the others are decided again: %j', (data, said) => {
    expect(replayRows(broken(data)).map(({ result, differences }) => [result, ...differences])).toEqual([['same'], ['different', `cannot be read: ${said}`]]);
  });

  it('is different where its decision has fields of another kind', () => {
    expect(differencesOf({ ...recorded(question()), decision: { ...decide(question()), reasons: null, signals: 7 } })).toEqual([expect.stringContaining('signals: recorded 7, now [{'), expect.stringContaining('reasons: recorded null, now [{')]);
  });
});

describe('ripcord replay', () => {
  let folder: string;
  beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'ripcord-replay-')); });
  afterAll(async () => { await rm(folder, { recursive: true }); });

  const endOf = (rows: readonly AuditRow[]): AuditAnchor => ({ length: rows.length, hash: rows.at(-1)?.hash ?? '', isSealed: rows.at(-1)?.kind === 'sealed' });

  async function run(rows: readonly AuditRow[], anchor: AuditAnchor | null = endOf(rows)): Promise<{ code: number; out: string; error: string }> {
    const path = join(folder, 'export.json');
    await writeFile(path, JSON.stringify({ rollbackId: 'rb-1', anchor, rows }));
    const lines: { out: string[]; error: string[] } = { out: [], error: [] };
    const code = await main(['node', 'ripcord', 'replay', path], { out: (text) => { lines.out.push(text); }, error: (text) => { lines.error.push(text); }, code: 0 });
    return { code, out: lines.out.join('\n'), error: lines.error.join('\n') };
  }

  it('prints a line a row and ends with 0 when all is the same', async () => {
    expect(await run(chainOf(recorded(held), recorded(question())))).toEqual({ code: 0, error: '', out: '  0  same       verdict hold\n  1  same       verdict roll-back\nrb-1: 2 the same, 0 different' });
    expect(await run(chainWith(['assessed', recorded(question())], ['verified', round(proof())]))).toEqual({ code: 0, error: '', out: '  0  same       verdict roll-back\n  1  same       proof recovered\nrb-1: 2 the same, 0 different' });
  });

  it('ends with 1 when a proof was edited, and with 0 when one is too old to be made again, which it says', async () => {
    const alarms: ProofQuestion['alarms'] = [{ name: '5xx', state: 'ALARM', evaluationState: null, reason: 'many' }];
    expect(await run(chainWith(['assessed', recorded(question())], ['verified', { ...round(proof()), question: proof({ alarms }) }]))).toMatchObject({ code: 1, out: expect.stringContaining('1  different  proof recovered  answer: recorded "recovered", now "not-yet"') as string });
    const { code, out } = await run(chainWith(['assessed', recorded(question())], ['verified', { purpose: 'proof', answer: 'recovered', alarms: { '5xx': 'OK' } }]));
    expect([code, out.split('\n').slice(1)]).toEqual([0, [
      '  1  too old    proof recovered  cannot be replayed: written before its kind kept what it was made from',
      'rb-1: 1 the same, 0 different, 1 row cannot be replayed: written before its kind kept what it was made from',
    ]]);
  });

  it('names what it does not make again, and counts none of it as the same', async () => {
    const rows = chainWith(['planned', { steps: [] }], ['assessed', recorded(question())], ['change-made', {}], ['change-made', {}], ['reported', {}]);
    const { code, out } = await run(rows);
    expect([code, out.split('\n')]).toEqual([0, ['  1  same       verdict roll-back', 'not made again, as they hold no decision: 1 planned, 2 change-made, 1 reported', 'rb-1: 1 the same, 0 different']]);
  });

  it('counts a row of before that only repeats what it was told as one that cannot be made again', async () => {
    const told = { service: 'checkout', releaseId: 'r', reason: { code: 'failed', text: 'ECS says so' } };
    const looked = { answer: 'signal', waitSeconds: 0, reasons: [told.reason], rollback: null };
    const { code, out } = await run(chainWith(['watched', { verb: 'record', question: told, looked, codeVersion: 'x' }]));
    expect([code, out.split('\n')]).toEqual([0, [
      '  0  too old    watch signal  cannot be replayed: written before its kind kept what it was made from', 'rb-1: 0 the same, 0 different, 1 row cannot be replayed: written before its kind kept what it was made from',
    ]]);
  });

  it.each(['{"question":', 'null', '{"question":{},"decision":null}', '\uD800'])('names a row that holds %j, ends with 1 and still checks the chain', async (data) => {
    const [row, ...rest] = chainOf(recorded(question()));
    if (row === undefined) throw new Error('no row');
    expect(await run([{ ...row, data }, ...rest])).toEqual({
      code: 1, out: expect.stringContaining('  0  different  verdict ?  cannot be read: row 0 ') as string, error: expect.stringMatching(/^BROKEN: rb-1: row 0 was changed: its hash does not fit its content \[changed 0\]$/) as string,
    });
  });

  it('ends with 1 when a verdict was edited, even where the chain was written anew around it', async () => {
    const rewritten = await run(chainOf(recorded(question(), { verdict: 'leave' })));
    expect(rewritten).toMatchObject({ code: 1, error: '', out: expect.stringContaining('  0  different  verdict leave  verdict: recorded "leave", now "roll-back"') as string });
    const [row, ...rest] = chainOf(recorded(question()));
    if (row === undefined) throw new Error('no row');
    const edited = await run([{ ...row, data: row.data.replace('"verdict":"roll-back"', '"verdict":"leave"') }, ...rest]);
    expect(edited).toMatchObject({ code: 1, error: expect.stringContaining('BROKEN: rb-1: row 0 was changed') as string, out: expect.stringContaining('1 different') as string });
  });

  it('ends with 1 when another row was changed, though every decision is the same', async () => {
    const rows = chainOf(recorded(question()));
    expect(await run(rows.map((row) => (row.kind === 'sealed' ? { ...row, data: '{"rows":9}' } : row)))).toMatchObject({ code: 1, out: expect.stringContaining('1 the same, 0 different') as string });
  });

  it('says when nothing tells where the record has to end; the decisions alone make the exit code', async () => {
    const rows = chainOf(recorded(question()));
    const said = 'NOT PROVEN: rb-1: 2 rows that fit together, last hash ';
    const unproven = { error: expect.stringContaining(said) as string, out: expect.stringContaining('1 the same, 0 different') as string };
    expect(await run(rows, null)).toMatchObject({ code: 0, ...unproven });
    expect(await run(chainOf(recorded(question(), { verdict: 'leave' })), null)).toMatchObject({ code: 1, error: expect.stringContaining(said) as string });
  });

  it('says when other code decided then', async () => {
    const { code, out } = await run(chainOf(recorded(question(), {}, 'abcdef012345')));
    expect([code, out]).toEqual([0, expect.stringContaining(`Decided then by code version abcdef012345; this checkout is ${here}.`)]);
  });

  it('refuses an export without a decision, and still checks its chain', async () => {
    expect(await run(chainOf())).toMatchObject({ code: 1, error: expect.stringContaining('nothing to decide again') as string });
    expect(await run(chainOf().map((row) => ({ ...row, service: 'other' })))).toMatchObject({ code: 1, error: expect.stringContaining('BROKEN: rb-1: row 0 was changed') as string });
  });
});
