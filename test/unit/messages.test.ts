// What people are told: every fact a woken person needs, nothing that could be smuggled in, and each message once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../lambdas/adapters/notices.ts';
import type { StepPlan } from '../../lambdas/domain/workflow.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { announce } from '../../lambdas/runtime/announce.ts';
import { stepsSeen } from '../../lambdas/runtime/announce-seen.ts';
import { approvalMessage, endedMessage, escalatedMessage, startedMessage } from '../../lambdas/runtime/messages.ts';
import { executionPage } from '../../lambdas/runtime/messages-text.ts';
import { endingOf } from '../../lambdas/runtime/report-outcome.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { assessment, machineArn, recordingNotices, reportInput, result, silent, testClock, verified } from './report-samples.ts';

const around = { machineArn, owner: 'Team Shop', runbook: 'https://wiki.example/checkout' };
const seal = { length: 9, hash: 'a'.repeat(64) };
const asked = { deadlineAt: '2026-11-20T09:47:00.000Z', onDeadline: 'roll-back', url: 'https://answer.example/' } as const;

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

const all = (change: Parameters<typeof assessment>[0] = {}): readonly Message[] => {
  const assessed = assessment(change);
  const input = reportInput({ assessment: assessed });
  return [startedMessage(assessed, around), escalatedMessage(assessed, 1, around), approvalMessage(assessed, [], asked, around), endedMessage(input, endingOf(input), seal, around)];
};

describe('every message', () => {
  it('names service, release, who made it, evidence, from and to, what is not undone, what comes next, and where to look', () => {
    for (const { text } of all())
      for (const fact of ['checkout', 'v42', 'v41', 'd-ABC123', 'alice', 'checkout-5xx', 'Database changes of v42 are NOT undone', 'What happens next', executionPage(machineArn, 'rb-1'), 'Team Shop', 'https://wiki.example/checkout', 'rb-1'])
        expect(text).toContain(fact);
  });

  it('claims nothing of what the release touched where nobody said', () => {
    for (const { text } of all({ release: { ...release, touched: [] } })) {
      expect(text).toContain('finished; nobody said what it touched, taken as code');
      expect(text).not.toContain('; touched');
    }
    expect(all()[0]?.text).toContain('; touched code, database');
  });

  it('has a subject that SNS takes', () => {
    for (const { subject } of all({ service: 'a'.repeat(40), release: { ...release, version: 'v→é\n'.repeat(40) } })) expect(subject).toMatch(/^[\u0020-\u007e]{1,99}$/);
  });

  it('carries no tag and no control character from what users and tools wrote', () => {
    const evil = '<script>alert(1)</script>\u001b[2J\r\nSubject: forged \u202egnp';
    const messages = all({ headline: evil, requestedBy: evil, reasons: [{ code: evil, text: evil }], release: { ...release, version: evil, actor: evil, id: evil } });
    for (const { text, subject } of messages) {
      expect(`${subject}${text.replaceAll('\n', '')}`).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(text.replaceAll('…', '')).not.toContain('<');
      expect(text).not.toMatch(/^Subject:/m);
    }
  });

  it('has an event with the same facts for machines', () => {
    expect(all().map(({ event }) => event?.detailType)).toEqual(['Rollback Started', 'Rollback Escalated', 'Approval Needed', 'Rollback Ended']);
    for (const { event } of all()) expect(event?.detail).toMatchObject({ rollbackId: 'rb-1', service: 'checkout', version: 'v42', goodVersion: 'v41' });
  });
});

const release = assessment().release ?? (() => { throw new Error('the sample has a release'); })();

const ended = (change: Parameters<typeof reportInput>[0]): Message => {
  const input = reportInput(change);
  return endedMessage(input, endingOf(input), seal, around);
};

