// SSM on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-ssm';
import type { AwsService } from '../../aws/world.ts';
import { deleteParameter, getParameter, getParameterHistory, getParameters, getParametersByPath, putParameter } from './operations.ts';
import type { ParameterStore } from './parameter-store.ts';

export const ssmService = (store: ParameterStore): AwsService => ({
  signingName: 'ssm',
  iamPrefix: 'ssm',
  schemas,
  operations: {
    GetParameter: getParameter(store),
    GetParameters: getParameters(store),
    GetParametersByPath: getParametersByPath(store),
    GetParameterHistory: getParameterHistory(store),
    PutParameter: putParameter(store),
    DeleteParameter: deleteParameter(store),
  },
});
