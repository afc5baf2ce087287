// Memory during a storm: measured in this process and in the function processes, and held against what has to be kept of each event.
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemorySample {
  /** Runs that had ended. */
  readonly ended: number;
  /** Resident set of this process after its garbage was collected, in MB: the whole sandbox. */
  readonly sandboxMb: number;
  /** Resident set of the largest function process, in MB: Ripcord itself. */
  readonly functionMb: number;
}

/** By then every function process has been warm for hundreds of invocations and the sandbox's rings of calls, executions and events are full. */
const warmUpRuns = 3000;
/** A slope of fewer is one of chance: the resident set goes up and down in steps of several MB. */
const fewestSamples = 8;
/** Memory for each byte that Ripcord records: the row, its key and its index in DynamoDB's stand-in, text of two bytes a character. */
const bytesPerRecordedByte = 4;
/** Node cuts small buffers from slabs of 8 kB (`Buffer.poolSize`), and a row that is kept keeps its slab, whatever else was cut from it. Measured: 16 kB of buffers for an event of two rows. */
const bytesPerRow = 8192;
/** Beside its rows an event leaves the sandbox a name that no other execution may have, and its share of metrics, which are kept to be read: 4 kB. */
const bytesPerEvent = 4096;
/** A function has to keep nothing of an invocation. 2 MB for each 1,000 is what the resident set of a warm Node process wanders by; a leak of one event (2 kB) shows. */
const functionMbPer1000 = 2;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export function sampleMemory(ended: number): MemorySample {
  // What waits to be collected is no growth.
  collectGarbage();
  return { ended, sandboxMb: tenths(process.memoryUsage.rss() / 2 ** 20), functionMb: tenths(largestChildMb()) };
}

export interface MemoryBounds {
  readonly sandboxMb: number;
  readonly functionMb: number;
}

/** What was written into tables for one event, on average. */
export interface Recorded {
  readonly bytes: number;
  readonly rows: number;
}

/** MB for 1,000 events. */
export const boundsFor = ({ bytes, rows }: Recorded): MemoryBounds => ({
  sandboxMb: (1000 * (bytesPerRecordedByte * bytes + bytesPerRow * rows + bytesPerEvent)) / 2 ** 20, functionMb: functionMbPer1000,
});

/**
 * MB for 1,000 events after the warm-up; null when there are too few samples to say.
 * The median of the slopes between all pairs (Theil and Sen): a single step up or down of the resident set does not move it.
 */
export function growth(samples: readonly MemorySample[], name: keyof MemoryBounds): number | null {
  const warm = samples.filter(({ ended }) => ended >= warmUpRuns);
  if (warm.length < fewestSamples) return null;
  const slopes = warm.flatMap((one, index) => warm.slice(index + 1).filter(({ ended }) => ended > one.ended).map((later) => (1000 * (later[name] - one[name])) / (later.ended - one.ended)));
  const sorted = slopes.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** What grew by more than it may. Empty also when there were too few events: then `growth` is null, and the command says so. */
export function grown(samples: readonly MemorySample[], recorded: Recorded): string[] {
  const bounds = boundsFor(recorded);
  const who = { sandboxMb: 'the sandbox', functionMb: 'a function' } as const;
  return (['sandboxMb', 'functionMb'] as const).flatMap((name) => {
    const found = growth(samples, name);
    return found === null || found <= bounds[name] ? [] : [`the memory of ${who[name]} grew by ${found.toFixed(1)} MB for 1,000 events, ${bounds[name].toFixed(1)} MB may be`];
  });
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** From /proc, where there is one; 0 elsewhere. */
function largestChildMb(): number {
  try {
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      const status = statusOf(pid);
      return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === process.pid ? [Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0)] : [];
    });
    return Math.max(0, ...children) / 1024;
  } catch {
    return 0;
  }
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
