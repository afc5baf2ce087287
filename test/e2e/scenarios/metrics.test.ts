// Scenarios about metrics, played whole.
import { expect, test } from 'vitest';
import { findInMetrics } from '../../../lambdas/domain/metric-findings.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import { playEach, playOne } from './play-one.ts';

playEach(['no-alarm-sees-it', 'nobody-knows-why']);

test('sick-canary', async () => {
  const { records } = await playOne('sick-canary');
  const [assessed] = records.flatMap(({ rows }) => rows.filter(({ kind }) => kind === 'assessed'));
  const { metrics, releases: [release], now } = (JSON.parse(assessed?.data ?? '') as { readonly question: Question }).question;
  if (metrics?.status !== 'read' || release === undefined) throw new Error('no metrics were read, or no release is known');
  const { shift, ...whole } = metrics;
  expect(shift?.pairs.map(({ released, before }) => [released.name, before.name])).toEqual([['green', 'blue']]);
  expect(findInMetrics(metrics, release, now)?.verdict).toBe('worse');
  // Both together accuse nobody: without the versions apart the canary would go on.
  expect(findInMetrics(whole, release, now)?.verdict).not.toBe('worse');
});
