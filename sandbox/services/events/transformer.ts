// What a rule's target gets: the whole event, a part of it, a constant, or a template with values of the event.
import type { AwsEvent } from '../../aws/world.ts';

/** The input settings of one target; at most one may be set. */
export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: { readonly InputPathsMap?: Readonly<Record<string, string>>; readonly InputTemplate: string };
}

interface Occasion {
  readonly event: AwsEvent;
  readonly rule: { readonly arn: string; readonly name: string };
  /** ISO 8601 */
  readonly ingestedAt: string;
}

const reserved = ['aws.events.rule-arn', 'aws.events.rule-name', 'aws.events.event', 'aws.events.event.json', 'aws.events.event.ingestion-time'];
const path = /^\$(\.[\w-]+|\[\d+\])*$/;

/** @throws Error when a setting is not one that EventBridge or this sandbox takes. */
export function checkTargetInput(input: TargetInput): void {
  if ([input.Input, input.InputPath, input.InputTransformer].filter((one) => one !== undefined).length > 1) throw new Error('only one of Input, InputPath and InputTransformer may be set');
  if (input.Input !== undefined) JSON.parse(input.Input);
  if (input.InputPath !== undefined) checkPath(input.InputPath);
  const { InputPathsMap = {}, InputTemplate } = input.InputTransformer ?? {};
  if (InputTemplate === undefined) return;
  if (InputTemplate.length > 8192) throw new Error('an InputTemplate has at most 8192 characters');
  if (Object.keys(InputPathsMap).length > 100) throw new Error('an InputPathsMap has at most 100 entries');
  for (const [name, one] of Object.entries(InputPathsMap)) {
    if (name.startsWith('AWS')) throw new Error(`InputPathsMap key ${name}: keys may not begin with AWS`);
    checkPath(one);
  }
  for (const [, name = ''] of InputTemplate.matchAll(/<([^<>\s]+)>/g))
    if (!Object.hasOwn(InputPathsMap, name) && !reserved.includes(name)) throw new Error(`InputTemplate uses <${name}>, which InputPathsMap does not have`);
}

function checkPath(text: string): void {
  if (!path.test(text)) throw new Error(`JSON path ${text} is not supported: dots and list indices only`);
}

/** The text that the target is given. */
export function targetPayload(input: TargetInput, occasion: Occasion): string {
  if (input.Input !== undefined) return input.Input;
  if (input.InputPath !== undefined) return JSON.stringify(follow(occasion.event, input.InputPath) ?? {});
  if (input.InputTransformer === undefined) return JSON.stringify(occasion.event);
  return transform(input.InputTransformer, occasion);
}

function transform({ InputPathsMap = {}, InputTemplate }: NonNullable<TargetInput['InputTransformer']>, { event, rule, ingestedAt }: Occasion): string {
  const { detail: _detail, ...withoutDetail } = event;
  const values: Record<string, unknown> = {
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    // AWS: `event` comes without its detail, `event.json` is whole.
    'aws.events.event': withoutDetail,
    'aws.events.event.json': event,
    'aws.events.event.ingestion-time': ingestedAt,
    ...Object.fromEntries(Object.entries(InputPathsMap).map(([name, one]) => [name, follow(event, one)])),
  };
  let quoted = false;
  return InputTemplate.replace(/\\.|"|<([^<>\s]+)>/g, (found, name: string | undefined) => {
    if (found === '"') quoted = !quoted;
    if (name === undefined) return found;
    const value = values[name];
    if (!quoted) return JSON.stringify(value ?? null);
    const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}

function follow(value: unknown, text: string): unknown {
  const steps = [...text.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? index ?? '');
  return steps.reduce<unknown>((current, step) => (typeof current === 'object' && current !== null ? (current as Record<string, unknown>)[step] : undefined), value);
}
