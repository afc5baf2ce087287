// Scenarios about a fault that lies elsewhere: what the shop calls is sick, and its own release is not to blame.
import { checkPaged, expectNoChange } from './facts.ts';
import { alarms, dependency, shopService, webTarget } from './shop-service.ts';
import type { RollbackRun, Scenario, Stage } from './scenario.ts';

interface Assessed {
  readonly decision?: { readonly verdict?: string; readonly reasons?: readonly { readonly code: string }[]; readonly suspects?: readonly { readonly service: string; readonly kind: string }[] };
}

const runsOf = (stage: Stage, service: string): readonly RollbackRun[] => stage.rollbacks().filter(({ input }) => (input as { readonly service?: string }).service === service);

/** Every run of every service has ended, and each of these services had one that looked for itself. */
const allEnded = (stage: Stage): boolean => stage.rollbacks().every(({ status }) => status !== 'RUNNING')
  && [stage.service, dependency.service].every((service) => runsOf(stage, service).some(({ outcome }) => outcome !== 'joined'));

/** The journeys are the second signal. Not latency: each request goes through two servers, and a busy computer makes both slow by itself. */
const errorsOnly = (name: string) => ({ alarms: [{ name }], minimum: 2, holdSeconds: 240, traffic: { none: 'one calls the other for every request, so both have the same' } });

export const sickDependency: Scenario = {
  name: 'sick-dependency',
  summary: 'what the shop calls falls sick by itself, right after a good release of the shop: both have alarms in ALARM; nothing is rolled back, and the page names who is sick',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, { dependencies: [dependency.service], signals: errorsOnly(alarms.errors) }),
  dependency: (workload) => shopService(workload, { web: webTarget(workload) }, { description: 'Takes the money of the shop', signals: errorsOnly(dependency.alarms.errors) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('payments, which the shop calls for each request, falls sick without a release of its own');
    stage.sickenDependency({ errorShare: 0.5, delayMs: 250 });
    await stage.until('the alarms of both fire', () => [alarms.errors, dependency.alarms.errors].every((name) => stage.alarmState(name) === 'ALARM'), 8);
    await stage.until('every run has ended', () => allEnded(stage), 25);
    const runs = stage.rollbacks();
    stage.check('nobody was rolled back', runs.every(({ outcome }) => outcome === 'left' || outcome === 'joined'), runs.map(({ rollbackId, outcome }) => `${rollbackId}: ${outcome ?? ''}`).join(', '));
    expectNoChange(stage, 'at all');
    const weights = await stage.weights();
    stage.check('the release of the shop stays', weights['green'] === 100, JSON.stringify(weights));
    const looks = (await Promise.all(runsOf(stage, stage.service).map(({ rollbackId }) => stage.audit(rollbackId)))).flat().filter(({ kind }) => kind === 'assessed').map(({ data }) => data as Assessed);
    const codes = looks.flatMap(({ decision }) => decision?.reasons?.map(({ code }) => code) ?? []);
    stage.check('the reason is the dependency', codes.includes('shared-dependency'), [...new Set(codes)].join(', '));
    checkPaged(stage, /1\. payments itself, without a release/);
    checkPaged(stage, /2\. checkout 2\.0\.0 \(\d+ %\)/);
    checkPaged(stage, /Ripcord rolls back checkout for nothing that payments did/);
  },
};
