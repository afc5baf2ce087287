// What the choice of the way back keeps to, whatever was released and declared.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { semanticOrder, type Standing, standing } from '../../lambdas/domain/database-floor.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question, TargetFacts } from '../../lambdas/domain/question.ts';
import type { Touched } from '../../lambdas/domain/vocabulary.ts';
import { downtimes } from '../../lambdas/domain/way-effect.ts';
import { approval, deployment, minute, personTrigger, question, release } from '../unit/domain/samples.ts';
import { manyCases } from './many-cases.ts';

const version = fc.constantFrom('1.0.0', '1.1.0', '1.2.0', '2.0.0', 'blue', 'red');
const touched = fc.subarray<Touched>(['code', 'configuration', 'infrastructure', 'database']);
const at = fc.integer({ min: -900, max: 4 }).map((m) => minute(m));

const targets: Readonly<Record<string, TargetFacts>> = {
  flag: { strategy: 'ssm-parameter', goodSide: null, way: 'flag-off', expectedSeconds: 2 },
  web: { strategy: 'alb-weights', goodSide: null, way: 'traffic-shift', expectedSeconds: 5 },
  edge: { strategy: 'route53-weights', goodSide: 'blue', way: 'traffic-shift', expectedSeconds: 120 },
  app: { strategy: 'codedeploy', goodSide: null, way: 'redeploy', expectedSeconds: 300 },
};
const ids = Object.keys(targets);
const rungs = fc.array(fc.array(fc.subarray(ids, { minLength: 1 }), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 })
  .map((all) => all.map((waves, index) => ({ name: `rung-${index + 1}`, waves })));

const releases = fc.array(fc.record({
  version, startedAt: at, touched, previousVersion: fc.option(version), status: fc.constantFrom('finished', 'failed', 'in-progress'), floor: fc.option(version),
}), { maxLength: 4 }).map((all) => all.map(({ floor, ...over }, index) => release({
  id: `r-${index}`, ...over, ...(floor === null ? {} : { manifest: { approvals: [], backup: null, databaseFloor: floor, url: null } }),
})));

const longAgo = fc.record({ releases, unreadBefore: fc.option(at, { freq: 2 }) }).map((one) => ({ ...one, releases: one.releases.map((each) => ({ ...each, id: `long-ago-${each.id}` })) }));

const effect = fc.option(fc.record({ downtime: fc.constantFrom(...downtimes), text: fc.constant('so it is'), seconds: fc.integer({ min: 1, max: 5000 }), basis: fc.constantFrom('known', 'typical') }), { nil: undefined });
/** The same targets with what users notice of each; of some nobody said. */
const noticed = fc.tuple(effect, effect, effect, effect).map((effects) => Object.fromEntries(ids.map((id, index) => {
  const [facts, one] = [targets[id], effects[index]];
  return [id, { strategy: id, goodSide: null, ...facts, ...(one === undefined ? {} : { effect: one }) }];
})));

const world: fc.Arbitrary<Question> = fc.record({
  rungs, releases, targets: noticed, hasOwnRungs: fc.boolean(), patience: fc.constantFrom(undefined, { proofSeconds: 900, stepSeconds: 3600 }),
  earlier: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: longAgo }),
  deployments: fc.constantFrom([], [deployment({ id: 'd-9', status: 'in-progress', finishedAt: null })]),
  knownGoods: fc.array(fc.record({ version, since: at, targets: fc.subarray(ids) }).map((one) => ({ ...one, basis: 'baked' as const })), { maxLength: 2 }),
  trigger: fc.constantFrom(question().trigger, personTrigger()),
  approval: fc.constantFrom(null, null, approval('approved')),
  policy: fc.record({ databaseFloor: version, database: fc.constant({ compatible: 'expand, then contract' }), configuration: fc.constant({ versioned: 'part of the image' }),
    interruption: fc.constantFrom('ask', 'last'), slowWayBack: fc.constant({ accepted: 'DNS is all there is' }) }, { requiredKeys: [] }),
}).map(({ patience, earlier, ...over }) => question({ ...over, ...(patience === undefined ? {} : { patience }), ...(earlier === undefined ? {} : { earlier }) }));

const runs = manyCases(500);

/** Targets of which the kept rungs put another version before users. */
const changed = ({ rungs: kept }: ReturnType<typeof decide>): string[] => kept.flatMap(({ waves }) => waves.flat()).filter((id) => targets[id]?.way !== 'flag-off');

/** How the versions that users would get stand to each floor that counts. A declared side can run any version: for it every release on record counts. */
function standings(asked: Question, said: ReturnType<typeof decide>): Set<Standing> {
  const { releases: all, earlier, policy } = asked;
  const floors = [policy.databaseFloor, ...said.passed.map(({ manifest }) => manifest?.databaseFloor)].flatMap((one) => one ?? []);
  const isMigrated = [...all, ...(earlier?.releases ?? [])].some(({ touched: parts, manifest }) => parts.includes('database') || manifest?.databaseFloor != null);
  return new Set(changed(said).flatMap((id): Standing[] => {
    if (targets[id]?.goodSide !== null) return policy.databaseFloor !== undefined || (isMigrated && policy.database === undefined) ? ['unknown'] : [];
    const old = said.good?.targets.includes(id) === true ? said.good.version : null;
    return floors.map((floor) => (old === null ? 'unknown' : standing(asked, old, floor)));
  }));
}

