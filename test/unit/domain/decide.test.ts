// Every verdict and every reason code of the decision, one row each.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import type { Question } from '../../../lambdas/domain/question.ts';
import { reasonCodes } from '../../../lambdas/domain/reasons.ts';
import type { VerdictName } from '../../../lambdas/domain/vocabulary.ts';
import {
  alarm, alarmTrigger, approval, delivered, deployment, deploymentTrigger, externalTrigger, journeys, minute, neighbour, payments5, personTrigger, question, quiet, release, rollback, sick, watchTrigger,
} from './samples.ts';
import { measured, reading, since } from './metric-samples.ts';

interface Row {
  readonly when: string;
  readonly asked: Question;
  readonly verdict: VerdictName;
  readonly page?: boolean;
  readonly codes: readonly string[];
}

const failedDeployment = { trigger: deploymentTrigger, releases: [], minimumSignals: 1, alarms: [quiet('5xx')], deployments: [deployment({ status: 'failed' })] } as const;
const always = { required: 'always', timeoutMinutes: 10, onDeadline: 'stop' } as const;
const goOn = { required: 'always', timeoutMinutes: 10, onDeadline: 'roll-back' } as const;
const onlyManual = { required: 'manual-only', timeoutMinutes: 10, onDeadline: 'stop' } as const;
const alone = [alarm('5xx'), quiet('latency')];
const sideTargets = { web: { strategy: 'alb-weights', goodSide: 'blue' }, app: { strategy: 'codedeploy', goodSide: null } } as const;
const stormy = { services: ['a', 'b', 'c', 'd', 'e', 'f'], limit: 5, minutes: 10, isAnnounced: false };
const threeToday = [1, 2, 3].map((n) => rollback({ rollbackId: `rb-${n}0`, startedAt: minute(-100 * n), endedAt: minute(-100 * n + 5) }));
const harm = { errors: since(2, 0.3) };
const everywhere = reading(harm, [measured('payments', harm), measured('search', harm)]);
const afterHold = { startedAt: minute(5), now: minute(10) };

const floored = { policy: { databaseFloor: 'v2' }, releases: [release({ touched: ['code', 'database'] })] } as const;
const restarting: Question['targets'] = {
  web: { strategy: 'alb-weights', goodSide: null, way: 'traffic-shift', effect: { downtime: 'mixed', text: 'cookies hold clients', seconds: 120, basis: 'known' } },
  app: { strategy: 'codedeploy', goodSide: null, way: 'redeploy', effect: { downtime: 'interruption', text: 'all servers are restarted at once', seconds: 300, basis: 'typical' } },
};
const appFirst = [{ name: 'codedeploy', waves: [['app']] }, { name: 'alb-weights', waves: [['web']] }];
const flag = { strategy: 'ssm-parameter', goodSide: null, way: 'flag-off', expectedSeconds: 2 } as const;
const withFlag = {
  targets: { ...question().targets, flag }, rungs: [...question().rungs, { name: 'flag', waves: [['flag']] }],
  knownGoods: [{ version: 'v1', since: minute(-500), basis: 'baked' as const, targets: ['web', 'app', 'flag'] }],
};

