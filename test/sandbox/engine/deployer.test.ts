// Hand-written assemblies: references, conditions, stacks, names, and what is refused.
import { afterEach, expect, test } from 'vitest';
import { Sandbox } from '../../../sandbox/sandbox.ts';
import { physicalName } from '../../../sandbox/deploy/physical-name.ts';
import { AssemblyRig, role } from './assembly-rig.ts';

let rig: AssemblyRig;
let sandbox: Sandbox;
const deploy = async (...stacks: [string, object, string[]?][]) => {
  rig = new AssemblyRig();
  sandbox = new Sandbox();
  await sandbox.listen();
  for (const [name, template, dependencies] of stacks) rig.stack(name, template, dependencies);
  return sandbox.deploy(rig.directory);
};
afterEach(async () => {
  await sandbox.stop();
  rig.remove();
});

const parameter = (Value: unknown, rest: object = {}): { Type: string; Properties: object } => ({ Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value, Name: '/value', ...rest } });
const valueOf = async (Value: unknown, template: { Resources?: object } = {}): Promise<string> => {
  const { Resources = {}, ...rest } = template;
  await deploy(['S', { ...rest, Resources: { V: parameter(Value), ...Resources } }]);
  return sandbox.services.parameters.get('/value').value;
};

const topic = { T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'pages' } } };
test.each<[string, unknown, object, string]>([
  ['Ref of a resource made later in the file', { Ref: 'T' }, { Resources: topic }, 'arn:aws:sns:eu-west-1:111122223333:pages'],
  ['Fn::GetAtt', { 'Fn::GetAtt': ['T', 'TopicName'] }, { Resources: topic }, 'pages'],
  ['Fn::GetAtt as text', { 'Fn::GetAtt': 'T.TopicName' }, { Resources: topic }, 'pages'],
  ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }, {}, 'a-eu-west-1'],
  ['Fn::Sub with references, a map and a literal', { 'Fn::Sub': ['${T.TopicName} ${AWS::AccountId} ${X} ${!Y}', { X: { Ref: 'AWS::Partition' } }] }, { Resources: topic }, 'pages 111122223333 aws ${Y}'],
  ['Fn::Select of Fn::Split', { 'Fn::Select': [5, { 'Fn::Split': [':', { Ref: 'T' }] }] }, { Resources: topic }, 'pages'],
  ['Fn::FindInMap', { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'k'] }, { Mappings: { M: { 'eu-west-1': { k: 'found' } } } }, 'found'],
  ['Fn::If, true', { 'Fn::If': ['C', 'yes', 'no'] }, { Conditions: { C: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } } }, 'yes'],
  ['Fn::If, false', { 'Fn::If': ['C', 'yes', 'no'] }, { Conditions: { C: { 'Fn::Not': [{ 'Fn::And': [{ 'Fn::Equals': [1, 1] }, { 'Fn::Or': [{ 'Fn::Equals': [1, 2] }, { 'Fn::Equals': [3, 3] }] }] }] } } }, 'no'],
  ['a parameter’s default', { Ref: 'P' }, { Parameters: { P: { Type: 'String', Default: 'd' } } }, 'd'],
])('%s is resolved', async (_name, value, template, expected) => expect(await valueOf(value, template)).toBe(expected));

test('a dynamic reference reads a parameter that is there', async () => {
  await deploy(['S', { Resources: { A: parameter('deep', { Name: '/a' }), V: { ...parameter('{{resolve:ssm:/a}}!'), DependsOn: 'A' } } }]);
  expect(sandbox.services.parameters.get('/value').value).toBe('deep!');
});

test('AWS::NoValue leaves the property out, and a false condition the resource', async () => {
  const made = await deploy(['S', { Conditions: { No: { 'Fn::Equals': [1, 2] } }, Resources: { V: parameter('x', { Tier: { Ref: 'AWS::NoValue' } }), W: { ...parameter('y', { Name: '/w' }), Condition: 'No' } }, Outputs: { O: { Value: 'o', Condition: 'No' } } }]);
  expect(Object.keys(made.stacks['S']?.resources ?? {})).toEqual(['V']);
  expect(made.outputs).toEqual({});
});