describe('the choice of the way back', () => {
  it('never puts a version below a floor before users, whoever asks or approves', () => {
    fc.assert(fc.property(world, (asked) => {
      expect([...standings(asked, decide(asked))]).not.toContain('below');
    }), runs);
  });

  it('asks a person where the order of two versions or the floor of a migration is not known', () => {
    fc.assert(fc.property(world, (asked) => {
      const answer = decide(asked);
      fc.pre(answer.verdict === 'roll-back' && asked.approval === null);
      const isSilent = answer.passed.some(({ touched: parts, manifest }) => parts.includes('database') && manifest?.databaseFloor == null)
        && asked.policy.databaseFloor === undefined && asked.policy.database === undefined;
      expect([...standings(asked, answer)]).not.toContain('unknown');
      expect(isSilent && changed(answer).length > 0).toBe(false);
      const from = asked.earlier?.unreadBefore ?? null;
      const isReached = from === null || answer.good === null || [...asked.releases, ...(asked.earlier?.releases ?? [])].some((one) => one.version === answer.good?.version && one.startedAt >= from && one.startedAt <= answer.good.since);
      expect(isReached || changed(answer).every((id) => targets[id]?.goodSide !== null)).toBe(true);
    }), manyCases(150));
  });

  it('takes only rungs of the catalogue, in their order where the service names it, and accounts for each of them', () => {
    fc.assert(fc.property(world, (asked) => {
      const { rungs: kept, ways } = decide(asked);
      const declared = asked.rungs.filter(({ name }) => kept.some((rung) => name === rung.name));
      expect(declared).toEqual(asked.hasOwnRungs === false ? asked.rungs.filter((rung) => kept.includes(rung)) : kept);
      fc.pre(kept.length > 0);
      expect(ways.map(({ rung }) => rung)).toEqual(asked.rungs.map(({ name }) => name));
      expect(ways.filter(({ answer }) => answer === 'chosen' || answer === 'ask').map(({ rung }) => rung)).toEqual(declared.map(({ name }) => name));
    }), runs);
  });

  it('never tries a way that is refused, and asks nobody where any way is free of doubts', () => {
    fc.assert(fc.property(world, (asked) => {
      const { ways, rungs: kept, verdict, reasons } = decide(asked);
      fc.pre(ways.length > 0);
      for (const { name } of kept) expect(['chosen', 'ask']).toContain(ways.find(({ rung }) => rung === name)?.answer);
      const isFree = ways.some(({ answer, reasons: why }) => answer !== 'refused' && why.length === 0);
      expect(ways.some(({ answer }) => answer === 'ask')).toBe(!isFree && kept.length > 0);
      const isDoubted = verdict === 'ask' || reasons.some(({ code }) => code === 'interrupts-users' || code === 'takes-too-long');
      expect(isFree && isDoubted).toBe(false);
    }), runs);
  });

  it('never puts a way on which users are interrupted, or may be, before one on which they are not, unless the service named that order', () => {
    const order = { none: 0, mixed: 0, 'less-capacity': 1, unknown: 2, interruption: 3 } as const;
    fc.assert(fc.property(world, (asked) => {
      const { ways, rungs: kept, reasons } = decide(asked);
      const runs9 = asked.deployments.length > 0;
      const weights = kept.map(({ name }) => { const of = ways.find(({ rung }) => rung === name)?.effect?.downtime; return of === undefined ? 0 : order[of]; });
      fc.pre(kept.length > 1 && !runs9);
      const isSorted = weights.every((weight, index) => index === 0 || weight >= (weights[index - 1] ?? 0));
      const isTold = reasons.some(({ code }) => code === 'better-order');
      expect([isSorted, isTold]).toEqual(asked.hasOwnRungs === false ? [true, false] : [isSorted, !isSorted]);
    }), runs);
  });

  it('asks where the policy wants a yes to an interruption, and where a way outlasts what Ripcord waits for', () => {
    fc.assert(fc.property(world, (asked) => {
      const { policy, patience } = asked;
      const limit = patience === undefined ? Infinity : policy.slowWayBack === undefined ? 900 : 3600;
      const chosen = decide(asked).ways.flatMap(({ answer, effect: one }) => (answer === 'chosen' && one !== undefined ? [one] : []));
      expect(chosen.filter(({ downtime }) => policy.interruption === 'ask' && (downtime === 'unknown' || downtime === 'interruption'))).toEqual([]);
      expect(chosen.filter(({ basis, seconds }) => basis === 'known' && seconds > limit)).toEqual([]);
    }), runs);
  });

  it('offers nothing, and wakes a person, where every way would do harm', () => {
    fc.assert(fc.property(world, (asked) => {
      const { ways, verdict, page, rungs: kept } = decide(asked);
      fc.pre(ways.length > 0 && ways.every(({ answer }) => answer === 'refused'));
      expect([verdict, page, kept]).toEqual(['leave', true, []]);
    }), runs);
  });

  it('says why for each way that is not simply taken', () => {
    fc.assert(fc.property(world, (asked) => {
      for (const { answer, reasons } of decide(asked).ways) expect(reasons.length > 0).toBe(answer !== 'chosen');
    }), runs);
  });

  it('orders two versions the same way round, whichever is asked first', () => {
    const part = fc.constantFrom('0', '1', '2', '10', 'a', 'b1', '-');
    const odd = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.array(part, { maxLength: 3 })).map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length === 0 ? '' : `-${pre.join('.')}`}`);
    fc.assert(fc.property(odd, odd, odd, (one, two, three) => {
      const order = (a: string, b: string) => Math.sign(semanticOrder(a, b) ?? Number.NaN);
      expect(order(one, two) + order(two, one)).toBe(0);
      fc.pre(order(one, two) <= 0 && order(two, three) <= 0);
      expect(order(one, three)).toBeLessThanOrEqual(0);
    }), runs);
  });
});
