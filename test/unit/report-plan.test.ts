// The plan as a runbook, whole: what a person reads before they say yes.
import { describe, expect, it } from 'vitest';
import type { WayChoice, WayEffect } from '../../lambdas/domain/way-choice.ts';
import type { Assessment, StepPlan } from '../../lambdas/domain/workflow.ts';
import { risksOf } from '../../lambdas/runtime/plan-ways.ts';
import { leftAsItIs, runbook } from '../../lambdas/runtime/report-plan.ts';
import { assessment } from './report-samples.ts';

const way = (rung: string, change: Partial<WayChoice> = {}): WayChoice => ({ rung, ways: ['traffic-shift'], answer: 'chosen', reasons: [], to: ['v41'], expectedSeconds: 10, ...change });
const bad = assessment().release ?? (() => { throw new Error('the sample has a release'); })();
const passed = [
  { id: bad.id, version: 'v42', startedAt: bad.startedAt, status: 'finished', touched: ['code', 'database'] },
  { id: 'd-2', version: 'v41.5', startedAt: '2026-11-20T08:00:00.000Z', status: 'finished', touched: ['code', 'configuration'] },
  { id: 'd-1', version: 'v41.1', startedAt: '2026-11-20T07:00:00.000Z', status: 'failed', touched: ['database'] },
] as const;
const change = (targetId: string, expectedSeconds: number): StepPlan =>
  ({ stepId: `alb-weights/${targetId}`, strategy: 'alb-weights', targetId, outcome: 'change', from: {}, to: {}, reason: null, summary: 'blue 0 → 100, green 100 → 0', expectedSeconds });

