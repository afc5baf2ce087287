// The repository's own services.yaml, synthesized and deployed: every resource is one the sandbox can make, and the real machine runs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesize } from '../../../lib/app.ts';
import type { Deployed } from '../../../sandbox/deploy/deployer.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'real-assembly-'));
let sandbox: Sandbox;
let made: Deployed;

beforeAll(async () => {
  synthesize(path.resolve(import.meta.dirname, '../../../services.yaml'), directory);
  sandbox = await startSandbox({ speed: 60, handleSignals: false });
  made = await sandbox.deploy(directory);
}, 60_000);
afterAll(async () => {
  await sandbox.stop();
  rmSync(directory, { recursive: true });
});

test('both machines, a function of each handler and a rule with a dead-letter queue for each trigger are there', () => {
  expect(sandbox.services.states.machines().map((one) => one.name).toSorted()).toEqual(['ripcord-rollback', 'ripcord-watch']);
  expect(sandbox.services.functions.list().length).toBeGreaterThanOrEqual(9);
  for (const rule of sandbox.services.events.rules())
    for (const target of rule.targets.values()) expect(target.DeadLetterConfig?.Arn).toMatch(/^arn:aws:sqs:/);
});

test('a rollback of a service that nobody knows is refused, audited and closed', async () => {
  const [machine] = made.byType('AWS::StepFunctions::StateMachine').filter(({ ref }) => ref.endsWith(':ripcord-rollback'));
  const { executionArn } = sandbox.services.states.startExecution(machine?.ref ?? '', { service: 'nobody', reason: 'a typo', requestedBy: 'jane' }, 'typo');
  const execution = sandbox.services.states.execution(executionArn);
  await execution.finished;
  expect(execution.status).not.toBe('RUNNING');
  const audit = Object.entries(made.outputs).find(([name]) => name.includes('AuditTable'))?.[1] ?? '';
  const kinds = (await sandbox.services.dynamodb.items(audit)).map((one) => one['kind']?.S);
  expect(kinds).toContain('sealed');
  const calls = sandbox.calls.list().filter((one) => one.errorCode !== null);
  expect(calls.filter((one) => /AccessDenied|SandboxUnsupported|AuthorizationError/.test(one.errorCode ?? '')).map((one) => `${one.service}:${one.operation} ${one.errorCode}`)).toEqual([]);
}, 30_000);