const rolledBack: Row[] = [
  { when: 'the database forbids the older version, and a flag does not bring it back', asked: question({ ...floored, ...withFlag }), verdict: 'roll-back', codes: ['below-floor'] },
  { when: 'a release in between is taken back too', asked: question({ releases: [release({ id: 'r-3', version: 'v3', previousVersion: 'v2' }), release({ startedAt: minute(-100) })] }), verdict: 'roll-back', codes: ['also-undone'] },
  { when: 'two fresh alarms, a release and a known good version', asked: question(), verdict: 'roll-back', codes: ['release-suspected', 'signals-agree', 'traffic-enough', 'known-good'] },
  { when: 'one fresh alarm where one is enough', asked: question({ alarms: alone, minimumSignals: 1 }), verdict: 'roll-back', codes: ['one-signal-enough'] },
  { when: 'the service has no measure of traffic', asked: question({ traffic: { status: 'not-measured', requests: null, minimum: null, minutes: null } }), verdict: 'roll-back', codes: ['traffic-not-measured'] },
  { when: 'an alarm and a journey', asked: question({ alarms: alone, evidence: journeys(false), look: 1 }), verdict: 'roll-back', codes: ['signals-agree'] },
  { when: 'an alarm and another tool', asked: question({ alarms: alone, delivered: [delivered()] }), verdict: 'roll-back', codes: ['signals-agree'] },
  { when: 'the Watch\'s older alarm and a journey that passed as the release began', verdict: 'roll-back', codes: ['signals-agree'],
    asked: question({ trigger: watchTrigger(), alarms: [alarm('5xx', { since: minute(-60), fault: null }), quiet('latency')], evidence: journeys(false), look: 1, releases: [release({ journeysFailedAtStart: [] })] }) },
  { when: 'CodeDeploy failed the deployment, with hardly any traffic', asked: question({ ...failedDeployment, traffic: { status: 'too-little', requests: 3, minimum: 50, minutes: 5 } }), verdict: 'roll-back', codes: ['one-signal-enough'] },
  { when: 'a side is declared good and the ledger knows nothing', asked: question({ knownGoods: [], targets: sideTargets }), verdict: 'roll-back', codes: ['good-side', 'rung-left-out'] },
  { when: 'the way that stands first interrupts users, and the next does not', asked: question({ targets: restarting, rungs: appFirst, hasOwnRungs: false }), verdict: 'roll-back', codes: ['safer-first'] },
  { when: 'the same, and the service names that order', asked: question({ targets: restarting, rungs: appFirst, hasOwnRungs: true }), verdict: 'roll-back', codes: ['better-order'] },
  { when: 'a person asks', asked: question({ trigger: personTrigger(), alarms: [quiet('5xx')] }), verdict: 'roll-back', codes: ['asked-by-person', 'release-suspected'] },
  { when: 'a person asks and no release is on record', asked: question({ trigger: personTrigger(), releases: [] }), verdict: 'roll-back', codes: ['asked-by-person', 'no-release-needed', 'known-good'] },
  { when: 'a person asks in the middle of a cool-down and a storm', asked: question({ trigger: personTrigger(), coolDownUntil: minute(30), storm: stormy }), verdict: 'roll-back', codes: ['asked-by-person'] },
  { when: 'the service is in shadow and would need an approval', asked: question({ policy: { mode: 'shadow', approval: always } }), verdict: 'roll-back', codes: ['would-ask', 'policy-approval'] },
  { when: 'in shadow, another release was recorded before', asked: question({ policy: { mode: 'shadow' }, shadowed: [rollback({ isShadow: true })] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a service acts that was in shadow before', asked: question({ shadowed: [rollback({ release: { id: 'r-2', version: 'v2' }, isShadow: true })] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a dry run would need an approval', asked: question({ trigger: personTrigger({ mode: 'dry-run' }), policy: { approval: always } }), verdict: 'roll-back', codes: ['would-ask', 'policy-approval'] },
  { when: 'a person approved', asked: question({ approval: approval('approved'), policy: { approval: always } }), verdict: 'roll-back', codes: ['approved'] },
  { when: 'a person approved although the budget is spent and only one signal is left', asked: question({ approval: approval('approved'), rollbacks: threeToday, alarms: alone }), verdict: 'roll-back', codes: ['approved', 'budget-spent'] },
  { when: 'nobody answered and the policy then goes on', asked: question({ approval: approval('deadline'), policy: { approval: goOn } }), verdict: 'roll-back', codes: ['deadline-roll-back'] },
  { when: 'approval is wanted only for what people ask', asked: question({ policy: { approval: onlyManual } }), verdict: 'roll-back', codes: ['known-good'] },
  { when: 'no call of the rollback before can write any more', asked: question({ unsettledUntil: minute(10) }), verdict: 'roll-back', codes: ['release-suspected'] },
];

const asking: Row[] = [
  { when: 'the release changed the database and nothing says from which version on the code works with it', asked: question({ releases: [release({ touched: ['code', 'database'] })] }), verdict: 'ask', codes: ['floor-unknown'] },
  { when: 'a person asks, and the database is in question', asked: question({ trigger: personTrigger(), releases: [release({ touched: ['database', 'code'] })] }), verdict: 'ask', codes: ['floor-unknown'] },
  { when: 'the release touched configuration alone, and nothing takes that back for certain', asked: question({ releases: [release({ touched: ['configuration'] })] }), verdict: 'ask', codes: ['may-not-help'] },
  { when: 'an older version would run on changed infrastructure', asked: question({ releases: [release({ touched: ['code', 'infrastructure'] })], rungs: [{ name: 'codedeploy', waves: [['app']] }] }), verdict: 'ask', codes: ['infrastructure-stays'] },
  { when: 'users would be interrupted and the policy wants a yes to that', asked: question({ targets: restarting, policy: { interruption: 'ask' }, rungs: [{ name: 'codedeploy', waves: [['app']] }] }), verdict: 'ask', codes: ['interrupts-users'] },
  { when: 'the way back outlasts the proof', asked: question({ targets: restarting, rungs: [{ name: 'alb-weights', waves: [['web']] }], patience: { proofSeconds: 60, stepSeconds: 3600 } }), verdict: 'ask', codes: ['takes-too-long'] },
  { when: 'no version is known good', asked: question({ knownGoods: [] }), verdict: 'ask', codes: ['no-known-good'] },
  { when: 'the good version is known for no whole rung', asked: question({ knownGoods: [{ version: 'v1', since: minute(-500), basis: 'baked', targets: [] }] }), verdict: 'ask', codes: ['no-known-good'] },
  { when: 'the daily budget is spent', asked: question({ rollbacks: threeToday }), verdict: 'ask', codes: ['budget-spent'] },
  { when: 'the metrics say that it is not the release, even after the hold', asked: question({ metrics: everywhere, startedAt: minute(4) }), verdict: 'ask', codes: ['metrics-unrelated'] },
  { when: 'the policy wants a person each time', asked: question({ policy: { approval: always } }), verdict: 'ask', codes: ['policy-approval'] },
  { when: 'the policy wants a second person for what people ask', asked: question({ trigger: personTrigger(), policy: { approval: onlyManual } }), verdict: 'ask', codes: ['policy-approval'] },
];

const holding: Row[] = [
  { when: 'only one of two alarms fires', asked: question({ alarms: alone }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'two alarms of one group fire', asked: question({ alarms: [alarm('5xx', { group: 'errors' }), alarm('4xx', { group: 'errors' })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'a composite only repeats its child', asked: question({ alarms: [alarm('5xx'), alarm('broken', { children: ['5xx'], fault: null })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'there is too little traffic', asked: question({ traffic: { status: 'too-little', requests: 5, minimum: 50, minutes: 5 } }), verdict: 'hold', codes: ['too-little-traffic'] },
  { when: 'the traffic has no data', asked: question({ traffic: { status: 'unknown', requests: null, minimum: 50, minutes: 5 } }), verdict: 'hold', codes: ['traffic-unknown'] },
  { when: 'the metrics say that it is not the release', asked: question({ metrics: everywhere }), verdict: 'hold', codes: ['metrics-unrelated'] },
  { when: 'the alarm reads OK from before the event that says ALARM', asked: question({ alarms: [quiet('5xx'), quiet('latency')] }), verdict: 'hold', codes: ['signal-unreadable'] },
  { when: 'the alarm has no data', asked: question({ alarms: [alarm('5xx', { state: 'INSUFFICIENT_DATA' }), quiet('latency')] }), verdict: 'hold', codes: ['signal-unreadable'] },
  { when: 'a fresh alarm fires beside one that was red before the release', asked: question({ alarms: [alarm('5xx'), alarm('latency', { since: minute(-60), fault: { from: minute(-62), to: minute(-61) } })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the Watch\'s older alarm fires and no journey ran yet', asked: question({ trigger: watchTrigger(), alarms: [alarm('5xx', { since: minute(-60), fault: null }), quiet('latency')] }), verdict: 'hold', codes: ['only-older-signals'] },
  { when: 'a journey fails that nobody saw pass, beside the Watch\'s older alarm', asked: question({ trigger: watchTrigger(), alarms: [alarm('5xx', { since: minute(-60), fault: null })], evidence: journeys(false), look: 1 }), verdict: 'hold', codes: ['only-older-signals'] },
  { when: 'the journey could not be run', asked: question({ alarms: alone, evidence: journeys(false, { couldNotRun: true }), look: 1 }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the second alarm is muted', asked: question({ delivered: [delivered({ kind: 'alarm', source: 'latency', mutedUntil: minute(60) })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the second alarm is suppressed', asked: question({ alarms: [alarm('5xx'), alarm('latency', { suppressedBy: 'WaitPeriod' })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the second alarm could not be evaluated', asked: question({ alarms: [alarm('5xx'), alarm('latency', { evaluationState: 'PARTIAL_DATA' })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the other tool\'s message is too old', asked: question({ alarms: alone, delivered: [delivered({ at: minute(-21) })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the other tool said that it is quiet again', asked: question({ alarms: alone, delivered: [delivered(), delivered({ at: minute(9.5), status: 'quiet' })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'the other tool is not one of the service\'s', asked: question({ alarms: alone, delivered: [delivered({ source: 'forged/1' })] }), verdict: 'hold', codes: ['too-few-signals'] },
  { when: 'a call of the rollback before may still write', asked: question({ unsettledUntil: minute(11) }), verdict: 'hold', codes: ['unsettled'] },
  { when: 'the same, and a person asks for it', asked: question({ trigger: personTrigger(), unsettledUntil: minute(11) }), verdict: 'hold', codes: ['unsettled'] },
];

/** Release v2 of checkout is two hours old; payments released right before the fault, and is sick itself. */
const theirs = { releases: [release({ startedAt: minute(-120), finishedAt: minute(-118) })], neighbours: [neighbour({ releases: [payments5], alarms: sick })] };
const goingBack = { rollbackId: 'rb-p', release: { id: 'p-5', version: '5.1.0' }, endedAt: null, outcome: null };
const caller = neighbour({ service: 'shop', relation: 'dependent', releases: [{ ...payments5, id: 's-9', version: '9' }], alarms: sick });
const over = { startedAt: minute(4), now: minute(10) };
const three = { services: ['cart', 'checkout', 'search'], limit: 5, minutes: 10, isAnnounced: false };
const whoDidIt: Row[] = [
  { when: 'a dependency\'s release is likelier', asked: question(theirs), verdict: 'hold', codes: ['dependency-suspected'] },
  { when: 'a dependency\'s release is likelier, even after the hold', asked: question({ ...theirs, ...over }), verdict: 'leave', page: true, codes: ['dependency-suspected'] },
  { when: 'that release is being taken back, for longer than the hold', asked: question({ ...theirs, ...over, neighbours: [neighbour({ releases: [payments5], alarms: sick, rollbacks: [goingBack], lockedBy: 'rb-p' })] }), verdict: 'hold', codes: ['dependency-suspected'] },
  { when: 'that release was taken back a minute ago', asked: question({ ...theirs, ...over, neighbours: [neighbour({ releases: [payments5], rollbacks: [{ ...goingBack, outcome: 'recovered', endedAt: minute(9) }] })] }), verdict: 'hold', codes: ['dependency-suspected'] },
  { when: 'a dependency did it and nothing was released here', asked: question({ ...theirs, releases: [] }), verdict: 'hold', codes: ['no-release', 'dependency-suspected'] },
  { when: 'a dependency changed what is shared, its alarms are OK, and nothing was released here', asked: question({ releases: [], neighbours: [neighbour({ releases: [{ ...payments5, touched: ['database'] }] })] }), verdict: 'leave', page: true, codes: ['no-release'] },
  { when: 'a shared dependency is sick without a release of its own', asked: question({ neighbours: [neighbour({ alarms: sick })] }), verdict: 'hold', codes: ['shared-dependency'] },
  { when: 'it stays sick', asked: question({ neighbours: [neighbour({ alarms: sick })], ...over }), verdict: 'leave', page: true, codes: ['shared-dependency'] },
  { when: 'it stays sick and somebody was told', asked: question({ neighbours: [neighbour({ alarms: sick })], ...over, storm: { services: ['checkout', 'search'], limit: 5, minutes: 10, isAnnounced: true } }), verdict: 'leave', codes: ['shared-dependency'] },
  { when: 'several services that share a dependency alarm at once', asked: question({ neighbours: [neighbour({ alarms: [], sharedWith: ['search', 'cart'] })], storm: { services: ['cart', 'checkout', 'search'], limit: 5, minutes: 10, isAnnounced: false } }), verdict: 'hold', codes: ['shared-dependency'] },
  { when: 'the policy wants more than the suspect has', asked: question({ policy: { suspicion: 0.9 }, releases: [release({ startedAt: minute(-120), finishedAt: minute(-118) })] }), verdict: 'hold', codes: ['suspect-uncertain'] },
  { when: 'so many others are sick that the brake may be about to engage', asked: question({ storm: three }), verdict: 'hold', codes: ['others-sick'] },
  { when: 'they were not joined by more within the minute in which alarms look', asked: question({ storm: three, startedAt: minute(8) }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'one other service is sick', asked: question({ storm: { ...three, services: ['cart', 'checkout'] } }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'those that are sick depend on this service', asked: question({ storm: three, neighbours: ['cart', 'search'].map((service) => neighbour({ service, relation: 'dependent' })) }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'one that is sick depends on what this service depends on, and that is well', asked: question({ storm: { ...three, services: ['checkout', 'search'], limit: 3 }, neighbours: [neighbour({ alarms: [quiet('payments-5xx')], sharedWith: ['search'] })] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a person asks although others are sick', asked: question({ storm: three, trigger: personTrigger() }), verdict: 'roll-back', codes: ['asked-by-person'] },
  { when: 'a caller that went out together is sick too', asked: question({ neighbours: [caller] }), verdict: 'hold', codes: ['dependents-first'] },
  { when: 'that caller is being taken back, for longer than the hold', asked: question({ ...over, neighbours: [{ ...caller, lockedBy: 'rb-s' }] }), verdict: 'hold', codes: ['dependents-first'] },
  { when: 'nobody took that caller back within the hold', asked: question({ ...over, neighbours: [caller] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'that caller was taken back ten minutes ago', asked: question({ neighbours: [{ ...caller, rollbacks: [{ rollbackId: 'rb-s', release: { id: 's-9', version: '9' }, endedAt: minute(0), outcome: 'recovered' }] }] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'that caller is well', asked: question({ neighbours: [{ ...caller, alarms: [quiet('shop-5xx')] }] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a dependency that went out together is sick too: it goes back after this one', asked: question({ neighbours: [neighbour({ releases: [payments5], alarms: sick })] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a dependency released too, long before, and is well', asked: question({ neighbours: [neighbour({ releases: [{ ...payments5, startedAt: minute(-100), finishedAt: minute(-99) }] })] }), verdict: 'roll-back', codes: ['release-suspected'] },
  { when: 'a person asks although a dependency is likelier', asked: question({ ...theirs, trigger: personTrigger() }), verdict: 'roll-back', codes: ['asked-by-person'] },
];

const cooling = { coolDownUntil: minute(37), rollbacks: [rollback({ endedAt: minute(7) })] };
const handled = (id: string, began: number) => ({
  coolDownUntil: minute(39), releases: [release(), release({ id, version: id, startedAt: minute(began) })], rollbacks: [rollback({ startedAt: minute(7), endedAt: minute(9), release: { id, version: id } })],
});
/** v2 went back to v1, which is known good as v0 is, and what fires goes on after the cool-down. */
const further = (from = minute(8)) => ({
  coolDownUntil: minute(9), releases: [release(), release({ id: 'r-1', version: 'v1', previousVersion: 'v0', startedAt: minute(-100), finishedAt: minute(-95) })],
  rollbacks: [rollback({ startedAt: minute(6), endedAt: minute(8), release: { id: 'r-2', version: 'v2' } })], knownGoods: [{ version: 'v0', since: minute(-900), basis: 'baked', targets: ['web', 'app'] }],
  alarms: [alarm('5xx', { since: from }), alarm('latency', { since: from })],
} as const);
const leaving: Row[] = [
  { when: 'the database forbids every way back', asked: question(floored), verdict: 'leave', page: true, codes: ['no-safe-way', 'below-floor'] },
  { when: 'the database forbids what a person asks for', asked: question({ ...floored, trigger: personTrigger() }), verdict: 'leave', page: true, codes: ['no-safe-way', 'below-floor'] },
  { when: 'another run has the lock', asked: question({ lockedBy: 'rb-7' }), verdict: 'joined', codes: ['joined'] },
  { when: 'the failed deployment is a rollback', asked: question({ ...failedDeployment, deployments: [deployment({ status: 'failed', nature: 'rollback' })] }), verdict: 'leave', codes: ['own-rollback'] },
  { when: 'CodeDeploy rolled the deployment back already', asked: question({ ...failedDeployment, deployments: [deployment({ status: 'failed' }), deployment({ id: 'd-3', nature: 'rollback', undoes: 'd-2', startedAt: minute(4) })] }), verdict: 'leave', codes: ['already-undone'] },
  { when: 'the deployment is nobody\'s of this service', asked: question({ ...failedDeployment, deployments: [] }), verdict: 'leave', codes: ['not-our-deployment'] },
  { when: 'the alarm is not one of the service\'s', asked: question({ trigger: alarmTrigger({ alarm: 'other' }) }), verdict: 'leave', codes: ['not-our-alarm'] },
  { when: 'the tool is not one of the service\'s', asked: question({ trigger: externalTrigger({ tool: 'forged' }) }), verdict: 'leave', codes: ['tool-not-allowed'] },
  { when: 'the alarm is muted', asked: question({ trigger: alarmTrigger({ mutedUntil: minute(60) }) }), verdict: 'leave', codes: ['muted'] },
  { when: 'the alarm is suppressed', asked: question({ trigger: alarmTrigger({ suppressedBy: 'WaitPeriod' }) }), verdict: 'leave', codes: ['suppressed'] },
  { when: 'CloudWatch could not evaluate the alarm', asked: question({ trigger: alarmTrigger({ evaluationState: 'EVALUATION_ERROR' }) }), verdict: 'leave', page: true, codes: ['not-evaluated'] },
  { when: 'the tool says quiet', asked: question({ trigger: externalTrigger({ status: 'quiet' }) }), verdict: 'leave', codes: ['external-quiet'] },
  { when: 'a person said no', asked: question({ approval: approval('rejected') }), verdict: 'leave', codes: ['rejected'] },
  { when: 'nobody answered and the rule is to stop', asked: question({ approval: approval('deadline'), policy: { approval: always } }), verdict: 'leave', page: true, codes: ['deadline-passed'] },
  { when: 'nobody answered a question that always ends in stop', asked: question({ approval: approval('deadline'), knownGoods: [], policy: { approval: goOn } }), verdict: 'leave', page: true, codes: ['deadline-passed'] },
  { when: 'the alarm is OK when read again', asked: question({ alarms: [quiet('5xx', { since: minute(9) }), quiet('latency')] }), verdict: 'leave', codes: ['no-longer-firing'] },
  { when: 'the alarm still reads OK from before the event a minute later', asked: question({ alarms: [quiet('5xx'), quiet('latency')], startedAt: minute(9) }), verdict: 'leave', codes: ['no-longer-firing'] },
  { when: 'it recovered while a person thought', asked: question({ approval: approval('approved'), alarms: [quiet('5xx', { since: minute(9) }), quiet('latency')] }), verdict: 'leave', codes: ['no-longer-firing'] },
  { when: 'the release was recorded in shadow before', asked: question({ policy: { mode: 'shadow' }, shadowed: [rollback({ release: { id: 'r-2', version: 'v2' }, isShadow: true })] }), verdict: 'leave', codes: ['already-shadowed'] },
  { when: 'it all began before the last rollback ended', asked: question({ coolDownUntil: minute(39), rollbacks: [rollback({ startedAt: minute(7), endedAt: minute(9) })] }), verdict: 'leave', codes: ['already-handled'] },
  { when: 'it all began before the end of the last rollback, which was about a release after the one suspected now', asked: question(handled('r-3', 4)), verdict: 'leave', codes: ['already-handled'] },
  { when: 'it lasts after the cool-down, and only a release before the one that went back could be next', asked: question(further()), verdict: 'leave', page: true, codes: ['already-handled'] },
  { when: 'the same, and a person asks for it', asked: question({ ...further(), trigger: personTrigger() }), verdict: 'roll-back', codes: ['asked-by-person'] },
  { when: 'the same, and it began to fire after that rollback', asked: question(further(minute(9))), verdict: 'roll-back', codes: ['release-suspected', 'signals-agree'] },
  { when: 'the last rollback turned off the flags of the release suspected now', asked: question({ coolDownUntil: minute(39), rollbacks: [rollback({ startedAt: minute(7), endedAt: minute(9), release: { id: 'r-2', version: 'v2' }, keepsRelease: true })] }), verdict: 'leave', codes: ['already-handled'] },
  { when: 'it all began before the end of the last rollback, which was about a release before the one suspected now', asked: question(handled('r-1', -60)), verdict: 'leave', page: true, codes: ['cool-down'] },
  { when: 'it all began before the end of the last rollback, which began before the release suspected now', asked: question({ coolDownUntil: minute(39), rollbacks: [rollback({ startedAt: minute(-1), endedAt: minute(9) })] }), verdict: 'leave', page: true, codes: ['cool-down'] },
  { when: 'it began after the last rollback, in its cool-down', asked: question({ coolDownUntil: minute(37), rollbacks: [rollback({ endedAt: minute(7) })] }), verdict: 'leave', page: true, codes: ['cool-down'] },
  { when: 'what was rolled back is released again in the second in which the rollback ended', verdict: 'leave', page: true, codes: ['cool-down'],
    asked: question({ trigger: watchTrigger({ alarms: [], journeys: [], quarantined: true }), quarantined: ['v2'], coolDownUntil: minute(37), alarms: [quiet('5xx'), quiet('latency')],
      releases: [release({ startedAt: minute(7) })], rollbacks: [rollback({ release: { id: 'r-1', version: 'v2' }, endedAt: minute(7.01) })] }) },
  { when: 'the end of the last rollback is unknown', asked: question({ coolDownUntil: minute(37) }), verdict: 'leave', page: true, codes: ['cool-down'] },
  { when: 'too many services alarm at once', asked: question({ storm: stormy }), verdict: 'leave', page: true, codes: ['storm'] },
  { when: 'the storm was announced', asked: question({ storm: { ...stormy, isAnnounced: true } }), verdict: 'leave', codes: ['storm'] },
  { when: 'no release is on record', asked: question({ releases: [] }), verdict: 'leave', page: true, codes: ['no-release'] },
  { when: 'a newer release is live', asked: question({ releases: [release({ id: 'r-3', version: 'v3', startedAt: minute(9) }), release()] }), verdict: 'leave', page: true, codes: ['newer-release'] },
  { when: 'a release began after the person asked', asked: question({ trigger: personTrigger(), startedAt: minute(4), approval: approval('approved'), releases: [release({ id: 'r-3', version: 'v3', startedAt: minute(9) }), release()] }), verdict: 'leave', page: true, codes: ['newer-release'] },
  { when: 'the hold is over with one signal', asked: question({ alarms: alone, ...afterHold }), verdict: 'leave', page: true, codes: ['too-few-signals'] },
  { when: 'the hold is over and the traffic is unknown', asked: question({ traffic: { status: 'unknown', requests: null, minimum: 50, minutes: 5 }, ...afterHold }), verdict: 'leave', page: true, codes: ['traffic-unknown'] },
];

/** Nothing fires, and what was reported cannot be read or still reads as before it: a moment after a rollback that is no less a reason to wait. */
const unreadAfterRollback: Row[] = [
  { when: 'in a cool-down, the alarm reads OK from before its event', asked: question({ ...cooling, trigger: alarmTrigger({ at: minute(9.9) }), alarms: [quiet('5xx'), quiet('latency')] }), verdict: 'hold', codes: ['signal-unreadable'] },
  { when: 'in a cool-down, the alarms have no data', asked: question({ ...cooling, alarms: ['5xx', 'latency'].map((name) => alarm(name, { state: 'INSUFFICIENT_DATA', since: minute(9) })) }), verdict: 'hold', codes: ['signal-unreadable'] },
  { when: 'in a cool-down, the metrics cannot be read', verdict: 'hold', codes: ['signal-unreadable'],
    asked: question({ ...cooling, trigger: watchTrigger({ alarms: [], journeys: [], metrics: true }), metrics: { status: 'unknown', why: 'CloudWatch did not answer' }, alarms: [quiet('5xx'), quiet('latency')] }) },
];

const rows = [...unreadAfterRollback, ...rolledBack, ...asking, ...holding, ...whoDidIt, ...leaving];

describe('the decision', () => {
  it.each(rows)('says $verdict when $when', ({ asked, verdict, page = false, codes }) => {
    const said = decide(asked);
    expect({ verdict: said.verdict, page: said.page }).toEqual({ verdict, page });
    expect(said.reasons.map(({ code }) => code)).toEqual(expect.arrayContaining([...codes]));
  });

  it('has a row here for every reason code', () => {
    const reached = new Set(rows.flatMap(({ asked }) => decide(asked).reasons.map(({ code }) => code)));
    expect(reasonCodes.filter((code) => !reached.has(code))).toEqual([]);
  });

  it('says each reason and the headline in whole sentences', () => {
    for (const { asked } of rows) {
      const { headline, reasons } = decide(asked);
      for (const text of [headline, ...reasons.map((reason) => reason.text)]) expect(text).toMatch(/^[A-Za-z0-9].{8,}/);
      expect(headline.endsWith('.')).toBe(true);
    }
  });

  it('names rungs only where something would be done', () => {
    for (const { asked, verdict } of rows) expect(decide(asked).rungs.length > 0).toBe(verdict === 'roll-back' || verdict === 'ask');
  });

  it('looks again after 15 seconds, and runs the journeys before', () => {
    expect(decide(question({ alarms: alone }))).toMatchObject({ holdSeconds: 15, wantsEvidence: true });
    expect(decide(question({ alarms: alone, hasJourneys: false })).wantsEvidence).toBe(false);
    expect(decide(question({ alarms: alone, startedAt: minute(5.2), now: minute(10) })).holdSeconds).toBe(12);
  });

  it('asks with the shortest of several deadlines, and stops unless every demand would go on', () => {
    expect(decide(question({ policy: { approval: goOn } })).approval).toEqual({ timeoutSeconds: 600, onDeadline: 'roll-back' });
    expect(decide(question({ policy: { approval: goOn }, rollbacks: threeToday })).approval).toEqual({ timeoutSeconds: 600, onDeadline: 'stop' });
    expect(decide(question({ rollbacks: threeToday })).approval).toEqual({ timeoutSeconds: 1800, onDeadline: 'stop' });
  });

  it('leaves out the rungs whose targets have no good state, and keeps the others in order', () => {
    expect(decide(question({ knownGoods: [{ version: 'v1', since: minute(-500), basis: 'baked', targets: ['app'] }] })).rungs.map(({ name }) => name)).toEqual(['codedeploy']);
  });

  it('counts neither rollbacks that people asked for nor those of yesterday against the budget', () => {
    const notCounted = [rollback({ isAutomatic: false }), rollback({ rollbackId: 'rb-old', startedAt: minute(-24 * 60) }), rollback({ rollbackId: 'rb-1' })];
    expect(decide(question({ rollbacks: [...threeToday.slice(0, 2), ...notCounted] })).verdict).toBe('roll-back');
  });

  it('says that the first signal came when the earliest fresh alarm fired', () => {
    const alarms = [alarm('5xx', { since: minute(9) }), alarm('latency'), alarm('old', { since: minute(-60), fault: null })];
    expect(decide(question({ alarms })).firstSignalAt).toBe(minute(8));
  });
});
