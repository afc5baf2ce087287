// What the tests of traffic share: a clock that stands still until told, a bus that remembers, and the services wired together.
import { AwsError, type AwsEvent, type EventBusPort, type Place, type SandboxClock } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { CloudWatch } from '../../../sandbox/services/cloudwatch/cloudwatch.ts';
import { CodeDeploy } from '../../../sandbox/services/codedeploy/codedeploy.ts';
import { Ecs } from '../../../sandbox/services/ecs/ecs.ts';
import { LoadBalancing } from '../../../sandbox/services/elbv2/load-balancing.ts';
import { LambdaAliases } from '../../../sandbox/services/lambda/aliases.ts';
import { Route53 } from '../../../sandbox/services/route53/route53.ts';

export const place: Place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' };
export const noon = Date.UTC(2026, 10, 20, 12);
export const minute = 60_000;

/** Time moves only by `advance`; sleeps and beats end in order. */
export class StandingClock implements SandboxClock {
  readonly speed = 1;
  #now: number;
  readonly #due: { at: number; run: () => void }[] = [];

  constructor(start = noon) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#due.push({ at: this.#now + milliseconds, run: resolve }));
  }

  every(milliseconds: number, run: () => void | Promise<void>): () => void {
    let cancelled = false;
    const beat = (): void => {
      if (cancelled) return;
      void run();
      this.#due.push({ at: this.#now + milliseconds, run: beat });
    };
    this.#due.push({ at: this.#now + milliseconds, run: beat });
    return () => {
      cancelled = true;
    };
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class RememberingBus implements EventBusPort {
  readonly events: AwsEvent[] = [];
  readonly #clock: SandboxClock;

  constructor(clock: SandboxClock) {
    this.#clock = clock;
  }

  put(event: Parameters<EventBusPort['put']>[0]): AwsEvent {
    const whole: AwsEvent = {
      version: '0', id: crypto.randomUUID(), account: place.account, region: place.region, time: new Date(this.#clock.now()).toISOString(),
      'detail-type': event['detail-type'], source: event.source, resources: event.resources ?? [], detail: event.detail,
    };
    this.events.push(whole);
    return whole;
  }
}

export interface Rig<Clock extends SandboxClock = SandboxClock> {
  readonly clock: Clock;
  readonly bus: RememberingBus;
  readonly cloudwatch: CloudWatch;
  readonly elb: LoadBalancing;
  readonly route53: Route53;
  readonly aliases: LambdaAliases;
  readonly ecs: Ecs;
  readonly codedeploy: CodeDeploy;
}

export function rigOn<Clock extends SandboxClock>(clock: Clock): Rig<Clock> {
  const bus = new RememberingBus(clock);
  const cloudwatch = new CloudWatch({ place, clock, bus });
  return {
    clock, bus, cloudwatch,
    elb: new LoadBalancing({ place, clock, metrics: cloudwatch }),
    route53: new Route53({ clock }),
    aliases: new LambdaAliases({ place, clock }),
    ecs: new Ecs(place),
    codedeploy: new CodeDeploy({ place, clock, bus, alarmState: (name) => cloudwatch.alarmState(name) }),
  };
}

/** A rig in running time; stop it with `clock.stop()`. */
export const rigAtSpeed = (speed: number): Rig<SpedUpClock> => rigOn(new SpedUpClock({ speed }));

/** The AWS error that the call throws. */
export function refusal(run: () => unknown): AwsError {
  try {
    run();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Waits, in real time, until the condition holds. */
export async function until(condition: () => boolean, what: string, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
