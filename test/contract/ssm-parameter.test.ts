// ssm-parameter against the sandbox's Parameter Store: a flag, a value put back, a secret, and writers in between.
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject, StepRequest } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/ssm-parameter/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { ParameterStore, type NewParameter, type ParameterVersion } from '../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../sandbox/services/ssm/service.ts';
import { Account, Bench, place } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

interface Flag extends Subject {
  readonly store: ParameterStore;
  readonly put: (value: string) => void;
  readonly live: () => ParameterVersion;
}

interface Given {
  readonly name?: string;
  /** As the catalogue names it. */
  readonly parameter?: string;
  readonly good?: JsonObject;
  readonly type?: NewParameter['type'];
}

const person = `arn:aws:iam::${place.account}:user/dana`;

async function start({ name = '/shop/flags/checkout', parameter = name, good, type = 'String' }: Given = {}): Promise<Flag> {
  const account = new Account(200);
  const store = new ParameterStore(place, account.clock);
  const write = (value: string): void => void store.put({ name, value, type, overwrite: true, by: person });
  write('off');
  write('on');
  await account.serve([ssmService(store)]);
  const [options, once] = [account.client(), { ...account.client(), maxAttempts: 1 }];
  const strategy = createStrategy({ ssm: () => new SSMClient(options), ssmOnce: () => new SSMClient(once) }) as unknown as Strategy;
  const step: StepRequest = {
    id: 'first/flag', service: 'shop', strategy: 'ssm-parameter', targetId: 'flag',
    target: { strategy: 'ssm-parameter', parameter, good: good ?? 'last-known-good', takesEffectSeconds: 30 },
    good: { version: '1', basis: 'baked', state: good === undefined ? { name, value: 'off', version: 1 } : null },
    release: { id: 'r-2', version: '2', startedAt: new Date(account.clock.now()).toISOString(), isFinished: true, left: { name, value: 'on', version: 2 } },
  };
  const live = (): ParameterVersion => store.get(name);
  return {
    bench: new Bench(account, strategy, step), store, put: write, live,
    read: 'ssm:GetParameter', write: 'ssm:PutParameter',
    world: () => store.history(name),
    isBack: () => live().value === 'off',
    somebodyElse: () => write('half'),
    unused: {},
    breaches: () => [],
  };
}

const noPages = 'one parameter is asked for by its name: the answer has no pages';
keepsTheContract({ name: 'ssm-parameter with its last good value', start: () => start(), skips: { pages: noPages } });
keepsTheContract({ name: 'ssm-parameter with a declared value', start: () => start({ good: { value: 'off' } }), skips: { pages: noPages } });

describe('ssm-parameter on a live parameter', () => {
  let flag: Flag | undefined;
  afterEach(async () => { await flag?.bench.account.close(); });

  it.each(['/shop/flag', 'flag'])('writes %s by the name that SSM gives, where the catalogue has the ARN', async (name) => {
    flag = await start({ name, parameter: `arn:aws:ssm:eu-west-1:111122223333:parameter/${name.replace(/^\//, '')}` });
    expect(await flag.bench.apply()).toMatchObject({ status: 'changed', summary: `${name} "on" → "off"` });
    expect(flag.bench.changes()[0]?.input).toEqual({ Name: name, Value: 'off', Overwrite: true });
  });

  it('neither reads nor writes a secret, and keeps its ciphertext to itself', async () => {
    flag = await start({ type: 'SecureString' });
    const reason = { code: 'invalid', text: expect.stringContaining('holds a secret') as string };
    const said = [await flag.bench.capture(), await flag.bench.plan(), await flag.bench.apply()];
    expect(said).toMatchObject([{ status: 'failed', state: null, reason }, { outcome: 'impossible', reason }, { status: 'failed', reason }]);
    expect(flag.bench.changes()).toEqual([]);
    expect(flag.bench.calls().every(({ input }) => !('WithDecryption' in (input as object)))).toBe(true);
    expect(JSON.stringify([said, flag.bench.rows])).not.toContain('AQICAH');
  });

  it('is confirmed only when the applications have had the time to read it', async () => {
    flag = await start();
    const applied = await flag.bench.apply();
    expect(applied.confirmAfterSeconds).toBe(30);
    expect(await flag.bench.look(applied)).toMatchObject({ answer: 'not-yet', detail: expect.stringContaining('s more') as string });
    expect(await flag.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
  });

  it('waits as well for a value that it found in place a moment after it was written', async () => {
    flag = await start();
    flag.put('off');
    const applied = await flag.bench.apply();
    expect(applied.status).toBe('already');
    expect(await flag.bench.look(applied)).toMatchObject({ answer: 'not-yet' });
  });

  it('does not wait for a value that has been in place for long enough', async () => {
    flag = await start();
    flag.put('off');
    await flag.bench.account.clock.sleep(40_000);
    expect(await flag.bench.look(await flag.bench.apply())).toMatchObject({ answer: 'yes' });
  });

  it('looks again before it repeats a write, and leaves somebody\'s value alone', async () => {
    flag = await start();
    const { put } = flag;
    const { faults } = flag.bench.account.server;
    faults.add({ name: 'busy', service: 'ssm', operation: 'PutParameter', calls: [1], effect: { kind: 'throttle' } });
    let reads = 0;
    faults.add({ name: 'person', service: 'ssm', operation: 'GetParameter', effect: { kind: 'before', run: () => { if ((reads += 1) === 2) put('half'); } } });
    expect(await flag.bench.apply()).toMatchObject({ status: 'changed-by-someone-else' });
    expect([flag.live().value, reads, flag.bench.changes()]).toEqual(['half', 3, []]);
  });

  it('admits that it wrote over a value that came in the very last moment', async () => {
    flag = await start();
    const { put } = flag;
    flag.bench.account.server.faults.add({ name: 'person', service: 'ssm', operation: 'PutParameter', effect: { kind: 'before', run: () => put('half') } });
    const applied = await flag.bench.apply();
    expect(applied).toMatchObject({ status: 'changed', handle: { version: 4 } });
    expect(await flag.bench.confirm(applied)).toMatchObject({ answer: 'changed-by-someone-else', detail: expect.stringContaining('overwritten') as string });
  });

  it('finds its own write when the answer was lost, and writes no second version', async () => {
    flag = await start();
    flag.bench.account.server.faults.add({ name: 'lost', service: 'ssm', operation: 'PutParameter', calls: [1], effect: { kind: 'reset', after: true } });
    const applied = await flag.bench.apply();
    expect(applied).toMatchObject({ status: 'changed', handle: { version: 3 } });
    expect(flag.live().version).toBe(3);
    expect(await flag.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
  });

  it('does not act on a plan that is no longer true', async () => {
    flag = await start({ good: { value: 'off' } });
    const planned = await flag.bench.plan();
    await flag.somebodyElse();
    expect(await flag.bench.apply(planned)).toMatchObject({ status: 'changed-by-someone-else' });
    expect(flag.bench.changes()).toEqual([]);
  });

  it('says that a deleted parameter is gone, and does not make it again', async () => {
    flag = await start();
    flag.store.delete('/shop/flags/checkout');
    expect(await flag.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'gone', text: expect.stringContaining('ssm:GetParameter') as string } });
    expect(flag.bench.changes()).toEqual([]);
  });
});
