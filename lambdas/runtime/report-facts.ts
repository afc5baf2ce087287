// What messages and the cool-down need of the catalogue.
import type { CatalogueStore } from '../adapters/catalogue.ts';
import { readCheckedEntry } from '../adapters/catalogue-checked.ts';
import type { ServiceFacts } from './report.ts';

export const factsFrom = (store: CatalogueStore) => async (service: string): Promise<ServiceFacts> => {
  const { service: { owner, runbook, policy } } = await readCheckedEntry(store, service);
  return { owner, runbook: runbook ?? null, coolDownMinutes: policy.coolDownMinutes };
};
