// An execution that somebody stops while one of its handlers runs: Lambda knows nothing of it, so the call goes on to its end, or dies, or runs into the function's time limit.
import { ChainSealed } from '../../lambdas/adapters/audit-store.ts';
import { RipcordError } from '../../lambdas/domain/errors.ts';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import type { Assessment } from '../../lambdas/domain/workflow.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import { type DeathEvent, endDead } from '../../lambdas/runtime/watchdog.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { handlerTimeoutSeconds, strategyTimeoutSeconds } from '../../lib/engine/handler-timeouts.ts';
import { silent } from '../unit/report-samples.ts';
import { type Ran, rig, gated, type World } from './interleaving-world.ts';

const seconds = { assess: handlerTimeoutSeconds.assess, apply: strategyTimeoutSeconds } as const;

export interface Stop {
  readonly step: keyof typeof seconds;
  /** So many AWS calls of that step are sent by then; where it sends fewer: before the next step begins. */
  readonly call: number;
  /** Whether the handler that runs then is dead as well: it was killed, or its machine broke down. */
  readonly dies: boolean;
}

export class StoppedRun {
  /** True when it is stopped; false when it came to its end before. */
  readonly stopped: Promise<boolean>;
  isStopped = false;
  /** What came of it when nobody stopped it. */
  ran: Ran | null = null;
  readonly rollbackId: string;
  readonly #startedAt = rig.at(0);
  readonly #world: World;
  readonly #stop: Stop;
  #halted: (isStopped: boolean) => void = () => undefined;
  #resume: () => void = () => undefined;
  #die: () => void = () => undefined;
  readonly #resumed = new Promise<void>((resolve) => { this.#resume = resolve; });
  readonly #dead = new Promise<void>((resolve) => { this.#die = resolve; });
  #isDead = false;
  #step: Stop['step'] = 'assess';
  #calls = 0;
  #age = 0;

  constructor(world: World, rollbackId: string, stop: Stop) {
    this.#world = world;
    this.rollbackId = rollbackId;
    this.#stop = stop;
    this.stopped = new Promise((resolve) => { this.#halted = resolve; });
  }

  /** To the end of the handler that was running when it was stopped, or of the whole run. */
  async run(input: unknown, strategy: Strategy): Promise<void> {
    await Promise.race([this.#dead, this.#handlers(input, strategy).catch((error: unknown) => {
      // Nobody hears what a handler of a stopped execution answers; its record is closed by then.
      const isRefused = error instanceof ChainSealed || (error instanceof RipcordError && error.code === 'ended');
      if (!this.isStopped || !isRefused) throw error;
    })]);
    this.#halted(this.isStopped);
  }

  /** The handler that was running when the execution was stopped goes on. */
  goOn(): void {
    this.#resume();
  }

  /** @param milliseconds that went by since: no function outlives its time limit. */
  grow(milliseconds: number): void {
    if (!this.isStopped) return;
    this.#age += milliseconds;
    if (this.#age >= seconds[this.#step] * 1000) this.#kill();
  }

  /** What the Watchdog hears. */
  death(input: unknown): DeathEvent {
    return { detail: { name: this.rollbackId, status: 'ABORTED', startDate: Date.parse(this.#startedAt), input: JSON.stringify(input) } };
  }

  async watchdog(input: unknown): Promise<void> {
    const parts = this.#world.parts();
    await endDead(this.death(input), { ...this.#world.ending(this.rollbackId, parts), factsOf: async () => null, signalsOfOthers: (about) => signalsOfOthers(parts.table, about) });
  }

  async #handlers(input: unknown, strategy: Strategy): Promise<void> {
    const world = this.#world;
    const parts = this.#parts();
    let seen: Assessment | null = null;
    for (let look = 0; seen === null || (seen.verdict === 'hold' && look < 3); look += 1) {
      seen = await assess(rig.input(world.service, input, { rollbackId: this.rollbackId, startedAt: this.#startedAt, look, audit: seen?.audit ?? null }), parts, silent);
      if (this.#between('assess')) return;
    }
    if (seen.verdict === 'joined') {
      this.ran = { seen, applied: null, provenAt: null };
      return;
    }
    if (seen.verdict === 'roll-back') {
      this.#step = 'apply';
      this.#calls = 0;
      await world.act(seen, parts, this.#strategy(strategy));
      if (this.#between('apply')) return;
    }
    this.ran = await world.end(seen, input, world.parts(), { startedAt: this.#startedAt });
  }

  #parts(): AssessParts {
    const parts = this.#world.parts();
    const client = gated(parts.table.client, () => this.#gate());
    return { ...parts, table: { ...parts.table, client }, audit: new AuditRecord(client, 'audit', 'ledger'), cloudWatch: gated(parts.cloudWatch, () => this.#gate()) };
  }

  #strategy(strategy: Strategy): Strategy {
    return {
      ...strategy,
      capture: async (...given) => {
        await this.#gate();
        return strategy.capture(...given);
      },
      apply: async (change) => {
        await this.#gate();
        return strategy.apply(change);
      },
    };
  }

  /** Each call passes here before it is sent. */
  async #gate(): Promise<void> {
    this.#calls += 1;
    if (!this.isStopped && this.#step === this.#stop.step && this.#calls > this.#stop.call) this.#halt();
    if (this.isStopped) await this.#resumed;
    if (this.#isDead) await new Promise(() => undefined);
  }

  /** @returns true when nothing of it is begun any more. */
  #between(step: Stop['step']): boolean {
    if (!this.isStopped && step === this.#stop.step) this.#halt();
    return this.isStopped;
  }

  #halt(): void {
    this.isStopped = true;
    this.#halted(true);
    if (this.#stop.dies) this.#kill();
  }

  #kill(): void {
    this.#isDead = true;
    this.#resume();
    this.#die();
  }
}
