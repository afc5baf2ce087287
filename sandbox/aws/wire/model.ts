// What the SDK client's runtime schemas say about one service: its dialect, operations and modelled errors.
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticErrorSchema, StaticOperationSchema } from '@smithy/types';

export type DialectName = 'awsJson1_0' | 'awsJson1_1' | 'awsQuery' | 'restJson1' | 'restXml' | 'rpcv2Cbor';

export interface OperationModel {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  /** Only in REST dialects. */
  readonly http: { readonly method: string; readonly path: string; readonly status: number } | null;
}

export interface ErrorModel {
  /** Name of the shape, which is the error's name in the SDK. */
  readonly name: string;
  /** Code on the wire in the query dialect; elsewhere the same as the name. */
  readonly queryCode: string;
  readonly status: number;
  readonly schema: NormalizedSchema;
}

export interface ServiceModel {
  readonly dialect: DialectName;
  readonly namespace: string;
  readonly xmlNamespace: string;
  readonly version: string;
  readonly target: string;
  /** JSON answers carry the query dialect's error code beside their own. */
  readonly queryCompatible: boolean;
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly errors: readonly ErrorModel[];
}

interface ClientConfig {
  readonly protocol: { getShapeId(): string };
  readonly protocolSettings: {
    readonly defaultNamespace: string;
    readonly xmlNamespace?: string;
    readonly version: string;
    readonly serviceTarget: string;
    readonly awsQueryCompatible?: boolean;
  };
}

type ClientClass = new (options: object) => { readonly config: ClientConfig; destroy(): void };

const dialects: Readonly<Record<string, DialectName>> = {
  'aws.protocols#awsJson1_0': 'awsJson1_0',
  'aws.protocols#awsJson1_1': 'awsJson1_1',
  'aws.protocols#awsQuery': 'awsQuery',
  'aws.protocols#restJson1': 'restJson1',
  'aws.protocols#restXml': 'restXml',
  'smithy.protocols#rpcv2Cbor': 'rpcv2Cbor',
};

// The exports of a client never change, and an exploration starts thousands of sandboxes.
const known = new WeakMap<Readonly<Record<string, unknown>>, ServiceModel>();

/**
 * Reads a client's exports, once.
 * @throws Error when they are not those of one SDK client, or its protocol is one that the sandbox does not speak.
 */
export function readModel(schemas: Readonly<Record<string, unknown>>): ServiceModel {
  const read = known.get(schemas) ?? modelOf(schemas);
  known.set(schemas, read);
  return read;
}

function modelOf(schemas: Readonly<Record<string, unknown>>): ServiceModel {
  const config = configOf(schemas);
  const shapeId = config.protocol.getShapeId();
  const dialect = dialects[shapeId];
  if (dialect === undefined) throw new Error(`the sandbox does not speak ${shapeId}`);
  const settings = config.protocolSettings;
  const operations = new Map<string, OperationModel>();
  const errors: ErrorModel[] = [];
  for (const [name, schema] of Object.entries(schemas)) {
    if (!name.endsWith('$') || !Array.isArray(schema)) continue;
    if (schema[0] === 9) operations.set(name.slice(0, -1), operationOf(schema as StaticOperationSchema));
    // The base class of all errors has a schema too, in a namespace of its own.
    if (schema[0] === -3 && !String(schema[1]).startsWith('smithy.ts.sdk.synthetic')) errors.push(errorOf(schema as StaticErrorSchema));
  }
  return {
    dialect,
    namespace: settings.defaultNamespace,
    xmlNamespace: settings.xmlNamespace ?? '',
    version: settings.version,
    target: settings.serviceTarget,
    queryCompatible: settings.awsQueryCompatible === true,
    operations,
    errors,
  };
}

function configOf(schemas: Readonly<Record<string, unknown>>): ClientConfig {
  const name = Object.keys(schemas).find((key) => key.endsWith('Client') && key !== '__Client');
  if (name === undefined) throw new Error('these are not the exports of an SDK client: no class ends in Client');
  const client = new (schemas[name] as ClientClass)({
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  client.destroy();
  return client.config;
}

function operationOf(schema: StaticOperationSchema): OperationModel {
  const traits = schema[3];
  const http = typeof traits === 'object' ? (traits.http ?? null) : null;
  return {
    name: schema[2],
    input: NormalizedSchema.of(schema[4]),
    output: NormalizedSchema.of(schema[5]),
    http: http === null ? null : { method: http[0], path: http[1], status: http[2] },
  };
}

function errorOf(schema: StaticErrorSchema): ErrorModel {
  const normalized = NormalizedSchema.of(schema);
  const traits = normalized.getMergedTraits();
  const queryError = traits.awsQueryError as readonly [code: string, status: number] | undefined;
  return {
    name: schema[2],
    queryCode: queryError?.[0] ?? schema[2],
    status: Number(queryError?.[1] ?? traits.httpError ?? (traits.error === 'server' ? 500 : 400)),
    schema: normalized,
  };
}

/** Finds a modelled error by the wire code or the SDK's name; undefined for codes that AWS does not model, such as AccessDenied. */
export function findError(model: ServiceModel, code: string): ErrorModel | undefined {
  return (
    // Several shapes may share one code on the wire: the name is the more precise.
    model.errors.find((error) => error.name === code) ??
    model.errors.find((error) => error.queryCode === code) ??
    model.errors.find((error) => error.name === `${code}Exception` || error.name === `${code}Fault`)
  );
}
