// Refuses a service whose rollback could outgrow the history of one execution: Step Functions ends it at 25,000 events, in the middle of a rung.

interface Planned {
  readonly targets: Readonly<Record<string, { readonly strategy: string }>>;
  readonly rungs?: readonly (readonly (readonly string[])[])[] | undefined;
  readonly signals: { readonly holdSeconds: number };
  readonly verification: { readonly none: string } | { readonly intervalSeconds: number; readonly deadlineMinutes: number };
}

interface HistoryProblem {
  readonly path: string[];
  readonly message: string;
}

/** Rounds of proof that one way back may have. */
export const maximumRounds = 300;
/** Of the 25,000 events; the rest is for Assess, Approve, Report, what is tried again, and half an hour of looks while another service is rolled back (60 of 16). */
const mostEvents = 22_000;
// Events as runs in the sandbox wrote them; n is the number of a rung's targets.
const perLook = 16;
const perRound = (n: number): number => 15 + 9 * n;
const perChange = 370;
/** Between two looks of a hold at the least, in seconds. */
const lookSeconds = 15;
/** The longest interval that the schema allows, in seconds. */
const longestInterval = 600;

/** @returns what is too much, with its mend; null when every rung with its whole proof fits. */
export function historyProblem({ targets, rungs, signals, verification }: Planned): HistoryProblem | null {
  const sizes = rungs?.map((waves) => waves.flat().length) ?? sizesByStrategy(targets);
  const fixed = Math.ceil(signals.holdSeconds / lookSeconds) * perLook + sum(sizes) * perChange;
  const [seconds, interval] = 'none' in verification ? [0, 1] : [verification.deadlineMinutes * 60, verification.intervalSeconds];
  const rounds = Math.ceil(seconds / interval);
  const eachRound = sum(sizes.map(perRound));
  const events = fixed + rounds * eachRound;
  // Too many rounds for a single way back is a mistake of its own, told where the proof is described.
  if (events <= mostEvents || rounds > maximumRounds) return null;
  const longEnough = Math.ceil(seconds / Math.max(0, Math.floor((mostEvents - fixed) / eachRound)));
  const tooMany = `can write ${events} events into the history of one rollback, more than the ${mostEvents} that it can hold`;
  return seconds > 0 && longEnough <= longestInterval
    ? { path: ['verification', 'intervalSeconds'], message: `${tooMany}; use an interval of at least ${longEnough} seconds, or a shorter deadline` }
    : { path: [rungs === undefined ? 'targets' : 'rungs'], message: `${tooMany}; split the service into several with fewer targets each` };
}

function sizesByStrategy(targets: Planned['targets']): number[] {
  const strategies = Object.values(targets).map(({ strategy }) => strategy);
  return [...new Set(strategies)].map((one) => strategies.filter((strategy) => strategy === one).length);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
