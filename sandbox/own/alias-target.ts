// A lambda-alias target of the user's: the function and its alias by name, and a server behind each version.
import { AliasFront } from '../shop/alias-front.ts';
import type { AliasTarget } from './document.ts';
import { newVersion, oldVersion, type Ground, type OwnTarget } from './ground.ts';

export async function createAliasTarget(ground: Ground, id: string, { functionName, alias }: AliasTarget): Promise<OwnTarget> {
  const { aliases, cloudwatch } = ground.sandbox.services;
  ground.publishBoth(functionName);
  aliases.createAlias(functionName, alias, '1');
  const front = new AliasFront({ aliases, functionName, alias, releases: ground.releases, instance: ground.instance, metrics: cloudwatch });
  const port = await front.start();
  return {
    id,
    summary: `alias ${alias} of function ${functionName}; its version 1 is ${oldVersion}, its version 2 ${newVersion}`,
    spreadSeconds: 2,
    url: () => `http://127.0.0.1:${port}`,
    release: async () => void aliases.updateAlias(functionName, alias, { FunctionVersion: '2', RoutingConfig: { AdditionalVersionWeights: {} } }),
    look: () => {
      const { functionVersion, weights } = aliases.alias(functionName, alias);
      const isWhole = Object.keys(weights).length === 0;
      return { isBack: functionVersion === '1' && isWhole, shown: `alias at version ${functionVersion}${isWhole ? '' : `, also ${JSON.stringify(weights)}`}` };
    },
    stop: () => front.stop(),
  };
}
