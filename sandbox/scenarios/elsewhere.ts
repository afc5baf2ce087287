// Scenarios about a fault that lies elsewhere: what the shop calls is sick, and its own release is not to blame.
import { checkPaged, expectNoChange } from './facts.ts';
import { alarms, alarmsOf, shopService, webTarget } from './shop-service.ts';
import type { RollbackRun, Scenario, Stage } from './scenario.ts';

interface Assessed {
  readonly decision?: { readonly verdict?: string; readonly page?: boolean; readonly reasons?: readonly { readonly code: string }[] };
  readonly question?: { readonly storm?: { readonly services?: readonly string[] } };
}

export interface Look {
  readonly at: string;
  readonly verdict: string;
  readonly page: boolean;
  /** Codes, the deciding one first. */
  readonly reasons: readonly string[];
  /** Services that had a signal lately, as far as this look knew. */
  readonly signalled: readonly string[];
}

/** Of one service, oldest first. */
export const runsOf = (stage: Stage, service: string): readonly RollbackRun[] => stage.rollbacks().filter(({ input }) => (input as { readonly service?: string }).service === service);

/** What each look at these services came to, run after run. */
export async function looksAt(stage: Stage, services: readonly string[]): Promise<readonly Look[]> {
  const rows = await Promise.all(services.flatMap((service) => runsOf(stage, service)).map(({ rollbackId }) => stage.audit(rollbackId)));
  return rows.flat().filter(({ kind }) => kind === 'assessed').map(({ at, data }) => {
    const { decision, question } = data as Assessed;
    const { verdict = '', page = false, reasons = [] } = decision ?? {};
    return { at, verdict, page, reasons: reasons.map(({ code }) => code), signalled: question?.storm?.services ?? [] };
  });
}

/** No service was rolled back, so far. */
export async function checkLeftAlone(stage: Stage): Promise<void> {
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
const errorsOnly = (name: string) => ({ alarms: [{ name }], minimum: 2, holdSeconds: 240, traffic: { none: 'one calls the other for every request, so both have the same' } });

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
