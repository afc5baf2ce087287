// Preloaded into every function's process: makes `Date` tell sandbox time.
// Timers and `performance` stay real, as the work they measure is real; while functions work, sandbox time passes as real time does.
// Where sandbox time is held, `performance` goes in whole seconds of the invocation: what measures milliseconds finds the same on each run, and what waits for some seconds comes to its end.
const RealDate = globalThis.Date;
const realNow = performance.now.bind(performance);
let told = Number(new URL(import.meta.url).searchParams.get('now'));
let toldAt = realNow();
let isHeld = false;
const now = () => Math.floor(isHeld ? told : told + realNow() - toldAt);

/** The runtime calls it with each invocation: time went faster while the process slept. Held time stays as it is told. */
globalThis[Symbol.for('sandbox.tellTime')] = (milliseconds, held) => {
  told = milliseconds;
  isHeld = held;
  toldAt = realNow();
};

performance.now = () => (isHeld ? toldAt + Math.floor((realNow() - toldAt) / 1000) * 1000 : realNow());

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
});
// `date.constructor` must be the Date that code compares with.
RealDate.prototype.constructor = globalThis.Date;
