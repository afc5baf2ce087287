// What was read again at the source before a decision: alarms, traffic, deployments.
import type { Instant, Release } from './vocabulary.ts';

/** One alarm of the service as CloudWatch has it now. */
export interface AlarmReading {
  readonly name: string;
  readonly group: string;
  /** The side of a target that it alone watches; absent where it watches all. */
  readonly side?: string;
  /** `missing`: no such alarm exists (any more). */
  readonly state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA' | 'missing';
  /** When it came into this state; null where CloudWatch does not say. */
  readonly since: Instant | null;
  /** The period in which the first bad datapoint fell; null where CloudWatch keeps none (composites, alarms set by hand). */
  readonly fault: { readonly from: Instant; readonly to: Instant } | null;
  readonly suppressedBy: string | null;
  readonly evaluationState: string | null;
  /** For a composite: names of the alarms that set it off. */
  readonly children: readonly string[];
  readonly reason: string;
}

/** Requests that users made lately. `unknown` is not zero: nothing can be said. */
export interface TrafficReading {
  readonly status: 'enough' | 'too-little' | 'unknown' | 'not-measured';
  readonly requests: number | null;
  readonly minimum: number | null;
  readonly minutes: number | null;
}

/** One CodeDeploy deployment of one of the service's targets. */
export interface DeploymentReading {
  readonly id: string;
  readonly targetId: string;
  readonly version: string;
  readonly previousVersion: string | null;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly status: Release['status'];
  readonly actor: string;
  /** `rollback`: Ripcord's own or a native one. `upkeep`: CodeDeploy bringing new instances up to date. Neither is ever suspected. */
  readonly nature: 'release' | 'rollback' | 'upkeep';
  /** The deployment that this rollback undoes. */
  readonly undoes: string | null;
}

export const releaseFrom = (service: string, deployment: DeploymentReading): Release => ({
  id: deployment.id,
  service,
  version: deployment.version,
  previousVersion: deployment.previousVersion,
  startedAt: deployment.startedAt,
  finishedAt: deployment.finishedAt,
  status: deployment.status,
  origin: 'codedeploy',
  actor: deployment.actor,
  touched: [],
  left: null,
  alarmsAtStart: [],
});

/** A release with no more of its manifest than the database floor, all that is decided from it: approvals and URLs of 50 releases do not fit a row of the audit. */
export const forVerdict = <Known extends Pick<Release, 'manifest'>>(release: Known): Known =>
  (release.manifest === undefined ? release : { ...release, manifest: { ...release.manifest, approvals: [], backup: null, url: null } });

/** Releases with what CodeDeploy says now of how they ended: the ledger learns it by events, and an event can be lost. */
export const withReadings = <Known extends Pick<Release, 'id' | 'status' | 'finishedAt'>>(releases: readonly Known[], deployments: readonly DeploymentReading[]): Known[] =>
  releases.map((release) => {
    const reading = deployments.find(({ id }) => id === release.id);
    return reading === undefined ? release : { ...release, status: reading.status, finishedAt: reading.finishedAt };
  });