describe('the first message', () => {
  const row = (kind: AuditRow['kind'], data: object): AuditRow => ({ rollbackId: 'rb-1', seq: 0, at: '', kind, service: 'checkout', previousHash: '', hash: '', data: JSON.stringify({ stepId: 'alb-weights/web', ...data }) });
  const summary = 'blue 0 → 100, green 100 → 0';
  const line = (...rows: readonly AuditRow[]) => startedMessage(assessment(), around, stepsSeen(rows)).text.split('\n').find((one) => one.includes('1. web'));

  it.each<[string, readonly AuditRow[]]>([
    ['from what is live to v41', []],
    [summary, [row('planned', { outcome: 'change', summary })]],
    [`${summary}, being done`, [row('planned', { outcome: 'change', summary: 'older' }), row('change-intended', { summary })]],
    [`${summary}, done`, [row('change-intended', { summary }), row('change-made', { status: 'changed', summary })]],
    ['nothing to do, blue 100', [row('change-made', { status: 'already', summary: 'blue 100' })]],
    [`${summary}, being done`, [row('change-intended', { summary }), row('change-failed', { reason: { code: 'throttled', text: 'x' } })]],
    ['NOT done: ModifyRule was denied', [row('change-intended', { summary }), row('change-failed', { status: 'failed', reason: { code: 'denied', text: 'ModifyRule was denied' } })]],
  ])('says of a step as much as is on record (%s)', (said, rows) => {
    expect(line(...rows)).toBe(`  1. web (alb-weights): ${said}`);
  });

  it('reads the record before it is sent, and goes out without it where it cannot be read', async () => {
    for (const [rollbackId, failing, said] of [['rb-seen', false, `${summary}, done`], ['rb-unseen', true, 'from what is live to v41']] as const) {
      const { notices, messages } = recordingNotices();
      await tables.audit.append({ rollbackId, service: 'checkout', kind: 'change-made', at: '2026-11-20T09:15:00.000Z', data: { stepId: 'alb-weights/web', status: 'changed', summary } }, null);
      const audit = failing ? { append: tables.audit.append.bind(tables.audit), read: async () => { throw new Error('denied'); } } : tables.audit;
      await announce({ assessment: assessment({ rollbackId }), rung: 0 }, { audit, table: tables.ledger, notices, clock: testClock(), machineArn, factsOf: async () => null, log: silent });
      expect(messages[0]?.text).toContain(`1. web (alb-weights): ${said}\n`);
    }
  });
});

describe('what is known good', () => {
  const lineOf = (change: Parameters<typeof assessment>[0]) => ended({ assessment: assessment({ verdict: 'leave', page: true, rungs: [], knownGood: null, ...change }), results: [], verified: null }).text.split('\n').find((one) => one.includes('Known good'));

  it('is not spoken of where nobody looked for it, and missing only where somebody did', () => {
    expect(lineOf({})).toBeUndefined();
    expect(lineOf({ ways: [] })).toBeUndefined();
    expect(lineOf({ ways: [{ rung: 'alb-weights', ways: ['traffic-shift'], answer: 'refused', reasons: [], to: [], expectedSeconds: 5 }] })).toBe('  Known good: none is known');
    expect(lineOf({ knownGood: assessment().knownGood })).toContain('Known good: v41 since');
    expect(lineOf({ rungs: assessment().rungs })).toBe('  Known good: v41, as the catalogue declares');
  });
});

