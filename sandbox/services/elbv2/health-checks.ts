// Checks targets by real HTTP and moves them between initial, healthy and unhealthy; a group without a listener is never checked.
import http from 'node:http';
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SandboxClock } from '../../aws/world.ts';
import type { HealthCheck, TargetGroupRecord, TargetRecord } from './records.ts';

type Probe = { readonly ok: true } | { readonly ok: false; readonly reason: 'Target.Timeout' | 'Target.FailedHealthChecks' | 'Target.ResponseCodeMismatch'; readonly description: string };

export const unused: TargetHealth = { State: 'unused', Reason: 'Target.NotInUse', Description: 'Target group is not configured to receive traffic from the load balancer' };
export const initial: TargetHealth = { State: 'initial', Reason: 'Elb.InitialHealthChecking', Description: 'Initial health checks in progress' };
export const draining: TargetHealth = { State: 'draining', Reason: 'Target.DeregistrationInProgress', Description: 'Target deregistration is in progress' };

// A timeout is meant in sandbox time, but a socket on a busy laptop needs real time to answer.
const shortestTimeoutMilliseconds = 1000;

/** Repeats the group's check until the returned function is called. `inUse` is asked before each round. */
export function startHealthChecks(group: TargetGroupRecord, parts: { clock: SandboxClock; inUse: () => boolean; checked: () => void }): () => void {
  return parts.clock.every(group.healthCheck.intervalSeconds * 1000, async () => {
    await checkGroup(group, parts);
  });
}

/** One round over the whole group. */
export async function checkGroup(group: TargetGroupRecord, parts: { clock: SandboxClock; inUse: () => boolean; checked: () => void }): Promise<void> {
  const timeout = Math.max(shortestTimeoutMilliseconds, (group.healthCheck.timeoutSeconds * 1000) / parts.clock.speed);
  const registered = [...group.targets.values()].filter(({ drainingUntil }) => drainingUntil === null);
  if (!parts.inUse()) {
    for (const target of registered) reset(target, unused);
    return;
  }
  for (const target of registered) if (target.health.State === 'unused') reset(target, initial);
  await Promise.all(registered.map(async (target) => take(target, await probe(target, group.healthCheck, timeout), group.healthCheck)));
  parts.checked();
}

function reset(target: TargetRecord, health: TargetHealth): void {
  target.health = health;
  target.successes = 0;
  target.failures = 0;
}

// A target that was never healthy needs one success; one that fell ill needs the healthy threshold.
function take(target: TargetRecord, result: Probe, check: HealthCheck): void {
  if (target.drainingUntil !== null) return;
  target.successes = result.ok ? target.successes + 1 : 0;
  target.failures = result.ok ? 0 : target.failures + 1;
  const wasInitial = target.health.State === 'initial';
  if (result.ok && (wasInitial || target.successes >= check.healthyThreshold)) target.health = { State: 'healthy' };
  if (!result.ok && target.failures >= check.unhealthyThreshold) target.health = { State: 'unhealthy', Reason: result.reason, Description: result.description };
}

function probe(target: TargetRecord, check: HealthCheck, timeout: number): Promise<Probe> {
  return new Promise((resolve) => {
    const request = http.get({ host: target.id, port: target.port, path: check.path, timeout, agent: false, headers: { 'user-agent': 'ELB-HealthChecker/2.0' } }, (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      resolve(matches(code, check.matcher) ? { ok: true } : { ok: false, reason: 'Target.ResponseCodeMismatch', description: `Health checks failed with these codes: [${code}]` });
    });
    request.on('timeout', () => {
      resolve({ ok: false, reason: 'Target.Timeout', description: 'Request timed out' });
      request.destroy();
    });
    request.on('error', () => resolve({ ok: false, reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }));
  });
}

const matches = (code: number, matcher: string): boolean => matcher.split(',').some((part) => {
  const [from, to = from] = part.split('-');
  return code >= Number(from) && code <= Number(to);
});
