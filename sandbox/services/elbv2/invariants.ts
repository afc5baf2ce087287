// What must hold for every listener and rule after every change, whoever made it.
import { isDeepStrictEqual } from 'node:util';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Invariant } from '../../aws/world.ts';
import { groupsOf } from './actions.ts';
import type { ActionList } from './records.ts';

interface HasActions {
  readonly arn: string;
  readonly actions: ActionList;
}

const check = (all: () => readonly HasActions[], broken: (actions: ActionList) => string | null) => (): string | null => {
  const found = all().flatMap(({ arn, actions }) => {
    const what = broken(actions);
    return what === null ? [] : [`${arn}: ${what}`];
  });
  return found.length === 0 ? null : found.join('; ');
};

const isLogin = ({ Type }: Action): boolean => Type === 'authenticate-oidc' || Type === 'authenticate-cognito' || Type === 'jwt-validation';

/** Weights never sum to zero; no action is lost; no login is lost or changed. */
export function actionInvariants(all: () => readonly HasActions[]): Invariant[] {
  return [
    {
      name: 'the weights of every forward action sum to more than zero',
      check: check(all, ({ current }) => (current.some((action) => action.Type === 'forward' && groupsOf(action).every(({ Weight = 1 }) => Weight === 0)) ? 'all weights are zero' : null)),
    },
    {
      name: 'no action of a listener or rule is lost',
      check: check(all, ({ created, current }) => {
        const lost = created.filter(({ Type }) => created.filter((action) => action.Type === Type).length > current.filter((action) => action.Type === Type).length);
        return lost.length === 0 ? null : `it lost ${lost.map(({ Type }) => String(Type)).join(', ')}`;
      }),
    },
    {
      name: 'every login of a listener or rule is kept as it was',
      check: check(all, ({ created, current }) => (created.filter(isLogin).every((login) => current.some((action) => isDeepStrictEqual(action, login))) ? null : 'a login action was changed or dropped')),
    },
  ];
}
