// Each change of a target that took effect was announced in the audit: the invocation that made it had put down what it would write, and over what.
import { isDeepStrictEqual } from 'node:util';
import type { CallRecord } from '../aws/world.ts';
import type { Run } from './invariants.ts';
import { callsBeside, rowsPutBy } from './invocation-calls.ts';

/** What a row announces. */
interface Intent {
  readonly rollbackId: string;
  readonly strategy: string;
  readonly targetId: string;
  readonly from: State;
  readonly to: State;
}

type State = Readonly<Record<string, unknown>>;
type Target = Readonly<Record<string, unknown>>;

/** Of each call that changes a target: its whole input, as the row and the catalogue entry have it. `unsaid`: the members that no row tells of. */
interface Written {
  readonly unsaid?: readonly string[];
  announced(target: Target, intent: Intent): unknown;
}

const written: Readonly<Record<string, Written>> = {
  'elasticloadbalancing:ModifyListener': { announced: ({ listenerArn }, { to }) => ({ ListenerArn: listenerArn, DefaultActions: to['actions'] }) },
  'elasticloadbalancing:ModifyRule': { announced: ({ ruleArn }, { to }) => ({ RuleArn: ruleArn, Actions: to['actions'] }) },
  'route53:ChangeResourceRecordSets': {
    announced: ({ hostedZoneId }, { from, to }) => ({ HostedZoneId: hostedZoneId, ChangeBatch: { Comment: 'of this rollback', Changes: [...changesOf('DELETE', from), ...changesOf('CREATE', to)] } }),
  },
  'codedeploy:StopDeployment': { announced: (_, { from }) => ({ deploymentId: (from['running'] as { readonly id?: string } | null)?.id, autoRollbackEnabled: true }) },
  'codedeploy:CreateDeployment': {
    unsaid: ['deploymentConfigName', 'autoRollbackConfiguration', 'overrideAlarmConfiguration', 'ignoreApplicationStopFailures', 'fileExistsBehavior'],
    announced: ({ application, deploymentGroup }, { to }) => ({ applicationName: application, deploymentGroupName: deploymentGroup, revision: to['revision'], description: 'of this rollback' }),
  },
  'ecs:UpdateService': { announced: ({ cluster, service }, { to }) => ({ cluster, service, taskDefinition: to['taskDefinition'] }) },
  'lambda:UpdateAlias': {
    unsaid: ['RevisionId'],
    announced: ({ functionName, alias }, { to }) => ({ FunctionName: functionName, Name: alias, FunctionVersion: to['version'], RoutingConfig: { AdditionalVersionWeights: to['weights'] } }),
  },
  'ssm:PutParameter': { announced: (_, { from, to }) => ({ Name: from['name'], Value: to['value'], Overwrite: true }) },
};

const changesOf = (action: string, state: State): unknown[] => ((state['records'] ?? []) as readonly unknown[]).map((record) => ({ Action: action, ResourceRecordSet: record }));

/** What a strategy reads of its target right before, and the same out of the row. Those left out name what they write over in the call itself. */
interface Read {
  readonly operations: RegExp;
  said(from: State): unknown;
  seen(output: never): unknown;
}

interface Alias {
  readonly FunctionVersion?: string;
}

interface Forwarding {
  readonly Listeners?: readonly { readonly DefaultActions?: unknown }[];
  readonly Rules?: readonly { readonly Actions?: unknown }[];
}

const reads: Readonly<Record<string, Read>> = {
  'alb-weights': {
    operations: /^elasticloadbalancing:Describe(Listeners|Rules)$/, said: ({ actions }) => sharesOf(actions),
    seen: ({ Listeners, Rules }: Forwarding) => sharesOf(Listeners?.[0]?.DefaultActions ?? Rules?.[0]?.Actions),
  },
  codedeploy: { operations: /^lambda:GetAlias$/, said: ({ live }) => live, seen: ({ FunctionVersion }: Alias) => FunctionVersion },
  'lambda-alias': { operations: /^lambda:GetAlias$/, said: ({ version }) => version, seen: ({ FunctionVersion }: Alias) => FunctionVersion },
  'ecs-service': {
    operations: /^ecs:DescribeServices$/, said: ({ taskDefinition }) => taskDefinition,
    seen: ({ services }: { readonly services?: readonly { readonly taskDefinition?: string }[] }) => services?.[0]?.taskDefinition,
  },
  'ssm-parameter': {
    operations: /^ssm:GetParameter$/, said: ({ value, version }) => ({ value, version }),
    seen: ({ Parameter }: { readonly Parameter?: { readonly Value?: string; readonly Version?: number } }) => ({ value: Parameter?.Value, version: Parameter?.Version }),
  },
};

