// Makes text that somebody else wrote safe to show: in a log line, a message, an incident report.

const longest = 200;

/** Control characters, direction overrides and lone surrogates: they can hide or reorder what a person reads. */
export const unsafeCharacter = /[\p{Cc}\p{Cs}\u200B\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/u;

/** The beginning of an HTML tag, comment or declaration; a bare `<` as in `p99 < 2 s` is none. */
export const htmlTag = /<\s*[a-z!/?]/i;

/** At most 200 characters, with every unsafe character replaced and no angle bracket left. */
export function shown(text: string): string {
  // Cut before cleaning, so that a megabyte costs nothing; twice the length leaves room for surrogate pairs.
  const clean = Array.from(text.slice(0, 2 * longest)).map((one) => (unsafeCharacter.test(one) ? '·' : one)).join('').replaceAll('<', '‹').replaceAll('>', '›');
  const characters = Array.from(clean);
  return characters.length > longest || text.length > 2 * longest ? `${characters.slice(0, longest - 1).join('')}…` : clean;
}
