// What is asked of each strategy about the way it takes: its kind, where its rung stands, and what users notice. Apart from the manifest: only who weighs ways needs it.
import type { WayEffect } from '../domain/way-effect.ts';
import type { JsonObject, TargetState, WayBack } from '../domain/vocabulary.ts';

export interface SeenState<State extends TargetState = TargetState> {
  /** Live, or as the ledger saw it last; null where nobody ever captured it. */
  readonly state: State | null;
  /** What the plan leads to, and the facts it was made from; null where nothing was read right now. */
  readonly planned: { readonly to: State; readonly facts: JsonObject } | null;
  /** True when a deployment of this target is known to run, beside what the state says. */
  readonly isRunning: boolean;
}

export interface Way<Target extends JsonObject = JsonObject, State extends TargetState = TargetState> {
  /** Where its rung stands when the service names none: lower goes first. Flag 0–9, traffic 10–19, alias 20–29, redeploy 40–49, DNS 50–59. */
  readonly order: number;
  /** A flag that is turned off, users that are sent elsewhere, or a version that is put in place again. */
  readonly kind: WayBack;
  /** Pure: what users notice meanwhile. A state of the ledger can be of an older version: a field that is missing is not known. */
  effect(target: Target, seen: SeenState<State>): WayEffect;
}
