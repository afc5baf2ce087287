// Preloaded into every function's process: makes `Date`, and only `Date`, tell sandbox time.
// Timers and `performance` stay real, as the work they measure is real.
const settings = new URL(import.meta.url).searchParams;
const startedAt = Number(settings.get('startedAt'));
const wallStartedAt = Number(settings.get('wallStartedAt'));
const speed = Number(settings.get('speed'));
const RealDate = globalThis.Date;
const now = () => Math.floor(startedAt + (performance.timeOrigin + performance.now() - wallStartedAt) * speed);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
});
// `date.constructor` must be the Date that code compares with.
RealDate.prototype.constructor = globalThis.Date;
