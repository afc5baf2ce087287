// What the person who reads a message should do now: one answer for each way a rollback can end, and for each reason to leave things alone.
import type { Outcome, ReportInput } from '../domain/workflow.ts';
import { plain } from './messages-text.ts';
import { remaining } from './report-plan.ts';
import { type Ending, hasChanged, isForLackOfTraffic, keepsRelease, serviceOf, versionsOf } from './report-outcome.ts';
import { isOnlyUntold } from './untold.ts';

/** What to do about a service that is sick and was left alone, by the code of the reason. */
const doNow: Readonly<Record<string, string>> = {
  'no-release': 'YOU have to find the cause: no release explains it. Look at what the service depends on, at its traffic, and at changes that nobody announced.',
  'newer-release': 'YOU have to decide between two releases: the suspected one and the newer one that is live. Ask who made the newer one; a rollback would take both back.',
  'deadline-passed': 'YOU have to decide: nobody answered in time, and nothing was changed.',
  'cool-down': 'YOU have to decide: a rollback ended a short while ago. See what it did and whether it held, before anything goes back again.',
  storm: 'YOU have to look for what the services share: a Region, a network, a database, an identity provider. Going back with one of them would not help.',
  'not-evaluated': 'YOU have to look at the alarm itself: CloudWatch could not evaluate it, so nobody knows whether the service is well.',
  'signal-unreadable': 'YOU have to look at the service: what should say whether it is well cannot be read. Mend the alarm or the permission that is named above.',
  'traffic-unknown': 'YOU have to look at the service: how many requests it serves cannot be read. Mend that metric, or declare why there is none.',
  'too-little-traffic': 'YOU have to look at the service: there were too few requests to prove anything. Try what a user does.',
  'too-few-signals': 'YOU have to look at the service: one thing says that it is sick, and nothing else agrees. Try what a user does.',
  'only-older-signals': 'YOU have to look at the service: it was sick before the release, so the release is perhaps not the cause.',
};

/** Starts the state machine by hand; the name of the machine is in the ARN that every message has. */
export function byHand(input: ReportInput, machineArn: string): string[] {
  const service = serviceOf(input);
  if (service === null) return [];
  const asked = (more: string): string => `aws stepfunctions start-execution --state-machine-arn ${plain(machineArn, 200)} --input '{"service":"${service}","reason":"<why>","requestedBy":"<you>"${more}}'`;
  return ['To see what going back would mean, without changing anything:', asked(',"mode":"dry-run"'), 'To go back, if the release is to blame after all, the same without `"mode"`.'];
}

export function nextSteps(ending: Ending, input: ReportInput, machineArn: string): readonly string[] {
  const { bad } = versionsOf(input.assessment);
  const broken = ['YOU have to act: look at the execution, then compare the live state with what was done above.', 'Starting the rollback again is safe: each step reads the live state first.'];
  const steps: Readonly<Record<Outcome, () => readonly string[]>> = {
    recovered: () => [
      ...(ending.page && !isOnlyUntold(ending) ? ['YOU have to look: what came in last was not looked at by Ripcord, and nothing happens by itself about it.'] : []),
      ...(ending.page && ending.reasons.some(({ code }) => code === 'not-announced') ? ['YOU have to mend Ripcord: people could not be told that it began, for the reason above. A missing permission: deploy the stack again, or find who narrowed the role.'] : []),
      keepsRelease(input) ? `${bad} is still live. Ship the fix before its flags go on again.` : `${bad} is held: it is not taken as a way back. Ship the fix as a new version.`, 'Nothing happens by itself until the cool-down is over.',
    ],
    'not-recovered': () => notRecovered(input),
    stopped: () => ['YOU have to act: find out who changed the target and agree on one state. Ripcord did not overwrite that change, unless a step above says that it did.'],
    failed: () => broken,
    died: () => broken,
    rejected: () => ['The signals may still be firing: whoever rejected it has taken over.'],
    left: () => left(ending, input, machineArn),
    refused: () => ['Mend the input as the reason says, and start it again.'],
    shadow: () => [
      'Nothing was changed, and nobody was asked: the service is in shadow. If it is sick, it is sick still.',
      `Compare this with what you do about it, and say so: npx ripcord label ${plain(input.rollbackId, 80)} right|wrong`,
      'Set `policy.mode: act` when the two agree.',
    ],
    'dry-run': () => (input.assessment?.verdict === 'leave' ? ['In earnest nothing would be changed either, for the reasons above.'] : ['Start it without `"mode": "dry-run"` to do it.']),
  };
  return steps[ending.outcome]();
}

/** Nothing speaks against the service, and too little for it. */
const lackOfTraffic = ({ verified }: ReportInput): string[] => [
  `YOU have to look: there is too little traffic to prove by metrics that the service is well${(verified?.journeys.results ?? []).length > 0 ? '; its journeys passed' : ''}. Try what a user does.`,
  'If it works, nothing is left to do. Where its journeys are enough, say so under `verification.fewRequests`, and nobody is woken for this again.',
  'The changes above stay in place, and Ripcord does nothing more by itself until the cool-down is over.',
];

function notRecovered(input: ReportInput): string[] {
  const { results, assessment, verified } = input;
  if (isForLackOfTraffic(input)) return lackOfTraffic(input);
  const failed = results.some(({ applied }) => applied.status === 'failed');
  return [
    'YOU have to act: the service is not proven to be well.',
    ...(verified?.reasons.some(({ code }) => code === 'metrics-shared') === true ? ['Others got worse with it, as is said under "Why": look for what they share first.'] : []),
    results.some(hasChanged)
      ? 'The changes above stay in place. If the older version is sick as well, look for a cause that is not the release: what it depends on, its data, its traffic.'
      : failed ? 'Nothing could be changed: mend what is named under "What was done" and start it again, or put the service back by hand.' : 'Look at what is named under "Why".',
    ...(assessment === null ? [] : ['Ship a fix as a new version, where going back cannot help.']),
    'Ripcord does nothing more by itself until the cool-down is over.',
  ];
}

function left(ending: Ending, input: ReportInput, machineArn: string): string[] {
  if (!ending.page) return [input.assessment?.mode === 'shadow' && input.assessment.page ? 'In earnest this would have woken you: the service may be sick.' : 'Nothing is asked of you.'];
  if (input.assessment !== null && ending.reasons.some(({ code }) => code === 'no-safe-way'))
    return ['YOU have to act: the service is sick, and no way back is safe.', ...remaining(input.assessment)];
  const known = ending.reasons.flatMap(({ code }) => doNow[code] ?? []).slice(0, 1);
  return [...(known.length > 0 ? known : ['YOU have to look: the service may be sick, and Ripcord does not act on it for the reasons above.']), ...byHand(input, machineArn)];
}
