// What the policies of a role grant by name, and no call has used.
import { many, speaksAbout, type Statement } from './policy.ts';

/**
 * @param used `<policy>/<statement> <action>` of what allowed calls.
 * @returns the same of everything that the statements grant, and nothing in `used` was allowed by.
 */
export function unused(statements: readonly Statement[], used: ReadonlySet<string>): readonly string[] {
  const granted = statements.filter((statement) => statement.effect === 'Allow');
  const keys = granted.flatMap((statement) => many(statement.raw.Action ?? []).map((action) => ({ statement, action })));
  const isUsed = ({ statement, action }: (typeof keys)[number]): boolean =>
    [...used].some((entry) => {
      const at = entry.lastIndexOf(' ');
      const probe: Statement = { ...statement, raw: { Effect: 'Allow', Action: action } };
      return entry.slice(0, at) === statement.id && speaksAbout(probe, { action: entry.slice(at + 1), resource: '*', context: {} });
    });
  return keys.filter((key) => !isUsed(key)).map(({ statement, action }) => `${statement.id} ${action}`);
}
