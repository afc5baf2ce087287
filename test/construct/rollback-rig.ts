// One run of the Rollback state machine on the sandbox's interpreter, with handlers that answer as told.
import type { ReportInput } from '../../lambdas/domain/workflow.ts';
import { machineRig, type Functions } from '../sandbox/engine/machine-rig.ts';
import { rollback, step, wellAnswers } from './workflow-samples.ts';

/** One run, with the calls that its functions got. */
export async function play(over: Functions = {}, input: unknown = { service: 'checkout' }) {
  const rig = machineRig(wellAnswers(over), 20_000);
  try {
    const execution = await rig.run(rollback, input);
    const payloads = <Payload>(name: string) => rig.calls.filter((one) => one.name === name).map(({ payload }) => payload as Payload);
    return { execution, calls: rig.calls.map(({ name, payload }) => `${name}${(payload as { verb?: string }).verb === undefined ? '' : `:${(payload as { verb: string }).verb}`}`), payloads };
  } finally {
    rig.stop();
  }
}

export const reportOf = (played: Awaited<ReturnType<typeof play>>): ReportInput => played.payloads<ReportInput>('report')[0] as ReportInput;
export const twoRungs = [
  { name: 'first', waves: [[step('first', 'web')]] },
  { name: 'second', waves: [[step('second', 'release', 'codedeploy')]] },
];
