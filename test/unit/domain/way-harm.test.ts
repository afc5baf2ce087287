// Risk and downtime in the choice of the way back: which way goes first, and when a person has to say yes to what users would notice.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import type { Question, TargetFacts } from '../../../lambdas/domain/question.ts';
import type { Downtime, WayEffect } from '../../../lambdas/domain/way-effect.ts';
import { approval, deployment, minute, personTrigger, question, release } from './samples.ts';

const effect = (downtime: Downtime, over: Partial<WayEffect> = {}): WayEffect => ({ downtime, text: `it is ${downtime}`, seconds: 60, basis: 'typical', ...over });
const target = (way: TargetFacts['way'], of: WayEffect): TargetFacts => ({ strategy: 'any', goodSide: null, way: way ?? 'redeploy', effect: of });
const good = { version: 'v1', since: minute(-500), basis: 'baked' as const, targets: ['web', 'edge', 'app', 'tasks'] };

/** One rung for each of these, in this order, which is Ripcord's own unless the service names it. */
function asked(effects: Readonly<Record<string, WayEffect>>, over: Parameters<typeof question>[0] = {}): Question {
  const targets = Object.fromEntries(Object.entries(effects).map(([id, of]) => [id, target(id === 'app' || id === 'tasks' ? 'redeploy' : 'traffic-shift', of)]));
  return question({
    targets, rungs: Object.keys(effects).map((id) => ({ name: id, waves: [[id]] })), hasOwnRungs: false, knownGoods: [good],
    patience: { proofSeconds: 900, stepSeconds: 3600 }, ...over,
  });
}

function said(of: Question): { readonly verdict: string; readonly order: string; readonly ways: string; readonly codes: readonly string[] } {
  const { verdict, rungs, ways, reasons } = decide(of);
  return { verdict, order: rungs.map(({ name }) => name).join(', '), ways: ways.map(({ rung, answer }) => `${rung} ${answer}`).join(', '), codes: reasons.map(({ code }) => code) };
}

describe('the order of ways that nothing speaks against', () => {
  it.each<[Downtime, Downtime, string]>([
    ['interruption', 'unknown', 'edge, app'],
    ['interruption', 'less-capacity', 'edge, app'],
    ['interruption', 'mixed', 'edge, app'],
    ['unknown', 'less-capacity', 'edge, app'],
    ['unknown', 'none', 'edge, app'],
    ['less-capacity', 'mixed', 'edge, app'],
    ['mixed', 'none', 'app, edge'],
    ['none', 'interruption', 'app, edge'],
  ])('%s before %s becomes %s', (first, second, order) => {
    const answer = said(asked({ app: effect(first), edge: effect(second) }));
    expect([answer.verdict, answer.order]).toEqual(['roll-back', order]);
    expect(answer.codes.includes('safer-first')).toBe(order === 'edge, app');
  });

  it('says which goes before which, and why', () => {
    const { reasons } = decide(asked({ app: effect('interruption', { text: 'all servers are restarted at once' }), edge: effect('mixed') }));
    expect(reasons.find(({ code }) => code === 'safer-first')?.text).toBe('edge goes before app, where users are interrupted: app: all servers are restarted at once.');
  });

  it('stays where the service names it, and the better one is told', () => {
    const own = asked({ app: effect('interruption'), edge: effect('mixed'), web: effect('none') }, { hasOwnRungs: true });
    const answer = said(own);
    expect([answer.verdict, answer.order, answer.codes.includes('safer-first')]).toEqual(['roll-back', 'app, edge, web', false]);
    expect(decide(own).reasons.find(({ code }) => code === 'better-order')?.text)
      .toBe('The rungs go in the order that the service names. A better one would be edge, web, app: app stands before edge, though users are interrupted: app: it is interruption.');
    expect(said(asked({ web: effect('none'), app: effect('interruption') }, { hasOwnRungs: true })).codes).not.toContain('better-order');
  });

  it('stays in a question of before it was asked, however its deployments stand', () => {
    const old = question({ deployments: [deployment({ id: 'd-9', status: 'in-progress', finishedAt: null })] });
    expect([said(old).order, decide(old).ways[0]]).toEqual(['alb-weights, codedeploy', expect.not.objectContaining({ risk: expect.anything() as unknown })]);
  });

  it('puts the way that stops a running deployment before a shift that it would undo', () => {
    const running = deployment({ id: 'd-9', targetId: 'app', status: 'in-progress', finishedAt: null, startedAt: minute(1) });
    const both = { web: effect('none'), app: effect('less-capacity') };
    expect(said(asked(both)).order).toBe('web, app');
    const answer = decide(asked(both, { deployments: [running] }));
    expect(answer.rungs.map(({ name }) => name)).toEqual(['app', 'web']);
    expect(answer.ways.find(({ rung }) => rung === 'web')?.risk).toEqual({ level: 'high', reasons: [{ text: 'deployment d-9 of app still runs and may move the traffic again' }] });
    for (const over of [{ nature: 'rollback' as const }, { nature: 'upkeep' as const }, { status: 'finished' as const }])
      expect(said(asked(both, { deployments: [{ ...running, ...over }] })).order).toBe('web, app');
    const together = decide(asked(both, { deployments: [running], rungs: [{ name: 'both', waves: [['app'], ['web']] }] }));
    expect(together.ways[0]?.risk?.level).toBe('medium');
  });
});

