// The exploration: prepares the scenarios, deals their cases to worker processes, and tells how it goes.
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { availableParallelism } from 'node:os';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { serialize } from 'node:v8';
import { WarmProcesses } from '../services/lambda/warm-processes.ts';
import { casesOf, parseCase, type Case, type FaultName } from './cases.ts';
import { Deck } from './deck.ts';
import { judge, runOf, type VerifyChain } from './invariants.ts';
import { makeAssembly, prepare } from './prepare.ts';
import { Progress } from './progress.ts';
import { record, type Recording } from './record.ts';
import type { CaseResult } from './run-case.ts';
import { scenarioOf, scenarios, sessionOf } from './scenarios.ts';
import { shuffled } from './shuffle.ts';
import type { Prepared } from './world.ts';

export interface ExploreOptions {
  readonly directory: string;
  readonly synthesize: (config: string, out: string) => void;
  readonly verifyChain: VerifyChain;
  /** The command that starts one worker, for `fork`: a module and its arguments. */
  readonly worker: readonly [module: string, ...args: string[]];
  readonly seed: number;
  readonly scenario?: readonly string[];
  readonly fault?: readonly string[];
  readonly only?: readonly string[];
  /** So many of the chosen cases, spread by chance. */
  readonly sample?: number;
  /** Every invocation is done by a process; default: those before the fault are played back from the recording. */
  readonly whole?: boolean;
  /** Worker processes; default one for each processor. */
  readonly workers?: number;
  readonly print: (line: string) => void;
}

/** What the workers need of the preparation. */
export interface Handover {
  readonly prepared: readonly Prepared[];
  readonly recordings: readonly Recording[];
  readonly assembly: string;
  readonly port: number;
  readonly secret: string;
  readonly isWhole: boolean;
}

export interface Exploration {
  readonly cases: readonly Case[];
  readonly results: readonly CaseResult[];
  readonly seconds: number;
}

/** Lists the chosen cases without running them. */
export async function listCases(options: ExploreOptions): Promise<readonly Case[]> {
  return withPreparation(options, async ({ recordings }) => chosen(recordings, options));
}

/** Runs the chosen cases. @throws Error when a scenario breaks an invariant without any fault. */
export async function explore(options: ExploreOptions): Promise<Exploration> {
  const startedAt = performance.now();
  return withPreparation(options, async (handover) => {
    const cases = chosen(handover.recordings, options);
    const file = path.join(options.directory, 'prepared.bin');
    // Not as JSON: a stale answer holds dates, which would come out as text.
    await writeFile(file, serialize(handover));
    const progress = new Progress(cases.length, options.print);
    const results = await deal(cases, file, { ...options, onResult: (result) => progress.add(result) });
    progress.end();
    return { cases, results, seconds: (performance.now() - startedAt) / 1000 };
  });
}

function chosen(recordings: readonly Recording[], { only, fault, seed, sample }: ExploreOptions): readonly Case[] {
  if (only !== undefined) return only.map(parseCase);
  const all = recordings.flatMap(casesOf).filter((one) => fault === undefined || fault.includes(one.fault));
  const inOrder = slowNotLast(shuffled(all, seed));
  return sample === undefined ? inOrder : spread(inOrder, sample);
}

/** In these a client waits on the wall clock, up to minutes, and at the end of a scenario nothing else would be left to do meanwhile. */
const slow: readonly FaultName[] = ['throttled-five', 'throttled-for-good', 'error-for-good', 'late-reply'];

function slowNotLast(cases: readonly Case[]): readonly Case[] {
  const of = (name: string): readonly Case[] => cases.filter(({ scenario }) => scenario === name);
  const last = new Set(scenarios.flatMap(({ name }) => of(name).filter(({ fault }) => !slow.includes(fault)).slice(-Math.floor(of(name).length / 4))));
  return [...cases.filter((one) => !last.has(one)), ...last];
}

/** The case whose scenario and fault were taken least so far, again and again: a small sample misses none of them. */
function spread(cases: readonly Case[], count: number): readonly Case[] {
  const taken = new Set<Case>();
  const times = new Map<string, number>();
  const often = (one: Case): number => (times.get(one.scenario) ?? 0) + (times.get(one.fault) ?? 0);
  while (taken.size < Math.min(count, cases.length)) {
    const open = cases.filter((one) => !taken.has(one));
    const next = open.reduce((least, one) => (often(one) < often(least) ? one : least));
    taken.add(next);
    for (const name of [next.scenario, next.fault]) times.set(name, (times.get(name) ?? 0) + 1);
  }
  return [...taken];
}

