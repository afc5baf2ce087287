// One worker process of the exploration: plays the cases that it is dealt, several at once, because many of them wait.
import { readFile } from 'node:fs/promises';
import { deserialize } from 'node:v8';
import { WarmProcesses } from '../services/lambda/warm-processes.ts';
import { parseCase } from './cases.ts';
import type { Handover, Want } from './explore.ts';
import type { VerifyChain } from './invariants.ts';
import { KnownInvocations } from './known-invocations.ts';
import { runCase, type Explored } from './run-case.ts';

/** A client that waits for a late reply, or backs off, waits on the wall clock and costs nothing meanwhile. */
const atOnce = { busy: 10, patient: 6 } as const;

/** Plays cases until there are no more. To be called in a process that was forked. */
export async function work(file: string, verifyChain: VerifyChain): Promise<void> {
  const { prepared, recordings, assembly, port, secret, isWhole } = deserialize(await readFile(file)) as Handover;
  const warm = await new WarmProcesses().listen();
  const recorded = new Map(recordings.map((one) => [one.scenario, one]));
  const explored: Explored = {
    prepared: new Map(prepared.map((one) => [one.scenario, one])), recordings: recorded, known: new KnownInvocations(recorded),
    grounds: { assembly, port, secret, warm }, verifyChain, isWhole,
  };
  const nextCase = dealer();
  const place = async (isPatient: boolean): Promise<void> => {
    for (let id = await nextCase(isPatient); id !== null; id = await nextCase(isPatient)) process.send?.({ result: await runCase(parseCase(id), explored) });
  };
  await Promise.all([...Array.from({ length: atOnce.busy }, () => place(false)), ...Array.from({ length: atOnce.patient }, () => place(true))]);
  await warm.stop();
  process.disconnect();
}

/** Asks the parent for one case after the other. */
function dealer(): (isPatient: boolean) => Promise<string | null> {
  const waiting = { busy: [] as ((id: string | null) => void)[], patient: [] as ((id: string | null) => void)[] };
  process.on('message', ({ next, isPatient }: Want & { readonly next: string | null }) => waiting[isPatient ? 'patient' : 'busy'].shift()?.(next));
  return (isPatient) => new Promise((resolve) => {
    waiting[isPatient ? 'patient' : 'busy'].push(resolve);
    process.send?.({ isPatient } satisfies Want);
  });
}
