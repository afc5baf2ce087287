// The services whose releases and rollbacks reach every permission: one for each kind of target, and some that are asked for, measured, or watched over.
import type { JsonValue, ServiceDocument } from '../../scenarios/scenario.ts';
import { albTarget, dnsTarget } from '../targets.ts';
import { alias, flag, shifted, swapped, tasks, type MakeTarget, type Target } from './targets.ts';

export interface Service {
  readonly name: string;
  readonly target: MakeTarget;
  /** Top-level keys of the catalogue entry that differ from a plain service's. */
  readonly changes?: ServiceDocument;
  /** Metrics are recorded for it. */
  readonly isMeasured?: true;
}

const weighted = (kind: ReturnType<typeof albTarget>): MakeTarget => ({ sandbox, port }, name) => {
  const made = kind(sandbox, name, port);
  const { document, prefix, announces } = made;
  return { document, prefix, announces, isTouchedBy: (input) => made.isTouchedBy(input), release: () => made.release(), isBack: () => made.live() === 'blue' };
};

export const metricsOf = (service: string) => ({ namespace: 'Measured', requests: `${service}-requests`, errors: `${service}-errors` }) as const;

const column = (name: string): JsonValue => ({ namespace: metricsOf('measured').namespace, name });

export const services: readonly Service[] = [
  { name: 'listener', target: weighted(albTarget()) },
  { name: 'rule', target: weighted(albTarget(true)) },
  { name: 'records', target: weighted(dnsTarget) },
  { name: 'shifted', target: shifted },
  { name: 'swapped', target: swapped },
  { name: 'flag', target: flag },
  { name: 'alias', target: alias },
  { name: 'tasks', target: tasks },
  { name: 'asked', target: flag, changes: { policy: policyWith({ required: 'always', timeoutMinutes: 20, onDeadline: 'stop' }) } },
  {
    name: 'measured', target: flag, isMeasured: true,
    changes: {
      signals: {
        alarms: [{ name: 'measured-errors' }], minimum: 1, holdSeconds: 240,
        traffic: { metric: { namespace: 'Measured', name: metricsOf('measured').requests }, minimumRequests: 50 },
        metrics: [{ kind: 'own', requests: column(metricsOf('measured').requests), errors: column(metricsOf('measured').errors) }],
      },
      verification: { passesInARow: 1, intervalSeconds: 30, deadlineMinutes: 15 },
    },
  },
];

export const alarmOf = (service: string): string => `${service}-errors`;
export const secretName = 'explored-token';
export const approverArn = 'arn:aws:iam::111122223333:role/release-approver';

function policyWith(approval: JsonValue): JsonValue {
  return { approval, bakeMinutes: 1, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 };
}

/** The catalogue entry. @param secretArn of the secret that the journey sends. */
export const documentOf = ({ name, changes = {} }: Service, { document }: Target, { port, secretArn }: { readonly port: number; readonly secretArn: string }): ServiceDocument => ({
  owner: `team-${name}`,
  targets: { it: document },
  signals: { alarms: [{ name: alarmOf(name) }], minimum: 1, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } },
  journeys: {
    buy: {
      secrets: { token: { arn: secretArn } },
      allowLoopback: [`127.0.0.1:${port}`],
      requests: [{ name: 'enter', url: `http://127.0.0.1:${port}/`, headers: { authorization: 'Bearer {{secret.token}}' }, expect: { status: 200 } }],
    },
  },
  verification: { passesInARow: 1, intervalSeconds: 30, deadlineMinutes: 3 },
  policy: policyWith({ none: 'nobody has to be asked in this exploration' }),
  ...changes,
});
