// What the ledger knows of long ago, on a real DynamoDB engine: how far back it is read, and what is said of the rest.
import { describe, expect, it } from 'vitest';
import { readEarlier } from '../../lambdas/adapters/ledger-earlier.ts';
import { putRelease, updateRelease } from '../../lambdas/adapters/ledger-history.ts';
import { minute } from './domain/samples.ts';
import { freshService, full, table, useLedger } from './ledger-rig.ts';

useLedger();

describe('what is known of long ago', () => {
  const manifest = (databaseFloor: string | null) => ({ approvals: [], backup: null, databaseFloor, url: null });
  /** v1 … v20, a minute apart; v3 touched the database, as was said of v7 later, and v5 named a floor. */
  async function released(): Promise<string> {
    const service = freshService();
    const one = (n: number) => full({ service, id: `r-${n}`, version: `v${n}`, previousVersion: `v${n - 1}`, startedAt: minute(n), finishedAt: minute(n + 0.5) });
    await Promise.all(Array.from({ length: 20 }, (_, index) => putRelease(table, { ...one(index + 1), manifest: manifest(index + 1 === 5 ? 'v5' : null), touched: index + 1 === 3 ? ['code', 'database'] : ['code'] }, 'w-1')));
    await updateRelease(table, one(7), { touched: ['database'] });
    return service;
  }
  const before = (service: string, n: number) => ({ service, id: `r-${n}`, startedAt: minute(n) });
  const good = (n: number) => ({ version: `v${n}`, since: minute(n + 0.5) });
  const read = async (...given: Parameters<typeof readEarlier>) => {
    const { releases, unreadBefore } = await readEarlier(...given);
    return [releases.map(({ version }) => version).join(' '), unreadBefore];
  };

  it('is what touched the database or names a floor, newest first, from the release given on', async () => {
    const service = await released();
    expect(await read(table, before(service, 15), null)).toEqual(['v7 v5 v3', null]);
    expect(await read(table, before(service, 5), null)).toEqual(['v3', null]);
    expect(await read(table, before(service, 1), null)).toEqual(['', null]);
    const { releases: [newest] } = await readEarlier(table, before(service, 6), null);
    expect(newest).toEqual({ id: 'r-5', version: 'v5', previousVersion: 'v4', startedAt: minute(5), status: 'finished', touched: ['code'], manifest: manifest('v5') });
  });

  it('ends where the version asked for began, and says that it ends there', async () => {
    const service = await released();
    const bound = { pages: 10, rowsAPage: 2, kept: 100 };
    expect(await read(table, before(service, 15), good(6), bound)).toEqual(['v7 v6 v5', minute(5)]);
    expect(await read(table, before(service, 15), good(1), { ...bound, rowsAPage: 3 })).toEqual(['v7 v5 v3 v1', null]);
    // Released again after it was good: that is not when it began.
    await putRelease(table, full({ service, id: 'again', version: 'v6', startedAt: minute(9.5) }), 'w-1');
    expect(await read(table, before(service, 15), good(6), bound)).toEqual(['v6 v7 v6', minute(6)]);
  });

  it('is read over several pages, and no further than the bound: it says from where on nothing is known', async () => {
    const service = await released();
    expect(await read(table, before(service, 15), null, { pages: 3, rowsAPage: 3, kept: 100 })).toEqual(['v7', minute(6)]);
    expect(await read(table, before(service, 15), null, { pages: 5, rowsAPage: 3, kept: 100 })).toEqual(['v7 v5 v3', null]);
    expect(await read(table, before(service, 15), null, { pages: 10, rowsAPage: 3, kept: 2 })).toEqual(['v7 v5', minute(5)]);
  });
});
