// Between the test files that share a worker: each begins with modules of its own and the environment of the first. Only packages stay loaded, which is what takes long.
import { afterAll, vi } from 'vitest';

const environment = { ...process.env };

vi.resetModules();

// Registered before any hook of the file, so the last to run.
afterAll(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});
