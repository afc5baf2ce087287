// Memory during a storm: measured in this process and in the function processes, and held against what has to be kept of each event.
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemorySample {
  /** Runs that had ended. */
  readonly ended: number;
  /** What this process keeps, in MB: the heap in use and the buffers outside of it, after a full collection of garbage. The whole sandbox. */
  readonly sandboxMb: number;
  /** Its resident set, in MB: to be read, not judged. */
  readonly residentMb: number;
  /** Resident set of the largest function process, in MB: Ripcord itself. */
  readonly functionMb: number;
  /** Resident set of each function process, in MB, by its id. */
  readonly functions: ReadonlyMap<string, number>;
}

/** Runs between two samples. */
export const sampleEvery = 250;

/** By then every function process has been warm for hundreds of invocations and the sandbox's rings of calls, executions and events are full. */
const warmUpRuns = 3000;
/** A slope of fewer is one of chance: the resident set of a function goes up and down in steps of several MB. */
const fewestSamples = 8;
/** Memory for each byte that Ripcord records, as JSON. All three together are 8 to 11 MB for 1,000 events of a storm; measured were 4.6 for many services and 5.6 for one. */
const bytesPerRecordedByte = 2;
/** Beside its text: a row's key, its place among the others, and the objects around it. */
const bytesPerRow = 1536;
/** Beside its rows an event leaves the sandbox a name that no other execution may have, and its share of metrics, which are kept to be read. */
const bytesPerEvent = 1024;
/** A storm of so many events is judged, or fails; of its waits too. */
export const fewestEvents = warmUpRuns + fewestSamples * sampleEvery;
/** A function has to keep nothing of an invocation. 2 MB for each 1,000 events is what the resident set of a warm Node process wanders by. */
const functionMbPer1000 = 2;
/** All function processes together, among which the events are spread: what each wanders by evens out in part. More than 10 kB kept of each event shows, less does not. */
const functionsMbPer1000 = 10;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export function sampleMemory(ended: number): MemorySample {
  // What waits to be collected is no growth. Buffers are swept after a collection, side by side with what runs then; a second one waits for that.
  collectGarbage();
  collectGarbage();
  const functions = childrenMb();
  // Not the resident set: that holds what the allocator keeps for later too, grows by half as much again, and shrinks in a second storm of the same process.
  const { heapUsed, external, rss } = process.memoryUsage();
  return { ended, sandboxMb: tenths((heapUsed + external) / 2 ** 20), residentMb: tenths(rss / 2 ** 20), functionMb: tenths(Math.max(0, ...functions.values())), functions };
}

/**
 * Until the returned function is called each buffer is as large as what is in it. Node cuts small ones from slabs of 8 kB otherwise, whatever keeps one
 * keeps its slab, and how much of it is garbage is a matter of what else was cut from it.
 */
export function exactBuffers(): () => void {
  const { poolSize } = Buffer;
  Buffer.poolSize = 0;
  return () => { Buffer.poolSize = poolSize; };
}

export interface MemoryBounds {
  readonly sandboxMb: number;
  readonly functionMb: number;
  /** Of all function processes together. */
  readonly functionsMb: number;
}

/** What tables hold: rows, and their length as JSON. */
export interface Recorded {
  readonly bytes: number;
  readonly rows: number;
}

/** MB for 1,000 events. */
export const boundsFor = ({ bytes, rows }: Recorded): MemoryBounds => ({
  sandboxMb: (1000 * (bytesPerRecordedByte * bytes + bytesPerRow * rows + bytesPerEvent)) / 2 ** 20, functionMb: functionMbPer1000, functionsMb: functionsMbPer1000,
});

/** MB for 1,000 events after the warm-up; null when there are too few samples to say. */
export function growth(samples: readonly MemorySample[], name: keyof MemoryBounds): number | null {
  const warm = samples.filter(({ ended }) => ended >= warmUpRuns);
  if (name === 'functionsMb') return growthOfAll(warm);
  if (name === 'functionMb' && warm.every(({ functions }) => functions.size === 0)) return null;
  return slope(warm.map((sample) => ({ ended: sample.ended, mb: sample[name] })));
}

/** As many times what one process grows by on average as there are processes: one that is started or ended meanwhile is no growth. */
function growthOfAll(samples: readonly MemorySample[]): number | null {
  const slopes = [...new Set(samples.flatMap(({ functions }) => [...functions.keys()]))].flatMap((id) =>
    slope(samples.flatMap(({ ended, functions }) => (functions.has(id) ? [{ ended, mb: functions.get(id) ?? 0 }] : []))) ?? []);
  if (slopes.length === 0) return null;
  const live = samples.reduce((sum, { functions }) => sum + functions.size, 0) / samples.length;
  return (live * slopes.reduce((sum, one) => sum + one, 0)) / slopes.length;
}

/** The median of the slopes between all pairs (Theil and Sen): a single step up or down of the resident set does not move it. Null for too few. */
function slope(points: readonly { readonly ended: number; readonly mb: number }[]): number | null {
  if (points.length < fewestSamples) return null;
  const slopes = points.flatMap((one, index) => points.slice(index + 1).filter(({ ended }) => ended > one.ended).map((later) => (1000 * (later.mb - one.mb)) / (later.ended - one.ended)));
  const sorted = slopes.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** What grew by more than it may, or could not be judged though there were events enough. Of a smaller storm `growth` is null, and the command says so. */
export function grown(samples: readonly MemorySample[], recorded: Recorded, events: number): string[] {
  const bounds = boundsFor(recorded);
  const who = { sandboxMb: 'the sandbox', functionMb: 'a function', functionsMb: 'all functions together' } as const;
  return (['sandboxMb', 'functionMb', 'functionsMb'] as const).flatMap((name) => {
    const found = growth(samples, name);
    if (found === null) return events < fewestEvents ? [] : [`the memory of ${who[name]} was not judged: fewer than ${fewestSamples} samples after ${warmUpRuns} runs`];
    return found <= bounds[name] ? [] : [`the memory of ${who[name]} grew by ${found.toFixed(1)} MB for 1,000 events, ${bounds[name].toFixed(1)} MB may be`];
  });
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** From /proc, where there is one; none elsewhere. */
function childrenMb(): ReadonlyMap<string, number> {
  try {
    return new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid): [string, number][] => {
      const status = statusOf(pid);
      return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === process.pid ? [[pid, Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024]] : [];
    }));
  } catch {
    return new Map();
  }
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