describe('the end message', () => {
  it('says what was done with from and to, what was not, and how to check the record', () => {
    const { text } = ended({ results: [result(), result({ stepId: 'alb-weights/api', targetId: 'api', status: 'failed', reason: { code: 'denied', text: 'ModifyRule was denied' } }, null)] });
    for (const fact of ['web (alb-weights, rung alb-weights): changed: blue 0 → 100, green 100 → 0; confirmed', 'api (alb-weights, rung alb-weights): FAILED', 'ModifyRule was denied', 'api (rung alb-weights) is not proven to be back', 'Not tried: group (codedeploy) to v41, rung codedeploy', `9 rows, last hash ${seal.hash}`, `npx ripcord audit verify rb-1 --anchor 9:${seal.hash}`, 'npx ripcord report rb-1'])
      expect(text).toContain(fact);
  });

  it('pages for everything a person has to mend, and only then', () => {
    const urgencies = [
      ended({}), ended({ verified: null }), ended({ results: [result({ status: 'changed-by-someone-else' }, null)] }), ended({ error: { Error: 'X' }, results: [] }),
      ended({ assessment: assessment({ verdict: 'leave' }), results: [] }), ended({ assessment: assessment({ verdict: 'leave', page: true }), results: [] }),
    ].map(({ urgency, subject, text }) => [urgency, subject.startsWith('PAGE'), text.includes('YOU have to')]);
    expect(urgencies).toEqual([['notice', false, false], ['page', true, true], ['page', true, true], ['page', true, true], ['notice', false, false], ['page', true, true]]);
  });

  it('goes to all who heard the beginning, also where every step failed and nothing was changed', () => {
    const failed = (stepId: string) => result({ stepId, status: 'failed', reason: { code: 'denied', text: 'ModifyRule was denied' } }, null);
    for (const results of [[failed('alb-weights/web')], [failed('alb-weights/web'), failed('alb-weights/api'), failed('codedeploy/group')]]) {
      const { audience, urgency, subject } = ended({ results, verified: null });
      expect([audience, urgency]).toEqual([startedMessage(assessment(), around).audience, 'page']);
      expect(subject).toContain('checkout could NOT be rolled back');
    }
  });

  it('says in its subject that there is too little traffic, where nothing else is open, and that the journeys passed, where there are any', () => {
    const few = { code: 'metrics-few-requests', text: 'Too little traffic to tell from the metrics whether it is over: 13 requests in the 15 minutes since the change.' };
    const told = (change: Parameters<typeof verified>[0]) => {
      const input = reportInput({ verified: verified({ answer: 'still-bad', triesNoMore: true, reasons: [few], ...change }) });
      return endedMessage(input, endingOf(input), seal, around);
    };
    const { subject, text } = told({});
    expect(subject).toBe('PAGE Ripcord: checkout has too little traffic, so it is NOT proven to have recovered from v42');
    expect(text).toMatch(/YOU have to look: there is too little traffic.*; its journeys passed\. Try what a user does\.[^]*`verification\.fewRequests`/);
    expect(text).toContain('13 requests in the 15 minutes since the change');
    expect(told({ journeys: { at: '2026-11-20T09:20:00.000Z', results: [] } }).text).not.toContain('its journeys passed');
    const { triesNoMore: _, ...open } = verified({ answer: 'still-bad', reasons: [few] });
    const input = reportInput({ verified: open });
    expect(endedMessage(input, endingOf(input), seal, around).subject).toContain('is NOT proven to have recovered since it was rolled back');
  });

  it('sends whoever is woken to what others share, where they got worse as well, and says who before anything that was done', () => {
    const shared = { code: 'metrics-shared', text: 'cart and pay got worse as well.' };
    const notRecovered = (reasons: readonly (typeof shared)[]): string => {
      const input = reportInput({ verified: verified({ answer: 'still-bad', reasons }) });
      return endedMessage(input, endingOf(input), seal, around).text;
    };
    const [now = '', done = ''] = notRecovered([shared]).split('What was done');
    expect(now).toMatch(/YOU have to act: the service is not proven to be well\.\W+Others got worse with it.*look for what they share first\.[^]*cart and pay got worse as well\./);
    expect(done).not.toContain('got worse');
    expect(notRecovered([])).not.toContain('Others got worse');
  });

  it('says in shadow what would have been done, to on-call alone and as a notice', () => {
    const { audience, urgency, subject, text } = ended({ assessment: assessment({ mode: 'shadow' }), results: [], verified: null, plans: [plan()] });
    expect([audience, urgency]).toEqual([['on-call'], 'notice']);
    expect(subject).toMatch(/^Ripcord: checkout in shadow: would have rolled back from v42 to v41/);
    for (const fact of ['What was done\n  nothing', 'What would have been done\n  Choice: alb-weights, by itself.\n  From v42 back to v41', '1. web (alb-weights): blue 0 → 100, green 100 → 0, about 5 s', 'policy.mode: act', 'npx ripcord label rb-1 right|wrong']) expect(text).toContain(fact);
    expect(text).not.toMatch(/npx ripcord approve|YOU have to/);
  });

  it('tells on-call in shadow what would have woken them, without waking them', () => {
    const { audience, urgency, text } = ended({ assessment: assessment({ mode: 'shadow', verdict: 'leave', page: true }), results: [], verified: null });
    expect([audience, urgency]).toEqual([['on-call'], 'notice']);
    expect(text).toContain('In earnest this would have woken you');
    expect(ended({ assessment: assessment({ mode: 'shadow', verdict: 'leave' }), results: [], verified: null }).audience).toEqual([]);
  });

  it('wakes nobody for a dry run, a refusal or a signal that was left alone', () => {
    for (const change of [{ assessment: assessment({ mode: 'dry-run' }) }, { assessment: null, error: { Error: 'Refused' } }, { assessment: assessment({ verdict: 'leave' }) }])
      expect(ended({ results: [], ...change }).audience).toEqual([]);
  });
});

const plan = (change: Partial<StepPlan> = {}): StepPlan =>
  ({ stepId: 'alb-weights/web', strategy: 'alb-weights', targetId: 'web', outcome: 'change', from: {}, to: {}, reason: null, summary: 'blue 0 → 100, green 100 → 0', expectedSeconds: 5, ...change });
const asks = { approval: { timeoutSeconds: 1800, onDeadline: 'stop' } } as const;

