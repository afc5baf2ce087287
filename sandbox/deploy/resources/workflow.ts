// State machines, alarms and dashboards of a template.
import { readFileSync } from 'node:fs';
import type { PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import { refuse, text, type Making, type ResourceType } from '../resource-type.ts';

function definitionOf(making: Making): string {
  const { DefinitionString, Definition, DefinitionS3Location, DefinitionSubstitutions = {} } = making.properties;
  const fromAsset = (DefinitionS3Location as { Key?: string } | undefined)?.Key;
  let definition: string;
  if (typeof DefinitionString === 'string') definition = DefinitionString;
  else if (Definition !== undefined) definition = JSON.stringify(Definition);
  else if (fromAsset !== undefined) definition = readFileSync(making.asset(fromAsset), 'utf8');
  else throw new Error('needs DefinitionString, Definition or DefinitionS3Location');
  return definition.replace(/\$\{(\w+)\}/g, (found, name: string) => {
    const value = (DefinitionSubstitutions as Record<string, unknown>)[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : found;
  });
}

const stateMachine: ResourceType = {
  acted: ['StateMachineName', 'DefinitionString', 'Definition', 'DefinitionS3Location', 'DefinitionSubstitutions', 'RoleArn', 'StateMachineType'],
  ignored: ['LoggingConfiguration', 'TracingConfiguration', 'Tags', 'EncryptionConfiguration'],
  make: (making) => {
    refuse(making, 'StateMachineType', ['STANDARD']);
    const { arn, name } = making.target.services.states.create({ name: making.name('StateMachineName', 80), definition: definitionOf(making), roleArn: text(making, 'RoleArn') });
    return { ref: arn, attributes: { Arn: arn, Name: name, StateMachineRevisionId: 'INITIAL' } };
  },
};

const alarmArn = (making: Making, name: string): string => making.arn('cloudwatch', `alarm:${name}`);
const numeric = new Set(['Period', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold', 'ActionsSuppressorExtensionPeriod', 'ActionsSuppressorWaitPeriod']);

/** The template's property names are those of the API. */
function alarmInput(making: Making, name: string): Record<string, unknown> {
  const given = Object.entries(making.properties).filter(([key]) => key !== 'Tags');
  return { ...Object.fromEntries(given.map(([key, value]) => [key, numeric.has(key) ? Number(value) : value])), AlarmName: name };
}

const actions = ['ActionsEnabled', 'AlarmActions', 'OKActions', 'InsufficientDataActions', 'AlarmDescription', 'AlarmName'];
const alarm: ResourceType = {
  acted: [
    ...actions, 'ComparisonOperator', 'DatapointsToAlarm', 'Dimensions', 'EvaluateLowSampleCountPercentile', 'EvaluationPeriods', 'ExtendedStatistic', 'MetricName', 'Metrics', 'Namespace', 'Period',
    'Statistic', 'Threshold', 'ThresholdMetricId', 'TreatMissingData', 'Unit',
  ],
  ignored: ['Tags'],
  make: (making) => {
    const name = making.name('AlarmName', 255);
    making.target.services.cloudwatch.putMetricAlarm(alarmInput(making, name) as unknown as PutMetricAlarmInput);
    return { ref: name, attributes: { Arn: alarmArn(making, name) } };
  },
};

const compositeAlarm: ResourceType = {
  acted: [...actions, 'AlarmRule', 'ActionsSuppressor', 'ActionsSuppressorExtensionPeriod', 'ActionsSuppressorWaitPeriod'],
  ignored: ['Tags'],
  make: (making) => {
    const name = making.name('AlarmName', 255);
    making.target.services.cloudwatch.putCompositeAlarm(alarmInput(making, name) as unknown as PutCompositeAlarmInput);
    return { ref: name, attributes: { Arn: alarmArn(making, name) } };
  },
};

const dashboard: ResourceType = { acted: ['DashboardName'], ignored: ['DashboardBody', 'Tags'], make: (making) => ({ ref: making.name('DashboardName', 255), attributes: {} }) };
const metadata: ResourceType = { acted: [], ignored: ['Analytics'], make: (making) => ({ ref: making.logicalId, attributes: {} }) };

export const workflowTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::StepFunctions::StateMachine': stateMachine,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::CompositeAlarm': compositeAlarm,
  'AWS::CloudWatch::Dashboard': dashboard,
  'AWS::CDK::Metadata': metadata,
};
