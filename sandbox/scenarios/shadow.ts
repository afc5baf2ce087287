// A service in shadow: the release turns bad, everything is decided and recorded, and nothing is changed.
import { checkEndedAs, expectNoChange } from './facts.ts';
import { shopService, webTarget } from './shop-service.ts';
import type { Scenario } from './scenario.ts';

export const shadow: Scenario = {
  name: 'shadow',
  summary: 'a bad release of a service in shadow: the decision and its plan are on record, one message says what would have been done, and nothing is changed',
  traffic: 'load-balancer',
  service: (workload) => shopService(workload, { web: webTarget(workload) }, {
    policy: {
      mode: 'shadow', approval: { none: 'the demo shop takes no money, so nobody has to be asked' },
      bakeMinutes: 3, releaseWindowMinutes: 240, coolDownMinutes: 10, dailyBudget: 3,
    },
  }),
  async play(stage) {
    await stage.minutes(5);
    await stage.release('2.0.0');
    await stage.minutes(1);
    stage.say('green goes bad: four of ten requests fail, and the rest are slow');
    stage.sicken('green', { errorShare: 0.4, delayMs: 250 });
    const run = await stage.ended(25);
    checkEndedAs(stage, run, ['shadow']);
    stage.say('the alarms stay; the Watch looks on');
    await stage.minutes(4);
    await stage.until('every run has ended', () => stage.rollbacks().every(({ status }) => status !== 'RUNNING'), 15);
    const rows = await stage.audit(run.rollbackId);
    const kinds = rows.map(({ kind }) => kind);
    stage.check('the plan is on record, and no change', kinds.includes('planned') && !kinds.some((kind) => kind.startsWith('change-')), kinds.join(' '));
    stage.check('the record says that it would have rolled back', JSON.stringify(rows.findLast(({ kind }) => kind === 'assessed')?.data['decision']).includes('"verdict":"roll-back"'), kinds.join(' '));
    expectNoChange(stage, 'at all');
    const weights = await stage.weights();
    stage.check('green keeps the traffic', weights['green'] === 100, JSON.stringify(weights));
    const messages = stage.messages();
    const outcomes = stage.rollbacks().map(({ outcome }) => outcome).join(', ');
    stage.check('one message says what would have been done, and wakes nobody', messages.length === 1 && /would have rolled back/.test(messages[0]?.subject ?? '') && !/PAGE/.test(messages[0]?.subject ?? ''), `${messages.map(({ subject }) => subject).join(' | ')}; runs: ${outcomes}`);
    stage.check('the plan is in the message', /100/.test(/What would have been done[\s\S]*?\n\n/.exec(messages[0]?.text ?? '')?.[0] ?? ''), messages[0]?.text ?? 'no message');
  },
};
