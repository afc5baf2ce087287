// A configuration that says no more than it has to; each line of it can be broken by a test.
export const minimalYaml = `services:
  checkout:
    targets:
      web:
        strategy: alb-weights
        listenerArn: arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/1/2
        targetGroups:
          blue: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/blue/1
          green: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/green/2
        good: last-known-good
    signals:
      alarms:
        - name: checkout-5xx
      traffic: { none: it has no requests }
      minimum: 1
    verification:
      none: nothing can be asked
    policy:
      approval:
        none: nobody is needed here
`;
