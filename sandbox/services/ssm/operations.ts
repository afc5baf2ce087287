// SSM operations on parameters.
import type {
  DeleteParameterRequest, GetParameterHistoryRequest, GetParameterHistoryResult, GetParameterRequest, GetParameterResult, GetParametersByPathRequest,
  GetParametersByPathResult, GetParametersRequest, GetParametersResult, Parameter, ParameterHistory, PutParameterRequest, PutParameterResult,
} from '@aws-sdk/client-ssm';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { ParameterStore, ParameterVersion } from './parameter-store.ts';

export const getParameter = (store: ParameterStore): Operation<GetParameterRequest, GetParameterResult> => ({
  mutating: false,
  authorize: ({ Name }) => [{ action: 'ssm:GetParameter', resources: [arnOf(store, Name)] }],
  run: ({ Name, WithDecryption }) => ({ Parameter: present(store, Name ?? '', WithDecryption) }),
});

export const getParameters = (store: ParameterStore): Operation<GetParametersRequest, GetParametersResult> => ({
  mutating: false,
  authorize: ({ Names }) => [{ action: 'ssm:GetParameters', resources: (Names ?? []).map((name) => arnOf(store, name)) }],
  run: ({ Names, WithDecryption }) => {
    if ((Names ?? []).length > 10) throw tooMany('names', 10);
    const found: Parameter[] = [];
    const invalid: string[] = [];
    for (const name of Names ?? []) {
      try {
        found.push(present(store, name, WithDecryption));
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        invalid.push(name);
      }
    }
    return { Parameters: found, InvalidParameters: invalid };
  },
});

export const getParametersByPath = (store: ParameterStore): Operation<GetParametersByPathRequest, GetParametersByPathResult> => ({
  mutating: false,
  authorize: ({ Path }) => [{ action: 'ssm:GetParametersByPath', resources: [store.arn((Path ?? '').replace(/(?<=.)\/$/, ''))] }],
  run: ({ Path, Recursive, WithDecryption, MaxResults, NextToken, ParameterFilters }) => {
    if ((ParameterFilters ?? []).length > 0) throw new AwsError('SandboxUnsupported', 'the sandbox does not support ParameterFilters', { status: 501 });
    if ((MaxResults ?? 10) > 10) throw tooMany('maxResults', 10);
    const page = pageOf(store.below(Path ?? '', Recursive === true), NextToken, MaxResults ?? 10);
    return { Parameters: page.items.map((version) => parameterOf(store, version, WithDecryption)), ...page.next };
  },
});

export const getParameterHistory = (store: ParameterStore): Operation<GetParameterHistoryRequest, GetParameterHistoryResult> => ({
  mutating: false,
  authorize: ({ Name }) => [{ action: 'ssm:GetParameterHistory', resources: [arnOf(store, Name)] }],
  run: ({ Name, WithDecryption, MaxResults, NextToken }) => {
    const page = pageOf(store.history(Name ?? ''), NextToken, MaxResults ?? 50);
    return { Parameters: page.items.map((version) => historyOf(version, WithDecryption)), ...page.next };
  },
});

export const putParameter = (store: ParameterStore): Operation<PutParameterRequest, PutParameterResult> => ({
  mutating: true,
  authorize: ({ Name, Overwrite }) => [
    { action: 'ssm:PutParameter', resources: [arnOf(store, Name)], context: { 'ssm:Overwrite': String(Overwrite === true) } },
  ],
  run: (input, { caller }) => {
    const version = store.put({
      name: input.Name ?? '',
      value: input.Value ?? '',
      by: caller.arn,
      overwrite: input.Overwrite === true,
      ...(input.Type === undefined ? {} : { type: input.Type }),
      ...(input.Tier === undefined ? {} : { tier: input.Tier }),
      ...(input.Description === undefined ? {} : { description: input.Description }),
    });
    return { Version: version.version, Tier: version.tier };
  },
});

export const deleteParameter = (store: ParameterStore): Operation<DeleteParameterRequest, object> => ({
  mutating: true,
  authorize: ({ Name }) => [{ action: 'ssm:DeleteParameter', resources: [arnOf(store, Name)] }],
  run: ({ Name }) => {
    store.delete(Name ?? '');
    return {};
  },
});

function arnOf(store: ParameterStore, reference: string | undefined): string {
  return store.arn(store.parse(reference ?? '').name);
}

function present(store: ParameterStore, reference: string, decrypt: boolean | undefined): Parameter {
  const { selector } = store.parse(reference);
  return { ...parameterOf(store, store.get(reference), decrypt), ...(selector === null ? {} : { Selector: `:${selector}` }) };
}

function parameterOf(store: ParameterStore, version: ParameterVersion, decrypt: boolean | undefined): Parameter {
  const { name, type } = version;
  const common = { Name: name, Type: type, Version: version.version, DataType: 'text' };
  return { ...common, Value: valueOf(version, decrypt), LastModifiedDate: new Date(version.modifiedAt), ARN: store.arn(name) };
}

function historyOf(version: ParameterVersion, decrypt: boolean | undefined): ParameterHistory {
  return {
    Name: version.name,
    Type: version.type,
    Value: valueOf(version, decrypt),
    Version: version.version,
    LastModifiedDate: new Date(version.modifiedAt),
    LastModifiedUser: version.modifiedBy,
    Labels: [...version.labels],
    Tier: version.tier,
    Policies: [],
    DataType: 'text',
    ...(version.description === null ? {} : { Description: version.description }),
  };
}

function valueOf(version: ParameterVersion, decrypt: boolean | undefined): string {
  return version.type === 'SecureString' && decrypt !== true ? `AQICAH${Buffer.from(`sandbox-encrypted ${version.name}`).toString('base64')}` : version.value;
}

function pageOf<T>(items: readonly T[], token: string | undefined, size: number): { items: readonly T[]; next: { NextToken?: string } } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidNextToken', 'The specified token is not valid.');
  const end = start + size;
  return { items: items.slice(start, end), next: end < items.length ? { NextToken: String(end) } : {} };
}

function tooMany(member: string, most: number): AwsError {
  return new AwsError('ValidationException', `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${most}`);
}
