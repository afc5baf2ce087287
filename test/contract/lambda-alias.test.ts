// lambda-alias against the sandbox's Lambda: a finished shift, a canary, a deleted version, and a second writer.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import type { StepRequest, TargetState } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/lambda-alias/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { aliasOperations } from '../../sandbox/services/lambda/alias-operations.ts';
import { type AliasRecord, LambdaAliases } from '../../sandbox/services/lambda/aliases.ts';
import * as schemas from '@aws-sdk/client-lambda';
import { Account, Bench, place } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

interface Fn extends Subject {
  readonly aliases: LambdaAliases;
  alias(): AliasRecord;
}

interface Given {
  /** Shares of the alias besides version 1; absent: version 2 has everything. */
  readonly canary?: Readonly<Record<string, number>>;
  readonly good?: TargetState;
  readonly left?: TargetState | null;
}

async function start({ canary, good = { version: '1', weights: {} }, left = { version: '2', weights: {} } }: Given = {}): Promise<Fn> {
  const account = new Account(200);
  const aliases = new LambdaAliases({ place, clock: account.clock });
  aliases.createFunction('shop');
  for (const description of ['1.0.0', '2.0.0', '3.0.0']) aliases.publishVersion('shop', description);
  aliases.createAlias('shop', 'live', canary === undefined ? '2' : '1');
  if (canary !== undefined) aliases.updateAlias('shop', 'live', { RoutingConfig: { AdditionalVersionWeights: { ...canary } } });
  await account.serve([{ signingName: 'lambda', iamPrefix: 'lambda', schemas, operations: aliasOperations(aliases) }]);
  const options = account.client();
  const strategy = createStrategy({ lambda: () => new LambdaClient(options) }) as unknown as Strategy;
  const step: StepRequest = {
    id: 'first/alias', service: 'shop', strategy: 'lambda-alias', targetId: 'alias',
    target: { strategy: 'lambda-alias', functionName: 'shop', alias: 'live', good: 'last-known-good' },
    good: { version: '1.0.0', basis: 'baked', state: good },
    release: { id: 'r-2', version: '2.0.0', startedAt: new Date(account.clock.now()).toISOString(), isFinished: left !== null, left },
  };
  const alias = (): AliasRecord => aliases.alias('shop', 'live');
  return {
    bench: new Bench(account, strategy, step), aliases, alias,
    read: 'lambda:GetAlias', write: 'lambda:UpdateAlias',
    world: () => ({ ...alias(), revisionId: '' }),
    isBack: () => alias().functionVersion === '1' && Object.keys(alias().weights).length === 0,
    somebodyElse: () => void aliases.updateAlias('shop', 'live', { FunctionVersion: '3', RoutingConfig: { AdditionalVersionWeights: {} } }),
    unused: {},
    breaches: () => [],
  };
}

const noPages = 'one alias is asked for by its name: the answer has no pages';
keepsTheContract({ name: 'lambda-alias after a release', start: () => start(), skips: { pages: noPages } });
keepsTheContract({
  name: 'lambda-alias in a canary', start: () => start({ canary: { 2: 0.1 }, left: null }),
  skips: { pages: noPages, someoneElse: 'while a release runs, any version and any share may be its own' },
});

describe('lambda-alias on a live alias', () => {
  let fn: Fn | undefined;
  afterEach(async () => { await fn?.bench.account.close(); });

  it('clears the weights of a canary: left out, they would stay', async () => {
    fn = await start({ canary: { 2: 0.1 }, left: null });
    expect(await fn.bench.apply()).toMatchObject({ status: 'changed', summary: 'version 1 90 %, version 2 10 % → version 1' });
    expect(fn.alias().weights).toEqual({});
  });

  it('goes back to the shares that the good version had', async () => {
    fn = await start({ good: { version: '1', weights: { 3: 0.25 } } });
    await fn.bench.apply();
    expect([fn.alias().functionVersion, fn.alias().weights]).toEqual(['1', { 3: 0.25 }]);
  });

  it('says that a deleted version is gone', async () => {
    fn = await start();
    fn.aliases.deleteVersion('shop', '1');
    expect(await fn.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-gone', text: expect.stringContaining('Version 1') as string } });
    expect(fn.bench.changes()).toEqual([]);
  });

  it('writes on the revision it read: who comes in between wins, and is not overwritten', async () => {
    fn = await start();
    const { somebodyElse } = fn;
    fn.bench.account.server.faults.add({ name: 'person', service: 'lambda', operation: 'UpdateAlias', calls: [1], effect: { kind: 'before', run: () => void somebodyElse() } });
    expect(await fn.bench.apply()).toMatchObject({ status: 'changed-by-someone-else' });
    expect(fn.alias().functionVersion).toBe('3');
    expect(fn.bench.changes().map(({ errorCode }) => errorCode)).toEqual(['PreconditionFailedException']);
    expect(fn.bench.rows.map(({ kind }) => kind)).toEqual(['change-intended', 'change-failed', 'change-failed']);
  });

  it('goes on when the revision moved and the alias did not', async () => {
    fn = await start();
    const { aliases } = fn;
    fn.bench.account.server.faults.add({ name: 'description', service: 'lambda', operation: 'UpdateAlias', calls: [1], effect: { kind: 'before', run: () => void aliases.updateAlias('shop', 'live', {}) } });
    expect(await fn.bench.apply()).toMatchObject({ status: 'changed' });
    expect(fn.isBack()).toBe(true);
  });

  it('sees that a deployment moved the alias on after its own write', async () => {
    fn = await start({ canary: { 2: 0.1 }, left: null });
    const applied = await fn.bench.apply();
    fn.aliases.updateAlias('shop', 'live', { RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } } });
    expect(await fn.bench.look(applied)).toMatchObject({ answer: 'changed-by-someone-else', detail: expect.stringContaining('version 2 20 %') as string });
  });

  it('does not act on a plan that is no longer true', async () => {
    fn = await start({ canary: { 2: 0.1 }, left: null });
    const planned = await fn.bench.plan();
    await fn.somebodyElse();
    expect(await fn.bench.apply(planned)).toMatchObject({ status: 'changed-by-someone-else' });
    expect(fn.bench.changes()).toEqual([]);
  });

  it('reads the alias and the version to go back to side by side', async () => {
    fn = await start();
    fn.bench.account.server.faults.add({ name: 'slow reads', when: ({ operation }) => operation.startsWith('Get'), effect: { kind: 'delay', wallMilliseconds: 500 } });
    const began = performance.now();
    await fn.bench.apply();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
