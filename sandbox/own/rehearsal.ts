// The story of a rehearsed service: healthy, a release, it goes bad, Ripcord puts it back, and every target is looked at.
import type { Sandbox } from '../sandbox.ts';
import { checkQuietEnd, checkRecovered, expectNoChange } from '../scenarios/facts.ts';
import type { AuditRow, RollbackRun } from '../scenarios/scenario.ts';
import type { OwnWorkload } from '../stage/own-workload.ts';
import type { LiveStage } from '../stage/stage.ts';
import { alarmGroups } from './alarms.ts';
import { approve } from './approver.ts';
import { rungsOf, type Service } from './document.ts';
import { newVersion, oldVersion } from './ground.ts';

export interface Rehearsal {
  readonly service: Service;
  readonly sandbox: Sandbox;
  readonly workload: OwnWorkload;
  readonly stage: LiveStage;
  /** Role whose session answers approvals; null when the configuration names none. */
  readonly approver: string | null;
  /** Names of all alarms that are the service's signals, those among them that the stack made. */
  readonly alarms: readonly string[];
}

/** Sandbox minutes after which a run that ended without acting counts as the last. */
const quietMinutes = 5;

export async function playRehearsal(rehearsal: Rehearsal): Promise<void> {
  const { service, stage, workload, alarms } = rehearsal;
  const { bakeMinutes = 60 } = service.policy;
  stage.say(`${oldVersion} serves everybody`);
  stage.say(`${oldVersion} goes on until ${alarms.length === 0 ? '' : 'every alarm was OK for '}its bake time of ${bakeMinutes} min is over`);
  await quiet(rehearsal, bakeMinutes + 1);
  await stage.release(newVersion);
  await stage.minutes(1);
  stage.check(`${newVersion} is out on every target`, workload.targets.every((target) => !target.look().isBack), shown(workload));
  expectNoChange(stage, `while ${newVersion} is healthy`);
  stage.say(`${newVersion} goes bad: four of ten requests fail, the rest are slow, and the journeys break`);
  stage.sicken('green', { errorShare: 0.4, delayMs: 500, checkoutBroken: true });
  await sendSignals(rehearsal);
  const run = await ended(rehearsal);
  await checkEnd(rehearsal, run);
}

/** A computer that is busy with something else can look like a sick service: then the wait begins anew. */
async function quiet({ stage, alarms, sandbox: { clock } }: Rehearsal, minutes: number): Promise<void> {
  let since = clock.now();
  await stage.until(`every alarm was OK for ${minutes} minutes`, () => {
    if (!alarms.every((name) => stage.alarmState(name) === 'OK')) since = clock.now();
    return clock.now() - since >= minutes * 60_000;
  }, 30 + 2 * minutes);
}

const shown = ({ targets }: OwnWorkload): string => targets.map((target) => `${target.id}: ${target.look().shown}`).join('; ');

/** Tools of the configuration speak up where its alarms alone are too few. */
async function sendSignals({ service: { signals }, stage, alarms }: Rehearsal): Promise<void> {
  const missing = Math.max(0, (signals.minimum ?? 2) - alarmGroups({ signals }).length);
  const tools = (signals.external ?? []).slice(0, missing);
  if (tools.length === 0) return;
  if (alarms.length > 0) await stage.until('an alarm fires', () => alarms.some((name) => stage.alarmState(name) === 'ALARM'), 15);
  else await stage.minutes(2);
  for (const tool of tools) {
    stage.say(`${tool} sends a ripcord.signal event: the alarms alone are fewer than the ${signals.minimum ?? 2} independent signals that are asked for`);
    stage.putSignal({ service: stage.service, tool, id: 'rehearsal', status: 'firing', summary: 'many requests fail' });
  }
}

