// A version of the shop: what it does right and what it does wrong is a property of the version, never of the scenario's outcome.
export interface ShopVersion {
  /** For example `checkout-2.0.0`; the shop says it in the header `x-shop-version`. */
  readonly name: string;
  /** Absent: healthy. */
  readonly sickness?: Sickness;
}

export interface Sickness {
  /** Share of catalogue and cart requests answered with 500, 0 to 1. */
  readonly errorRate?: number;
  /** They come evenly, one in so many requests of an instance, instead of by chance. */
  readonly areErrorsEven?: true;
  /** Added to each answer, real milliseconds. */
  readonly latencyMilliseconds?: number;
  /** What its checkout does: status 500, a body that is no JSON, or an order without its id. */
  readonly checkout?: 'fails' | 'wrong-json' | 'missing-field';
  /** Its health check fails: the load balancer sees it. */
  readonly health?: 'fails';
  /** Sandbox milliseconds after the instance's start until the sickness shows, as with a leak; default 0. */
  readonly afterMilliseconds?: number;
}

/** The versions that exist as artefacts, by name: what a deployment can install. */
export class Releases {
  readonly #versions = new Map<string, ShopVersion>();

  add(version: ShopVersion): ShopVersion {
    this.#versions.set(version.name, version);
    return version;
  }

  /** Undefined when the artefact is gone or never was. */
  find(name: string): ShopVersion | undefined {
    return this.#versions.get(name);
  }

  /** The artefact is deleted: it can no longer be installed. */
  remove(name: string): void {
    this.#versions.delete(name);
  }
}
