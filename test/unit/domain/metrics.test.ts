// From the catalogue's entries to columns, from columns to the judge's series, and from its verdict to a signal.
import { describe, expect, it } from 'vitest';
import { decide } from '../../../lambdas/domain/decide.ts';
import { findInMetrics, findRecovery, metricSignals } from '../../../lambdas/domain/metric-findings.ts';
import { metricPlan, queriesOf } from '../../../lambdas/domain/metric-plan.ts';
import { historyPeriods, readingOf, recoveryQuestionOf, releaseQuestionOf } from '../../../lambdas/domain/metrics.ts';
import { metricEntry } from '../../../lambdas/config/metric-entries.ts';
import { alarm, minute, personTrigger, question, quiet, release } from './samples.ts';
import { measured, reading, since } from './metric-samples.ts';

const plan = (input: unknown) => metricPlan(metricEntry.parse(input));
const shown = (input: unknown): string[] => queriesOf([plan(input)]).map((query) => ('expression' in query ? `${query.expression} of ${JSON.stringify(query.metrics)}` : `${query.namespace} ${query.name} ${query.statistic} ${JSON.stringify(query.dimensions)}`));
const arn = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:';

describe('the metrics of a kind of service', () => {
  it('are for a load balancer its targets\' answers and its own, a refused request among the requests', () => {
    const whole = '{"LoadBalancer":"app/shop/50dc6c495c0c9188"}';
    expect(shown({ kind: 'alb-target-group', loadBalancer: `${arn}loadbalancer/app/shop/50dc6c495c0c9188` })).toEqual([
      `AWS/ApplicationELB RequestCount Sum ${whole}`, `AWS/ApplicationELB HTTPCode_ELB_503_Count Sum ${whole}`,
      `AWS/ApplicationELB HTTPCode_Target_5XX_Count Sum ${whole}`, `AWS/ApplicationELB HTTPCode_ELB_5XX_Count Sum ${whole}`,
      `AWS/ApplicationELB TargetResponseTime p99 ${whole}`,
    ]);
  });

  it('are for a target group what CloudWatch has by target group', () => {
    const group = '{"TargetGroup":"targetgroup/blue/1","LoadBalancer":"app/shop/1"}';
    expect(shown({ kind: 'alb-target-group', loadBalancer: 'app/shop/1', targetGroup: `${arn}targetgroup/blue/1` })).toEqual([
      `AWS/ApplicationELB RequestCount Sum ${group}`, `AWS/ApplicationELB HTTPCode_Target_5XX_Count Sum ${group}`, `AWS/ApplicationELB TargetResponseTime p99 ${group}`,
    ]);
  });

  it('are for a function those of its alias', () => {
    expect(shown({ kind: 'lambda', functionName: 'shop', alias: 'live' })[1]).toBe('AWS/Lambda Errors Sum {"FunctionName":"shop","Resource":"shop:live"}');
    expect(shown({ kind: 'lambda', functionName: 'shop', percentile: 'p50' })[2]).toContain('Duration p50');
    expect(shown({ kind: 'lambda', functionName: 'shop' })[2]).toBe('AWS/Lambda Duration p99 {"FunctionName":"shop"}');
  });

  it('are of another Region where an entry names one, which its name then says', () => {
    const names = [{}, { name: 'shop' }, { name: 'us-east-1 shop' }].map((named) => plan({ kind: 'alb-target-group', loadBalancer: 'app/shop/1', region: 'us-east-1', ...named }).name);
    expect(names).toEqual(['shop in us-east-1', 'shop in us-east-1', 'us-east-1 shop']);
    expect(plan({ kind: 'ecs-service', cluster: 'prod', service: 'shop', loadBalancer: 'app/edge/1', region: 'us-east-1' }).name).toBe('shop in us-east-1');
    expect(() => plan({ kind: 'lambda', functionName: 'shop', region: 'us-east1' })).toThrow('needs an AWS Region such as us-east-1');
  });

  it('have the names of a REST API or of an HTTP API', () => {
    expect(shown({ kind: 'api-gateway', apiName: 'shop', stage: 'prod' })[1]).toBe('AWS/ApiGateway 5XXError Sum {"ApiName":"shop","Stage":"prod"}');
    expect(shown({ kind: 'api-gateway', apiId: 'a1b2', stage: 'prod' })[1]).toBe('AWS/ApiGateway 5xx Sum {"ApiId":"a1b2","Stage":"prod"}');
  });

  it('are for tasks what Service Connect counts, or what their load balancer does', () => {
    expect(shown({ kind: 'ecs-service', cluster: 'prod', service: 'shop', discoveryName: 'shop-http', percentile: 'p90' })).toEqual([
      'AWS/ECS RequestCount Sum {"DiscoveryName":"shop-http","ServiceName":"shop","ClusterName":"prod"}',
      'AWS/ECS HTTPCode_Target_5XX_Count Sum {"TargetDiscoveryName":"shop-http"}', 'AWS/ECS TargetResponseTime p90 {"TargetDiscoveryName":"shop-http"}',
    ]);
    expect(plan({ kind: 'ecs-service', cluster: 'prod', service: 'shop', discoveryName: 'shop-http' })).toMatchObject({ name: 'shop', latency: { factor: 1 } });
    expect(shown({ kind: 'ecs-service', cluster: 'prod', service: 'shop', loadBalancer: 'app/edge/1', targetGroup: 'targetgroup/shop/2' })[0])
      .toBe('AWS/ApplicationELB RequestCount Sum {"TargetGroup":"targetgroup/shop/2","LoadBalancer":"app/edge/1"}');
    expect(() => plan({ kind: 'ecs-service', cluster: 'prod', service: 'shop' })).toThrow('ECS itself counts no requests');
  });

  it('are what one computes of one\'s own, with the metrics that it takes', () => {
    const metrics = { all: { namespace: 'Shop', name: 'Requests' }, good: { namespace: 'Shop', name: 'Answered' }, tail: { namespace: 'Shop', name: 'Seconds', statistic: 'p99' } };
    const own = plan({ kind: 'own', metrics, requests: { expression: 'all' }, errors: { expression: 'all - FILL(good, 0)' }, latency: { expression: 'tail * 1000' } });
    expect(own.name).toBe('Shop');
    expect(own.errors).toMatchObject([{ expression: 'all - FILL(good, 0)', metrics: { all: { name: 'Requests', statistic: 'Sum' }, good: {} } }]);
    expect(Object.keys(own.errors.flatMap((query) => ('metrics' in query ? [query.metrics] : []))[0] ?? {})).toEqual(['all', 'good']);
  });

  it('are one\'s own in the unit one names', () => {
    const own = plan({ kind: 'own', requests: { namespace: 'Shop', name: 'Requests' }, latency: { namespace: 'Shop', name: 'Seconds', statistic: 'p90', unit: 'seconds' } });
    expect(own).toMatchObject({ name: 'Shop', errors: [], latency: { factor: 1000, query: { statistic: 'p90' } } });
  });
});

