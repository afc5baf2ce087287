// The brake that keeps Ripcord from rolling back what has a shared cause: its numbers, and where they can never engage it.

export interface Storm {
  /** More distinct services than this with a signal inside the window are a shared cause. */
  readonly services: number;
  readonly minutes: number;
  /**
   * So are more than this that have nothing to do with each other: no dependency between them, and none that they share. Never more than half of the groups of services that dependencies join.
   * @default - as many as `services`, however few are protected
   */
  readonly unrelated?: number | undefined;
}

/** Three strangers in ten minutes are no coincidence; two may be. */
export const defaultStorm: Storm = { services: 5, minutes: 10, unrelated: 2 };

/** What `unrelated` comes to where the services protected are so many groups that have nothing to do with each other: two of three are most of it. */
export const unrelatedLimit = ({ services, unrelated }: Storm, groups: number): number => (unrelated === undefined ? services : Math.min(unrelated, Math.max(1, Math.floor(groups / 2))));

/** Why the brake can never engage, with the mend; null where it can, and where there is no company that it could look at: a single service, or by default a single group. */
export function brakeProblem(storm: Storm, count: number): string | null {
  if (count < 2 || storm.unrelated !== undefined || storm.services < count) return null;
  return `engine.storm.services is ${storm.services}, and ${count} services are protected: the brake can never engage, so a sick Region rolls back whatever was released. Take \`engine.storm\` out, or set \`services\` below ${count}.`;
}
