// The storm's check of memory: it has to fail for a leak, and only for one.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { boundsFor, exactBuffers, fewestEvents, grown, growth, sampleEvery, sampleMemory, type MemorySample } from '../../sandbox/storm/storm-memory.ts';

/** What a run at the door leaves: its audit row and the anchor of its chain. */
const recorded = { bytes: 2400, rows: 2 };

const live = 10;

interface Grows {
  readonly sandboxMb?: number;
  /** MB that each function process grows by for 1,000 events. */
  readonly functionMb?: number;
  /** MB that one of the function processes grows by beside that. */
  readonly oneMb?: number;
}

/** As of 10,000 events: a warm-up of 200 MB, then so many MB for each 1,000 events, with the steps of a resident set. */
const samples = ({ sandboxMb = 0, functionMb = 0, oneMb = 0 }: Grows, last = 10_000): MemorySample[] =>
  Array.from({ length: last / sampleEvery }, (_, index) => {
    const ended = sampleEvery * (index + 1);
    const warm = Math.min(1, ended / 2500);
    const step = (shift: number): number => [0, 7, 3, 9][(index + shift) % 4] ?? 0;
    const functions = new Map(Array.from({ length: live }, (__, id) => [String(id), 60 + 40 * warm + step(id) / 4 + ((functionMb + (id === 3 ? oneMb : 0)) * ended) / 1000]));
    return { ended, residentMb: 0, sandboxMb: 250 + 200 * warm + step(0) + (sandboxMb * ended) / 1000, functionMb: Math.max(...functions.values()), functions };
  });
const told = (grows: Grows, events = 10_000): string[] => grown(samples(grows, events), recorded, events);

describe('the memory of a storm', () => {
  test('may grow by what has to be recorded, and a warm-up is no growth', () => {
    expect(told({ sandboxMb: boundsFor(recorded).sandboxMb * 0.8, functionMb: 0.8 })).toEqual([]);
  });

  test('of a sandbox that keeps more of each event than that is told', () => {
    expect(told({ sandboxMb: boundsFor(recorded).sandboxMb + 3 })).toEqual([expect.stringMatching(/^the memory of the sandbox grew by .* MB for 1,000 events/) as string]);
  });

  test('of functions that keep 12 kB of each event is told, however many processes share the events, and 8 kB is not', () => {
    const shared = (bytes: number): Grows => ({ functionMb: (bytes * 1000) / 2 ** 20 / live });
    expect(told(shared(12 * 1024))).toEqual([expect.stringMatching(/^the memory of all functions together grew by 11\.[67] MB for 1,000 events, 10\.0 MB may be$/) as string]);
    expect(told(shared(8 * 1024))).toEqual([]);
  });

  test('of one process that grows is told, and so is what one keeps of all events', () => {
    expect(told({ oneMb: 2.5 })).toEqual([expect.stringMatching(/^the memory of a function grew by 2\.5 MB/) as string]);
    expect(told({ oneMb: 12 })).toEqual([expect.stringMatching(/^the memory of a function grew/) as string, expect.stringMatching(/^the memory of all functions together grew by 12\.0 MB/) as string]);
  });

  test('is no growth where processes are started and ended', () => {
    const changing = samples({}).map((sample, index) => ({ ...sample, functions: new Map([...sample.functions].slice(0, 2 + Math.floor(index / 5))) }));
    expect(growth(changing, 'functionsMb')).toBeLessThan(2);
  });

  test('is not judged before the warm-up is over, and that is said, not passed off as flat', () => {
    for (const name of ['sandboxMb', 'functionMb', 'functionsMb'] as const) expect(growth(samples({ sandboxMb: 100, functionMb: 100 }, 3000), name)).toBeNull();
    expect(told({ sandboxMb: 100 }, 3000)).toEqual([]);
  });

  test('of a storm that is large enough has to be judged', () => {
    const text = (who: string): string => `the memory of ${who} was not judged: fewer than 8 samples after 3000 runs`;
    const all = [text('the sandbox'), text('a function'), text('all functions together')];
    expect(grown([], recorded, 5000)).toEqual(all);
    expect(grown(samples({}).filter(({ ended }) => ended < 4750), recorded, 10_000)).toEqual(all);
    // Where there is no /proc.
    expect(grown(samples({}).map((sample) => ({ ...sample, functionMb: 0, functions: new Map() })), recorded, 10_000)).toEqual(all.slice(1));
    expect(told({}, 5000)).toEqual([]);
  });

  /** MB by which this process grows, as long as what is made is kept. */
  function grownBy(make: () => unknown): number {
    const kept: unknown[] = [];
    const before = sampleMemory(0).sandboxMb;
    kept.push(make());
    const mb = sampleMemory(1).sandboxMb - before;
    kept.pop();
    return mb;
  }

  test('is measured in this very process: what it keeps, in its heap and in buffers, and no garbage', () => {
    const buffers = (): Buffer[] => Array.from({ length: 40 }, () => Buffer.alloc(2 ** 20, 1));
    const mb = grownBy(buffers);
    expect(mb).toBeGreaterThan(38);
    expect(mb).toBeLessThan(42);
    expect(grownBy(() => Array.from({ length: 500_000 }, (_, index) => ({ index })))).toBeGreaterThan(10);
    expect(grownBy(() => buffers().length)).toBeLessThan(2);
  });

  test('does not hang on what else was cut from the slab of a buffer', () => {
    // Of each slab one small buffer is kept: 6 MB of text in 23 MB.
    const rows = (): Buffer[] => Array.from({ length: 3000 }, () => Array.from({ length: 4 }, () => Buffer.from('row '.repeat(500)))[0] ?? Buffer.alloc(0));
    expect(grownBy(rows)).toBeGreaterThan(18);
    const asBefore = exactBuffers();
    expect(grownBy(rows)).toBeLessThan(9);
    asBefore();
    expect(grownBy(rows)).toBeGreaterThan(18);
  });
});

test('the README names the bounds that hold', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const of = (bytes: number, rows: number): number => boundsFor({ bytes, rows }).sandboxMb * 2 ** 20 / 1000;
  const { functionMb, functionsMb, sandboxMb } = boundsFor({ bytes: 2400, rows: 2 });
  const [event, row, byte] = [of(0, 0), of(0, 1) - of(0, 0), of(1, 0) - of(0, 0)];
  expect(readme).toContain(`for 1,000 events: ${functionMb} MB for one function, ${functionsMb} MB for all functions together, and for the sandbox, which keeps the record, ${Math.round(byte)} bytes for each byte recorded, ${Math.round(row) / 1024} kB for each row and ${Math.round(event) / 1024} kB for each event (some ${Math.round(sandboxMb)} MB, at 2.4 kB in two rows)`);
  expect(readme).toContain(`fewer than ${fewestEvents.toLocaleString('en')} events is too small for them`);
});
