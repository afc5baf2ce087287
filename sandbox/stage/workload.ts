// What every kind of workload offers to a scenario: traffic, two sides, a pipeline that releases, and a way to fall sick.
import type { Sickness as VersionSickness, ShopVersion } from '../shop/version.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';

export type Side = 'blue' | 'green';

export interface RunningWorkload {
  /** True when its pipeline sends `ripcord.release` events; CodeDeploy sends its own. */
  readonly announcesReleases: boolean;
  readonly names: Workload;
  /** Base URL of the next user's request. */
  readonly target: () => string;
  /** Each request of a user is from now on a request to this service as well. Absent where the workload cannot. */
  callsTo?(url: () => string): void;
  sicken(side: Side, sickness: Sickness): void;
  weights(): Readonly<Record<string, number>>;
  setWeights(weights: Readonly<Record<Side, number>>): void;
  /** Puts the version on the new side; resolves when the pipeline would call it finished, or at once when `finish` is false. */
  deploy(version: string, options: { readonly finish: boolean }): Promise<DeployedRelease>;
  /** Puts the version on the new side and gives it a part of the traffic, in percent. Absent where the workload cannot. */
  canary?(version: string, percent: number): Promise<DeployedRelease>;
  stopInstances(side: Side): Promise<void>;
  stop(): Promise<void>;
}

export interface DeployedRelease {
  /** Id under which Ripcord knows the release. */
  readonly releaseId: string;
}

/** A version whose sickness can begin later: a bug that only shows under today's data is still that version's bug. */
export class MutableVersion implements ShopVersion {
  readonly name: string;
  #sickness: VersionSickness = {};

  constructor(name: string) {
    this.name = name;
  }

  get sickness(): VersionSickness {
    return this.#sickness;
  }

  become({ errorShare, areErrorsEven, delayMs, checkoutBroken }: Sickness): void {
    this.#sickness = {
      ...(errorShare === undefined ? {} : { errorRate: errorShare }),
      ...(areErrorsEven === true ? { areErrorsEven: true as const } : {}),
      ...(delayMs === undefined ? {} : { latencyMilliseconds: delayMs }),
      ...(checkoutBroken === true ? { checkout: 'fails' as const } : {}),
    };
  }
}
