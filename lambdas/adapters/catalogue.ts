// The catalogue entry of one service: an SSM parameter whose every version is kept, parsed by the schema it was checked with at synth.
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { type CatalogueEntry, describeIssues, neighbourSchema, serviceSchema } from '../config/schema.ts';
import { Refusal, RipcordError } from '../domain/errors.ts';
import { calling, isFault } from './aws-errors.ts';

export interface CatalogueStore {
  readonly client: SSMClient;
  /** Ends in a slash. */
  readonly prefix: string;
}

export interface VersionedEntry {
  readonly entry: CatalogueEntry;
  /** Version of the parameter: written into every decision made from it. */
  readonly version: number;
}

/**
 * Reads what is protected, by what, and how.
 * @param abortSignal gives up waiting, and trying again, when nobody needs the entry any more.
 * @throws Refusal (`unknown-service`) naming the service; RipcordError (`catalogue-invalid`) when the parameter is not an entry.
 */
export async function readEntry({ client, prefix }: CatalogueStore, service: string, abortSignal?: AbortSignal): Promise<VersionedEntry> {
  const parameter = await find({ client, prefix }, service, abortSignal);
  const entry = parse(service, parameter.Value ?? '');
  return { entry, version: parameter.Version ?? 0 };
}

async function find({ client, prefix }: CatalogueStore, service: string, abortSignal: AbortSignal | undefined) {
  try {
    const { Parameter } = await calling('ssm:GetParameter', client.send(new GetParameterCommand({ Name: `${prefix}${service}` }), abortSignal === undefined ? {} : { abortSignal }));
    if (Parameter !== undefined) return Parameter;
  } catch (error) {
    if (!isFault(error, 'gone')) throw error;
  }
  throw new Refusal('unknown-service', `service "${service}" is not in the catalogue`);
}

function parse(service: string, value: string): CatalogueEntry {
  let entry: unknown;
  try {
    entry = JSON.parse(value);
  } catch (error) {
    throw invalid(service, 'it is not JSON', error);
  }
  const { name, service: config, around = [], group = service } = (entry ?? {}) as Partial<Record<keyof CatalogueEntry, unknown>>;
  if (name !== service) throw invalid(service, `it is about ${typeof name === 'string' ? `"${name}"` : 'no service'}`);
  const parsed = serviceSchema.safeParse(config);
  if (!parsed.success) throw invalid(service, describeIssues(parsed.error).join('; '));
  const neighbours = neighbourSchema.array().safeParse(around);
  if (!neighbours.success) throw invalid(service, `around: ${describeIssues(neighbours.error).join('; ')}`);
  if (typeof group !== 'string') throw invalid(service, 'group: is no text');
  return { name: service, service: parsed.data, around: neighbours.data, group };
}

const invalid = (service: string, why: string, cause?: unknown): RipcordError =>
  new RipcordError('stop', 'catalogue-invalid', `the catalogue entry of "${service}" cannot be used: ${why}`, { cause });
