// An ssm-parameter target of the user's: the parameter under its own name, and a server that reads it as an application does.
import { ShopInstance } from '../shop/server.ts';
import type { ParameterTarget } from './document.ts';
import { newVersion, oldVersion, type Ground, type OwnTarget } from './ground.ts';

const pipeline = 'arn:aws:iam::111122223333:role/pipeline';

export async function createParameterTarget(ground: Ground, id: string, target: ParameterTarget): Promise<OwnTarget> {
  const made = new OwnParameter(ground, id, target);
  await made.start();
  return made;
}

class OwnParameter implements OwnTarget {
  readonly id: string;
  readonly summary: string;
  readonly spreadSeconds = 2;
  readonly #ground: Ground;
  readonly #name: string;
  readonly #values: { readonly old: string; readonly fresh: string };
  readonly #instances: { readonly old: ShopInstance; readonly fresh: ShopInstance };

  constructor(ground: Ground, id: string, { parameter, good }: ParameterTarget) {
    this.id = id;
    this.#ground = ground;
    // The ARN of a parameter without a slash looks like that of one with it: the usual kind is taken.
    this.#name = parameter.replace(/^arn:[^/]*:parameter(?=\/)/, '');
    const old = typeof good === 'object' ? good.value : `as of ${oldVersion}`;
    this.#values = { old, fresh: `as of ${newVersion}` };
    this.#instances = { old: new ShopInstance(ground.old, ground.instance), fresh: new ShopInstance(ground.fresh, ground.instance) };
    this.summary = `parameter ${this.#name}; with ${old.length > 40 ? 'its good value' : JSON.stringify(old)} ${oldVersion} answers, with any other value ${newVersion}; the release sets ${JSON.stringify(this.#values.fresh)}`;
  }

  async start(): Promise<void> {
    this.#write(this.#values.old);
    await Promise.all([this.#instances.old.start(), this.#instances.fresh.start()]);
  }

  /** The flag decides, as it stands at each request. */
  url(): string {
    return `http://127.0.0.1:${(this.#value() === this.#values.old ? this.#instances.old : this.#instances.fresh).port}`;
  }

  async release(): Promise<void> {
    this.#write(this.#values.fresh);
  }

  look(): { isBack: boolean; shown: string } {
    const value = this.#value();
    return { isBack: value === this.#values.old, shown: `${this.#name} is ${value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value)}` };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#instances.old.stop(), this.#instances.fresh.stop()]);
  }

  #value(): string {
    return this.#ground.sandbox.services.parameters.get(this.#name).value;
  }

  #write(value: string): void {
    this.#ground.sandbox.services.parameters.put({ name: this.#name, value, type: 'String', tier: 'Advanced', overwrite: true, by: pipeline });
  }
}
