// Real trouble that people labelled, not injected: is it seen when a release falls on its beginning, and are quiet releases of the same series left alone?
import type { Case } from './cases.ts';
import { earliest, horizon, isMasked, releasesOf } from './cases.ts';
import { hashOf, pick, seeded } from './random.ts';
import { lengthOf, medianOf, splitOf, type Service, type Split, type Subject } from './subject.ts';

/** Shorter ones are over before a judge that wants four bad points can speak. */
const shortestIncident = 4;
/** Labelled points with at most so many others between them are one incident. */
const closeBy = 3;

const merged = (ranges: Subject['anomalies']): [number, number][] => {
  const all: [number, number][] = [];
  for (const [from, until] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && from - last[1] <= closeBy + 1) last[1] = Math.max(last[1], until);
    else all.push([from, until]);
  }
  return all;
};

const levelOf = ({ errors, latency }: Service): Float64Array | null => latency ?? errors;

/** Labels say "unusual", not "worse": what fell is left out, and so are traffic alone and beginnings in the wake of another incident. */
const isHarm = (subject: Subject, [from, until]: readonly [number, number], previous: number): boolean => {
  const level = levelOf(subject.service);
  if (level === null || until - from + 1 < shortestIncident || from - previous <= 60 || from < earliest(subject) || from + horizon > lengthOf(subject.service)) return false;
  return medianOf(level.subarray(from, until + 1)) > medianOf(level.subarray(from - 45, from));
};

const cutAt = ({ requests, errors, latency }: Service, until: number): Service =>
  ({ requests: requests?.slice(0, until) ?? null, errors: errors?.slice(0, until) ?? null, latency: latency?.slice(0, until) ?? null });

const caseOf = (subject: Subject, release: number, isBad: boolean): Case => ({
  scenario: isBad ? 'labelled incident' : 'no incident', isBad, subject, service: cutAt(subject.service, release + horizon), controls: [], release, onset: release,
});

const labelledCases = (subject: Subject): Case[] => {
  // Request counts with made errors have no signal of their own that a label could speak of.
  if (subject.group.endsWith(':requests')) return [];
  const ranges = merged(subject.anomalies);
  const random = seeded(hashOf(`incidents:${subject.name}`));
  const quiet = releasesOf(subject).filter((release) => !isMasked(subject, release));
  return ranges.flatMap((range, index) => {
    if (!isHarm(subject, range, ranges[index - 1]?.[1] ?? -Infinity)) return [];
    return [caseOf(subject, range[0], true), ...(quiet.length > 0 ? [caseOf(subject, pick(random, quiet), false)] : [])];
  });
};

const spliced = (before: Float64Array | null, after: Float64Array | null, length: number): Float64Array | null =>
  before === null ? null : Float64Array.from({ length: before.length + length }, (_, index) => (index < before.length ? before[index] ?? Number.NaN : after?.[index - before.length] ?? Number.NaN));

/** A recorded incident behind the normal run of the same node; and, as its quiet twin, the same number of points of the normal run itself. */
const recordedCases = (subject: Subject): Case[] => (subject.incidents ?? []).flatMap((incident, index) => {
  const length = lengthOf(incident);
  const { requests, errors, latency } = subject.service;
  const release = lengthOf(subject.service);
  const harmed = { requests: spliced(requests, incident.requests, length), errors: spliced(errors, incident.errors, length), latency: spliced(latency, incident.latency, length) };
  const quiet = pick(seeded(hashOf(`quiet:${subject.name}:${index}`)), releasesOf(subject));
  return [
    { scenario: 'recorded incident', isBad: true, subject, service: harmed, controls: [], release, onset: release },
    { scenario: 'no incident', isBad: false, subject, service: cutAt(subject.service, quiet + length), controls: [], release: quiet, onset: quiet },
  ];
});

/** Every usable incident of one split, each with a quiet release of the same series. */
export const incidentCases = (subjects: readonly Subject[], split: Split): Case[] =>
  subjects.filter((subject) => splitOf(subject.name) === split).flatMap((subject) => [...labelledCases(subject), ...recordedCases(subject)]);
