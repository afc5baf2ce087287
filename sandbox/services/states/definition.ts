// The Amazon States Language as far as the interpreter runs it; anything else is refused when the machine is created.

export type Value = unknown;

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, Value>>;
  readonly Output?: Value;
}

export interface ChoiceRule {
  readonly Condition: Value;
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, Value>>;
  readonly Output?: Value;
}

export interface State {
  readonly Type: 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Succeed' | 'Fail' | 'Parallel' | 'Map';
  readonly Comment?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Output?: Value;
  readonly Assign?: Readonly<Record<string, Value>>;
  readonly Arguments?: Value;
  readonly Resource?: string;
  readonly TimeoutSeconds?: Value;
  readonly HeartbeatSeconds?: Value;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
  readonly Choices?: readonly ChoiceRule[];
  readonly Default?: string;
  readonly Seconds?: Value;
  readonly Timestamp?: Value;
  readonly Error?: Value;
  readonly Cause?: Value;
  readonly Branches?: readonly Graph[];
  readonly Items?: Value;
  readonly ItemSelector?: Value;
  readonly MaxConcurrency?: Value;
  readonly ItemProcessor?: Graph & { readonly ProcessorConfig?: { readonly Mode?: string } };
}

export interface Graph {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Definition extends Graph {
  readonly QueryLanguage: 'JSONata';
  readonly TimeoutSeconds?: number;
}

export const lambdaInvoke = /^arn:[\w-]+:states:::lambda:invoke$/;
export const lambdaToken = /^arn:[\w-]+:states:::lambda:invoke\.waitForTaskToken$/;
export const startExecution = /^arn:[\w-]+:states:::(aws-sdk:sfn|states):startExecution$/;

const everywhere = ['Type', 'Comment', 'QueryLanguage'];
const flowing = ['Next', 'End', 'Output', 'Assign'];
const guarded = ['Retry', 'Catch', 'Arguments'];
const fieldsOf: Readonly<Record<State['Type'], readonly string[]>> = {
  Task: [...flowing, ...guarded, 'Resource', 'TimeoutSeconds', 'HeartbeatSeconds'],
  Pass: flowing,
  Choice: ['Choices', 'Default', 'Output', 'Assign'],
  Wait: [...flowing, 'Seconds', 'Timestamp'],
  Succeed: ['Output'],
  Fail: ['Error', 'Cause'],
  Parallel: [...flowing, ...guarded, 'Branches'],
  Map: [...flowing, 'Retry', 'Catch', 'Items', 'ItemSelector', 'MaxConcurrency', 'ItemProcessor'],
};
const retrierFields = ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'];
const catcherFields = ['ErrorEquals', 'Next', 'Assign', 'Output', 'Comment'];
const ruleFields = ['Condition', 'Next', 'Assign', 'Output', 'Comment'];

/**
 * Parses and checks a state machine definition.
 * @throws Error that lists every part which is wrong or which this interpreter does not run.
 */
export function parseDefinition(text: string): Definition {
  const raw = JSON.parse(text) as Partial<Definition>;
  const issues: string[] = [];
  if (raw.QueryLanguage !== 'JSONata') issues.push('QueryLanguage: only JSONata is supported');
  onlyFields(raw, ['QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Comment', 'Version'], 'machine', issues);
  if (raw.TimeoutSeconds !== undefined && typeof raw.TimeoutSeconds !== 'number') issues.push('machine: TimeoutSeconds must be a number');
  checkGraph(raw as Graph, 'machine', issues);
  const names = stateNames(raw as Graph);
  for (const name of names.filter((one, index) => names.indexOf(one) !== index)) issues.push(`state name "${name}" is used twice`);
  if (issues.length > 0) throw new Error(`SCHEMA_VALIDATION_FAILED: ${issues.join('; ')}`);
  return raw as Definition;
}

function onlyFields(value: object, allowed: readonly string[], where: string, issues: string[]): void {
  for (const field of Object.keys(value))
    if (!allowed.includes(field)) issues.push(`${where}: field ${field} is not supported here`);
}

function checkGraph(graph: Graph | undefined, where: string, issues: string[]): void {
  if (graph?.States === undefined || typeof graph.States !== 'object') return void issues.push(`${where}: has no States`);
  if (!Object.hasOwn(graph.States, graph.StartAt)) issues.push(`${where}: StartAt names "${graph.StartAt}", which is not one of its states`);
  for (const [name, state] of Object.entries(graph.States)) checkState(state, { graph, name, where: `${where}.${name}`, issues });
}

interface Check {
  readonly graph: Graph;
  readonly name: string;
  readonly where: string;
  readonly issues: string[];
}

function checkState(state: State, check: Check): void {
  const { where, issues, name } = check;
  if (name.length > 80) issues.push(`${where}: a state name has at most 80 characters`);
  const fields = fieldsOf[state.Type] as readonly string[] | undefined;
  if (fields === undefined) return void issues.push(`${where}: state type ${state.Type} is not supported`);
  onlyFields(state, [...everywhere, ...fields], where, issues);
  checkFlow(state, check);
  for (const retrier of state.Retry ?? []) onlyFields(retrier, retrierFields, `${where}.Retry`, issues);
  for (const catcher of state.Catch ?? []) {
    onlyFields(catcher, catcherFields, `${where}.Catch`, issues);
    mustExist(catcher.Next, check);
  }
  for (const list of [state.Retry ?? [], state.Catch ?? []]) checkAllIsLast(list, check);
  checkOwnParts(state, check);
}

function checkAllIsLast(list: readonly { ErrorEquals: readonly string[] }[], { where, issues }: Check): void {
  for (const [index, { ErrorEquals }] of list.entries())
    if (ErrorEquals.includes('States.ALL') && (ErrorEquals.length > 1 || index < list.length - 1))
      issues.push(`${where}: States.ALL must stand alone and last`);
}

function checkFlow(state: State, check: Check): void {
  if (['Choice', 'Succeed', 'Fail'].includes(state.Type)) return;
  if ((state.Next === undefined) === (state.End === undefined)) check.issues.push(`${check.where}: needs exactly one of Next and End`);
  if (state.Next !== undefined) mustExist(state.Next, check);
}

function mustExist(next: string, { graph, where, issues }: Check): void {
  if (!Object.hasOwn(graph.States, next)) issues.push(`${where}: leads to "${next}", which is not a state beside it`);
}

function checkOwnParts(state: State, check: Check): void {
  const { where, issues } = check;
  if (state.Type === 'Task') checkResource(state.Resource ?? '', check);
  if (state.Type === 'Wait' && (state.Seconds === undefined) === (state.Timestamp === undefined)) issues.push(`${where}: needs exactly one of Seconds and Timestamp`);
  if (state.Type === 'Choice') {
    if ((state.Choices ?? []).length === 0) issues.push(`${where}: needs Choices`);
    for (const rule of state.Choices ?? []) {
      onlyFields(rule, ruleFields, `${where}.Choices`, issues);
      mustExist(rule.Next, check);
    }
    if (state.Default !== undefined) mustExist(state.Default, check);
  }
  if (state.Type === 'Parallel') {
    if ((state.Branches ?? []).length === 0) issues.push(`${where}: needs Branches`);
    for (const [index, branch] of (state.Branches ?? []).entries()) checkGraph(branch, `${where}[${index}]`, issues);
  }
  if (state.Type === 'Map') checkMap(state, check);
}

function checkMap(state: State, { where, issues }: Check): void {
  const mode = state.ItemProcessor?.ProcessorConfig?.Mode ?? 'INLINE';
  if (mode !== 'INLINE') issues.push(`${where}: Map mode ${mode} is not supported`);
  checkGraph(state.ItemProcessor, where, issues);
}

function checkResource(resource: string, { where, issues }: Check): void {
  if (![lambdaInvoke, lambdaToken, startExecution].some((known) => known.test(resource)))
    issues.push(`${where}: Task resource "${resource}" is not supported`);
}

function stateNames(graph: Graph | undefined): string[] {
  return Object.entries(graph?.States ?? {}).flatMap(([name, state]) => [
    name,
    ...(state.Branches ?? []).flatMap(stateNames),
    ...(state.ItemProcessor === undefined ? [] : stateNames(state.ItemProcessor)),
  ]);
}
