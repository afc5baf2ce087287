// What goes in and out of each handler of the Rollback and Watch workflows: the contract between the state machines and the code.
import type { WatchMemory } from './bake-memory.ts';
import type { AuditCursor, Instant, JsonObject, KnownGood, Reason, Release, RollbackMode, Rung, Signal, StepRequest, TargetState, VerdictName } from './vocabulary.ts';
import type { Passed, WayChoice, WayEffect } from './way-choice.ts';

// ---- Assess -------------------------------------------------------------------------------------------------------------

export interface Approval {
  readonly answer: 'approved' | 'rejected' | 'deadline';
  /** Verified IAM ARN of who answered; null for a deadline. */
  readonly by: string | null;
  readonly at: Instant;
  readonly comment: string;
}

/** One round of journeys, run as evidence before a decision or as proof after it. */
export interface JourneyRound {
  readonly at: Instant;
  readonly results: readonly JourneyResult[];
}

export interface JourneyResult {
  readonly journey: string;
  readonly ok: boolean;
  readonly durationMs: number;
  /** The request that failed (its name) and why; null when it passed. */
  readonly failedAt: string | null;
  readonly reason: string | null;
  /** The journey itself could not be run (a secret, a refused address, a wrong JSONPath): no proof of recovery, and no evidence against the service. */
  readonly couldNotRun?: true;
}

export interface AssessInput {
  /** Name of the Step Functions execution: the id of this rollback everywhere. */
  readonly rollbackId: string;
  readonly startedAt: Instant;
  /** The execution's input, exactly as given. A hint, never the truth. */
  readonly input: unknown;
  /** 0 on the first look, then one more after each hold or answer. */
  readonly look: number;
  readonly approval: Approval | null;
  readonly evidence: JourneyRound | null;
  readonly audit: AuditCursor | null;
}

export interface Verification {
  readonly intervalSeconds: number;
  readonly passesInARow: number;
  readonly deadlineSeconds: number;
  /** Why journeys prove a recovery that the metrics have too few requests to tell; absent where they do not. */
  readonly fewRequests?: string;
}

export interface ApprovalDemand {
  readonly timeoutSeconds: number;
  readonly onDeadline: 'roll-back' | 'stop';
}

/** One thing that could have done it, with its share of all that could. The shares of a whole ranking add up to 1. */
export interface Suspect {
  /** `sickness`: the service is sick itself and no release of it says why. `other`: whatever nobody recorded. */
  readonly kind: 'release' | 'sickness' | 'other';
  /** Empty for `other`. */
  readonly service: string;
  /** Null unless it is a release. */
  readonly release: Pick<Release, 'id' | 'version' | 'startedAt'> | null;
  /** 0–1, four decimals. */
  readonly share: number;
  /** What speaks for it and against it; `weight` in log-odds. */
  readonly reasons: readonly { readonly text: string; readonly weight: number }[];
}

export interface Assessment {
  readonly rollbackId: string;
  readonly service: string;
  readonly mode: RollbackMode;
  readonly verdict: VerdictName;
  /** One sentence, first thing a woken person reads. */
  readonly headline: string;
  readonly reasons: readonly Reason[];
  /** Wake on-call even though nothing is changed. */
  readonly page: boolean;
  readonly holdSeconds: number;
  /** Run the journeys as evidence before the next look. */
  readonly wantsEvidence: boolean;
  readonly approval: ApprovalDemand | null;
  readonly release: Release | null;
  readonly knownGood: Pick<KnownGood, 'version' | 'since' | 'basis'> | null;
  readonly signals: readonly Signal[];
  /** Who could have done it, likeliest first. Absent where nobody asked. */
  readonly suspects?: readonly Suspect[];
  /** Empty unless the verdict is `roll-back` or `ask`. */
  readonly rungs: readonly Rung[];
  /** Every way back the service has, with what was decided about it. Absent where no way back was weighed. */
  readonly ways?: readonly WayChoice[];
  /** Releases since the known good one, newest first, the suspected one among them. */
  readonly passed?: readonly Passed[];
  readonly verification: Verification;
  readonly requestedBy: string | null;
  /** Fencing number of the service's lock; null when this run does not hold it. */
  readonly fence: number | null;
  /** Version of the SSM parameter that decided. */
  readonly configVersion: number;
  readonly codeVersion: string;
  readonly firstSignalAt: Instant | null;
  readonly audit: AuditCursor;
}

