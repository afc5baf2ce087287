// One template deployed again and again: what does not change is kept, and what does is seen.
import { afterEach, expect, test } from 'vitest';
import { readAssembly, type StackArtifact } from '../../../sandbox/deploy/assembly.ts';
import type { Deployed } from '../../../sandbox/deploy/deployer.ts';
import { Sandbox, type SandboxOptions } from '../../../sandbox/sandbox.ts';
import { AssemblyRig, role } from './assembly-rig.ts';

const rigs: AssemblyRig[] = [];
const sandboxes: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(sandboxes.splice(0).map((one) => one.stop()));
  for (const rig of rigs.splice(0)) rig.remove();
});

function read(...stacks: [string, object, string[]?][]): readonly StackArtifact[] {
  const rig = new AssemblyRig();
  rigs.push(rig);
  for (const [name, template, dependencies] of stacks) rig.stack(name, template, dependencies);
  return readAssembly(rig.directory);
}

/** Into a sandbox of its own. */
async function deploy(stacks: readonly StackArtifact[], options: SandboxOptions = {}, before: (sandbox: Sandbox) => void = () => undefined): Promise<{ sandbox: Sandbox; deployed: Deployed; value: string }> {
  const sandbox = new Sandbox(options);
  sandboxes.push(sandbox);
  await sandbox.listen();
  before(sandbox);
  const deployed = await sandbox.deploy(stacks);
  return { sandbox, deployed, value: sandbox.services.parameters.get('/value').value };
}

const parameter = (Value: unknown): object => ({ Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value, Name: '/value' } });
const queue = { Type: 'AWS::SQS::Queue' };
const put = (value: string) => ({ services }: Sandbox) => void services.parameters.put({ name: '/given', type: 'String', value, by: 'a test' });

