// Decides an alarm's state from its datapoints: M of N, the four treatments of missing data, and the words CloudWatch gives as reason.
export type StateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';
export type Comparison = 'GreaterThanOrEqualToThreshold' | 'GreaterThanThreshold' | 'LessThanThreshold' | 'LessThanOrEqualToThreshold';

export interface Datapoint {
  /** Start of the period, epoch milliseconds. */
  readonly at: number;
  /** null: missing. */
  readonly value: number | null;
}

export interface AlarmConditions {
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly missingData: MissingData;
}

export interface Evaluation {
  readonly state: StateValue;
  readonly reason: string;
  /** The real datapoints that decided, oldest first. */
  readonly evaluated: readonly { readonly at: number; readonly value: number }[];
}

// The guide's examples fetch 5 points for 3 periods; the exact number for other lengths is not published.
const extraPoints = 2;

/** How many periods are fetched for N evaluation periods. */
export const evaluationRange = (evaluationPeriods: number): number => evaluationPeriods + extraPoints;

const compare: Readonly<Record<Comparison, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

const comparisonWords: Readonly<Record<Comparison, string>> = {
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  GreaterThanThreshold: 'greater than',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
};

export const isComparison = (text: string): text is Comparison => Object.hasOwn(compare, text);

/**
 * `range` holds the last `evaluationRange(N)` closed periods, oldest first. Null: the state is kept as it is.
 * Follows the tables of the CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
 */
export function evaluate(range: readonly Datapoint[], conditions: AlarmConditions, current: StateValue): Evaluation | null {
  const { evaluationPeriods, datapointsToAlarm, missingData } = conditions;
  const breaches = (value: number): boolean => compare[conditions.comparison](value, conditions.threshold);
  const real = range.flatMap(({ at, value }, index) => (value === null ? [] : [{ at, value, age: range.length - index }])).slice(-evaluationPeriods);
  const filled = evaluationPeriods - real.length;
  const breaching = real.filter(({ value }) => breaches(value)).length;
  // Its words are made when they are asked for: most evaluations change nothing.
  const say = (state: StateValue): Evaluation => ({ state, get reason() { return reasonFor(state, { conditions, real, filled, breaching, current }); }, evaluated: real });
  if (filled === 0 || missingData === 'notBreaching') return say(breaching >= datapointsToAlarm ? 'ALARM' : 'OK');
  if (missingData === 'breaching') return say(breaching + filled >= datapointsToAlarm ? 'ALARM' : 'OK');
  if (real.length === 0) return missingData === 'ignore' ? null : say('INSUFFICIENT_DATA');
  if (breaching >= datapointsToAlarm) return say('ALARM');
  if (breaching < real.length) return say('OK');
  // Only breaching points, fewer than M: "premature" unless the oldest is at least M periods old.
  const oldEnough = (real[0]?.age ?? 0) >= datapointsToAlarm;
  return missingData === 'missing' && oldEnough ? say('ALARM') : null;
}

interface ReasonParts {
  readonly conditions: AlarmConditions;
  readonly real: readonly { readonly at: number; readonly value: number }[];
  readonly filled: number;
  readonly breaching: number;
  readonly current: StateValue;
}

function reasonFor(state: StateValue, { conditions, real, filled, breaching, current }: ReasonParts): string {
  const { evaluationPeriods, datapointsToAlarm, missingData } = conditions;
  if (state === 'INSUFFICIENT_DATA') return `Insufficient Data: ${plural(evaluationPeriods, 'datapoint was', 'datapoints were')} unknown.`;
  const treated = `${plural(filled, 'missing datapoint was', 'missing datapoints were')} treated as [${missingData === 'breaching' ? 'Breaching' : 'NonBreaching'}]`;
  if (real.length === 0) return `Threshold Crossed: no datapoints were received for ${plural(evaluationPeriods, 'period', 'periods')} and ${treated}.`;
  const matching = real.filter(({ value }) => compare[conditions.comparison](value, conditions.threshold) === (state === 'ALARM'));
  const counted = state === 'ALARM' ? breaching : real.length - breaching;
  const shown = matching.toReversed().map(({ at, value }) => `${decimal(value)} (${shortTime(at)})`).join(', ');
  const not = state === 'ALARM' ? '' : 'not ';
  const needed = state === 'ALARM' ? datapointsToAlarm : evaluationPeriods - datapointsToAlarm + 1;
  const from = current === state ? (state === 'ALARM' ? 'OK' : 'ALARM') : current;
  const withFilled = filled > 0 && (missingData === 'breaching' || missingData === 'notBreaching') ? ` and ${treated}` : '';
  return `Threshold Crossed: ${counted} out of the last ${plural(evaluationPeriods, 'datapoint', 'datapoints')} [${shown}] ${counted === 1 ? 'was' : 'were'} ${not}${comparisonWords[conditions.comparison]} the threshold (${decimal(conditions.threshold)})${withFilled} (minimum ${plural(needed, 'datapoint', 'datapoints')} for ${from} -> ${state} transition).`;
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const decimal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

// 27/08/20 18:05:00, as CloudWatch writes it.
function shortTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}
