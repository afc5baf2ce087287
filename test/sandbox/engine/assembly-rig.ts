// Writes small CDK assemblies by hand into a temporary folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type Resources = Record<string, { Type: string; Properties?: object; DependsOn?: string; Condition?: string }>;

const packageFile = path.resolve(import.meta.dirname, '../../../package.json');
/** First line of a handler that needs an SDK client: a bundle would hold it. */
export const requireFromRepository = `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(packageFile)});`;

export class AssemblyRig {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'assembly-'));
  readonly #artifacts: Record<string, unknown> = {};
  readonly #files: Record<string, unknown> = {};

  /** Adds a function's code as an asset; returns its Code property. */
  code(name: string, source: string): { S3Bucket: string; S3Key: string } {
    const folder = `asset.${name}`;
    mkdirSync(path.join(this.directory, folder), { recursive: true });
    writeFileSync(path.join(this.directory, folder, 'index.mjs'), source);
    this.#files[name] = { source: { path: folder, packaging: 'zip' }, destinations: { current: { bucketName: 'assets', objectKey: `${name}.zip` } } };
    return { S3Bucket: 'assets', S3Key: `${name}.zip` };
  }

  stack(stackName: string, template: object, dependencies: readonly string[] = []): this {
    writeFileSync(path.join(this.directory, `${stackName}.template.json`), JSON.stringify(template));
    this.#artifacts[`${stackName}.assets`] = { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } };
    this.#artifacts[stackName] = { type: 'aws:cloudformation:stack', properties: { templateFile: `${stackName}.template.json`, stackName }, dependencies: [`${stackName}.assets`, ...dependencies] };
    writeFileSync(path.join(this.directory, 'assets.json'), JSON.stringify({ files: this.#files }));
    writeFileSync(path.join(this.directory, 'manifest.json'), JSON.stringify({ artifacts: this.#artifacts }));
    return this;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** A role that the service may take, with these actions on these resources. */
export const role = (service: string, statements: readonly { Action: unknown; Resource: unknown }[] = []): Resources[string] => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] },
    Policies: statements.length === 0 ? [] : [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) } }],
  },
});
