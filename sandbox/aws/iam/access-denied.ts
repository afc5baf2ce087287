// A call that the policies do not allow, said the way AWS says it.
import { AwsError, type Permission, type Principal } from '../world.ts';

/** Each dialect gives it its own code and status. */
export class AccessDenied extends AwsError {
  readonly permission: Permission;
  constructor(principal: Principal, permission: Permission, decision: { readonly explicit: boolean }) {
    super('AccessDeniedException', message(principal, permission, decision.explicit), { status: 400 });
    this.name = 'AccessDenied';
    this.permission = permission;
  }
}

function message(principal: Principal, permission: Permission, explicit: boolean): string {
  const who = principal.kind === 'service' ? principal.service : principal.arn;
  const resource = permission.resource === '*' ? '' : ` on resource: ${permission.resource}`;
  const policy = permission.action === 'sts:AssumeRole' ? 'trust' : principal.kind === 'service' ? 'resource-based' : 'identity-based';
  const because = explicit ? `with an explicit deny in an ${policy} policy` : `because no ${policy} policy allows the ${permission.action} action`;
  return `User: ${who} is not authorized to perform: ${permission.action}${resource} ${because}`;
}
