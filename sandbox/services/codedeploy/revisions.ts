// Reads revisions: which artefact an S3 or GitHub location means, and what an AppSpec for Lambda or ECS asks for.
import { createHash } from 'node:crypto';
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import { parse } from 'yaml';
import { AwsError } from '../../aws/world.ts';

export interface LambdaAppSpec {
  readonly functionName: string;
  readonly alias: string;
  readonly currentVersion: string;
  readonly targetVersion: string;
}

const invalid = (why: string): AwsError => new AwsError('InvalidRevisionException', why);

/** Two locations with the same key are the same revision. */
export function revisionKey(revision: RevisionLocation): string {
  const { revisionType, s3Location, gitHubLocation } = revision;
  const { bucket, key, version, eTag } = s3Location ?? {};
  const { repository, commitId } = gitHubLocation ?? {};
  const content = appSpecText(revision);
  return JSON.stringify([revisionType === 'String' ? 'AppSpecContent' : revisionType, bucket, key, version, eTag, repository, commitId, content === null ? null : hashOf(content)]);
}

/** Fills in the hash of an AppSpec. @throws AwsError `InvalidRevisionException`, `RevisionRequiredException`. */
export function acceptedRevision(revision: RevisionLocation | undefined): RevisionLocation {
  if (revision?.revisionType === undefined) throw new AwsError('RevisionRequiredException', 'The revision ID is required, but was not specified.');
  const text = appSpecText(revision);
  if (revision.revisionType === 'S3') {
    if (revision.s3Location?.bucket === undefined || revision.s3Location.key === undefined) throw invalid('An S3 revision needs a bucket and a key');
    return revision;
  }
  if (revision.revisionType === 'GitHub') {
    if (revision.gitHubLocation?.commitId === undefined) throw invalid('A GitHub revision needs a repository and a commit id');
    return revision;
  }
  if (text === null) throw invalid('The AppSpec content is missing');
  const given = revision.appSpecContent?.sha256 ?? revision.string?.sha256;
  if (given !== undefined && given !== hashOf(text)) throw invalid('The sha256 value does not match the content');
  return { revisionType: revision.revisionType, ...(revision.revisionType === 'String' ? { string: { content: text, sha256: hashOf(text) } } : { appSpecContent: { content: text, sha256: hashOf(text) } }) };
}

const appSpecText = ({ appSpecContent, string }: RevisionLocation): string | null => appSpecContent?.content ?? string?.content ?? null;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The artefact's name: the S3 key without folders and ending, or the commit. */
export const artefactName = ({ s3Location, gitHubLocation }: RevisionLocation): string =>
  (s3Location?.key ?? gitHubLocation?.commitId ?? '').split('/').at(-1)?.replace(/\.(?:zip|tar|tgz|tar\.gz)$/, '') ?? '';

/** @throws AwsError `InvalidRevisionException`. */
export function lambdaAppSpec(revision: RevisionLocation): LambdaAppSpec {
  const { Name, Alias, CurrentVersion, TargetVersion } = resource(revision, 'AWS::Lambda::Function');
  if (Name === undefined || Alias === undefined || CurrentVersion === undefined || TargetVersion === undefined) throw invalid('The AppSpec file needs Name, Alias, CurrentVersion and TargetVersion');
  return { functionName: textOf(Name), alias: textOf(Alias), currentVersion: textOf(CurrentVersion), targetVersion: textOf(TargetVersion) };
}

/** @throws AwsError `InvalidRevisionException`. */
export function ecsAppSpec(revision: RevisionLocation): { taskDefinition: string } {
  const { TaskDefinition, LoadBalancerInfo } = resource(revision, 'AWS::ECS::Service');
  if (TaskDefinition === undefined || LoadBalancerInfo === undefined) throw invalid('The AppSpec file needs TaskDefinition and LoadBalancerInfo');
  return { taskDefinition: textOf(TaskDefinition) };
}

const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

function resource(revision: RevisionLocation, type: string): Readonly<Record<string, unknown>> {
  const text = appSpecText(revision);
  if (text === null) throw invalid('An AppSpec is needed');
  const spec = parsed(text);
  const resources = isObject(spec) && Array.isArray(spec['Resources']) ? spec['Resources'] : [];
  const found = resources.flatMap((entry: unknown) => (isObject(entry) ? Object.values(entry) : [])).filter(isObject).find((entry) => entry['Type'] === type);
  const properties = found?.['Properties'];
  if (!isObject(properties)) throw invalid(`The AppSpec file holds no resource of type ${type}`);
  return properties;
}

function parsed(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    throw invalid('The AppSpec file is neither YAML nor JSON');
  }
}
