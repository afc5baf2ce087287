// The handlers by name, and how long each may run; a task of the workflow always waits a little longer than its function.

/** Seconds a function may run. Verify is the only one that waits for other people's servers. */
export const handlerTimeoutSeconds = {
  assess: 30,
  verify: 240,
  approve: 30,
  answer: 29,
  announce: 30,
  report: 60,
  watch: 60,
  watchdog: 60,
  label: 30,
  // Ends by itself before that, and goes on five minutes later.
  poll: 240,
} as const;

export type HandlerName = keyof typeof handlerTimeoutSeconds;

export const handlerNames = Object.keys(handlerTimeoutSeconds) as readonly HandlerName[];

/** Seconds a strategy's function may run: a handful of API calls with their retries. */
export const strategyTimeoutSeconds = 60;
