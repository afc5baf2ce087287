// Scenarios about a Region that is sick: services that have nothing to do with each other, and a release that is not to blame.
import { checkLeftAlone, looksAt, runsOf, type Look } from './elsewhere.ts';
import { alarms, alarmsOf, shopService, trafficMetric, webTarget } from './shop-service.ts';
import type { JsonValue, OtherService, Scenario, ServiceDocument, Stage, Workload } from './scenario.ts';

const strangers = ['search', 'accounts', 'delivery', 'reviews'] as const;
const everybody = (stage: Stage): readonly string[] => [stage.service, ...strangers];
const errorAlarms = [alarms, ...strangers.map(alarmsOf)].map(({ errors }) => errors);
/** Fewer than fall sick: a run may look before all the others have begun. */
const brake = { services: 3, minutes: 10 };

const stranger = (name: string, alarmMinutes: number): OtherService => ({
  alarmMinutes,
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    description: `Neither calls the shop nor is called by it: ${name}`,
    signals: { alarms: [{ name: alarmsOf(name).errors }], minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload, 10) },
  }),
});
const strangersWith = (alarmMinutes: number): Record<string, OtherService> => Object.fromEntries(strangers.map((name) => [name, stranger(name, alarmMinutes)]));

export const sickRegion: Scenario = {
  name: 'sick-region',
  summary: 'five services that have nothing to do with each other fall sick at once, right after a good release of the shop: the account-wide brake engages, nothing is rolled back, and one page names them',
  traffic: 'load-balancer',
  engine: { storm: brake },
  // The journeys are its second signal, and the time until they have run is the brake's.
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { signals: { alarms: [{ name: alarms.errors }], minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload) } }),
  others: strangersWith(2),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    await fallSick(stage);
    await checkLeftAlone(stage);
    await checkBrake(stage);
    stage.say('the outage outlasts the minutes in which services are counted');
    await stage.minutes(2 * brake.minutes + 2);
    await stage.until('every run has ended', () => isQuiet(stage), 25);
    stage.check('the Region is still sick', errorAlarms.every((name) => stage.alarmState(name) === 'ALARM'), errorAlarms.map((name) => `${name}: ${stage.alarmState(name)}`).join(', '));
    await checkLeftAlone(stage);
  },
};

const measured = (name: string, { loadBalancer }: Workload): JsonValue => ({ kind: 'alb-target-group', name, loadBalancer, percentile: 'p50' });

const comparedWith = (workload: Workload, others: Readonly<Record<string, Workload>>): ServiceDocument => ({
  signals: {
    alarms: [{ name: alarms.errors }, { name: alarms.latency }], minimum: 2, holdSeconds: 240, traffic: trafficMetric(workload),
    metrics: [measured('shop', workload)], controls: Object.entries(others).map(([name, other]) => measured(name, other)),
  },
  policy: { approval: { none: 'the demo shop takes no money, so nobody has to be asked' }, bakeMinutes: 20, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3 },
});

export const quickestInRegion: Scenario = {
  name: 'quickest-in-region',
  summary: 'the Region is sick and the shop\'s alarms are the quickest: two signals agree while nobody else has one; the metrics of the other services hold its rollback until the brake engages (yesterday is synthesized from measured minutes)',
  traffic: 'load-balancer',
  engine: { storm: brake },
  service: (workload, others) => shopService(workload, { web: { strategy: 'alb-weights', listenerArn: workload.listenerArn, targetGroups: { ...workload.targetGroups }, good: { side: 'blue' } } }, comparedWith(workload, others)),
  // At the least a whole minute behind the shop's, wherever in its minute the outage begins.
  others: strangersWith(4),
  async play(stage) {
    await stage.minutes(8);
    stage.makePast(6);
    await stage.release('2.0.0');
    // The judge says nothing of a release's first minutes.
    await stage.minutes(2);
    await fallSick(stage);
    // Each of its two alarms begins a run, and the second one joins the first.
    const first = (await looksAt(stage, [stage.service])).find(({ verdict }) => verdict !== 'joined');
    stage.check('the shop was the first of all', first?.signalled.join(' ') === stage.service, first?.signalled.join(' ') ?? 'nobody looked');
    stage.check('the metrics of the others held it', first?.verdict === 'hold' && first.reasons.includes('metrics-unrelated'), `${first?.verdict ?? ''} (${first?.reasons.join(', ') ?? ''})`);
    await checkLeftAlone(stage);
    await checkBrake(stage);
  },
};

/** Everybody at the same moment, and the shop on both sides: going back would not help it. Its alarm is evaluated first. */
async function fallSick(stage: Stage): Promise<void> {
  // What is left of the minute has sick answers of nobody, as they come after 48 s while everybody waits, or of all: of a few seconds it would have only those with many users.
  await stage.secondOfMinute(20);
  stage.say('the Region is sick: the shop on both sides, and everybody else');
  const outage = { errorShare: 0.7, delayMs: 400, checkoutBroken: true };
  for (const side of ['green', 'blue'] as const) stage.sicken(side, outage);
  for (const name of strangers) stage.sickenOther(name, outage);
  await stage.until('the alarms of all fire', () => errorAlarms.every((name) => stage.alarmState(name) === 'ALARM'), 8);
  await stage.until('everybody had a run, and all have ended', () => isQuiet(stage), 25);
}

const isQuiet = (stage: Stage): boolean => stage.rollbacks().every(({ status }) => status !== 'RUNNING') && everybody(stage).every((name) => runsOf(stage, name).length > 0);

const stormPage = /: a storm of signals, look for a shared cause$/;
const isStopped = ({ reasons }: Look): boolean => reasons[0] === 'storm';

async function checkBrake(stage: Stage): Promise<void> {
  const own = await looksAt(stage, [stage.service]);
  const isNoAct = (look: Look): boolean => isStopped(look) || look.verdict === 'hold' || look.verdict === 'joined';
  stage.check('the brake kept the shop as it is', own.some(isStopped) && own.every(isNoAct), own.map(({ verdict, reasons }) => `${verdict} (${reasons.join(', ')})`).join('; '));
  const pages = stage.messages().filter(({ topic, subject }) => topic === 'on-call' && stormPage.test(subject));
  stage.check('on-call was paged once for the storm', pages.length === 1, pages.map(({ subject }) => subject).join(' | '));
  const named = /had a signal in the last \d+ to \d+ minutes \(([^)]*)\)/.exec(pages[0]?.text ?? '')?.[1]?.split(', ') ?? [];
  stage.check('the page names the sick services', named.length > brake.services && named.every((name) => everybody(stage).includes(name)), named.join(', '));
}
