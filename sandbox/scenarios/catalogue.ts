// The list of scenarios that `npm run rehearse` knows.
import { changedBySomeoneElse, dryRun, manual, permissionMissing, stillSick, targetUnhealthy } from './acting.ts';
import { badReleaseAlb } from './bad-release-alb.ts';
import { badReleaseCodeDeploy, codeDeployInProgress } from './bad-release-codedeploy.ts';
import { badReleaseDns } from './bad-release-dns.ts';
import { anHourLater, ownRollback } from './late-and-own.ts';
import { ecsRelease } from './ecs-release.ts';
import { sickDependency } from './elsewhere.ts';
import { lostAlarm, lostRelease } from './lost-events.ts';
import { onlyThisRegion, sharedAcrossRegions } from './other-region.ts';
import { noAlarmSeesIt, nobodyKnowsWhy, sickCanary } from './metrics.ts';
import { budgetBurns, lowTraffic } from './promises.ts';
import { sameBuildAgain } from './same-build.ts';
import type { Scenario } from './scenario.ts';
import { shadow } from './shadow.ts';
import { quickestInRegion, sickRegion } from './sick-region.ts';
import { alreadyInAlarm, duplicateStorm, flapping, noRelease, secondSignalMissing } from './signals.ts';
import { previousBadToo, schemaCompatible, schemaMoved } from './way-back.ts';

export const scenarios: readonly Scenario[] = [
  badReleaseAlb, badReleaseDns, badReleaseCodeDeploy, codeDeployInProgress,
  alreadyInAlarm, noRelease, sickDependency, sickRegion, quickestInRegion, sharedAcrossRegions, onlyThisRegion, duplicateStorm, secondSignalMissing, targetUnhealthy, permissionMissing,
  stillSick, changedBySomeoneElse, flapping, manual, dryRun, shadow, noAlarmSeesIt, nobodyKnowsWhy, sickCanary,
  budgetBurns, lowTraffic, anHourLater, ownRollback,
  ecsRelease, lostRelease, lostAlarm, sameBuildAgain,
  previousBadToo, schemaMoved, schemaCompatible,
];

/** @throws Error naming the known scenarios when there is none of that name. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario "${name}"; known: ${scenarios.map((scenario) => scenario.name).join(', ')}`);
  return found;
}
