// Four projects by distance from the code: pure units, strategy contracts on the sandbox, constructs, whole scenarios.
import { defineConfig } from 'vitest/config';

const project = (name: string, timeoutSeconds: number, maxWorkers?: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutSeconds * 1000,
    hookTimeout: timeoutSeconds * 1000,
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
  },
});

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'rules', include: ['test/*.test.ts'], testTimeout: 60_000 } },
      project('unit', 20),
      project('properties', 60),
      project('sandbox', 30),
      project('contract', 60),
      project('construct', 120),
      project('e2e', 120, 2),
    ],
  },
});
