// Who is woken by what came in while a rollback was being closed.
import { expect, test } from 'vitest';
import type { DeliveredSignal } from '../../lambdas/domain/ledger.ts';
import { withLateSignals } from '../../lambdas/runtime/late-signals.ts';

const lookedAt = '2026-11-02T10:05:00.000Z';
const recovered = { outcome: 'recovered', ok: true, page: false, headline: 'checkout has recovered', reasons: [] } as const;
const alarm = (since: string, changes: Partial<DeliveredSignal> = {}): DeliveredSignal => ({
  kind: 'alarm', source: 'checkout-errors', status: 'firing', at: '2026-11-02T10:05:10.000Z', since, summary: 'alarm checkout-errors', rollbackId: 'other', mutedUntil: null, ...changes,
});

test('an alarm that fired since the last look wakes on-call', () => {
  expect(withLateSignals(recovered, [alarm('2026-11-02T10:05:05.000Z')], lookedAt).page).toBe(true);
});

test('an alarm\'s event that was delivered late, and fired before the last look, is named and wakes nobody', () => {
  const ending = withLateSignals(recovered, [alarm('2026-11-02T10:03:00.000Z')], lookedAt);
  expect(ending).toMatchObject({ page: false, headline: recovered.headline });
  expect(ending.reasons.map(({ code }) => code)).toEqual(['late-signal']);
});

test('one that fired as the last look began still wakes: it may not have seen it', () => {
  expect(withLateSignals(recovered, [alarm('2026-11-02T10:04:55.000Z')], lookedAt).page).toBe(true);
});

test('another tool\'s message wakes however long ago it began: nobody can ask it again', () => {
  expect(withLateSignals(recovered, [alarm('2026-11-02T10:03:00.000Z', { kind: 'external', source: 'tool/1' })], lookedAt).page).toBe(true);
});
