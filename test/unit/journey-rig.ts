// HTTP servers on loopback, and journeys through them.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { type JourneyTools, runJourneys } from '../../lambdas/adapters/journeys.ts';
import { type Journey, serviceSchema } from '../../lambdas/config/schema.ts';
import type { JourneyResult } from '../../lambdas/domain/workflow.ts';

/** Those of the test that runs. */
export const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  }
});

/** @returns host and port of a server that is closed after the test. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export type Requests = readonly Record<string, unknown>[];

/** A journey as the catalogue's schema reads it, with its host allowed on loopback. */
export function journey(host: string, requests: Requests, more: Record<string, unknown> = {}): Journey {
  return parseJourney({ requests: requests.map((one, index) => ({ name: `r${index + 1}`, timeoutMs: 500, ...one })), allowLoopback: [host], ...more });
}

export const parseJourney = (given: unknown): Journey => serviceSchema.parse({
  targets: { web: { strategy: 'codedeploy', application: 'a', deploymentGroup: 'g', platform: 'Server', good: 'last-known-good' } },
  signals: { alarms: [{ name: 'a' }], traffic: { none: 'a test has no traffic' } }, policy: { approval: { none: 'a test needs nobody' } },
  verification: { none: 'a test proves nothing' }, journeys: { j: given },
}).journeys['j'] as Journey;

export const tools = (more: Partial<JourneyTools> = {}): JourneyTools => ({ rollbackId: 'rb-1', readSecrets: async () => new Map(), ...more });

/** What becomes of one journey alone. */
export async function run(one: Journey, more: Partial<JourneyTools> = {}): Promise<JourneyResult> {
  const [result] = await runJourneys({ j: one }, tools(more));
  if (result === undefined) throw new Error('no result');
  return result;
}

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

export const readSecrets = async () => new Map([['key', 's3cret']]);
/** Every name is this machine. */
export const lookup: NonNullable<JourneyTools['lookup']> = (_, __, callback) => { callback(null, [{ address: '127.0.0.1', family: 4 }]); };

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
