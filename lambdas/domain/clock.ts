// The one place where product code learns the time, so that tests and the sandbox can set it.

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
