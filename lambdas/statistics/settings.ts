// Every number that decides, with the reason for it. Lengths are in points (one period each), effects on the scale they are judged on.
// "Development" says: chosen on the development split of the bench before the test split was looked at; docs/judge.md has what each is worth.

/** Lengths of the windows after the release: the shortest holds just the bad points needed, the longest is the horizon; in between about ×1.4 apart. */
export const windowLengths = [4, 5, 7, 10, 15, 20, 30];
/** Only so many of them are asked, those with the largest effect × length ** `lengthCounts`: all seven find 0.1 points more, two 0.9 fewer (development). */
export const windowsCompared = 4;
/** Between 0 (neighbouring points alike: a longer window strays no less) and 0.5 (independent). */
export const lengthCounts = 0.3;
/** The baseline is the median of nine means of five points: as robust as a median of 45 (four blocks may be wild), nearly as sharp as a mean. */
export const baselineBlocks = 9;
export const baselineBlock = 5;
/** Errors are compared with the higher of this many points before and all of history: an hour of one-minute periods. */
export const errorBaseline = 60;
/**
 * But with the last `healedPoints` alone where less than `healedShare` of the hour's share failed in them: an incident that was over before the release would hide what it
 * adds. At least `healedErrors` are to be expected there, so that chance leaves so few once in 300 times.
 */
export const healedPoints = 15;
export const healedShare = 0.25;
export const healedErrors = 10;
/** Smallest ratio of latency that counts: a fifth more is what people begin to notice, and +8 % that wanders must stay below. */
export const smallestRatio = 1.2;
/** Smallest ratio of traffic that counts: half of it gone. */
export const smallestTraffic = 2;
/** Smallest rise of the error share that counts: half a point, the budget of a month at 99.5 %. */
export const smallestErrors = 0.005;
/** Or this part of the base, where that is more: a doubling is measured as less half of the time. */
export const smallestErrorsRatio = 0.6;
/** But never more than ten points: nobody needs a doubling of 30 %. */
export const smallestErrorsCap = 0.1;
/** Latency in milliseconds below which nobody notices a difference: the lower end of what people can tell. */
export const latencyFloor = 10;
/** At most this many placebo windows: a 99 % quantile needs a few hundred, more only costs time. */
export const placeboCount = 250;
/** Fewer placebo windows than this say nothing about a tail: the spread before the release stands in, widened by `shortHistoryFactor`. */
export const fewestPlacebos = 30;
export const shortHistoryFactor = 1.5;
/** Quantiles of the placebo moves, and how many standard deviations they are away: normal, at 99 % a little more, as real tails are. The widest wins. */
export const tailScores = [[0.84, 1], [0.975, 1.96], [0.99, 2.6]] as const;
/** Degrees of freedom of Student's t: as many as independent windows in the history, within these bounds; from 30 on it is nearly normal. */
export const fewestFreedom = 4;
export const mostFreedom = 30;
/** No spread is taken as smaller than this part of the smallest effect: a constant history does not promise the future. */
export const leastSpread = 0.12;
/** One wild point of the history may count for this many smallest effects (or the harm itself, if that is more): a spike is not a shift. */
export const clipEffects = 3;
/** Evidence needed: 1 in 630 a look, before the checks of course and company, which leave about 1 in 1000 releases (development). */
export const evidenceNeeded = 2.8;
/** Part of each further signal's evidence that is added, and the most it can add: signals of one service are not independent. */
export const furtherShare = 0.5;
export const furtherMost = 1.5;
/** Points that must show the harm: three in a row are a common spike. */
export const fewestBadPoints = 4;
/** A release breaks things at once: a harm that begins n points after it needs (n / `lateScale`)² more evidence, as any later point may begin an incident (development). */
export const lateScale = 7;
/**
 * But at most this much more: a harm that nothing else explains is the release's at any hour. What 26 points ask for, the latest beginning that the
 * bench's 30 points can show, so that its figures stand. Healthy releases watched for twelve hours were accused no more often from a bound of 10 on (development).
 */
export const lateMost = 14;
/** What a late beginning takes off the evidence is told from here on: less is lost in the rounding. */
export const toldLateness = 0.5;
/**
 * Only with so many placebo windows of the same lag: fewer lie side by side in the same hours of the day and look alike. Nor for traffic, which callers take
 * away at any time. Without either condition 5 of 474 healthy releases were accused where 2 are, and 4 of 30 beside an incident where none is (development).
 */
