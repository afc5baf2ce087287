// IAM's wildcards: `*` and `?` in actions, ARNs and condition values.

/** By pattern; null: it has no wildcard. */
const compiled = { exact: new Map<string, RegExp | null>(), ignoringCase: new Map<string, RegExp | null>() };

/** Whether the text matches the pattern as a whole. */
export function matchesWildcard(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  if (pattern === '*' || pattern === text) return true;
  const isLoose = options.ignoreCase === true;
  const known = isLoose ? compiled.ignoringCase : compiled.exact;
  let expression = known.get(pattern);
  if (expression === undefined) {
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
    expression = /[*?]/.test(pattern) ? new RegExp(`^${source}$`, isLoose ? 'is' : 's') : null;
    known.set(pattern, expression);
  }
  if (expression !== null) return expression.test(text);
  return isLoose && pattern.length === text.length && pattern.toLowerCase() === text.toLowerCase();
}

/** ARNs are compared part by part: a wildcard before the last part does not cross a colon. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*' || pattern === arn) return true;
  const wanted = splitArn(pattern);
  const given = splitArn(arn);
  return wanted.length === given.length && wanted.every((part, index) => matchesWildcard(part, given[index] ?? ''));
}

function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
