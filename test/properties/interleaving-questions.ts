// Runs of one service that ask a person before they act, the tasks that wait for the answers, and whoever answers.
import { SFNClient } from '@aws-sdk/client-sfn';
import { Approvals } from '../../lambdas/adapters/approvals.ts';
import { RipcordError } from '../../lambdas/domain/errors.ts';
import type { Approval, Assessment, AssessInput } from '../../lambdas/domain/workflow.ts';
import { answer } from '../../lambdas/runtime/answer.ts';
import { type HttpAnswer, requestOf } from '../../lambdas/runtime/answer-request.ts';
import { approve } from '../../lambdas/runtime/approve.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import { silent } from '../unit/report-samples.ts';
import { pause, type Ran, rig, turn, type World } from './interleaving-world.ts';

const role = 'arn:aws:iam::111122223333:role/Approver';
export const timeoutMinutes = 30;
/** Turns from the deadline as the functions see it to the same of the workflow. */
const drift = 10;

export interface Deadline {
  /** Turns that the question stands. */
  readonly after: number;
}

/** Nobody asks twice, so a run has one token. */
export const tokenOf = (rollbackId: string): string => `token-${rollbackId}`;

export class Questions {
  readonly world: World;
  /** By token: what the workflow that waited for it was told. */
  readonly taken = new Map<string, Approval>();
  /** Rollbacks whose question went out. */
  readonly asked = new Set<string>();
  /** Why a run was ended by an error. */
  readonly errors = new Map<string, string>();
  /** Looks that are under way. */
  #looking = 0;
  readonly #waiting = new Map<string, (taken: Approval) => void>();
  readonly #heard = new Map<string, { readonly asks: Promise<void>; readonly ask: () => void }>();

  constructor(world: World) {
    this.world = world;
  }

  /** When the run asks, or is over without a question. */
  asks(rollbackId: string): Promise<void> {
    return this.#heardOf(rollbackId).asks;
  }

  /** A workflow's task is completed, by whoever knows its token. @returns false when nothing waits for it any more. */
  take(token: string, approval: Approval): boolean {
    const goOn = this.#waiting.get(token);
    if (goOn === undefined) return false;
    this.#waiting.delete(token);
    this.taken.set(token, approval);
    goOn(approval);
    return true;
  }

  /** The workflow of one run, without its waits. */
  async run(rollbackId: string, input: unknown, deadline: Deadline): Promise<Ran> {
    const { world } = this;
    const parts = world.parts();
    const startedAt = parts.clock.now().toISOString();
    let [seen, approval]: [Assessment, Approval | null] = [await this.#look(rig.input(world.service, input, { rollbackId, startedAt }), parts), null];
    for (let look = 1; seen.verdict === 'hold' || (seen.verdict === 'ask' && approval === null); look += 1) {
      if (seen.verdict === 'ask') approval = await this.#ask(seen, deadline);
      try {
        seen = await this.#look(rig.input(world.service, input, { rollbackId, startedAt, look, approval, audit: seen.audit }), parts);
      } catch (error) {
        if (!(error instanceof RipcordError)) throw error;
        this.errors.set(rollbackId, error.code);
        return world.end(seen, input, parts, { startedAt, approval, error: { Error: error.name, Cause: error.message } });
      }
    }
    this.#heardOf(rollbackId).ask();
    return seen.verdict === 'joined' ? { seen, applied: null, provenAt: null } : world.end(seen, input, parts, { startedAt, approval });
  }

  async try(rollback: string, { session, says }: { readonly session: string; readonly says: 'approve' | 'reject' }): Promise<HttpAnswer> {
    const { audit, table, clock } = this.world.parts();
    const event = {
      requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: `arn:aws:sts::111122223333:assumed-role/Approver/${session}` } } },
      body: JSON.stringify({ rollback, answer: says }), isBase64Encoded: false,
    };
    return answer(requestOf(event), { audit, table, approvals: this.#approvals(), clock, approverRoleArns: [role], log: silent });
  }

  async #look(input: AssessInput, parts: AssessParts): Promise<Assessment> {
    this.#looking += 1;
    try {
      return await assess(input, parts, silent);
    } finally {
      this.#looking -= 1;
    }
  }

  async #ask(seen: Assessment, deadline: Deadline): Promise<Approval> {
    const { rollbackId } = seen;
    const token = tokenOf(rollbackId);
    const answered = new Promise<Approval>((resolve) => { this.#waiting.set(token, resolve); });
    const parts = this.world.ending(rollbackId, this.world.parts());
    await approve({ taskToken: token, plans: [], assessment: seen }, { ...parts, approvals: this.#approvals(), answerUrl: async () => 'https://answer.example/' });
    this.asked.add(rollbackId);
    this.#heardOf(rollbackId).ask();
    const [taken] = await Promise.all([answered, this.#timeOut(token, deadline)]);
    return taken;
  }

  /** First by the clock, then for the workflow; not at all when the task does not wait any more. No look takes half an hour: time passes when none is under way. */
  async #timeOut(token: string, { after }: Deadline): Promise<void> {
    const { s } = this.world;
    await pause(s, after);
    for (let isOver = false; !isOver;) {
      isOver = await turn(s, async () => {
        if (this.#looking > 0) return false;
        if (this.#waiting.has(token)) this.world.ahead += (timeoutMinutes * 60 + 1) * 1000;
        return true;
      });
    }
    await pause(s, drift);
    await turn(s, async () => void this.take(token, { answer: 'deadline', by: null, at: this.world.parts().clock.now().toISOString(), comment: '' }));
  }

  #approvals(): Approvals {
    const client = new SFNClient({ region: 'eu-west-1' });
    client.send = (async ({ input }: { input: { taskToken: string; output: string } }) => turn(this.world.s, async () => {
      if (!this.take(input.taskToken, JSON.parse(input.output) as Approval)) throw Object.assign(new Error('no'), { name: 'TaskTimedOut' });
      return {};
    })) as typeof client.send;
    return new Approvals(client);
  }

  #heardOf(rollbackId: string): { readonly asks: Promise<void>; readonly ask: () => void } {
    let ask: () => void = () => undefined;
    const heard = this.#heard.get(rollbackId) ?? { asks: new Promise<void>((resolve) => { ask = resolve; }), ask: () => { ask(); } };
    this.#heard.set(rollbackId, heard);
    return heard;
  }
}
