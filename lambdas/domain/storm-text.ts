// One sentence about a storm, for whoever is woken by it.

/** More distinct services than the limit had a signal within about two windows. */
export const stormText = ({ services, limit, minutes }: { readonly services: readonly string[]; readonly limit: number; readonly minutes: number }): string =>
  `${services.length} services had a signal in about ${minutes} minutes (${services.slice(0, 10).join(', ')}${services.length > 10 ? ' …' : ''}). More than ${limit} have a shared cause, so Ripcord rolls nothing back.`;
