// The storm's check of memory: it has to fail for a leak, and only for one.
import { describe, expect, test } from 'vitest';
import { boundsFor, grown, growth, sampleMemory, type MemorySample } from '../../sandbox/storm/storm-memory.ts';

/** What a run at the door writes: its audit row and the signal for whoever has the lock. */
const recorded = { bytes: 2500, rows: 2.2 };

/** As of 10,000 events: a warm-up of 200 MB, then so many MB for each 1,000 events, with the steps of a resident set. */
const samples = (perThousand: { readonly sandboxMb?: number; readonly functionMb?: number }, last = 10_000): MemorySample[] =>
  Array.from({ length: last / 250 }, (_, index) => {
    const ended = 250 * (index + 1);
    const [warm, step] = [Math.min(1, ended / 2500), [0, 7, 3, 9][index % 4] ?? 0];
    return { ended, sandboxMb: 250 + 200 * warm + step + ((perThousand.sandboxMb ?? 0) * ended) / 1000, functionMb: 60 + 40 * warm + step / 4 + ((perThousand.functionMb ?? 0) * ended) / 1000 };
  });

describe('the memory of a storm', () => {
  test('may grow by what has to be recorded, and a warm-up is no growth', () => {
    expect(grown(samples({ sandboxMb: boundsFor(recorded).sandboxMb * 0.8 }), recorded)).toEqual([]);
  });

  test('of a sandbox that keeps more of each event than that is told', () => {
    expect(grown(samples({ sandboxMb: boundsFor(recorded).sandboxMb + 3 }), recorded)).toEqual([expect.stringMatching(/^the memory of the sandbox grew by .* MB for 1,000 events/) as string]);
  });

  test('of a function that keeps 16 kB of each of the events that its process sees is told', () => {
    // A tenth of the events each: 10 processes share them.
    expect(grown(samples({ functionMb: 16 * 1000 / 1024 / 10 + 1 }), recorded)).toEqual([expect.stringMatching(/^the memory of a function grew by/) as string]);
  });

  test('is not judged before the warm-up is over, and that is said, not passed off as flat', () => {
    expect(growth(samples({ sandboxMb: 100 }, 3000), 'sandboxMb')).toBeNull();
  });

  test('is measured in this very process', () => {
    const before = sampleMemory(0);
    const kept = Array.from({ length: 40 }, () => Buffer.alloc(2 ** 20, 1));
    const after = sampleMemory(1);
    expect(after.sandboxMb - before.sandboxMb).toBeGreaterThan(30);
    expect(kept).toHaveLength(40);
  });
});
