// Serves the shop through a Lambda alias: each request goes to the version that the alias's weights choose.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricsPort } from '../aws/world.ts';
import type { LambdaAliases } from '../services/lambda/aliases.ts';
import { steadyNow } from '../steady-time.ts';
import { ShopInstance, type InstanceParts } from './server.ts';
import type { Releases } from './version.ts';

export interface AliasFrontParts {
  readonly aliases: LambdaAliases;
  readonly functionName: string;
  readonly alias: string;
  /** A version's description names the release that it runs. */
  readonly releases: Releases;
  readonly instance: InstanceParts;
  readonly metrics: MetricsPort;
}

export class AliasFront {
  readonly #parts: AliasFrontParts;
  readonly #instances = new Map<string, Promise<ShopInstance>>();
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  #server: http.Server | null = null;

  constructor(parts: AliasFrontParts) {
    this.#parts = parts;
  }

  /** Listens on a free port of 127.0.0.1, to be registered as the load balancer's target. */
  async start(): Promise<number> {
    const server = http.createServer({ keepAliveTimeout: 10_000 }, (request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#agent.destroy();
    if (server !== null) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    }
    for (const instance of this.#instances.values()) await (await instance).stop();
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { aliases, functionName, alias } = this.#parts;
    const version = aliases.choose(functionName, alias);
    const startedAt = steadyNow();
    const finish = (status: number): void => this.#record(version, { failed: status >= 500, milliseconds: steadyNow() - startedAt });
    const instance = await this.#instance(version);
    if (instance === null) {
      request.resume();
      finish(502);
      response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Internal server error' }));
      return;
    }
    const onward = http.request({ host: '127.0.0.1', port: instance.port, method: request.method, path: request.url, headers: { ...request.headers, connection: 'keep-alive' }, agent: this.#agent }, (answer) => {
      finish(answer.statusCode ?? 502);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      finish(502);
      response.writeHead(502).end();
    });
    request.pipe(onward);
  }

  /** Null when the release of this version does not exist any more. */
  async #instance(version: string): Promise<ShopInstance | null> {
    const { aliases, functionName, releases, instance } = this.#parts;
    const running = this.#instances.get(version);
    if (running !== undefined) return await running;
    const release = releases.find(aliases.version(functionName, version).description);
    if (release === undefined) return null;
    const starting = (async () => {
      const fresh = new ShopInstance(release, instance);
      await fresh.start();
      return fresh;
    })();
    this.#instances.set(version, starting);
    return await starting;
  }

  #record(version: string, { failed, milliseconds }: { failed: boolean; milliseconds: number }): void {
    const { metrics, functionName, alias } = this.#parts;
    const resource = { FunctionName: functionName, Resource: `${functionName}:${alias}` };
    // Of every invocation through an alias, whether it is shared or not.
    for (const dimensions of [{ FunctionName: functionName }, resource, { ...resource, ExecutedVersion: version }]) {
      metrics.record({ namespace: 'AWS/Lambda', name: 'Invocations', dimensions, value: 1, unit: 'Count' });
      metrics.record({ namespace: 'AWS/Lambda', name: 'Errors', dimensions, value: Number(failed), unit: 'Count' });
      metrics.record({ namespace: 'AWS/Lambda', name: 'Duration', dimensions, value: Math.round(milliseconds * 100) / 100, unit: 'Milliseconds' });
    }
  }
}
