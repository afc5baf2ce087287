// Plays one case: the scenario with its fault, to the end, and what the invariants say of it.
import type { Case } from './cases.ts';
import { inject } from './inject.ts';
import { judge, runOf, type Verdict, type VerifyChain } from './invariants.ts';
import type { Recording } from './record.ts';
import { scenarioOf } from './scenarios.ts';
import { restore, type ExploredWorld, type Grounds, type Prepared } from './world.ts';

export interface CaseResult {
  readonly id: string;
  readonly scenario: string;
  readonly fault: string;
  /** `not-reached`: the run never made that call, for example because another timing spared it one. It was judged all the same. */
  readonly ending: Verdict['ending'];
  readonly isReached: boolean;
  readonly broken: readonly string[];
  readonly outcomes: string;
  readonly wallMilliseconds: number;
}

export interface Explored {
  readonly prepared: ReadonlyMap<string, Prepared>;
  readonly recordings: ReadonlyMap<string, Recording>;
  readonly grounds: Grounds;
  readonly verifyChain: VerifyChain;
}

/** The parts of a rollback that send messages: one of them that dies or is stopped between sending and its note sends again. */
const senders = ['announce', 'report', 'approve', 'watchdog'];

/** @throws Error for a case of an unknown scenario. */
export async function runCase(one: Case, { prepared, recordings, grounds, verifyChain }: Explored, watch?: (world: ExploredWorld) => void): Promise<CaseResult> {
  const startedAt = performance.now();
  const scenario = scenarioOf(one.scenario);
  const ready = prepared.get(one.scenario);
  const recording = recordings.get(one.scenario);
  if (ready === undefined || recording === undefined) throw new Error(`scenario ${one.scenario} was not prepared`);
  const world = await restore(scenario, ready, grounds);
  const result = { id: one.id, scenario: one.scenario, fault: one.fault };
  try {
    watch?.(world);
    const call = recording.calls.find(({ name }) => name === one.at) ?? null;
    const injected = inject(one, { world, grounds, call });
    await scenario.play(world);
    await world.settled();
    const run = await runOf(world, { hasMeddled: injected.hasMeddled(), mayRepeatMessages: senders.includes(one.actor) || one.fault === 'aborted' });
    const verdict = judge(run, verifyChain);
    return { ...result, ...verdict, isReached: injected.count() > 0, wallMilliseconds: performance.now() - startedAt };
  } catch (error) {
    return { ...result, ending: 'broken', isReached: true, broken: [`the run itself: ${error instanceof Error ? error.message : String(error)}`], outcomes: '', wallMilliseconds: performance.now() - startedAt };
  } finally {
    await world.stop();
  }
}
