// Scenarios about acting: when the way back is closed, forbidden, useless, or somebody else is at work.
import { checkEndedAs, checkPaged, checkQuietEnd, checkRecovered, expectNoChange } from './facts.ts';
import { shopService, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

const sick = { errorShare: 0.4, delayMs: 250 } as const;

export const targetUnhealthy: Scenario = {
  name: 'target-unhealthy',
  summary: 'blue is not healthy any more: traffic is not sent there; the rung is refused with its reason, and a person is told',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.say('somebody switches the old fleet off');
    await stage.stopInstances('blue');
    await stage.minutes(2);
    stage.sicken('green', sick);
    const run = await stage.ended(25);
    checkEndedAs(stage, run, ['not-recovered', 'NotRecovered']);
    checkPaged(stage, /healthy/i);
    expectNoChange(stage, 'at all');
    const weights = await stage.weights();
    stage.check('green keeps the traffic: a sick answer is better than none', weights['green'] === 100, JSON.stringify(weights));
  },
};

export const permissionMissing: Scenario = {
  name: 'permission-missing',
  summary: 'somebody took ModifyListener from the role: the rung fails with the missing action named, and a person is told',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    stage.takePermissionAway('elasticloadbalancing:ModifyListener');
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.sicken('green', sick);
    const run = await stage.ended(25);
    checkEndedAs(stage, run, ['not-recovered', 'NotRecovered']);
    checkPaged(stage, /ModifyListener/);
    const rows = await stage.audit(run.rollbackId);
    stage.check('the audit holds the intent and the failure', ['change-intended', 'change-failed'].every((kind) => rows.some((row) => row.kind === kind)), rows.map((row) => row.kind).join(' '));
    const weights = await stage.weights();
    stage.check('the weights are as they were', weights['green'] === 100, JSON.stringify(weights));
  },
};

export const stillSick: Scenario = {
  name: 'still-sick-after-rollback',
  summary: 'blue is sick as well: the first rung does not help, the second is tried, and then a person gets everything known',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    verification: { passesInARow: 3, intervalSeconds: 15, deadlineMinutes: 3 },
  }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    stage.say('a dependency of both sides breaks, right after the release');
    stage.sicken('green', { ...sick, checkoutBroken: true });
    stage.sicken('blue', { ...sick, checkoutBroken: true });
    const run = await stage.ended(30);
    checkEndedAs(stage, run, ['not-recovered', 'NotRecovered']);
    checkPaged(stage, /not proven to have recovered/i);
    stage.check('it never said recovered', !stage.messages().some((message) => /\brecovered\b/i.test(message.subject) && !/not proven/i.test(message.subject)), stage.messages().map((message) => message.subject).join(' | '));
  },
};

export const changedBySomeoneElse: Scenario = {
  name: 'changed-by-someone-else',
  summary: 'a person changes the weights while Ripcord is about to: their change is not overwritten',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.beforeCall('dynamodb', 'UpdateItem', () => stage.setWeights({ blue: 50, green: 50 }, 'a person on call'));
    stage.sicken('green', sick);
    const run = await stage.ended(25);
    checkEndedAs(stage, run, ['stopped', 'NotRecovered']);
    checkPaged(stage, /someone else|somebody else|changed/i);
    expectNoChange(stage, 'after the person did');
    const weights = await stage.weights();
    stage.check("the person's weights stand", weights['blue'] === 50 && weights['green'] === 50, JSON.stringify(weights));
  },
};

export const manual: Scenario = {
  name: 'manual',
  summary: 'a person starts the state machine from the console: the release is rolled back, and the request is on record',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('checkout is broken in a way no alarm sees; a person starts the rollback');
    stage.sicken('green', { checkoutBroken: true });
    await stage.start({ service: stage.service, reason: 'customers report that paying fails', requestedBy: 'dana' });
    const run = await stage.ended(20);
    const rows = await checkRecovered(stage, run);
    stage.check('the audit names who asked and why', JSON.stringify(rows[0]?.data).includes('customers report that paying fails'), rows[0]?.kind ?? 'no row');
    checkQuietEnd(stage);
  },
};

export const dryRun: Scenario = {
  name: 'dry-run',
  summary: 'a person asks what would be done: the plan with from and to comes back, and nothing is changed',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    await stage.start({ service: stage.service, reason: 'rehearsing before the weekend', requestedBy: 'dana', mode: 'dry-run' });
    const run = await stage.ended(5);
    checkEndedAs(stage, run, ['dry-run']);
    const rows = await stage.audit(run.rollbackId);
    stage.check('the plan is on record with from and to', JSON.stringify(rows).includes('blue'), rows.map((row) => row.kind).join(' '));
    const { plan = [] } = (rows.find(({ kind }) => kind === 'reported')?.data ?? {}) as { readonly plan?: readonly string[] };
    for (const line of plan) stage.say(line);
    const parts = [/^Choice: .*traffic shift.*, by itself/, /Risk: .*About .* until users are safe.*Users notice nothing/, /^1\. web .*blue 0 → 100/, /^2\. Prove it/, /^Stays: /];
    stage.check('it came back as a runbook: the choice, risk and minutes, what users notice, the steps, what stays', parts.every((part) => plan.some((line) => part.test(line))), plan.join(' | '));
    expectNoChange(stage, 'at all');
    const weights = await stage.weights();
    stage.check('green keeps the traffic', weights['green'] === 100, JSON.stringify(weights));
  },
};
