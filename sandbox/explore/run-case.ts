// Plays one case: the scenario with its fault, to the end, and what the invariants say of it.
import type { CallRecord } from '../aws/world.ts';
import type { Case, FaultName } from './cases.ts';
import { afterEffect, inject } from './inject.ts';
import { judge, runOf, type Verdict, type VerifyChain } from './invariants.ts';
import type { Struck } from './last-resort.ts';
import type { KnownInvocations } from './known-invocations.ts';
import { PlayBack, type Played as PlayedBack } from './play-back.ts';
import type { Recording } from './record.ts';
import { scenarioOf } from './scenarios.ts';
import { scriptOf, whole, type Script } from './script.ts';
import { restore, type ExploredWorld, type Grounds, type Prepared } from './world.ts';

export interface CaseResult {
  readonly id: string;
  readonly scenario: string;
  readonly fault: string;
  readonly ending: Verdict['ending'];
  /** False: the run never made that call, for example because another timing spared it one, or AWS refused what should have been disturbed after it. It was judged all the same. */
  readonly isReached: boolean;
  readonly broken: readonly string[];
  readonly outcomes: string;
  readonly wallMilliseconds: number;
  readonly playedBack: PlayedBack;
  /** Where the sandbox answered otherwise than in the recording, so that the case was played whole; null: nowhere. */
  readonly difference: string | null;
  /** How often it was played: again where an invariant broke and this machine was too slow for a fair trial. */
  readonly plays: number;
  /** What broke in the plays before the last one. */
  readonly brokenBefore: readonly string[];
  /** How it ended when it was played whole as well, to compare; null: it was not. */
  readonly endingWhole: Verdict['ending'] | null;
}

export interface Explored {
  readonly prepared: ReadonlyMap<string, Prepared>;
  readonly recordings: ReadonlyMap<string, Recording>;
  readonly grounds: Grounds;
  readonly verifyChain: VerifyChain;
  /** Every invocation is done by a process, those before the fault too. */
  readonly isWhole: boolean;
  /** Of the cases that this process played. */
  readonly known: KnownInvocations;
}

const senders = ['announce', 'report', 'approve', 'watchdog'];
const lostReplies: readonly FaultName[] = ['reset-after', 'error-after', 'late-reply'];

/** A sender that dies, or is stopped, between sending and its note sends again, and so does one that cannot know whether its call took effect. */
export function mayRepeatMessages({ actor, at, fault }: Struck): boolean {
  if (fault === 'aborted') return true;
  if (!senders.includes(actor)) return false;
  return fault === 'killed' || (lostReplies.includes(fault) && /\/(sns:Publish|events:PutEvents)[.#]/.test(at));
}

/** @param count how often the fault's rule struck. @param calls of the run. */
export const isReached = (fault: FaultName, count: number, calls: readonly Pick<CallRecord, 'faults' | 'output'>[]): boolean =>
  count > 0 && (!afterEffect.includes(fault) || calls.some(({ faults, output }) => faults.includes(fault) && output !== null));

const mostPlays = 3;

/** Whether a case has to be played again: what broke may be the machine's doing. */
export const isUnfair = ({ ending, isOverdue }: Pick<Played, 'ending' | 'isOverdue'>, plays: number): boolean => ending === 'broken' && isOverdue && plays < mostPlays;

type Watch = (world: ExploredWorld) => void;

/** @param watch is told of each world in which it is played. @throws Error for a case of an unknown scenario. */
export async function runCase(one: Case, explored: Explored, watch: Watch = () => undefined): Promise<CaseResult> {
  const recording = explored.recordings.get(one.scenario);
  if (recording === undefined) throw new Error(`scenario ${one.scenario} was not prepared`);
  let script = explored.isWhole ? whole : scriptOf(recording, one);
  let difference: string | null = null;
  const brokenBefore: string[] = [];
  for (let plays = 1; ; ) {
    const { isOverdue, ...played } = await play(one, explored, { recording, script, watch });
    if (played.difference !== null) {
      difference = played.difference;
      script = whole;
      continue;
    }
    if (!isUnfair({ ...played, isOverdue }, plays)) {
      const endingWhole = script.before.length + script.struck.length > 0 && isCompared(one) ? (await play(one, explored, { recording, script: whole, watch })).ending : null;
      return { ...played, difference, plays, brokenBefore, endingWhole };
    }
    brokenBefore.push(...played.broken);
    plays += 1;
  }
}

/** One case in a hundred is played both ways. */
const isCompared = ({ id }: Case): boolean => Buffer.from(id).reduce((sum, byte) => sum + byte, 0) % 100 === 0;

type Played = Omit<CaseResult, 'plays' | 'brokenBefore' | 'endingWhole'> & { readonly isOverdue: boolean };

interface Playing {
  readonly recording: Recording;
  readonly script: Script;
  readonly watch: Watch;
}

async function play(one: Case, { prepared, grounds, verifyChain, known }: Explored, { recording, script, watch }: Playing): Promise<Played> {
  const startedAt = performance.now();
  const scenario = scenarioOf(one.scenario);
  const ready = prepared.get(one.scenario);
  if (ready === undefined) throw new Error(`scenario ${one.scenario} was not prepared`);
  const world = await restore(scenario, ready, grounds);
  const playBack = new PlayBack(world, script);
  const result = { id: one.id, scenario: one.scenario, fault: one.fault };
  const cost = () => ({ isOverdue: world.isOverdue(one.actor), wallMilliseconds: performance.now() - startedAt, playedBack: playBack.played, difference: playBack.difference });
  try {
    watch(world);
    const call = recording.calls.find(({ name }) => name === one.at) ?? null;
    const injected = inject(one, { world, grounds, call });
    if (script !== whole) playBack.knowing(known, injected);
    await scenario.play(world);
    await world.settled();
    const run = await runOf(world, { hasMeddled: injected.hasMeddled(), mayRepeatMessages: mayRepeatMessages(one), struck: one });
    const verdict = judge(run, verifyChain);
    return { ...result, ...verdict, ...cost(), isReached: one.fault === 'person' ? injected.hasMeddled() : isReached(one.fault, injected.count(), world.sandbox.calls.list()) };
  } catch (error) {
    return { ...result, ...cost(), ending: 'broken', isReached: true, broken: [`the run itself: ${error instanceof Error ? error.message : String(error)}`], outcomes: '' };
  } finally {
    await world.stop();
  }
}
