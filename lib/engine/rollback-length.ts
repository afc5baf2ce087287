// How long the workflows of the attached services may take at most: the machines' own timeouts follow from it.
import type { ServiceConfig } from '../../lambdas/config/schema.ts';

const minute = 60;
const hour = 60 * minute;
/** A step is given up after an hour without a Confirm; another hour covers calls, retries and messages. */
const perRung = hour;
const margin = hour;
/** A run may wait so long for the rollback of another service, where services depend on each other: `longestWaitSeconds` of the decision. */
const perWait = 30 * minute;

/** Seconds: a hold, a wait for others, a person twice, and every rung with its proof. */
export function longestRollbackSeconds(services: readonly ServiceConfig[]): number {
  const wait = services.some(({ dependencies }) => dependencies.length > 0) ? perWait : 0;
  const each = services.map(({ signals, policy, verification, rungs, targets }) => {
    const asked = 'timeoutMinutes' in policy.approval ? policy.approval.timeoutMinutes : 0;
    const person = 2 * Math.max(asked, policy.askTimeoutMinutes) * minute;
    const proof = 'deadlineMinutes' in verification ? verification.deadlineMinutes * minute : 0;
    const ways = rungs?.length ?? new Set(Object.values(targets).map(({ strategy }) => strategy)).size;
    const waves = Math.max(1, ...(rungs ?? []).map((one) => one.length));
    return Math.max(signals.holdSeconds, wait) + person + ways * (waves * perRung + proof) + margin;
  });
  return Math.max(2 * hour, ...each);
}

/** Seconds: a deployment may take a day before its bake begins, and a bake that does not end quiet is given as long again. */
export const longestWatchSeconds = (services: readonly ServiceConfig[]): number =>
  2 * Math.max(0, ...services.map(({ policy }) => policy.bakeMinutes * minute)) + 24 * hour + margin;
