// What is wrong with a service's metrics and its objective beyond their shape; said at synth alone, so that no function carries it.
import { metricPlan, type MetricEntry, type Objective, type ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { regionProblems } from './control-regions.ts';
import { expressionProblem, neededIn, unfilledProblem } from './metric-expression.ts';
import { ownControlProblems } from './own-controls.ts';
import { minimumProblems } from './signal-count.ts';

/** An alarm rests on ten metrics at most, and one of errors takes those of requests too. */
const mostMetrics = 5;

/** One problem for each thing to mend, with its path below the service. */
export function signalProblems(service: ServiceConfig): readonly Problem[] {
  const { metrics = [], controls = [], slo } = service.signals;
  const lists = { metrics, controls };
  return [
    ...metrics.flatMap(({ calls }, index) => (calls === undefined ? [] : [{ path: ['signals', 'metrics', index, 'calls'], message: 'belongs to a control: it says that this service calls what the entry measures' }])),
    ...Object.entries(lists).flatMap(([list, entries]) => entries.flatMap((entry, index) => entryProblems(entry).map(({ path, message }) => ({ path: ['signals', list, index, ...path], message })))),
    ...regionProblems(service),
    ...ownControlProblems(service),
    ...minimumProblems(service),
    ...(slo === undefined ? [] : objectiveProblems(slo, metrics).map((message) => ({ path: ['signals', 'slo'], message }))),
  ];
}

function entryProblems(entry: MetricEntry): Problem[] {
  if (entry.kind !== 'own') return [];
  const { metrics, requests, errors, latency } = entry;
  const ids = Object.keys(metrics);
  const wrong = ids.find((id) => !/^[a-z]\w{0,29}$/.test(id));
  const columns = Object.entries({ requests, errors, latency });
  return [
    ...(wrong === undefined ? [] : [{ path: ['metrics', wrong], message: 'needs a name of letters, digits and _, beginning with a lower-case letter' }]),
    ...(ids.length > mostMetrics ? [{ path: ['metrics'], message: `has ${ids.length} metrics, more than ${mostMetrics}` }] : []),
    ...columns.flatMap(([column, one]) => {
      if (one === undefined || !('expression' in one)) return [];
      const isErrors = column === 'errors';
      const message = expressionProblem({ expression: one.expression, ids, mayFill: isErrors }) ?? (isErrors ? unfilledProblem({ expression: one.expression, ids }, neededFor(entry)) : null);
      return message === null ? [] : [{ path: [column, 'expression'], message }];
    }),
  ];
}

/** Names of the metrics without which there are no requests in a minute, and so nothing to be judged. */
function neededFor({ requests, metrics }: Extract<MetricEntry, { kind: 'own' }>): readonly string[] {
  if ('expression' in requests) return neededIn(requests.expression, Object.keys(metrics));
  const told = ({ namespace, name, dimensions }: Omit<typeof requests, 'statistic'>): string => JSON.stringify([namespace, name, Object.entries(dimensions).toSorted(([one], [other]) => (one < other ? -1 : 1))]);
  return Object.entries(metrics).flatMap(([id, one]) => (told(one) === told(requests) ? [id] : []));
}

/** What the alarms of an objective lack. */
function objectiveProblems({ availability, latency = {} }: Objective, metrics: readonly MetricEntry[]): string[] {
  const plans = metrics.map((entry) => metricPlan(entry));
  const wantsLatency = Object.keys(latency).length > 0;
  if (availability === undefined && !wantsLatency) return ['needs `availability` in percent, or `latency` such as { p99Ms: 800 }'];
  if (plans.length === 0) return ['needs `metrics` beside it: the alarms are made of them'];
  return [
    ...(availability !== undefined && plans.every(({ errors }) => errors.length === 0) ? ['has `availability`, and none of the `metrics` has `errors`'] : []),
    ...(wantsLatency && plans.every((plan) => plan.latency === null || 'expression' in plan.latency.query) ? ['has `latency`, and none of the `metrics` has a plain one: the percentile of an expression is its own'] : []),
  ];
}
