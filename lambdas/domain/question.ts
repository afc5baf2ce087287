// Everything a verdict is made from, in one value: kept in the audit, so that the decision can be replayed.
import type { RollbackRecord, DeliveredSignal } from './ledger.ts';
import type { MetricsReading } from './metrics.ts';
import type { NeighbourReading } from './neighbours.ts';
import type { AlarmReading, DeploymentReading, TrafficReading } from './readings.ts';
import type { Trigger } from './trigger.ts';
import type { Approval, JourneyRound } from './workflow.ts';
import type { Instant, KnownGood, Release, WayBack } from './vocabulary.ts';
import type { EarlierRelease } from './way-choice.ts';
import type { WayEffect } from './way-effect.ts';
import type { ServiceConfig } from '../config/schema.ts';

export interface TargetFacts {
  readonly strategy: string;
  /** The side that is always good; null when the ledger has to know a good version. */
  readonly goodSide: string | null;
  /** Absent in questions of before the ways back were weighed: then it is taken for a version that is put in place again. */
  readonly way?: WayBack;
  /** The version that captured states prove to be on the good side; absent where nothing does. */
  readonly sideVersion?: Pick<KnownGood, 'version' | 'since'>;
  /** What users notice while it goes back, as far as the catalogue and the last captured state tell. */
  readonly effect?: WayEffect;
  /** Seconds until users are safe, in questions of before their effect was asked. */
  readonly expectedSeconds?: number;
}

/** Names of a rung and its waves of target ids. */
export interface RungFacts {
  readonly name: string;
  readonly waves: readonly (readonly string[])[];
}

/** A release without what it left on its targets: a verdict does not depend on it, nor on what its manifest says for people, which `forVerdict` leaves out. */
export type ReleaseFacts = Omit<Release, 'left'>;

export interface KnownGoodFacts extends Omit<KnownGood, 'states' | 'unproven'> {
  /** Targets whose state then is known. */
  readonly targets: readonly string[];
}

export interface Question {
  readonly service: string;
  readonly rollbackId: string;
  readonly startedAt: Instant;
  readonly now: Instant;
  readonly look: number;
  readonly trigger: Trigger;
  readonly approval: Approval | null;
  readonly evidence: JourneyRound | null;
  readonly policy: ServiceConfig['policy'];
  readonly minimumSignals: number;
  readonly holdSeconds: number;
  readonly externalTools: readonly string[];
  readonly hasJourneys: boolean;
  readonly targets: Readonly<Record<string, TargetFacts>>;
  readonly rungs: readonly RungFacts[];
  /** False where the rungs are Ripcord's own order: only that one may be changed. */
  readonly hasOwnRungs?: boolean;
  /** How long a way back may take. Absent in questions of before it was asked. */
  readonly patience?: {
    /** Until the recovery has to be proven. */
    readonly proofSeconds: number;
    /** After which one step is given up. */
    readonly stepSeconds: number;
  };
  readonly coolDownUntil: Instant | null;
  readonly releases: readonly ReleaseFacts[];
  /** What the record says of before those; absent where they are all. */
  readonly earlier?: {
    /** Only such as say something of the database, or brought the version that was looked for. */
    readonly releases: readonly EarlierRelease[];
    /** Of what began before this nothing is known; null where all was read. */
    readonly unreadBefore: Instant | null;
  };
  readonly knownGoods: readonly KnownGoodFacts[];
  readonly rollbacks: readonly RollbackRecord[];
  /** Present in shadow: what was recorded there before. */
  readonly shadowed?: readonly RollbackRecord[];
  readonly delivered: readonly DeliveredSignal[];
  readonly quarantined: readonly string[];
  readonly alarms: readonly AlarmReading[];
  readonly traffic: TrafficReading;
  /** Absent when the service declares no metrics. */
  readonly metrics?: MetricsReading | undefined;
  readonly deployments: readonly DeploymentReading[];
  /** Services around this one; absent where the catalogue knows none. */
  readonly neighbours?: readonly NeighbourReading[];
  readonly storm: {
    readonly services: readonly string[];
    /** Service to group, for those that dependencies join with others; absent where none are. */
    readonly groups?: Readonly<Record<string, string>>;
    readonly limit: number;
    /** Of services that have nothing to do with each other; absent: the limit of all. */
    readonly unrelated?: number;
    readonly minutes: number;
    readonly isAnnounced: boolean;
  };
  /** Until when a call of an earlier run, which was ended from outside, may still change a target; absent where none is on its way. */
  readonly unsettledUntil?: Instant;
  /** Who has the service's lock; null when this run has it, or needs none. */
  readonly lockedBy: string | null;
}
