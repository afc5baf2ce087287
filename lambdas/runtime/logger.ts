// Structured log lines with fixed field names, and nothing secret in them.
import { Logger } from '@aws-lambda-powertools/logger';

/** The fields of a decision or a change; every line also carries `service` and `rollbackId`. */
export interface LogFields {
  readonly strategy?: string;
  readonly target?: string;
  readonly step?: string;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly verdict?: string;
  readonly durationMs?: number;
  readonly [field: string]: unknown;
}

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
}

const secretName = /token|secret|password|passwd|authorization|cookie|credential|api-?key/i;

/** Values of properties that are named like a secret never reach a log line. */
export const withoutSecrets = (key: string, value: unknown): unknown =>
  secretName.test(key) && value !== null && value !== undefined && typeof value !== 'boolean' ? '[not logged]' : value;

/** One logger for one invocation, with the rollback it is about on every line. */
export function logFor(step: string, about: { readonly rollbackId: string; readonly service: string }): Log {
  // Powertools keeps the key `service` for itself: it is the only way to put the protected service there.
  const logger = new Logger({ serviceName: about.service, jsonReplacerFn: withoutSecrets, persistentKeys: { rollbackId: about.rollbackId, step } });
  return {
    info: (message, fields = {}) => { logger.info(message, { ...fields }); },
    warn: (message, fields = {}) => { logger.warn(message, { ...fields }); },
    error: (message, error, fields = {}) => { logger.error(message, { ...fields, error: error instanceof Error ? error : new Error(String(error)) }); },
  };
}
