// Which reasons beside a permission are found out: of nothing, twice, belied by what was played.
import { expect, test } from 'vitest';
import { grantsOf, peoplesGrants, type Grant } from '../../sandbox/explore/permissions/grants.ts';
import type { Played } from '../../sandbox/explore/permissions/play.ts';
import type { Policy } from '../../sandbox/explore/permissions/policies.ts';
import { reasonProblems, staleReasons } from '../../sandbox/explore/permissions/reason-problems.ts';
import type { Reason } from '../../sandbox/explore/permissions/reasons.ts';
import type { RemovalResult } from '../../sandbox/explore/permissions/remove.ts';

const topic = 'arn:aws:sns:eu-west-1:111122223333:on-call';
const grant = (over: Partial<Grant> = {}): Grant => ({
  id: 'report/0/sns:Publish', holder: 'report', owner: 'ReportRole', statement: 'ReportPolicy/0', action: 'sns:Publish', resources: [topic], isResourcePolicy: false, trusted: null,
  wide: null, uncalled: null, quiet: null, together: 1, place: { logicalId: 'ReportPolicy', index: 0 }, ...over,
});
const reason = (over: Partial<Reason> = {}): Reason => ({ kind: 'quiet', owner: 'ReportRole', action: 'sns:Publish', resources: null, text: 'because', ...over });
const took = (...used: Played['used']): Played => ({ scenario: 's', problem: null, used, denied: [], pages: [], records: [], wallMilliseconds: 1 });
const publish = { action: 'sns:Publish', resource: topic, allowed: true, statement: 'ReportPolicy/0' };
const removed = (over: Partial<RemovalResult> = {}): RemovalResult =>
  ({ id: 'report/0/sns:Publish', noticed: 'unnoticed', scenario: 's', pages: [], named: [], quiet: 'nobody is told', isRefused: true, wallMilliseconds: 1, ...over });

test('one reason of one permission is fine', () => {
  expect(reasonProblems([reason()], [grant({ quiet: 'because' })], [took(publish)])).toEqual([]);
  expect(reasonProblems([reason({ kind: 'uncalled' })], [grant({ uncalled: 'because' })], [took()])).toEqual([]);
});

test.each([
  ['of an action that is not allowed', reason({ action: 'sns:Subscribe' })],
  ['of another holder', reason({ owner: 'AssessRole' })],
  ['of a statement that is not there', reason({ resources: [`${topic}-2`] })],
])('a reason %s is found out', (_, one) => {
  expect(reasonProblems([one], [grant()], [])).toEqual([expect.stringContaining('which nothing there allows')]);
});

test('two reasons for the same are found out, the same one twice is one', () => {
  expect(reasonProblems([reason(), reason({ text: 'of old' })], [grant()], [])).toEqual(['report/0/sns:Publish has 2 reasons (quiet): "because", "of old"']);
  expect(reasonProblems([reason(), reason()], [grant()], [])).toEqual([]);
  expect(reasonProblems([reason(), reason({ text: 'of another statement', resources: [`${topic}-2`] })], [grant(), grant({ resources: [`${topic}-2`] })], [])).toHaveLength(1);
});

test('a reason that no call takes a permission is belied by one that does', () => {
  expect(reasonProblems([reason({ kind: 'uncalled' })], [grant({ uncalled: 'because' })], [took(publish)])).toEqual([expect.stringContaining('is taken by a scenario')]);
});

test('a reason for a loss that is never tried, and one for a wildcard that is not there, say nothing', () => {
  expect(reasonProblems([], [grant({ uncalled: 'AWS wants it', quiet: 'because' })], [])).toEqual([expect.stringContaining('is never taken away')]);
  expect(reasonProblems([], [grant({ wide: 'because' })], [])).toEqual([expect.stringContaining('has no wildcard')]);
  expect(reasonProblems([], [grant({ wide: 'because', resources: ['*'] })], [])).toEqual([]);
});

test('a wildcard without a reason is found out, in the policies of people too, and in a resource\'s own policy it is that resource', () => {
  expect(reasonProblems([], [grant({ resources: [topic, `${topic}-*`] })], [])).toEqual([`report/0/sns:Publish is allowed on ${topic}-*, and no reason says why nothing narrower would do`]);
  const statements = [{ Effect: 'Allow', Action: ['states:ListStateMachines', 'cloudwatch:GetDashboard'], Resource: '*' }] as const;
  const of = (kind: Policy['kind']): Policy => ({ kind, logicalId: 'Viewer', holder: 'Viewer', owner: 'Viewer', name: 'viewer', roleName: null, resourceArn: topic, statements });
  const reasons = [reason({ kind: 'wide', owner: 'Viewer', action: 'states:ListStateMachines' })];
  const problems = (kind: Policy['kind']) => reasonProblems(reasons, [...grantsOf([of(kind)], reasons), ...peoplesGrants([of(kind)], reasons)], []);
  expect(problems('managed')).toEqual(['Viewer/0/cloudwatch:GetDashboard is allowed on *, and no reason says why nothing narrower would do']);
  expect([problems('identity').length, problems('resource'), problems('trust')]).toEqual([1, [], []]);
});

test.each(['named', 'logged'] as const)('a reason that a loss goes unnoticed is belied when it is noticed (%s)', (noticed) => {
  expect(staleReasons([removed({ noticed })])).toEqual([expect.stringContaining(`is noticed (${noticed})`)]);
  expect(staleReasons([removed({ noticed, quiet: null }), removed({ noticed, id: 'report/0/all' })])).toEqual([]);
});

test('an alarm that a reason names has to tell', () => {
  const quiet = 'the alarm handler-lost tells';
  expect(staleReasons([removed({ quiet, noticed: 'paged', pages: ['ALARM: "ripcord-handler-lost-watchdog"'] })])).toEqual([]);
  expect(staleReasons([removed({ quiet, noticed: 'paged', pages: ['ALARM: "ripcord-watch-failed"'] })])).toEqual([expect.stringContaining('sounds no alarm handler-lost')]);
});
