// Plays one scenario in a world of its own: which permissions it took, what was refused, and what on-call and the records say of it.
import type { Permission } from '../../aws/world.ts';
import { permissionScenarioOf } from './scenarios.ts';
import { services } from './services.ts';
import { PermissionWorld, type Shared } from './world.ts';

export interface Played {
  readonly scenario: string;
  /** What is not as it should be with every permission in place; null: nothing. */
  readonly problem: string | null;
  readonly used: readonly Permission[];
  /** `<who> <action> on <resource>`. */
  readonly denied: readonly string[];
  /** Subjects of what on-call got that is a page or an alarm of the engine's, without ids and times. */
  readonly pages: readonly string[];
  readonly records: readonly Place[];
  readonly wallMilliseconds: number;
}

/** A place where somebody can read afterwards what happened. */
export interface Place {
  readonly where: 'audit' | 'execution history' | 'dead-letter queue' | 'function log';
  readonly text: string;
}

/** @param loses a role that no service can take on any more, once the stack stands. */
export async function playIn(shared: Shared, name: string, { assembly, loses = null }: { readonly assembly: string; readonly loses?: string | null }): Promise<Played> {
  const startedAt = performance.now();
  const scenario = permissionScenarioOf(name);
  const world = await PermissionWorld.start(shared, assembly, services.some((one) => one.name === name && one.isMeasured === true) ? name : null);
  if (loses !== null) world.loss = () => world.sandbox.iam.distrust(loses);
  try {
    if (scenario.losesItself !== true) world.lose();
    await scenario.play(world);
    return {
      scenario: name, problem: scenario.check(world) ?? impossible(world), ...permissionsOf(world), pages: pagesOf(world), records: await placesOf(world),
      wallMilliseconds: performance.now() - startedAt,
    };
  } finally {
    await world.stop();
  }
}

function impossible({ sandbox }: PermissionWorld): string | null {
  const [unsupported] = sandbox.calls.unsupported;
  return unsupported === undefined ? null : `the sandbox has no ${unsupported.service}:${unsupported.operation}`;
}

function permissionsOf({ decisions }: PermissionWorld): Pick<Played, 'used' | 'denied'> {
  const used = new Map(decisions.filter(({ permission }) => permission.allowed).map(({ permission }) => [`${permission.statement} ${permission.action} ${permission.resource}`, permission]));
  const denied = new Set(decisions.filter(({ permission }) => !permission.allowed).map(({ permission: { action, resource }, who }) => `${who} ${action} on ${resource}`));
  return { used: [...used.values()], denied: [...denied] };
}

/** Ids and times differ from run to run. */
const plain = (text: string): string => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27,}(_[0-9a-f-]+)?/g, '…').replaceAll(/\d+/g, '#');

const pagesOf = ({ ripcord }: PermissionWorld): readonly string[] =>
  ripcord.messages().filter(({ topic, subject }) => topic === 'on-call' && /^(PAGE |ALARM: |INSUFFICIENT_DATA: )/.test(subject)).map(({ subject }) => plain(subject));

async function placesOf({ ripcord, sandbox: { services: { states, queues, functions } } }: PermissionWorld): Promise<readonly Place[]> {
  const records = await ripcord.records();
  return [
    ...records.flatMap(({ rows }) => rows.map(({ data }): Place => ({ where: 'audit', text: data }))),
    ...states.executions().map(({ history, error, cause, output }): Place => ({ where: 'execution history', text: JSON.stringify([history.events, error, cause, output]) })),
    ...queues.names.flatMap((name) => queues.peek(name).map((message): Place => ({ where: 'dead-letter queue', text: JSON.stringify(message) }))),
    ...functions.list().map(({ log }): Place => ({ where: 'function log', text: log.lines.join('\n') })),
  ];
}
