// Assess: from an event to a verdict with its reasons, in sequential steps of AWS calls: known, now, record, and before the last one the storm's row where this run counts.
import { type AuditStore, ChainSealed } from '../adapters/audit-store.ts';
import { joinSignal, rollbackBegun } from '../adapters/ledger-history.ts';
import { ownFence, releaseLock } from '../adapters/ledger-lock.ts';
import { keepWeighed } from '../adapters/ledger-poll.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { Clock } from '../domain/clock.ts';
import type { Decision } from '../domain/decide.ts';
import { modeOf } from '../domain/demands.ts';
import { isRefusal } from '../domain/errors.ts';
import type { LockState } from '../domain/ledger.ts';
import type { Question } from '../domain/question.ts';
import { releaseFrom, forVerdict, withReadings } from '../domain/readings.ts';
import { buildRungs, rungsOf } from '../domain/rungs.ts';
import { type Admitted, parseTrigger } from '../domain/trigger.ts';
import { isWeighed } from '../domain/weighed.ts';
import type { AuditCursor, Instant, JsonObject, Release } from '../domain/vocabulary.ts';
import type { Assessment, AssessInput, Verification } from '../domain/workflow.ts';
import { wayOf } from '../strategies/ways.ts';
import { type AssessSources, type Known, type Seen, type Unread, groupOf, readKnown, readNow } from './assess-reads.ts';
import { confirmLimitSeconds } from '../config/schema.ts';
import { approvalOf } from './assess-approval.ts';
import { leaveAtDoor } from './assess-door.ts';
import { factsOf } from './assess-effects.ts';
import { decideInStorm } from './assess-storm.ts';
import { deliveredBy, isTaken } from './delivered-signal.ts';
import type { Log } from './logger.ts';

export interface AssessParts extends AssessSources {
  readonly audit: Pick<AuditStore, 'append'>;
  readonly clock: Clock;
  readonly codeVersion: string;
}

/** @throws Refusal for bad input, after it was written into the audit; any other error when something could not be read. */
export async function assess(given: AssessInput, parts: AssessParts, log: Log): Promise<Assessment> {
  let assessment: Assessment | null = null;
  // Each further turn follows the end of another run that this one was about to join.
  while (assessment === null) assessment = await assessed(given, parts);
  const { headline, verdict, reasons, release } = assessment;
  log.info(headline, { verdict, reasons: reasons.map(({ code }) => code), release: release?.id ?? null, look: given.look });
  return assessment;
}

/** @returns null when the run that this one was to join ended meanwhile. */
async function assessed(given: AssessInput, parts: AssessParts): Promise<Assessment | null> {
  const now = parts.clock.now();
  const [{ admitted, known }, approval] = await Promise.all([admit(given, parts, now), approvalOf(given, parts.table, now)]);
  try {
    return await look({ ...given, approval }, parts, { admitted, known, now });
  } catch (error) {
    if (error instanceof ChainSealed) await freeTakenAgain(parts.table, { service: admitted.service, owner: given.rollbackId, before: known.ledger.lock });
    throw error;
  }
}

/** Somebody ended this execution while it looked. The lock that this look has taken, nobody else would free; one that it had before is freed, with its cool-down, by whoever ended it. */
async function freeTakenAgain(table: LedgerTable, { service, owner, before }: { readonly service: string; readonly owner: string; readonly before: LockState }): Promise<void> {
  const fence = await ownFence(table, service, owner);
  if (fence === null || (before.owner === owner && before.fence === fence)) return;
  await releaseLock(table, { service, owner, fence }, null);
}

