// Whatever a rule, a tool, a person or the state machine hands to a function that begins something: done, or refused in clear words with nothing changed.
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { putApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { handler as answerHandler } from '../../lambdas/handlers/answer.ts';
import { handler as assessHandler } from '../../lambdas/handlers/assess.ts';
import { handler as labelHandler } from '../../lambdas/handlers/label.ts';
import { handler as watchHandler } from '../../lambdas/handlers/watch.ts';
import { handler as watchdogHandler } from '../../lambdas/handlers/watchdog.ts';
import { dynamoClient } from '../../lambdas/runtime/wiring.ts';
import type { CallRecord } from '../../sandbox/aws/world.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { CodeDeploy } from '../../sandbox/services/codedeploy/codedeploy.ts';
import { codeDeployService } from '../../sandbox/services/codedeploy/service.ts';
import { Ecs } from '../../sandbox/services/ecs/ecs.ts';
import { RollingServices } from '../../sandbox/services/ecs/rolling.ts';
import { ecsService } from '../../sandbox/services/ecs/service.ts';
import { alarmInput, serviceInput } from '../unit/assess-rig.ts';
import { manyCases, patience } from './many-cases.ts';
import { mutated, nasty } from './hostile-values.ts';
import { pipelineEvents, releaseEvents } from './release-samples.ts';

let sandbox: Sandbox;
const machineArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:ripcord-rollback';

beforeAll(async () => {
  sandbox = await startSandbox({ handleSignals: false });
  const { clock, place, services: { dynamodb, parameters, topics } } = sandbox;
  const ecs = new Ecs(place);
  sandbox.register(codeDeployService(new CodeDeploy({ place, clock, bus: sandbox.services.events, alarmState: () => null })));
  sandbox.register(ecsService(ecs, new RollingServices({ ecs, place, clock })));
  sandbox.server.quotas.enabled = false;
  sandbox.iam.putRole({ roleName: 'engine', arn: 'arn:aws:iam::111122223333:role/engine' });
  sandbox.iam.putRolePolicy('engine', { name: 'all', document: { Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] } });
  const { accessKeyId, secretAccessKey, sessionToken } = sandbox.iam.issueKey('engine');
  const variables = {
    AWS_ENDPOINT_URL: sandbox.endpoint, AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken, AWS_MAX_ATTEMPTS: '1',
    POWERTOOLS_LOG_LEVEL: 'SILENT', RIPCORD_LEDGER_TABLE: 'ledger', RIPCORD_AUDIT_TABLE: 'audit', RIPCORD_CATALOGUE_PREFIX: '/ripcord/services/', RIPCORD_ROLLBACK_MACHINE_ARN: machineArn,
    RIPCORD_STORM_SERVICES: '1000', RIPCORD_STORM_MINUTES: '10', RIPCORD_STORM_UNRELATED: '2', RIPCORD_CODE_VERSION: 'abc', RIPCORD_APPROVER_ROLE_ARNS: 'arn:aws:iam::111122223333:role/Approver',
    RIPCORD_ON_CALL_TOPIC_ARN: topics.create('on-call'), RIPCORD_STAKEHOLDER_TOPIC_ARN: topics.create('stakeholders'),
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const table = (TableName: string, hash: string, range: string, type: 'S' | 'N') => dynamodb.createTable({
    TableName, KeySchema: [{ AttributeName: hash, KeyType: 'HASH' }, { AttributeName: range, KeyType: 'RANGE' }], AttributeDefinitions: [{ AttributeName: hash, AttributeType: 'S' }, { AttributeName: range, AttributeType: type }],
  });
  await table('ledger', 'pk', 'sk', 'S');
  await table('audit', 'rollbackId', 'seq', 'N');
  const service = serviceSchema.parse({ ...serviceInput, targets: { web: serviceInput.targets['web'] }, releases: { lambda: [{ functionName: 'search', alias: 'live' }] } });
  parameters.put({ name: '/ripcord/services/shop', value: JSON.stringify({ name: 'shop', service }), type: 'String', tier: 'Advanced', overwrite: true, by: 'test' });
  await anEndedRollback();
});
afterAll(() => sandbox.stop());

/** One that labels can be about. */
async function anEndedRollback(): Promise<void> {
  const audit = new AuditRecord(dynamoClient(), 'audit', 'ledger');
  const about = { rollbackId: 'rb-1', service: 'shop', at: '2026-11-20T09:14:07.000Z' };
  await audit.seal({ ...about, data: {} }, await audit.append({ ...about, kind: 'reported', data: { ending: { outcome: 'recovered' } } }, null));
}

/** One that waits for an answer, and has none yet. */
async function anOpenQuestion(): Promise<void> {
  const client = dynamoClient();
  await client.send(new DeleteItemCommand({ TableName: 'ledger', Key: { pk: { S: 'ROLLBACK#rb-2' }, sk: { S: 'APPROVAL' } } }));
  await putApproval({ client, name: 'ledger' }, { rollbackId: 'rb-2', service: 'shop', requestedBy: null, askedAt: '2026-11-20T09:14:07.000Z', deadlineAt: '2099-01-01T00:00:00.000Z', onDeadline: 'stop', shown: {} }, 'a-token');
}

interface Entry {
  readonly handler: (event: unknown) => Promise<unknown>;
  readonly samples: readonly object[];
  /** What the state machine puts around what it was given. */
  readonly around?: (input: unknown) => object;
  /** Makes the world anew before each event. */
  readonly prepare?: () => Promise<void>;
  /** Writes that a refusal is allowed: that it happened. */
  readonly notes?: (call: CallRecord) => boolean;
  /** A refusal that is an answer, not an error. */
  readonly refusal?: (output: unknown) => string | null;
}

const inTable = (name: string) => ({ operation, input }: CallRecord): boolean =>
  operation === 'TransactWriteItems' && (input as { TransactItems: readonly { readonly Put?: { readonly TableName: string } }[] }).TransactItems[0]?.Put?.TableName === name;
const userArn = 'arn:aws:sts::111122223333:assumed-role/Approver/bob';
const request = (method: string, more: object): object => ({ version: '2.0', rawPath: '/', requestContext: { http: { method, path: '/' }, authorizer: { iam: { userArn, userId: 'AROAEXAMPLE:bob' } } }, isBase64Encoded: false, ...more });
const said = (body: object): object => request('POST', { body: { rollback: 'rb-2', ...body } });

/** A body arrives as text; what is nested deeper than anything can write is cut off. */
function sent(event: unknown): object {
  const { body } = (event ?? {}) as { readonly body?: unknown };
  if (body === null || typeof body !== 'object') return event as object;
  try {
    return { ...(event as object), body: JSON.stringify(body) };
  } catch {
    return { ...(event as object), body: '['.repeat(30_000) };
  }
}

const death = (detail: object): object => ({
  version: '0', id: 'e-1', source: 'aws.states', 'detail-type': 'Step Functions Execution Status Change', time: '2026-11-20T09:20:00Z', resources: [`${machineArn.replace('stateMachine', 'execution')}:rb-3`],
  detail: { executionArn: `${machineArn.replace('stateMachine', 'execution')}:rb-3`, stateMachineArn: machineArn, name: 'rb-3', status: 'FAILED', startDate: 1_795_166_047_104, stopDate: 1_795_166_400_000, input: '{"service":"shop","reason":"r","requestedBy":"dana"}', output: null, error: 'States.Runtime', cause: 'c', ...detail },
});
const label = (detail: object): object => ({ version: '0', id: 'e-1', source: 'ripcord.label', 'detail-type': 'Label', time: '2026-11-20T10:00:00Z', resources: [], detail: { rollback: 'rb-1', label: 'wrong', by: 'pager', ...detail } });
const watched = [...pipelineEvents, ...releaseEvents];

const entries: Readonly<Record<string, Entry>> = {
  'a release that a Watch is told of': { handler: watchHandler, samples: watched.map((event) => ({ service: 'shop', event })), around: (input) => ({ verb: 'record', watchId: 'w-1', input }) },
  'a sign of trouble': {
    handler: assessHandler, notes: inTable('audit'),
    samples: [alarmInput('shop') as object, { service: 'shop', reason: 'r', requestedBy: 'dana', mode: 'dry-run' }],
    around: (input) => ({ rollbackId: 'rb-4', startedAt: '2026-11-20T09:14:07.000Z', look: 0, approval: null, evidence: null, audit: null, input }),
  },
  'the death of an execution': { handler: watchdogHandler, samples: [death({}), death({ status: 'TIMED_OUT', error: null, cause: null, name: 'rb-5' }), death({ status: 'ABORTED', input: null, name: 'rb-6' })] },
  'a label of a tool': {
    handler: labelHandler, samples: [label({}), label({ label: 'right', comment: 'a dependency was down' })],
    refusal: (output) => (output as { refused?: string }).refused ?? null,
  },
  'a label by URL': {
    handler: labelHandler, around: sent, samples: [request('POST', { body: { rollback: 'rb-1', label: 'wrong', comment: 'a dependency was down' } }), request('POST', { body: { rollback: 'rb-1', label: 'right' } })],
    refusal: (output) => {
      const { statusCode, body } = output as { statusCode?: number; body: string };
      return statusCode === undefined || statusCode < 400 ? null : (JSON.parse(body) as { error: string }).error;
    },
  },
  'an answer by URL': {
    handler: answerHandler, prepare: anOpenQuestion, around: sent, notes: inTable('audit'),
    samples: [said({ answer: 'approve', comment: 'go' }), said({ answer: 'reject' }), request('GET', { queryStringParameters: { rollback: 'rb-2' } })],
    refusal: (output) => {
      const { statusCode, body } = output as { statusCode: number; body: string };
      // Step Functions here has no task of that token: the answer was taken as far as it goes.
      return statusCode < 400 || statusCode === 410 ? null : (JSON.parse(body) as { error: string }).error;
    },
  },
};

/** Why it was refused; null when it was done. @throws what is no refusal. */
async function refusalOf({ handler, refusal, around }: Entry, event: unknown): Promise<string | null> {
  try {
    const output = await handler(around === undefined ? event : around(event));
    return refusal?.(output) ?? null;
  } catch (error) {
    // Named by us, or thrown by us: the errors of JavaScript and of AWS have other names.
    if (error instanceof Error && ['Refused', 'Stopped', 'Error'].includes(error.name)) return error.message;
    throw error;
  }
}

test.each(Object.entries(entries))('%s, with any part put in another way: done, or refused in clear words and nothing written', async (_, entry) => {
  for (const sample of entry.samples) {
    await entry.prepare?.();
    expect(await refusalOf(entry, sample), JSON.stringify(sample).slice(0, 300)).toBeNull();
  }
  await fc.assert(fc.asyncProperty(fc.oneof({ weight: 1, arbitrary: nasty }, { weight: 9, arbitrary: mutated(entry.samples) }), async (event) => {
    await entry.prepare?.();
    const [before, began] = [sandbox.calls.last, performance.now()];
    const why = await refusalOf(entry, event);
    expect(performance.now() - began, 'milliseconds').toBeLessThan(5000);
    if (why === null) return;
    expect(why).toMatch(/^[^\p{Cc}\u202A-\u202E]{1,700}$/u);
    const written = sandbox.calls.list({ mutating: true, after: before }).filter((call) => entry.notes?.(call) !== true);
    expect(written.map(({ operation, input }) => `${operation} ${JSON.stringify(input).slice(0, 200)}`), `refused (${why}), and written all the same`).toEqual([]);
  }), manyCases(40));
}, patience(120_000));
