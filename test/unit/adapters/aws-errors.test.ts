// Errors of AWS come in two spellings and many names; here is what each means to Ripcord.
import { describe, expect, it } from 'vitest';
import { AwsCallError, awsErrorOf, calling } from '../../../lambdas/adapters/aws-errors.ts';

const named = (name: string, fields: object = {}): Error => Object.assign(new Error('said'), { name }, fields);

describe('an error of AWS', () => {
  it.each([
    ['Throttling', 'throttled'], ['ThrottlingException', 'throttled'], ['PriorRequestNotComplete', 'throttled'], ['TooManyRequestsException', 'throttled'],
    ['AccessDenied', 'denied'], ['AccessDeniedException', 'denied'], ['UnauthorizedOperation', 'denied'],
    ['RuleNotFound', 'gone'], ['RuleNotFoundException', 'gone'], ['NoSuchHostedZone', 'gone'], ['DeploymentDoesNotExistException', 'gone'], ['ResourceNotFoundException', 'gone'],
    ['DeploymentLimitExceededException', 'conflicting'], ['DeploymentAlreadyCompletedException', 'conflicting'], ['PreconditionFailedException', 'conflicting'],
    ['InvalidChangeBatch', 'invalid'], ['ValidationError', 'invalid'], ['InvalidConfigurationRequestException', 'invalid'], ['TooManyUniqueTargetGroupsPerLoadBalancer', 'invalid'],
    ['ClientException', 'invalid'],
    ['ServiceException', 'unavailable'], ['ServerException', 'unavailable'], ['TimeoutError', 'unavailable'], ['InternalFailure', 'unavailable'],
    ['NobodyKnows', 'unknown'],
  ])('named %s is %s', (name, fault) => {
    expect(awsErrorOf(named(name), 'x:Call')).toMatchObject({ fault, awsCode: name.replace(/Exception$/, ''), action: 'x:Call' });
  });

  it('is known by its HTTP status when its name says nothing', () => {
    expect(awsErrorOf(named('Odd', { $metadata: { httpStatusCode: 503 } }), 'x:Call')).toMatchObject({ fault: 'unavailable' });
    expect(awsErrorOf(named('Odd', { $metadata: { httpStatusCode: 429 } }), 'x:Call')).toMatchObject({ fault: 'throttled' });
  });

  it('is known by the socket that broke, on one address or on both', () => {
    expect(awsErrorOf(named('Error', { code: 'ECONNRESET' }), 'x:Call')).toMatchObject({ fault: 'unavailable' });
    expect(awsErrorOf(named('AggregateError', { code: 'ECONNREFUSED' }), 'x:Call')).toMatchObject({ fault: 'unavailable' });
  });

  it('has the name that the workflow retries only when a retry can help', () => {
    expect(awsErrorOf(named('Throttling'), 'x:Call').name).toBe('Retryable');
    expect(awsErrorOf(named('TimeoutError'), 'x:Call').name).toBe('Retryable');
    expect(awsErrorOf(named('AccessDenied'), 'x:Call').name).toBe('Stopped');
  });

  it('names the call and keeps the original', async () => {
    const original = named('AccessDenied');
    const failure = await calling('route53:GetChange', Promise.reject(original)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AwsCallError);
    expect(failure).toMatchObject({ cause: original, message: expect.stringContaining('route53:GetChange was denied') as string });
  });

  it('is not made of a bug of ours', () => {
    const bug = new TypeError('undefined is not a function');
    expect(awsErrorOf(bug, 'x:Call')).toBe(bug);
  });
});