describe('a reading', () => {
  const end = Date.parse(minute(0));
  const at = (...values: [number, number][]) => new Map(values.map(([m, value]) => [end + m * 60_000, value]));
  const alb = plan({ kind: 'alb-target-group', loadBalancer: 'app/shop/1' });
  const of = (columns: ReadonlyMap<number, number>[]) => readingOf({ metrics: [alb], controls: [] }, columns, end).metrics[0];

  it('adds up what belongs together, counts no errors as zero while there are requests, and leaves missing traffic missing', () => {
    expect(of([at([-4, 90], [-3, 100], [-1, 50]), at([-1, 7]), at([-3, 2]), at([-3, 1], [-2, 5]), at([-3, 0.12345], [-1, 0.2])])).toEqual({
      name: 'shop', requests: [90, 100, null, 57], errors: [0, 3, null, 0], latency: [123, null, 200],
    });
  });

  it('keeps three digits of what is counted as a rate, and whole counts as they are', () => {
    const own = plan({ kind: 'own', requests: { namespace: 'Shop', name: 'Rate' }, errors: { namespace: 'Shop', name: 'Failing' } });
    const [one] = readingOf({ metrics: [own], controls: [] }, [at([-2, 8.4321], [-1, 12_345]), at([-2, 0.04321], [-1, 1234.4])], end).metrics;
    expect([one?.requests, one?.errors]).toEqual([[8.43, 12_345], [0.0432, 1234]]);
  });

  it('holds closed periods of 27 hours, and nothing after its end', () => {
    const requests = of([at([-historyPeriods - 1, 5], [-historyPeriods, 6], [-1, 7], [0, 8])])?.requests ?? [];
    expect([requests.length, requests[0], requests.at(-1)]).toEqual([historyPeriods, 6, 7]);
  });

  it('loses its oldest hours rather than outgrow its row', () => {
    const full = new Map(Array.from({ length: historyPeriods }, (_, index) => [end - (index + 1) * 60_000, 123_456_789] as const));
    const plans = { metrics: [alb, alb, alb, alb], controls: [alb, alb] };
    const large = readingOf(plans, Array.from({ length: 30 }, () => full), end);
    // A row takes 300 kB of data, of which the rest of a decision needs its part.
    expect(Buffer.byteLength(JSON.stringify(large))).toBeLessThanOrEqual(300 * 1024 - 100_000);
    const lengths = (list: readonly { readonly requests: readonly unknown[] }[]) => [...new Set(list.map(({ requests }) => requests.length))];
    expect([lengths(large.metrics).length, lengths(large.controls)]).toEqual([1, [840]]);
    expect(large.metrics[0]?.requests.length).toBeGreaterThan(840);
  });

  it('loses hours of its controls first, which nobody reads beyond one before the release; whatever a service may declare keeps all of its own', () => {
    const full = new Map(Array.from({ length: historyPeriods }, (_, index) => [end - (index + 1) * 60_000, 10_000 + index] as const));
    const small = new Map([...full].map(([time, value]) => [time, value % 1000] as const));
    const api = plan({ kind: 'lambda', functionName: 'shop' });
    const fullest = (metrics: number, controls: number) => readingOf({ metrics: Array.from({ length: metrics }, () => api), controls: Array.from({ length: controls }, () => api) }, Array.from({ length: 3 * (metrics + controls) }, (_, index) => (index % 3 === 0 ? full : small)), end);
    const kept = (one: ReturnType<typeof fullest>) => [one.metrics[0]?.requests.length, one.controls[0]?.requests.length];
    expect([kept(fullest(1, 3)), kept(fullest(4, 6))]).toEqual([[historyPeriods, historyPeriods], [historyPeriods, 840]]);
  });

  it('becomes parallel series that end together, with the first period after the release', () => {
    const asked = releaseQuestionOf(reading({ periods: 100 }, [measured('payments', { periods: 40 })]), minute(0.5));
    expect(asked?.series.map(({ name, values }) => [name, values.length])).toEqual([['error rate', 100], ['latency', 100], ['traffic', 100]]);
    expect(asked?.controls[0]?.series[0]?.values.length).toBe(100);
    expect(asked?.releaseIndex).toBe(91);
    expect(releaseQuestionOf(reading({ periods: 100 }), minute(-91))).toBeNull();
  });

  it('asks nothing of traffic without something to compare it to, and of a recovery only where a fall could accuse', () => {
    expect(releaseQuestionOf(reading(), minute(0))?.series.map(({ kind }) => kind)).toEqual(['errors', 'latency']);
    const asked = (withTraffic: boolean) => recoveryQuestionOf(reading(), { releaseStartedAt: minute(0), changedAt: minute(4), withTraffic })?.series.map(({ kind }) => kind);
    expect([asked(false), asked(true)]).toEqual([['errors', 'latency'], ['errors', 'latency', 'traffic']]);
  });
});

