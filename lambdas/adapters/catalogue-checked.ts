// Reads a catalogue entry for the handlers that run after Assess, which parsed it with the whole schema: the schema alone would be a quarter of their bundles.
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { CatalogueEntry } from '../config/schema.ts';
import { RipcordError } from '../domain/errors.ts';
import { calling } from './aws-errors.ts';
import type { CatalogueStore } from './catalogue.ts';

/**
 * The entry as it was written at synth, with all defaults in it. Only what these handlers use is looked at again.
 * @throws RipcordError (`catalogue-invalid`) when that part is not as the schema says; AwsCallError when it cannot be read.
 */
export async function readCheckedEntry({ client, prefix }: CatalogueStore, service: string): Promise<CatalogueEntry> {
  const { Parameter } = await calling('ssm:GetParameter', client.send(new GetParameterCommand({ Name: `${prefix}${service}` })));
  return checkedEntry(service, Parameter?.Value ?? '');
}

/** @throws RipcordError (`catalogue-invalid`). */
export function checkedEntry(service: string, value: string): CatalogueEntry {
  const wrong = (why: string): RipcordError => new RipcordError('stop', 'catalogue-invalid', `the catalogue entry of "${service}" cannot be used: ${why}`);
  let entry: Partial<CatalogueEntry> | null;
  try {
    entry = JSON.parse(value) as Partial<CatalogueEntry> | null;
  } catch {
    throw wrong('it is not JSON');
  }
  if (entry?.name !== service || entry.service === undefined) throw wrong('it is about another service');
  const { journeys, signals, policy } = entry.service;
  const isWhole = isObject(journeys) && Object.values(journeys).every((journey) => isObject(journey) && Array.isArray(journey.requests) && isObject(journey.secrets))
    && isObject(signals) && Array.isArray(signals.alarms) && signals.alarms.every((alarm) => typeof alarm.name === 'string')
    && (signals.metrics === undefined || (Array.isArray(signals.metrics) && signals.metrics.every((one) => isObject(one) && typeof one.kind === 'string')))
    && isObject(policy) && Number.isFinite(policy.coolDownMinutes);
  if (!isWhole) throw wrong('its journeys, alarms, metrics or policy are not as the schema says; deploy the service again');
  return { name: service, service: entry.service };
}

const isObject = (value: unknown): boolean => value !== null && typeof value === 'object' && !Array.isArray(value);
