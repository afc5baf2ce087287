// The base scenarios: each is played once without a fault, and then again for every fault at every call it made.
import { createHash } from 'node:crypto';
import type { JsonValue, ServiceDocument } from '../scenarios/scenario.ts';
import { albTarget, dnsTarget, lambdaTarget, type ExploredTarget, type TargetKind } from './targets.ts';
import type { ExploredWorld } from './world.ts';

/** How a run may end. `recovered` and `paged` are Ripcord's two honest ends; the others are what a scenario asks for. */
export type Ending = 'recovered' | 'paged' | 'dry-run' | 'left';

export interface BaseScenario {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  readonly targets: Readonly<Record<string, TargetKind>>;
  /** The target whose change helps; the alarm calms down when a role has changed it. */
  readonly cure: string;
  /** Top-level keys of the catalogue entry that differ from a plain service's. */
  readonly changes?: ServiceDocument;
  /** What the run comes to without any fault. */
  readonly ends: Ending;
  /** What the journey asks its server for: `/broken` is, as soon as the release has been made; default `/`, where all is well. */
  readonly path?: '/' | '/broken';
  /** The journey enters first, and what it is given there, a secret too, it sends along with what it asks for. */
  readonly carries?: true;
  /** May Ripcord change the targets at all? */
  readonly mayChange: boolean;
  /** Only the calls of these functions are tried: the others make the same calls as in another scenario, from the same state. */
  readonly actors?: readonly string[];
  /** Of the calls of these functions only those with such a name are tried, for the same reason. */
  readonly calls?: RegExp;
  /** Its requests and how many of them failed are in CloudWatch, for a day; `sicken` lets a fifth of them fail while `green` is live. */
  readonly measured?: true;
  /** Starts the rollback, and does what people do while it runs. */
  play(world: ExploredWorld): Promise<void>;
}

const fire = async (world: ExploredWorld): Promise<void> => world.fire();

const approval = (answer: JsonValue): ServiceDocument => ({ policy: policyWith(answer) });

/** What its users meet is in the metrics before an alarm says so. */
async function measured(world: ExploredWorld): Promise<void> {
  world.sicken();
  await world.sleep(8 * 60_000);
  world.fire();
}

/** A person stops the execution while it waits for the next round of proof. */
async function stopped(world: ExploredWorld): Promise<void> {
  world.fire();
  await world.until('the rollback waits', () => world.executions().some(({ history }) => history.events.some((event) => nameOf(event) === 'VerifyLater')) || world.isOver());
  world.abort();
}

const nameOf = (event: Readonly<Record<string, unknown>>): string => (event['stateEnteredEventDetails'] as { readonly name?: string } | undefined)?.name ?? '';

/** A person who is asked says yes as soon as the question has come. */
async function approved(world: ExploredWorld): Promise<void> {
  world.fire();
  await world.until('somebody was asked', () => world.isOver() || world.messages().some(({ subject }) => subject.includes('approve the rollback')));
  if (!world.isOver()) await world.approve();
}

export const scenarios: readonly BaseScenario[] = [
  { name: 'alb-flip', summary: 'weights of a listener go back', targets: { it: albTarget() }, cure: 'it', ends: 'recovered', mayChange: true, play: fire },
  { name: 'alb-rule', summary: 'weights of a rule go back', targets: { it: albTarget(true) }, cure: 'it', ends: 'recovered', mayChange: true, play: fire, actors: ['strategy-alb-weights'] },
  { name: 'dns-flip', summary: 'weights of a record set go back', targets: { it: dnsTarget }, cure: 'it', ends: 'recovered', mayChange: true, play: fire },
  { name: 'codedeploy-stop', summary: 'a deployment in progress is stopped', targets: { it: lambdaTarget('in-progress') }, cure: 'it', ends: 'recovered', mayChange: true, play: fire },
  { name: 'codedeploy-redeploy', summary: 'the version before is deployed again', targets: { it: lambdaTarget('finished') }, cure: 'it', ends: 'recovered', mayChange: true, play: fire },
  {
    name: 'two-rungs', summary: 'the first way back does not help, the second does', targets: { first: albTarget(), second: dnsTarget }, cure: 'second', ends: 'recovered', mayChange: true, play: fire,
    // Longer than DNS needs, or the second way would not be tried without a person.
    changes: { rungs: [[['first']], [['second']]], verification: { passesInARow: 1, intervalSeconds: 60, deadlineMinutes: 2 } },
  },
  {
    name: 'dry-run', summary: 'a person asks what would be done', targets: { it: albTarget() }, cure: 'it', ends: 'dry-run', mayChange: false,
    play: async (world) => {
      world.fire(false);
      world.ask({ service: 'dry-run', reason: 'what would you do?', requestedBy: 'dana', mode: 'dry-run' });
    },
  },
  {
    name: 'manual', summary: 'a person starts it from the console', targets: { it: albTarget() }, cure: 'it', ends: 'recovered', mayChange: true,
    play: async (world) => {
      world.fire(false);
      world.ask({ service: 'manual', reason: 'paying fails', requestedBy: 'dana' });
    },
  },
  { name: 'approved', summary: 'a person is asked, and says yes', targets: { it: albTarget() }, cure: 'it', ends: 'recovered', mayChange: true, play: approved, actors: ['assess', 'approve', 'answer'], changes: approval({ required: 'always', timeoutMinutes: 60, onDeadline: 'stop' }) },
  {
    name: 'unproven', summary: 'the journey goes on failing, and its answer holds the secrets that it was sent, the one that it carries too', targets: { it: albTarget() }, cure: 'it', ends: 'paged', mayChange: true, play: fire, path: '/broken', carries: true, actors: ['verify', 'report'],
    changes: { verification: { passesInARow: 1, intervalSeconds: 30, deadlineMinutes: 1 } },
  },
  {
    name: 'measured', summary: 'two kinds of signals are needed, and the metrics are one: they accuse the release and prove the recovery', targets: { it: albTarget() }, cure: 'it', ends: 'recovered', mayChange: true, play: measured, measured: true,
    actors: ['assess', 'verify'], calls: /^(assess\/|verify\/cloudwatch:GetMetricData)/,
    changes: { verification: { passesInARow: 1, intervalSeconds: 120, deadlineMinutes: 15 } },
  },
  { name: 'stopped', summary: 'a person stops the execution halfway: the Watchdog closes it', targets: { it: albTarget() }, cure: 'it', ends: 'paged', mayChange: true, play: stopped, actors: ['watchdog'] },
];

