// Lambda deployments: the alias's weights move from the current to the target version.
import { AwsError } from '../../aws/world.ts';
import type { LambdaAliases } from '../lambda/aliases.ts';
import { shiftSteps } from './deployment-configs.ts';
import { DeploymentFailed, lifecycle, type DeploymentRun, type Platform } from './platform.ts';
import { lambdaAppSpec, type LambdaAppSpec } from './revisions.ts';

const events = ['BeforeAllowTraffic', 'AllowTraffic', 'AfterAllowTraffic'];

export class LambdaPlatform implements Platform {
  readonly computePlatform = 'Lambda';
  readonly #aliases: LambdaAliases;
  /** Deployment to the alias and the version that it found there. */
  readonly #originals = new Map<string, LambdaAppSpec>();

  constructor(aliases: LambdaAliases) {
    this.#aliases = aliases;
  }

  async deploy(run: DeploymentRun): Promise<void> {
    const original = run.undoes === null ? undefined : this.#originals.get(run.undoes);
    if (original === undefined) await this.#shift(run, this.#checked(lambdaAppSpec(run.revision)));
    else await this.#restore(run, original);
  }

  #checked(spec: LambdaAppSpec): LambdaAppSpec {
    const { functionName, alias: aliasName, currentVersion, targetVersion } = spec;
    try {
      const alias = this.#aliases.alias(functionName, aliasName);
      this.#aliases.version(functionName, targetVersion);
      if (Object.keys(alias.weights).length > 0) throw new DeploymentFailed('INVALID_LAMBDA_CONFIGURATION', `The alias ${aliasName} of ${functionName} points to two versions: clear its weights before the next deployment.`);
      if (alias.functionVersion !== currentVersion) throw new DeploymentFailed('INVALID_LAMBDA_CONFIGURATION', `The CurrentVersion ${currentVersion} in the AppSpec file is not the version ${alias.functionVersion} of the alias ${aliasName}.`);
    } catch (error) {
      if (error instanceof AwsError) throw new DeploymentFailed('INVALID_LAMBDA_FUNCTION', error.message);
      throw error;
    }
    return spec;
  }

  async #shift(run: DeploymentRun, spec: LambdaAppSpec): Promise<void> {
    const { functionName, alias, currentVersion, targetVersion } = spec;
    this.#originals.set(run.deploymentId, spec);
    this.#show(run, { spec, percent: 0, done: 0 });
    for (const { percent, waitMilliseconds } of shiftSteps(run.traffic)) {
      await run.wait(1000);
      if (percent >= 100 || currentVersion === targetVersion) this.#aliases.updateAlias(functionName, alias, { FunctionVersion: targetVersion, RoutingConfig: { AdditionalVersionWeights: {} } });
      else this.#aliases.updateAlias(functionName, alias, { RoutingConfig: { AdditionalVersionWeights: { [targetVersion]: percent / 100 } } });
      this.#show(run, { spec, percent, done: 1 });
      await run.wait(waitMilliseconds);
    }
    this.#show(run, { spec, percent: 100, done: events.length });
  }

  async #restore(run: DeploymentRun, { functionName, alias, currentVersion, targetVersion }: LambdaAppSpec): Promise<void> {
    await run.wait(1000);
    this.#aliases.updateAlias(functionName, alias, { FunctionVersion: currentVersion, RoutingConfig: { AdditionalVersionWeights: {} } });
    this.#show(run, { spec: { functionName, alias, currentVersion: targetVersion, targetVersion: currentVersion }, percent: 100, done: events.length });
  }

  #show(run: DeploymentRun, { spec, percent, done }: { spec: LambdaAppSpec; percent: number; done: number }): void {
    const { functionName, alias, currentVersion, targetVersion } = spec;
    run.show([{
      deploymentTargetType: 'LambdaTarget',
      lambdaTarget: {
        deploymentId: run.deploymentId, targetId: `${functionName}:${alias}`, targetArn: `${this.#aliases.arn(functionName)}:${alias}`, status: done === events.length ? 'Succeeded' : 'InProgress',
        lastUpdatedAt: new Date(run.now()), lifecycleEvents: lifecycle(events, done, 'InProgress'),
        lambdaFunctionInfo: { functionName, functionAlias: alias, currentVersion, targetVersion, targetVersionWeight: percent / 100 },
      },
    }]);
  }
}