/** Waits for the run that acts, and answers as a person would where it asks. */
async function ended(rehearsal: Rehearsal): Promise<RollbackRun> {
  const { stage, sandbox: { clock }, service } = rehearsal;
  const { verification, signals } = service;
  const proof = 'none' in verification ? 15 : verification.deadlineMinutes ?? 15;
  const limit = 30 + Math.ceil((signals.holdSeconds ?? 300) / 60) + rungsOf(service).length * (proof + 30);
  const answered = new Set<number>();
  let found: RollbackRun | undefined;
  await stage.until('a rollback has ended', async () => {
    const runs = stage.rollbacks();
    for (const run of runs) if (run.status === 'RUNNING') await answer(rehearsal, run, answered);
    const over = runs.filter((run) => run.status !== 'RUNNING' && run.outcome !== 'joined' && run.startedAt >= (stage.sickSince ?? 0));
    const last = over.toSorted((a, b) => (a.stoppedAt ?? 0) - (b.stoppedAt ?? 0)).at(-1);
    const isLast = last !== undefined && (last.outcome !== 'left' || clock.now() - (last.stoppedAt ?? 0) > quietMinutes * 60_000);
    found = isLast && runs.every((run) => run.status !== 'RUNNING') ? last : undefined;
    if (found === undefined) await clock.sleep(4000);
    return found !== undefined;
  }, limit);
  if (found === undefined) throw new Error('no rollback has ended');
  return found;
}

/** @param answered rows that asked and were answered, by when they asked. */
async function answer({ approver, sandbox, stage }: Rehearsal, { rollbackId }: RollbackRun, answered: Set<number>): Promise<void> {
  const asked = (await stage.audit(rollbackId)).filter(({ kind, seq }) => kind === 'approval-asked' && !answered.has(seq));
  for (const { seq } of asked) {
    answered.add(seq);
    if (approver === null) {
      stage.say('Ripcord asks a person, and engine.approvers names nobody who could answer');
      continue;
    }
    stage.say(`a session of ${approver} approves, with a signed request to the function URL`);
    await approve(sandbox, approver, rollbackId);
  }
}

async function checkEnd({ stage, workload, service, approver }: Rehearsal, run: RollbackRun): Promise<void> {
  if (run.outcome !== 'recovered') {
    stage.check('the rollback says it recovered', false, `${run.status}, ${run.outcome ?? 'no outcome'}: ${run.headline}`);
    stage.say(`so it stands: ${shown(workload)}`);
    return;
  }
  const rows = await checkRecovered(stage, run);
  checkAsked(stage, rows, approver, service);
  const touched = touchedTargets(rows);
  for (const target of workload.targets) {
    const { isBack, shown: now } = target.look();
    if (touched.has(target.id)) stage.check(`${target.id} is back on ${oldVersion}`, isBack, now);
    else stage.say(`${target.id} was not needed: a way back before it helped (${now})`);
  }
  const isBack = (id: string): boolean => touched.has(id) && workload.targets.some((target) => target.id === id && target.look().isBack);
  stage.check('one way back was gone with all of its targets', rungsOf(service).some((waves) => waves.flat().every(isBack)), [...touched].join(', ') || 'none');
  checkQuietEnd(stage);
}

function checkAsked(stage: LiveStage, rows: readonly AuditRow[], approver: string | null, { policy }: Service): void {
  if (!('required' in policy.approval) || policy.approval.required !== 'always') return;
  const yes = rows.find(({ kind, data }) => kind === 'approval-answered' && data['taken'] === true);
  const roleName = approver?.split('/').at(-1) ?? '';
  stage.check('a person was asked, and the audit names the role whose session said yes', roleName !== '' && JSON.stringify(yes?.data ?? '').includes(`assumed-role/${roleName}/`), JSON.stringify(yes?.data ?? 'no answer'));
}

const targetOf = ({ data: { targetId } }: AuditRow): string => (typeof targetId === 'string' ? targetId : '');

const touchedTargets = (rows: readonly AuditRow[]): ReadonlySet<string> => new Set(rows.filter(({ kind }) => kind === 'change-made').map(targetOf));
