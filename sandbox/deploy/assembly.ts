// Reads a CDK assembly folder: its stacks in the order of their dependencies, and where each asset lies.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly [other: string]: unknown;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown }; readonly Condition?: string }>>;
}

export interface StackArtifact {
  readonly id: string;
  readonly stackName: string;
  readonly template: Template;
  /** Object key in the asset bucket to the file or folder that would be uploaded. */
  readonly assets: ReadonlyMap<string, string>;
  readonly dependencies: readonly string[];
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, {
    readonly type: string;
    readonly dependencies?: readonly string[];
    readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string; readonly directoryName?: string };
  }>>;
}

interface AssetManifest {
  readonly files?: Readonly<Record<string, { readonly source: { readonly path?: string }; readonly destinations: Readonly<Record<string, { readonly objectKey: string }>> }>>;
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** @throws Error when the folder is no CDK assembly. */
export function readAssembly(directory: string): StackArtifact[] {
  const file = path.join(directory, 'manifest.json');
  if (!existsSync(file)) throw new Error(`${directory} is no CDK assembly: it has no manifest.json (run \`npx cdk synth\`)`);
  const { artifacts = {} } = readJson(file) as Manifest;
  const stacks = Object.entries(artifacts).flatMap(([id, artifact]): StackArtifact[] => {
    const { templateFile, stackName = id, directoryName } = artifact.properties ?? {};
    if (artifact.type === 'cdk:cloud-assembly' && directoryName !== undefined) return readAssembly(path.join(directory, directoryName));
    if (artifact.type !== 'aws:cloudformation:stack' || templateFile === undefined) return [];
    const dependencies = artifact.dependencies ?? [];
    const template = readJson(path.join(directory, templateFile)) as Template;
    return [{ id, stackName, template, dependencies, assets: assetsOf(directory, artifacts, dependencies) }];
  });
  return inOrder(stacks);
}

function assetsOf(directory: string, artifacts: NonNullable<Manifest['artifacts']>, dependencies: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const id of dependencies) {
    const artifact = artifacts[id];
    if (artifact?.type !== 'cdk:asset-manifest') continue;
    const { files = {} } = readJson(path.join(directory, artifact.properties?.file ?? '')) as AssetManifest;
    for (const { source, destinations } of Object.values(files))
      for (const { objectKey } of Object.values(destinations)) if (source.path !== undefined) found.set(objectKey, path.resolve(directory, source.path));
  }
  return found;
}

function inOrder(stacks: readonly StackArtifact[]): StackArtifact[] {
  const ordered: StackArtifact[] = [];
  const visit = (stack: StackArtifact): void => {
    if (ordered.includes(stack)) return;
    for (const id of stack.dependencies) {
      const before = stacks.find((one) => one.id === id);
      if (before !== undefined) visit(before);
    }
    ordered.push(stack);
  };
  for (const stack of stacks) visit(stack);
  return ordered;
}
