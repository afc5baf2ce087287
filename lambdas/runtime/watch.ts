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
import { afterSignalSeconds, bakedAtOf, notQuiet, shippedAgain, watchLook, watchSignal } from '../domain/bake.ts';
import { bakedStates, type Counted, capturedAfter, observedStates, type Readings, statesOf, withoutUnmoved } from '../domain/captured-states.ts';
import type { Clock } from '../domain/clock.ts';
import { at, instantOf } from '../domain/instants.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import { type DeploymentReading, withReadings } from '../domain/readings.ts';
import { shiftPlan } from '../domain/shift-plan.ts';
import { readSignals } from '../domain/signals.ts';
import type { Reason, Release } from '../domain/vocabulary.ts';
import type { JourneyRound, StepCaptured, WatchInput, Watching, WatchLooked } from '../domain/workflow.ts';
import { manifestOf } from '../strategies/registry.ts';
import { recordRelease } from './watch-record.ts';

export interface WatchParts extends MetricsSources {
  readonly catalogue: CatalogueStore;
  readonly table: LedgerTable;
  readonly codeDeploy: CodeDeployClient;
  readonly ecs: ECSClient;
  readonly clock: Clock;
}

type Of<Verb extends WatchInput['verb']> = Extract<WatchInput, { readonly verb: Verb }>;

