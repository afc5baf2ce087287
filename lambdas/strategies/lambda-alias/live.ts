// Reads and writes a Lambda alias, with its revision id as the precondition of the write.
import { type AliasConfiguration, GetAliasCommand, GetFunctionConfigurationCommand, type LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import { lambdaClient } from '../../runtime/wiring.ts';
import type { Capture, Change, Confirmation, ConfirmQuestion, Known, Made, Strategy } from '../strategy.ts';
import { type LambdaAliasTarget, manifest } from './manifest.ts';
import { describe, type LambdaAliasFacts, type LambdaAliasState, plan, sameState, served, stateIn } from './plan.ts';
import { way } from './way.ts';

export interface Clients {
  readonly lambda: () => LambdaClient;
}

/** A read may lag behind the write for a moment; after this many seconds the old version is somebody's doing. */
const settlingSeconds = 30;

export function createStrategy(clients: Clients): Strategy<LambdaAliasTarget, LambdaAliasState> {
  let client: LambdaClient | undefined;
  const lambda = (): LambdaClient => (client ??= clients.lambda());
  return {
    manifest,
    way,
    plan,
    capture: (target, known) => capture(lambda(), target, known),
    apply: (change) => apply(lambda(), change),
    confirm: async (question) => confirmed(question, stateOf(await readAlias(lambda(), question.target))),
  };
}

export const strategy = createStrategy({ lambda: lambdaClient });

async function capture(lambda: LambdaClient, target: LambdaAliasTarget, known: Known<LambdaAliasState> | null): Promise<Capture<LambdaAliasState>> {
  const good = stateIn(known?.good?.state ?? null);
  const wanted = good === null ? [] : [good.version, ...Object.keys(good.weights)];
  const [alias, problems] = await Promise.all([
    readAlias(lambda, target),
    Promise.all(wanted.map(async (version) => [version, await problemWith(lambda, target, version)] as const)),
  ]);
  const facts: LambdaAliasFacts = { revisionId: alias.RevisionId ?? null, destinations: Object.fromEntries(problems) };
  return { state: stateOf(alias), facts };
}

const readAlias = (lambda: LambdaClient, { functionName, alias }: LambdaAliasTarget): Promise<AliasConfiguration> =>
  calling('lambda:GetAlias', lambda.send(new GetAliasCommand({ FunctionName: functionName, Name: alias })));

function stateOf({ FunctionVersion, RoutingConfig }: AliasConfiguration): LambdaAliasState {
  if (FunctionVersion === undefined) throw new AwsCallError('unknown', { action: 'lambda:GetAlias', awsCode: 'Empty', text: 'answered without a version' }, null);
  return { version: FunctionVersion, weights: served(RoutingConfig?.AdditionalVersionWeights ?? {}) };
}

/** A changed revision id is a conflict: the caller then reads and plans once more, and finds its own work or somebody else's. */
async function apply(lambda: LambdaClient, { target, to, live }: Change<LambdaAliasTarget, LambdaAliasState>): Promise<Made> {
  const { revisionId } = live.facts as LambdaAliasFacts;
  await calling('lambda:UpdateAlias', lambda.send(new UpdateAliasCommand({
    FunctionName: target.functionName, Name: target.alias, FunctionVersion: to.version,
    // Left out, the weights of a canary would stay; an empty map clears them.
    RoutingConfig: { AdditionalVersionWeights: { ...to.weights } },
    ...(revisionId === null ? {} : { RevisionId: revisionId }),
  })));
  return { handle: null, confirmAfterSeconds: 2 };
}

function confirmed({ from, to, appliedAt, now }: ConfirmQuestion<LambdaAliasTarget, LambdaAliasState>, live: LambdaAliasState): Confirmation {
  if (sameState(live, to)) return { answer: 'yes', detail: `The alias is at ${describe(live)}.`, retryAfterSeconds: 0 };
  const age = (Date.parse(now) - Date.parse(appliedAt)) / 1000;
  if (sameState(live, from) && age < settlingSeconds) return { answer: 'not-yet', detail: `The alias is still at ${describe(live)}.`, retryAfterSeconds: 2 };
  return { answer: 'changed-by-someone-else', detail: `Moved the alias to ${describe(to)}, but it is at ${describe(live)} now.`, retryAfterSeconds: 0 };
}

/** Why a version cannot be called; null when it can. */
async function problemWith(lambda: LambdaClient, { functionName }: LambdaAliasTarget, version: string): Promise<string | null> {
  try {
    const { State } = await calling('lambda:GetFunctionConfiguration', lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version })));
    // A version that nobody called for weeks is Inactive and wakes with its first request.
    return State === undefined || State === 'Active' || State === 'Inactive' ? null : `it is ${State}`;
  } catch (error) {
    if (isFault(error, 'gone')) return `it does not exist any more (${error.awsCode})`;
    throw error;
  }
}
