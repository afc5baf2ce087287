// How a bake ends: when a version is called good, and what of it is kept.
import { describe, expect, it } from 'vitest';
import { updateRelease } from '../../lambdas/adapters/ledger-history.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import type { Reason } from '../../lambdas/domain/vocabulary.ts';
import type { Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { serviceInput } from './assess-rig.ts';
import { rollback } from './domain/samples.ts';
import { captured, codes, ledger, lookLater, pipeline, record, release, rig, service, startLater } from './watch-rig.ts';
import { recordRollback } from './rollback-rows.ts';

describe('the end of a bake', () => {
  /** Metrics of one service alone: what other tests counted is not its traffic. */
  const own = (namespace: string) => {
    const metric = { namespace, name: 'Requests', dimensions: {}, statistic: 'Sum' as const };
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, signals: { ...serviceInput.signals, traffic: { metric, minimumRequests: 50, minutes: 5 } } }) });
    return (value: number, minutes: number) => rig.cloudWatch.record({ namespace, name: 'Requests', dimensions: {}, value, at: rig.clock.now() + minutes * 60_000 });
  };
  const finished = async (): Promise<Watching> => {
    const watching = await record(pipeline('Started', -1));
    await record(pipeline('Finished', 0), 'w-2');
    return watching;
  };

  it('calls a version good that was used, also when its requests came early in the bake', async () => {
    const requests = own('Used');
    const watching = await finished();
    requests(60, 2);
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'known-good' });
  });

  it('never does without a request, and ends after a second bake', async () => {
    own('Unused');
    const watching = await finished();
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'continue', reasons: [{ code: 'traffic-unknown' }] });
    expect(await lookLater(watching, 22)).toMatchObject({ answer: 'ended', reasons: [{ code: 'traffic-unknown' }] });
  });

  it('does not for fewer requests than prove something, nor for those before the release', async () => {
    const requests = own('Hardly');
    const watching = await finished();
    requests(500, -2);
    requests(20, 2);
    requests(20, 8);
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'continue', reasons: [{ code: 'too-little-traffic', text: expect.stringMatching(/^Only 40 requests in 1[01] minutes; below 50 /) as string }] });
  });

  it('does not call the version before good when nobody used that', async () => {
    own('Before');
    expect(codes(await startLater(await record(pipeline('Started', 0)), 11))).toEqual(expect.arrayContaining(['not-observed-good', 'traffic-unknown']));
    expect((await ledger()).knownGoods).toEqual([]);
  });
});

const settle = (watching: Watching, reasons: Reason[] = []) => watch({ verb: 'settle', watchId: 'w-1', watch: watching, captured: captured('green'), reasons }, rig.parts) as Promise<WatchLooked>;

describe('settling', () => {
  it('calls the version good, as it looks now, since the release finished', async () => {
    await record(pipeline('Started', -20));
    const watching = await record(pipeline('Finished', -15), 'w-2');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    expect(codes(await settle(watching))).toEqual(['known-good', 'not-captured']);
    expect((await ledger()).knownGoods[0]).not.toHaveProperty('unjudged');
    expect((await ledger()).knownGoods).toMatchObject([{ version: 'v2', basis: 'baked', since: (await release())?.finishedAt, states: { web: { weights: { green: 100 } } } }]);
  });

  it('keeps with the version that its metrics had no say at the end', async () => {
    await record(pipeline('Started', -20));
    const watching = await record(pipeline('Finished', -15), 'w-2');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    const reasons = [{ code: 'baked', text: 'Quiet.' }, { code: 'metrics-not-judged', text: 'Its metrics never had a say.' }];
    expect(codes(await settle(watching, reasons))).toEqual(['known-good', 'metrics-not-judged', 'not-captured']);
    expect((await ledger()).knownGoods).toMatchObject([{ version: 'v2', unjudged: 'Its metrics never had a say.' }]);
  });

  it('does not when another release or a rollback came between', async () => {
    const watching = await record(pipeline('Started', -20));
    await recordRollback(rig.table, rollback({ service, release: { id: 'build-2', version: 'v2' } }));
    expect(codes(await settle(watching))).toEqual(['rolled-back']);
    await record(pipeline('Started', -1, { releaseId: 'build-3', version: 'v3' }), 'w-3');
    expect(codes(await settle(watching))).toEqual(['superseded']);
    expect((await ledger()).knownGoods).toEqual([]);
  });

  it('does when the release that came between failed or was undone, unless a rollback of it went back further', async () => {
    await record(pipeline('Started', -20));
    const watching = await record(pipeline('Finished', -15), 'w-2');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    await record(pipeline('Started', -1, { releaseId: 'build-3', version: 'v3' }), 'w-3');
    const next = (await ledger()).releases.find(({ id }) => id === 'build-3');
    if (next === undefined) throw new Error('build-3 is not on record');
    await updateRelease(rig.table, next, { status: 'failed', finishedAt: rig.at(0), undoneAt: rig.at(0) });
    expect(codes(await settle(watching))).toEqual(['known-good', 'not-captured']);
    await recordRollback(rig.table, rollback({ service, startedAt: rig.at(0), release: { id: 'build-3', version: 'v3' }, goodVersion: 'v1' }));
    expect(codes(await settle(watching))).toEqual(['rolled-back']);
  });
});