describe('the message that asks', () => {
  it('begins with the deadline, the question and what silence means; the plan and the commands come before what is known', () => {
    const { text } = approvalMessage(assessment(asks), [plan()], { ...asked, onDeadline: 'stop' }, around);
    const [first, , , title, ...rest] = text.split('\n');
    expect([first, title]).toEqual(['Answer by 2026-11-20 09:47:00 UTC (in 30 min): shall checkout go back from v42 to v41? Without an answer, NOTHING is changed and you are paged again.', '']);
    expect(['The plan', 'What is NOT undone', 'How to answer', 'What happens next', 'Evidence'].map((one) => rest.indexOf(one)).every((at, index, places) => at >= 0 && at > (places[index - 1] ?? -1))).toBe(true);
  });

  it('asks about the next way back where the first is closed, and for no yes where there is none', () => {
    const closed = [plan({ outcome: 'impossible', summary: 'gone', reason: { code: 'destination-gone', text: 'Target group blue does not exist.' }, expectedSeconds: 0 })];
    const next = approvalMessage(assessment(asks), closed, asked, around);
    expect(next.subject).toBe('PAGE Ripcord: checkout: first way back from v42 is closed, approve the next?');
    expect(next.text).toContain('Shall the next one, codedeploy, be tried?');
    expect(next.text).toContain('1. web (alb-weights): CANNOT be done as things are: Target group blue does not exist.');
    const later = [plan(), { ...closed[0] ?? plan(), stepId: 'codedeploy/group' }];
    expect(approvalMessage(assessment(asks), later, asked, around).subject).toBe('PAGE Ripcord: approve the rollback of checkout from v42 to v41?');
    const both = approvalMessage(assessment(asks), [...closed, { ...closed[0] ?? plan(), stepId: 'codedeploy/group' }], asked, around);
    expect(both.subject).toBe('PAGE Ripcord: checkout needs you: it cannot go back from v42 as things are');
    const none = approvalMessage(assessment({ ...asks, rungs: assessment().rungs.slice(0, 1), knownGood: null }), closed, asked, around);
    expect(none.subject).toBe('PAGE Ripcord: checkout needs you: it cannot go back from v42 as things are');
    expect(`${none.subject}${none.text}`).not.toMatch(/the version before|shall checkout go back/);
  });
});

describe('a page about a service that was left alone', () => {
  const left = (code: string, change: Parameters<typeof assessment>[0] = {}): string =>
    ended({ assessment: assessment({ verdict: 'leave', page: true, rungs: [], reasons: [{ code, text: 'For this reason.' }], ...change }), results: [], verified: null }).text;

  it.each(['no-release', 'newer-release', 'cool-down', 'storm', 'not-evaluated', 'signal-unreadable', 'traffic-unknown', 'too-little-traffic', 'too-few-signals', 'only-older-signals', 'something-new'])('says first what to do (%s), and how to go back by hand', (code) => {
    const [, , title, first] = left(code).split('\n');
    expect([title, first]).toEqual(['What to do now', expect.stringMatching(/^ {2}YOU have to \w+/)]);
    expect(left(code)).toContain(`aws stepfunctions start-execution --state-machine-arn ${machineArn} --input '{"service":"checkout","reason":"<why>","requestedBy":"<you>","mode":"dry-run"}'`);
  });

  it('offers what remains where no way back is safe, and no rollback by hand', () => {
    const text = left('no-safe-way', {
      release: { ...release, manifest: { approvals: [], backup: { reference: 'arn:aws:rds:eu-west-1:123456789012:snapshot:before-v42', at: '2026-11-20T09:00:00.000Z' }, databaseFloor: 'v42', url: null } },
      ways: [{ rung: 'alb-weights', ways: ['traffic-shift'], answer: 'refused', reasons: [{ code: 'below-floor', text: 'v41 does not work with the database.' }], to: ['v41'], expectedSeconds: 5 }],
    });
    for (const fact of ['no way back is safe', 'fix forward', 'a flag that is declared as a target', 'snapshot:before-v42', 'Ripcord never does it', 'Not taken: alb-weights, refused: v41 does not work with the database.']) expect(text).toContain(fact);
    expect(text).not.toContain('start-execution');
  });
});

