// IAM of the sandbox: who may do what, why, and what is recorded of it.
import { beforeEach, describe, expect, test } from 'vitest';
import { AccessDenied } from '../../../sandbox/aws/iam/access-denied.ts';
import type { PolicyDocument, RawStatement } from '../../../sandbox/aws/iam/policy.ts';
import { Iam } from '../../../sandbox/aws/iam.ts';
import type { Principal } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { place } from './world.ts';

const queue = 'arn:aws:sqs:eu-west-1:111122223333:dead';
const table = 'arn:aws:dynamodb:eu-west-1:111122223333:table/ledger';
const roleArn = 'arn:aws:iam::111122223333:role/assess';

let iam: Iam;
beforeEach(() => {
  iam = new Iam(place, new SpedUpClock({ startAt: Date.parse('2026-11-20T09:00:00Z') }));
});

const allow = (statement: Partial<RawStatement>): RawStatement => ({ Effect: 'Allow', Action: '*', Resource: '*', ...statement });
const deny = (statement: Partial<RawStatement>): RawStatement => ({ ...allow(statement), Effect: 'Deny' });

function roleWith(...statements: RawStatement[]): Principal {
  iam.putRole({ roleName: 'assess', arn: roleArn, policies: [{ name: 'inline', document: { Statement: statements } }] });
  return iam.issueKey(roleArn).principal;
}

function mayRead(principal: Principal, options: { action?: string; resource?: string; context?: Record<string, string | string[]> } = {}): boolean {
  return iam.isAllowed(principal, { action: options.action ?? 'dynamodb:GetItem', resources: [options.resource ?? table], context: options.context ?? {} });
}

describe('statements', () => {
  const exact = allow({ Action: 'dynamodb:GetItem', Resource: table });
  test.each<[string, boolean, RawStatement[]]>([
    ['no statement at all', false, []],
    ['the action on the resource', true, [exact]],
    ['the action in other letter case', true, [allow({ Action: 'DynamoDB:getitem', Resource: table })]],
    ['a wildcard in the action', true, [allow({ Action: 'dynamodb:Get*' })]],
    ['another action', false, [allow({ Action: ['dynamodb:PutItem', 'dynamodb:Query'] })]],
    ['another resource', false, [allow({ Resource: `${table}2` })]],
    ['the resource in other letter case', false, [allow({ Resource: table.replace('ledger', 'Ledger') })]],
    ['a wildcard at the end of the resource', true, [allow({ Resource: 'arn:aws:dynamodb:eu-west-1:111122223333:table/*' })]],
    ['a question mark for one character', true, [allow({ Resource: table.replace('ledger', 'ledge?') })]],
    ['wildcards for Region and account', true, [allow({ Resource: 'arn:aws:dynamodb:*:*:table/ledger' })]],
    ['a wildcard that would have to cross a colon', false, [allow({ Resource: 'arn:aws:*/ledger' })]],
    ['an explicit deny beside the allow', false, [exact, deny({ Action: 'dynamodb:*' })]],
    ['a deny of something else', true, [exact, deny({ Action: 'dynamodb:PutItem' })]],
    ['NotAction that names the action', false, [{ Effect: 'Allow', NotAction: ['dynamodb:GetItem'], Resource: '*' }]],
    ['NotAction that names another', true, [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }]],
    ['NotResource that names the resource', false, [{ Effect: 'Allow', Action: '*', NotResource: table }]],
    ['NotResource that names another', true, [{ Effect: 'Allow', Action: '*', NotResource: queue }]],
    ['a deny with NotAction', false, [exact, { Effect: 'Deny', NotAction: 'dynamodb:Query', Resource: '*' }]],
  ])('%s: %s', (_name, expected, statements) => {
    expect(mayRead(roleWith(...statements))).toBe(expected);
  });

  test('an action without resource-level permission needs a statement on *', () => {
    const stop = { action: 'codedeploy:StopDeployment', resource: '*' };
    expect(mayRead(roleWith(allow({ Resource: 'arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:a/b' })), stop)).toBe(false);
    expect(mayRead(roleWith(allow({})), stop)).toBe(true);
  });

  test('a policy variable stands for the value in the request, and for nothing when there is none', () => {
    const own = roleWith(allow({ Resource: 'arn:aws:dynamodb:eu-west-1:111122223333:table/${aws:PrincipalTag/table}' }));
    expect(mayRead(own, { context: { 'aws:PrincipalTag/table': 'ledger' } })).toBe(true);
    expect(mayRead(own, { context: { 'aws:PrincipalTag/table': 'audit' } })).toBe(false);
    expect(mayRead(own)).toBe(false);
  });

  test.each<[string, object, string]>([
    ['a Resource that is not a string', { Effect: 'Allow', Action: 'a:b', Resource: { Ref: 'Table' } }, 'not a resolved string'],
    ['a misspelt key', { Effect: 'Allow', Actions: 'a:b', Action: 'a:b', Resource: '*' }, 'Actions'],
    ['neither Action nor NotAction', { Effect: 'Allow', Resource: '*' }, 'NotAction'],
    ['a misspelt effect', { Effect: 'allow', Action: 'a:b', Resource: '*' }, 'Effect is "allow"'],
    ['an unknown operator', { Effect: 'Allow', Action: 'a:b', Resource: '*', Condition: { StringStartsWith: { k: 'v' } } }, 'StringStartsWith'],
  ])('refuses to take a policy with %s', (_name, statement, said) => {
    expect(() => iam.putManagedPolicy('arn:aws:iam::aws:policy/P', { Statement: statement } as unknown as PolicyDocument)).toThrow(said);
  });
});

