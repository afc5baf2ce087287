// How the sandbox's own machinery asks IAM on behalf of a role that AWS services assume.
import type { Authorization } from './aws/world.ts';

export interface RoleGate {
  /** Null when the role may do it on behalf of `sourceArn`; else the AccessDenied text. */
  denies(roleArn: string, authorization: Authorization, sourceArn: string): string | null;
}
