// Entry of the CDK CLI: `cdk synth`, `cdk deploy`; `-c config=<path>` chooses another configuration than services.yaml.
import { App } from 'aws-cdk-lib';
import { buildApp } from '../lib/app.ts';

try {
  const chosen: unknown = new App().node.tryGetContext('config');
  buildApp(typeof chosen === 'string' ? chosen : 'services.yaml').synth();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
