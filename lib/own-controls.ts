// Finds controls that read the service's own metrics: whatever a release did to those would count as shared, and so as nobody's doing.
import { metricPlan, type MetricEntry, type ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';

type Plan = ReturnType<typeof metricPlan>;
type Query = Plan['requests'][number];

/** One problem for each control with a metric that `metrics` has too; one of another Region is another metric. */
export function ownControlProblems({ signals: { metrics = [], controls = [] } }: ServiceConfig): readonly Problem[] {
  const own = new Map(metrics.flatMap((entry) => queriesIn(entry).map((query) => [query, metricPlan(entry).name] as const)));
  return controls.flatMap((entry, index) => {
    const name = entry.region === undefined ? queriesIn(entry).flatMap((query) => own.get(query) ?? [])[0] : undefined;
    return name === undefined ? [] : [{
      path: ['signals', 'controls', index],
      message: `reads what "${name}" of the service's own \`metrics\` reads, so that harm by a release would always look shared and accuse nobody; leave it out, or name something that the release does not touch`,
    }];
  });
}

function queriesIn(entry: MetricEntry): string[] {
  const { requests, errors, latency } = metricPlan(entry);
  return [...requests, ...errors, ...(latency === null ? [] : [latency.query])].map((query) => told(query));
}

/** The same for the same metrics, whatever an expression calls them and whatever is made of their values. */
function told(query: Query): string {
  if (!('expression' in query)) return JSON.stringify([query.namespace, query.name, Object.entries(query.dimensions).toSorted(([one], [other]) => (one < other ? -1 : 1))]);
  return query.expression.replaceAll(/\s/g, '').replaceAll(/\b[a-z]\w*/g, (id) => {
    const metric = query.metrics[id];
    return metric === undefined ? id : told(metric);
  });
}
