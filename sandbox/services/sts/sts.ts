// STS for the sandbox: who am I.
import * as schemas from '@aws-sdk/client-sts';
import type { GetCallerIdentityRequest, GetCallerIdentityResponse } from '@aws-sdk/client-sts';
import type { AwsService, Operation } from '../../aws/world.ts';

// AWS answers this whatever the policies say, so nothing is authorized.
const getCallerIdentity: Operation<GetCallerIdentityRequest, GetCallerIdentityResponse> = {
  mutating: false,
  authorize: () => [],
  run: (_input, { caller, place }) => {
    if (caller.kind === 'role') return { Account: place.account, Arn: caller.arn, UserId: `AROASANDBOX:${caller.sessionName}` };
    if (caller.kind === 'user') return { Account: place.account, Arn: caller.arn, UserId: 'AIDASANDBOX' };
    return { Account: place.account, Arn: caller.arn, UserId: place.account };
  },
};

export const stsService: AwsService = { signingName: 'sts', iamPrefix: 'sts', schemas, inEveryRegion: 'all', operations: { GetCallerIdentity: getCallerIdentity } };
