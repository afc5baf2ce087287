// The contract every strategy keeps: a manifest that is data, a plan that is pure, and three calls that touch AWS.
import type * as z from 'zod';
import type { JsonObject, Reason, StepRequest, TargetState } from '../domain/vocabulary.ts';
import type { Way } from './way.ts';

/** One IAM statement as data: CDK makes the role from it, the sandbox enforces it, the docs show it. */
export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  /** Why nothing narrower is possible; required when a resource is `*`. */
  readonly because?: string;
  /** Those of the actions that no call of ours is checked for by their name, each with who demands it all the same. */
  readonly uncalled?: Readonly<Record<string, string>>;
  /** Those of the actions whose loss pages nobody by itself, or leaves no record that names them, each with what on-call sees instead. */
  readonly quiet?: Readonly<Record<string, string>>;
}

/** What the synthesizer knows about where a target lives; values may be CDK tokens, so never parse them. */
export interface Place {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

export interface Manifest<Target extends JsonObject = JsonObject> {
  readonly name: string;
  /** First line of the strategy's documentation. */
  readonly summary: string;
  readonly target: z.ZodType<Target>;
  /** Pure. What the Watch has to know of two states from the ledger, in any shape, without the strategy's AWS half. */
  readonly states: StateReading;
}

/** What the strategy's function may do for one target. Apart from the manifest, because only the synthesizer needs it and every handler bundles manifests. */
export type Permissions<Target extends JsonObject = JsonObject> = (target: Target, place: Place) => readonly Statement[];

/** Names of all that applying the strategy to a target changes. Two targets with a name in common would undo each other. Values may be CDK tokens. */
export type Changed<Target extends JsonObject = JsonObject> = (target: Target) => readonly string[];

export interface StateReading {
  /** True when users are served alike in both: the strategy's own notion, not the whole document. False for a state it cannot read. */
  readonly same: (one: TargetState, other: TargetState) => boolean;
  /** True when traffic goes to more than one place: perhaps a release that is half way out. */
  readonly isSplit: (state: TargetState) => boolean;
  /**
   * How the target looked before a change that AWS itself tells of, from a state captured after it: for strategies whose service says what was
   * live before. Null when the state does not show the new version: then this change did not touch the target.
   */
  readonly before?: (state: TargetState, change: { readonly version: string; readonly previousVersion: string }) => TargetState | null;
}

/** Live state of one target, and whether the places it could go back to can take the traffic. */
export interface Capture<State extends TargetState = TargetState> {
  readonly state: State;
  /** What `plan` needs besides the state, for example the health of each side. Never compared, never written back. */
  readonly facts: JsonObject;
}

/** What is known before the live state is read, so that one round of reads can also ask about the place to go back to. */
export interface Known<State extends TargetState = TargetState> {
  readonly good: { readonly version: string; readonly state: State | null } | null;
  readonly release: StepRequest['release'];
}

export interface PlanQuestion<Target, State extends TargetState> {
  readonly target: Target;
  readonly live: Capture<State>;
  readonly good: { readonly version: string; readonly state: State | null } | null;
  readonly release: StepRequest['release'];
  /** The `from` of a plan that a person saw: the live state has to equal it. */
  readonly expectedFrom: State | null;
}

export type PlanAnswer<State extends TargetState> =
  | { readonly outcome: 'change'; readonly from: State; readonly to: State; readonly summary: string }
  | { readonly outcome: 'already'; readonly from: State; readonly to: State; readonly summary: string }
  /** Codes in use: no-known-good, destination-unhealthy, destination-gone, changed-by-someone-else, not-ours, unsupported; would-interrupt is added around the plan. */
  | { readonly outcome: 'impossible'; readonly from: State; readonly reason: Reason };

export interface Change<Target, State extends TargetState> {
  /** `<rollback id>/<step id>`: written where AWS lets us leave a mark, so that a repeat finds its own work. */
  readonly key: string;
  readonly target: Target;
  readonly from: State;
  readonly to: State;
  readonly live: Capture<State>;
}

export interface Made {
  readonly handle: JsonObject | null;
  readonly confirmAfterSeconds: number;
}

export interface Confirmation {
  /** `overtaken`: the change came too late to take hold and another one is needed: plan and apply run once more. */
  readonly answer: 'yes' | 'not-yet' | 'failed' | 'changed-by-someone-else' | 'cannot-verify' | 'overtaken';
  readonly detail: string;
  readonly retryAfterSeconds: number;
  /** Given back to the next confirm of this step. */
  readonly progress?: JsonObject | null;
}

export interface ConfirmQuestion<Target, State extends TargetState> {
  readonly key: string;
  readonly target: Target;
  readonly from: State;
  readonly to: State;
  readonly handle: JsonObject | null;
  /** When apply wrote, ISO 8601; a TTL counts from here or from INSYNC, whichever is later. */
  readonly appliedAt: string;
  readonly now: string;
  /** What the last confirm of this step wanted to remember; null on the first. */
  readonly progress: JsonObject | null;
}

export interface Strategy<Target extends JsonObject = JsonObject, State extends TargetState = TargetState> {
  readonly manifest: Manifest<Target>;
  readonly way: Way<Target, State>;
  /** Reads the live state. Changes nothing. `known` is null when a release's Watch captures. */
  capture(target: Target, known: Known<State> | null): Promise<Capture<State>>;
  /** Pure: what would be done. The live state was read by `capture` right before. */
  plan(question: PlanQuestion<Target, State>): PlanAnswer<State>;
  /** Writes `to`. Called only with a `change` that `plan` just made from the state just captured. Safe to repeat. A `conflicting` AwsCallError makes the caller read and plan once more. */
  apply(change: Change<Target, State>): Promise<Made>;
  /**
   * Looks once more, beside the row that puts down the state before, for what AWS does not compare when it is told to `apply`. Changes nothing.
   * @throws AwsCallError `conflicting` where somebody changed the target since `capture`: nothing is applied then.
   */
  recheck?(change: Change<Target, State>): Promise<void>;
  /** Reads whether the change took hold. Changes nothing. */
  confirm(question: ConfirmQuestion<Target, State>): Promise<Confirmation>;
}
