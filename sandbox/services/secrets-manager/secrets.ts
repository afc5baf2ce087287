// Secrets Manager: secrets and the stages of their versions.
import { createHash } from 'node:crypto';
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';

export interface SecretVersion {
  readonly versionId: string;
  readonly value: string;
  /** Epoch milliseconds, sandbox time. */
  readonly createdAt: number;
  readonly stages: readonly string[];
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description: string | null;
  readonly createdAt: number;
  readonly versions: readonly SecretVersion[];
}

export class Secrets {
  readonly #place: Place;
  readonly #clock: SandboxClock;
  readonly #secrets = new Map<string, Secret>();

  constructor(place: Place, clock: SandboxClock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** The ARN that a secret of this name has or would get: six characters follow the name. */
  arn(name: string): string {
    const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
    return `arn:aws:secretsmanager:${this.#place.region}:${this.#place.account}:secret:${name}-${suffix}`;
  }

  /** `arn` only where one is given from outside, such as in a user's services.yaml. @throws AwsError ResourceExistsException */
  create(name: string, value: string, description: string | null = null, arn = this.arn(name)): Secret {
    if (this.#secrets.has(name)) throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    const createdAt = this.#clock.now();
    const secret: Secret = { name, arn, description, createdAt, versions: [this.#version(name, value, 0)] };
    this.#secrets.set(name, secret);
    return secret;
  }

  /** A new current version; the one before becomes AWSPREVIOUS. @throws AwsError ResourceNotFoundException */
  put(reference: string, value: string): SecretVersion {
    const secret = this.get(reference);
    const older = secret.versions.map((version) => ({ ...version, stages: version.stages.includes('AWSCURRENT') ? ['AWSPREVIOUS'] : [] }));
    const version = this.#version(secret.name, value, secret.versions.length);
    this.#secrets.set(secret.name, { ...secret, versions: [...older, version] });
    return version;
  }

  /** Finds by name, ARN, or ARN without its suffix. @throws AwsError ResourceNotFoundException */
  get(reference: string): Secret {
    const found = this.#secrets.get(reference) ?? [...this.#secrets.values()].find(({ arn }) => arn === reference || arn.slice(0, -7) === reference);
    if (found === undefined) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return found;
  }

  /** @throws AwsError ResourceNotFoundException for an unknown secret, version or stage. */
  version(reference: string, wanted: { versionId?: string; stage?: string }): SecretVersion {
    const stage = wanted.stage ?? (wanted.versionId === undefined ? 'AWSCURRENT' : undefined);
    const found = this.get(reference).versions.find(
      (version) => (wanted.versionId === undefined || version.versionId === wanted.versionId) && (stage === undefined || version.stages.includes(stage)),
    );
    if (found === undefined) throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${stage === undefined ? 'VersionId' : 'staging label'}: ${stage ?? wanted.versionId}`);
    return found;
  }

  /** ARN for IAM: that of the secret, or the one it would have. */
  resource(reference: string): string {
    try {
      return this.get(reference).arn;
    } catch {
      return reference.startsWith('arn:') ? reference : this.arn(reference);
    }
  }

  #version(name: string, value: string, index: number): SecretVersion {
    const hex = createHash('sha256').update(`${name} ${index}`).digest('hex');
    const versionId = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
    return { versionId, value, createdAt: this.#clock.now(), stages: ['AWSCURRENT'] };
  }
}
