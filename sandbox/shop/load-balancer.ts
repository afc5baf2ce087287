// The data plane of one listener: real HTTP in, weighted by what is configured, real HTTP out, and the metrics that come of it.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancing } from '../services/elbv2/load-balancing.ts';
import { loadBalancerDimension, targetGroupDimension } from '../services/elbv2/records.ts';
import { steadyNow } from '../steady-time.ts';
import { actionsFor, chooseGroup, chooseTarget } from './routing.ts';

export interface ServedListener {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade', 'te', 'trailer']);
const targetTimeoutMilliseconds = 10_000;
const cookieName = 'AWSALBTG';

/** Serves a listener of the load balancer on a free port of 127.0.0.1. Login actions are passed over: the sandbox's clients count as logged in. */
export async function serveListener(elb: LoadBalancing, listenerArn: string): Promise<ServedListener> {
  const plane = new ListenerPlane(elb, listenerArn);
  const server = http.createServer({ keepAliveTimeout: 10_000 }, (request, response) => plane.serve(request, response));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      plane.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

class ListenerPlane {
  readonly #elb: LoadBalancing;
  readonly #listenerArn: string;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  readonly #metrics: RequestMetrics;
  #turn = 0;

  constructor(elb: LoadBalancing, listenerArn: string) {
    this.#elb = elb;
    this.#listenerArn = listenerArn;
    this.#metrics = new RequestMetrics(elb, elb.listener(listenerArn).loadBalancerArn);
  }

  close(): void {
    this.#agent.destroy();
  }

  serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://load-balancer');
    const actions = actionsFor(this.#elb, this.#listenerArn, { host: (request.headers.host ?? '').replace(/:\d+$/, ''), path: pathname });
    const action = actions.at(-1);
    if (action?.Type === 'fixed-response') return this.#fixed(response, action);
    if (action?.Type === 'redirect') return this.#redirect(request, { response, action });
    this.#forward(request, { response, action });
  }

  #fixed(response: http.ServerResponse, { FixedResponseConfig }: Action): void {
    response.writeHead(Number(FixedResponseConfig?.StatusCode ?? 200), { 'content-type': FixedResponseConfig?.ContentType ?? 'text/plain' });
    response.end(FixedResponseConfig?.MessageBody ?? '');
  }

  #redirect(request: http.IncomingMessage, { response, action }: { response: http.ServerResponse; action: Action }): void {
    const { Protocol = '#{protocol}', Host = '#{host}', Port = '#{port}', Path = '/#{path}', Query = '#{query}', StatusCode } = action.RedirectConfig ?? {};
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
    const filled = `${Protocol}://${Host}:${Port}${Path}?${Query}`.replaceAll('#{protocol}', 'http').replaceAll('#{host}', url.hostname)
      .replaceAll('#{port}', url.port || '80').replaceAll('#{path}', url.pathname.slice(1)).replaceAll('#{query}', url.search.slice(1));
    response.writeHead(StatusCode === 'HTTP_301' ? 301 : 302, { location: filled.replace(/\?$/, '') });
    response.end();
  }

  #forward(request: http.IncomingMessage, { response, action }: { response: http.ServerResponse; action: Action | undefined }): void {
    const groupArn = action === undefined ? null : chooseGroup(action, stuckGroup(request), Math.random);
    const target = groupArn === null ? null : chooseTarget(this.#elb.targetGroup(groupArn), this.#turn++);
    if (groupArn === null || target === null) return this.#fail(request, { response, status: 503 });
    const startedAt = steadyNow();
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)));
    const onward = http.request({
      host: target.id, port: target.port, method: request.method, path: request.url, agent: this.#agent, timeout: targetTimeoutMilliseconds,
      headers: { ...headers, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
    }, (answer) => {
      const status = answer.statusCode ?? 502;
      this.#metrics.answered(groupArn, { status, seconds: (steadyNow() - startedAt) / 1000 });
      const kept = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name)));
      response.writeHead(status, { ...kept, ...stickiness(action, groupArn) });
      answer.pipe(response);
      // A target that dies halfway must not leave the client waiting.
      answer.on('error', () => response.destroy());
    });
    onward.on('timeout', () => onward.destroy(new Error('target timeout')));
    onward.on('error', (error) => this.#unreachable(error, { request, response, groupArn }));
    request.pipe(onward);
  }

  #unreachable(error: Error, { request, response, groupArn }: { request: http.IncomingMessage; response: http.ServerResponse; groupArn: string }): void {
    if (response.headersSent) return void response.destroy();
    this.#metrics.chosen(groupArn);
    this.#fail(request, { response, status: error.message === 'target timeout' ? 504 : 502 });
  }

  #fail(request: http.IncomingMessage, { response, status }: { response: http.ServerResponse; status: 502 | 503 | 504 }): void {
    request.resume();
    this.#metrics.failed(status);
    response.writeHead(status, { 'content-type': 'text/html', server: 'awselb/2.0' });
    response.end(`<html><body>${status}</body></html>`);
  }
}

/** The load balancer's own metrics, one observation per request, in the names and dimensions of AWS/ApplicationELB. */
class RequestMetrics {
  readonly #elb: LoadBalancing;
  readonly #loadBalancer: Record<string, string>;

  constructor(elb: LoadBalancing, loadBalancerArn: string) {
    this.#elb = elb;
    this.#loadBalancer = { LoadBalancer: loadBalancerDimension(loadBalancerArn) };
  }

  answered(groupArn: string, { status, seconds }: { status: number; seconds: number }): void {
    this.chosen(groupArn);
    for (const dimensions of this.#both(groupArn)) {
      this.#record('TargetResponseTime', dimensions, Math.round(seconds * 1000) / 1000, 'Seconds');
      this.#record(`HTTPCode_Target_${Math.floor(status / 100)}XX_Count`, dimensions, 1, 'Count');
    }
  }

  /** RequestCount only counts requests for which a target could be chosen. */
  chosen(groupArn: string): void {
    for (const dimensions of this.#both(groupArn)) this.#record('RequestCount', dimensions, 1, 'Count');
  }

  failed(status: 502 | 503 | 504): void {
    this.#record('HTTPCode_ELB_5XX_Count', this.#loadBalancer, 1, 'Count');
    this.#record(`HTTPCode_ELB_${status}_Count`, this.#loadBalancer, 1, 'Count');
  }

  #both(groupArn: string): Record<string, string>[] {
    return [this.#loadBalancer, { TargetGroup: targetGroupDimension(groupArn), ...this.#loadBalancer }];
  }

  #record(name: string, dimensions: Record<string, string>, value: number, unit: string): void {
    this.#elb.parts.metrics.record({ namespace: 'AWS/ApplicationELB', name, dimensions, value, unit });
  }
}

const encode = (arn: string): string => Buffer.from(arn).toString('base64url');

function stuckGroup(request: http.IncomingMessage): string | null {
  const value = new RegExp(`(?:^|;\\s*)${cookieName}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
  return value === undefined ? null : Buffer.from(value, 'base64url').toString();
}

function stickiness(action: Action | undefined, groupArn: string): { 'set-cookie'?: string } {
  const { Enabled, DurationSeconds } = action?.ForwardConfig?.TargetGroupStickinessConfig ?? {};
  return Enabled === true ? { 'set-cookie': `${cookieName}=${encode(groupArn)}; Max-Age=${DurationSeconds ?? 3600}; Path=/` } : {};
}
