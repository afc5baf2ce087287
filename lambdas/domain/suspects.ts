// Ranks who could have done it: releases of this service and of those it depends on, sick dependencies, and whatever nobody recorded. Pure.
import { candidates, suspectedUntil } from './correlate.ts';
import { type Fault, mayHaveCaused, notLater } from './fault.ts';
import { at } from './instants.ts';
import { type Health, type NeighbourReading, type NeighbourRelease, healthOf, notProvenWell, runningRollback, undoneAt } from './neighbours.ts';
import type { Question, ReleaseFacts } from './question.ts';
import { type Weight, minutesOf, timeWeight, weights } from './suspect-weights.ts';
import { ownWeights, symptoms } from './suspect-evidence.ts';
import type { MetricsFinding } from './metric-findings.ts';
import { faultsOf } from './signals.ts';
import type { Signal } from './vocabulary.ts';
import type { Suspect } from './workflow.ts';

/** A recovery takes so long to show in alarms: until then a release that was taken back can still explain what fires. Minutes. */
export const settleMinutes = 5;
/** A ranking is read by people and kept with each decision. */
const most = 8;

export interface Scene {
  readonly question: Question;
  /** The release of this service that would be taken back. */
  readonly suspect: ReleaseFacts | null;
  readonly signals: readonly Signal[];
  readonly metrics: MetricsFinding | null;
}

interface Scored extends Omit<Suspect, 'share' | 'reasons'> {
  readonly weights: readonly Weight[];
}

/** Likeliest first, `other` among them. The shares add up to 1 before they are rounded; the order of what was read does not matter. */
export function rankSuspects(scene: Scene): Suspect[] {
  const faults = faultsHere(scene);
  const found = [...ownReleases(scene, faults), ...(scene.question.neighbours ?? []).filter(({ relation }) => relation === 'dependency').flatMap((one) => dependency(scene, one, faults))];
  const all: Scored[] = [...found, { kind: 'other', service: '', release: null, weights: [] }];
  const scores = all.map(({ weights: each }) => each.reduce((sum, { weight }) => sum + weight, 0));
  // Added up in one order, whatever the order of what was read: sums of floats are not the same in every order.
  const total = scores.toSorted((a, b) => a - b).reduce((sum, score) => sum + Math.exp(score), 0);
  const ranked = all.map(({ weights: reasons, ...one }, index): Suspect => ({
    ...one, share: Number((Math.exp(scores[index] ?? 0) / total).toFixed(4)), reasons: reasons.map(({ text, weight }) => ({ text, weight: Number(weight.toFixed(2)) })),
  })).toSorted((a, b) => b.share - a.share || (keyOf(a) < keyOf(b) ? -1 : 1));
  return ranked.length <= most ? ranked : folded(ranked);
}

const keyOf = ({ kind, service, release }: Suspect): string => `${kind} ${service} ${release?.startedAt ?? ''} ${release?.id ?? ''}`;

