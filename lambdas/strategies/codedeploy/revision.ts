// Reads, compares and makes CodeDeploy revisions: what a deployment deploys, for each of the three platforms.
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../domain/vocabulary.ts';
import type { CodeDeployTarget } from './manifest.ts';

/** A RevisionLocation with the API's own names. */
export type Revision = JsonObject & {
  readonly revisionType?: string;
  readonly s3Location?: { readonly bucket?: string; readonly key?: string; readonly bundleType?: string; readonly version?: string; readonly eTag?: string };
  readonly gitHubLocation?: { readonly repository?: string; readonly commitId?: string };
  readonly appSpecContent?: { readonly content?: string; readonly sha256?: string };
  readonly string?: { readonly content?: string; readonly sha256?: string };
};

export type Platform = CodeDeployTarget['platform'];

export type Container = { readonly name: string; readonly port: number };

const appSpecOf = (revision: Revision | null): string | null => revision?.appSpecContent?.content ?? revision?.string?.content ?? null;

/** One scalar of an AppSpec; JSON and YAML write it alike up to quotes and commas, so no parser is needed. */
function scalar(appSpec: string | null, key: string): string | null {
  const found = appSpec?.match(new RegExp(`(?:^|[\\s{,\\-])["']?${key}["']?\\s*:\\s*(?:"([^"]*)"|'([^']*)'|([^\\s,}"'#]+))`));
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
}

/** Lambda version, ECS task definition, or for servers the revision's address. Null when the revision does not say. */
export function versionIn(platform: Platform, revision: Revision | null): string | null {
  if (revision === null) return null;
  if (platform === 'Lambda') return scalar(appSpecOf(revision), 'TargetVersion');
  if (platform === 'ECS') return scalar(appSpecOf(revision), 'TaskDefinition');
  const { s3Location: s3, gitHubLocation: gitHub } = revision;
  if (s3 !== undefined) return `s3://${s3.bucket}/${s3.key}${s3.version === undefined ? '' : `?versionId=${s3.version}`}${s3.eTag === undefined ? '' : `#${s3.eTag.replaceAll('"', '')}`}`;
  return gitHub === undefined ? null : `github:${gitHub.repository}@${gitHub.commitId}`;
}

/** The version a Lambda deployment shifts away from: where its own rollback returns to. */
export const currentVersionIn = (revision: Revision | null): string | null => scalar(appSpecOf(revision), 'CurrentVersion');

export function containerIn(revision: Revision | null): Container | null {
  const [name, port] = [scalar(appSpecOf(revision), 'ContainerName'), Number(scalar(appSpecOf(revision), 'ContainerPort') ?? Number.NaN)];
  return name === null || !Number.isInteger(port) ? null : { name, port };
}

/** A task definition may be written as ARN or as `family:revision`. An S3 object may be named with or without its entity tag. */
export function sameVersion(platform: Platform, one: string | null, other: string | null): boolean {
  if (one === null || other === null) return false;
  if (platform === 'Lambda') return one === other;
  if (platform === 'ECS') return one.slice(one.lastIndexOf('/') + 1) === other.slice(other.lastIndexOf('/') + 1);
  const [address, tag] = one.split('#');
  const [otherAddress, otherTag] = other.split('#');
  return address === otherAddress && (tag === undefined || otherTag === undefined || tag === otherTag);
}

/** What a redeploy of the good version sends. Validation hooks are left out: a rollback is proven by its own journeys, and cannot wait for a hook's hour. */
export function revisionFor(target: CodeDeployTarget, good: { readonly version: string; readonly revision: Revision | null }, now: { readonly live: string; readonly container: Container | null }): Revision | null {
  if (target.platform === 'Server') return good.revision;
  if (target.platform === 'Lambda')
    return fromAppSpec({
      version: '0.0',
      Resources: [{ [target.functionName]: {
        Type: 'AWS::Lambda::Function',
        // An old AppSpec names an older current version, and CodeDeploy refuses one that is not the alias's.
        Properties: { Name: target.functionName, Alias: target.alias, CurrentVersion: now.live, TargetVersion: good.version },
      } }],
    });
  const container = containerIn(good.revision) ?? now.container;
  if (container === null) return null;
  return fromAppSpec({
    version: '0.0',
    Resources: [{ TargetService: {
      Type: 'AWS::ECS::Service',
      Properties: { ...propertiesIn(good.revision), TaskDefinition: good.version, LoadBalancerInfo: { ContainerName: container.name, ContainerPort: container.port } },
    } }],
  });
}

/** Platform version, network and capacity provider of a JSON AppSpec; a YAML one is not parsed, and ECS then keeps the service's own. */
function propertiesIn(revision: Revision | null): JsonObject {
  try {
    const parsed = JSON.parse(appSpecOf(revision) ?? '') as { Resources?: { TargetService?: { Properties?: JsonObject } }[] };
    return parsed.Resources?.[0]?.TargetService?.Properties ?? {};
  } catch {
    return {};
  }
}

function fromAppSpec(appSpec: JsonObject): Revision {
  const content = JSON.stringify(appSpec);
  return { revisionType: 'AppSpecContent', appSpecContent: { content, sha256: createHash('sha256').update(content, 'utf8').digest('hex') } };
}
