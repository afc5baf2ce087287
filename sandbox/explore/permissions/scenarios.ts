// What is played to reach every permission: a release and its rollback for each service, and what else Ripcord's functions are there for.
import { services } from './services.ts';
import type { PermissionWorld } from './world.ts';

export interface PermissionScenario {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** It tells itself when what is lost later is lost. */
  readonly losesItself?: true;
  play(world: PermissionWorld): Promise<void>;
  /** What has to have come of it with every permission in place. @returns what is wrong, or null. */
  check(world: PermissionWorld): string | null;
}

const nameOf = (event: Readonly<Record<string, unknown>>): string => (event['stateEnteredEventDetails'] as { readonly name?: string } | undefined)?.name ?? '';
const isOver = ({ status }: { readonly status: string }): boolean => status !== 'RUNNING';

/** A pipeline's release under Ripcord's own Watch. Where that breaks, the release goes out all the same. */
async function release(world: PermissionWorld, service: string, isSlow = false): Promise<void> {
  const target = world.target(service);
  await world.sleep(2);
  if (target.firstRelease !== undefined) {
    target.firstRelease();
    await world.sleep(4);
    await world.wait(30, () => world.watches().every(isOver));
    await world.sleep(2);
  }
  const before = world.watches().length;
  if (target.announces) world.announce(service, 'Release Started');
  await world.wait(4, () => world.watches().length > before && world.watches().every((one) => isOver(one) || one.history.events.some(({ type }) => type === 'WaitStateEntered')));
  if (isSlow) target.releaseSlowly?.();
  else target.release();
  if (target.announces) world.announce(service, 'Release Finished');
  // Half of its bake: on a slow machine functions take seconds of the rest.
  await world.sleep(target.announces ? 0.5 : 2);
  await world.wait(4, () => world.watches().every((one) => isOver(one) || one.history.events.some(({ type }) => type === 'WaitStateEntered')));
}

async function rolledBack(world: PermissionWorld, service: string): Promise<void> {
  await release(world, service);
  world.fire(service);
  await world.settled();
}

const checkBack = (service: string) => (world: PermissionWorld): string | null => {
  const outcomes = world.ripcord.rollbacks().map(({ outcome, headline }) => `${outcome}: ${headline}`);
  return outcomes.some((text) => text.startsWith('recovered:')) && world.target(service).isBack() ? null : `${service} was not recovered: ${outcomes.join('; ') || 'no rollback'}`;
};

const asked = async (world: PermissionWorld): Promise<void> => {
  await release(world, 'asked');
  world.fire('asked');
  await world.wait(10, () => world.ripcord.messages().some(({ subject }) => subject.includes('approve the rollback')));
  await world.answer();
  await world.settled();
};

/** A person stops the execution while it waits for the next round of proof. */
const stopped = async (world: PermissionWorld): Promise<void> => {
  await release(world, 'flag');
  world.fire('flag');
  await world.wait(30, () => world.rollbacks().some(({ history }) => history.events.some((event) => nameOf(event) === 'Settle' || nameOf(event) === 'Confirm')));
  for (const one of world.rollbacks()) if (!isOver(one)) one.stop('Mistake', 'a person pressed stop');
  await world.settled();
};

/** The Watchdog's own table does not answer: what it was told must not be lost. */
const brokenWatchdog = async (world: PermissionWorld): Promise<void> => {
  world.sandbox.faults.add({ name: 'the ledger is away', service: 'dynamodb', effect: { kind: 'error', status: 500 }, when: ({ caller }) => caller.kind === 'role' && /watchdog/i.test(caller.roleName) });
  await stopped(world);
};

/** A deployment in progress. */
const stopping = async (world: PermissionWorld): Promise<void> => {
  await release(world, 'shifted', true);
  world.fire('shifted');
  await world.settled();
};

/** The event of an alarm is lost while the release bakes. */
const watched = async (world: PermissionWorld): Promise<void> => {
  await release(world, 'flag');
  world.unheard(() => world.fire('flag'));
  await world.settled();
};

