// Versions and aliases of the functions that the sandbox's services deploy, with AWS's rules for weights and revision ids.
import type { AliasConfiguration, FunctionConfiguration, UpdateAliasRequest } from '@aws-sdk/client-lambda';
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';
import { byChance, uuid, type Ids } from '../../ids.ts';

export interface VersionRecord {
  readonly version: string;
  readonly description: string;
  readonly publishedAt: number;
}

export interface AliasRecord {
  readonly name: string;
  functionVersion: string;
  /** Version to share, 0 to 1; empty when there is none. */
  weights: Readonly<Record<string, number>>;
  revisionId: string;
}

interface FunctionRecord {
  readonly name: string;
  readonly versions: Map<string, VersionRecord>;
  readonly aliases: Map<string, AliasRecord>;
}

const missing = (what: string): AwsError => new AwsError('ResourceNotFoundException', what, { status: 404, fields: { Type: 'User' } });
const invalid = (message: string): AwsError => new AwsError('InvalidParameterValueException', message, { fields: { Type: 'User' } });

export class LambdaAliases {
  readonly #functions = new Map<string, FunctionRecord>();
  readonly #parts: { readonly place: Place; readonly clock: SandboxClock; readonly ids?: Ids };

  /** @param parts `ids` by default: by chance. */
  constructor(parts: { place: Place; clock: SandboxClock; ids?: Ids }) {
    this.#parts = parts;
  }

  /** Whether the function (name, ARN, with or without qualifier) is one of these. */
  has(functionName: string): boolean {
    return this.#functions.has(bareName(functionName));
  }

  createFunction(name: string): void {
    this.#functions.set(name, { name, versions: new Map(), aliases: new Map() });
  }

  /** The next number; `description` is free, the sandbox's shop keeps the name of the release in it. */
  publishVersion(functionName: string, description: string): VersionRecord {
    const { versions } = this.#function(functionName);
    const version = { version: String(Math.max(0, ...[...versions.keys()].map(Number)) + 1), description, publishedAt: this.#parts.clock.now() };
    versions.set(version.version, version);
    return version;
  }

  /** @throws AwsError `ResourceConflictException` when an alias uses it. */
  deleteVersion(functionName: string, version: string): void {
    const { versions, aliases } = this.#function(functionName);
    if ([...aliases.values()].some((alias) => alias.functionVersion === version || version in alias.weights)) throw new AwsError('ResourceConflictException', `Version ${version} is used by an alias`, { status: 409 });
    versions.delete(version);
  }

  createAlias(functionName: string, name: string, version: string): AliasRecord {
    const { aliases } = this.#function(functionName);
    this.version(functionName, version);
    const alias = { name, functionVersion: version, weights: {}, revisionId: uuid(this.#parts.ids ?? byChance, 'revision') };
    aliases.set(name, alias);
    return alias;
  }

  /** @throws AwsError `ResourceNotFoundException`. */
  alias(functionName: string, name: string): AliasRecord {
    const alias = this.#function(functionName).aliases.get(name);
    if (alias === undefined) throw missing(`Cannot find alias arn: ${this.arn(functionName)}:${name}`);
    return alias;
  }

  /** @throws AwsError `ResourceNotFoundException`. */
  version(functionName: string, version: string): VersionRecord {
    const found = this.#function(functionName).versions.get(version);
    if (found === undefined) throw missing(`Function not found: ${this.arn(functionName)}:${version}`);
    return found;
  }

  versions(functionName: string): VersionRecord[] {
    return [...this.#function(functionName).versions.values()];
  }

  aliases(functionName: string): AliasRecord[] {
    return [...this.#function(functionName).aliases.values()];
  }

  /** Without RoutingConfig the weights stay; only an empty map clears them. @throws AwsError `PreconditionFailedException`, `InvalidParameterValueException`, `ResourceNotFoundException`. */
  updateAlias(functionName: string, name: string, change: Pick<UpdateAliasRequest, 'FunctionVersion' | 'RoutingConfig' | 'RevisionId'>): AliasRecord {
    const alias = this.alias(functionName, name);
    if (change.RevisionId !== undefined && change.RevisionId !== alias.revisionId) throw new AwsError('PreconditionFailedException', 'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id', { status: 412, fields: { Type: 'User' } });
    const version = change.FunctionVersion ?? alias.functionVersion;
    const weights = change.RoutingConfig === undefined ? alias.weights : change.RoutingConfig.AdditionalVersionWeights ?? {};
    this.version(functionName, version);
    for (const [other, weight] of Object.entries(weights)) {
      this.version(functionName, other);
      if (other === version) throw invalid('RoutingConfig version must be different from the FunctionVersion');
      if (!(weight >= 0 && weight <= 1)) throw invalid('The weight must be between 0.0 and 1.0');
    }
    if (Object.keys(weights).length > 1) throw invalid('Number of items in AdditionalVersionWeights cannot be greater than 1');
    alias.functionVersion = version;
    alias.weights = weights;
    alias.revisionId = uuid(this.#parts.ids ?? byChance, 'revision');
    return alias;
  }

  /** The version that serves one invocation through the alias. */
  choose(functionName: string, name: string): string {
    const { functionVersion, weights } = this.alias(functionName, name);
    let at = Math.random();
    for (const [version, weight] of Object.entries(weights)) {
      if (at < weight) return version;
      at -= weight;
    }
    return functionVersion;
  }

  arn(functionName: string): string {
    return `arn:aws:lambda:${this.#parts.place.region}:${this.#parts.place.account}:function:${bareName(functionName)}`;
  }

  aliasShown(functionName: string, { name, functionVersion, weights, revisionId }: AliasRecord): AliasConfiguration {
    return {
      AliasArn: `${this.arn(functionName)}:${name}`, Name: name, FunctionVersion: functionVersion, Description: '', RevisionId: revisionId,
      ...(Object.keys(weights).length === 0 ? {} : { RoutingConfig: { AdditionalVersionWeights: { ...weights } } }),
    };
  }

  versionShown(functionName: string, { version, description, publishedAt }: VersionRecord): FunctionConfiguration {
    return {
      FunctionName: bareName(functionName), FunctionArn: `${this.arn(functionName)}:${version}`, Version: version, Description: description, State: 'Active', LastUpdateStatus: 'Successful',
      LastModified: new Date(publishedAt).toISOString().replace('Z', '+0000'), Runtime: 'nodejs24.x', Handler: 'index.handler',
    };
  }

  #function(functionName: string): FunctionRecord {
    const found = this.#functions.get(bareName(functionName));
    if (found === undefined) throw missing(`Function not found: ${this.arn(functionName)}`);
    return found;
  }
}

const reference = /^(?:arn:[^:]*:lambda:[^:]*:[^:]*:function:)?([\w-]+)(?::([\w$-]+))?$/;

/** `shop`, `shop:live` or any ARN of it. */
export const bareName = (functionName: string): string => reference.exec(functionName)?.[1] ?? functionName;

/** The version or alias after the name, or null. */
export const qualifierOf = (functionName: string): string | null => reference.exec(functionName)?.[2] ?? null;
