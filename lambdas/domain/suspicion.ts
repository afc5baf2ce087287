// From the ranking to what still forbids to act: somebody else likelier did it, nobody is likely enough, or others have to go back first.
import type { Case } from './grounds.ts';
import { at } from './instants.ts';
import { type NeighbourReading, healthOf, runningRollback, undoneAt, wentTogether } from './neighbours.ts';
import type { Question } from './question.ts';
import { because } from './reasons.ts';
import { strangersOf, unrelatedLimit } from './strangers.ts';
import { minutesOf } from './suspect-weights.ts';
import { settleMinutes } from './suspects.ts';
import { suspectLine } from './suspects-words.ts';
import type { Reason } from './vocabulary.ts';
import type { Suspect } from './workflow.ts';

/** Likelier than everything else together: a wrong rollback costs users as much as a late one, and a person is told either way. */
const defaultShare = 0.5;
/** The suspect has to be so many times likelier than anybody else: at less the two are a guess between them. */
const margin = 2;
/** Alarms look once a minute, each at a second of its own, and an event takes some seconds: what makes many services sick at once is seen at all of them by then. */
const spreadSeconds = 90;
/** Longest wait for a rollback of another service, in seconds: two of them with the usual proof of 15 minutes each. */
export const longestWaitSeconds = 30 * 60;

export interface Doubt {
  readonly reason: Reason;
  /** How long after its beginning a run is held for this, in seconds. */
  readonly seconds: number;
}

/** Nobody has to be found where a person knows what they want, CodeDeploy itself says that the deployment failed, or the version was bad before. */
export const isAskedFor = ({ question: { trigger, approval }, signals }: Pick<Case, 'question' | 'signals'>): boolean =>
  trigger.kind === 'person' || approval?.answer === 'approved' || signals.some(({ kind, status }) => (kind === 'deployment' || kind === 'quarantine') && status === 'firing');

/** Why the suspect is not taken back now; empty when nothing about who did it forbids that. */
export const suspicionDoubts = (about: Case): Doubt[] => (isAskedFor(about) ? [] : [...dependentsFirst(about), ...rivalDoubts(about), ...othersSick(about)]);

/** What likelier did it than anything of this service, where nothing of this service could have; empty when nothing is known that could. */
export function elsewhereDoubts(about: Case): Doubt[] {
  const [rival] = rivalsOf(about);
  if (isAskedFor(about) || rival === undefined || rival.share < shareNeeded(about.question)) return [];
  return [doubtAbout(about, rival)];
}

const shareNeeded = ({ policy }: Question): number => policy.suspicion ?? defaultShare;

const neighbourOf = ({ neighbours = [] }: Question, service: string): NeighbourReading | undefined => neighbours.find((one) => one.service === service);

/** Of other services. Those that went out together with the suspect are no rivals: they go back as well, after it, unless they are on their way already. */
function rivalsOf({ question, suspect, suspects }: Case): Suspect[] {
  return suspects.filter((one) => one.kind !== 'other' && one.service !== question.service && !goesBackAfter(question, suspect, one));
}

function goesBackAfter(question: Question, suspect: Case['suspect'], { service, release }: Suspect): boolean {
  const neighbour = neighbourOf(question, service);
  if (suspect === null || release === null || neighbour === undefined || !wentTogether(suspect, release)) return false;
  return runningRollback(neighbour) === null && undoneAt(neighbour, release.id) === null;
}

