// Faults that are injected into chosen AWS calls: each rule says which calls, and what goes wrong with them.
import type { Principal } from './world.ts';

export type FaultEffect =
  /** Refused with the service's throttling error; nothing happens. */
  | { readonly kind: 'throttle' }
  /** HTTP 500 or 503; `after: true` means that the call took effect all the same. */
  | { readonly kind: 'error'; readonly status: 500 | 503; readonly after?: boolean }
  /** The connection breaks; `after` says whether the call took effect. */
  | { readonly kind: 'reset'; readonly after: boolean }
  /** The call takes effect at once, the reply comes so many milliseconds of wall time later: clients' timeouts run on the wall clock. */
  | { readonly kind: 'delay'; readonly wallMilliseconds: number }
  /** Refused as if the permission were missing. */
  | { readonly kind: 'deny' }
  /** Answers what the same call with the same input answered the last time, else `otherwise`; takes effect only when there is neither. */
  | { readonly kind: 'stale'; readonly otherwise?: unknown }
  /** Something else happens in the world right before or after the call, for example a person changes the same target. */
  | { readonly kind: 'before'; readonly run: (call: FaultyCall) => void | Promise<void> }
  | { readonly kind: 'after'; readonly run: (call: FaultyCall) => void | Promise<void> };

export interface FaultyCall {
  /** IAM prefix. */
  readonly service: string;
  readonly operation: string;
  readonly caller: Principal;
  readonly input: unknown;
  /** Both as in the call's record. */
  readonly requestId: string;
  readonly region: string;
}

export interface FaultRule {
  /** Shown in the call's record. */
  readonly name: string;
  readonly service?: string;
  readonly operation?: string;
  /** Name of the calling role. */
  readonly role?: string;
  readonly when?: (call: FaultyCall) => boolean;
  /** Which of the matching calls, counted from 1; default every one. */
  readonly calls?: readonly number[];
  readonly effect: FaultEffect;
}

export interface FaultHandle {
  /** How many calls matched. */
  readonly matched: number;
  /** How many calls the fault was injected into. */
  readonly injected: number;
  remove(): void;
}

interface Entry {
  readonly rule: FaultRule;
  matched: number;
  injected: number;
}

export class Faults {
  readonly #entries: Entry[] = [];

  add(rule: FaultRule): FaultHandle {
    const entry: Entry = { rule, matched: 0, injected: 0 };
    this.#entries.push(entry);
    return {
      get matched() {
        return entry.matched;
      },
      get injected() {
        return entry.injected;
      },
      remove: () => {
        const index = this.#entries.indexOf(entry);
        if (index >= 0) this.#entries.splice(index, 1);
      },
    };
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** The rules that strike this call, in the order in which they were added. Counts the call. */
  strike(call: FaultyCall): readonly FaultRule[] {
    const struck: FaultRule[] = [];
    for (const entry of this.#entries) {
      if (!applies(entry.rule, call)) continue;
      entry.matched += 1;
      if (entry.rule.calls !== undefined && !entry.rule.calls.includes(entry.matched)) continue;
      entry.injected += 1;
      struck.push(entry.rule);
    }
    return struck;
  }
}

function applies(rule: FaultRule, call: FaultyCall): boolean {
  return (
    (rule.service === undefined || rule.service === call.service) &&
    (rule.operation === undefined || rule.operation === call.operation) &&
    (rule.role === undefined || (call.caller.kind === 'role' && call.caller.roleName === rule.role)) &&
    (rule.when === undefined || rule.when(call))
  );
}
