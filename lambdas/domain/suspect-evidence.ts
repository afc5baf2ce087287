// What speaks for and against the release that would be taken back: its service's own signals, its metrics, its sides, its journeys.
import type { Scene } from './suspects.ts';
import { type Weight, weights } from './suspect-weights.ts';

const freshIn = ({ signals }: Scene) => signals.filter(({ status, isOlderThanRelease, kind }) => status === 'firing' && !isOlderThanRelease && kind !== 'person');

/**
 * That this service is sick, as its alarms, its journeys and its metrics show it. A dependency that was sick first explains all of that as well as
 * a release of this service does, so it decides nothing between the two; a harm that controls do not share is more than that.
 */
export function symptoms(scene: Scene): Weight[] {
  const fresh = freshIn(scene);
  const groups = new Set(fresh.map(({ group }) => group)).size;
  const journeys = fresh.filter(({ kind }) => kind === 'journey').map(({ source }) => source);
  return [
    ...(groups === 0 ? [] : [{ text: `${groups} independent signal${groups === 1 ? '' : 's'} of this service`, weight: weights.ownSignals + weights.furtherSignals * Math.min(2, groups - 1) }]),
    ...(hasControls(scene) ? [] : worse(scene)),
    ...(journeys.length === 0 ? [] : [{ text: `${journeys.slice(0, 3).join(', ')} passed as it began and fail${journeys.length === 1 ? 's' : ''} now`, weight: weights.journeyBroke }]),
  ];
}

export function ownWeights(scene: Scene): Weight[] {
  const fresh = freshIn(scene);
  return [
    ...symptoms(scene),
    ...(hasControls(scene) ? worse(scene) : []),
    ...(scene.metrics?.verdict === 'unrelated' ? [{ text: 'metrics saw the same elsewhere or before', weight: weights.metricsUnrelated }] : []),
    ...(fresh.some(({ kind }) => kind === 'deployment') ? [{ text: 'CodeDeploy says that it failed', weight: weights.deploymentFailed }] : []),
    ...(fresh.some(({ kind }) => kind === 'quarantine') ? [{ text: 'its version was rolled back before', weight: weights.rolledBackBefore }] : []),
    ...sideWeights(scene),
  ];
}

const worse = ({ metrics }: Scene): Weight[] => (metrics?.verdict === 'worse' ? [{ text: 'metrics got worse after it began', weight: weights.metricsWorse }] : []);
/** As many minutes as the judge needs to call a harm one. */
const lately = 4;
/** A control that nobody asks anything says nothing: it did not stay flat, it has no data. A Region that did not answer may be the one that is sick. */
const hasControls = ({ question: { metrics }, metrics: finding }: Scene): boolean => metrics?.status === 'read' && (finding?.isBesideVersion === true
  || (metrics.unread === undefined && metrics.controls.some(({ requests }) => requests.slice(-lately).some((count) => count !== null && count > 0))));

/** Alarms that watch one side each tell a bad version from a fault that both versions share. */
function sideWeights({ question: { alarms, targets }, signals }: Scene): Weight[] {
  const statusOf = (name: string) => signals.find(({ kind, source }) => kind === 'alarm' && source === name)?.status;
  const watched = alarms.flatMap(({ name, side }) => (side === undefined ? [] : [{ side, status: statusOf(name) }]));
  const sick = [...new Set(watched.filter(({ status }) => status === 'firing').map(({ side }) => side))].toSorted();
  const well = watched.filter(({ side, status }) => status === 'quiet' && !sick.includes(side)).map(({ side }) => side);
  if (sick.length > 1) return [{ text: `sides ${sick.join(' and ')} are both sick`, weight: weights.bothSides }];
  const [only] = sick;
  if (only === undefined || well.length === 0) return [];
  const isGood = Object.values(targets).some(({ goodSide }) => goodSide === only);
  return [{ text: isGood ? `only ${only} is sick, the side that is declared good` : `only side ${only} is sick`, weight: isGood ? weights.goodSideAlone : weights.oneSide }];
}