/** @throws Error naming those that exist. */
export function scenarioOf(name: string): BaseScenario {
  const found = scenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no scenario "${name}"; there are ${scenarios.map((one) => one.name).join(', ')}`);
  return found;
}

export const alarmOf = (scenario: string): string => `${scenario}-errors`;
export const journeySecret = 'explore-token';
/** What the journeys' server gives to whoever enters with this secret. */
export const sessionOf = (secret: string): string => `session-${createHash('sha256').update(secret).digest('hex').slice(0, 24)}`;
export const measuredNamespace = 'Explored';

function policyWith(asked: JsonValue): JsonValue {
  return { approval: asked, bakeMinutes: 1, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 };
}

const metric = (service: string, name: string): JsonValue => ({ namespace: measuredNamespace, name, dimensions: { Service: service } });

/** @returns the signals of a service of which only the alarm is known, or its requests as well. */
function signalsOf({ name, measured: isMeasured }: Pick<BaseScenario, 'name' | 'measured'>): JsonValue {
  const signals = { alarms: [{ name: alarmOf(name) }], minimum: 1, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } };
  return isMeasured !== true ? signals : {
    ...signals, minimum: 2, metrics: [{ kind: 'own', name, requests: metric(name, 'Requests'), errors: metric(name, 'Failed') }], traffic: { metric: metric(name, 'Requests'), minutes: 5, minimumRequests: 100 },
  };
}

/** One request, or the way in before it. */
function requestsOf({ path = '/', carries }: Pick<BaseScenario, 'path' | 'carries'>, port: number): JsonValue {
  const request = (name: string, at: string, headers: Readonly<Record<string, string>> = {}) => ({
    name, url: `http://127.0.0.1:${port}${at}`, headers: { authorization: 'Bearer {{secret.token}}', ...headers }, expect: { status: 200, json: [{ path: '$.ok', equals: true }] },
  });
  return carries === true ? [{ ...request('enter', '/enter'), carry: { session: '$.session' } }, request('buy', path, { 'x-session': '{{session}}' })] : [request('enter', path)];
}

/** The catalogue entry. @param secretArn of the secret that the journey sends; its server sends it back. */
export const serviceOf = (scenario: BaseScenario, targets: Readonly<Record<string, ExploredTarget>>, { port, secretArn }: { readonly port: number; readonly secretArn: string }): ServiceDocument => ({
  owner: `team-${scenario.name}`,
  targets: Object.fromEntries(Object.entries(targets).map(([id, { document }]) => [id, document])),
  signals: signalsOf(scenario),
  journeys: { buy: { secrets: { token: { arn: secretArn } }, allowLoopback: [`127.0.0.1:${port}`], requests: requestsOf(scenario, port) } },
  // Two rounds of proof where they are tried, or waited in; elsewhere one, as each is made of the same calls.
  verification: { passesInARow: ['alb-flip', 'stopped'].includes(scenario.name) ? 2 : 1, intervalSeconds: 30, deadlineMinutes: 3 },
  policy: policyWith({ none: 'nobody has to be asked in this exploration' }),
  ...scenario.changes,
});