async function withPreparation<T>(options: ExploreOptions, use: (handover: Handover) => Promise<T>): Promise<T> {
  const names = options.only === undefined ? options.scenario : [...new Set(options.only.map((id) => parseCase(id).scenario))];
  const wanted = names === undefined ? scenarios : names.map(scenarioOf);
  await mkdir(options.directory, { recursive: true });
  const journeys = new JourneysServer();
  const port = await journeys.listen();
  const warm = await new WarmProcesses().listen();
  try {
    const shared = { warm, port, secret: `canary-${randomBytes(12).toString('hex')}` };
    options.print(`synthesizing the stack, playing ${wanted.length} scenarios without a fault`);
    const assembly = await makeAssembly(options.directory, shared, options.synthesize);
    const grounds = { ...shared, assembly };
    const ready = await inTurns(wanted, async (scenario) => {
      const prepared = await prepare(scenario, grounds);
      if (scenario.path === '/broken') journeys.break();
      const recording = await record(scenario, prepared, { grounds, check: async (world) => {
        const verdict = judge(await runOf(world, { hasMeddled: false, mayRepeatMessages: false }), options.verifyChain);
        if (verdict.ending !== scenario.ends) throw new Error(`scenario ${scenario.name} ends as "${verdict.ending}" without a fault, not as "${scenario.ends}": ${[...verdict.broken, verdict.outcomes].join('; ')}`);
        return verdict.outcomes;
      } });
      return { prepared, recording };
    });
    await warm.stop();
    return await use({ prepared: ready.map(({ prepared }) => prepared), recordings: ready.map(({ recording }) => recording), assembly, port: shared.port, secret: shared.secret, isWhole: options.whole === true });
  } finally {
    journeys.close();
  }
}

/** As many side by side as share their processes well: each beyond that only starts more of them. */
async function inTurns<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await run(next[1]);
  }));
  return results;
}

/** What the journeys call: repeats what it was sent, as careless servers do. Who enters is given a session, which `/broken` asks for even while it is whole. */
class JourneysServer {
  readonly #server: Server;
  #isBroken = false;

  constructor() {
    this.#server = createServer((request, response) => {
      const { authorization = '', 'x-session': shown = '' } = request.headers;
      const session = sessionOf(authorization.replace('Bearer ', ''));
      const sent = `${authorization} ${String(shown)}`.trim();
      const isBad = request.url === '/broken' && (this.#isBroken || shown !== session);
      response.setHeader('content-type', 'application/json');
      // What was found instead of what was expected is quoted in the record.
      response.end(JSON.stringify({ ok: isBad ? sent : true, sent, ...(request.url === '/enter' ? { session } : {}) }));
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on `/broken` is: until then a release may become known to be good. */
  break(): void {
    this.#isBroken = true;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** What a worker asks for. */
export interface Want {
  readonly isPatient: boolean;
}

interface Dealing {
  readonly worker: ExploreOptions['worker'];
  readonly workers?: number;
  readonly onResult: (result: CaseResult) => void;
}

/** Each worker asks for the next case as soon as it is done with one. */
async function deal(cases: readonly Case[], file: string, { worker: [module, ...args], workers = availableParallelism(), onResult }: Dealing): Promise<readonly CaseResult[]> {
  const deck = new Deck(cases);
  const results: CaseResult[] = [];
  const count = Math.max(1, Math.min(workers, cases.length));
  const children: ChildProcess[] = [];
  try {
    await Promise.all(Array.from({ length: count }, (_, number) => new Promise<void>((resolve, reject) => {
      const child = fork(module, [...args, file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      children.push(child);
      const working = new Set<string>();
      child.on('message', (message: Want | { readonly result: CaseResult }) => {
        if ('result' in message) {
          working.delete(message.result.id);
          results.push(message.result);
          onResult(message.result);
          return;
        }
        const next = deck.next(number, message.isPatient);
        if (next !== null) working.add(next);
        child.send({ next, isPatient: message.isPatient });
      });
      child.on('exit', (code) => (code === 0 && working.size === 0 ? resolve() : reject(new Error(`a worker ended with ${code} while it played ${[...working].join(', ')}`))));
    })));
  } finally {
    for (const child of children) child.kill();
  }
  return results;
}