/** The tail goes into `other`, so that the shares still add up. */
function folded(ranked: readonly Suspect[]): Suspect[] {
  const named = ranked.filter(({ kind }) => kind !== 'other').slice(0, most - 1);
  const share = Number((1 - named.reduce((sum, one) => sum + one.share, 0)).toFixed(4));
  return [...named, { kind: 'other' as const, service: '', release: null, share, reasons: [] }].toSorted((a, b) => b.share - a.share || (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What fires here, when it began. Without an instant of its own, no later than the run itself. */
function faultsHere({ question, signals, metrics }: Scene): Fault[] {
  const fresh = signals.filter(({ status, kind, isOlderThanRelease }) => status === 'firing' && !isOlderThanRelease && (kind === 'journey' || kind === 'deployment'));
  const instants = [...fresh.flatMap(({ since }) => since ?? []), ...(metrics?.since == null ? [] : [metrics.since])];
  const faults = [...faultsOf(question), ...instants.map((instant) => ({ from: instant, to: instant }))];
  return faults.length > 0 ? faults : [{ from: question.startedAt, to: question.startedAt }];
}

/** The earliest fault that began after the release did and not after `until`, epoch milliseconds; null when there is none: then it cannot have done it. */
function faultAfter(release: Pick<ReleaseFacts, 'startedAt'>, faults: readonly Fault[], until: number): Fault | null {
  const caused = faults.filter((fault) => mayHaveCaused(release, fault) && at(fault.from) <= until);
  return caused.toSorted((a, b) => at(a.to) - at(b.to))[0] ?? null;
}

function ownReleases(scene: Scene, faults: readonly Fault[]): Scored[] {
  const { question, suspect } = scene;
  const { releaseWindowMinutes } = question.policy;
  const possible = unique(candidates(question)).map((release) => ({ release, fault: faultAfter(release, faults, suspectedUntil(release, question.policy)) }))
    .filter(({ release, fault }) => fault !== null || release.id === suspect?.id);
  const liveId = suspect?.id ?? possible[0]?.release.id;
  return possible.flatMap(({ release, fault }): Scored[] => {
    const timed = timeWeight(release, fault === null ? Math.max(at(release.startedAt), at(question.startedAt)) : at(fault.to), releaseWindowMinutes);
    const own = release.id === liveId ? ownWeights(scene) : [{ text: 'was replaced by a newer release before that', weight: weights.superseded }];
    return [{ kind: 'release', service: question.service, release: named(release), weights: [timed, ...own, { text: 'most outages follow a change', weight: weights.change }] }];
  });
}

const unique = <One extends { readonly id: string }>(all: readonly One[]): One[] => all.filter(({ id }, index) => all.findIndex((one) => one.id === id) === index);
const named = ({ id, version, startedAt }: NeighbourRelease): NonNullable<Suspect['release']> => ({ id, version, startedAt });

/** A dependency's releases that could have done it; and its own sickness, where no recent release of it explains that. */
function dependency(scene: Scene, neighbour: NeighbourReading, faults: readonly Fault[]): Scored[] {
  const { question } = scene;
  const { releaseWindowMinutes } = question.policy;
  const health = healthOf(neighbour);
  const place = placeOf(neighbour);
  const possible = unique(neighbour.releases)
    .filter(({ id }) => !isGone(neighbour, id, question))
    .flatMap((release) => {
      const fault = faultAfter(release, faults, at(release.startedAt) + releaseWindowMinutes * 60_000);
      return fault === null ? [] : [{ release, fault, time: timeWeight(release, at(fault.to), releaseWindowMinutes) }];
    })
    .toSorted((a, b) => at(b.release.startedAt) - at(a.release.startedAt) || (a.release.id < b.release.id ? -1 : 1));
  const releases = possible.map(({ release, fault, time }, index): Scored => ({
    kind: 'release', service: neighbour.service, release: named(release),
    weights: [
      time, ...place, ...releaseThere({ neighbour, release, question }), ...healthWeights(neighbour, { health, fault, scene, release }),
      ...(index === 0 ? [] : [{ text: 'was replaced by a newer release before that', weight: weights.superseded }]),
      { text: 'most outages follow a change', weight: weights.change },
    ],
  }));
  // A recent release of its own, taken back or not, explains its sickness better than chance does.
  return possible.some(({ time }) => time.weight >= 0) ? releases : [...releases, ...sickness(scene, { neighbour, health, faults })];
}

/** Taken back so long ago that it explains nothing any more. */
const isGone = (neighbour: NeighbourReading, releaseId: string, { now }: Question): boolean => {
  const undone = undoneAt(neighbour, releaseId);
  return undone !== null && at(now) - at(undone) > settleMinutes * 60_000;
};

const stepsAway = (distance: number): string => (distance === 1 ? 'it is one step away' : `it is ${distance} steps away`);

const placeOf = ({ distance, critical }: NeighbourReading): Weight[] => [
  { text: stepsAway(distance), weight: weights.perStep * distance },
  ...(critical ? [] : [{ text: 'this service gets on without it', weight: weights.notCritical }]),
];

function releaseThere({ neighbour, release, question }: { readonly neighbour: NeighbourReading; readonly release: NeighbourRelease; readonly question: Question }): Weight[] {
  const shared = release.touched.filter((part) => part !== 'code');
  const running = runningRollback(neighbour);
  const undone = undoneAt(neighbour, release.id);
  return [
    ...(shared.length === 0 ? [] : [{ text: `it touched ${shared.join(' and ')}`, weight: weights.sharedParts }]),
    ...(release.status === 'failed' || release.status === 'stopped' ? [{ text: `it ${release.status === 'failed' ? 'failed' : 'was stopped'}`, weight: weights.failedThere }] : []),
    ...(running?.release?.id === release.id ? [{ text: `rollback ${running.rollbackId} is taking it back now`, weight: weights.beingUndone }] : []),
    ...(undone === null ? [] : [{ text: `it was taken back ${minutesOf(at(question.now) - at(undone))} ago`, weight: weights.beingUndone }]),
  ];
}

/** What is seen here, once more: whoever was sick first explains it too. */
function explains(scene: Scene): Weight[] {
  const seen = symptoms(scene);
  return seen.length === 0 ? [] : [{ text: 'would explain what is seen of this service as well', weight: seen.reduce((sum, { weight }) => sum + weight, 0) }];
}

interface There {
  readonly health: Health;
  readonly fault: Fault;
  readonly scene: Scene;
  readonly release: NeighbourRelease;
}

/** Said, and worth nothing: what was not read speaks neither for nor against. */
function openWeights(neighbour: NeighbourReading): Weight[] {
  const text = notProvenWell(neighbour);
  return text === null ? [] : [{ text, weight: 0 }];
}

function healthWeights(neighbour: NeighbourReading, { health, fault, scene, release }: There): Weight[] {
  const { service } = neighbour;
  if (health.state === 'sick') {
    // Sick from before its release: that one did not do it.
    if (health.fault !== null && !mayHaveCaused(release, health.fault)) return [{ text: `${service} was sick before it`, weight: weights.well }];
    const isBefore = health.fault === null || notLater(health.fault, fault);
    const sick = { text: `${service} is sick itself, ${isBefore ? 'not later than' : 'but later than'} this service`, weight: isBefore ? weights.sickBefore : weights.sickLater };
    return isBefore ? [sick, ...explains(scene)] : [sick];
  }
  if (health.state === 'well') return [{ text: `the alarms of ${service} are OK`, weight: weights.well }];
  return [...(scene.question.storm.services.includes(service) ? [{ text: `${service} had a signal lately`, weight: weights.hadSignal }] : []), ...openWeights(neighbour)];
}

function sickness(scene: Scene, { neighbour, health, faults }: { readonly neighbour: NeighbourReading; readonly health: Health; readonly faults: readonly Fault[] }): Scored[] {
  const { question, suspect } = scene;
  const sharers = neighbour.sharedWith.filter((name) => question.storm.services.includes(name));
  const isFirst = health.state === 'sick' && (health.fault === null || faults.some((fault) => health.fault !== null && notLater(health.fault, fault)));
  if (!isFirst && sharers.length < 2) return [];
  const { service } = neighbour;
  const isBeforeRelease = isFirst && suspect !== null && health.fault !== null && !mayHaveCaused(suspect, health.fault);
  return [{
    kind: 'sickness', service, release: null,
    weights: [
      ...(isFirst ? [{ text: `${service} is sick itself, not later than this service, and no recent release of it explains that`, weight: weights.outage }] : []),
      ...explains(scene),
      ...(isBeforeRelease ? [{ text: `it was sick before release ${suspect.version} began`, weight: weights.sickLater }] : []),
      ...(sharers.length === 0 ? [] : [{ text: `${sharers.slice(0, 5).join(', ')} depend${sharers.length === 1 ? 's' : ''} on it too and had a signal lately`, weight: sharers.length === 1 || isFirst ? weights.oneSharer : weights.severalSharers }]),
      ...(health.state === 'well' ? [{ text: `its own alarms are OK`, weight: weights.wellThough }] : openWeights(neighbour)),
      ...(neighbour.distance === 1 ? [] : [{ text: stepsAway(neighbour.distance), weight: weights.perStep * (neighbour.distance - 1) }]),
      ...(neighbour.critical ? [] : [{ text: 'this service gets on without it', weight: weights.notCritical }]),
    ],
  }];
}
