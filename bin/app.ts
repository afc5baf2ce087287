// Entry of the CDK CLI: `cdk synth`, `cdk deploy`; `-c config=<path>` chooses another configuration than services.yaml.
import { buildApp } from '../lib/app.ts';

try {
  buildApp().synth();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
