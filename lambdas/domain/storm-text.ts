// One sentence about a storm, for whoever is woken by it.

interface Stormy {
  readonly services: readonly string[];
  readonly limit: number;
  readonly minutes: number;
}

/** Signals are counted in the running window and the one before it: for one to two windows. */
const spanOf = (minutes: number): string => `${minutes} to ${2 * minutes}`;

const named = (services: readonly string[]): string => `${services.slice(0, 10).join(', ')}${services.length > 10 ? ' …' : ''}`;

const said = ({ services, limit, minutes }: Stormy, which = ''): string =>
  `${services.length} services ${which}had a signal in the last ${spanOf(minutes)} minutes (${named(services)}). More than ${limit} have a shared cause, so Ripcord rolls nothing back.`;

/** More distinct services than the limit had a signal within one to two windows. */
export const stormText = (stormy: Stormy): string => said(stormy);

/** The same of services that have nothing to do with each other: one of each group. */
export const unrelatedText = (stormy: Stormy): string => said(stormy, 'that have nothing to do with each other ');
