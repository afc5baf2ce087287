// What counts as the look of a good version, from the Watch's captures on: never what a release or a person moved meanwhile.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import type { TargetState } from '../../lambdas/domain/vocabulary.ts';
import type { Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { serviceInput } from './assess-rig.ts';
import { blue, codes, conclude, goods, green, recordSettled, rig, service, settledAt, share, statesAt } from './watch-rig.ts';

beforeAll(() => {
  rig.cloudWatch.record({ namespace: 'Shop', name: 'Requests', dimensions: { Service: 'checkout' }, value: 500, at: Date.parse(settledAt(-5)) });
});
beforeEach(() => {
  rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, targets: { web: serviceInput.targets['web'], api: serviceInput.targets['web'] } }) });
});

type Shares = Readonly<Record<string, TargetState>>;
/** Release v2 begins at minute 0; how the targets looked is captured so many minutes on. */
async function begin(states: Shares, minutes = 0.1): Promise<{ readonly watching: Watching; readonly said: WatchLooked }> {
  const watching = await recordSettled('Started', 0);
  return { watching, said: await conclude('start', watching, statesAt(states, minutes)) };
}

const finish = async (states: Shares, minutes = 0.5, number = 2): Promise<WatchLooked> =>
  conclude('left', await recordSettled('Finished', minutes, number), statesAt(states, minutes));

/** Release v1, an hour before, that left the targets like this. */
async function releasedBefore(states: Shares): Promise<void> {
  await recordSettled('Started', -50, 1);
  await finish(states, -45, 1);
}

describe('what was live as the first release began', () => {
  it('is good when it was captured at once and the release moved it', async () => {
    expect(codes((await begin({ web: blue })).said)).toEqual(['observed-good']);
    expect(codes(await finish({ web: green }))).toEqual(['left-kept']);
    expect(await goods()).toMatchObject([{ version: 'v1', basis: 'observed', states: { web: blue } }]);
  });

  it('is not when it was captured late, or nobody knows when', async () => {
    const { watching, said } = await begin({ web: green }, 0.6);
    expect(codes(said)).toEqual(expect.arrayContaining(['not-observed-good', 'captured-late']));
    const timeless = statesAt({ web: green }, 0).map(({ at: _at, ...one }) => one);
    expect(codes(await conclude('start', watching, timeless))).toContain('captured-late');
    expect(await goods()).toEqual([]);
  });

  it('is not when a canary had traffic already', async () => {
    expect(codes((await begin({ web: share(90, 10) })).said)).toEqual(expect.arrayContaining(['not-observed-good', 'half-way']));
    expect(await goods()).toEqual([]);
  });

  it('is withdrawn when the release turns out to have moved nothing since, in proportions', async () => {
    await begin({ web: green });
    expect(codes(await finish({ web: share(0, 1, { actions: [] }) }))).toEqual(['left-kept', 'withdrawn']);
    expect(await goods()).toEqual([]);
  });

  it('is withdrawn too when the release finished before its beginning was written down', async () => {
    const watching = await recordSettled('Started', 0);
    await finish({ web: green }, 0.2);
    expect(codes(await conclude('start', watching, statesAt({ web: green }, 0.1)))).toContain('withdrawn');
    expect(await goods()).toEqual([]);
    expect((await readService(rig.table, service, new Date(rig.clock.now()))).releases[0]?.left).toEqual({ web: green });
  });

  it('stays what the release left when its watch is slower than its end', async () => {
    const watching = await recordSettled('Started', 0);
    await recordSettled('Finished', 0.2);
    await conclude('start', watching, statesAt({ web: blue }, 0.1));
    expect((await readService(rig.table, service, new Date(rig.clock.now()))).releases[0]?.left).toBeNull();
    expect(await goods()).toMatchObject([{ version: 'v1', states: { web: blue } }]);
  });

  it('stays for a target that the release does not touch beside one that it does', async () => {
    await begin({ web: blue, api: blue });
    expect(codes(await finish({ web: green, api: blue }))).toEqual(['left-kept']);
    expect(await goods()).toMatchObject([{ version: 'v1', states: { web: blue, api: blue } }]);
  });

  it('is not proven by a release of which nothing was captured', async () => {
    await begin({ web: blue });
    expect(codes(await finish({}))).toEqual(['left-kept', 'withdrawn']);
    expect(await goods()).toEqual([]);
  });
});

describe('what was live as a later release began', () => {
  it('is good when it is as the release before left it, however late it was captured', async () => {
    await releasedBefore({ web: share(0, 1) });
    expect(codes((await begin({ web: green }, 0.9)).said)).toEqual(['observed-good']);
    // Not moved by a release that only changed what runs there.
    expect(codes(await finish({ web: green }, 0.95))).toEqual(['left-kept']);
    expect(await goods()).toMatchObject([{ version: 'v1', states: { web: green } }]);
  });

  it('is not when it is otherwise, however soon: blue/green has turned, or a canary has begun', async () => {
    await releasedBefore({ web: green, api: blue });
    expect(codes((await begin({ web: blue, api: share(90, 10) }, 0)).said)).toEqual(['not-observed-good', 'not-captured', 'not-as-left', 'not-as-left']);
    expect(await goods()).toEqual([]);
  });

  it('is told target by target: what is as left stays, also when what is not proven is withdrawn', async () => {
    await releasedBefore({ web: blue });
    expect(codes((await begin({ web: blue, api: green })).said)).toEqual(['observed-good']);
    expect(codes(await finish({ web: blue, api: green }))).toEqual(['left-kept', 'withdrawn']);
    const [good] = await goods();
    expect(good).toMatchObject({ version: 'v1', states: { web: blue } });
    expect(good?.states).not.toHaveProperty('api');
  });
});

describe('what is live at the end of a bake', () => {
  it('is good when it is as the release left it, in proportions', async () => {
    const { watching } = await begin({ web: blue });
    await finish({ web: green });
    expect(codes(await conclude('settle', watching, statesAt({ web: share(0, 7, { actions: [] }) }, 1)))).toEqual(['known-good']);
    expect((await goods())[0]).toMatchObject({ version: 'v2', basis: 'baked' });
  });

  it('is not when a person moved the weights before', async () => {
    const { watching } = await begin({ web: blue });
    await finish({ web: green });
    expect(codes(await conclude('settle', watching, statesAt({ web: blue }, 1)))).toEqual(['not-known-good', 'changed-since']);
    expect(await goods()).toMatchObject([{ version: 'v1', basis: 'observed' }]);
  });

  it('is not when nobody saw what the release left', async () => {
    const { watching } = await begin({ web: blue });
    expect(codes(await conclude('settle', watching, statesAt({ web: green }, 1)))).toEqual(['not-known-good', 'left-unknown']);
    expect(await goods()).toMatchObject([{ version: 'v1' }]);
  });

  it('is told target by target', async () => {
    const { watching } = await begin({ web: blue, api: blue });
    await finish({ web: green, api: green });
    expect(codes(await conclude('settle', watching, statesAt({ web: green, api: share(50, 50) }, 1)))).toEqual(['known-good', 'changed-since']);
    expect((await goods())[0]).toMatchObject({ version: 'v2', states: { web: green } });
    expect((await goods())[0]?.states).not.toHaveProperty('api');
  });
});
