// Parameter Store: parameters with all their versions, as SSM keeps them.
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';

export type ParameterType = 'String' | 'StringList' | 'SecureString';
export type Tier = 'Standard' | 'Advanced' | 'Intelligent-Tiering';

export interface ParameterVersion {
  readonly name: string;
  readonly version: number;
  readonly type: ParameterType;
  readonly value: string;
  readonly tier: Tier;
  readonly description: string | null;
  /** Epoch milliseconds, sandbox time. */
  readonly modifiedAt: number;
  readonly modifiedBy: string;
  readonly labels: readonly string[];
}

export interface NewParameter {
  readonly name: string;
  readonly value: string;
  /** Needed for a new parameter. */
  readonly type?: ParameterType;
  readonly tier?: Tier;
  readonly description?: string;
  readonly overwrite?: boolean;
  /** ARN of who writes. */
  readonly by: string;
}

const keptVersions = 100;
const longestValue = { Standard: 4096, Advanced: 8192, 'Intelligent-Tiering': 8192 } as const;

export class ParameterStore {
  readonly #place: Place;
  readonly #clock: SandboxClock;
  readonly #parameters = new Map<string, ParameterVersion[]>();

  constructor(place: Place, clock: SandboxClock) {
    this.#place = place;
    this.#clock = clock;
  }

  arn(name: string): string {
    return `arn:aws:ssm:${this.#place.region}:${this.#place.account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  }

  /** Makes a parameter or a new version of it. @throws AwsError ParameterAlreadyExists, ValidationException, HierarchyTypeMismatchException */
  put(parameter: NewParameter): ParameterVersion {
    const versions = this.#parameters.get(parameter.name);
    const latest = versions?.at(-1);
    if (latest !== undefined && parameter.overwrite !== true) {
      throw new AwsError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.');
    }
    const version = this.#checked(parameter, latest);
    if (versions === undefined) this.#parameters.set(parameter.name, [version]);
    else {
      versions.push(version);
      if (versions.length > keptVersions) versions.shift();
    }
    return version;
  }

  /** Finds by name, ARN, `name:version` or `name:label`. @throws AwsError ParameterNotFound, ParameterVersionNotFound */
  get(reference: string): ParameterVersion {
    const { name, selector } = this.parse(reference);
    const versions = this.#parameters.get(name);
    const latest = versions?.at(-1);
    if (versions === undefined || latest === undefined) throw new AwsError('ParameterNotFound', '');
    if (selector === null) return latest;
    const found = versions.find(({ version, labels }) => String(version) === selector || labels.includes(selector));
    if (found === undefined) {
      throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${selector} of ${name}. Verify the version and try again.`);
    }
    return found;
  }

  /** Oldest first. @throws AwsError ParameterNotFound */
  history(reference: string): readonly ParameterVersion[] {
    const versions = this.#parameters.get(this.parse(reference).name);
    if (versions === undefined) throw new AwsError('ParameterNotFound', '');
    return versions;
  }

  /** Latest versions below the path, sorted by name. */
  below(path: string, recursive: boolean): readonly ParameterVersion[] {
    const prefix = path.endsWith('/') ? path : `${path}/`;
    const names = [...this.#parameters.keys()].filter((name) => name.startsWith(prefix) && (recursive || !name.slice(prefix.length).includes('/')));
    return names.toSorted().map((name) => this.get(name));
  }

  /** @throws AwsError ParameterNotFound */
  delete(name: string): void {
    if (!this.#parameters.delete(name)) throw new AwsError('ParameterNotFound', '');
  }

  /** Name and selector of a reference. */
  parse(reference: string): { name: string; selector: string | null } {
    const path = /^arn:aws:ssm:[^:]*:[^:]*:parameter(\/.*)$/.exec(reference)?.[1];
    const text = path ?? reference;
    const at = text.indexOf(':');
    const name = at < 0 ? text : text.slice(0, at);
    // The ARN of `x` and that of `/x` look the same.
    const known = path !== undefined && !this.#parameters.has(name) && this.#parameters.has(name.slice(1)) ? name.slice(1) : name;
    return { name: known, selector: at < 0 ? null : text.slice(at + 1) };
  }

  #checked(parameter: NewParameter, latest: ParameterVersion | undefined): ParameterVersion {
    const type = parameter.type ?? latest?.type;
    if (type === undefined) throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
    if (latest !== undefined && latest.type !== type) {
      throw new AwsError('HierarchyTypeMismatchException', 'The existing parameter type does not match the type in the request.');
    }
    if (!/^[\w.\-/]+$/.test(parameter.name)) {
      throw new AwsError('ValidationException', `Parameter name must only use the letters, numbers and symbols ".-_/": ${parameter.name}`);
    }
    if (parameter.value === '') throw new AwsError('ValidationException', '1 validation error detected: Value at \'value\' failed to satisfy constraint: Member must have length greater than or equal to 1.');
    const tier = parameter.tier ?? latest?.tier ?? 'Standard';
    if (Buffer.byteLength(parameter.value) > longestValue[tier]) {
      throw new AwsError('ValidationException', `${tier} tier parameters support a maximum parameter value of ${longestValue[tier]} characters.`);
    }
    const { name, value, by } = parameter;
    const description = parameter.description ?? latest?.description ?? null;
    return { name, value, type, tier, description, version: (latest?.version ?? 0) + 1, modifiedAt: this.#clock.now(), modifiedBy: by, labels: [] };
  }
}