// ---- Strategy functions: Capture, Plan, Apply, Confirm ---------------------------------------------------------------------

export interface StrategyInput {
  readonly verb: 'capture' | 'plan' | 'apply' | 'confirm';
  readonly rollbackId: string;
  readonly step: StepRequest;
  /** Present for apply and confirm. */
  readonly fence: number | null;
  /** For apply after an approval or a dry run: the plan a person saw. For confirm: what apply did. */
  readonly planned: StepPlan | null;
  readonly applied: StepApplied | null;
  /** For confirm: its own answer before this one, given back so that a wait (a DNS record's TTL) counts on. Absent on the first. */ readonly confirmed?: StepConfirmed | null;
  readonly audit: AuditCursor | null;
}

export interface StepCaptured {
  readonly targetId: string;
  readonly status: 'captured' | 'failed';
  readonly state: TargetState | null;
  readonly reason: Reason | null;
  /** When the state had been read; absent where it was not. */
  readonly at?: Instant;
}

export interface StepPlan {
  readonly stepId: string;
  readonly strategy: string;
  readonly targetId: string;
  readonly outcome: 'change' | 'already' | 'impossible';
  readonly from: TargetState | null;
  readonly to: TargetState | null;
  readonly reason: Reason | null;
  /** One line a person can read, for example `blue 0 → 100, green 100 → 0`. */
  readonly summary: string;
  readonly expectedSeconds: number;
  /** What users notice meanwhile, from what is live; absent where nothing would be changed. */
  readonly effect?: WayEffect;
}

export type StepStatus = 'changed' | 'already' | 'failed' | 'changed-by-someone-else';

export interface StepApplied {
  readonly stepId: string;
  readonly strategy: string;
  readonly targetId: string;
  readonly status: StepStatus;
  readonly from: TargetState | null;
  readonly to: TargetState | null;
  /** What Confirm needs to follow the change: a change id, a deployment id … */
  readonly handle: JsonObject | null;
  readonly summary: string;
  readonly reason: Reason | null;
  readonly at: Instant;
  /** Seconds until the first Confirm makes sense. */
  readonly confirmAfterSeconds: number;
}

export interface StepConfirmed {
  readonly stepId: string;
  /**
   * `cannot-verify`: the change was made, but nothing can prove it took hold; treated as a failure of the rung.
   * `overtaken`: the world went past the change before it took hold, so the step is applied once more; the second time it is a failure.
   */
  readonly answer: 'yes' | 'not-yet' | 'failed' | 'changed-by-someone-else' | 'cannot-verify' | 'overtaken';
  readonly detail: string;
  readonly retryAfterSeconds: number;
  /** What the next Confirm of this step has to remember, for example since when a DNS change is in sync. */
  readonly progress?: JsonObject | null;
}

/** One step's whole story, as Verify and Report get it. */
export interface StepResult {
  readonly rung: string;
  readonly applied: StepApplied;
  readonly confirmed: StepConfirmed | null;
}

// ---- Verify ---------------------------------------------------------------------------------------------------------------

export interface VerifyInput {
  readonly purpose: 'evidence' | 'proof';
  readonly rollbackId: string;
  readonly service: string;
  readonly fence: number | null;
  /** Proof only. */
  readonly verification: Verification | null;
  readonly since: Instant | null;
  /** When the release began that is taken back; null without one. Metrics are compared across it. */
  readonly releaseStartedAt?: Instant | null;
  readonly passes: number;
  readonly round: number;
  /** Fresh answers of the strategies: does the live state still equal the plan? */
  readonly live: readonly StepConfirmed[];
  readonly alarmsAtStart: readonly string[];
  readonly audit: AuditCursor | null;
}

export interface Verified {
  readonly answer: 'recovered' | 'not-yet' | 'still-bad';
  /** Present where what is left accuses no release: no other way back is tried, a person is called. */
  readonly triesNoMore?: true;
  readonly passes: number;
  readonly round: number;
  readonly reasons: readonly Reason[];
  readonly journeys: JourneyRound;
  readonly waitSeconds: number;
  readonly audit: AuditCursor | null;
}

