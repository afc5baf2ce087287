// Each mistake in services.yaml is named once, with its line, its path and the mend.
import { describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../lib/load-config.ts';
import { minimalYaml } from './config-samples.ts';

const problems = (yaml: string): string[] => {
  try {
    parseConfig(yaml, 'services.yaml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

/** The sample with one text replaced; the text has to be there. */
const broken = (from: string, to: string): string[] => {
  expect(minimalYaml).toContain(from);
  return problems(minimalYaml.replace(from, to));
};

const oneJourney = '    journeys: { j: { requests: [{ name: r, url: "https://example.com/" }] } }';

const targetYaml = minimalYaml.slice(minimalYaml.indexOf('        strategy'), minimalYaml.indexOf('    signals'));

const signalsYaml = minimalYaml.slice(minimalYaml.indexOf('    signals'), minimalYaml.indexOf('    verification'));

test('the interval that a message names is enough', () => {
  const proof = (seconds: number) => minimalYaml.replace('    signals:', '    rungs: [[[web]], [[web]], [[web]]]\n    signals:')
    .replace('      none: nothing can be asked', `      { intervalSeconds: ${seconds}, deadlineMinutes: 240 }\n${oneJourney}`);
  expect(problems(proof(50))).toHaveLength(1);
  expect(problems(proof(51))).toEqual([]);
});

test('the smallest configuration is accepted, with every default resolved', () => {
  const { engine, services } = parseConfig(minimalYaml, 'services.yaml');
  expect(engine).toEqual({ name: 'ripcord', onCall: [], stakeholders: [], approvers: [], storm: { services: 5, minutes: 10, unrelated: 2 } });
  expect(services['checkout']).toMatchObject({ signals: { minimum: 1, holdSeconds: 300, external: [] }, journeys: {}, policy: { dailyBudget: 3, bakeMinutes: 60 } });
});

describe('one mistake, one line', () => {
  const cases: [string, string, string, string][] = [
    ['an unknown key', '    signals:\n', '    signal:\n', 'services.yaml:11 services.checkout.signal: is not a known key; did you mean "signals"?'],
    ['an unknown key in a union', '      none: nothing can be asked', `      passesInRow: 3\n${oneJourney}`,
      'services.yaml:17 services.checkout.verification.passesInRow: is not a known key; did you mean "passesInARow"?'],
    ['an unknown key in a target', '        good: last-known-good', '        good: last-known-good\n        minimumHealthy: 2',
      'services.yaml:11 services.checkout.targets.web.minimumHealthy: is not a known key; did you mean "minimumHealthyTargets"?'],
    ['a wrong ARN', 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/1/2', 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/1',
      'services.yaml:6 services.checkout.targets.web.listenerArn: needs an ARN like arn:aws:elasticloadbalancing:<region>:<account>:listener/…'],
    ['a target without its good side', '        good: last-known-good\n', '',
      'services.yaml:4 services.checkout.targets.web.good: needs its good side: either `last-known-good`, or `{ side: <name> }` when one side is always the stable one'],
    ['a good side that does not exist', 'good: last-known-good', 'good: { side: purple }',
      'services.yaml:10 services.checkout.targets.web.good.side: names side "purple", which is not one of blue, green'],
    ['one side only', '          green: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/green/2\n', '',
      'services.yaml:7 services.checkout.targets.web.targetGroups: needs at least two sides, for example blue and green'],
    ['a strategy that is not known', 'strategy: alb-weights', 'strategy: alb-weight',
      'services.yaml:5 services.checkout.targets.web.strategy: "alb-weight" is not known; did you mean "alb-weights"?'],
    ['no strategy at all', '        strategy: alb-weights\n', '',
      'services.yaml:4 services.checkout.targets.web.strategy: is missing; it must be one of alb-weights, codedeploy, ecs-service, lambda-alias, route53-weights, ssm-parameter'],
    ['a platform that is not known', minimalYaml.slice(minimalYaml.indexOf('        strategy'), minimalYaml.indexOf('    signals')),
      '        strategy: codedeploy\n        platform: Fargate\n        application: a\n        deploymentGroup: b\n        good: last-known-good\n',
      'services.yaml:6 services.checkout.targets.web.platform: "Fargate" is not known; known: Server, Lambda, ECS'],
    ['a flag without the value that is off', targetYaml, '        strategy: ssm-parameter\n        parameter: /shop/flag\n        good: off\n',
      'services.yaml:7 services.checkout.targets.web.good: needs its good value: either `last-known-good`, or `{ value: <text> }` when one value always means off'],
    ['a version in the name of a parameter', targetYaml, '        strategy: ssm-parameter\n        parameter: "/shop/flag:3"\n        good: { value: "off" }\n',
      'services.yaml:6 services.checkout.targets.web.parameter: needs a parameter\'s name like /shop/flags/new-checkout, or its ARN, without a version or label'],
    ['a misspelled key of a flag', targetYaml, '        strategy: ssm-parameter\n        parameter: /shop/flag\n        good: last-known-good\n        takesEffectSecond: 5\n',
      'services.yaml:8 services.checkout.targets.web.takesEffectSecond: is not a known key; did you mean "takesEffectSeconds"?'],
    ['a version where an alias belongs', targetYaml, '        strategy: lambda-alias\n        functionName: shop\n        alias: "7"\n        good: last-known-good\n',
      'services.yaml:7 services.checkout.targets.web.alias: needs the name of an alias, such as `live`; a version number cannot be moved'],
    ['an ARN where the name of a function belongs', targetYaml, '        strategy: lambda-alias\n        functionName: arn:aws:lambda:eu-west-1:111122223333:function:shop\n        alias: live\n        good: last-known-good\n',
      'services.yaml:6 services.checkout.targets.web.functionName: needs the function\'s name, not its ARN, and without a version or alias'],
    ['an ARN where the name of an ECS service belongs', targetYaml, '        strategy: ecs-service\n        cluster: prod\n        service: arn:aws:ecs:eu-west-1:111122223333:service/prod/shop\n        good: last-known-good\n',
      'services.yaml:7 services.checkout.targets.web.service: needs the name of the service, not its ARN'],
    ['a side where an ECS service has none', targetYaml, '        strategy: ecs-service\n        cluster: prod\n        service: shop\n        good: { side: blue }\n',
      'services.yaml:8 services.checkout.targets.web.good: needs its good side: `good: last-known-good`'],
    ['a missing approver role', '        none: nobody is needed here', '        { required: always, timeoutMinutes: 30, onDeadline: stop }',
      'services.yaml:1 engine.approvers: needs at least one IAM role: service "checkout" asks for approval and nobody could answer'],
    ['approval left open', '      approval:\n        none: nobody is needed here\n', '      dailyBudget: 3\n',
      'services.yaml:18 services.checkout.policy.approval: is missing; it needs one of: { none } or { required, timeoutMinutes, onDeadline }'],
    ['a word about interruptions that nobody knows', '      approval:\n', '      interruption: never\n      approval:\n',
      'services.yaml:19 services.checkout.policy.interruption: needs `last`, or `ask` for a person\'s yes'],
    ['a slow way back without a reason', '      approval:\n', '      slowWayBack: { accepted: yes }\n      approval:\n',
      'services.yaml:19 services.checkout.policy.slowWayBack.accepted: needs a reason a colleague would accept (10 characters or more)'],
    ['verification left open', '    verification:\n      none: nothing can be asked\n', '',
      'services.yaml:2 services.checkout.verification: is missing; it needs one of: { none } or { passesInARow, intervalSeconds, deadlineMinutes, fewRequests }'],
    ['a proof without journeys', '      none: nothing can be asked', '      passesInARow: 3',
      'services.yaml:2 services.checkout.journeys: needs at least one journey to prove a recovery; or say `verification: { none: <reason> }`'],
    ['a reason that says nothing', 'none: it has no requests', 'none: because',
      'services.yaml:14 services.checkout.signals.traffic.none: needs a reason a colleague would accept (10 characters or more)'],
    ['no signal at all', '      alarms:\n        - name: checkout-5xx\n', '',
      'services.yaml:11 services.checkout.signals.alarms: needs at least one alarm or external tool, an `slo`, or `metrics` with `minimum: 1`: nothing could start a rollback'],
    ['metrics alone where one signal is not enough', signalsYaml, '    signals: { metrics: [{ kind: lambda, functionName: shop }], traffic: { none: it has no requests } }\n',
      'services.yaml:11 services.checkout.signals.alarms: needs at least one alarm or external tool, an `slo`, or `metrics` with `minimum: 1`: nothing could start a rollback'],
    ['more signals than there can be', '      minimum: 1\n', '',
      'services.yaml:11 services.checkout.signals.minimum: asks for 2 independent signals, and the service can have only 1 (checkout-5xx), so that nothing would ever be done without a person; use `minimum: 1`, or add alarms of another group, a journey, `metrics` or an external tool'],
    ['an alarm without its name', '        - name: checkout-5xx', '        - group: errors',
      'services.yaml:13 services.checkout.signals.alarms.0.name: is missing; it needs a string'],
    ['a rung that names no target', '    signals:\n', '    rungs: [[[wep]]]\n    signals:\n',
      'services.yaml:11 services.checkout.rungs.0.0.0: names target "wep", which is not one of web; did you mean web?'],
    ['a name that cannot be one', '  checkout:', '  Checkout:',
      'services.yaml:2 services.Checkout: needs 1–40 lower-case letters, digits and hyphens, beginning with a letter'],
    ['a number that is too large', 'minimum: 1', 'minimum: 9', 'services.yaml:15 services.checkout.signals.minimum: Too big: expected number to be <=5'],
    ['an e-mail address that is none', 'services:\n', 'engine: { onCall: [somebody] }\nservices:\n', 'services.yaml:1 engine.onCall.0: Invalid email address'],
    ['more rounds of proof than one execution can hold', '      none: nothing can be asked',
      `      { intervalSeconds: 5, deadlineMinutes: 240 }\n${oneJourney}`,
      'services.yaml:17 services.checkout.verification.intervalSeconds: asks 2880 times before its deadline, more than the 300 that one rollback can hold; use an interval of at least 48 seconds'],
    ['more events than one execution can hold, by the proofs of all rungs', minimalYaml.slice(minimalYaml.indexOf('    signals'), minimalYaml.indexOf('    policy')),
      `    rungs: [[[web]], [[web]], [[web]]]\n${signalsYaml}    verification: { intervalSeconds: 48, deadlineMinutes: 240 }\n${oneJourney}\n`,
      'services.yaml:17 services.checkout.verification.intervalSeconds: can write 23030 events into the history of one rollback, more than the 22000 that it can hold; use an interval of at least 51 seconds, or a shorter deadline'],
    ['more events than one execution can hold, by its targets', '    signals:\n', `    rungs: [[[${Array.from({ length: 60 }, () => 'web').join(', ')}]]]\n    signals:\n`,
      'services.yaml:11 services.checkout.rungs: can write 22520 events into the history of one rollback, more than the 22000 that it can hold; split the service into several with fewer targets each'],
    ['a kind of metrics that is not known', '      traffic:', '      metrics:\n        - { kind: alb, loadBalancer: app/shop/1 }\n      traffic:',
      'services.yaml:15 services.checkout.signals.metrics.0.kind: "alb" is not known; known: alb-target-group, lambda, api-gateway, ecs-service, own'],
    ['a load balancer that is none', '      traffic:', '      metrics:\n        - kind: alb-target-group\n          loadBalancer: shop\n      traffic:',
      'services.yaml:16 services.checkout.signals.metrics.0.loadBalancer: needs the ARN of an application load balancer, or the end of it: app/<name>/<id>'],
    ['an alias in the name of a function', '      traffic:', '      metrics:\n        - kind: lambda\n          functionName: shop:live\n      traffic:',
      'services.yaml:16 services.checkout.signals.metrics.0.functionName: needs the plain name of the function; put an alias into `alias`'],
    ['an API without a name', '      traffic:', '      metrics:\n        - kind: api-gateway\n          stage: prod\n      traffic:',
      'services.yaml:16 services.checkout.signals.metrics.0.stage: needs beside it either `apiName` (a REST API) or `apiId` (an HTTP API)'],
    ['traffic as the only metric', '      traffic:', '      metrics:\n        - kind: own\n          requests: { namespace: Shop, name: Requests }\n      traffic:',
      'services.yaml:16 services.checkout.signals.metrics.0.requests: needs `errors` or `latency` beside it: more or fewer requests alone accuse no release'],
    ['controls with nothing to compare them with', '      traffic:', '      controls: [{ kind: lambda, functionName: payments }]\n      traffic:',
      'services.yaml:14 services.checkout.signals.controls: needs `metrics` beside it: there is nothing to compare them with'],
    ['a control that looks like the service itself', '      traffic:', '      metrics: [{ kind: lambda, functionName: shop }]\n      controls:\n        - { kind: lambda, functionName: shop }\n      traffic:',
      'services.yaml:16 services.checkout.signals.controls.0: is called "shop" like another one; give it a `name` of its own'],
    ['a proof too short for metrics', minimalYaml.slice(minimalYaml.indexOf('      traffic'), minimalYaml.indexOf('    policy')),
      `      metrics: [{ kind: lambda, functionName: shop }]\n      traffic: { none: it has no requests }\n    verification:\n      deadlineMinutes: 5\n${oneJourney}\n`,
      'services.yaml:17 services.checkout.verification.deadlineMinutes: needs at least 10 minutes with `signals.metrics`: a recovery takes minutes to show in them'],
    ['a service twice', 'services:\n', 'services:\n  checkout: {}\n', 'services.yaml:3 services.checkout: this name is used twice; give one of them another name'],
    ['no services', minimalYaml, 'services: {}\n', 'services.yaml:1 services: needs at least one service'],
    ['nothing at all', minimalYaml, '# empty\n', 'services.yaml:1 (top level): needs a mapping with the key `services`'],
  ];
  test.each(cases)('%s', (_, from, to, expected) => {
    expect(broken(from, to)).toEqual([expected]);
  });
});

test('metrics alone are enough to start a rollback where one signal is', () => {
  expect(broken('      alarms:\n        - name: checkout-5xx\n', '      metrics: [{ kind: lambda, functionName: shop }]\n')).toEqual([]);
  expect(broken('      alarms:\n        - name: checkout-5xx\n', '')).toHaveLength(1);
});

test('several mistakes are told together, in the order of their lines', () => {
  const yaml = minimalYaml.replace('strategy: alb-weights', 'strategy: alb').replace('- name: checkout-5xx', '- nam: checkout-5xx').replace('none: nothing can be asked', 'none: no');
  expect(problems(yaml)).toEqual([
    'services.yaml:5 services.checkout.targets.web.strategy: "alb" is not known; known: alb-weights, codedeploy, ecs-service, lambda-alias, route53-weights, ssm-parameter',
    'services.yaml:13 services.checkout.signals.alarms.0.nam: is not a known key; did you mean "name"?',
    'services.yaml:17 services.checkout.verification.none: needs a reason a colleague would accept (10 characters or more)',
  ]);
});

test('text that is no YAML is named with its line', () => {
  expect(problems('services:\n  a: [1, 2\n')[0]).toMatch(/^services\.yaml:\d: .+/);
});

test('a file that is not there says how to name another one', () => {
  expect(() => loadConfig('/nowhere/services.yaml')).toThrow(/\/nowhere\/services\.yaml: cannot be read .* -c config=<path>/);
});

test('the example at the top level is right', () => {
  expect(Object.keys(loadConfig('services.yaml').services)).toEqual(['checkout', 'search']);
});
