// Scenarios about a fault that lies elsewhere: what the shop calls is sick, and its own release is not to blame.
import { checkPaged, expectNoChange } from './facts.ts';
import { alarms, alarmsOf, shopService, trafficMetric, webTarget } from './shop-service.ts';
import type { JsonValue, RollbackRun, Scenario, Stage, Workload } from './scenario.ts';

interface Look {
  readonly at: string;
  readonly verdict: string;
  readonly page: boolean;
  /** Codes, the deciding one first. */
  readonly reasons: readonly string[];
}

const runsOf = (stage: Stage, service: string): readonly RollbackRun[] => stage.rollbacks().filter(({ input }) => (input as { readonly service?: string }).service === service);

/** What each look at these services came to, run after run. */
async function looksAt(stage: Stage, services: readonly string[]): Promise<readonly Look[]> {
  const rows = await Promise.all(services.flatMap((service) => runsOf(stage, service)).map(({ rollbackId }) => stage.audit(rollbackId)));
  return rows.flat().filter(({ kind }) => kind === 'assessed').map(({ at, data }) => {
    const { verdict = '', page = false, reasons = [] } = (data as { readonly decision?: { verdict?: string; page?: boolean; reasons?: { code: string }[] } }).decision ?? {};
    return { at, verdict, page, reasons: reasons.map(({ code }) => code) };
  });
}

async function checkLeftAlone(stage: Stage): Promise<void> {
  const runs = stage.rollbacks();
  stage.check('nobody was rolled back', runs.every(({ outcome }) => outcome === 'left' || outcome === 'joined'), runs.map(({ rollbackId, outcome }) => `${rollbackId}: ${outcome ?? ''}`).join(', '));
  expectNoChange(stage, 'at all');
  const weights = await stage.weights();
  stage.check('the release of the shop stays', weights['green'] === 100, JSON.stringify(weights));
}

/** Every run has ended, and each of these services had one that looked for itself. */
const allEnded = (stage: Stage, services: readonly string[]): boolean => stage.rollbacks().every(({ status }) => status !== 'RUNNING')
  && services.every((service) => runsOf(stage, service).some(({ outcome }) => outcome !== 'joined'));

const payments = 'payments';

/** The journeys are the second signal. Not latency: each request goes through two servers, and a busy computer makes both slow by itself. */
const errorsOnly = (name: string, traffic: JsonValue = { none: 'one calls the other for every request, so both have the same' }) => ({ alarms: [{ name }], minimum: 2, holdSeconds: 240, traffic });

export const sickDependency: Scenario = {
  name: 'sick-dependency',
  summary: 'what the shop calls falls sick by itself, right after a good release of the shop: both have alarms in ALARM; nothing is rolled back, and the page names who is sick',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { dependencies: [payments], signals: errorsOnly(alarms.errors) }),
  others: {
    [payments]: { isCalled: true, service: (workload) => shopService(workload, { web: webTarget(workload) }, { description: 'Takes the money of the shop', signals: errorsOnly(alarmsOf(payments).errors) }) },
  },
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('payments, which the shop calls for each request, falls sick without a release of its own');
    stage.sickenOther(payments, { errorShare: 0.5, delayMs: 250 });
    await stage.until('the alarms of both fire', () => [alarms.errors, alarmsOf(payments).errors].every((name) => stage.alarmState(name) === 'ALARM'), 8);
    await stage.until('every run has ended', () => allEnded(stage, [stage.service, payments]), 25);
    await checkLeftAlone(stage);
    const codes = (await looksAt(stage, [stage.service])).flatMap(({ reasons }) => reasons);
    stage.check('the reason is the dependency', codes.includes('shared-dependency'), [...new Set(codes)].join(', '));
    checkPaged(stage, /1\. payments itself, without a release/);
    checkPaged(stage, /2\. checkout 2\.0\.0 \(\d+ %\)/);
    checkPaged(stage, /Ripcord rolls back checkout for nothing that payments did/);
  },
};

const strangers = ['search', 'accounts', 'delivery', 'reviews'] as const;
const errorAlarms = [alarms, ...strangers.map(alarmsOf)].map(({ errors }) => errors);
/** Fewer than fall sick: a run may look before all the others have begun. */
const brake = { services: 3, minutes: 10 };
/** On-call is told once in each: seldom does one end between two runs of the same storm. */
const windowOf = (at: string): number => Math.floor(Date.parse(at) / (brake.minutes * 60_000));
const stormPage = /: a storm of signals, look for a shared cause$/;

export const sickRegion: Scenario = {
  name: 'sick-region',
  summary: 'five services that have nothing to do with each other fall sick at once, right after a good release of the shop: the account-wide brake engages, nothing is rolled back, and one page names them',
  traffic: 'load-balancer',
  engine: { storm: brake },
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { signals: errorsOnly(alarms.errors, trafficMetric(workload)) }),
  others: Object.fromEntries(strangers.map((name) => [name, { service: (workload: Workload) => shopService(workload, { web: webTarget(workload) }, { description: `Neither calls the shop nor is called: ${name}`, signals: errorsOnly(alarmsOf(name).errors, trafficMetric(workload, 10)) }) }])),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('the Region is sick: the shop on both sides, and everybody else');
    const outage = { errorShare: 0.7, checkoutBroken: true };
    // The shop first: its alarm is the first that is evaluated, so its run may look before anybody else is known to be sick.
    for (const side of ['green', 'blue'] as const) stage.sicken(side, outage);
    for (const name of strangers) stage.sickenOther(name, outage);
    await stage.until('the alarms of all fire', () => errorAlarms.every((name) => stage.alarmState(name) === 'ALARM'), 8);
    await stage.until('everybody had a run, and all have ended', () => isQuiet(stage), 25);
    await checkLeftAlone(stage);
    await checkBrake(stage);
    stage.say('the outage outlasts the minutes in which services are counted');
    await stage.minutes(2 * brake.minutes + 2);
    await stage.until('every run has ended', () => isQuiet(stage), 25);
    stage.check('the Region is still sick', errorAlarms.every((name) => stage.alarmState(name) === 'ALARM'), errorAlarms.map((name) => `${name}: ${stage.alarmState(name)}`).join(', '));
    await checkLeftAlone(stage);
  },
};

const everybody = (stage: Stage): readonly string[] => [stage.service, ...strangers];
const isQuiet = (stage: Stage): boolean => stage.rollbacks().every(({ status }) => status !== 'RUNNING') && everybody(stage).every((name) => runsOf(stage, name).length > 0);

async function checkBrake(stage: Stage): Promise<void> {
  const own = await looksAt(stage, [stage.service]);
  const isStopped = ({ reasons }: Look): boolean => reasons[0] === 'storm';
  stage.check('the brake kept the shop as it is', own.some(isStopped) && own.every((look) => isStopped(look) || look.verdict === 'hold'), own.map(({ verdict, reasons }) => `${verdict} (${reasons.join(', ')})`).join('; '));
  const pages = stage.messages().filter(({ topic, subject }) => topic === 'on-call' && stormPage.test(subject));
  const windows = new Set((await looksAt(stage, everybody(stage))).filter((look) => look.page && isStopped(look)).map(({ at }) => windowOf(at)));
  stage.check('on-call was paged once for the storm', pages.length > 0 && pages.length === windows.size, pages.map(({ subject }) => subject).join(' | '));
  const named = /had a signal in about \d+ minutes \(([^)]*)\)/.exec(pages[0]?.text ?? '')?.[1]?.split(', ') ?? [];
  stage.check('the page names the sick services', named.length > brake.services && named.every((name) => everybody(stage).includes(name)), named.join(', '));
}
