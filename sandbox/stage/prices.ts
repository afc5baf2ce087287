// List prices that a run's cost is counted with: us-east-1, without free tiers, US dollars, as of November 2026.

/**
 * Sources: the pricing pages of Step Functions (Standard workflows), Lambda (arm64), DynamoDB (on-demand), CloudWatch and EventBridge,
 * as read in November 2026. What is not here costs nothing a call (CodeDeploy, ECS, ELB, Route 53 changes, SSM standard parameters, IAM) or so
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
} as const;