function rivalDoubts(about: Case): Doubt[] {
  const { question, suspect, suspects } = about;
  if (suspect === null) return [];
  const rivals = rivalsOf(about);
  const own = suspects.filter((one) => one.release?.id === suspect.id && one.service === question.service).reduce((sum, { share }) => sum + share, 0);
  const together = suspects.filter((one) => one.kind === 'release' && one.service !== question.service && !rivals.includes(one)).reduce((sum, { share }) => sum + share, 0);
  const mine = own + together;
  const [rival] = rivals;
  if (rival !== undefined && rival.share * margin > mine) return [doubtAbout(about, rival)];
  if (mine >= shareNeeded(question)) return [];
  const text = `Release ${suspect.version} is suspected with ${percent(mine)} only, and ${percent(shareNeeded(question))} are needed: ${suspectLine(suspects.find((one) => one.release?.id === suspect.id))}.`;
  return [{ reason: because('suspect-uncertain', text), seconds: question.holdSeconds }];
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** A release of another service is never taken back here; its own run does that, and what it does may cure this service too. */
function doubtAbout({ question, suspect }: Case, rival: Suspect): Doubt {
  const { service, holdSeconds } = question;
  const neighbour = neighbourOf(question, rival.service);
  const work = neighbour === undefined ? null : workOn(neighbour, rival.release?.id ?? null, question);
  // Nothing of this service can have done it, and nobody will do anything about what did: waiting helps nobody.
  const isHopeless = suspect === null && work === null && (neighbour === undefined || healthOf(neighbour).state !== 'sick');
  const code = rival.kind === 'release' ? 'dependency-suspected' : 'shared-dependency';
  const text = `${suspectLine(rival)}. Ripcord rolls back ${service} for nothing that ${rival.service} did.${work === null ? '' : ` ${work.text}`}`;
  // Its run may be waiting for this one: only what it really takes back is worth a long wait.
  const seconds = isHopeless ? 0 : work?.isRollback === true ? Math.max(longestWaitSeconds, holdSeconds) : holdSeconds;
  return { reason: because(code, text), seconds };
}

interface Work {
  readonly text: string;
  /** False: a run has the lock and decides still. */
  readonly isRollback: boolean;
}

/** What is being done, or was just done, about another service; null where that is nothing. */
function workOn(neighbour: NeighbourReading, releaseId: string | null, { now }: Question): Work | null {
  const running = runningRollback(neighbour);
  if (running !== null) return { text: `Rollback ${running.rollbackId} is taking ${running.release?.version ?? neighbour.service} back now.`, isRollback: true };
  if (neighbour.lockedBy !== null) return { text: `Run ${neighbour.lockedBy} is at work on ${neighbour.service}.`, isRollback: false };
  const undone = releaseId === null ? null : undoneAt(neighbour, releaseId);
  if (undone === null || at(now) - at(undone) > settleMinutes * 60_000) return null;
  return { text: `It was taken back ${minutesOf(at(now) - at(undone))} ago, which takes a while to show.`, isRollback: true };
}

/**
 * Services that went out together go back in reverse order of dependency: first the callers, whose new version may need this one's new
 * version. While a caller that is sick too is taken back, this run waits; what is left after that is its own.
 */
function dependentsFirst({ question, suspect }: Case): Doubt[] {
  if (suspect === null) return [];
  return (question.neighbours ?? []).filter(({ relation }) => relation === 'dependent').flatMap((dependent): Doubt[] => {
    const release = dependent.releases.toSorted((a, b) => at(b.startedAt) - at(a.startedAt))[0];
    if (release === undefined || !wentTogether(release, suspect)) return [];
    const work = workOn(dependent, release.id, question);
    const isSick = healthOf(dependent).state === 'sick' || question.storm.services.includes(dependent.service);
    // Undone long enough ago: its turn is over. Not at work, and not after the hold: it will not be taken back.
    if (work === null && (!isSick || undoneAt(dependent, release.id) !== null || holdIsOver(question))) return [];
    const text = `${dependent.service} ${release.version} went out together with ${suspect.version} and depends on ${question.service}, so it goes back first.${work === null ? '' : ` ${work.text}`}`;
    return [{ reason: because('dependents-first', text), seconds: work === null ? question.holdSeconds : Math.max(longestWaitSeconds, question.holdSeconds) }];
  });
}

/**
 * Services that have nothing to do with this one have a signal too, together more than half of what engages the brake: a shared cause may be about to
 * show. Before that nobody waits for strangers.
 */
function othersSick({ question }: Case): Doubt[] {
  const { service } = question;
  const [strangers, limit] = [strangersOf(question), unrelatedLimit(question)];
  if (strangers.length === 0 || (strangers.length + 1) * 2 <= limit || isOver(question, spreadSeconds)) return [];
  const text = `${strangers.join(', ')} had a signal too and ${strangers.length === 1 ? 'has' : 'have'} nothing to do with ${service}: if more than ${limit} services do, it is no release, and nothing is rolled back.`;
  return [{ reason: because('others-sick', text), seconds: spreadSeconds }];
}

const isOver = ({ startedAt, now }: Question, seconds: number): boolean => at(now) >= at(startedAt) + seconds * 1000;
const holdIsOver = (question: Question): boolean => isOver(question, question.holdSeconds);
