// Test projects by distance from the code: house rules, pure units, properties, the sandbox itself, strategy contracts, constructs, whole scenarios.
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.ts';
import { LongFilesFirst } from './test/long-files-first.ts';

/** It measures its own process, where nothing else may have been before. */
const alone = 'test/unit/storm-memory.test.ts';

const project = (name: string, timeoutSeconds: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    exclude: [alone],
    testTimeout: timeoutSeconds * 1000,
    hookTimeout: timeoutSeconds * 1000,
  },
});

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    // More than two cores: the end-to-end tests mostly wait.
    maxWorkers: 5,
    // The tests read the SDK's wire schemas; which Node it will support next year is not their subject.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    // Each file in a process of its own would load the CDK and the SDK again.
    isolate: false,
    setupFiles: 'test/fresh-modules.ts',
    globalSetup: 'test/bundles-once.ts',
    sequence: { sequencer: LongFilesFirst },
    reporters: ['default', new ClosingLineReporter()],
    projects: [
      { extends: true, test: { name: 'rules', include: ['test/*.test.ts'], testTimeout: 60_000 } },
      project('unit', 20),
      { extends: true, test: { name: 'memory', include: [alone], isolate: true } },
      // More cases take more time: `npm run properties`.
      project('properties', 60 * Math.max(1, Number(process.env['PROPERTY_TIMES'] ?? 1))),
      project('sandbox', 90),
      project('contract', 60),
      project('construct', 120),
      project('e2e', 240),
    ],
  },
});
