// Shows a parameter's value to people without spreading what it may hold.
import { createHash } from 'node:crypto';

/** A flag or a number; what is longer is told by its length and a hash, so that two can still be compared. */
const longestShown = 40;

export function shown(value: string): string {
  if (value.length <= longestShown && /^[\x20-\x7e]+$/.test(value)) return JSON.stringify(value);
  return `${value.length} characters (SHA-256 ${createHash('sha256').update(value, 'utf8').digest('hex').slice(0, 12)})`;
}