describe('the risk of a way', () => {
  const levels = (of: Question) => decide(of).ways.map(({ rung, risk }) => `${rung} ${risk?.level ?? '?'}`).join(', ');

  it('is high where users are interrupted or a person has to say yes, medium where something is lost or unknown, else low', () => {
    expect(levels(asked({ app: effect('interruption'), tasks: effect('less-capacity'), edge: effect('unknown'), web: effect('mixed') }))).toBe('app high, tasks medium, edge medium, web low');
    expect(levels(asked({ web: effect('none') }, { releases: [release({ touched: ['configuration'] })] }))).toBe('web high');
  });

  it('of a whole rung is the worst of its targets, and its waves take their time one after the other', () => {
    const rungs = [{ name: 'all', waves: [['web', 'edge'], ['app']] }];
    const [way] = decide(asked({ web: effect('none'), edge: effect('unknown', { seconds: 90 }), app: effect('unknown', { basis: 'known' }) }, { rungs })).ways;
    expect([way?.effect, way?.expectedSeconds]).toEqual([{ downtime: 'unknown', text: 'edge: it is unknown; app: it is unknown', seconds: 150, basis: 'typical' }, 150]);
  });

  it('is not said of a rung with a target of which nobody knows anything', () => {
    const { targets } = asked({ web: effect('none') });
    const [way] = decide(asked({}, { targets: { ...targets, app: { strategy: 'any', goodSide: null, way: 'redeploy', expectedSeconds: 30 } }, rungs: [{ name: 'all', waves: [['web'], ['app']] }] })).ways;
    expect([way?.effect, way?.risk, way?.expectedSeconds]).toEqual([undefined, undefined, 30]);
  });
});

describe('a person has to say yes', () => {
  const ask = { policy: { interruption: 'ask' as const } };

  it.each<[Downtime, string]>([['none', 'roll-back'], ['mixed', 'roll-back'], ['less-capacity', 'roll-back'], ['unknown', 'ask'], ['interruption', 'ask']])(
    'to %s, where the policy wants it: %s', (downtime, verdict) => {
      const answer = said(asked({ app: effect(downtime) }, ask));
      expect([answer.verdict, answer.codes.includes('interrupts-users')]).toEqual([verdict, verdict === 'ask']);
      expect(said(asked({ app: effect(downtime) })).verdict).toBe('roll-back');
      expect(said(asked({ app: effect(downtime) }, { ...ask, approval: approval('approved'), look: 1 })).verdict).toBe('roll-back');
    });

  it('to nothing where another way interrupts nobody: that one alone is taken, whoever named the order', () => {
    for (const hasOwnRungs of [true, false])
      expect(said(asked({ app: effect('interruption'), edge: effect('mixed') }, { ...ask, hasOwnRungs }))).toMatchObject({ verdict: 'roll-back', ways: 'app left-out, edge chosen' });
  });

  it('to a way that is known to take longer than the proof may take', () => {
    const long = asked({ edge: effect('mixed', { seconds: 901, basis: 'known' }) });
    expect(said(long)).toMatchObject({ verdict: 'ask', ways: 'edge ask' });
    expect(decide(long).headline).toContain('It takes 16 min until the last user is safe (edge: it is mixed), longer than the 15 min in which a recovery has to be proven.');
    expect(said(asked({ edge: effect('mixed', { seconds: 900, basis: 'known' }) })).verdict).toBe('roll-back');
  });

  it('to none whose time is only typical', () => {
    expect(said(asked({ app: effect('none', { seconds: 9000 }) })).verdict).toBe('roll-back');
  });

  it('to none that the policy accepts, but always to one that outlasts a step', () => {
    const accepted = { policy: { slowWayBack: { accepted: 'DNS is all there is' } } };
    expect(said(asked({ edge: effect('mixed', { seconds: 3600, basis: 'known' }) }, accepted)).verdict).toBe('roll-back');
    const longest = decide(asked({ edge: effect('mixed', { seconds: 3601, basis: 'known' }) }, accepted));
    expect([longest.verdict, longest.headline]).toEqual(['ask', expect.stringContaining('longer than the 60 min that Ripcord waits for one step')]);
  });

  it('is asked in no dry run, which says so', () => {
    const answer = said(asked({ app: effect('interruption') }, { ...ask, trigger: personTrigger({ mode: 'dry-run' }) }));
    expect([answer.verdict, answer.ways, answer.codes.includes('would-ask')]).toEqual(['roll-back', 'app ask', true]);
  });
});