interface Action {
  readonly ForwardConfig?: { readonly TargetGroups?: unknown };
}

const sharesOf = (actions: unknown): unknown => ((actions ?? []) as readonly Action[]).map(({ ForwardConfig }) => ForwardConfig?.TargetGroups);

/** What this call wrote is what a row says that the same invocation put down before it, from the state that the invocation had read. */
export function unannounced(run: Run): string[] {
  const calls = run.world.sandbox.calls.list();
  const intents = intentsOf(run);
  return run.writes.flatMap((call) => {
    const what = `${call.service}:${call.operation}`;
    const about = Object.entries(run.world.targets).find(([, target]) => target.prefix === call.service && target.isTouchedBy(JSON.stringify(call.input)));
    if (about === undefined) return [`audit: ${what} changed what is no target`];
    const own = callsBeside(calls, call);
    const announced = own.flatMap((one) => (one.sequence <= call.began ? announcedBy(one, intents) : []));
    if (!announced.some(({ intent }) => intent.targetId === about[0])) return [`audit: ${what} took effect and no row about it announced it`];
    const said = announced.filter(({ intent }) => fits(call, intent, { id: about[0], document: about[1].document }));
    if (said.length === 0) return [`audit: ${what} wrote something else than the row that announced it says`];
    return said.some(({ intent, at }) => wasRead(intent, own.filter((one) => one.sequence <= at))) ? [] : [`audit: ${what} wrote over something else than the row that announced it says`];
  });
}

function intentsOf({ records }: Run): ReadonlyMap<string, Intent> {
  return new Map(records.flatMap(({ rollbackId, rows }) => rows.flatMap(({ kind, data, hash }) => (kind === 'change-intended' ? [[hash, { rollbackId, ...(JSON.parse(data) as Omit<Intent, 'rollbackId'>) }] as const] : []))));
}

interface Announced {
  readonly intent: Intent;
  /** Place of the last call that had ended when it was being put down. */
  readonly at: number;
}

/** The row stands in the audit, and this call put it there. */
const announcedBy = (call: CallRecord, intents: ReadonlyMap<string, Intent>): Announced[] =>
  rowsPutBy(call).flatMap((hash) => {
    const intent = intents.get(hash);
    return intent === undefined ? [] : [{ intent, at: call.began }];
  });

function fits({ service, operation, input }: CallRecord, intent: Intent, { id, document }: { readonly id: string; readonly document: Target }): boolean {
  const known = written[`${service}:${operation}`];
  if (known === undefined || intent.targetId !== id || intent.strategy !== document['strategy']) return false;
  const { unsaid = [] } = known;
  const sent = Object.fromEntries(Object.entries(plain(input, intent.rollbackId) as State).filter(([name]) => !unsaid.includes(name)));
  return isDeepStrictEqual(sent, plain(known.announced(document, intent), intent.rollbackId));
}

function wasRead({ strategy, from }: Intent, before: readonly CallRecord[]): boolean {
  const read = reads[strategy];
  if (read === undefined) return true;
  const last = before.findLast(({ service, operation, output }) => output !== null && read.operations.test(`${service}:${operation}`));
  return last !== undefined && isDeepStrictEqual(plain(read.seen(last.output as never)), plain(read.said(from)));
}

/** As JSON has it. A mark of this rollback is a mark of this rollback, whatever else it says. */
function plain(value: unknown, rollbackId?: string): unknown {
  const isMark = (name: string, text: unknown): boolean => rollbackId !== undefined && (name === 'Comment' || name === 'description') && typeof text === 'string' && text.includes(rollbackId);
  return JSON.parse(JSON.stringify(value ?? null, (name, member: unknown) => (isMark(name, member) ? 'of this rollback' : member))) as unknown;
}
