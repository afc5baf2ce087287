// Names of the environment variables, shared with the constructs, and the only reader of process.env.

export const variables = {
  ledgerTable: 'RIPCORD_LEDGER_TABLE',
  auditTable: 'RIPCORD_AUDIT_TABLE',
  /** Path prefix of the catalogue's SSM parameters, ending in a slash; the parameter's name is prefix + service. */
  cataloguePrefix: 'RIPCORD_CATALOGUE_PREFIX',
  onCallTopicArn: 'RIPCORD_ON_CALL_TOPIC_ARN',
  stakeholderTopicArn: 'RIPCORD_STAKEHOLDER_TOPIC_ARN',
  rollbackMachineArn: 'RIPCORD_ROLLBACK_MACHINE_ARN',
  watchMachineArn: 'RIPCORD_WATCH_MACHINE_ARN',
  approvalUrlParameter: 'RIPCORD_APPROVAL_URL_PARAMETER',
  /** Comma-separated IAM role ARNs. */
  approverRoleArns: 'RIPCORD_APPROVER_ROLE_ARNS',
  stormServices: 'RIPCORD_STORM_SERVICES',
  stormMinutes: 'RIPCORD_STORM_MINUTES',
  stormUnrelated: 'RIPCORD_STORM_UNRELATED',
  codeVersion: 'RIPCORD_CODE_VERSION',
  engineName: 'RIPCORD_ENGINE_NAME',
} as const;

export type Variable = keyof typeof variables;

/** @throws Error naming the variable when it is missing or empty. */
export function read(variable: Variable): string {
  const value = process.env[variables[variable]];
  if (value === undefined || value === '') throw new Error(`environment variable ${variables[variable]} is not set`);
  return value;
}
