// How the deployer makes one type of resource, and which of its properties mean something here.
import type { Place } from '../aws/world.ts';
import type { SandboxServer } from '../aws/server.ts';
import type { SandboxServices } from '../sandbox.ts';
import type { Created } from './intrinsics.ts';

export interface DeployTarget {
  readonly place: Place;
  readonly iam: SandboxServer['iam'];
  readonly services: SandboxServices;
}

/** Everything that making one resource may need; `properties` are resolved. */
export interface Making {
  readonly target: DeployTarget;
  readonly logicalId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The given name, or one as CloudFormation would make it. */
  name(property: string, longest: number): string;
  /** Stable id, for resources that AWS names by a UUID. */
  uuid(): string;
  /** The file or folder behind an object of the asset bucket. @throws Error */
  asset(objectKey: string): string;
  arn(service: string, resource: string): string;
}

export interface ResourceType {
  /** Properties that the sandbox acts on. */
  readonly acted: readonly string[];
  /** Properties that change nothing that can be seen in the sandbox: tags, encryption, log retention … */
  readonly ignored: readonly string[];
  make(making: Making): Promise<Created> | Created;
}

export const text = (making: Making, property: string): string => {
  const value = making.properties[property];
  if (typeof value !== 'string' || value === '') throw new Error(`${property} is required and must be a string`);
  return value;
};

/** Undefined when it is absent; templates may write flags and numbers where text is meant. */
export function optionalText(making: Making, property: string): string | undefined {
  const value = making.properties[property];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${property} must be a string`);
}

export const number = (making: Making, property: string, fallback: number): number => {
  const value = making.properties[property];
  if (value === undefined) return fallback;
  if (Number.isNaN(Number(value))) throw new Error(`${property} must be a number`);
  return Number(value);
};

/** @throws Error unless the property is absent or one of the values that mean nothing. */
export function refuse(making: Making, property: string, harmless: readonly unknown[] = []): void {
  const value = making.properties[property];
  const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
  if (!isEmpty && !harmless.some((one) => JSON.stringify(one) === JSON.stringify(value))) throw new Error(`${property} ${JSON.stringify(value)} is not supported`);
}