/** Alarms come before anybody has heard of the deployments. */
const unheard = async (world: PermissionWorld): Promise<void> => {
  for (const name of ['shifted', 'swapped']) world.target(name).firstRelease?.();
  await world.sleep(4);
  await world.wait(30, () => world.watches().every(isOver));
  await world.sleep(2);
  world.unheard(() => {
    for (const name of ['shifted', 'swapped']) world.target(name).release();
  });
  world.fire('shifted');
  world.fire('swapped');
  await world.settled();
};

const answerIsLost = (world: PermissionWorld, name: string): void => world.sandbox.services.functions.find(`ripcord-${name}`).deliverTwice('lost-answer');

/** What was done is asked for once more, because its answer got lost. */
const announcedTwice = async (world: PermissionWorld): Promise<void> => {
  answerIsLost(world, 'announce');
  await rolledBack(world, 'flag');
};

const closedTwice = async (world: PermissionWorld): Promise<void> => {
  answerIsLost(world, 'watchdog');
  await stopped(world);
};

async function answerAfter(world: PermissionWorld, type: string): Promise<void> {
  const has = (): boolean => world.rollbacks().some(({ history }) => history.events.some((event) => event.type === type));
  for (const end = performance.now() + 60_000; !has() && performance.now() < end;) await new Promise((resolve) => { setTimeout(resolve, 5); });
  await world.answer();
}

/** The function that asks dies as soon as it has asked; the person answers before the workflow calls it again, and it passes the answer on. */
const askedTwice = async (world: PermissionWorld): Promise<void> => {
  world.sandbox.faults.add({
    name: 'killed', service: 'dynamodb', operation: 'UpdateItem', calls: [1],
    when: ({ caller, input }) => caller.kind === 'role' && /approve/i.test(caller.roleName) && JSON.stringify(input).includes('MESSAGE#'),
    effect: {
      kind: 'after', run: ({ caller }) => {
        world.kill('accessKeyId' in caller ? caller.accessKeyId : '');
        // The workflow tries again after a second or less, and has to wait until the person has answered: on a busy machine that takes longer.
        const [rest, resume] = [world.sandbox.clock.work(), world.sandbox.services.functions.find('ripcord-approve').pause()];
        void answerAfter(world, 'TaskFailed').finally(() => {
          resume();
          rest();
        });
      },
    },
  });
  await release(world, 'asked');
  world.fire('asked');
  await world.settled();
};

const dryRun = async (world: PermissionWorld): Promise<string> => {
  const { name } = world.sandbox.services.states.startExecution(world.ripcord.names.rollbackMachineArn, { service: 'listener', reason: 'what would you do?', requestedBy: 'dana', mode: 'dry-run' });
  await world.wait(30, () => world.rollbacks().every(isOver));
  return name;
};

const label = async (world: PermissionWorld): Promise<void> => {
  const rollback = await dryRun(world);
  world.put('ripcord.label', 'Label', { rollback, label: 'wrong', by: 'pager' });
  await world.sleep(12);
};

const labelled = async (world: PermissionWorld): Promise<void> => {
  world.put('ripcord.label', 'Label', { rollback: 'a-rollback', label: 'wrong', by: 'pager' });
  await world.sleep(12);
};

/** The function for labels reads nothing: what it was told waits in the queue. */
const unwrittenLabel = async (world: PermissionWorld): Promise<void> => {
  world.sandbox.faults.add({ name: 'refused', service: 'dynamodb', operation: 'Query', when: ({ caller }) => caller.kind === 'role' && /label/i.test(caller.roleName), effect: { kind: 'deny' } });
  await labelled(world);
};

/** The rule for labels may not call it. */
const undeliveredLabel = async (world: PermissionWorld): Promise<void> => {
  world.sandbox.faults.add({ name: 'refused', service: 'lambda', operation: 'Invoke', when: ({ caller }) => caller.kind === 'service' && caller.sourceArn?.includes('LabelRule') === true, effect: { kind: 'deny' } });
  await labelled(world);
};

const polled = async (world: PermissionWorld): Promise<void> => {
  world.poll(true);
  await world.sleep(16);
  world.lose();
  world.unheard(() => {
    world.target('alias').release();
    for (const name of ['shifted', 'swapped']) world.target(name).firstRelease?.();
  });
  await world.sleep(25);
  world.unheard(() => world.fire('alias'));
  await world.sleep(30);
};