async function look(input: AssessInput, parts: AssessParts, { admitted, known, now }: { readonly admitted: Admitted; readonly known: Known | Unread; readonly now: Date }): Promise<Assessment | null> {
  const door = { ...admitted, ledger: known.ledger, windows: known.windows, now };
  if ('unread' in known) return leaveAtDoor(input, parts, door, { unread: known.unread });
  const seen = await readNow(parts, input, { admitted, known, now });
  if ('unread' in seen) return leaveAtDoor(input, parts, { ...door, windows: seen.windows }, { ...seen, mode: modeOf({ trigger: admitted.trigger, policy: known.entry.service.policy }), configVersion: known.configVersion });
  const asked = questionOf(input, { admitted, known, seen, now: now.toISOString() });
  const { question, decision } = await decideInStorm(asked, parts, { windows: known.windows, group: groupOf(known.entry), now });
  const audit = await record(input, parts, { question, decision, known, fence: seen.fence });
  return audit === null ? null : assessmentOf(input, decision, { admitted, known, seen, audit, codeVersion: parts.codeVersion });
}

async function admit(input: AssessInput, parts: AssessParts, now: Date): Promise<{ readonly admitted: Admitted; readonly known: Known | Unread }> {
  try {
    const admitted = parseTrigger(input.input);
    return { admitted, known: await readKnown(parts, input, { admitted, now }) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const data = { refused: { code: error.code, text: error.message }, codeVersion: parts.codeVersion };
    await parts.audit.append({ rollbackId: input.rollbackId, service: 'unknown', kind: 'assessed', at: now.toISOString(), data }, input.audit);
    throw error;
  }
}

interface Gathered {
  readonly admitted: Admitted;
  readonly known: Known;
  readonly seen: Seen;
}

/** Everything the verdict is made from. States of targets are left out: it does not depend on them, and they are large. */
function questionOf(input: AssessInput, { admitted, known, seen, now }: Gathered & { readonly now: Instant }): Question {
  const { entry: { service: config }, ledger } = known;
  const { fence: _fence, earlier, ...facts } = seen;
  const targets = factsOf(config.targets, { ledger, deployments: seen.deployments, readBack: earlier === null ? null : ledger.releases.at(-1)?.startedAt ?? null });
  return {
    ...facts,
    service: admitted.service, rollbackId: input.rollbackId, startedAt: input.startedAt, now, look: input.look,
    trigger: admitted.trigger, approval: input.approval, evidence: input.evidence,
    policy: config.policy, minimumSignals: config.signals.minimum, holdSeconds: config.signals.holdSeconds, externalTools: config.signals.external,
    hasJourneys: Object.keys(config.journeys).length > 0,
    targets, rungs: rungsOf(targets, config.rungs, (strategy) => wayOf(strategy).order), hasOwnRungs: config.rungs !== undefined,
    patience: { proofSeconds: verificationOf(config.verification).deadlineSeconds, stepSeconds: confirmLimitSeconds },
    coolDownUntil: ledger.lock.coolDownUntil,
    releases: ledger.releases.map(({ left: _left, ...release }) => forVerdict(release)),
    ...(earlier === null ? {} : { earlier }),
    knownGoods: ledger.knownGoods.map(({ states, unproven: _unproven, ...good }) => ({ ...good, targets: Object.keys(states) })),
    rollbacks: ledger.rollbacks, delivered: ledger.signals, quarantined: ledger.quarantined,
    ...(config.policy.mode === 'shadow' ? { shadowed: ledger.shadowed } : {}),
  };
}

/** One audit row with every input of the decision; beside it what others need to see: the joined signal, the rollback that is about to act. Null, and no row, where nobody is left to join. */
async function record(input: AssessInput, parts: AssessParts, about: { readonly question: Question; readonly decision: Decision; readonly known: Known; readonly fence: number | null }): Promise<AuditCursor | null> {
  const { question, decision, known, fence } = about;
  const { service, now, trigger } = question;
  const { manifest = null } = known.ledger.releases.find(({ id }) => id === decision.releaseId) ?? {};
  const data = { question, decision, manifest, fence, configVersion: known.configVersion, codeVersion: parts.codeVersion } as unknown as JsonObject;
  const mode = modeOf(question);
  const begun = decision.verdict !== 'roll-back' || mode === 'dry-run' ? [] : [rollbackBegun(parts.table, {
    rollbackId: input.rollbackId, service, startedAt: input.startedAt, isAutomatic: trigger.kind !== 'person',
    release: releaseOf(question, decision), goodVersion: decision.good?.version ?? null, endedAt: null, outcome: null,
    ...(mode === 'shadow' ? { isShadow: true } : {}),
  })];
  const signal = input.look === 0 || question.lockedBy !== null ? deliveredBy(question) : null;
  const isLeft = signal !== null && question.lockedBy !== null;
  if (isLeft && !await isTaken(parts.table, service, signal)) return null;
  const [audit] = await Promise.all([
    parts.audit.append({ rollbackId: input.rollbackId, service, kind: 'assessed', at: now, data }, input.audit, begun),
    signal === null || isLeft ? null : joinSignal(parts.table, service, signal),
    isWeighed(question, decision.reasons) ? keepWeighed(parts.table, service, now) : null,
  ]);
  return audit;
}

function releaseOf({ releases, deployments }: Question, { releaseId }: Decision): Pick<Release, 'id' | 'version'> | null {
  const found = releases.find(({ id }) => id === releaseId) ?? deployments.find(({ id }) => id === releaseId);
  return found === undefined ? null : { id: found.id, version: found.version };
}

function assessmentOf(input: AssessInput, decision: Decision, made: Gathered & { readonly audit: AuditCursor; readonly codeVersion: string }): Assessment {
  const { admitted: { service, trigger }, known: { entry, configVersion, ledger }, seen, audit, codeVersion } = made;
  const { verdict, headline, reasons, page, holdSeconds, wantsEvidence, approval, signals, firstSignalAt, good } = decision;
  const deployment = seen.deployments.find(({ id }) => id === decision.releaseId);
  const release = withReadings(ledger.releases, seen.deployments).find(({ id }) => id === decision.releaseId)
    ?? (deployment === undefined ? null : releaseFrom(service, deployment));
  const states = ledger.knownGoods.find(({ version, since }) => version === good?.version && since === good.since)?.states ?? {};
  return {
    rollbackId: input.rollbackId, service, mode: modeOf({ trigger, policy: entry.service.policy }), verdict, headline, reasons, page, holdSeconds, wantsEvidence, approval,
    release,
    knownGood: good === null ? null : { version: good.version, since: good.since, basis: good.basis },
    signals,
    suspects: decision.suspects, ways: decision.ways, passed: decision.passed,
    rungs: buildRungs(decision.rungs, { service, targets: entry.service.targets, release, good, states, mustNotInterrupt: mustNotInterrupt(entry.service.policy, decision, input) }),
    verification: verificationOf(entry.service.verification),
    requestedBy: trigger.kind === 'person' ? trigger.requestedBy : null,
    fence: seen.fence, configVersion, codeVersion, firstSignalAt, audit,
  };
}

/** Where the policy wants a person's yes to an interruption and nobody is asked: what was decided rests on how the targets looked last, and they can have changed. */
const mustNotInterrupt = ({ interruption }: Question['policy'], { verdict, ways }: Decision, { approval }: AssessInput): boolean =>
  interruption === 'ask' && verdict === 'roll-back' && approval?.answer !== 'approved' && ways.every(({ answer }) => answer !== 'ask');

/** Without journeys nothing is gained by looking often: alarms and live state once, within the schema's own deadline. */
function verificationOf(verification: Known['entry']['service']['verification']): Verification {
  if ('none' in verification) return { intervalSeconds: 20, passesInARow: 1, deadlineSeconds: 15 * 60 };
  const { intervalSeconds, passesInARow, deadlineMinutes, fewRequests } = verification;
  return { intervalSeconds, passesInARow, deadlineSeconds: deadlineMinutes * 60, ...(fewRequests === undefined ? {} : { fewRequests: fewRequests.journeys }) };
}
