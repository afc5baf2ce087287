// The condition keys that every request has, whatever the service.
import type { Place, Principal } from '../world.ts';

export interface Caller {
  readonly principal: Principal;
  readonly roleArn: string | null;
}

const principalTypes = { role: 'AssumedRole', user: 'User', root: 'Account' } as const;

export function globalContext({ principal, roleArn }: Caller, world: { readonly place: Place; readonly now: number }): Readonly<Record<string, string>> {
  const context = {
    'aws:CurrentTime': new Date(world.now).toISOString(),
    'aws:EpochTime': String(Math.floor(world.now / 1000)),
    'aws:RequestedRegion': world.place.region,
    // The sandbox stands in for the HTTPS endpoints of AWS.
    'aws:SecureTransport': String(principal.kind !== 'role' || principal.isUnencrypted !== true),
    'aws:PrincipalIsAWSService': String(principal.kind === 'service'),
  };
  // What the service acts for, for example a rule: policies of queues and topics ask for it.
  if (principal.kind === 'service') return principal.sourceArn === undefined ? context : { ...context, 'aws:SourceArn': principal.sourceArn, 'aws:SourceAccount': world.place.account };
  return {
    ...context,
    'aws:SourceIp': '127.0.0.1',
    'aws:PrincipalAccount': world.place.account,
    'aws:PrincipalArn': roleArn ?? principal.arn,
    'aws:PrincipalType': principalTypes[principal.kind],
    ...(principal.kind === 'user' ? { 'aws:username': principal.arn.slice(principal.arn.lastIndexOf('/') + 1) } : {}),
  };
}
