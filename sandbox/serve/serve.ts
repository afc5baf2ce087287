// `npm run sandbox`: keeps a world up, with a known-good version in it, and lets a person make its release sick.
import path from 'node:path';
import { createInterface } from 'node:readline';
import pc from 'picocolors';
import { badReleaseAlb } from '../scenarios/bad-release-alb.ts';
import type { Sandbox } from '../sandbox.ts';
import { scenarioNamed } from '../scenarios/catalogue.ts';
import type { Scenario, Workload } from '../scenarios/scenario.ts';
import { alarms } from '../scenarios/shop-service.ts';
import { setUp, type PlayOptions, type Running } from '../stage/play.ts';
import { Backend } from '../shop/backend.ts';
import { furnish, type Furnishing } from './furnishing.ts';

export interface ServeOptions extends Omit<PlayOptions, 'print'> {
  /** Scenario whose world is kept up, before anything goes wrong in it. */
  readonly scenario?: string;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Never returns; Ctrl-C ends the process. */
export async function serve(options: ServeOptions): Promise<number> {
  const scenario = options.scenario === undefined ? badReleaseAlb : scenarioNamed(options.scenario);
  const running = await setUp(scenario, { ...options, directory: path.join(options.directory, 'serve', scenario.name), print });
  const { sandbox } = running;
  const furnishing = scenario.traffic === 'load-balancer' ? await furnish(sandbox, { clock: sandbox.clock, backend: new Backend(), carts: new Map() }) : null;
  print(`\nThe sandbox is up at ${pc.bold(sandbox.endpoint)}, with Ripcord and a shop under load in it. For example:\n`);
  for (const line of examples(running, scenario, furnishing)) print(`  ${line}`);
  print(`\n${pc.dim('Other worlds: npm run sandbox -- route53-weights, or codedeploy. Ctrl-C ends it.')}\n`);
  await story(running);
  return new Promise(() => undefined);
}

/** The world gets a version that is known good and a release on top of it; what becomes of the release is up to the person. */
async function story({ stage }: Running): Promise<void> {
  stage.say('in about four minutes of sandbox time the shop has proved itself; then 2.0.0 is released, and you can break it');
  await stage.minutes(4);
  await stage.release('2.0.0');
  print(`\nType ${pc.bold('sick')} to make 2.0.0 bad, ${pc.bold('well')} to heal it, and watch. A dry run now shows a plan.\n`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const word = line.trim();
    if (word === 'sick') stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    else if (word === 'well') stage.sicken('green', {});
    else if (word !== '') return print('  sick, or well');
    if (word !== '') stage.say(word === 'sick' ? '2.0.0 is bad now; the alarms need two minutes' : '2.0.0 is well again');
  });
}

function examples({ sandbox, stage, ripcord }: Running, { traffic }: Scenario, furnishing: Furnishing | null): readonly string[] {
  const { region } = sandbox.place;
  return [
    // Version 1 of the AWS CLI reads the Region from AWS_DEFAULT_REGION alone.
    `export AWS_ENDPOINT_URL=${sandbox.endpoint} AWS_REGION=${region} AWS_DEFAULT_REGION=${region} AWS_ACCESS_KEY_ID=you AWS_SECRET_ACCESS_KEY=anything`,
    'aws cloudwatch describe-alarms --query "MetricAlarms[].[AlarmName,StateValue]"',
    `aws cloudwatch set-alarm-state --alarm-name ${alarms.errors} --state-value ALARM --state-reason "trying it out"`,
    'aws events list-rules',
    ...workloadExamples(traffic, stage.workload),
    ...(furnishing === null ? [] : [`aws route53 list-resource-record-sets --hosted-zone-id ${furnishing.hostedZoneId}`, `aws deploy get-deployment --deployment-id ${furnishing.deploymentId}`]),
    `aws stepfunctions start-execution --state-machine-arn ${ripcord.names.rollbackMachineArn} --input '{"service":"${stage.service}","reason":"trying it out","requestedBy":"you","mode":"dry-run"}'`,
    'aws stepfunctions describe-execution --execution-arn <the ARN it answered>',
    `aws dynamodb query --table-name ${ripcord.names.auditTable} --key-condition-expression "rollbackId = :id" --expression-attribute-values '{":id":{"S":"<the name of the execution>"}}'`,
    'npx ripcord report <the name of the execution>',
    `${operatorIn(sandbox, ripcord.names.operatorPolicyArn)} npx ripcord label <the name of the execution> right`,
  ];
}

/** A label needs somebody whom IAM can name; any other key here is the account's. @returns the variables of one that may do what an operator may. */
function operatorIn({ iam, place }: Sandbox, policyArn: string): string {
  const roleName = 'operator';
  iam.putRole({ roleName, arn: `arn:aws:iam::${place.account}:role/${roleName}`, managedPolicyArns: [policyArn] });
  const { accessKeyId, secretAccessKey, sessionToken } = iam.issueKey(roleName, 'you');
  return `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_SESSION_TOKEN=${sessionToken}`;
}

function workloadExamples(traffic: Scenario['traffic'], { listenerArn, hostedZoneId, codedeploy, ecs }: Workload): readonly string[] {
  const own: Readonly<Record<Scenario['traffic'], readonly string[]>> = {
    'load-balancer': [`aws elbv2 describe-listeners --listener-arns ${listenerArn}`, `aws elbv2 describe-rules --listener-arn ${listenerArn}`],
    dns: [`aws route53 list-resource-record-sets --hosted-zone-id ${hostedZoneId}`],
    ecs: ecs === undefined ? [] : [`aws ecs describe-services --cluster ${ecs.cluster} --services ${ecs.service}`],
    codedeploy: [`aws deploy list-deployments --application-name ${codedeploy.application} --deployment-group-name ${codedeploy.deploymentGroup}`],
  };
  return own[traffic];
}
