// A recovery that Ripcord calls proven was proven: the round that said so had its answers from the sandbox, and they were good.
import type { CallRecord } from '../aws/world.ts';
import type { Run } from './invariants.ts';
import { callsBeside, rowsPutBy } from './invocation-calls.ts';
import { alarmOf } from './scenarios.ts';

interface Alarms {
  readonly MetricAlarms?: readonly { readonly AlarmName?: string; readonly StateValue?: string }[];
}

/** What is wrong with each round that called the recovery proven. */
export function falseProofs({ world, records }: Run): string[] {
  const proofs = records.flatMap(({ rows }) => rows.filter(({ kind, data }) => kind === 'verified' && (JSON.parse(data) as { readonly answer?: string }).answer === 'recovered'));
  if (proofs.length === 0) return [];
  if (world.scenario.path === '/broken') return ['proof: called recovered, and the journey fails to this moment'];
  const calls = world.sandbox.calls.list();
  return proofs.flatMap(({ hash }) => {
    const put = calls.find((call) => call.output !== null && rowsPutBy(call).includes(hash));
    if (put === undefined) return ['proof: called recovered by a row that no call put down'];
    const own = callsBeside(calls, put).filter(({ sequence, output }) => sequence <= put.began && output !== null);
    const last = (operation: string): CallRecord | undefined => own.findLast((one) => one.operation === operation);
    const alarms = (last('DescribeAlarms')?.output ?? {}) as Alarms;
    return [
      ...(alarms.MetricAlarms?.some(({ AlarmName, StateValue }) => AlarmName === alarmOf(world.scenario.name) && StateValue === 'OK') === true ? [] : ['proof: called recovered without an answer that the alarm is OK']),
      // The journey sends it.
      ...(last('GetSecretValue') === undefined ? ['proof: called recovered without the secret that the journey needs'] : []),
      ...(world.scenario.measured === true && last('GetMetricData') === undefined ? ['proof: called recovered without any metric'] : []),
    ];
  });
}
