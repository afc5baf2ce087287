// Reads and writes one SSM parameter, and tells from its version numbers whether somebody wrote in between.
import { GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import { ssmClient, ssmOnceClient } from '../../runtime/wiring.ts';
import type { Change, Confirmation, ConfirmQuestion, Made, Strategy } from '../strategy.ts';
import { manifest, type SsmParameterTarget } from './manifest.ts';
import { plan, type SsmParameterState } from './plan.ts';
import { shown } from './value.ts';
import { way } from './way.ts';

export interface Clients {
  readonly ssm: () => SSMClient;
  /** Makes one attempt and no more: a repeat of the SDK's own would write a version that looks like somebody else's. */
  readonly ssmOnce: () => SSMClient;
}

type Aws = { readonly ssm: SSMClient; readonly ssmOnce: SSMClient };
type Question = ConfirmQuestion<SsmParameterTarget, SsmParameterState>;
type Live = { readonly state: SsmParameterState; readonly modifiedAt: string | null };

/** A read may lag behind the write for a moment; after this many seconds the old value is somebody's doing. */
const settlingSeconds = 10;
const attempts = 3;

export function createStrategy(clients: Clients): Strategy<SsmParameterTarget, SsmParameterState> {
  const built: { -readonly [Name in keyof Aws]?: Aws[Name] } = {};
  const aws: Aws = {
    get ssm() { return (built.ssm ??= clients.ssm()); },
    get ssmOnce() { return (built.ssmOnce ??= clients.ssmOnce()); },
  };
  return {
    manifest,
    way,
    plan,
    capture: async (target) => ({ state: (await read(aws, target)).state, facts: {} }),
    apply: (change) => write(aws, change),
    confirm: async (question) => confirmed(question, await read(aws, question.target)),
  };
}

export const strategy = createStrategy({ ssm: ssmClient, ssmOnce: ssmOnceClient });

/**
 * Without decryption: of a secret nothing but ciphertext ever reaches this process, and that goes no further.
 * @throws AwsCallError `invalid` for a SecureString, and for a value that AWS itself interprets.
 */
async function read({ ssm }: Aws, { parameter }: SsmParameterTarget): Promise<Live> {
  const refuse = (awsCode: string, text: string): AwsCallError => new AwsCallError('invalid', { action: 'ssm:GetParameter', awsCode, text }, null);
  const { Parameter: found } = await calling('ssm:GetParameter', ssm.send(new GetParameterCommand({ Name: parameter })));
  const { Name, Type, Value, Version, DataType = 'text', LastModifiedDate } = found ?? {};
  if (Type === 'SecureString') throw refuse('SecureString', `${parameter} holds a secret, which Ripcord neither reads nor writes`);
  if (DataType !== 'text') throw refuse('DataType', `${parameter} is of data type ${DataType}; only text can be put back`);
  if (Name === undefined || Value === undefined || Version === undefined) throw refuse('Empty', `answered without name, value or version of ${parameter}`);
  return { state: { name: Name, value: Value, version: Version }, modifiedAt: LastModifiedDate?.toISOString() ?? null };
}

/** PutParameter knows no precondition: what the caller read right before has to do, and the version that the write made says whether anybody came between. */
async function write(aws: Aws, { target, from, to }: Change<SsmParameterTarget, SsmParameterState>): Promise<Made> {
  const made = (version: number): Made => ({ handle: { version }, confirmAfterSeconds: Math.max(1, target.takesEffectSeconds) });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { Version } = await calling('ssm:PutParameter', aws.ssmOnce.send(new PutParameterCommand({ Name: from.name, Value: to.value, Overwrite: true })));
      return made(Version ?? 0);
    } catch (error) {
      if (attempt === attempts || !isFault(error, 'throttled', 'unavailable')) throw error;
    }
    await new Promise((resolve) => { setTimeout(resolve, 150 * 2 ** attempt); });
    const { state: now } = await read(aws, target);
    // Our own write, whose answer was lost.
    if (now.version === to.version && now.value === to.value) return made(now.version);
    if (now.version !== from.version)
      throw new AwsCallError('conflicting', { action: 'ssm:PutParameter', awsCode: 'VersionChanged', text: `version ${from.version} of ${from.name} became ${now.version} before it was written` }, null);
  }
}

function confirmed({ target, from, to, handle, appliedAt, now }: Question, { state: live, modifiedAt }: Live): Confirmation {
  const final = (answer: Confirmation['answer'], detail: string): Confirmation => ({ answer, detail, retryAfterSeconds: 0 });
  const secondsSince = (instant: string): number => (Date.parse(now) - Date.parse(instant)) / 1000;
  if (live.value !== to.value) {
    const isStale = live.version === from.version && handle !== null && secondsSince(appliedAt) < settlingSeconds;
    return isStale
      ? { answer: 'not-yet', detail: `${live.name} still reads ${shown(live.value)}.`, retryAfterSeconds: 2 }
      : final('changed-by-someone-else', `Wrote ${shown(to.value)}, but ${live.name} is ${shown(live.value)} now (version ${live.version}).`);
  }
  const written = handle?.['version'];
  if (typeof written === 'number' && written !== to.version)
    return final('changed-by-someone-else', `Version ${from.version} was read and version ${written} written: somebody wrote in between, and that value was overwritten. The parameter's history holds it.`);
  // The parameter's own time counts, so that a value found in place already is waited for as well.
  const left = target.takesEffectSeconds - secondsSince(modifiedAt ?? appliedAt);
  return left > 0
    ? { answer: 'not-yet', detail: `${live.name} is ${shown(live.value)}; applications may hold the old value for ${Math.ceil(left)} s more.`, retryAfterSeconds: Math.min(60, Math.ceil(left)) }
    : final('yes', `${live.name} is ${shown(live.value)} (version ${live.version}) since ${target.takesEffectSeconds} s or more.`);
}
