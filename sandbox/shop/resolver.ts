// A client's resolver: keeps an answer for its TTL, counted in sandbox time, and only then asks the name servers again.
import type { SandboxClock } from '../aws/world.ts';
import type { Route53 } from '../services/route53/route53.ts';

export interface Resolver {
  /** One value of the answer: an address or an alias's DNS name. @throws Error when the name does not exist. */
  resolve(): string;
}

/** `cachePerClient`: each of so many clients keeps its own answer, as users do; calls take turns among them. Default 20. */
export function cachingResolver(parts: { route53: Route53; clock: SandboxClock; zoneId: string; name: string; type: string; clients?: number }): Resolver {
  const caches: ({ value: string; until: number } | undefined)[] = Array.from({ length: parts.clients ?? 20 });
  let turn = 0;
  return {
    resolve: () => {
      const client = turn++ % caches.length;
      const now = parts.clock.now();
      const cached = caches[client];
      if (cached !== undefined && now < cached.until) return cached.value;
      const answer = parts.route53.answer(parts.zoneId, parts.name, parts.type);
      const value = answer?.values[0];
      if (answer === null || value === undefined) throw new Error(`${parts.name} ${parts.type}: NXDOMAIN`);
      caches[client] = { value, until: now + answer.ttlSeconds * 1000 };
      return value;
    },
  };
}
