// The decision tree of the way back: what was touched, what is possible, what would do harm, for every way that the service has.
import { type FloorObjection, floorObjections, sideObjections, unreadObjections } from './database-floor.ts';
import { passedReleases } from './passed.ts';
import type { KnownGoodFacts, Question, ReleaseFacts, RungFacts, TargetFacts } from './question.ts';
import { because } from './reasons.ts';
import { goodOf } from './rungs.ts';
import type { Reason, Touched, WayBack } from './vocabulary.ts';
import type { Passed, WayChoice } from './way-choice.ts';
import { effectOf, type WayEffect } from './way-effect.ts';
import { type Harm, harmDoubts, harmOf, inOrder } from './way-harm.ts';

export interface Tree {
  /** One for each of the service's ways back, in its order. */
  readonly ways: readonly WayChoice[];
  /** Those worth trying; empty when each of them would do harm. */
  readonly rungs: readonly RungFacts[];
  /** Why a person has to say yes to them first; empty when nobody has to. */
  readonly doubts: readonly Reason[];
  /** Why they stand in another order than given, or which order would be better. */
  readonly order: readonly Reason[];
  readonly passed: readonly Passed[];
}

interface Weighed {
  readonly rung: RungFacts;
  readonly effect: WayEffect | null;
  readonly harm: Harm | null;
  readonly to: readonly (string | null)[];
  readonly refusals: readonly Reason[];
  readonly doubts: readonly Reason[];
}

interface Situation {
  readonly question: Question;
  readonly suspect: ReleaseFacts | null;
  readonly good: KnownGoodFacts | null;
  readonly passed: readonly Passed[];
}

/**
 * Weighs each way back alone, then keeps the best class: those that nothing speaks against; else those that lead to a known good version
 * and need a person's yes; else the rest that is not refused. An order that the service declares stays; Ripcord's own puts what harms users less first.
 */
export function weighWays(question: Question, suspect: ReleaseFacts | null, good: KnownGoodFacts | null): Tree {
  const passed = passedReleases(question, suspect, good);
  const weighed = question.rungs.map((rung) => weigh({ question, suspect, good, passed }, rung));
  const safe = weighed.filter(({ refusals }) => refusals.length === 0);
  const free = safe.filter(({ doubts }) => doubts.length === 0);
  const known = safe.filter(({ to }) => !to.includes(null));
  const { kept, reasons: order } = inOrder(question, [free, known, safe].find((some) => some.length > 0) ?? []);
  const ways = weighed.map((one): WayChoice => ({
    rung: one.rung.name, ways: waysOf(question, one.rung), to: one.to, expectedSeconds: one.effect?.seconds ?? secondsOf(question, one.rung),
    ...(one.effect === null || one.harm === null ? {} : { effect: one.effect, risk: one.harm.risk }),
    answer: one.refusals.length > 0 ? 'refused' : !kept.includes(one) ? 'left-out' : one.doubts.length > 0 ? 'ask' : 'chosen',
    reasons: one.refusals.length > 0 ? one.refusals : one.doubts,
  }));
  return { ways, rungs: kept.map(({ rung }) => rung), doubts: unique(kept.flatMap(({ doubts }) => doubts)), order, passed };
}

const unique = (reasons: readonly Reason[]): Reason[] => reasons.filter(({ text }, index) => reasons.findIndex((one) => one.text === text) === index);

function weigh(situation: Situation, rung: RungFacts): Weighed {
  const { question, suspect, good } = situation;
  const targets = targetsOf(question, rung);
  const to = [...new Set(targets.map(([id, target]) => goodOf(id, target, good)?.version ?? null))];
  // A flag changes what the version does, never which version users get.
  const objections = targets.filter(([, target]) => wayOf(target) !== 'flag-off').flatMap(([id, target]) => databaseObjections(situation, id, target));
  const ways = waysOf(question, rung);
  const effect = effectOf(rung.waves, (id) => question.targets[id]?.effect);
  const doubts = unique([
    ...(to.includes(null) ? [notProven(question, good)] : []),
    ...objections.filter(({ kind }) => kind === 'doubt').map(({ reason }) => reason),
    ...reachDoubts(situation, ways, suspect),
    ...harmDoubts(question, effect),
  ]);
  return {
    rung, to, effect, doubts,
    harm: harmOf(question, { rung, ways, effect, doubts }),
    refusals: unique(objections.filter(({ kind }) => kind === 'refused').map(({ reason }) => reason)),
  };
}

