// A name for each AWS call of a run that is the same in each run: `assess/dynamodb:UpdateItem.LOCK#1`.
import type { Principal } from '../aws/world.ts';
import type { Sandbox } from '../sandbox.ts';

export interface NamedCall {
  /** Name of the function (`assess`), or `rules` for what EventBridge does with the rules' role. */
  readonly actor: string;
  /** `dynamodb:UpdateItem.LOCK`, without the number. */
  readonly what: string;
  /** Counts the calls of this actor that are called so, from 1. */
  readonly nth: number;
  readonly name: string;
}

interface Asked {
  readonly service: string;
  readonly operation: string;
  readonly caller: Principal;
  readonly input: unknown;
}

/** Numbers the calls of one run in the order in which it is asked. */
export class CallNames {
  readonly #actors: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, number>();

  constructor(sandbox: Sandbox) {
    this.#actors = new Map(sandbox.services.functions.list().map(({ spec }) => [spec.roleArn.split('/').at(-1) ?? '', spec.name.replace(/^ripcord-/, '')]));
  }

  /** Null: not a call of Ripcord's. Counts the call. */
  next(call: Asked): NamedCall | null {
    if (call.caller.kind !== 'role') return null;
    const actor = this.#actors.get(call.caller.roleName) ?? (call.operation === 'StartExecution' ? 'rules' : null);
    if (actor === null) return null;
    const detail = detailOf(call.input);
    const what = `${call.service}:${call.operation}${detail === '' ? '' : `.${detail}`}`;
    const nth = (this.#seen.get(`${actor}/${what}`) ?? 0) + 1;
    this.#seen.set(`${actor}/${what}`, nth);
    return { actor, what, nth, name: `${actor}/${what}#${nth}` };
  }
}

interface Said {
  readonly Key?: { readonly sk?: { readonly S?: string } };
  readonly Item?: { readonly sk?: { readonly S?: string }; readonly kind?: { readonly S?: string } };
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
  readonly TransactItems?: readonly { readonly Put?: unknown }[];
  readonly Name?: string;
  readonly TargetGroupArn?: string;
  readonly TopicArn?: string;
  readonly HealthCheckId?: string;
  readonly Entries?: readonly { readonly DetailType?: string }[];
}

/** Calls that a function makes side by side come in any order: what tells them apart is in their input. */
function detailOf(input: unknown): string {
  const { TransactItems, Key, Item, ExpressionAttributeValues: values, Name, TargetGroupArn, TopicArn, HealthCheckId, Entries } = (input ?? {}) as Said;
  if (TransactItems !== undefined) return detailOf(TransactItems[0]?.Put);
  const text = Key?.sk?.S ?? Item?.kind?.S ?? Item?.sk?.S ?? values?.[':from']?.S ?? values?.[':pk']?.S
    ?? Name?.split('/').at(-1) ?? TargetGroupArn?.split('/').at(-2) ?? (TopicArn === undefined ? undefined : /OnCall|Stakeholders/.exec(TopicArn)?.[0] ?? 'topic') ?? HealthCheckId ?? Entries?.[0]?.DetailType?.replaceAll(' ', '-') ?? '';
  // MESSAGE#started is a kind of row; the rest of a key is times and ids.
  return text.startsWith('MESSAGE#') ? text.replace('#', '-') : (text.split('#')[0] ?? '').slice(0, 40);
}
