// Which calls belong to one invocation.
import type { CallRecord } from '../aws/world.ts';

/** A process sends the trace of the invocation it works for; what is played back has none, and a key of its own for each invocation. */
const invocationOf = ({ trace, caller }: CallRecord): string | null => trace ?? ('accessKeyId' in caller ? caller.accessKeyId : null);

/** Those of the invocation that made this one, itself among them. */
export const callsBeside = (calls: readonly CallRecord[], call: CallRecord): readonly CallRecord[] =>
  calls.filter((one) => invocationOf(one) !== null && invocationOf(one) === invocationOf(call));

interface Transaction {
  readonly TransactItems?: readonly { readonly Put?: { readonly Item?: { readonly hash?: { readonly S?: string } } } }[];
}

/** Hashes of the audit rows that this call put down. */
export const rowsPutBy = ({ service, operation, input }: CallRecord): readonly string[] =>
  (service === 'dynamodb' && operation === 'TransactWriteItems' ? ((input as Transaction).TransactItems ?? []).flatMap(({ Put }) => Put?.Item?.hash?.S ?? []) : []);
