// Asynchronous invocations: kept by Lambda until the function ran whole, failed too often, or the event is too old.
import { AwsError, type SandboxClock } from '../../aws/world.ts';

/** What AWS::Lambda::EventInvokeConfig says. */
export interface AsyncSettings {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onFailureArn: string | null;
}

export const asyncDefaults: AsyncSettings = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600, onFailureArn: null };

/** How one try ended: with the function's answer, or refused by Lambda before the function heard of it. */
export type Outcome = { readonly payload: unknown; readonly functionError: string | null } | { readonly refused: AwsError };

export interface AsyncParts {
  readonly clock: SandboxClock;
  readonly settings: AsyncSettings;
  readonly functionArn: string;
  readonly payload: unknown;
  readonly invoke: () => Promise<Outcome>;
  readonly isStopped: () => boolean;
  /** Called once with the record for the failure destination, when nobody tries any more. */
  readonly dropped: (record: Record<string, unknown>) => Promise<void>;
}

/** Seconds before the second and the third try of a function that failed. */
const betweenErrors = [60, 120];
/** Seconds: what Lambda refused for lack of room or by a fault of its own waits from one second, doubled each time, to five minutes. */
const longestBackOff = 300;

/** Resolves when the function ran whole, or its event was dropped. */
export async function runUntilDone(parts: AsyncParts): Promise<void> {
  const { clock, settings: { maximumRetryAttempts, maximumEventAgeSeconds } } = parts;
  const expiresAt = clock.now() + maximumEventAgeSeconds * 1000;
  let [tries, refusals] = [0, 0];
  for (;;) {
    const outcome = await parts.invoke();
    if (parts.isStopped() || ('functionError' in outcome && outcome.functionError === null)) return;
    // It costs none of the tries, which are for what the function itself failed at: only the event's age ends it.
    const isPutBack = 'refused' in outcome && mayPass(outcome.refused);
    tries += isPutBack ? 0 : 1;
    const seconds = isPutBack ? Math.min(longestBackOff, 2 ** refusals) : (betweenErrors[tries - 1] ?? 0);
    refusals += isPutBack ? 1 : 0;
    const isTooOld = clock.now() + (isPutBack ? 0 : seconds * 1000) >= expiresAt;
    if (tries > maximumRetryAttempts || isTooOld) return parts.dropped(failureRecord(parts, { outcome, tries, isTooOld, at: clock.now() }));
    await clock.sleep(Math.min(seconds * 1000, expiresAt - clock.now()));
  }
}

const mayPass = ({ status }: AwsError): boolean => status === 429 || status >= 500;

interface Failed {
  readonly outcome: Outcome;
  readonly tries: number;
  readonly isTooOld: boolean;
  readonly at: number;
}

/** The function's answer is in it only where the function ran. */
const failureRecord = ({ functionArn, payload }: AsyncParts, { outcome, tries, isTooOld, at }: Failed): Record<string, unknown> => ({
  version: '1.0',
  timestamp: new Date(at).toISOString(),
  requestContext: { functionArn: `${functionArn}:$LATEST`, condition: isTooOld ? 'EventAgeExceeded' : 'RetriesExhausted', approximateInvokeCount: tries },
  requestPayload: payload,
  ...('refused' in outcome ? {} : {
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: outcome.functionError },
    responsePayload: outcome.payload,
  }),
});
