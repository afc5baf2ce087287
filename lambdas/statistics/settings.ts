// Every number that decides, with the reason for it. Lengths are in points (one period each), effects on the scale they are judged on.

export const settings = {
  /** Lengths of the windows after the release: the shortest that can hold `badPoints`, the longest the horizon; in between about ×1.4 apart. */
  windows: [4, 5, 7, 10, 15, 20, 30],
  /** Only so many windows, those with the largest effect × length to this power, are compared with placebos: the others hardly ever decide. */
  windowsCompared: 2,
  lengthCounts: 0.3,
  /** The baseline is the median of nine means of five points: as robust as a median of 45, nearly as sharp as a mean. */
  baselineBlocks: 9,
  baselineBlock: 5,
  /** Errors are compared with the higher of this many points before and all of history: an hour of one-minute periods. */
  errorBaseline: 60,
  /** Smallest ratio of latency that counts: below a fifth nobody notices, and real services wander that far in a day. */
  smallestRatio: 1.15,
  /** Smallest ratio of traffic that counts: half of it gone. */
  smallestTraffic: 2,
  /** Smallest rise of the error share that counts, or the base itself where that is higher (about double), but never more than the cap. */
  smallestErrors: 0.005,
  smallestErrorsRatio: 0.6,
  smallestErrorsCap: 0.1,
  /** Latency in milliseconds below which nobody notices a difference. */
  latencyFloor: 10,
  /** At most this many placebo windows: the 99 % quantile needs a few hundred, more only costs time. */
  placebos: 250,
  /** Fewer placebo windows than this say nothing about a tail: the spread before the release stands in, widened. */
  fewestPlacebos: 30,
  shortHistoryFactor: 1.5,
  tails: [[0.84, 1], [0.975, 1.96], [0.99, 2.6]] as [number, number][],
  /** Degrees of freedom of Student's t: as many as independent windows in the history, within these bounds. */
  fewestFreedom: 4,
  mostFreedom: 30,
  /** No spread is taken as smaller than this part of the smallest effect: a constant history does not promise the future. */
  leastSpread: 0.12,
  /** One wild point may count for this many smallest effects, so that a spike is not taken for a shift. */
  clip: 3,
  /** Counts of errors vary up to this many times more than independent failures would (retries, one bad host). */
  mostDispersion: 30,
  /** Evidence needed is this plus log10 of the points looked at: a chance of about 1 in 100 per look-adjusted release before the other checks. */
  needed: 1.7,
  /** Part of each further signal's evidence that is added, and the most it can add: signals of one service are not independent. */
  furtherShare: 0.5,
  furtherMost: 1.5,
  /** Points that must show the harm, and how much of the effect makes a point bad. */
  badPoints: 4,
  badShare: 0.6,
  /** A harm lasts through at most this many good points in a row; before a longer pause it was another one. */
  goodRun: 3,
  /** A release breaks things at once: each tenfold delay of the onset needs this much more evidence. */
  late: 0.5,
  /** Of the last `nowPoints`, the mean must still show `badShare` of the effect. */
  nowPoints: 3,
  nowShare: 0.5,
  /** A spike of up to this many points heals by itself, and must not carry a verdict alone. */
  spikePoints: 3,
  /** Caches are cold right after a release: latency that is up from the start needs this much more evidence for so many points. */
  coldPoints: 8,
  coldEvidence: 1,
  /** Half-lives in points of a harm that heals by itself; it fades when such a decay leaves less over than this part of what a level leaves. */
  halfLives: [2, 4, 8],
  fading: 1.5,
  /** The effect was there before the release when any of these many points before it already show `beforeShare` of it. */
  beforeLengths: [3, 6] as [number, number],
  /** How much of a rise right before the release is taken off the change. */
  beforeWeight: 1,
  beforeShare: 0.5,
  /** A comparison shares the harm at about this strength: Regions and neighbours are hit differently. */
  sharedStrength: 0.7,
  /** One comparison's voice in ln of likelihood: about 20 to 1, so that no single one decides against several. */
  oneVoice: 3,
  /** Sum of the voices above which the harm counts as shared. */
  sharedLimit: -1,
  /** Comparisons with too little data to tell are waited for this many points; then half of what they could say at best is enough. */
  patience: 12,
  dependencyShare: 0.3,
  /** Recovered: at least this many points after the rollback, and the mean of at most the last `recoveryMost` within the limits. */
  recoveryPoints: 5,
  recoveryMost: 10,
  /** First points after a rollback that are left out when there are more: connections drain, caches fill. */
  recoverySettle: 2,
  /** ln of likelihood by which none of the harm must beat half of it: asked again at every point, so that a small lead that lasts is enough. */
  recoveryRatio: 0.5,
  /** Not recovered after this many points: a person is told. */
  recoveryDeadline: 20,
  /** Requests in a window below which nothing is proven. */
  fewestRequests: 20,
};
