// The words of Ripcord as types: what is protected, what says it is sick, what was released, what is put back.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** An instant as ISO 8601 in UTC with a `Z`, for example `2026-11-20T09:14:07.104Z`. */
export type Instant = string;

/** What one strategy captured of one target. Only that strategy can read it; everybody else stores, compares and shows it. */
export type TargetState = JsonObject;

export type SignalKind = 'alarm' | 'deployment' | 'journey' | 'external' | 'metrics' | 'quarantine' | 'person';

/** One piece of evidence that something is wrong, after it was read again at its source. */
export interface Signal {
  readonly kind: SignalKind;
  /** Alarm name, deployment id, journey name, name of the other tool, `metrics`, a version that was rolled back before, or the person's name. */
  readonly source: string;
  /** Signals of one group measure the same thing, so together they count once. */
  readonly group: string;
  /** `unknown`: it could not be read, or has no data. Never counted, never read as quiet. */
  readonly status: 'firing' | 'quiet' | 'unknown';
  /** When it began to fire; null where that is not known. */
  readonly since: Instant | null;
  /** True when it was firing before the suspected release began, or nobody knows whether it was: it corroborates, it cannot accuse. */
  readonly isOlderThanRelease: boolean;
  readonly summary: string;
}

/** What kind of way back: a flag that is turned off, users that are sent elsewhere, or a version that is put in place again. */
export type WayBack = 'flag-off' | 'traffic-shift' | 'redeploy';

export type Touched = 'code' | 'configuration' | 'infrastructure' | 'database';

/** What only the pipeline knows about a release: sent with `Release Started`, kept with the release, shown to whoever decides. */
export interface ReleaseManifest {
  /** Who approved the release, as the pipeline says. */
  readonly approvals: readonly { readonly by: string; readonly at: Instant }[];
  /** Restore point made before the release, for example the ARN of a snapshot. Ripcord shows it and never restores it. */
  readonly backup: { readonly reference: string; readonly at: Instant } | null;
  /** Oldest version that still works with the data as this release leaves it; null when nothing was said. */
  readonly databaseFloor: string | null;
  /** The change, the ticket or the build, for people. */
  readonly url: string | null;
}

/** One recorded change of a service. */
export interface Release {
  /** CodeDeploy or ECS deployment id; `<function>:<alias>:<version>@<time>` of a Lambda alias; or the `releaseId` a pipeline sent, with `@<time>` when it sent the same one again for another release. */
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly previousVersion: string | null;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly status: 'in-progress' | 'finished' | 'failed' | 'stopped';
  readonly origin: 'codedeploy' | 'ecs' | 'lambda-alias' | 'event';
  readonly actor: string;
  /** Empty where nobody said: only a pipeline knows. Then it is taken for code. */
  readonly touched: readonly Touched[];
  /** Absent when no pipeline sent one. */
  readonly manifest?: ReleaseManifest;
  /** What the release left on each target, captured when it finished. Null until then. */
  readonly left: Readonly<Record<string, TargetState>> | null;
  /** Alarms of the service that were in ALARM when the release began: they can send no event for it. */
  readonly alarmsAtStart: readonly string[];
  /** Journeys that failed when the release began; absent when nobody ran them then. Only one that passed can accuse the release later. */
  readonly journeysFailedAtStart?: readonly string[];
  /** When it was seen that AWS, or who moved a Lambda alias, had put another version in its place by themselves: it is not live. Absent where nobody saw that. */
  readonly undoneAt?: Instant;
}

/** A version that survived its bake time without a signal, and how each target looked then. */
export interface KnownGood {
  readonly version: string;
  readonly since: Instant;
  /** `baked`: a Watch saw it through. `observed`: it was live with quiet alarms for a bake time before the first release Ripcord saw. `history`: CodeDeploy's own records. */
  readonly basis: 'baked' | 'observed' | 'history';
  readonly states: Readonly<Record<string, TargetState>>;
  /** Targets of an `observed` version whose state was captured as this release began, and that nothing else confirms: it counts only while the release turns out to have moved something. */
  readonly unproven?: { readonly releaseId: string; readonly targets: readonly string[] };
  /** Present where the declared metrics had no say at the end of the bake: until when they had one, in words. */
  readonly unjudged?: string;
}

export const verdicts = ['roll-back', 'hold', 'ask', 'leave', 'joined'] as const;
export type VerdictName = (typeof verdicts)[number];

/** Why: a fixed code for machines, a sentence for people. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

/** What is asked of a strategy for one target. Built by Assess from the catalogue and the ledger, never from the execution's input. */
export interface StepRequest {
  /** `<rung name>/<target id>`, unique in one rollback. */
  readonly id: string;
  readonly service: string;
  readonly strategy: string;
  readonly targetId: string;
  /** Present when the step is applied for the second time, because the world went past the first change. */
  readonly again?: true;
  /** Present where the policy wants a person's yes before users are interrupted and nobody was asked: what would interrupt them is refused. */
  readonly mustNotInterrupt?: true;
  /** The target as the catalogue holds it, parsed by the strategy's own schema. */
  readonly target: JsonObject;
  readonly good: { readonly version: string; readonly basis: KnownGood['basis']; readonly state: TargetState | null } | null;
  readonly release: {
    readonly id: string;
    readonly version: string;
    readonly startedAt: Instant;
    readonly isFinished: boolean;
    /** What the release left on this target; null while it runs or when nobody captured it. */
    readonly left: TargetState | null;
  } | null;
}

/** The ordered ways back of one rollback. A rung is tried only when the one before it failed or did not help. */
export interface Rung {
  readonly name: string;
  /** Waves run one after the other; the steps of one wave run side by side. */
  readonly waves: readonly (readonly StepRequest[])[];
}

/** Where the audit chain of this rollback stands; a hint that saves a read, checked by a condition on write. */
export interface AuditCursor {
  /** Number of rows so far; the next row gets this number. */
  readonly length: number;
  /** Hash of the last row, or the genesis hash for an empty chain. */
  readonly hash: string;
}

/** `dry-run`: a person asked what would be done. `shadow`: the service's policy lets nothing be changed. Only `roll-back` may reach a target. */
export type RollbackMode = 'roll-back' | 'dry-run' | 'shadow';
