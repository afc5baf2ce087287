// The demo shop and its load: a version is well or sick by what it is, and the load counts it by version.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { Load } from '../../../sandbox/shop/load.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import type { Sickness } from '../../../sandbox/shop/version.ts';
import { rigAtSpeed, until, type Rig } from './rig.ts';

let rig: Rig<SpedUpClock>;
let shop: Shop | null = null;
const start = async (sickness?: Sickness): Promise<Shop> => {
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'v1', ...(sickness === undefined ? {} : { sickness }) } });
  await shop.start();
  return shop;
};

const order = async (url: string): Promise<{ status: number; text: string }> => {
  const headers = { 'content-type': 'application/json' };
  const cart = (await (await fetch(`${url}/cart`, { method: 'POST', headers, body: '{"items":["tea","pot"]}' })).json()) as { id: string };
  const read = (await (await fetch(`${url}/cart/${cart.id}`)).json()) as { items: string[] };
  expect(read.items).toEqual(['tea', 'pot']);
  const checkout = await fetch(`${url}/checkout`, { method: 'POST', headers, body: JSON.stringify({ cartId: cart.id }) });
  return { status: checkout.status, text: await checkout.text() };
};

beforeEach(() => {
  rig = rigAtSpeed(50);
});

afterEach(async () => {
  await shop?.stop();
  rig.elb.stop();
  rig.clock.stop();
});

describe('the shop', () => {
  it('takes an order over several requests, and says its version', async () => {
    const { url } = await start();
    const { status, text } = await order(url);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ status: 'confirmed', totalCents: 4350, orderId: expect.any(String) as unknown });
    expect((await fetch(`${url}/health`)).headers.get('x-shop-version')).toBe('v1');
    expect((await fetch(`${url}/cart/none`)).status).toBe(404);
  });

  it.each([
    ['fails', 500, 'checkout failed'],
    ['wrong-json', 200, '<html>order placed</html>'],
    ['missing-field', 200, '{"status":"confirmed"'],
  ] as const)('breaks the journey when its checkout %s, and only there', async (checkout, status, text) => {
    const { url } = await start({ checkout });
    expect((await fetch(`${url}/catalogue`)).status).toBe(200);
    const answer = await order(url);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(answer.text).not.toContain('orderId');
  });

  it('falls sick only after its time, as with a leak', async () => {
    const { url } = await start({ errorRate: 1, afterMilliseconds: 20_000 });
    expect((await fetch(`${url}/catalogue`)).status).toBe(200);
    await rig.clock.sleep(21_000);
    expect((await fetch(`${url}/catalogue`)).status).toBe(500);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('fails one in so many requests of an instance where its errors come evenly', async () => {
    const { url } = await start({ errorRate: 0.25, areErrorsEven: true });
    const statuses: number[] = [];
    for (let turn = 0; turn < 24; turn += 1) statuses.push((await fetch(`${url}/catalogue`)).status);
    expect(statuses.filter((status) => status === 500)).toHaveLength(6);
  });

  it('is slow when its version is', async () => {
    const { url } = await start({ latencyMilliseconds: 150 });
    const before = performance.now();
    await (await fetch(`${url}/catalogue`)).text();
    expect(performance.now() - before).toBeGreaterThan(140);
  });

  it('calls another service for each request once it is told to, and fails as that does', async () => {
    const { url, backend } = await start();
    const asked: string[] = [];
    let status = 200;
    const other = http.createServer((request, response) => { asked.push(request.url ?? ''); response.writeHead(status).end('{}'); });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    backend.callsTo(() => `http://127.0.0.1:${port}`);
    expect((await fetch(`${url}/catalogue`)).status).toBe(200);
    status = 503;
    expect((await fetch(`${url}/catalogue`)).status).toBe(502);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    expect((await fetch(`${url}/catalogue`)).status).toBe(502);
    expect(asked).toEqual(['/catalogue', '/catalogue']);
  });

  it('fails in every version when what it depends on fails', async () => {
    const { url, backend } = await start();
    backend.fail(1);
    expect((await fetch(`${url}/catalogue`)).status).toBe(502);
    backend.fail(0);
    expect((await fetch(`${url}/catalogue`)).status).toBe(200);
  });
});

describe('the load', () => {
  it('goes on at its rate while answers fail, and counts them by version', async () => {
    const running = await start();
    const load = new Load({ clock: rig.clock, target: () => running.url, requestsPerSecond: 100 });
    load.start();
    await until(() => load.totals.ok > 60, 'answers came');
    expect(load.totals.failed).toBe(0);
    await running.blue.instances[0]?.install({ name: 'v2', sickness: { errorRate: 1 } });
    await until(() => load.seconds.some(({ versions }) => (versions['v2']?.failed ?? 0) > 10), 'the bad version is seen');
    load.stop();
    const byVersion = (version: string, key: 'ok' | 'failed'): number => load.seconds.reduce((sum, { versions }) => sum + (versions[version]?.[key] ?? 0), 0);
    expect(byVersion('v1', 'failed')).toBe(0);
    expect(byVersion('v1', 'ok') + byVersion('v2', 'ok') + byVersion('none', 'ok')).toBe(load.totals.ok);
    expect(byVersion('v1', 'failed') + byVersion('v2', 'failed') + byVersion('none', 'failed')).toBe(load.totals.failed);
  });

  it('counts an order without its number as failed', async () => {
    const running = await start({ checkout: 'missing-field' });
    const load = new Load({ clock: rig.clock, target: () => running.url, requestsPerSecond: 100 });
    load.start();
    await until(() => load.totals.failed >= 2, 'a broken order was seen');
    load.stop();
    expect(load.totals.ok).toBeGreaterThan(load.totals.failed);
  });

  it('counts a name that does not resolve as failed', async () => {
    const load = new Load({ clock: rig.clock, target: () => { throw new Error('NXDOMAIN'); }, requestsPerSecond: 100 });
    load.start();
    await until(() => load.totals.failed > 5, 'failures were counted');
    load.stop();
    expect(load.totals.ok).toBe(0);
  });
});
