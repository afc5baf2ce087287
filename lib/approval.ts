// Does a person approve a rollback? A choice that has to be made, and whose switching off is visible.
import type { Duration } from 'aws-cdk-lib';
import type { ServiceInput } from '../lambdas/config/schema.ts';

export type ApprovalConfig = ServiceInput['policy']['approval'];

export interface ApprovalRequired {
  /** `always`: each rollback. `manual-only`: only those a person started. */
  readonly when: 'always' | 'manual-only';
  /** How long people have: whole minutes, up to a day. */
  readonly timeout: Duration;
  /** What happens when nobody answers. */
  readonly onDeadline: 'roll-back' | 'stop';
}

/** How approval is asked for. Made by {@link Approval.none} or {@link Approval.required}. */
export class Approval {
  /** Ripcord acts by itself. @param reason why that is right for this service; kept in the catalogue. */
  static none({ reason }: { readonly reason: string }): Approval {
    return new Approval({ none: reason });
  }

  /** A person is asked first. Who asked may not be who approves. */
  static required({ when, timeout, onDeadline }: ApprovalRequired): Approval {
    return new Approval({ required: when, timeoutMinutes: timeout.toMinutes(), onDeadline });
  }

  /** From the catalogue's own shape, as `services.yaml` holds it. */
  static fromConfig(config: ApprovalConfig): Approval {
    return new Approval(config);
  }

  readonly config: ApprovalConfig;

  private constructor(config: ApprovalConfig) {
    this.config = config;
  }
}