/** The rules may not start anything: what they heard waits in the queue. */
const undeliverable = async (world: PermissionWorld): Promise<void> => {
  world.sandbox.faults.add({ name: 'refused', service: 'states', operation: 'StartExecution', effect: { kind: 'deny' } });
  world.fire('flag');
  await world.sleep(15);
};

const queued = (world: PermissionWorld): number => world.sandbox.services.queues.names.reduce((sum, name) => sum + world.sandbox.services.queues.peek(name).length, 0);

export const permissionScenarios: readonly PermissionScenario[] = [
  ...services.filter(({ name }) => name !== 'asked').map(({ name }): PermissionScenario => ({
    name, summary: `a release of the service ${name} goes bad and is rolled back`, play: (world) => rolledBack(world, name), check: checkBack(name),
  })),
  { name: 'stopping', summary: 'a deployment in progress is stopped', play: stopping, check: checkBack('shifted') },
  {
    name: 'watched', summary: 'the event of an alarm was lost: the Watch sees it during the bake', play: watched,
    check: (world) => (world.rollbacks().some(({ name }) => name.startsWith('watch-')) ? checkBack('flag')(world) : 'the Watch started no rollback'),
  },
  { name: 'unheard', summary: 'alarms of deployments that nobody heard of', play: unheard, check: checkBack('shifted') },
  { name: 'asked', summary: 'a person is asked, and says yes', play: asked, check: checkBack('asked') },
  { name: 'asked-twice', summary: 'the function that asks dies after it asked', play: askedTwice, check: checkBack('asked') },
  { name: 'announced-twice', summary: 'the beginning is announced, and the function called again', play: announcedTwice, check: checkBack('flag') },
  {
    name: 'closed-twice', summary: 'the Watchdog has closed the record, and is called again', play: closedTwice,
    check: (world) => (world.ripcord.messages().some(({ subject }) => subject.startsWith('PAGE ')) ? null : 'nobody was paged'),
  },
  {
    name: 'stopped', summary: 'a person stops the execution: the Watchdog closes the record', play: stopped,
    check: (world) => (world.ripcord.messages().some(({ subject }) => subject.startsWith('PAGE ')) ? null : 'nobody was paged'),
  },
  {
    name: 'broken-watchdog', summary: 'the Watchdog cannot work: what it was told goes to the queue', play: brokenWatchdog,
    check: (world) => (queued(world) > 0 ? null : 'nothing is in the queue'),
  },
  {
    name: 'label', summary: 'a tool says what it thinks of a rollback', play: label,
    check: (world) => (world.sandbox.calls.list({ service: 'dynamodb', operation: 'TransactWriteItems', role: world.sandbox.services.functions.find('ripcord-label').spec.roleArn.split('/').at(-1) ?? '' }).length > 0 ? null : 'no label was written'),
  },
  { name: 'unwritten-label', summary: 'a label cannot be written down: it goes to the queue', play: unwrittenLabel, check: (world) => (queued(world) > 0 ? null : 'nothing is in the queue') },
  { name: 'undelivered-label', summary: 'a label cannot be delivered: it goes to the queue', play: undeliveredLabel, check: (world) => (queued(world) > 0 ? null : 'nothing is in the queue') },
  {
    name: 'polled', summary: 'events of releases and of an alarm were lost: the poll finds them', losesItself: true, play: polled,
    check: (world) => (world.watches().some(({ name }) => name.startsWith('poll-')) && world.rollbacks().some(({ name }) => name.startsWith('poll-')) ? null : `found only ${[...world.watches(), ...world.rollbacks()].map(({ name }) => name).join(', ')}`),
  },
  { name: 'undeliverable', summary: 'an event cannot be delivered: it goes to the queue', play: undeliverable, check: (world) => (queued(world) > 0 ? null : 'nothing is in the queue') },
];

/** @throws Error naming those that exist. */
export function permissionScenarioOf(name: string): PermissionScenario {
  const found = permissionScenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no scenario "${name}"; there are ${permissionScenarios.map((one) => one.name).join(', ')}`);
  return found;
}