describe('the runbook', () => {
  it('numbers the steps, says how each rung is proven and where a failure leads, what is not taken and what stays', () => {
    const ways = [way('alb-weights'), way('codedeploy', { ways: ['redeploy'], expectedSeconds: 300 }), way('dns', { answer: 'left-out', reasons: [{ code: 'no-known-good', text: 'Nobody knows its good record.' }] })];
    expect(runbook(assessment({ ways, passed }), [change('web', 5), change('api', 7)])).toEqual([
      'Choice: alb-weights (traffic shift), by itself.',
      'From v42 back to v41, known good since 2026-11-19 09:00:00 UTC. Risk: medium (v41.5 goes too; the older version may meet newer configuration; the older version runs on the newer database). About 12 s until users are safe. Its proof takes 40 s at least and 15 min at most.',
      '1. web (alb-weights): blue 0 → 100, green 100 → 0, about 5 s',
      '2. api (alb-weights): blue 0 → 100, green 100 → 0, about 7 s',
      '3. Prove it: live state as planned, 3 rounds of all journeys in a row, every alarm OK; if not, step 4.',
      'Way 2, codedeploy (roll back): Risk: medium as above. About 5 min until users are safe.',
      '4. If a step before this one fails: group (codedeploy): from what is live to v41, about 5 min',
      '5. Prove it: as in step 3; if not, you are paged: no other way is left.',
      'Not taken: dns, left out: Nobody knows its good record.',
      'Stays: Database changes of v42 and v41.1 are NOT undone; data written since stays as it is.',
      'Stays: Configuration changes of v41.5 are NOT undone, except for the targets named here.',
      'Stays: Data that v42 wrote, messages, e-mails and payments it sent, and releases of other services since stay as they are.',
    ]);
  });

  it('says what goes side by side, what is done already, and what cannot be done', () => {
    const [first] = assessment().rungs;
    const together = { ...first, name: 'alb-weights', waves: [(first?.waves ?? []).flat()] };
    const plans: StepPlan[] = [{ ...change('web', 0), outcome: 'already' }, { ...change('api', 0), outcome: 'impossible', reason: { code: 'destination-unhealthy', text: 'blue has no healthy target.' } }];
    expect(runbook(assessment({ rungs: [together], ways: [way('alb-weights', { answer: 'ask' })] }), plans).slice(0, 5)).toEqual([
      'Choice: fix forward, or ask a person to mend what is named below. No way back can be taken as things are.',
      expect.stringContaining('Risk: high (') as string,
      '1. web (alb-weights): nothing to do, blue 0 → 100, green 100 → 0 (steps 1 to 2 at once)',
      '2. api (alb-weights): CANNOT be done as things are: blue has no healthy target. (steps 1 to 2 at once)',
      '3. Prove it: live state as planned, 3 rounds of all journeys in a row, every alarm OK; if not, you are paged: no other way is left.',
    ]);
  });

  it('says of a flag that the release stays live, and counts no risk of an older version', () => {
    const [line] = runbook(assessment({ ways: [way('alb-weights', { ways: ['flag-off'], expectedSeconds: 2 })], passed, rungs: assessment().rungs.slice(0, 1) }), []);
    expect(line).toBe('v42 stays live, and what its flags switched on goes off. Risk: low. About 2 s until users are safe. Its proof takes 40 s at least and 15 min at most.');
  });

  it('offers what remains where every way is refused', () => {
    const refused = way('alb-weights', { answer: 'refused', reasons: [{ code: 'below-floor', text: 'v41 is too old.' }] });
    expect(runbook(assessment({ verdict: 'leave', rungs: [], ways: [refused] }), [])).toEqual([
      'Choice: fix forward. No way back is taken.', 'Not taken: alb-weights, refused: v41 is too old.',
      'What remains: ship a fix as a new version that works with the data as it is (fix forward).',
      'What remains: turn off what is broken, if it has a switch. Ripcord knows of none; a flag that is declared as a target is tried next time.',
    ]);
    expect(runbook(assessment({ verdict: 'leave', rungs: [] }), [])).toEqual([]);
    expect(runbook(assessment({ verdict: 'leave', rungs: [], mode: 'dry-run', headline: 'Not rolled back: a newer release runs.' }), [])).toEqual(['Choice: ask a person. Not rolled back: a newer release runs.']);
  });

  describe('with what users notice', () => {
    const restarts: WayEffect = { downtime: 'interruption', text: 'group: all servers are restarted at once', seconds: 300, basis: 'typical' };
    const moves: WayEffect = { downtime: 'none', text: 'web: traffic moves between targets that run', seconds: 5, basis: 'known' };
    const ways = [way('alb-weights', { effect: moves, risk: { level: 'low', reasons: [] } }), way('codedeploy', { ways: ['redeploy'], effect: restarts, risk: { level: 'high', reasons: [{ text: 'users are interrupted' }] } })];
    const quiet = { ways, passed: [] };
    const impossible = (rung: string, targetId: string): StepPlan => ({ ...change(targetId, 0), stepId: `${rung}/${targetId}`, outcome: 'impossible', to: null, reason: { code: 'destination-gone', text: `${targetId} is gone.` } });
    const redeploy = { ...change('group', 300), stepId: 'codedeploy/group', strategy: 'codedeploy', effect: { ...restarts, text: restarts.text.replace('group: ', '') } };

    it('says of every way its risk, its downtime and its minutes, and which of them are a guess', () => {
      const lines = runbook(assessment(quiet), [change('web', 5), change('api', 7), redeploy]);
      expect(lines.slice(0, 2)).toEqual([
        'Choice: alb-weights (traffic shift), by itself.',
        'From v42 back to v41, known good since 2026-11-19 09:00:00 UTC. Risk: low. About 12 s until users are safe. Users notice nothing (web: traffic moves between targets that run). Its proof takes 40 s at least and 15 min at most.',
      ]);
      expect(lines).toContain('Way 2, codedeploy (roll back): Risk: high (users are interrupted). About 5 min until users are safe (typically; nobody measured it here). Users ARE interrupted meanwhile (group: all servers are restarted at once).');
      expect(lines).toContain('4. If a step before this one fails: group (codedeploy): blue 0 → 100, green 100 → 0, about 5 min');
    });

    it('says what is live before what was decided on, and that they differ', () => {
      const live = { ...redeploy, effect: { ...moves, text: 'new servers run first' } };
      expect(runbook(assessment(quiet), [change('web', 5), live]).find((line) => line.startsWith('Way 2'))).toContain(
        'Users notice nothing (group: new servers run first). As read now; when it was chosen, the last that was seen of it said: users are interrupted meanwhile.');
      const stops = { ...change('web', 5), effect: restarts };
      expect(runbook(assessment(quiet), [stops])[1]).toContain('Risk: high.');
    });

    it('keeps a risk that was decided where what is live looks well', () => {
      const undone = way('alb-weights', { effect: moves, risk: { level: 'high', reasons: [{ text: 'deployment d-9 of app still runs and may move the traffic again' }] } });
      expect(runbook(assessment({ ...quiet, ways: [undone] }), [change('web', 5)])[1]).toContain('Risk: high (deployment d-9 of app still runs and may move the traffic again).');
    });

    it('answers with the first way that is open, and shows the risk of that one', () => {
      const [answer, first, ...rest] = runbook(assessment(quiet), [impossible('alb-weights', 'web'), change('api', 7), redeploy]);
      expect(answer).toBe('Choice: codedeploy (roll back), by itself. alb-weights (traffic shift) cannot be taken as things are.');
      expect(first).toContain('Risk: high (users are interrupted). About 5 min');
      expect(rest.join(' ')).not.toContain('What remains');
    });

    it('answers with a fix forward, or a person, where every way is closed', () => {
      const lines = runbook(assessment(quiet), [impossible('alb-weights', 'web'), impossible('codedeploy', 'group')]);
      expect(lines[0]).toMatch(/^Choice: fix forward, or ask a person to mend/);
      expect(lines.find((line) => line.startsWith('Way 2'))).toContain('Way 2, codedeploy (roll back): CANNOT be taken as things are. Risk: high');
      expect(lines.filter((line) => line.startsWith('What remains:'))).toHaveLength(2);
    });

    it('answers with a person where one has to say yes, also where it is only a dry run', () => {
      const asks = [{ code: 'would-ask', text: 'A person would be asked first.' }];
      expect(runbook(assessment({ ...quiet, reasons: asks }), [change('web', 5)])[0]).toBe('Choice: ask a person, then alb-weights (traffic shift).');
      expect(runbook(assessment({ ...quiet, approval: { timeoutSeconds: 60, onDeadline: 'stop' } }), [change('web', 5)])[0]).toBe('Choice: ask a person, then alb-weights (traffic shift).');
    });

    it('says why the order is another one, or which would be better', () => {
      const reasons = [{ code: 'safer-first', text: 'edge goes before app.' }, { code: 'better-order', text: 'A better one would be edge, app.' }, { code: 'known-good', text: 'v41.' }];
      expect(runbook(assessment({ ...quiet, reasons }), []).filter((line) => line.startsWith('Order:'))).toEqual(['Order: edge goes before app.', 'Order: A better one would be edge, app.']);
    });
  });

  it('shows the backup and says that nobody restores it', () => {
    const manifest = { approvals: [], backup: { reference: 'snap-1', at: '2026-11-20T09:00:00.000Z' }, databaseFloor: null, url: null };
    expect(leftAsItIs(assessment({ release: { ...bad, manifest } }))).toContain('The backup snap-1 of 2026-11-20 09:00:00 UTC is there; Ripcord never restores it.');
  });

  it('carries no tag and no control character from what a pipeline wrote', () => {
    const evil = '<b>\u001b[2Jx\n';
    const manifest = { approvals: [{ by: evil, at: evil }], backup: { reference: evil, at: evil }, databaseFloor: evil, url: evil };
    const lines = runbook(assessment({ release: { ...bad, version: evil, manifest }, passed: passed.map((one) => ({ ...one, version: evil })), ways: [way('alb-weights'), way(evil, { answer: 'refused', reasons: [{ code: 'x', text: evil }] })] }), []);
    expect(lines.join('')).not.toMatch(/[\p{Cc}<]/u);
  });
});

