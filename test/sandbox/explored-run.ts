// One run of the exploration that keeps every invariant, and the same run with something changed.
import type { CallRecord } from '../../sandbox/aws/world.ts';
import { parseCase, type FaultName } from '../../sandbox/explore/cases.ts';
import { judge, type Run } from '../../sandbox/explore/invariants.ts';
import { announces, callOf, forwarding } from './announced-calls.ts';

export const [onCall, stakeholders] = ['arn:aws:sns:eu-west-1:111122223333:on-call', 'arn:aws:sns:eu-west-1:111122223333:stakeholders'];
export const id = 'run-1';

export interface Mail {
  readonly topicArn: string;
  readonly subject: string;
  readonly message: string;
}

export interface Row {
  readonly kind: string;
  readonly at?: string;
  readonly data: unknown;
}

export interface Made {
  readonly outcome: string;
  readonly mails: readonly Mail[];
  readonly events: readonly { readonly source: string; readonly 'detail-type': string; readonly detail: Readonly<Record<string, unknown>> }[];
  readonly rows: readonly Row[];
  readonly writes: readonly CallRecord[];
  readonly ledger: Run['ledger'];
  /** Bodies in the dead-letter queue. */
  readonly undelivered: readonly string[];
  /** Of a target that is not as Ripcord's writes leave it: by the name by which a call is about it. */
  readonly live: Readonly<Record<string, string>>;
  /** The one that a person changed; null: none. */
  readonly meddled: string | null;
  readonly meddledLive: string;
  readonly mayRepeatMessages: boolean;
  /** Of a case; null: a run without a fault. */
  readonly struck: string | null;
  /** Records end without their seal. */
  readonly isOpen: boolean;
  /** What the function that proves read of alarms, secrets and metrics. */
  readonly proof: readonly CallRecord[];
  /** Of the scenario, beyond a plain one's. */
  readonly scenario: Readonly<Record<string, unknown>>;
  readonly announced: number;
  /** Runs beside the first. */
  readonly others: readonly { readonly rollbackId: string; readonly outcome: string; readonly status?: string; readonly rows: readonly Row[] }[];
}

export const mail = (topicArn: string, subject: string): Mail => ({ topicArn, subject, message: `${subject.includes('rolling back') ? '' : 'Incident report: shop\n'}Rollback id: ${id}` });
export const event = (type: 'Rollback Started' | 'Rollback Ended') => ({ source: 'ripcord', 'detail-type': type, detail: { rollbackId: id, headline: 'as before', outcome: 'paged' } });
export const started = [mail(onCall, 'ACTION shop: rolling back it'), mail(stakeholders, 'shop: rolling back it')];
export const paged = [mail(onCall, 'PAGE shop: not recovered'), mail(stakeholders, 'shop: not recovered')];
export const alarm: Mail = { topicArn: onCall, subject: 'ALARM: "ripcord-handler-lost-watchdog"', message: 'the Watchdog failed' };

export const reported = { kind: 'reported', data: { ending: { reasons: [{ code: 'not-proven', text: 'The journey still fails.' }] } } };
export const intended: Row = { kind: 'change-intended', data: { targetId: 'first', strategy: 'alb-weights', from: { actions: forwarding(0) }, to: { actions: forwarding(100) } } };
const read = callOf({ service: 'elasticloadbalancing', operation: 'DescribeListeners', output: { Listeners: [{ DefaultActions: forwarding(0) }] }, seconds: 1 });
const write = callOf({ service: 'elasticloadbalancing', operation: 'ModifyListener', input: { ListenerArn: 'listener', DefaultActions: forwarding(100) }, seconds: 3 });
export const joined = (other: string): Row => ({ kind: 'assessed', data: { decision: { verdict: 'joined', reasons: [{ code: 'joined', text: `Rollback ${other} has it.` }] } } });
export const sealed = (outcome: string): Row => ({ kind: 'sealed', data: { outcome } });

export const alarmsRead = (state: string): CallRecord => callOf({ service: 'cloudwatch', operation: 'DescribeAlarms', output: { MetricAlarms: [{ AlarmName: 'shop-errors', StateValue: state }] }, seconds: 1 });
export const secretRead = callOf({ service: 'secretsmanager', operation: 'GetSecretValue', seconds: 1 });
export const metricsRead = callOf({ service: 'cloudwatch', operation: 'GetMetricData', seconds: 1 });

/** A rollback that changed its target, did not help, and paged. */
export const good: Made = {
  outcome: 'failed', mails: [...started, ...paged], events: [event('Rollback Started'), event('Rollback Ended')],
  rows: [intended, reported], writes: [write], ledger: [], undelivered: [], live: {}, meddled: null, meddledLive: 'person', mayRepeatMessages: false, struck: 'two-rungs/assess/dynamodb:Query#1/error-once', others: [],
  isOpen: false, proof: [alarmsRead('OK'), secretRead], scenario: {}, announced: 1,
};