/** A declared side can be older than what is known good: what releases did to the database counts from the version that it runs. */
function databaseObjections({ question, suspect, good, passed }: Situation, id: string, target: TargetFacts): FloorObjection[] {
  const { goodSide, sideVersion } = target;
  if (goodSide !== null && sideVersion === undefined) return sideObjections(question, goodSide);
  const goal = goodSide === null ? good : sideVersion ?? null;
  const version = goodSide === null ? goodOf(id, target, good)?.version ?? null : goal?.version ?? null;
  return [...floorObjections(question, goodSide === null ? passed : passedReleases(question, suspect, goal), version), ...(goal === null ? [] : unreadObjections(question, goal))];
}

const notProven = ({ service }: Question, good: KnownGoodFacts | null): Reason =>
  because('no-known-good', good === null ? `No version of ${service} is proven good.` : `No way back is proven whole: ${good.version} is known good, but not for every target.`);

/** What each way takes back. A flag reaches code and configuration; another side brings its own machines; configuration goes with the version only where it is part of it. */
const reach: Readonly<Record<WayBack, readonly Touched[]>> = {
  'flag-off': ['code', 'configuration'],
  'traffic-shift': ['code', 'infrastructure'],
  redeploy: ['code'],
};

/** Every way takes code back, so that a release of which nobody says more is never left in place for it. */
const touchedBy = ({ touched }: ReleaseFacts): readonly Touched[] => (touched.length === 0 ? ['code'] : touched);

/** That code is an assumption; none where somebody said what it touched, or nothing is suspected. */
export const assumed = (suspect: ReleaseFacts | null): Reason[] =>
  (suspect?.touched.length === 0 ? [because('touched-unknown', `Nobody said what release ${suspect.version} touched; taken as code.`)] : []);

/** Whether a way takes back anything at all of what the release touched, and whether it would run on what the release left. */
function reachDoubts({ question: { policy } }: Situation, ways: readonly WayBack[], suspect: ReleaseFacts | null): Reason[] {
  if (suspect === null) return [];
  const { version } = suspect;
  const touched = touchedBy(suspect);
  const reaches = (part: Touched): boolean => ways.some((way) => reach[way].includes(part) || (part === 'configuration' && policy.configuration !== undefined));
  if (!touched.some((part) => reaches(part)))
    return [because('may-not-help', `Release ${version} touched ${touched.join(' and ')} alone, and this way back takes none of it back for certain.`)];
  if (ways.includes('redeploy') && touched.includes('infrastructure'))
    return [because('infrastructure-stays', `Release ${version} changed the infrastructure, and an older version put in place again would run on it.`)];
  return [];
}

const targetsOf = ({ targets }: Question, { waves }: RungFacts): [string, TargetFacts][] =>
  waves.flat().flatMap((id): [string, TargetFacts][] => (targets[id] === undefined ? [] : [[id, targets[id]]]));

const wayOf = ({ way }: TargetFacts): WayBack => way ?? 'redeploy';
const waysOf = (question: Question, rung: RungFacts): WayBack[] => [...new Set(targetsOf(question, rung).map(([, target]) => wayOf(target)))];

/** Of questions that know no effects: waves go one after the other, the targets of one side by side. */
const secondsOf = ({ targets }: Question, { waves }: RungFacts): number =>
  waves.reduce((sum, ids) => sum + Math.max(0, ...ids.map((id) => targets[id]?.expectedSeconds ?? 0)), 0);
