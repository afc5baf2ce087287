// Reads the labelled public series of a folder (gzipped JSON) and turns each into a subject, by the shape of the file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { binomial, hashOf, normal, seeded } from './random.ts';
import { medianOf, quantileOf, type Service, type Subject } from './subject.ts';

type Values = readonly (number | null)[];

interface PlainSeries {
  readonly id: string;
  readonly values: Values;
  /** Seconds between points; a list where they differ. */
  readonly dt?: number | readonly number[];
  readonly step?: number;
  readonly times0?: number;
  /** Labelled intervals in epoch seconds. */
  readonly windows?: readonly (readonly [number, number])[];
  /** Labelled points: indices, when the file has no windows. */
  readonly labels?: readonly number[];
}

interface Recording {
  readonly traffic: string;
  /** Recorded trouble: the node and metric that suffered, and a few points of all nodes. */
  readonly issues?: readonly {
    readonly nodes: Readonly<Record<string, Readonly<Record<string, Values>>>>;
    readonly target: { readonly target: { readonly node: string } };
  }[];
  readonly normal: { readonly step: number; readonly nodes: Readonly<Record<string, Readonly<Record<string, Values>>>> } | null;
}

interface DataFile {
  readonly series?: readonly PlainSeries[];
  readonly runs?: readonly Recording[];
}

const toPoints = (values: Values): Float64Array => Float64Array.from(values, (value) => value ?? Number.NaN);

/** What a single series measures, read off its name. Anything else (temperatures, road speeds, disk bytes) is left out. */
const roleOf = (id: string): 'requests' | 'errors' | 'latency' | null => {
  if (/request_count|network_?in|taxi|ingress|rps|purchase/i.test(id)) return 'requests';
  if (/crash-rate|error/i.test(id)) return 'errors';
  if (/latency|cpu_utilization|traveltime|asg_anomaly/i.test(id)) return 'latency';
  return null;
};

/** Bytes and records are far more than requests: brought to a busy service's thousands, so that counting noise stays realistic. */
const asRequests = (values: Float64Array): Float64Array => {
  const median = medianOf(values);
  const scale = median > 20_000 ? 3000 / median : 1;
  return values.map((value) => Math.round(value * scale));
};

/** Real request counts with made errors: a base share fixed by the name, wandering a little as real ones do. */
const madeErrors = (name: string, requests: Float64Array): Float64Array => {
  const random = seeded(hashOf(`errors:${name}`));
  const base = [0.0002, 0.001, 0.002, 0.005][hashOf(`base:${name}`) % 4] ?? 0.001;
  let drift = 0;
  return requests.map((count) => {
    drift = 0.95 * drift + 0.05 * normal(random);
    return Number.isFinite(count) ? binomial(random, count, Math.min(0.2, base * Math.exp(drift))) : Number.NaN;
  });
};

/** Real error counts or rates with made requests: brought to a median share of 0.3 %, the burstiness stays theirs. */
const errorsWithRequests = (name: string, values: Float64Array): Service => {
  const random = seeded(hashOf(`requests:${name}`));
  const isCount = quantileOf(values, 0.5) >= 1;
  const median = Math.max(medianOf(values), quantileOf(values, 0.75) / 4);
  const typical = isCount ? median / 0.003 : 5000;
  const requests = values.map(() => Math.round(typical * Math.exp(0.15 * normal(random))));
  const errors = values.map((value, index) => {
    const count = requests[index] ?? 0;
    return Math.min(count, isCount ? value : Math.round((value / median) * 0.003 * count));
  });
  return { requests, errors, latency: null };
};

/** Levels without a unit of time are read as milliseconds with a median of 120: above any floor of notice. */
const asLatency = (values: Float64Array): Float64Array => {
  const scale = 120 / medianOf(values);
  return values.map((value) => value * scale);
};

const serviceOf = (id: string, values: Float64Array): Service | null => {
  const role = roleOf(id);
  // A series that is mostly zero tells nothing about a service that works.
  if (role === null || !(quantileOf(values, 0.25) > 0)) return null;
  if (role === 'latency') return { requests: null, errors: null, latency: asLatency(values) };
  if (role === 'errors') return errorsWithRequests(id, values);
  const requests = asRequests(values);
  return { requests, errors: madeErrors(id, requests), latency: null };
};

const timesOf = (series: PlainSeries): number[] => {
  const times = [series.times0 ?? 0];
  for (let index = 1; index < series.values.length; index += 1) {
    const step = typeof series.dt === 'object' ? series.dt[index - 1] : (series.dt ?? series.step);
    times.push((times[index - 1] ?? 0) + (step ?? 300));
  }
  return times;
};

const anomaliesOf = (series: PlainSeries): (readonly [number, number])[] => {
  if (series.windows === undefined) return (series.labels ?? []).map((label) => [label, label] as const);
  const times = timesOf(series);
  const last = times.length - 1;
  return series.windows.map(([from, until]) => {
    const begin = times.findIndex((time) => time >= from);
    const end = times.findIndex((time) => time > until);
    return [begin === -1 ? last : begin, end === -1 ? last : end - 1] as const;
  });
};

const plainSubject = (source: string, series: PlainSeries): Subject | null => {
  const service = serviceOf(series.id, toPoints(series.values));
  if (service === null) return null;
  const stepSeconds = series.step ?? (typeof series.dt === 'number' ? series.dt : medianOf(series.dt ?? [300]));
  return { name: series.id, source, stepSeconds, service, anomalies: anomaliesOf(series), group: `${source}:${stepSeconds}:${roleOf(series.id)}` };
};

const nodeService = (metrics: Readonly<Record<string, Values>>): Service => {
  const requests = toPoints(metrics['requests_Sum'] ?? []);
  const availability = toPoints(metrics['availability_Average'] ?? []);
  const errors = requests.map((count, index) => {
    const share = availability[index];
    return count > 0 && share !== undefined && Number.isFinite(share) ? Math.round(count * (1 - share / 100)) : Number.NaN;
  });
  // The average: the statistic on which the recorded incidents of this data were defined.
  const latency = toPoints(metrics['latency_Average'] ?? []).map((seconds) => seconds * 1000);
  return { requests, errors, latency: latency.some((value) => Number.isFinite(value)) ? latency : null };
};

/** The incidents in which this node suffered. */
const incidentsOf = (node: string, { issues = [] }: Recording): Service[] =>
  issues.filter((issue) => issue.target.target.node === node).flatMap(({ nodes }) => {
    const metrics = nodes[node];
    return metrics === undefined ? [] : [nodeService(metrics)];
  });

const recordedSubjects = (source: string, recording: Recording): Subject[] => {
  const { traffic, normal: run } = recording;
  if (run === null) return [];
  return Object.entries(run.nodes).flatMap(([node, metrics]) => {
    const service = nodeService(metrics);
    if (!(medianOf(service.requests ?? []) >= 5)) return [];
    return [{ name: node, source, stepSeconds: run.step, service, anomalies: [], incidents: incidentsOf(node, recording), group: `${source}:${traffic}` }];
  });
};

/** Every usable series of the folder's `*.json.gz`. Throws when the folder cannot be read. */
export const loadSubjects = (folder: string): Subject[] =>
  readdirSync(folder).filter((file) => file.endsWith('.json.gz')).toSorted().flatMap((file) => {
    const data = JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString('utf8')) as DataFile;
    const source = file.replace('.json.gz', '');
    return [
      ...(data.series ?? []).flatMap((series) => plainSubject(source, series) ?? []),
      ...(data.runs ?? []).flatMap((recording) => recordedSubjects(source, recording)),
    ];
  });
