// What the ranking of suspects keeps to whatever was released, sick or rolled back around a service.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../lambdas/domain/decide.ts';
import type { NeighbourReading } from '../../lambdas/domain/neighbours.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Suspect } from '../../lambdas/domain/workflow.ts';
import { alarm, minute, neighbour, question, release } from '../unit/domain/samples.ts';
import { manyCases } from './many-cases.ts';

const runs = manyCases(200);
const startedAt = fc.integer({ min: -300, max: 12 }).map((m) => minute(m));
const touched = fc.subarray(['code', 'configuration', 'infrastructure', 'database'] as const);

const theirRelease = (service: string) => fc.record({ n: fc.integer({ min: 1, max: 4 }), startedAt, finishedAt: fc.option(startedAt), touched, status: fc.constantFrom('finished', 'failed', 'in-progress') })
  .map(({ n, ...one }) => ({ ...one, id: `${service}-${n}`, version: `${n}.0` }));
const theirAlarm = (service: string) => fc.record({ state: fc.constantFrom('ALARM', 'OK', 'missing', 'INSUFFICIENT_DATA'), from: fc.integer({ min: -60, max: 9 }) })
  .map(({ state, from }) => alarm(`${service}-5xx`, { state, fault: state === 'ALARM' ? { from: minute(from), to: minute(from + 1) } : null }));

const around = (service: string): fc.Arbitrary<NeighbourReading> => fc.record({
  relation: fc.constantFrom('dependency', 'dependency', 'dependent'), distance: fc.integer({ min: 1, max: 3 }), critical: fc.boolean(), sharedWith: fc.subarray(['search', 'cart', 'shop']),
  releases: fc.uniqueArray(theirRelease(service), { maxLength: 3, selector: ({ id }) => id }), lockedBy: fc.option(fc.constant(`rb-${service}`)), alarms: fc.array(theirAlarm(service), { maxLength: 1 }),
  rollbacks: fc.array(fc.record({ rollbackId: fc.constant(`rb-${service}`), release: fc.constant({ id: `${service}-1`, version: '1.0' }), endedAt: fc.option(startedAt), outcome: fc.option(fc.constant('recovered' as const)) }), { maxLength: 1 }),
}).map((over) => neighbour({ service, ...over }));

const ownReleases = fc.uniqueArray(fc.record({ n: fc.integer({ min: 1, max: 5 }), startedAt, touched }).map(({ n, ...one }) => release({ ...one, id: `r-${n}`, version: `v${n + 1}`, finishedAt: one.startedAt })), { maxLength: 3, selector: ({ id }) => id });

const world: fc.Arbitrary<Question> = fc.record({
  releases: ownReleases, neighbours: fc.tuple(around('payments'), around('stock')), storm: fc.subarray(['checkout', 'search', 'cart', 'payments', 'stock']),
  startedAt: fc.constantFrom(minute(4), minute(10), minute(-25)),
}).map(({ storm, ...over }) => question({ ...over, storm: { services: storm, limit: 5, minutes: 10, isAnnounced: false } }));

const winner = (suspects: readonly Suspect[]): string => { const [first] = suspects; return `${first?.kind ?? ''} ${first?.service ?? ''} ${first?.release?.id ?? ''}`; };
const isTie = ([first, second]: readonly Suspect[]): boolean => second !== undefined && (first?.share ?? 0) - second.share < 0.001;

describe('the ranking of suspects', () => {
  it('has shares that add up to one, likeliest first', () => {
    fc.assert(fc.property(world, (asked) => {
      const { suspects } = decide(asked);
      expect(Math.abs(suspects.reduce((sum, { share }) => sum + share, 0) - 1)).toBeLessThan(0.001);
      expect(suspects.map(({ share }) => share)).toEqual(suspects.map(({ share }) => share).toSorted((a, b) => b - a));
      expect(suspects.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
    }), runs);
  });

  it('does not depend on the order in which things were read', () => {
    fc.assert(fc.property(world, (asked) => {
      const { neighbours = [], alarms, releases } = asked;
      const turned: Question = {
        ...asked, alarms: alarms.toReversed(), releases: releases.toReversed(),
        neighbours: neighbours.toReversed().map((one) => ({ ...one, releases: one.releases.toReversed(), rollbacks: one.rollbacks.toReversed(), alarms: one.alarms.toReversed(), sharedWith: one.sharedWith })),
      };
      // Two releases of one instant have no order of their own.
      fc.pre(new Set(releases.map((one) => one.startedAt)).size === releases.length);
      expect(decide(turned).suspects).toEqual(decide(asked).suspects);
      expect(decide(turned).verdict).toBe(decide(asked).verdict);
    }), runs);
  });

  it('never blames a release that began after every fault', () => {
    fc.assert(fc.property(world, theirRelease('payments'), (asked, late) => {
      const { neighbours = [] } = asked;
      const [payments, ...others] = neighbours;
      const after = { ...late, id: 'late', startedAt: minute(11) };
      const said = decide({ ...asked, neighbours: payments === undefined ? [] : [{ ...payments, releases: [after, ...payments.releases] }, ...others] });
      expect(said.suspects.some(({ release: one }) => one?.id === 'late')).toBe(false);
    }), runs);
  });

  it('keeps its winner when a release joins that is older than the window', () => {
    fc.assert(fc.property(world, fc.integer({ min: 300, max: 5000 }), (asked, age) => {
      const old = release({ id: 'old', version: 'v-old', startedAt: minute(-age), finishedAt: minute(-age) });
      const theirs = { id: 'old-p', version: '0', startedAt: minute(-age), finishedAt: minute(-age), status: 'finished', touched: ['database'] } as const;
      const more = { ...asked, releases: [...asked.releases, old], neighbours: (asked.neighbours ?? []).map((one) => ({ ...one, releases: [...one.releases, theirs] })) };
      expect(decide(more).suspects).toEqual(decide(asked).suspects);
    }), runs);
  });

  it('keeps its winner when a much older release of another service joins, which is well', () => {
    fc.assert(fc.property(world, (asked) => {
      const before = decide(asked).suspects;
      fc.pre(!isTie(before) && before[0]?.kind !== 'other');
      const joined = neighbour({ service: 'reports', releases: [{ id: 'reports-1', version: '1', startedAt: minute(-200), finishedAt: minute(-199), status: 'finished', touched: ['code'] }] });
      expect(winner(decide({ ...asked, neighbours: [...(asked.neighbours ?? []), joined] }).suspects)).toBe(winner(before));
    }), runs);
  });

  it('leads to a rollback only of this service\'s own release, and only when that has its share and its margin', () => {
    fc.assert(fc.property(world, (asked) => {
      const said = decide(asked);
      fc.pre(said.verdict === 'roll-back');
      expect(asked.releases.map(({ id }) => id)).toContain(said.releaseId);
      const own = said.suspects.find((one) => one.service === 'checkout' && one.release?.id === said.releaseId);
      const sickness = said.suspects.filter(({ kind }) => kind === 'sickness');
      expect(sickness.every(({ share }) => share < (own?.share ?? 0))).toBe(true);
    }), runs);
  });

  it('never waits for others without an end', () => {
    fc.assert(fc.property(world, (asked) => {
      expect(decide({ ...asked, startedAt: minute(-21), now: minute(10) }).verdict).not.toBe('hold');
    }), runs);
  });

  it('is the same for a question that was written down and read again', () => {
    fc.assert(fc.property(world, (asked) => {
      expect(decide(JSON.parse(JSON.stringify(asked)) as Question)).toEqual(decide(asked));
    }), runs);
  });
});
