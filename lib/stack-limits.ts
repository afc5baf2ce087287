// What CloudFormation and EventBridge take of one stack and one bus: said at synth, with the mend, and not halfway through a deployment.
import { aws_events as events, CfnResource, Stack } from 'aws-cdk-lib';

/** Resources of one stack. "AWS CloudFormation quotas": 500, not adjustable. */
const resourceLimit = 500;
/** Rules of one event bus. "Amazon EventBridge quotas": 300 in most Regions, 100 in some; adjustable. The rules of others on the default bus count too, and are not known here. */
const ruleLimit = 300;

const mend = 'Split services.yaml into several files, each with an `engine.name` of its own (and services that depend on each other in one), and deploy each with `-c config=<file>`';

/**
 * One line for each quota that the stack would break.
 * The context `@aws-cdk/core:stackResourceLimit` (CDK's own; 0 is none) and `rulesPerBus` (what the account was granted) change them.
 */
export function limitProblems(stack: Stack): string[] {
  const resources = stack.node.findAll().filter((one) => CfnResource.isCfnResource(one) && Stack.of(one) === stack);
  const rules = resources.filter((one) => one instanceof events.CfnRule && one.eventBusName === undefined).length;
  const mayHold = contextNumber(stack, '@aws-cdk/core:stackResourceLimit', resourceLimit);
  const perBus = contextNumber(stack, 'rulesPerBus', mayHold === 0 ? 0 : ruleLimit);
  return [
    ...(mayHold > 0 && resources.length > mayHold ? [`${resources.length} resources are more than the ${mayHold} that CloudFormation takes in one stack. ${mend}.`] : []),
    ...(perBus > 0 && rules > perBus ? [`${rules} rules are more than the ${perBus} that EventBridge takes on one bus, and several engines share it. Have the quota "Rules per event bus" raised, and say so with \`-c rulesPerBus=<granted>\`.`] : []),
  ];
}

/** @throws Error when the context holds no number: to go on with the default would let a typing error pass. */
function contextNumber(stack: Stack, key: string, otherwise: number): number {
  const given: unknown = stack.node.tryGetContext(key);
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (!Number.isInteger(value) || value < 0) throw new Error(`the context ${key} must be a whole number, got ${JSON.stringify(given)}`);
  return value;
}