describe('the risk', () => {
  const risks = (over: Partial<Assessment>) => risksOf(assessment({ passed: [], ...over }), 0);

  it.each<[string, Partial<Assessment>, readonly string[]]>([
    ['of a baked version, one release back', {}, []],
    ['of an observed version', { knownGood: { version: 'v41', since: '2026-11-19T09:00:00.000Z', basis: 'observed' } }, ['the good version was seen live and well, but its own release was not watched']],
    ['of a version that CodeDeploy alone knows', { knownGood: { version: 'v41', since: '2026-11-19T09:00:00.000Z', basis: 'history' } }, ["the good version is only known from CodeDeploy's own records"]],
    ['of an old one', { knownGood: { version: 'v41', since: '2026-10-19T09:00:00.000Z', basis: 'baked' } }, ['the good version is 32 days old']],
    ['of a declared side', { knownGood: null }, []],
    ['of no known version', { knownGood: null, rungs: [{ name: 'web', waves: [[{ id: 'web/web', service: 'checkout', strategy: 'alb-weights', targetId: 'web', target: {}, good: null, release: null }]] }] }, ['no version is known good']],
    ['of a traffic shift while a deployment runs', { release: { ...bad, status: 'in-progress' }, ways: [way('alb-weights')] }, ['a deployment still runs and may move the traffic again']],
    ['of what nobody said', { passed: [{ ...passed[0], touched: [] }] }, ['nobody said what v42 touched; taken as code, so anything else of it stays']],
    ['of changed infrastructure', { passed: [{ ...passed[0], touched: ['infrastructure'] }] }, ['the older version may meet changed infrastructure']],
  ])('%s', (_name, over, said) => {
    expect(risks(over)).toEqual(said);
  });
});