test('stacks are deployed in the order of their dependencies, and exports are imported', async () => {
  const made = await deploy(
    ['B', { Resources: { V: parameter({ 'Fn::ImportValue': 'A:Topic' }) } }, ['A']],
    ['A', { Resources: topic, Outputs: { O: { Value: { Ref: 'T' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Topic' } } } } }],
  );
  expect(sandbox.services.parameters.get('/value').value).toBe(made.outputs['O']);
});

test('names are CloudFormation’s, and the same at each run', async () => {
  const made = await deploy(['Stack', { Resources: { Queue4A7E3555: { Type: 'AWS::SQS::Queue' } } }]);
  const [queue] = made.byType('AWS::SQS::Queue');
  expect(queue?.attributes['QueueName']).toMatch(/^Stack-Queue4A7E3555-[A-Z0-9]{12}$/);
  expect(queue?.attributes['QueueName']).toBe(physicalName('Stack', 'Queue4A7E3555', 80));
  expect(physicalName('a'.repeat(60), 'b'.repeat(60), 64)).toHaveLength(64);
});

test.each<[string, object, RegExp]>([
  ['an unknown resource type', { X: { Type: 'AWS::EC2::Instance' } }, /S\/X: resource type AWS::EC2::Instance is not supported/],
  ['an unknown property', { X: { Type: 'AWS::SNS::Topic', Properties: { Colour: 'red' } } }, /S\/X: property Colour of AWS::SNS::Topic is not supported/],
  ['a circle', { X: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { Ref: 'Y' } } }, Y: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { Ref: 'X' } } } }, /circular dependency: X → Y → X/],
  ['a missing reference', { X: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { Ref: 'Nobody' } } } }, /S\/X.*Ref Nobody/],
  ['an unknown function', { X: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::Base64': 'x' } } } }, /Fn::Base64 is not supported/],
  ['a FIFO queue', { X: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } } }, /FifoQueue true is not supported/],
  ['an open function URL', { R: role('lambda.amazonaws.com'), X: { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: 'f', AuthType: 'NONE' } } }, /AuthType NONE is not supported/],
  ['a Python function', { R: role('lambda.amazonaws.com'), X: { Type: 'AWS::Lambda::Function', Properties: { Code: { ZipFile: '' }, Handler: 'index.handler', Runtime: 'python3.13', Role: { 'Fn::GetAtt': ['R', 'Arn'] } } } }, /Runtime python3.13/],
  ['an unsupported event pattern', { X: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: [{ like: 'x' }] } } } }, /Unrecognized match type like/],
  ['an unsupported rule target', { X: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['x'] }, Targets: [{ Id: 't', Arn: 'arn:aws:logs:eu-west-1:111122223333:log-group:x' }] } } }, /is no state machine, function, topic or queue/],
  ['a cron schedule', { X: { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'cron(0 1 * * ? *)' } } }, /rate\(n minutes/],
  ['a JSONPath machine', { R: role('states.amazonaws.com'), X: { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: { 'Fn::GetAtt': ['R', 'Arn'] }, DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}' } } }, /only JSONata is supported/],
  ['an express machine', { R: role('states.amazonaws.com'), X: { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: 'x', StateMachineType: 'EXPRESS', DefinitionString: '{}' } } }, /StateMachineType "EXPRESS" is not supported/],
  ['a task of another service', { R: role('states.amazonaws.com'), X: { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: 'x', DefinitionString: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', End: true } } }) } } }, /Task resource "arn:aws:states:::sqs:sendMessage" is not supported/],
])('%s is refused by name', async (_name, Resources, message) => {
  await expect(deploy(['S', { Resources }])).rejects.toThrow(message);
});

test('a folder without a manifest is refused', async () => {
  rig = new AssemblyRig();
  sandbox = new Sandbox();
  await sandbox.listen();
  await expect(sandbox.deploy(rig.directory)).rejects.toThrow('is no CDK assembly');
});