describe('what metrics say of a release', () => {
  const finding = (own: Parameters<typeof reading>[0], controls: Parameters<typeof reading>[1] = []) => findInMetrics(reading(own, controls), release(), minute(10));

  it('is worse, since it began, in the judge\'s words', () => {
    const found = finding({ errors: since(2, 0.04) });
    expect(found).toMatchObject({ verdict: 'worse', since: minute(2) });
    expect(found?.text).toContain('ROLL BACK: error rate');
    expect(metricSignals(found)).toMatchObject([{ kind: 'metrics', group: 'metrics', status: 'firing', since: minute(2), isOlderThanRelease: false }]);
  });

  it('is unrelated when a control shows the same, and then neither fires nor is quiet', () => {
    const found = finding({ errors: since(2, 0.3) }, [measured('payments', { errors: since(2, 0.3) }), measured('search', { errors: since(2, 0.25) })]);
    expect(found?.verdict).toBe('unrelated');
    expect(metricSignals(found)[0]?.status).toBe('unknown');
    expect(found?.text.startsWith('payments, search got worse as well. error rate 3')).toBe(true);
  });

  it('names of many that share a harm three, and none that stayed flat', () => {
    const sick = ['a', 'b', 'c', 'd', 'e'].map((name) => measured(name, { errors: since(2, 0.3) }));
    expect(finding({ errors: since(2, 0.3) }, [measured('flat'), ...sick])?.text).toMatch(/^a, b, c and 2 more got worse as well\. /);
  });

  it('is worse too where the release began in the middle of the minute in which the errors begin', () => {
    const found = findInMetrics(reading({ errors: since(2, 0.04) }), release({ startedAt: minute(2).replace(':00.000Z', ':20.000Z') }), minute(10));
    expect(found?.verdict).toBe('worse');
  });

  it('is unrelated when what the service calls shows a third of it; of a control beside it that leaves a doubt only', () => {
    const payments = measured('payments', { errors: since(2, 0.08) });
    const beside = measured('search');
    expect(finding({ errors: since(2, 0.25) }, [payments, beside])?.verdict).toBe('unknown');
    const called = finding({ errors: since(2, 0.25) }, [{ ...payments, calls: true }, { ...measured('stock'), calls: true }, beside]);
    expect(called?.verdict).toBe('unrelated');
    expect(called?.text.startsWith('payments got worse as well. ')).toBe(true);
  });

  it('is quiet when nothing moved', () => {
    expect(finding({})?.verdict).toBe('quiet');
  });

  it('is unknown without data since the release, without any data, with too few requests, and when it could not be read', () => {
    expect(finding({ requests: (m) => (m >= 0 ? null : 1000) })?.verdict).toBe('unknown');
    expect(finding({ periods: 0 })?.verdict).toBe('unknown');
    expect(finding({ requests: (m) => (m >= 0 ? 1 : 1000) })?.verdict).toBe('unknown');
    expect(findInMetrics({ status: 'unknown', why: 'denied' }, release(), minute(10))?.verdict).toBe('unknown');
  });

  it('is nothing without metrics, without a release, with no history before it, and half a day later', () => {
    expect(findInMetrics(undefined, release(), minute(10))).toBeNull();
    expect(findInMetrics(reading(), null, minute(10))).toBeNull();
    expect(finding({ periods: 10 })).toBeNull();
    expect(findInMetrics(reading({ errors: since(2, 0.3) }), release({ startedAt: minute(-720) }), minute(10))).toBeNull();
  });
});