/** @throws Refusal for an event that tells of no release. Every verb is safe to repeat. */
export async function watch(input: WatchInput, parts: WatchParts): Promise<Watching | WatchLooked> {
  switch (input.verb) {
    case 'record': return recordRelease(input, parts);
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

const answer = (name: WatchLooked['answer'], reasons: readonly Reason[], waitSeconds = 0): WatchLooked => ({ answer: name, waitSeconds, reasons, rollback: null });
const unknownRelease = ({ releaseId }: Watching): WatchLooked => answer('ended', [{ code: 'unknown-release', text: `The ledger does not know release ${releaseId}.` }]);

/** Targets are compared in the way of the strategy that captured them. */
const readingsOf = ({ steps }: Watching, { origin }: Release): Readings => (targetId) => {
  const strategy = steps.find((step) => step.targetId === targetId)?.strategy ?? '';
  return { ...manifestOf(strategy).states, isOnRecord: strategy === 'codedeploy' && origin === 'codedeploy' };
};

const notCaptured = (captured: readonly StepCaptured[]): Reason[] => captured.filter(({ status }) => status === 'failed')
  .map(({ targetId, reason }) => ({ code: 'not-captured', text: `Target ${targetId} could not be captured: ${reason?.text ?? 'no reason given'}` }));

/** Keeps which journeys failed as the release began, and the version before as known good if it was quiet for a bake time. */
async function start(input: Of<'start'>, parts: WatchParts): Promise<WatchLooked> {
  const { watch: watching, captured, evidence } = input;
  const { config, ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  // The start was never seen: what was captured is what the release left, not what was before it.
  const after = capturedAfter(captured, release);
  const change = after.length === 0 || release.left !== null ? {} : { left: statesOf(after) };
  // A journey that could not be run did not pass, so it cannot accuse the release later.
  const failed = evidence.results.filter(({ ok }) => !ok).map(({ journey }) => journey);
  await updateRelease(parts.table, release, { ...change, ...(evidence.results.length === 0 ? {} : { journeysFailedAtStart: failed }) });
  const counted = observedStates(captured, release, { ledger, readings: readingsOf(watching, release) });
  // Of a target that AWS moved before it told so, AWS says what was before, however late it is.
  const isTold = release.origin === 'ecs' || release.origin === 'lambda-alias';
  const observed = after.length === 0 || isTold ? await observe({ config, ledger, release }, { counted, evidence, parts }) : [];
  const withdrawn = await withdraw(watching, parts);
  const reasons = [...notCaptured(captured), ...observed, ...withdrawn];
  const again = shippedAgain({ service: watching.service, release, quarantined: ledger.quarantined });
  return again === null ? answer('continue', reasons, Math.min(60, config.policy.bakeMinutes * 60)) : { ...again, reasons: [...again.reasons, ...reasons] };
}

/** @returns why the version before is not called good; or that it is. */
async function observe({ config, ledger, release }: Found & { readonly release: Release }, seen: { readonly counted: Counted; readonly evidence: JourneyRound; readonly parts: WatchParts }): Promise<Reason[]> {
  const { counted: { states, unproven, reasons }, evidence, parts } = seen;
  const { previousVersion: version, startedAt } = release;
  if (version === null) return [{ code: 'nothing-before', text: `Nobody said which version was live before ${release.version}.` }];
  if (ledger.knownGoods.some((good) => good.version === version)) return [{ code: 'known-already', text: `${version} is known good already.` }];
  const { bakeMinutes } = config.policy;
  const [alarms, traffic] = await Promise.all([
    readAlarms(parts.cloudWatch, config.signals.alarms),
    // Up to the release, whose requests are not those of the version before.
    readTrafficBetween(parts.cloudWatch, config.signals.traffic, at(startedAt) - bakeMinutes * 60_000, at(startedAt)),
  ]);
  const now = instantOf(parts.clock.now().getTime());
  const sources = { alarms, delivered: ledger.signals, deployments: [], evidence, externalTools: config.signals.external, now, releases: [], startedAt };
  const signals = readSignals({ ...sources, trigger: { kind: 'watch', releaseId: release.id, alarms: [], journeys: [] } }, null);
  const doubts = [
    ...notQuiet({ alarms, evidence, hasJourneys: Object.keys(config.journeys).length > 0, bakeMinutes, now, traffic }, signals),
    ...changesBefore(ledger, release, bakeMinutes),
    ...(ledger.quarantined.includes(version) ? [{ code: 'quarantined', text: `${version} was rolled back before.` }] : []),
    ...(Object.keys(states).length === 0 ? [{ code: 'not-captured', text: 'No target was captured in a way that shows it.' }] : []),
  ];
  if (doubts.length > 0) return [{ code: 'not-observed-good', text: `${version} is not called good.` }, ...doubts, ...reasons];
  await putKnownGood(parts.table, release.service, { version, since: instantOf(at(startedAt) - bakeMinutes * 60_000), basis: 'observed', states, ...(unproven.length === 0 ? {} : { unproven: { releaseId: release.id, targets: unproven } }) });
  return [{ code: 'observed-good', text: `${version} was live and quiet for ${bakeMinutes} minutes; it is known good.` }, ...reasons];
}

/** Takes the version before back where the release turns out to have moved nothing since it was captured. Reads again: the start and the end of a release are written by two watches. */
async function withdraw(watching: Watching, { table, clock }: WatchParts): Promise<Reason[]> {
  const { releases, knownGoods } = await readService(table, watching.service, clock.now());
  const release = releases.find(({ id }) => id === watching.releaseId);
  if (release === undefined) return [];
  const kept = knownGoods.flatMap((good) => withoutUnmoved(good, release, readingsOf(watching, release)) ?? []);
  const withdrawn = await Promise.all(kept.map(async (good) => {
    const reason = { code: 'withdrawn', text: `Nothing has moved since release ${release.version} began, so the release may have moved it before it was captured: that ${good.version} looked so is not known.` };
    return await withdrawKnownGood(table, watching.service, good, reason) ? [reason] : [];
  }));
  return withdrawn.flat();
}

/** A change within the bake time before the release: what was live then is younger than a bake. */
function changesBefore({ releases, rollbacks }: ServiceLedger, release: Release, bakeMinutes: number): Reason[] {
  const from = at(release.startedAt) - bakeMinutes * 60_000;
  const isWithin = (instant: string | null) => instant !== null && at(instant) > from && at(instant) <= at(release.startedAt);
  return [
    ...releases.filter(({ id, startedAt, finishedAt }) => id !== release.id && (isWithin(startedAt) || isWithin(finishedAt)))
      .map(({ version }) => ({ code: 'too-young', text: `Release ${version} lies less than ${bakeMinutes} minutes back.` })),
    ...rollbacks.filter(({ startedAt, endedAt }) => isWithin(startedAt) || isWithin(endedAt))
      .map(({ rollbackId }) => ({ code: 'too-young', text: `Rollback ${rollbackId} lies less than ${bakeMinutes} minutes back.` })),
  ];
}

/** Keeps what a finished release left on each target: a later rollback changes only what still looks like this. */
async function left({ watch: watching, captured }: Of<'left'>, parts: WatchParts): Promise<WatchLooked> {
  const { releases } = await readService(parts.table, watching.service, parts.clock.now());
  const release = releases.find(({ id }) => id === watching.releaseId);
  if (release === undefined) return unknownRelease(watching);
  await updateRelease(parts.table, release, { left: statesOf(captured) });
  return answer('ended', [{ code: 'left-kept', text: `What release ${release.version} left is kept.` }, ...notCaptured(captured), ...await withdraw(watching, parts)]);
}

/** Of an execution that does not count them: what one that counts begins with. */
const looksLeftUnsaid = 1500;

async function look({ watch: watching, evidence, looksLeft = looksLeftUnsaid, memory = null }: Of<'look'>, parts: WatchParts): Promise<WatchLooked> {
  const { config, ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  const now = parts.clock.now();
  const [alarms, metrics, deployments] = await Promise.all([
    readAlarms(parts.cloudWatch, config.signals.alarms),
    readMetrics(parts, { ...config.signals, shift: shiftPlan(config, release, now.toISOString()) }, now),
    release.status === 'in-progress' ? deploymentOf(release, config, parts) : [],
  ]);
  const [current = release] = withReadings([release], deployments);
  // Events of CodeDeploy are sent at best effort, and none of a failure comes here.
  if (current.status !== release.status) await updateRelease(parts.table, release, { status: current.status, finishedAt: current.finishedAt });
  // ECS's own word that it failed; its event starts the same rollback, under the same name.
  if (current.origin === 'ecs' && current.status === 'failed' && release.status !== 'failed')
    return { ...answer('signal', [{ code: 'failed', text: `ECS says that deployment ${release.id} of ${release.version} failed.` }], afterSignalSeconds), rollback: watchSignal(watching.service, { releaseId: release.id, alarms: [], journeys: [] }) };
  const bakedAt = bakedAtOf(current, config.policy.bakeMinutes);
  const traffic = current.finishedAt === null || bakedAt === null || now.getTime() < bakedAt ? null
    : await readTrafficBetween(parts.cloudWatch, config.signals.traffic, at(current.finishedAt), now.getTime());
  return watchLook({
    service: watching.service, release: current, traffic, rollbacks: [...ledger.rollbacks, ...ledger.shadowed], bakeMinutes: config.policy.bakeMinutes, hasJourneys: watching.hasJourneys,
    quarantined: ledger.quarantined, alarms, metrics, delivered: ledger.signals, deployments, evidence, externalTools: config.signals.external, now: now.toISOString(), releases: ledger.releases,
    lockedBy: ledger.lock.owner, looksLeft, memory,
  });
}

/** What AWS says of the release's own deployment now; empty where it is none of AWS's. */
async function deploymentOf({ origin, id }: Release, config: Found['config'], { codeDeploy, ecs }: WatchParts): Promise<DeploymentReading[]> {
  if (origin === 'codedeploy') return readDeployments(codeDeploy, { groups: groupsOf(config), ids: [id], settled: new Set(), list: null });
  if (origin !== 'ecs') return [];
  return (await Promise.all(releaseSources(config).ecs.map((source) => readEcsDeployments(ecs, source)))).flat();
}

/** Marks the version known good, unless something came between the last look and the capture. */
async function settle({ watch: watching, captured, reasons: found = [] }: Of<'settle'>, parts: WatchParts): Promise<WatchLooked> {
  const { ledger, release } = await find(parts, watching);
  if (release === null) return unknownRelease(watching);
  const next = ledger.releases.find(({ id, startedAt }) => id !== release.id && at(startedAt) > at(release.startedAt));
  if (next !== undefined) return answer('ended', [{ code: 'superseded', text: `Release ${next.version} began before ${release.version} could be captured; it is not called good.` }]);
  if ([...ledger.rollbacks, ...ledger.shadowed].some((record) => record.release?.id === release.id)) return answer('ended', [{ code: 'rolled-back', text: `Release ${release.version} was rolled back, or would have been.` }]);
  const { states, reasons } = bakedStates(captured, release, readingsOf(watching, release));
  const doubts = [...reasons, ...notCaptured(captured)];
  if (Object.keys(states).length === 0) return answer('ended', [{ code: 'not-known-good', text: `${release.version} is not called good: no target shows how it looked.` }, ...doubts]);
  const unjudged = found.filter(({ code }) => code === 'metrics-not-judged');
  await putKnownGood(parts.table, watching.service, { version: release.version, since: release.finishedAt ?? release.startedAt, basis: 'baked', states, ...(unjudged[0] === undefined ? {} : { unjudged: unjudged[0].text }) });
  return answer('ended', [{ code: 'known-good', text: `${release.version} is known good.` }, ...unjudged, ...doubts]);
}
