// Reads every service of the catalogue for the poll; an entry that cannot be used is told, and keeps no other from being read.
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { CatalogueEntry } from '../config/schema.ts';
import { RipcordError } from '../domain/errors.ts';
import { calling } from './aws-errors.ts';
import { checkedEntry } from './catalogue-checked.ts';
import type { CatalogueStore } from './catalogue.ts';

export interface Listed {
  /** By name. */
  readonly entries: readonly CatalogueEntry[];
  readonly failures: readonly Error[];
}

/** Ten entries a call; AWS allows no more. @throws AwsCallError when the catalogue cannot be listed. */
export async function listEntries({ client, prefix }: CatalogueStore): Promise<Listed> {
  const entries: CatalogueEntry[] = [];
  const failures: Error[] = [];
  let NextToken: string | undefined;
  do {
    const page = await calling('ssm:GetParametersByPath', client.send(new GetParametersByPathCommand({ Path: prefix.replace(/\/$/, ''), MaxResults: 10, ...(NextToken === undefined ? {} : { NextToken }) })));
    for (const { Name = '', Value = '' } of page.Parameters ?? []) {
      try {
        entries.push(withTargets(checkedEntry(Name.slice(prefix.length), Value)));
      } catch (error) {
        if (!(error instanceof RipcordError)) throw error;
        failures.push(error);
      }
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return { entries: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)), failures };
}

function withTargets(entry: CatalogueEntry): CatalogueEntry {
  const { targets, policy } = entry.service;
  if (targets !== null && typeof targets === 'object' && Number.isFinite(policy.releaseWindowMinutes)) return entry;
  throw new RipcordError('stop', 'catalogue-invalid', `the catalogue entry of "${entry.name}" cannot be used: its targets or policy are not as the schema says; deploy the service again`);
}
