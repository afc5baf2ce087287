// One account with the fake services a strategy calls, a role made from its manifest, and its function as the workflow calls it.
import { SandboxServer } from '../../sandbox/aws/server.ts';
import type { AwsService, CallRecord, Place } from '../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../sandbox/clock.ts';
import type { AuditEntry } from '../../lambdas/audit/entry.ts';
import type { StepRequest } from '../../lambdas/domain/vocabulary.ts';
import type { StepApplied, StepCaptured, StepConfirmed, StepPlan, StrategyInput } from '../../lambdas/domain/workflow.ts';
import { strategyHandler } from '../../lambdas/runtime/strategy-handler.ts';
import { permissionsOf } from '../../lambdas/strategies/permissions.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';

export const place: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };
const roleName = 'strategy';

export interface ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };
  readonly maxAttempts: number;
}

/** A sandbox with a clock of its own. */
export class Account {
  readonly clock: SpedUpClock;
  readonly server: SandboxServer;
  readonly #closers: (() => void | Promise<void>)[] = [];

  constructor(speed: number) {
    this.clock = new SpedUpClock({ speed });
    this.server = new SandboxServer({ services: [], place, clock: this.clock });
    this.server.iam.putRole({ roleName, arn: `arn:aws:iam::${place.account}:role/${roleName}` });
  }

  async serve(services: readonly AwsService[]): Promise<void> {
    for (const service of services) this.server.register(service);
    await this.server.listen();
  }

  /** For any SDK client: signs with a key of the strategy's role. */
  client(): ClientOptions {
    const { accessKeyId, secretAccessKey, sessionToken } = this.server.iam.issueKey(roleName);
    return { endpoint: this.server.endpoint, region: place.region, credentials: { accessKeyId, secretAccessKey, sessionToken }, maxAttempts: 3 };
  }

  onClose(run: () => void | Promise<void>): void {
    this.#closers.push(run);
  }

  async close(): Promise<void> {
    await this.server.close();
    this.clock.stop();
    for (const run of this.#closers) await run();
  }
}

/** The strategy's function in that account. */
export class Bench {
  readonly account: Account;
  readonly step: StepRequest;
  readonly rows: AuditEntry[] = [];
  readonly #handler: (event: unknown) => Promise<unknown>;

  constructor(account: Account, strategy: Strategy, step: StepRequest) {
    this.account = account;
    this.step = step;
    const statements = permissionsOf(strategy.manifest.name)(strategy.manifest.target.parse(step.target), place);
    account.server.iam.putRolePolicy(roleName, {
      name: 'manifest',
      document: { Statement: statements.map(({ actions, resources, conditions }) => ({ Effect: 'Allow' as const, Action: [...actions], Resource: [...resources], ...(conditions === undefined ? {} : { Condition: conditions }) })) },
    });
    this.#handler = strategyHandler(strategy, () => ({
      clock: { now: () => new Date(account.clock.now()) },
      renew: () => Promise.resolve(true),
      audit: { append: (entry, cursor) => { this.rows.push(entry); return Promise.resolve({ length: (cursor?.length ?? 0) + 1, hash: 'hash' }); } },
    }));
  }

  capture = (): Promise<StepCaptured> => this.#call<StepCaptured>({ verb: 'capture' });
  plan = (): Promise<StepPlan> => this.#call<StepPlan>({ verb: 'plan' });
  apply = (planned: StepPlan | null = null): Promise<StepApplied> => this.#call<StepApplied>({ verb: 'apply', planned });

  /** Asks as the workflow does, with the last answer given back, until the answer is final. */
  async confirm(applied: StepApplied): Promise<StepConfirmed> {
    let confirmed: StepConfirmed | null = null;
    await this.account.clock.sleep(applied.confirmAfterSeconds * 1000);
    for (let look = 0; look < 200; look += 1) {
      confirmed = await this.#call<StepConfirmed>({ verb: 'confirm', applied, confirmed });
      if (confirmed.answer !== 'not-yet') return confirmed;
      await this.account.clock.sleep(confirmed.retryAfterSeconds * 1000);
    }
    throw new Error(`not confirmed after 200 looks: ${confirmed?.detail}`);
  }

  /** One look, whatever it says. */
  look = (applied: StepApplied, confirmed: StepConfirmed | null = null): Promise<StepConfirmed> => this.#call<StepConfirmed>({ verb: 'confirm', applied, confirmed });

  /** Calls of the strategy's role that took effect or were tried, since a sequence number. */
  calls(after = 0): readonly CallRecord[] {
    return this.account.server.calls.list({ role: roleName, after });
  }

  changes(after = 0): readonly CallRecord[] {
    return this.calls(after).filter((call) => call.mutating);
  }

  /** @returns a function that gives the permission back. */
  takeAway(action: string): () => void {
    return this.account.server.iam.takeAway(roleName, action);
  }

  async #call<Output>(input: Partial<StrategyInput>): Promise<Output> {
    return (await this.#handler({ rollbackId: 'run-1', step: this.step, fence: 1, planned: null, applied: null, confirmed: null, audit: null, ...input })) as Output;
  }
}