export const latePlacebos = 100;
/** Caches are cold right after a release: latency that is up from the start needs `coldEvidence` more for so many points. */
export const coldPoints = 8;
export const coldEvidence = 1;
/** Part of the effect that makes a point bad. */
export const badShare = 0.6;
/** The last `nowPoints` together must speak for the harm: one good point is noise. */
export const nowPoints = 3;
/** A spike of up to this many points heals by itself, and must not carry a verdict alone: the rest of the window has to speak for the harm, too. */
export const spikePoints = 3;
/** Half-lives in points of what heals by itself: connection pools to large caches; errors and lost traffic of restarting instances are over sooner. */
export const halfLives = { latency: [2, 4, 8], errors: [2], traffic: [2] } as const;
/** A level must fit better than each such decay by this much in ln of likelihood: e⁴ to 1 when it was up from the first point, or from one at which the traffic still moved, as warm-ups are; e to 1 when it began later (development). */
export const fadingLead = 4;
export const lateFadingLead = 1;
/** A level was there before the release when the last points of both these lengths say so. */
export const beforeLengths = [3, 6] as const;
/** Errors were, when any stretch of up to so many points says so by `beforeLead` in ln of likelihood, 7 to 1 (development): few errors come in few points by nature. */
export const beforeMost = 30;
export const beforeLead = 2;
/** Unless the last points before the release (the longer of `beforeLengths`) say beyond doubt that they had gone, as when the harm would have meant 30 more errors there: what healed comes back by something new. With 2, 4 and 8 some 3, 2 and 1 more of 12,600 releases that were not to blame were accused (development). */
export const healedLead = 30;
/** A comparison that shares the harm shows at least about this much of it: Regions and neighbours are hit differently. */
export const sharedStrength = 0.7;
/** One comparison's voice in ln of likelihood: about 20 to 1, so that no single one decides against several. */
export const oneVoice = 3;
/** Sum of the voices up to which the harm counts as not shared: e to 1 against sharing. */
export const sharedLimit = -1;
/** Comparisons with too little data to tell are waited for this many points; then half of what they could say at best is enough. */
export const patiencePoints = 12;
/** Part of the effect in a called dependency that explains the caller: a caller waits for more than one call. */
export const dependencyShare = 0.3;
/** ln of likelihood by which a dependency must rather show that part than nothing: e to 1, as little as a control needs to be believed that it does not share the harm. */
export const dependencyLead = 2;
/** Part of an error that stands for none seen: a history without errors does not prove that there are none. Half of one is the usual choice for a count of zero. */
export const unseenErrors = 0.5;
/** Latency (of comparisons) and traffic are not read below what is usual divided by this: a zero has no logarithm, and 98 % less is as bad as all of it. */
export const levelsBelow = 50;
/** Recovered: at least this many points after the rollback, and the middle of at most the last `recoveryMost` within the limits. */
export const recoveryPoints = 5;
export const recoveryMost = 10;
/** First points after a rollback that are left out when there are more: connections drain, caches fill. */
export const recoverySettle = 2;
/** ln of likelihood by which none of the harm must beat half of it: low, as it is asked beside a limit on the level itself (development). */
export const recoveryRatio = 0.5;
/** Standard deviations of the spread below which 95 % of a normal distribution lie: what stands in for that quantile where there are too few placebo windows. */
export const mostScore = 1.65;
/** Part of the smallest effect from which on a signal counts as harmed, and within which it is back: what half of it hides nobody notices. */
export const recoveredShare = 0.5;
/** However much the signal strays: it is only back below this part of half the harm, so that half of the harm never is. */
export const belowHalf = 0.9;
/** A signal that was not harmed may stray so many times as far as 95 % of its placebo windows: it is not suspected of anything. */
export const strayFactor = 2;
/**
 * log10 of the chance to see so few errors had the harm stayed, from which on it is believed gone: 1 in 100. Asked at each of 16 points of made series of which a tenth
 * goes on failing, it believes 3 of 100 too early with 2 or 5 requests a minute, none from 30 on; without it and the floor of requests they were 60, 17 and none.
 */
export const fewErrorsChance = -2;
/** Not recovered after this many points, and more than half of the harm is there: this way back did not help. Of those that were mended 96 of 100 are seen as such by then, and 1 or 2 are called bad, by this or by `hopelessPoints` (development). Never said of traffic alone. */
export const recoveryDeadline = 20;
/**
 * Already after this many points, where at least `hopelessShare` of the harm is there, and more than half of it in each of the last `nowPoints`: nothing has moved, and whoever waits wants to know.
 * Within 13 points, which the default deadline of 15 minutes gives, it is said of 96 of 100 where all of a harm in errors or latency remains, half of these times at the eighth; of 7 in
 * 1000 that were mended, none of which is seen as mended by then (development).
 */
export const hopelessPoints = 8;
export const hopelessShare = 0.8;
/** Requests since the release, or since the rollback, below which nothing is proven: a tenth of them failing is two. */
export const fewestRequests = 20;
/**
 * Failed requests since the harm began below which errors accuse nobody, of fewer than `manyRequests`: alarms and canaries want as many, and one client that tries
 * again each minute has four in no time. Of any number of requests it costs .002 of recall, and the 90 % delay is 15 points for 14 (development).
 */
export const fewestFailed = 10;
export const manyRequests = 100;