describe('the subject of a page', () => {
  const long = 'a'.repeat(40);
  const bad = { ...release, version: `1.0.0-${'x'.repeat(80)}` };
  const of = (change: Parameters<typeof assessment>[0], more: Parameters<typeof reportInput>[0] = {}): string =>
    ended({ assessment: assessment({ verdict: 'leave', page: true, rungs: [], ...change }), results: [], verified: null, ...more }).subject;
  const because = (code: string, text = 'x'.repeat(300)) => ({ reasons: [{ code, text }] });

  it('says who needs a person and why, once', () => {
    expect(of(because('no-safe-way'))).toBe('PAGE Ripcord: checkout needs a person: no way back is safe for its data');
    expect(of(because('no-release'))).toBe('PAGE Ripcord: checkout needs a person: no release explains why it is sick');
    expect(of(because('something-new', 'The moon is full.'))).toBe('PAGE Ripcord: checkout needs a person: The moon is full.');
    expect(of(because('storm'))).toBe('PAGE Ripcord: checkout and many others: a storm of signals, look for a shared cause');
    expect(of({}, { approval: { answer: 'deadline', by: null, at: '', comment: '' } })).toBe('PAGE Ripcord: checkout needs a person: nobody answered, nothing was changed');
  });

  it('names the service that is suspected instead, and a version that is out again', () => {
    const suspects = [
      { kind: 'release', service: 'checkout', release: { id: 'd-1', version: 'v42', startedAt: '2026-11-20T09:10:00.000Z' }, share: 0.2, reasons: [] },
      { kind: 'release', service: 'prices', release: { id: 'd-2', version: '2.0.0', startedAt: '2026-11-20T09:10:00.000Z' }, share: 0.7, reasons: [] },
    ] as const;
    const reasons = [{ code: 'no-release', text: 'x' }, { code: 'dependency-suspected', text: 'y' }];
    expect(of({ reasons, suspects })).toBe('PAGE Ripcord: checkout needs a person: prices is suspected, 2.0.0');
    const [signal] = assessment().signals;
    expect(of({ ...because('cool-down'), signals: signal === undefined ? [] : [{ ...signal, kind: 'quarantine' }] })).toContain('what was rolled back is released again');
    expect(of(because('cool-down'))).toContain('sick again soon after a rollback');
  });

  it.each([
    ['no-safe-way', 'no way back is safe'], ['no-release', 'no release explains'], ['newer-release', 'a newer release is live'], ['cool-down', 'sick again soon'], ['not-evaluated', 'an alarm could not be'],
    ['signal-unreadable', 'what tells its health'], ['traffic-unknown', 'its requests cannot be'], ['too-little-traffic', 'too few requests to'], ['too-few-signals', 'too few signals agree'],
    ['only-older-signals', 'it was sick before'], ['suspect-uncertain', 'its release is suspected'],
  ])('comes to the point before the cut, whatever the service is called (%s)', (code, point) => {
    expect(of({ service: long, ...because(code) })).toMatch(new RegExp(`^PAGE Ripcord: ${long} needs a person: ${point}`));
  });

  it('says the bad news before the version, however long that is', () => {
    const over = { assessment: assessment({ service: long, release: bad }) };
    for (const [change, point] of [
      [{ verified: null }, 'is NOT proven to have recovered'], [{ results: [result({ status: 'failed' }, null)], verified: null }, 'could NOT be rolled back'],
      [{ results: [result({ status: 'changed-by-someone-else' }, null)], verified: null }, 'rollback stopped, somebody else'], [{ error: { Error: 'X' }, results: [] }, 'rollback FAILED before anything'],
      [{ error: { Error: 'X' } }, 'rollback FAILED after it had changed'],
    ] as const) expect(ended({ ...over, ...change }).subject).toContain(point);
    expect(ended({ ...over, verified: null }).subject).toHaveLength(99);
    const input = reportInput(over);
    expect(endedMessage(input, endingOf(input, 'TIMED_OUT'), seal, around).subject).toContain('rollback ended from outside (TIMED_OUT)');
    expect(endedMessage(input, { ...endingOf(input), page: true }, seal, around).subject).toContain('has recovered, but a new');
  });
});

describe('who could have done it', () => {
  it('is listed with its share and the heaviest reasons', () => {
    const suspects = [
      { kind: 'release', service: 'checkout', release: { id: 'd-ABC123', version: 'v42', startedAt: '2026-11-20T09:10:00.000Z' }, share: 0.8123, reasons: [{ text: 'light', weight: 0.1 }, { text: 'it began 4 min before', weight: 2 }] },
      { kind: 'other', service: '', release: null, share: 0.1877, reasons: [] },
    ] as const;
    expect(startedMessage(assessment({ suspects }), around).text).toContain('Who could have done it\n  1. checkout v42 (81 %): it began 4 min before; light (began 2026-11-20 09:10:00 UTC)\n  2. something that is not on record (19 %)');
  });
});
