// Plans the way back of one parameter's value: pure, from the value that is live and the one that is good.
import type { Reason } from '../../domain/vocabulary.ts';
import type { PlanAnswer, PlanQuestion, StateReading } from '../strategy.ts';
import type { SsmParameterTarget } from './manifest.ts';
import { shown } from './value.ts';

export type SsmParameterState = {
  /** As the API gives it: PutParameter takes no ARN. */
  readonly name: string;
  /** At most 4 kB, 8 kB in the advanced tier: SSM's own bound. */
  readonly value: string;
  /** In a plan the version that the write should make. */
  readonly version: number;
};

type Question = PlanQuestion<SsmParameterTarget, SsmParameterState>;

const valueIn = (state: object | null): string | null => {
  const { value } = (state ?? {}) as { readonly value?: unknown };
  return typeof value === 'string' ? value : null;
};

export const parameterStates: StateReading = {
  same: (one, other) => valueIn(one) !== null && valueIn(one) === valueIn(other),
  // Every application reads the same value.
  isSplit: () => false,
};

export function plan(question: Question): PlanAnswer<SsmParameterState> {
  const { state: live } = question.live;
  const impossible = (reason: Reason): PlanAnswer<SsmParameterState> => ({ outcome: 'impossible', from: live, reason });
  const good = goodValue(question);
  if (typeof good !== 'string') return impossible(good);
  if (live.value === good) return { outcome: 'already', from: live, to: live, summary: `${live.name} is ${shown(good)} already` };
  const objection = objectionTo(question);
  if (objection !== null) return impossible(objection);
  return { outcome: 'change', from: live, to: { ...live, value: good, version: live.version + 1 }, summary: `${live.name} ${shown(live.value)} → ${shown(good)}` };
}

function goodValue({ target, good }: Question): string | Reason {
  if (typeof target.good === 'object') return target.good.value;
  if (good === null) return { code: 'no-known-good', text: 'No version is known to be good, so there is no value to go back to.' };
  return valueIn(good.state) ?? { code: 'no-known-good', text: `The value of this parameter with known-good version ${good.version} was not recorded.` };
}

/** Why the live value may not be overwritten; null when it may. A value that nobody saw being left is the release's as long as nothing says otherwise. */
function objectionTo({ live: { state: live }, release, expectedFrom }: Question): Reason | null {
  const changed = (text: string): Reason => ({ code: 'changed-by-someone-else', text });
  if (expectedFrom !== null && expectedFrom.value !== live.value)
    return changed(`The plan was made for ${shown(expectedFrom.value)}, but ${live.name} is ${shown(live.value)} now.`);
  const left = release?.isFinished === true ? valueIn(release.left) : null;
  return left === null || left === live.value ? null : changed(`Release ${release?.id} left ${shown(left)}, but ${live.name} is ${shown(live.value)} now.`);
}
