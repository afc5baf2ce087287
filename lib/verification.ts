// How a recovery is proven. A choice that has to be made, and whose switching off is visible.
import type { Duration } from 'aws-cdk-lib';
import type { ServiceInput } from '../lambdas/config/schema.ts';

export type VerificationConfig = ServiceInput['verification'];
export type JourneyInput = NonNullable<ServiceInput['journeys']>[string];

export interface JourneyProof {
  /** Name to journey: requests a user would make, and what must come back. */
  readonly journeys: Readonly<Record<string, JourneyInput>>;
  /** @default 3 */
  readonly passesInARow?: number;
  /** Between two rounds. @default Duration.seconds(20) */
  readonly interval?: Duration;
  /** Not proven by then: the next rung. @default Duration.minutes(15) */
  readonly deadline?: Duration;
  /** Why journeys alone prove a recovery that shows in no metric, as the service has so few requests. @default a person is paged for those */
  readonly whenFewRequests?: { readonly reason: string };
}

/** What counts as recovered. Made by {@link Verification.none} or {@link Verification.journeys}. */
export class Verification {
  /** Only alarms and the live state are looked at. @param reason why that is enough for this service; kept in the catalogue. */
  static none({ reason }: { readonly reason: string }): Verification {
    return new Verification({ none: reason }, {});
  }

  /** Journeys pass so many times in a row, the alarms are OK, and the live state equals the plan. */
  static journeys({ journeys, passesInARow, interval, deadline, whenFewRequests }: JourneyProof): Verification {
    return new Verification({
      ...(passesInARow === undefined ? {} : { passesInARow }),
      ...(interval === undefined ? {} : { intervalSeconds: interval.toSeconds() }),
      ...(deadline === undefined ? {} : { deadlineMinutes: deadline.toMinutes() }),
      ...(whenFewRequests === undefined ? {} : { fewRequests: { journeys: whenFewRequests.reason } }),
    }, journeys);
  }

  /** From the catalogue's own shape, as `services.yaml` holds it. */
  static fromConfig(config: VerificationConfig, journeys: Readonly<Record<string, JourneyInput>>): Verification {
    return new Verification(config, journeys);
  }

  readonly config: VerificationConfig;
  readonly journeyInputs: Readonly<Record<string, JourneyInput>>;

  private constructor(config: VerificationConfig, journeys: Readonly<Record<string, JourneyInput>>) {
    this.config = config;
    this.journeyInputs = journeys;
  }
}
