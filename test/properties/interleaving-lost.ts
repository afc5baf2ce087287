// What must hold of every run, whatever happened: it is on record, and what it stood for came to somebody who did something about it.
import { expect } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import type { DeliveredSignal } from '../../lambdas/domain/ledger.ts';
import { rig, type Ran, type World } from './interleaving-world.ts';

export async function nothingLost(world: World, runs: readonly Ran[]): Promise<void> {
  const store = new AuditRows(rig.table.client, 'audit');
  const seen = runs.map((run) => run.seen);
  for (const { rollbackId, verdict } of seen) {
    const rows = await store.read(rollbackId);
    expect(rows[0]?.kind, `first row of ${rollbackId}`).toBe('assessed');
    expect(verifyChain(rows, await readAnchor(rig.table, rollbackId) ?? undefined), rollbackId).toMatchObject({ intact: true, isSealed: verdict !== 'joined', isAnchored: true });
  }
  const signals = await signalsOfOthers(rig.table, { service: world.service, rollbackId: 'nobody', from: rig.at(-60) });
  for (const { rollbackId } of seen.filter(({ verdict }) => verdict === 'joined')) {
    // The newest: an earlier one was left to a run that was found to be gone.
    const signal = signals.find((one) => one.rollbackId === rollbackId);
    expect(signal?.leftTo, `whom ${rollbackId} left its signal to`).toEqual(expect.any(String));
    if (signal !== undefined) expect(await whatBecame(signal, { world, runs, rows: await store.read(signal.leftTo ?? '') }), `what became of the signal that ${rollbackId} left to ${signal.leftTo}`).not.toBe('lost');
  }
  expect((await readLock(rig.table, world.service)).owner, 'the lock').toBeNull();
}

interface Holder {
  readonly world: World;
  readonly runs: readonly Ran[];
  readonly rows: readonly AuditRow[];
}

interface Row {
  readonly at: string;
  readonly kind: string;
  readonly question?: { readonly delivered?: readonly DeliveredSignal[] };
  readonly ending?: { readonly reasons: readonly { readonly code: string; readonly text: string }[] };
}

/** By whom a signal was taken into account, of the run that it was left to. */
async function whatBecame(signal: DeliveredSignal, { world, runs, rows }: Holder): Promise<'assessed' | 'proven' | 'recorded' | 'told' | 'lost'> {
  const read = rows.map(({ at, kind, data }): Row => ({ ...JSON.parse(data) as Omit<Row, 'at' | 'kind'>, at, kind }));
  const isSame = (one: DeliveredSignal): boolean => one.rollbackId === signal.rollbackId && one.at === signal.at;
  // An alarm is read at its source by each look; what a tool or a person said is known from its row alone.
  const isReadAnew = signal.kind !== 'external' && signal.kind !== 'person';
  // An alarm's event can be delivered long after it fired: a look since has read the alarm itself, whenever its event came.
  const firedBefore = (look: string): boolean => signal.kind === 'alarm' && signal.since !== null && Date.parse(signal.since) < Date.parse(look) - 10_000;
  const looks = read.filter(({ kind }) => kind === 'assessed');
  if (looks.some(({ at, question }) => (isReadAnew && (at > signal.at || firedBefore(at))) || question?.delivered?.some(isSame) === true)) return 'assessed';
  const proof = runs.find(({ seen }) => seen.rollbackId === signal.leftTo)?.provenAt ?? null;
  if (proof !== null && (proof > signal.at || firedBefore(proof))) return 'proven';
  const names = (text: string): boolean => text.includes(`${signal.kind} ${signal.source}, ${signal.status}, at `) && text.endsWith(`: ${signal.summary}`);
  if (read.some(({ ending }) => ending?.reasons.some(({ code, text }) => code === 'late-signal' && names(text)) === true)) return 'recorded';
  const told = world.sent.events.filter(({ type, detail }) => type === 'Late Signal' && detail['rollbackId'] === signal.leftTo).flatMap(({ detail }) => detail['signals'] as readonly string[]);
  return told.some(names) && world.sent.messages.some(({ topic, subject }) => topic === 'on-call' && subject.includes('a new signal came in as its rollback ended')) ? 'told' : 'lost';
}