describe('what metrics say when a Region with controls does not answer', () => {
  const unread = [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'cloudwatch:GetMetricData got no answer: TimeoutError' }];
  const heard = (own: Parameters<typeof reading>[0], controls: Parameters<typeof reading>[1] = [], now = 10) => findInMetrics({ ...reading({ ...own, until: now }, controls), unread }, release(), minute(now));
  const sentence = 'The controls of us-east-1 could not be read: cloudwatch:GetMetricData got no answer: TimeoutError.';

  it('is not yet the release\'s while that Region is asked again, and says why and how it was', () => {
    const found = heard({ errors: since(2, 0.04) });
    expect(found).toMatchObject({ verdict: 'unknown', since: null });
    expect(found?.text).toMatch(/^The controls of us-east-1 could not be read: .*TimeoutError\. error rate 4\.\d+ % in the last 5 minutes, .* in the hour before the release.* asked again until it has lasted 12 minutes\.$/);
    expect(metricSignals(found)[0]?.status).toBe('unknown');
  });

  it('is worse without them after twelve minutes of harm, and says so', () => {
    const harm = { errors: since(2, 0.04) };
    expect(heard(harm, [], 13)?.verdict).toBe('unknown');
    const found = heard(harm, [], 14);
    expect(found).toMatchObject({ verdict: 'worse', since: minute(2) });
    expect(found?.text).toMatch(new RegExp(`^${sentence} ROLL BACK: error rate .* There was nothing to compare it with\\.`));
  });

  it('is unrelated where those that answered share the harm, and quiet where there is none', () => {
    const found = heard({ errors: since(2, 0.3) }, [measured('search', { errors: since(2, 0.3) })]);
    expect(found?.verdict).toBe('unrelated');
    expect(found?.text.startsWith(`${sentence} search got worse as well. error rate `)).toBe(true);
    const quietOne = heard({});
    expect(quietOne?.verdict).toBe('quiet');
    expect(quietOne?.text.startsWith(sentence)).toBe(true);
  });
});