describe('principals', () => {
  test('a key that the sandbox did not issue is the person at the keyboard, who may do anything', () => {
    expect(mayRead(iam.principalOf('AKIAWHOEVER'))).toBe(true);
    expect(mayRead(iam.principalOf(null))).toBe(true);
  });

  test('a role has its inline policies, those added later and its managed ones', () => {
    const principal = roleWith();
    iam.putManagedPolicy('arn:aws:iam::aws:policy/Read', { Statement: allow({ Action: 'dynamodb:Query' }) });
    iam.putRolePolicy('assess', { name: 'later', document: { Statement: [allow({ Action: 'dynamodb:GetItem' })] } });
    expect(mayRead(principal)).toBe(true);
    expect(mayRead(principal, { action: 'dynamodb:Query' })).toBe(false);
    iam.attachRolePolicy('assess', 'arn:aws:iam::aws:policy/Read');
    expect(mayRead(principal, { action: 'dynamodb:Query' })).toBe(true);
  });

  test('a managed policy that does not exist is an error, not an empty policy', () => {
    const principal = roleWith();
    iam.attachRolePolicy('assess', 'arn:aws:iam::aws:policy/Missing');
    expect(() => mayRead(principal)).toThrow('Missing');
  });

  test('a user has its own policies', () => {
    iam.putUser('olga', [{ name: 'p', document: { Statement: allow({ Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:*:*:table/${aws:username}-ledger' }) } }]);
    const { principal } = iam.issueUserKey('olga');
    expect(principal.arn).toBe('arn:aws:iam::111122223333:user/olga');
    expect(mayRead(principal)).toBe(false);
    expect(mayRead(principal, { resource: table.replace('ledger', 'olga-ledger') })).toBe(true);
  });

  test('a policy that is replaced counts from then on, whosever it is and however often it was asked before', () => {
    const [read, write] = ['dynamodb:GetItem', 'dynamodb:PutItem'].map((Action): PolicyDocument => ({ Statement: allow({ Action, Principal: '*' }) })) as [PolicyDocument, PolicyDocument];
    const arn = 'arn:aws:iam::111122223333:policy/P';
    const owners: [put: (document: PolicyDocument) => void, who: () => Principal][] = [
      [(document) => iam.putRole({ roleName: 'assess', arn: roleArn, policies: [{ name: 'p', document }] }), () => iam.issueKey(roleArn).principal],
      [(document) => iam.putRolePolicy('later', { name: 'p', document }), () => iam.issueKey('later').principal],
      [(document) => iam.putManagedPolicy(arn, document), () => iam.issueKey('managed').principal],
      [(document) => iam.putUser('olga', [{ name: 'p', document }]), () => iam.issueUserKey('olga').principal],
      [(document) => iam.putResourcePolicy(table, document), () => ({ kind: 'service', arn: 'events.amazonaws.com', service: 'events.amazonaws.com' })],
    ];
    iam.putRole({ roleName: 'later', arn: `${roleArn}-later` });
    iam.putRole({ roleName: 'managed', arn: `${roleArn}-managed`, managedPolicyArns: [arn] });
    for (const [put, who] of owners) {
      for (const [document, mayGet] of [[read, true], [write, false], [read, true]] as const) {
        put(document);
        // Twice, as most roles ask for the same again and again.
        expect([mayRead(who()), mayRead(who()), mayRead(who(), { action: 'dynamodb:PutItem' })], String(put)).toEqual([mayGet, mayGet, !mayGet]);
      }
      put({ Statement: [] });
    }
  });

  test('a role of the same name in another sandbox has its own rights', () => {
    const principal = roleWith(allow({ Action: 'dynamodb:GetItem' }));
    const other = new Iam(place, new SpedUpClock());
    other.putRole({ roleName: 'assess', arn: roleArn, policies: [{ name: 'inline', document: { Statement: allow({ Action: 'dynamodb:Query' }) } }] });
    const asked = { action: 'dynamodb:GetItem', resources: [table] };
    expect([iam, other, iam].map((one) => one.isAllowed(principal, asked))).toEqual([true, false, true]);
  });

  test('two sessions of one role have different keys and the same rights', () => {
    roleWith(allow({}));
    const [one, two] = [iam.issueKey('assess', 'one'), iam.issueKey(roleArn, 'two')];
    expect(one.accessKeyId).not.toBe(two.accessKeyId);
    expect(iam.principalOf(two.accessKeyId)).toMatchObject({ kind: 'role', roleName: 'assess', sessionName: 'two', arn: 'arn:aws:sts::111122223333:assumed-role/assess/two' });
    expect(() => iam.issueKey('nobody')).toThrow('no role nobody');
  });

  test('a service takes on only a role that trusts it', () => {
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    iam.putRole({ roleName: 'rule', arn: 'arn:aws:iam::111122223333:role/rule', trust, policies: [{ name: 'p', document: { Statement: allow({ Action: 'dynamodb:GetItem' }) } }] });
    expect(mayRead(iam.assume('arn:aws:iam::111122223333:role/rule', 'events.amazonaws.com'))).toBe(true);
    expect(() => iam.assume('arn:aws:iam::111122223333:role/rule', 'lambda.amazonaws.com')).toThrow('sts:AssumeRole');
  });

  test('a trust is a decision like any other, and once it is lost no service takes the role on', () => {
    const arn = 'arn:aws:iam::111122223333:role/rule';
    iam.putRole({ roleName: 'rule', arn, trust: { Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
    const decisions: unknown[] = [];
    iam.onDecision = (permission) => decisions.push(permission);
    iam.assume(arn, 'events.amazonaws.com');
    iam.distrust('rule');
    expect(() => iam.assume(arn, 'events.amazonaws.com')).toThrow('sts:AssumeRole');
    expect(decisions).toEqual([
      { action: 'sts:AssumeRole', resource: arn, allowed: true, statement: 'trust-rule/0' }, { action: 'sts:AssumeRole', resource: arn, allowed: false, statement: null },
    ]);
  });
});

describe('resource policies', () => {
  const send = { action: 'sqs:SendMessage', resources: [queue], context: { 'aws:SourceArn': 'arn:aws:events:eu-west-1:111122223333:rule/r' } };
  const events: Principal = { kind: 'service', arn: 'events.amazonaws.com', service: 'events.amazonaws.com' };
  const byEvents = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queue };

  test('a service needs one that names it, and its conditions met', () => {
    expect(iam.isAllowed(events, send)).toBe(false);
    iam.putResourcePolicy(queue, { Statement: { ...byEvents, Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:events:eu-west-1:111122223333:rule/other' } } } });
    expect(iam.isAllowed(events, send)).toBe(false);
    iam.putResourcePolicy(queue, { Statement: { ...byEvents, Condition: { ArnEquals: { 'aws:SourceArn': send.context['aws:SourceArn'] } } } });
    expect(iam.isAllowed(events, send)).toBe(true);
  });

  test('a role of the account may do what either its own policy or the resource allows, unless one denies', () => {
    const principal = roleWith();
    iam.putResourcePolicy(queue, { Statement: { ...byEvents, Principal: { AWS: roleArn } } });
    expect(iam.isAllowed(principal, send)).toBe(true);
    iam.putResourcePolicy(queue, { Statement: { ...byEvents, Effect: 'Deny', Principal: '*' } }, 'second');
    expect(iam.isAllowed(principal, send)).toBe(false);
  });

  test('a deny of plain HTTP does not strike: the sandbox stands in for HTTPS endpoints', () => {
    const principal = roleWith(allow({}));
    iam.putResourcePolicy(queue, { Statement: { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sqs:*', Resource: queue, Condition: { Bool: { 'aws:SecureTransport': 'false' } } } });
    expect(iam.isAllowed(principal, send)).toBe(true);
    expect(iam.isAllowed({ ...principal, isUnencrypted: true } as Principal, send)).toBe(false);
  });
});

function denied(principal: Principal): AccessDenied {
  try {
    iam.authorize(principal, { action: 'dynamodb:GetItem', resources: [table] });
  } catch (error) {
    if (error instanceof AccessDenied) return error;
  }
  throw new Error('was not denied');
}

describe('what is said and recorded', () => {
  test('the message is the one that AWS gives', () => {
    expect(denied(roleWith()).message).toBe(`User: arn:aws:sts::111122223333:assumed-role/assess/assess is not authorized to perform: dynamodb:GetItem on resource: ${table} because no identity-based policy allows the dynamodb:GetItem action`);
    expect(denied(roleWith(deny({}))).message).toContain('with an explicit deny in an identity-based policy');
  });

  test('an action taken away is denied until it is given back', () => {
    const principal = roleWith(allow({}));
    const giveBack = iam.takeAway('assess', 'dynamodb:GetItem');
    expect(mayRead(principal)).toBe(false);
    giveBack();
    expect(mayRead(principal)).toBe(true);
  });

  test('each decision names the statement; what no call used is listed', () => {
    const principal = roleWith(allow({ Sid: 'Read', Action: ['dynamodb:GetItem', 'dynamodb:Query'], Resource: table }), allow({ Action: 'sns:Publish' }));
    expect(iam.authorize(principal, { action: 'dynamodb:GetItem', resources: [table] })).toEqual([{ action: 'dynamodb:GetItem', resource: table, allowed: true, statement: 'inline/Read' }]);
    expect(iam.usedBy('assess')).toEqual(['inline/Read dynamodb:GetItem']);
    expect(iam.unusedBy('assess')).toEqual(['inline/Read dynamodb:Query', 'inline/1 sns:Publish']);
  });

  test('machinery that acts as a role is told null or the reason', () => {
    roleWith(allow({ Action: 'dynamodb:GetItem' }));
    expect(iam.denies(roleArn, { action: 'dynamodb:GetItem', resources: [table] })).toBeNull();
    expect(iam.denies(roleArn, { action: 'dynamodb:PutItem', resources: [table] })).toContain('dynamodb:PutItem');
    expect(iam.denies(`${roleArn}2`, { action: 'dynamodb:GetItem', resources: [table] })).toContain('no role');
  });
});
