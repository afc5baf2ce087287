// Every operation and every modelled error of each client crosses the wire both ways unchanged, through the real SDK client.
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { afterAll, describe, expect, test } from 'vitest';
import { Quotas } from '../../../sandbox/aws/quotas.ts';
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import { readModel, type ErrorModel, type OperationModel, type ServiceModel } from '../../../sandbox/aws/wire/model.ts';
import { AwsError, type AwsService, type Operation } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { clientOf, clients, commandOf } from './clients.ts';
import { exampleOf, plain } from './example.ts';
import { person, place } from './world.ts';

// The sandbox serves none of these; the reason is why they cannot be walked.
const notWalked: Readonly<Record<string, string>> = {
  'lambda:InvokeWithResponseStream': 'answers with an event stream',
  'sts:AssumeRoleWithSAML': 'is not signed',
  'sts:AssumeRoleWithWebIdentity': 'is not signed',
};

// Sends the client to another host, signed in another way.
const leftOut: Readonly<Record<string, string>> = { 'events:PutEvents': 'EndpointId' };

const received = new Map<string, unknown>();
let failure: AwsError | null = null;

function echo(operation: OperationModel, key: string): Operation {
  return {
    mutating: false,
    authorize: () => [],
    run: (input: unknown) => {
      received.set(key, input);
      if (failure !== null) throw failure;
      return exampleOf(operation.output);
    },
  };
}

const services = Object.entries(clients).map(([signingName, { schemas, iamPrefix }]): AwsService => {
  const operations = [...readModel(schemas).operations.values()];
  return { signingName, iamPrefix, schemas, operations: Object.fromEntries(operations.map((operation) => [operation.name, echo(operation, `${signingName}:${operation.name}`)])) };
});

const clock = new SpedUpClock();
const server = new SandboxServer({ services, place, clock, quotas: new Quotas(clock, { enabled: false }) });
const endpoint = await server.listen();
afterAll(() => server.close());

const options = { endpoint, region: place.region, credentials: person, maxAttempts: 1 };

const variants = [
  ...Object.keys(clients).map((signingName) => ({ signingName, dialect: 'its own dialect', protocol: {} })),
  // How older and newer clients than ours speak to CloudWatch.
  { signingName: 'monitoring', dialect: 'awsQuery', protocol: { protocol: AwsQueryProtocol } },
  { signingName: 'monitoring', dialect: 'rpcv2Cbor', protocol: { protocol: AwsSmithyRpcV2CborProtocol } },
];

describe.each(variants)('$signingName in $dialect', ({ signingName, protocol }) => {
  const schemas = clients[signingName]?.schemas ?? {};
  const model = readModel(schemas);
  const client = clientOf(schemas, { ...options, ...protocol });
  afterAll(() => client.destroy());

  test.each([...model.operations.keys()].filter((name) => notWalked[`${signingName}:${name}`] === undefined))('%s crosses the wire unchanged', async (name) => {
    failure = null;
    const operation = model.operations.get(name);
    if (operation === undefined) throw new Error(name);
    const input = exampleOf(operation.input) as Record<string, unknown>;
    delete input[leftOut[`${signingName}:${name}`] ?? ''];
    const output = await client.send(commandOf(schemas, name, input));
    expect(plain(received.get(`${signingName}:${name}`))).toEqual(plain(input));
    expect(plain(output)).toEqual(plain(exampleOf(operation.output)));
  });

  test('every modelled error arrives under its name, with its status, message and fields', async () => {
    const name = [...model.operations.keys()].find((operation) => notWalked[`${signingName}:${operation}`] === undefined) ?? '';
    const operation = model.operations.get(name);
    if (operation === undefined) throw new Error('no operation');
    for (const error of model.errors) {
      const fields = Object.fromEntries(Object.entries(exampleOf(error.schema) as object).filter(([key]) => key.toLowerCase() !== 'message'));
      failure = new AwsError(error.name, 'what <went> wrong', { fields });
      const thrown = await client.send(commandOf(schemas, name, exampleOf(operation.input))).then(() => null, (reason: unknown) => reason);
      expect(thrown).toMatchObject({ message: 'what <went> wrong', $metadata: { httpStatusCode: error.status } });
      expect(namesFor(model, error)).toContain((thrown as Error).name);
      for (const [key, value] of Object.entries(fields)) expect(plain((thrown as Record<string, unknown>)[key])).toEqual(plain(value));
    }
    failure = null;
    expect.assertions(model.errors.length * 2 + fieldCount(model.errors));
  });
});

/** Where several shapes share one code on the wire, no client can tell them apart. */
function namesFor(model: ServiceModel, error: ErrorModel): readonly string[] {
  return model.errors.filter(({ queryCode }) => queryCode === error.queryCode).map(({ name }) => name);
}

function fieldCount(errors: readonly ErrorModel[]): number {
  return errors.flatMap(({ schema }) => Object.keys(exampleOf(schema) as object).filter((key) => key.toLowerCase() !== 'message')).length;
}
