// What the decision keeps to whatever the world looks like.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { AlarmReading } from '../../lambdas/domain/readings.ts';
import { countSignals } from '../../lambdas/domain/signals.ts';
import type { Signal } from '../../lambdas/domain/vocabulary.ts';
import {
  alarm, alarmTrigger, approval, delivered, deployment, deploymentTrigger, externalTrigger, journeys, minute, personTrigger, question, release, rollback, watchTrigger,
} from '../unit/domain/samples.ts';
import { manyCases } from './many-cases.ts';

const names = ['5xx', 'latency', 'queue', 'broken'] as const;
const at = fc.integer({ min: -300, max: 12 }).map((m) => minute(m));

const reading = (name: string): fc.Arbitrary<AlarmReading> => fc.record({
  state: fc.constantFrom('ALARM', 'OK', 'INSUFFICIENT_DATA', 'missing'), since: fc.option(at), group: fc.constantFrom(name, 'errors'),
  fault: fc.option(fc.integer({ min: -60, max: 9 }).map((m) => ({ from: minute(m), to: minute(m + 1) }))),
  suppressedBy: fc.option(fc.constant('WaitPeriod'), { freq: 6 }), evaluationState: fc.option(fc.constant('PARTIAL_DATA'), { freq: 6 }),
  children: fc.subarray([...names]),
}).map((over) => alarm(name, over));

const trigger: fc.Arbitrary<Question['trigger']> = fc.oneof(
  fc.record({ mutedUntil: fc.option(fc.constant(minute(60))), suppressedBy: fc.option(fc.constant('Alarm')) }).map((over) => alarmTrigger(over)),
  fc.constant(personTrigger()), fc.constant(personTrigger({ mode: 'dry-run' })), fc.constant(deploymentTrigger),
  fc.constantFrom('firing', 'quiet').map((status) => externalTrigger({ status })), fc.constant(watchTrigger()),
);

/** Mostly as in the question that ends in a rollback, so that every guard is met alone as well as with others. */
const sometimes = <Value>(odd: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: odd });

const world: fc.Arbitrary<Question> = fc.record({
  trigger: sometimes(trigger), alarms: sometimes(fc.tuple(...names.map((name) => reading(name)))),
  minimumSignals: sometimes(fc.integer({ min: 1, max: 3 })),
  traffic: sometimes(fc.constantFrom<Question['traffic']>(
    { status: 'too-little', requests: 3, minimum: 50, minutes: 5 }, { status: 'unknown', requests: null, minimum: 50, minutes: 5 },
    { status: 'not-measured', requests: null, minimum: null, minutes: null },
  )),
  evidence: sometimes(fc.constantFrom(journeys(true), journeys(false), journeys(false, { couldNotRun: true }))),
  approval: sometimes(fc.constantFrom('approved', 'rejected', 'deadline').map((answer) => approval(answer))),
  releases: sometimes(fc.array(fc.record({ id: fc.constantFrom('r-1', 'r-2', 'd-2'), version: fc.constantFrom('v1', 'v2', 'v3'), startedAt: at }).map((over) => release(over)), { maxLength: 3 })),
  deployments: sometimes(fc.array(fc.record({ status: fc.constantFrom('failed', 'finished', 'in-progress'), nature: fc.constantFrom('release', 'rollback'), startedAt: at }).map((over) => deployment(over)), { maxLength: 1 })),
  delivered: sometimes(fc.array(fc.record({ at, status: fc.constantFrom('firing', 'quiet') }).map((over) => delivered(over)), { maxLength: 2 })),
  rollbacks: sometimes(fc.array(fc.record({ startedAt: at, endedAt: fc.option(at) }).map((over) => rollback(over)), { maxLength: 4 })),
  coolDownUntil: sometimes(fc.constant(minute(40))),
  knownGoods: sometimes(fc.subarray([{ version: 'v3', since: minute(-400), basis: 'baked' as const, targets: ['web'] }, { version: 'v1', since: minute(-500), basis: 'baked' as const, targets: ['web', 'app'] }])),
  lockedBy: sometimes(fc.constant('rb-9')),
  now: sometimes(fc.constantFrom(minute(14), minute(16))),
}).map((over) => question(Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined))));

const signal: fc.Arbitrary<Signal> = fc.record({
  kind: fc.constantFrom('alarm', 'journey', 'external'), source: fc.string(), group: fc.constantFrom('a', 'b', 'c', 'd'), status: fc.constantFrom('firing', 'quiet', 'unknown'),
  since: fc.constant(null), isOlderThanRelease: fc.boolean(), summary: fc.string(),
});