describe('the decision with metrics', () => {
  const bad = reading({ errors: since(2, 0.04) });
  const alone = [alarm('5xx'), quiet('latency')];
  const everywhere = reading({ errors: since(2, 0.3) }, [measured('payments', { errors: since(2, 0.3) }), measured('search', { errors: since(2, 0.25) })]);

  it('counts them as one independent signal', () => {
    expect(decide(question({ alarms: alone })).verdict).toBe('hold');
    const said = decide(question({ alarms: alone, metrics: bad }));
    expect(said.verdict).toBe('roll-back');
    expect(said.reasons.find(({ code }) => code === 'signals-agree')?.text).toBe('2 independent: alarm 5xx, metrics.');
    expect(said.signals.find(({ kind }) => kind === 'metrics')?.summary).toContain('ROLL BACK');
  });

  it('acts on them alone only where one signal is enough', () => {
    const watched = { trigger: { kind: 'watch', releaseId: 'r-2', alarms: [], journeys: [], metrics: true } as const, alarms: [quiet('5xx')], metrics: bad };
    expect(decide(question(watched)).verdict).toBe('hold');
    expect(decide(question({ ...watched, minimumSignals: 1 })).verdict).toBe('roll-back');
    expect(decide(question({ ...watched, metrics: reading() })).reasons[0]?.code).toBe('no-longer-firing');
    expect(decide(question({ ...watched, metrics: { status: 'unknown', why: 'throttled' } })).reasons[0]?.code).toBe('signal-unreadable');
  });

  it('looks again, then asks a person, where they say that it is not the release', () => {
    expect(decide(question({ metrics: everywhere }))).toMatchObject({ verdict: 'hold', reasons: [{ code: 'metrics-unrelated' }] });
    const later = decide(question({ metrics: everywhere, startedAt: minute(4) }));
    expect(later).toMatchObject({ verdict: 'ask', approval: { onDeadline: 'stop' } });
    expect(later.reasons.map(({ code }) => code)).toContain('metrics-unrelated');
  });

  it('does what a person asked for whatever they say', () => {
    expect(decide(question({ metrics: everywhere, trigger: personTrigger() })).verdict).toBe('roll-back');
  });

  it('is made again from what the audit keeps', () => {
    const silent = { ...bad, unread: [{ region: 'us-east-1', names: ['shop in us-east-1'], why: 'no answer' }] };
    expect(decide(question({ alarms: alone, metrics: silent })).verdict).toBe('hold');
    for (const metrics of [bad, everywhere, silent, reading()]) {
      const asked = question({ metrics });
      expect(decide(JSON.parse(JSON.stringify(asked)) as typeof asked)).toEqual(decide(asked));
    }
  });
});

describe('what metrics say of a recovery', () => {
  const taken = (released: number, changed: number, withTraffic = false) => ({ releaseStartedAt: minute(released), changedAt: minute(changed), withTraffic });
  const after = (own: Parameters<typeof reading>[0], changed = 2) => findRecovery(reading(own), taken(-20, changed));
  const harm = (from: number, to: number) => (m: number): number => (m >= from && m < to ? 0.3 : 0);

  it('is proof when the harm is gone for some minutes', () => {
    expect(after({ errors: harm(-18, 2) })).toMatchObject({ isProven: true, reason: { code: 'metrics-recovered' } });
  });

  it('is none while the harm is there, too early, without data, and when they cannot be read', () => {
    expect(after({ errors: harm(-18, 60) })?.isProven).toBe(false);
    expect(after({ errors: harm(-18, 8) }, 8)?.isProven).toBe(false);
    expect(after({ errors: harm(-18, 2), requests: (m) => (m >= 2 ? null : 1000) })?.isProven).toBe(false);
    expect(findRecovery({ status: 'unknown', why: 'denied' }, taken(-20, 2))).toMatchObject({ isProven: false, isHopeless: false, reason: { code: 'metrics-unknown' } });
  });

  it('is none while the traffic is gone whose fall could accuse, but never hopeless: nobody asked the controls', () => {
    const lost = (from: number, to: number, until: number) => reading({ requests: (m) => (m >= from && m < to ? 200 : 1000), until }, ['cart', 'pay', 'search'].map((name) => measured(name, { until })));
    expect(findInMetrics(lost(-10, 60, 0), { startedAt: minute(-10) }, minute(0))?.verdict).toBe('worse');
    const later = (to: number, until: number, withTraffic = true) => findRecovery(lost(-10, to, until), taken(-10, 0, withTraffic));
    expect(later(60, 7)).toMatchObject({ isProven: false, isHopeless: false, reason: { code: 'metrics-not-yet', text: expect.stringMatching(/traffic is as bad as before the rollback: 200 requests a period now, 99\d requests a period expected/) } });
    expect(later(60, 8)).toMatchObject({ isProven: false, isHopeless: false, left: [{ kind: 'traffic' }] });
    expect(later(1, 15)).toMatchObject({ isProven: true, reason: { code: 'metrics-recovered' } });
    // Without anything to compare it with, a fall of traffic accused nobody, and proves nothing.
    expect(later(60, 15, false)).toMatchObject({ isProven: false, isHopeless: false, isUnclear: false, left: [{ kind: 'traffic' }] });
  });

  it('is not asked for without metrics, a release, or what was usual before it', () => {
    expect(findRecovery(undefined, taken(-20, 2))).toBeNull();
    expect(findRecovery(reading(), { ...taken(-20, 2), releaseStartedAt: null })).toBeNull();
    expect(after({ periods: 35 })).toBeNull();
  });
});
