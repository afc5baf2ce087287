// List prices that a run's cost is counted with: us-east-1, without free tiers, US dollars, as of November 2026.

/**
 * Of Standard workflows, arm64 functions and on-demand tables, from the pages in `sources`. What is not here costs nothing a call (CodeDeploy, ECS, ELB, Route 53 changes, SSM standard parameters, IAM) or so
 * little that it does not show (SNS, KMS, X-Ray, logs).
 */
export const prices = {
  asOf: '2026-11',
  region: 'us-east-1',
  stateTransition: 0.025 / 1000,
  lambdaRequest: 0.2 / 1_000_000,
  lambdaGigabyteSecond: 0.000_013_333_4,
  /** A write of up to 1 kB. */
  dynamoWriteUnit: 0.625 / 1_000_000,
  /** A consistent read of up to 4 kB. */
  dynamoReadUnit: 0.125 / 1_000_000,
  /** GetMetricData, for each metric asked for. */
  metricRequested: 0.01 / 1000,
  customEvent: 1 / 1_000_000,
  sources: {
    stateTransition: 'https://aws.amazon.com/step-functions/pricing/',
    lambdaRequest: 'https://aws.amazon.com/lambda/pricing/',
    lambdaGigabyteSecond: 'https://aws.amazon.com/lambda/pricing/',
    dynamoWriteUnit: 'https://aws.amazon.com/dynamodb/pricing/',
    dynamoReadUnit: 'https://aws.amazon.com/dynamodb/pricing/',
    metricRequested: 'https://aws.amazon.com/cloudwatch/pricing/',
    customEvent: 'https://aws.amazon.com/eventbridge/pricing/',
  },
} as const;