export function runOf(changes: Partial<Made> = {}): Run {
  const made = { ...good, ...changes };
  const targetOf = (prefix: string, touched: string, strategy: string) => ({ prefix, isTouchedBy: (input: string) => input.includes(touched), document: { strategy, listenerArn: touched }, live: () => (made.meddled === touched ? made.meddledLive : made.live[touched] ?? (JSON.stringify(made.writes).includes(touched) ? 'blue' : 'green')), untouched: () => 'green' });
  const closed = (rows: readonly Row[], outcome: string): readonly Row[] =>
    (made.isOpen || rows.length === 0 || rows.at(-1)?.kind === 'sealed' || JSON.stringify(rows).includes('"verdict":"joined"') ? rows : [...rows, sealed(outcome)]);
  const stored = (rows: readonly Row[]) => rows.map((row, seq) => ({ seq, at: '2026-01-01T00:00:03Z', hash: `hash of ${seq}`, ...row, data: JSON.stringify(row.data) }));
  const calls = { list: () => [read, ...made.proof, ...stored(made.rows).map(({ hash }) => announces(hash, 2)), ...made.writes], unsupported: [] };
  const targets = { first: targetOf('elasticloadbalancing', 'listener', 'alb-weights'), second: targetOf('route53', 'zone', 'route53-weights') };
  const world = {
    scenario: { name: 'shop', cure: 'first', ends: 'recovered', mayChange: true, ...made.scenario }, secret: 'a value that nobody says',
    targets, meddledTarget: made.meddled === null ? null : Object.values(targets).find((target) => target.isTouchedBy(made.meddled ?? '')),
    runs: () => [{ rollbackId: id, outcome: made.outcome }, ...made.others].map((one) => ({ status: 'SUCCEEDED', headline: 'as before', ...one })),
    messages: () => made.mails.map(({ topicArn, subject, message }) => ({ topic: topicArn === onCall ? 'on-call' : 'stakeholders', subject, text: message })),
    ripcord: { names: { onCallTopicArn: onCall, stakeholderTopicArn: stakeholders } },
    sandbox: {
      inbox: made.mails, calls, breaches: [], clock: { now: () => Date.parse('2026-01-01T01:00:00Z') },
      services: {
        queues: { names: ['undelivered'], peek: () => made.undelivered.map((body) => ({ messageId: 'm-1', body, attributes: {}, sentAt: 0, sender: 'events' })) }, events: { events: made.events }, functions: { list: () => [{ spec: { name: 'ripcord-announce' }, log: { lines: [] }, invocations: made.announced }] }, states: { executions: () => [] },
      },
    },
  };
  const records = [{ rollbackId: id, rows: made.rows, outcome: made.outcome }, ...made.others].map(({ rollbackId, rows, outcome }) => ({ rollbackId, rows: stored(closed(rows, outcome)) }));
  const struck = made.struck === null ? null : parseCase(made.struck);
  return { world, records, ledger: made.ledger, writes: made.writes, hasMeddled: made.meddled !== null, mayRepeatMessages: made.mayRepeatMessages, struck } as unknown as Run;
}

/** The plain run, and one record more. */
export function withRecord(rollbackId: string, row: Row): Run {
  const run = runOf();
  return { ...run, records: [...run.records, { rollbackId, rows: [{ rollbackId, seq: 0, at: '2026-01-01T00:00:03Z', previousHash: '', hash: 'one more', ...row, data: JSON.stringify(row.data) }] }] } as unknown as Run;
}

export const broken = (changes: Partial<Made> = {}): readonly string[] => judge(runOf(changes), () => null).broken.map((text) => text.replace(/(end: [^:]+):.*/s, '$1'));
export const endless = 'end: neither recovered and proven, nor stopped with on-call paged and the reason recorded';
export const lockRow = { pk: 'SERVICE#shop', sk: 'LOCK', owner: id, leaseUntil: String(Date.parse('2026-01-01T01:05:00Z')) };
export const by = (actor: string, fault: FaultName, what = 'dynamodb:PutItem.LOCK'): string => `two-rungs/${actor}/${what}#1/${fault}`;

export const unheard = (...names: readonly string[]): string[] => names.map((name) => `messages: something was changed, and ${name} was not told how it ended`);


export const recovered = { outcome: 'recovered', rows: [intended, { kind: 'verified', data: { answer: 'recovered' } }, sealed('recovered')] };
export const second = 'run-2';
export const pageOf = (rollbackId: string): Mail => ({ topicArn: onCall, subject: 'PAGE shop: not recovered', message: `Incident report: shop\nRollback id: ${rollbackId}` });
