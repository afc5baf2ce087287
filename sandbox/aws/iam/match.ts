// IAM's wildcards: `*` and `?` in actions, ARNs and condition values.

const compiled = new Map<string, RegExp>();

/** Whether the text matches the pattern as a whole. */
export function matchesWildcard(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  const key = `${options.ignoreCase === true ? 'i' : 's'}${pattern}`;
  let expression = compiled.get(key);
  if (expression === undefined) {
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
    expression = new RegExp(`^${source}$`, options.ignoreCase === true ? 'is' : 's');
    compiled.set(key, expression);
  }
  return expression.test(text);
}

/** ARNs are compared part by part: a wildcard before the last part does not cross a colon. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = splitArn(pattern);
  const given = splitArn(arn);
  return wanted.length === given.length && wanted.every((part, index) => matchesWildcard(part, given[index] ?? ''));
}

function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
