// Names that CloudFormation would make: stack, logical id and a suffix; the same at each run, so that scenarios can name them.
import { hash } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** `<stack>-<logical id>-<12 letters>`, cut as CloudFormation cuts it to keep the suffix whole. */
export function physicalName(stackName: string, logicalId: string, longest: number): string {
  const suffix = [...hash('sha256', `${stackName}/${logicalId}`, 'buffer').subarray(0, 12)].map((byte) => letters[byte % letters.length]).join('');
  const room = longest - suffix.length - 1;
  const whole = `${stackName}-${logicalId}`;
  if (whole.length <= room) return `${whole}-${suffix}`;
  const half = Math.floor((room - 1) / 2);
  const stack = stackName.slice(0, Math.max(half, room - 1 - logicalId.length));
  return `${stack}-${logicalId.slice(0, room - 1 - stack.length)}-${suffix}`;
}

/** A UUID that is the same at each run. */
export function stableUuid(stackName: string, logicalId: string): string {
  const hex = hash('sha256', `uuid ${stackName}/${logicalId}`, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
