// The list of scenarios that `npm run rehearse` knows.
import { changedBySomeoneElse, dryRun, manual, permissionMissing, stillSick, targetUnhealthy } from './acting.ts';
import { badReleaseAlb } from './bad-release-alb.ts';
import { badReleaseCodeDeploy, codeDeployInProgress } from './bad-release-codedeploy.ts';
import { badReleaseDns } from './bad-release-dns.ts';
import { noAlarmSeesIt } from './metrics.ts';
import type { Scenario } from './scenario.ts';
import { shadow } from './shadow.ts';
import { alreadyInAlarm, duplicateStorm, flapping, noRelease, secondSignalMissing } from './signals.ts';

export const scenarios: readonly Scenario[] = [
  badReleaseAlb, badReleaseDns, badReleaseCodeDeploy, codeDeployInProgress,
  alreadyInAlarm, noRelease, duplicateStorm, secondSignalMissing, targetUnhealthy, permissionMissing,
  stillSick, changedBySomeoneElse, flapping, manual, dryRun, shadow, noAlarmSeesIt,
];

/** @throws Error naming the known scenarios when there is none of that name. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario "${name}"; known: ${scenarios.map((scenario) => scenario.name).join(', ')}`);
  return found;
}