test('the account and the Region are those of the sandbox', async () => {
  const stacks = read(['S', { Resources: { V: parameter({ 'Fn::Sub': '${AWS::AccountId} ${AWS::Region} ${AWS::StackId}' }) } }]);
  const there = await deploy(stacks, { place: { account: '444455556666', region: 'us-east-1', partition: 'aws' } });
  const [here, again] = [await deploy(stacks), await deploy(stacks)];
  expect(there.value).toMatch(/^444455556666 us-east-1 arn:aws:cloudformation:us-east-1:444455556666:stack\/S\//);
  expect(here.value).toMatch(/^111122223333 eu-west-1 arn:aws:cloudformation:eu-west-1:111122223333:stack\/S\//);
  expect(again.value).toBe(here.value);
});

test('another stack of the same template has its own names', async () => {
  const stacks = read(['S', { Resources: { Q: queue, V: parameter({ 'Fn::GetAtt': ['Q', 'QueueName'] }), R: role('lambda.amazonaws.com', [{ Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Q', 'Arn'] } }]) } }]);
  for (const stackName of ['S', 'Other', 'S']) {
    const { sandbox, deployed, value } = await deploy(stacks.map((one) => ({ ...one, stackName })));
    const [made] = deployed.byType('AWS::SQS::Queue');
    expect(value).toBe(made?.attributes['QueueName']);
    expect(value).toMatch(new RegExp(`^${stackName}-Q-`));
    const { principal } = sandbox.iam.issueKey(deployed.byType('AWS::IAM::Role')[0]?.ref ?? '');
    const maySend = (arn = ''): boolean => sandbox.iam.isAllowed(principal, { action: 'sqs:SendMessage', resources: [arn] });
    expect([maySend(made?.attributes['Arn']), maySend('arn:aws:sqs:eu-west-1:111122223333:S-Q-OTHER')]).toEqual([true, false]);
  }
});

test('a dynamic reference is looked up in the sandbox, and so is a parameter of an SSM type', async () => {
  const Parameters = { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/given' } };
  const stacks = read(['S', { Parameters, Resources: { V: parameter({ 'Fn::Join': [' ', ['{{resolve:ssm:/given}}', { Ref: 'P' }]] }) } }]);
  for (const given of ['one', 'two', 'one']) expect((await deploy(stacks, {}, put(given))).value).toBe(`${given} ${given}`);
});

test('what another stack exports is imported as it is now', async () => {
  const exporting = (Value: string): object => ({ Resources: { Q: queue }, Outputs: { O: { Value, Export: { Name: 'Given' } } } });
  const stacks = read(['A', exporting('one')], ['B', { Resources: { V: parameter({ 'Fn::ImportValue': 'Given' }) } }, ['A']]);
  const other = read(['A', exporting('two')])[0] as StackArtifact;
  expect((await deploy(stacks)).value).toBe('one');
  expect((await deploy(stacks.map((one) => (one.stackName === 'A' ? other : one)))).value).toBe('two');
  await expect(deploy(stacks.filter(({ stackName }) => stackName === 'B'))).rejects.toThrow('no stack exports Given');
});

test('two assemblies with the same names have each its own rights, machines and rules', async () => {
  const assembly = (Action: string, Result: string) => read(['S', { Resources: {
    V: parameter(Result), R: role('states.amazonaws.com', [{ Action, Resource: '*' }]),
    M: { Type: 'AWS::StepFunctions::StateMachine', Properties: { StateMachineName: 'm', RoleArn: { 'Fn::GetAtt': ['R', 'Arn'] }, DefinitionString: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Succeed', Output: Result } } }) } },
    E: { Type: 'AWS::Events::Rule', Properties: { Name: 'e', EventPattern: { source: [Result] } } },
  } }]);
  for (const [action, result] of [['sns:Publish', 'one'], ['sns:Subscribe', 'two'], ['sns:Publish', 'one']] as const) {
    const { sandbox, deployed } = await deploy(assembly(action, result));
    const { principal } = sandbox.iam.issueKey(deployed.byType('AWS::IAM::Role')[0]?.ref ?? '');
    expect(['sns:Publish', 'sns:Subscribe'].filter((one) => sandbox.iam.isAllowed(principal, { action: one, resources: ['*'] }))).toEqual([action]);
    const { executionArn } = sandbox.services.states.startExecution(deployed.byType('AWS::StepFunctions::StateMachine')[0]?.ref ?? '', {});
    await sandbox.services.states.execution(executionArn).finished;
    expect(sandbox.services.states.execution(executionArn).output).toBe(JSON.stringify(result));
    const event = sandbox.services.events.put({ source: result, 'detail-type': 'x', detail: {} });
    expect(sandbox.services.events.rule('e').matches?.(event)).toBe(true);
    expect(sandbox.services.events.rule('e').matches?.({ ...event, source: 'neither' })).toBe(false);
  }
});

test('whoever changes a template that was deployed is told so', async () => {
  const stacks = read(['S', { Resources: { V: parameter('x') } }]);
  await deploy(stacks);
  const properties = stacks[0]?.template.Resources['V']?.Properties as { Value: string };
  expect(() => { properties.Value = 'y'; }).toThrow(TypeError);
});

test('what one sandbox does with what was deployed, another does not see', async () => {
  const stacks = read(['S', { Resources: { V: parameter('x'), R: role('lambda.amazonaws.com', [{ Action: 'sns:Publish', Resource: '*' }]) } }]);
  const [one, two] = [await deploy(stacks), await deploy(stacks)];
  const roleName = one.deployed.byType('AWS::IAM::Role')[0]?.ref ?? '';
  one.sandbox.iam.takeAway(roleName, 'sns:Publish');
  one.sandbox.iam.distrust(roleName);
  one.sandbox.services.parameters.put({ name: '/value', type: 'String', value: 'changed', by: 'a test', overwrite: true });
  const may = ({ iam }: Sandbox): boolean => iam.isAllowed(iam.issueKey(roleName).principal, { action: 'sns:Publish', resources: ['*'] });
  expect([one, two].map(({ sandbox }) => may(sandbox))).toEqual([false, true]);
  expect(two.sandbox.iam.assume(`arn:aws:iam::111122223333:role/${roleName}`, 'lambda.amazonaws.com').kind).toBe('role');
  expect((await deploy(stacks)).value).toBe('x');
});
