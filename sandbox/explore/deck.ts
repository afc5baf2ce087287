// Which worker plays which case: a scenario stays with one of them as long as there are others, as what it has seen of one case serves the next.
import type { Case } from './cases.ts';

export class Deck {
  /** Cases to be played, by scenario, in order. */
  readonly #left = new Map<string, string[]>();
  /** Those whose clients wait longest: for places of their own, as they do nothing meanwhile. */
  readonly #waiting: string[];
  /** By worker. */
  readonly #at = new Map<number, string>();

  /** @param cases in order: scenarios begin in that of their first ones. */
  constructor(cases: readonly Case[]) {
    this.#waiting = cases.filter(waitsLong).map(({ id }) => id);
    for (const { scenario, id } of cases.filter((one) => !waitsLong(one))) this.#left.set(scenario, [...this.#left.get(scenario) ?? [], id]);
  }

  /** @param worker any number of its own. @param isPatient it is a place for cases that wait. @returns the id of a case; null when none is left for it. */
  next(worker: number, isPatient = false): string | null {
    if (isPatient) return this.#waiting.shift() ?? null;
    const scenario = this.#scenarioFor(worker);
    if (scenario === null) return null;
    this.#at.set(worker, scenario);
    const ids = this.#left.get(scenario) ?? [];
    const id = ids.shift() ?? null;
    if (ids.length === 0) this.#left.delete(scenario);
    return id;
  }

  /** Its own; else the first that nobody has; else the first. */
  #scenarioFor(worker: number): string | null {
    const own = this.#at.get(worker);
    if (own !== undefined && this.#left.has(own)) return own;
    this.#at.delete(worker);
    const taken = new Set(this.#at.values());
    const all = [...this.#left.keys()];
    return all.find((scenario) => !taken.has(scenario)) ?? all[0] ?? null;
  }
}

/** Of all clients that of Route 53 tries longest: minutes on the wall, in which nothing is done. */
const waitsLong = ({ at, fault }: Case): boolean => fault === 'throttled-for-good' && at.includes('/route53:');
