// The AWS CLI drives the sandbox with the real stack in it: alarms, listeners, executions, DNS, deployments, the audit.
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { albTarget, codeDeployOf, dnsTarget, lambdaTarget } from './small-services.ts';

function isInstalled(): boolean {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const hasCli = isInstalled();
if (!hasCli) console.log('aws-cli.test: skipped, because the AWS CLI is not installed');

describe.runIf(hasCli)('the AWS CLI', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start({ services: { shop: { target: albTarget }, zone: { target: dnsTarget }, alias: { target: lambdaTarget('finished') } } });
    await rig.release(['shop', 'alias']);
  });
  afterAll(() => rig.stop());

  async function aws(line: string, ...rest: readonly string[]): Promise<Record<string, unknown>> {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], AWS_CONFIG_FILE: '/nonexistent', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent', AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-1', AWS_PAGER: '', AWS_MAX_ATTEMPTS: '1', AWS_ACCESS_KEY_ID: 'you', AWS_SECRET_ACCESS_KEY: 'anything' };
    const { stdout } = await promisify(execFile)('aws', [...line.split(' '), ...rest, '--endpoint-url', rig.sandbox.endpoint, '--output', 'json'], { env });
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  }
  const documentOf = (service: string): Record<string, unknown> => ({ ...rig.targets[service]?.document });

  test('looks at what is live: listener, rules, records, deployment', async () => {
    const { listenerArn, targetGroups } = documentOf('shop') as { listenerArn: string; targetGroups: { green: string } };
    const [deployment] = codeDeployOf(rig.sandbox).deployments('alias').slice(-1);
    const [listeners, rules, records, shown] = await Promise.all([
      aws('elbv2 describe-listeners --listener-arns', listenerArn),
      aws('elbv2 describe-rules --listener-arn', listenerArn),
      aws('route53 list-resource-record-sets --hosted-zone-id', String(documentOf('zone')['hostedZoneId'])),
      aws('deploy get-deployment --deployment-id', deployment?.id ?? ''),
    ]);
    expect(JSON.stringify(listeners)).toContain(JSON.stringify({ TargetGroupArn: targetGroups.green, Weight: 100 }));
    expect(rules).toMatchObject({ Rules: [{ IsDefault: true, Priority: 'default' }] });
    expect(records).toMatchObject({ ResourceRecordSets: [{ SetIdentifier: 'blue', Weight: 100, TTL: 60 }, { SetIdentifier: 'green', Weight: 0 }] });
    expect(shown).toMatchObject({ deploymentInfo: { deploymentId: deployment?.id, status: 'Succeeded', computePlatform: 'Lambda' } });
  });

  test('starts a dry run as a person would, and reads how it went', async () => {
    const machine = rig.ripcord.names.rollbackMachineArn;
    const started = await aws('stepfunctions start-execution --state-machine-arn', machine, '--name', 'by-hand', '--input', JSON.stringify({ service: 'shop', reason: 'trying it out', requestedBy: 'you', mode: 'dry-run' }));
    const executionArn = String(started['executionArn']);
    await rig.until('it has ended', () => rig.sandbox.services.states.execution(executionArn).status !== 'RUNNING');
    const [described, history, query] = await Promise.all([
      aws('stepfunctions describe-execution --execution-arn', executionArn),
      aws('stepfunctions get-execution-history --execution-arn', executionArn),
      aws('dynamodb query --table-name', rig.ripcord.names.auditTable, '--key-condition-expression', 'rollbackId = :id', '--expression-attribute-values', '{":id":{"S":"by-hand"}}'),
    ]);
    expect(described).toMatchObject({ status: 'SUCCEEDED', name: 'by-hand', output: expect.stringContaining('"outcome":"dry-run"') as string });
    expect(JSON.stringify(history)).toContain('"name":"PlanSteps"');
    expect(query).toMatchObject({ Count: 4, Items: [{ kind: { S: 'assessed' } }, { kind: { S: 'planned' } }, { kind: { S: 'reported' } }, { kind: { S: 'sealed' } }] });
    expect(rig.changes('shop')).toEqual([]);
  });

  test('sets alarms, and the rollback that they start puts the listener back', async () => {
    for (const name of ['shop-errors', 'shop-latency']) await aws('cloudwatch set-alarm-state --state-value ALARM --state-reason', 'a drill', '--alarm-name', name);
    await rig.until('the listener is back', () => rig.targets['shop']?.live() === 'blue');
    await rig.until('every run has ended', () => rig.ripcord.rollbacks().length >= 3 && rig.ripcord.rollbacks().every(({ status }) => status !== 'RUNNING'));
    const alarms = await aws('cloudwatch describe-alarms --alarm-names', 'shop-errors', 'shop-latency');
    expect(alarms).toMatchObject({ MetricAlarms: [{ AlarmName: 'shop-errors', StateValue: 'OK' }, { AlarmName: 'shop-latency', StateValue: 'OK' }] });
    const executions = await aws('stepfunctions list-executions --status-filter SUCCEEDED --state-machine-arn', rig.ripcord.names.rollbackMachineArn);
    expect(executions['executions']).toHaveLength(3);
    expect(new Set(rig.ripcord.rollbacks().map(({ outcome }) => outcome))).toEqual(new Set(['dry-run', 'joined', 'recovered']));
  });
});
