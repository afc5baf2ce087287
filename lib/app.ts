// The CDK app: one engine and the services of one configuration file, checked by cdk-nag.
import { App, aws_iam as iam, CfnOutput, Stack, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Construct } from 'constructs';
import type { Config } from '../lambdas/config/schema.ts';
import { loadConfig } from './load-config.ts';
import { ProtectedService } from './protected-service.ts';
import { RollbackEngine } from './rollback-engine.ts';
import { limitProblems } from './stack-limits.ts';

/** The schema's default, whose stack is called as ever. */
const defaultEngineName = 'ripcord';

/** The engine and its services in one stack: they are deployed together, so one cannot be newer than the other. */
export class RipcordStack extends Stack {
  readonly engine: RollbackEngine;

  constructor(scope: Construct, id: string, config: Config) {
    // Two files with engines of two names must not deploy over each other.
    const named = config.engine.name === defaultEngineName ? {} : { stackName: `${id}-${config.engine.name}` };
    super(scope, id, { ...named, description: 'Ripcord: rolls bad releases back, proves the recovery, records it' });
    const { name, onCall, stakeholders, approvers, storm } = config.engine;
    this.engine = new RollbackEngine(this, 'Engine', {
      engineName: name, onCall, stakeholders, storm,
      approvers: approvers.map((arn, index) => iam.Role.fromRoleArn(this, `Approver${index + 1}`, arn, { mutable: false })),
    });
    for (const [serviceName, service] of Object.entries(config.services))
      ProtectedService.fromConfig(this, `service-${serviceName}`, { engine: this.engine, serviceName, service });
    this.outputs();
    this.node.addValidation({ validate: () => limitProblems(this) });
  }

  private outputs(): void {
    const { names, onCallTopic, stakeholderTopic, approvalUrl, labelUrl, auditTable, people } = this.engine;
    const output = (id: string, description: string, value: string): void => void new CfnOutput(this, id, { description, value });
    output('RollbackStateMachine', 'Start a rollback or a dry run here', names.rollbackArn);
    output('RollbackConsole', 'The same in the console', `https://${this.region}.console.aws.amazon.com/states/home?region=${this.region}#/statemachines/view/${names.rollbackArn}`);
    output('WatchStateMachine', 'Watches releases', names.watchArn);
    output('OnCallTopic', 'Subscribe whoever is woken', onCallTopic.topicArn);
    output('StakeholderTopic', 'Subscribe whoever wants to know', stakeholderTopic.topicArn);
    output('ApprovalUrl', 'Where approvers answer, with `npx ripcord approve`', approvalUrl);
    output('LabelUrl', 'Where operators label a rollback that ended, with `npx ripcord label`', labelUrl);
    output('AuditTable', 'Check a rollback with `npx ripcord audit verify`', auditTable.tableName);
    output('ViewerPolicy', 'For people who look', people.viewer.managedPolicyArn);
    output('OperatorPolicy', 'For people who start and stop', people.operator.managedPolicyArn);
    output('ApproverPolicy', 'For people who answer', people.approver.managedPolicyArn);
  }
}

/**
 * Builds the app without synthesizing it.
 * @param configPath of a `services.yaml`, relative to the working directory. Absent: what `-c config=<path>` says, or `services.yaml`.
 * @throws Error with one line for each problem of the configuration.
 */
export function buildApp(configPath?: string, props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, autoSynth: false, ...props });
  const chosen: unknown = configPath ?? app.node.tryGetContext('config') ?? 'services.yaml';
  new RipcordStack(app, 'Ripcord', loadConfig(String(chosen)));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

/**
 * Synthesizes a configuration without the CDK CLI, without an account and without the network.
 * @returns paths of the templates; assets lie beside them in `outDirectory`.
 * @throws Error for a wrong configuration, a bundle that is too large, or a finding of cdk-nag.
 */
export function synthesize(configPath: string, outDirectory: string): readonly string[] {
  // `cdk synth` validates against CloudFormation's schemas too; that takes longer than all the rest.
  const assembly = buildApp(configPath, { outdir: outDirectory, builtinCloudFormationValidation: false }).synth();
  return assembly.stacks.map((stack) => stack.templateFullPath);
}