/** An alarm that is not one of the others, and does not fire. */
const notFiring = fc.constantFrom(
  alarm('extra', { state: 'OK', since: minute(-5) }), alarm('extra', { state: 'INSUFFICIENT_DATA' }), alarm('extra', { state: 'missing', since: null }),
  alarm('extra', { suppressedBy: 'Alarm' }), alarm('extra', { evaluationState: 'EVALUATION_FAILURE' }),
);

const runs = manyCases(600);

describe('the decision', () => {
  it('is the same for the same question, also after the question was written down and read again', () => {
    fc.assert(fc.property(world, (asked) => {
      const replayed = JSON.parse(JSON.stringify(asked)) as Question;
      expect(decide(replayed)).toEqual(decide(asked));
    }), runs);
  });

  it('counts nothing but firing signals, once a group', () => {
    fc.assert(fc.property(fc.array(signal), (signals) => {
      const firing = signals.filter(({ status }) => status === 'firing');
      expect(countSignals(signals)).toEqual(countSignals(firing));
      // Those from before the release may be left out, fresh ones never.
      const [all, fresh] = [firing, firing.filter(({ isOlderThanRelease }) => !isOlderThanRelease)].map((some) => some.map(({ group }) => group));
      const { groups } = countSignals(signals);
      expect([new Set(groups).size, groups.every((group) => all?.includes(group)), fresh?.every((group) => groups.includes(group)), groups.length > 0]).toEqual([groups.length, true, true, firing.length > 0]);
    }), runs);
  });

  it('never becomes a rollback by one more signal that is quiet or unknown', () => {
    fc.assert(fc.property(world, notFiring, (asked, extra) => {
      const said = decide({ ...asked, alarms: [...asked.alarms, extra] }).verdict;
      expect(said === 'roll-back' && decide(asked).verdict !== 'roll-back').toBe(false);
    }), runs);
  });

  it('never takes an unknown alarm for a quiet one: with it in the place of the trigger nothing is called over', () => {
    fc.assert(fc.property(world, fc.constantFrom('INSUFFICIENT_DATA' as const, 'missing' as const), (asked, state) => {
      const alarms = [alarm('5xx', { state, fault: null }), ...asked.alarms.slice(1)];
      const said = decide({ ...asked, trigger: alarmTrigger(), alarms });
      expect(said.reasons.map(({ code }) => code)).not.toContain('no-longer-firing');
    }), runs);
  });

  it('never acts on a muted or suppressed alarm, whatever else is true', () => {
    fc.assert(fc.property(world, fc.constantFrom({ mutedUntil: minute(60) }, { suppressedBy: 'Alarm' }), (asked, silenced) => {
      expect(['leave', 'joined']).toContain(decide({ ...asked, trigger: alarmTrigger(silenced) }).verdict);
    }), runs);
  });

  it('never acts by itself without a suspected release, a fresh signal and enough groups', () => {
    fc.assert(fc.property(world, (asked) => {
      const said = decide(asked);
      fc.pre(said.verdict === 'roll-back' && asked.trigger.kind !== 'person' && asked.approval?.answer !== 'approved');
      const firing = said.signals.filter(({ status }) => status === 'firing');
      expect(said.releaseId).not.toBeNull();
      expect(firing.some(({ isOlderThanRelease }) => !isOlderThanRelease)).toBe(true);
      expect(new Set(firing.map(({ group }) => group)).size).toBeGreaterThanOrEqual(asked.minimumSignals);
      expect(said.good !== null || said.rungs.every(({ waves }) => waves.flat().every((id) => asked.targets[id]?.goodSide !== null))).toBe(true);
    }), runs);
  });

  it('never goes back to the suspect\'s own version or to one that was rolled back before', () => {
    fc.assert(fc.property(world, fc.subarray(['v1', 'v2', 'v3']), (asked, quarantined) => {
      const { good, releaseId } = decide({ ...asked, quarantined });
      fc.pre(good !== null);
      expect(quarantined).not.toContain(good?.version);
      const suspects = [...asked.releases, ...asked.deployments].filter(({ id }) => id === releaseId);
      expect(suspects.length === 0 || suspects.some(({ version }) => version !== good?.version)).toBe(true);
    }), runs);
  });

  it('never waits without an end: after the hold it acts, asks or tells', () => {
    fc.assert(fc.property(world, (asked) => {
      expect(decide({ ...asked, startedAt: minute(4), now: minute(10) }).verdict).not.toBe('hold');
    }), runs);
  });
});
