// The user's service with the few values changed that a rehearsal cannot take as they are, each said with its line.
import { defaultPlace } from '../sandbox.ts';
import type { Place } from '../aws/world.ts';
import type { Config, OwnDocument, Service, Target } from './document.ts';
import type { Note } from './journeys.ts';
import type { Column, MetricEntry } from './service-metrics.ts';

export interface Scaled {
  readonly service: Service;
  readonly engine: NonNullable<Config['engine']>;
  readonly place: Place;
  /** Role whose session answers approvals; null when the configuration names none. */
  readonly approver: string | null;
  readonly replaced: readonly Note[];
}

const longestBake = 30;
const shortBake = 5;
/** The sandbox's alarms need two whole minutes to become OK again. */
const shortestDeadline = 6;
const mostServers = 10;

/** @param name one of the document's services. */
export function scaled({ config }: OwnDocument, name: string): Scaled {
  const service = config.services[name];
  if (service === undefined) throw new Error(`the configuration has no service "${name}"`);
  const place = placeOf(service);
  const notes: Note[] = [];
  const engine = engineIn(config, place, notes);
  return {
    place, engine,
    approver: engine.approvers?.[0] ?? null,
    service: {
      ...alone(service, name, notes),
      targets: Object.fromEntries(Object.entries(service.targets).map(([id, target]) => [id, smaller(target, ['services', name, 'targets', id], notes)])),
      signals: signalsOf(service, name, notes),
      policy: policyOf(service, name, notes),
      verification: verificationOf(service, name, notes),
    },
    replaced: notes,
  };
}

/** One service is rehearsed at a time, and its catalogue holds nobody else. */
function alone(service: Service, name: string, notes: Note[]): Service {
  const { dependencies, ...rest } = service;
  if (dependencies === undefined || dependencies.length === 0) return service;
  notes.push({ where: ['services', name, 'dependencies'], text: 'left out: one service is rehearsed at a time, without those it calls' });
  return rest;
}

const ofArn = /arn:aws[a-z-]*:(?:elasticloadbalancing|secretsmanager|ssm):([a-z0-9-]+):(\d{12}):/;

/** Account and Region of the first ARN that has both. */
function placeOf({ targets, journeys = {} }: Service): Place {
  const [, region = defaultPlace.region, account = defaultPlace.account] = ofArn.exec(JSON.stringify([targets, journeys])) ?? [];
  return { ...defaultPlace, region, account };
}

/** An approver of another account cannot have a session in the sandbox's one. */
function engineIn({ engine = {} }: Config, { account }: Place, notes: Note[]): Scaled['engine'] {
  const { approvers } = engine;
  if (approvers === undefined) return engine;
  return {
    ...engine,
    approvers: approvers.map((arn, index) => {
      const here = arn.replace(/^arn:aws[a-z-]*:iam::\d{12}:/, `arn:aws:iam::${account}:`);
      if (here !== arn) notes.push({ where: ['engine', 'approvers', index], text: `${arn} → ${here}: the sandbox is one account` });
      return here;
    }),
  };
}

function smaller(target: Target, where: Note['where'], notes: Note[]): Target {
  if (target.strategy !== 'alb-weights' || (target.minimumHealthyTargets ?? 1) <= mostServers) return target;
  notes.push({ where: [...where, 'minimumHealthyTargets'], text: `${target.minimumHealthyTargets ?? 1} → ${mostServers}: as many servers run on this computer` });
  return { ...target, minimumHealthyTargets: mostServers };
}

/** A laptop has some 35 requests a minute: enough for a median, and for a hundred in five minutes. */
const fewRequests = 100;
const slowMedian = 400;

function signalsOf({ signals }: Service, name: string, notes: Note[]): Service['signals'] {
  const where: Note['where'] = ['services', name, 'signals'];
  const { slo, metrics, controls } = signals;
  const plain = (list: 'metrics' | 'controls', entries: readonly MetricEntry[]): readonly MetricEntry[] => entries.map((entry, index) => withoutMath(entry, [...where, list, index], notes));
  const promised = slo === undefined ? undefined : { ...slo, minimumRequests: Math.min(slo.minimumRequests ?? fewRequests, fewRequests), ...(slo.latency === undefined ? {} : { latency: { p50Ms: slowMedian } }) };
  if (slo?.latency !== undefined) notes.push({ where: [...where, 'slo', 'latency'], text: `${JSON.stringify(slo.latency)} → { p50Ms: ${slowMedian} }: a computer of one's own has too few requests for a higher percentile` });
  if ((slo?.minimumRequests ?? 0) > fewRequests) notes.push({ where: [...where, 'slo', 'minimumRequests'], text: `${slo?.minimumRequests ?? 0} → ${fewRequests}: a computer of one's own has no more` });
  return {
    ...signals,
    ...(metrics === undefined ? {} : { metrics: plain('metrics', metrics) }), ...(controls === undefined ? {} : { controls: plain('controls', controls) }),
    ...(promised === undefined ? {} : { slo: promised }),
  };
}

/** Metric math is replaced by what it comes to: a metric of its own. */
function withoutMath(entry: MetricEntry, where: Note['where'], notes: Note[]): MetricEntry {
  if (entry.kind !== 'own' || !JSON.stringify(entry).includes('"expression"')) return entry;
  const { requests, errors, latency } = entry;
  const plain = (column: Column, name: string): Column => {
    if (!('expression' in column)) return column;
    notes.push({ where: [...where, name], text: `${column.expression} → one metric: what it is made of is not rehearsed` });
    return { namespace: 'Rehearsal', name: `${where.join('.')} ${name}`.slice(0, 255) };
  };
  const unit = latency?.unit === undefined ? {} : { unit: latency.unit };
  return { ...entry, requests: plain(requests, 'requests'), ...(errors === undefined ? {} : { errors: plain(errors, 'errors') }), ...(latency === undefined ? {} : { latency: { ...plain(latency, 'latency'), ...unit } }) };
}

function policyOf({ policy }: Service, name: string, notes: Note[]): Service['policy'] {
  const { bakeMinutes = 60 } = policy;
  if (bakeMinutes <= longestBake) return policy;
  notes.push({ where: ['services', name, 'policy', 'bakeMinutes'], text: `${bakeMinutes}${policy.bakeMinutes === undefined ? ' (the default)' : ''} → ${shortBake}: nobody wants to watch a whole bake` });
  return { ...policy, bakeMinutes: shortBake };
}

function verificationOf({ verification }: Service, name: string, notes: Note[]): Service['verification'] {
  if ('none' in verification) return verification;
  const { deadlineMinutes = 15, intervalSeconds = 20 } = verification;
  if (deadlineMinutes >= shortestDeadline) return verification;
  notes.push({ where: ['services', name, 'verification', 'deadlineMinutes'], text: `${deadlineMinutes} → ${shortestDeadline}: the sandbox's alarms look at whole minutes` });
  return { ...verification, deadlineMinutes: shortestDeadline, intervalSeconds };
}
