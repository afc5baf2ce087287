// A small world for tests of the wire: one account, one clock, one server.
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import type { AwsService, Place } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';

export const place: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };

/** A key that the sandbox did not issue: the person at the keyboard. */
export const person = { accessKeyId: 'AKIAPERSON', secretAccessKey: 'anything' };

export interface TestWorld {
  readonly clock: SpedUpClock;
  readonly server: SandboxServer;
  /** Options for any SDK client. */
  readonly client: { readonly endpoint: string; readonly region: string; readonly credentials: typeof person; readonly maxAttempts: number };
  close(): Promise<void>;
}

export async function startWorld(services: readonly AwsService[], speed = 1): Promise<TestWorld> {
  const clock = new SpedUpClock({ speed });
  const server = new SandboxServer({ services, place, clock });
  const endpoint = await server.listen();
  return {
    clock,
    server,
    client: { endpoint, region: place.region, credentials: person, maxAttempts: 1 },
    close: async () => {
      await server.close();
      clock.stop();
    },
  };
}