// ---- Approve, Announce, Report ---------------------------------------------------------------------------------------------

export interface ApproveInput {
  readonly taskToken: string;
  readonly assessment: Assessment;
  readonly plans: readonly StepPlan[];
}

export interface AnnounceInput {
  readonly assessment: Assessment;
  readonly rung: number;
}

export interface ReportInput {
  readonly rollbackId: string;
  readonly startedAt: Instant;
  readonly input: unknown;
  /** Null when Assess itself failed. */
  readonly assessment: Assessment | null;
  readonly plans: readonly StepPlan[];
  readonly results: readonly StepResult[];
  readonly verified: Verified | null;
  readonly approval: Approval | null;
  /** `{Error, Cause}` of the state that failed, when one did. */
  readonly error: JsonObject | null;
  /** `{Error, Cause}` of the last announcement that failed; absent in an execution that began before it was kept. */
  readonly untold?: JsonObject | null;
}

export const outcomes = ['recovered', 'not-recovered', 'stopped', 'left', 'refused', 'rejected', 'dry-run', 'shadow', 'failed', 'died'] as const;
/** How a rollback ended. `stopped`: somebody else changed the target. `left`: nothing was done, with a reason. `shadow`: it would have been rolled back. `died`: the Watchdog closed it. */
export type Outcome = (typeof outcomes)[number];

export interface Reported {
  readonly rollbackId: string;
  readonly outcome: Outcome;
  /** True when the execution may end green: nothing is left for a person to mend. */
  readonly ok: boolean;
  readonly headline: string;
  /** The runbook, a line each: present where a plan was made and nothing was changed. */
  readonly plan?: readonly string[];
  readonly auditLength: number;
  readonly auditHash: string;
}

// ---- Watch ----------------------------------------------------------------------------------------------------------------

export type WatchInput =
  | { readonly verb: 'record'; readonly watchId: string; readonly input: unknown }
  | { readonly verb: 'start'; readonly watchId: string; readonly watch: Watching; readonly captured: readonly StepCaptured[]; readonly evidence: JourneyRound }
  | { readonly verb: 'left'; readonly watchId: string; readonly watch: Watching; readonly captured: readonly StepCaptured[] }
  | {
      readonly verb: 'look'; readonly watchId: string; readonly watch: Watching; readonly look: number; readonly evidence: JourneyRound;
      /** How many more looks the execution's history can hold; absent in an execution that began before it was counted. The memory is what the look before gave back. */
      readonly looksLeft?: number;
      readonly memory?: WatchMemory | null;
    }
  | { readonly verb: 'settle'; readonly watchId: string; readonly watch: Watching; readonly captured: readonly StepCaptured[]; /** Of the look that found it good; absent in an execution that began before they were kept. */ readonly reasons?: readonly Reason[]; readonly memory?: WatchMemory | null };

/** What Record found, carried through the rest of the watch. */
export interface Watching {
  readonly service: string;
  readonly releaseId: string;
  /** `started`: watch it. `finished`: capture what it left. `signal`: it failed, roll back. `ignored`: not ours, a duplicate, or our own rollback. */
  readonly kind: 'started' | 'finished' | 'signal' | 'ignored';
  /** Present for `signal`: what starts the rollback. */
  readonly rollback?: NonNullable<WatchLooked['rollback']>;
  readonly reason: Reason | null;
  /** One capture request per target. */
  readonly steps: readonly StepRequest[];
  readonly hasJourneys: boolean;
}

export interface WatchLooked {
  /** `signal`: start a rollback, then go on; the ledger says at a later look whether it acted. */
  readonly answer: 'continue' | 'signal' | 'known-good' | 'ended';
  /** Until the next look; 0 unless the answer is `continue` or `signal`. */
  readonly waitSeconds: number;
  readonly reasons: readonly Reason[];
  readonly memory?: WatchMemory;
  /** Input of the Rollback execution when the answer is `signal`, and its name: the same release and alarm start it once. */
  readonly rollback: { readonly name: string; readonly input: JsonObject } | null;
}
