// The verbs of the Watch: record a release, look at it through its bake, keep what it left, mark it known good.
import type { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { readAlarms } from '../adapters/alarms.ts';
import { type CatalogueStore, readEntry } from '../adapters/catalogue.ts';
import { readDeployments } from '../adapters/deployments.ts';
import { readEcsDeployments } from '../adapters/ecs-deployments.ts';
import { putKnownGood, updateRelease, withdrawKnownGood } from '../adapters/ledger-history.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { readService } from '../adapters/ledger.ts';
import { type MetricsSources, readMetrics } from '../adapters/metrics.ts';
import { readTrafficBetween } from '../adapters/traffic.ts';
import { groupsOf, releaseSources } from '../config/release-sources.ts';
import type { CatalogueEntry } from '../config/schema.ts';
import { bakedAtOf, watchLook } from '../domain/bake.ts';
import { afterCoolDown, noMemory } from '../domain/bake-memory.ts';
import { answered, failedLooked, left as leftBy, notCaptured, type SettleQuestion, settled, withdrawalReason, withdrawalsOf, type WithdrawalQuestion } from '../domain/bake-end.ts';
import { isWorthReading, observedBefore, type ObservedQuestion, started } from '../domain/bake-start.ts';
import { type Counted, capturedAfter, observedStates, statesOf } from '../domain/captured-states.ts';
import { at, instantOf } from '../domain/instants.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import { type DeploymentReading, forVerdict, withReadings } from '../domain/readings.ts';
import { isTooOldToJudge } from '../domain/metrics.ts';
import { shiftPlan } from '../domain/shift-plan.ts';
import { isUndoneByEcs } from '../domain/release-known.ts';
import type { Instant, Release } from '../domain/vocabulary.ts';
import type { JourneyRound, WatchInput, Watching, WatchLooked } from '../domain/workflow.ts';
import { keep, type WatchKeeping } from './watch-kept.ts';
import { readingsOf } from './watch-readings.ts';
import { recordRelease } from './watch-record.ts';

export interface WatchParts extends MetricsSources, WatchKeeping {
  readonly catalogue: CatalogueStore;
  readonly table: LedgerTable;
  readonly codeDeploy: CodeDeployClient;
  readonly ecs: ECSClient;
}

type Of<Verb extends WatchInput['verb']> = Extract<WatchInput, { readonly verb: Verb }>;

/** @throws Refusal for an event that tells of no release. Every verb is safe to repeat. */
export async function watch(input: WatchInput, parts: WatchParts): Promise<Watching | WatchLooked> {
  switch (input.verb) {
    case 'record': return record(input, parts);
    case 'start': return start(input, parts);
    case 'left': return left(input, parts);
    case 'look': return look(input, parts);
    case 'settle': return settle(input, parts);
    default: throw new Error(`the Watch knows no verb "${String((input as { verb: unknown }).verb)}"`);
  }
}

interface Found {
  readonly config: CatalogueEntry['service'];
  readonly ledger: ServiceLedger;
  readonly release: Release | null;
}

async function find({ catalogue, table, clock }: WatchParts, { service, releaseId }: Watching): Promise<Found> {
  const [{ entry }, ledger] = await Promise.all([readEntry(catalogue, service), readService(table, service, clock.now())]);
  return { config: entry.service, ledger, release: ledger.releases.find(({ id }) => id === releaseId) ?? null };
}

/** An event whose failure starts a rollback ends this watch with it. */
async function record(input: Of<'record'>, parts: WatchParts): Promise<Watching> {
  const { watching, failed } = await recordRelease(input, parts);
  if (failed !== undefined) await keep({ service: watching.service, watchId: input.watchId, isLast: true }, { verb: 'record', question: failed, looked: failedLooked(failed) }, parts);
  return watching;
}

const unknownRelease = ({ releaseId }: Watching): WatchLooked => answered('ended', [{ code: 'unknown-release', text: `The ledger does not know release ${releaseId}.` }]);

const strategiesOf = ({ steps }: Watching): Readonly<Record<string, string>> => Object.fromEntries(steps.map(({ targetId, strategy }) => [targetId, strategy]));

/** Keeps which journeys failed as the release began, and the version before as known good if it was quiet for a bake time. */
async function start(input: Of<'start'>, parts: WatchParts): Promise<WatchLooked> {
  const { watch: watching, watchId, captured, evidence } = input;
  const { config, ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  // The start was never seen: what was captured is what the release left, not what was before it.
  const after = capturedAfter(captured, release);
  const change = after.length === 0 || release.left !== null ? {} : { left: statesOf(after) };
  // A journey that could not be run did not pass, so it cannot accuse the release later.
  const failed = evidence.results.filter(({ ok }) => !ok).map(({ journey }) => journey);
  await updateRelease(parts.table, release, { ...change, ...(evidence.results.length === 0 ? {} : { journeysFailedAtStart: failed }) });
  const counted = observedStates(captured, release, { ledger, readings: readingsOf(strategiesOf(watching), release) });
  // Of a target that AWS moved before it told so, AWS says what was before, however late it is.
  const isTold = release.origin === 'ecs' || release.origin === 'lambda-alias';
  const observed = after.length === 0 || isTold ? await observe({ config, ledger, release }, { counted, evidence, parts }) : null;
  const withdrawal = await withdraw(watching, parts);
  const { bakeMinutes } = config.policy;
  const question = { service: watching.service, release: withoutStates(release), quarantined: ledger.quarantined, bakeMinutes, notCaptured: notCaptured(captured), observed, withdrawal };
  return keep({ service: watching.service, watchId }, { verb: 'start', question, ...started(question, readingsOf(strategiesOf(watching), release)) }, parts);
}

/** Reads how the service was before the release, and keeps the version before as known good where nothing speaks against it. */
async function observe({ config, ledger, release }: Found & { readonly release: Release }, seen: { readonly counted: Counted; readonly evidence: JourneyRound; readonly parts: WatchParts }): Promise<ObservedQuestion> {
  const { counted, evidence, parts } = seen;
  const { bakeMinutes } = config.policy;
  const began = at(release.startedAt);
  const about = {
    release: withoutStates(release), known: ledger.knownGoods.map(({ version }) => version), quarantined: ledger.quarantined, bakeMinutes, hasJourneys: Object.keys(config.journeys).length > 0,
    evidence, delivered: ledger.signals, externalTools: config.signals.external, counted,
    releases: ledger.releases.map(({ id, version, startedAt, finishedAt }) => ({ id, version, startedAt, finishedAt })),
    rollbacks: ledger.rollbacks.map(({ rollbackId, startedAt, endedAt }) => ({ rollbackId, startedAt, endedAt })),
  };
  const [alarms, traffic] = isWorthReading(about) ? await Promise.all([
    readAlarms(parts.cloudWatch, config.signals.alarms),
    // Up to the release, whose requests are not those of the version before.
    readTrafficBetween(parts.cloudWatch, config.signals.traffic, began - bakeMinutes * 60_000, began),
  ]) : [[], null];
  const question: ObservedQuestion = { ...about, alarms, traffic, now: instantOf(parts.clock.now().getTime()) };
  const { good } = observedBefore(question);
  if (good !== null) await putKnownGood(parts.table, release.service, good);
  return question;
}

/** Takes the version before back where the release turns out to have moved nothing since it was captured. Reads again: the start and the end of a release are written by two watches. */
async function withdraw(watching: Watching, { table, clock }: WatchParts): Promise<WithdrawalQuestion | null> {
  const { releases, knownGoods } = await readService(table, watching.service, clock.now());
  const release = releases.find(({ id }) => id === watching.releaseId);
  const goods = knownGoods.filter(({ unproven }) => unproven !== undefined && unproven.releaseId === release?.id);
  if (release === undefined) return null;
  const { id, version, origin, left: leftStates } = release;
  const question = { release: { id, version, origin, left: leftStates }, goods, strategies: strategiesOf(watching) };
  const changed = await Promise.all(withdrawalsOf(question, readingsOf(question.strategies, release))
    .map(async (good) => (await withdrawKnownGood(table, watching.service, good, withdrawalReason(good, release)) ? [good.version] : [])));
  return { ...question, changed: changed.flat() };
}

/** Keeps what a finished release left on each target: a later rollback changes only what still looks like this. */
async function left({ watch: watching, watchId, captured }: Of<'left'>, parts: WatchParts): Promise<WatchLooked> {
  const { releases } = await readService(parts.table, watching.service, parts.clock.now());
  const release = releases.find(({ id }) => id === watching.releaseId);
  if (release === undefined) return unknownRelease(watching);
  await updateRelease(parts.table, release, { left: statesOf(captured) });
  const question = { release: { id: release.id, version: release.version }, captured, withdrawal: await withdraw(watching, parts) };
  const concluded = leftBy(question, readingsOf(strategiesOf(watching), release));
  // That the states are kept says the ledger itself.
  return concluded.looked.reasons.length === 1 ? concluded.looked : keep({ service: watching.service, watchId }, { verb: 'left', question, ...concluded }, parts);
}

/** Of an execution that does not count them: what one that counts begins with. */
const looksLeftUnsaid = 1500;

async function look({ watch: watching, watchId, evidence, looksLeft = looksLeftUnsaid, memory = null }: Of<'look'>, parts: WatchParts): Promise<WatchLooked> {
  const { config, ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  const now = parts.clock.now();
  const isTooOld = isTooOldToJudge(release, now.toISOString());
  const [alarms, metrics, deployments] = await Promise.all([
    readAlarms(parts.cloudWatch, config.signals.alarms),
    isTooOld ? undefined : readMetrics(parts, { ...config.signals, shift: shiftPlan(config, release, now.toISOString(), ledger) }, now),
    release.status === 'in-progress' ? deploymentOf(release, config, parts) : [],
  ]);
  const current = readAgain(release, deployments, now.toISOString());
  const { status, finishedAt, undoneAt } = current;
  // Events of CodeDeploy are sent at best effort, and none of a failure comes here.
  if (status !== release.status) await updateRelease(parts.table, release, { status, finishedAt, ...(undoneAt === undefined ? {} : { undoneAt }) });
  const bakedAt = bakedAtOf(current, config.policy.bakeMinutes);
  const traffic = current.finishedAt === null || bakedAt === null || now.getTime() < bakedAt ? null
    : await readTrafficBetween(parts.cloudWatch, config.signals.traffic, at(current.finishedAt), now.getTime());
  const question = {
    service: watching.service, release: withoutStates(current), statusBefore: release.status, traffic, rollbacks: [...ledger.rollbacks, ...ledger.shadowed], bakeMinutes: config.policy.bakeMinutes, hasJourneys: watching.hasJourneys,
    quarantined: ledger.quarantined, alarms, metrics, delivered: ledger.signals, deployments, evidence, externalTools: config.signals.external, now: now.toISOString(),
    releases: ledger.releases.map((one) => forVerdict(withoutStates(one))), lockedBy: ledger.lock.owner, waitsForNext: true as const, holdSeconds: config.signals.holdSeconds, looksLeft,
    memory: afterCoolDown(memory ?? noMemory, ledger.lock.coolDownUntil, now.toISOString()),
    ...(isTooOld && (config.signals.metrics ?? []).length > 0 ? { isTooOldToJudge: true as const } : {}),
  };
  return keep({ service: watching.service, watchId }, { verb: 'look', question, looked: watchLook(question) }, parts, memory);
}

/** No look depends on the states of targets, and they are large. */
const withoutStates = (release: Release): Release => ({ ...release, left: null });

/** The release as AWS tells of it now: also whether ECS undid it. */
function readAgain(release: Release, deployments: readonly DeploymentReading[], now: Instant): Release {
  const [current = release] = withReadings([release], deployments);
  const [newest = null] = deployments;
  const isUndone = current.origin === 'ecs' && current.status === 'failed' && current.undoneAt === undefined && isUndoneByEcs(current, newest);
  return isUndone ? { ...current, undoneAt: now } : current;
}

/** What AWS says of the release's own deployment now; of ECS also of what it shows beside it, newest first. Empty where it is none of AWS's. */
async function deploymentOf({ origin, id }: Release, config: Found['config'], { codeDeploy, ecs }: WatchParts): Promise<DeploymentReading[]> {
  if (origin === 'codedeploy') return readDeployments(codeDeploy, { groups: groupsOf(config), ids: [id], settled: new Set(), list: null });
  if (origin !== 'ecs') return [];
  const shown = await Promise.all(releaseSources(config).ecs.map((source) => readEcsDeployments(ecs, source)));
  return shown.find((deployments) => deployments.some((one) => one.id === id)) ?? [];
}

/** Marks the version known good, unless something came between the last look and the capture. */
async function settle({ watch: watching, watchId, captured, reasons: found = [], memory = null }: Of<'settle'>, parts: WatchParts): Promise<WatchLooked> {
  const { ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  const strategies = strategiesOf(watching);
  const question: SettleQuestion = {
    release, releases: ledger.releases.map(({ id, version, startedAt, status, undoneAt }) => ({ id, version, startedAt, status, ...(undoneAt === undefined ? {} : { undoneAt }) })), rollbacks: [...ledger.rollbacks, ...ledger.shadowed], captured, strategies, found,
  };
  const { looked, good } = settled(question, readingsOf(strategies, release));
  if (good !== null) await putKnownGood(parts.table, watching.service, good);
  return keep({ service: watching.service, watchId }, { verb: 'settle', question, looked, good }, parts, memory);
}
