// Checks a list of listener or rule actions as Elastic Load Balancing does, and brings it to the form that Describe shows.
import type { Action, TargetGroupTuple } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../../aws/world.ts';

const finalTypes: readonly string[] = ['forward', 'redirect', 'fixed-response'];
const firstTypes: readonly string[] = ['authenticate-oidc', 'authenticate-cognito', 'jwt-validation'];
const mostGroups = 5;

const badAction = (message: string): AwsError => new AwsError('InvalidLoadBalancerAction', message);
const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

/** Weighted groups of a forward action, in the order given; empty for other actions. */
export const groupsOf = (action: Action): readonly TargetGroupTuple[] => action.ForwardConfig?.TargetGroups ?? (action.TargetGroupArn === undefined ? [] : [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }]);

/** Target groups that a list of actions names, weight 0 included. */
export const groupArns = (actions: readonly Action[]): string[] => actions.flatMap((action) => groupsOf(action).flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []));

/** @throws AwsError with Elastic Load Balancing's codes. */
export function acceptedActions(given: readonly Action[] | undefined, groupExists: (arn: string) => boolean): Action[] {
  const actions = given ?? [];
  if (actions.length === 0) throw invalid('A list of actions must be specified');
  if (actions.length > 1 && actions.some(({ Order }) => Order === undefined)) throw invalid('You must specify an order for each action');
  const ordered = actions.toSorted((a, b) => (a.Order ?? 1) - (b.Order ?? 1));
  if (new Set(ordered.map(({ Order }) => Order)).size !== ordered.length) throw invalid('The order of the actions must be unique');
  ordered.forEach((action, index) => checkPlace(action, index === ordered.length - 1));
  return ordered.map((action) => (action.Type === 'forward' ? acceptedForward(action, groupExists) : checkedOther(action)));
}

function checkPlace({ Type }: Action, isLast: boolean): void {
  const known = Type !== undefined && [...finalTypes, ...firstTypes].includes(Type);
  if (!known) throw badAction(`The action type ${String(Type)} is not supported`);
  if (isLast !== finalTypes.includes(Type)) throw badAction('An action of type forward, redirect or fixed-response must be the last, and only the last, to be performed');
}

function checkedOther(action: Action): Action {
  const config = { 'fixed-response': action.FixedResponseConfig, redirect: action.RedirectConfig, 'authenticate-oidc': action.AuthenticateOidcConfig, 'authenticate-cognito': action.AuthenticateCognitoConfig, 'jwt-validation': action.JwtValidationConfig, forward: action }[action.Type ?? 'forward'];
  if (config === undefined) throw badAction(`The configuration of the ${String(action.Type)} action is missing`);
  return action;
}

function acceptedForward(action: Action, groupExists: (arn: string) => boolean): Action {
  const groups = groupsOf(action).map(({ TargetGroupArn, Weight }) => ({ TargetGroupArn, Weight: Weight ?? 1 }));
  const [first] = groups;
  if (first === undefined) throw badAction('You must specify at least one target group for a forward action');
  if (groups.length > mostGroups) throw badAction(`You can specify at most ${mostGroups} target groups for a forward action`);
  const both = action.TargetGroupArn !== undefined && action.ForwardConfig?.TargetGroups !== undefined;
  if (both && (groups.length !== 1 || first.TargetGroupArn !== action.TargetGroupArn)) throw badAction('If you specify both TargetGroupArn and ForwardConfig, you can specify only one target group and it must be the same in both');
  if (new Set(groups.map(({ TargetGroupArn }) => TargetGroupArn)).size !== groups.length) throw badAction('A target group can be specified only once');
  for (const { TargetGroupArn, Weight } of groups) {
    if (TargetGroupArn === undefined || !groupExists(TargetGroupArn)) throw new AwsError('TargetGroupNotFound', `Target groups '${String(TargetGroupArn)}' not found`);
    if (!Number.isInteger(Weight) || Weight < 0 || Weight > 999) throw invalid(`The weight ${Weight} of a target group must be between 0 and 999`);
  }
  const { TargetGroupStickinessConfig = { Enabled: false } } = action.ForwardConfig ?? {};
  const { Enabled, DurationSeconds } = TargetGroupStickinessConfig;
  if (Enabled === true && (DurationSeconds === undefined || DurationSeconds < 1 || DurationSeconds > 604_800)) throw invalid('The stickiness duration must be between 1 and 604800 seconds');
  return {
    ...action,
    // Describe shows the short form beside the long one when there is a single group.
    ...(groups.length === 1 && first.TargetGroupArn !== undefined ? { TargetGroupArn: first.TargetGroupArn } : {}),
    ForwardConfig: { TargetGroups: groups, TargetGroupStickinessConfig },
  };
}

/** Describe never shows the secret of a login. */
export const withoutSecret = (action: Action): Action => {
  const { ClientSecret: _secret, ...shown } = action.AuthenticateOidcConfig ?? {};
  return action.AuthenticateOidcConfig === undefined ? action : { ...action, AuthenticateOidcConfig: shown as typeof action.AuthenticateOidcConfig };
};

/** Who modifies a login without knowing its secret says UseExistingClientSecret. @throws AwsError `ValidationError`. */
export function keepSecret(action: Action, current: readonly Action[]): Action {
  const config = action.AuthenticateOidcConfig;
  if (config === undefined) return action;
  const { UseExistingClientSecret, ...given } = config;
  const known = current.find(({ AuthenticateOidcConfig: one }) => one?.Issuer === config.Issuer && one?.ClientId === config.ClientId)?.AuthenticateOidcConfig?.ClientSecret;
  const ClientSecret = UseExistingClientSecret === true ? known : config.ClientSecret;
  if (ClientSecret === undefined) throw invalid('A client secret must be specified');
  return { ...action, AuthenticateOidcConfig: { ...given, ClientSecret } };
}
