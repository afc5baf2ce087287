// Finds a value in a text whose writer spelled it otherwise: escaped for HTML or JSON, in percent signs, in base64 or in hex, alone or within something longer.

/** Of a value so many letters are looked for: who spells so many of them out spells out the value. */
const prefixes = [64, 48, 32, 24, 20, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4] as const;

/** Letters of a spelling for one of the value, at the most: `%E2%82%AC`, and a letter more for each escape within an escape. */
const widest = 12;

/** So many letters after those that are quoted have to be looked at, so that a value which begins among them is seen. */
export const spelledLength = prefixes[0] * widest;

/** An escape may hold an escape: JSON in HTML, and the quotation marks of a reason around both. */
const passes = 4;

/**
 * Whether a text holds one of the values, spelled otherwise. Takes time by the length of the text alone, whatever stands in it and however many values there are.
 * @param values those of less than four letters are not looked for: they turn up in any text.
 */
export function spelled(values: Iterable<string>): (text: string) => boolean {
  const sought = new Map<number, Set<string>>();
  for (const value of values) {
    const bytes = comparable(Buffer.from(value));
    const length = prefixes.find((one) => one <= bytes.length);
    if (length !== undefined) sought.set(length, (sought.get(length) ?? new Set()).add(bytes.slice(0, length)));
  }
  const isIn = (text: string): boolean => [...sought].some(([length, set]) => {
    for (let at = 0; at + length <= text.length; at += 1) if (set.has(text.slice(at, at + length))) return true;
    return false;
  });
  return (text) => readings(text).some(isIn);
}

/** The bytes as letters, in one case: a host name comes back in lower case, a space in a form is a plus sign. */
const comparable = (bytes: Buffer): string => bytes.toString('latin1').toLowerCase().replaceAll(' ', '+');

/** What a text can be read as, beside itself. */
function readings(text: string): string[] {
  const found = packed(text);
  let before = text;
  for (let pass = 0; pass < passes; pass += 1) {
    const plain = withoutPercent(withoutEscapes(before));
    if (plain === before) break;
    found.push(comparable(Buffer.from(plain)), ...packed(plain));
    before = plain;
  }
  return [...new Set(found)];
}

/** Of every run of letters that base64 or hex may be made of, the bytes, from each place where a group of them may begin. */
function packed(text: string): string[] {
  return [
    ...runs(text, isBase64).flatMap((run) => [0, 1, 2, 3].map((from) => comparable(Buffer.from(run.slice(from), 'base64')))),
    ...runs(text, isHex).flatMap((run) => [0, 1].map((from) => comparable(Buffer.from(run.slice(from, run.length - ((run.length - from) % 2)), 'hex')))),
  ];
}

const isHex = (letter: string): boolean => (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F');
const isBase64 = (letter: string): boolean => (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || '+/-_'.includes(letter);

function runs(text: string, belongs: (letter: string) => boolean): string[] {
  const found: string[] = [];
  let from = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && belongs(text.charAt(at))) continue;
    if (at > from) found.push(text.slice(from, at));
    from = at + 1;
  }
  return found;
}

const entities = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', "'"], ['sol', '/'], ['equals', '='], ['plus', '+'], ['colon', ':'], ['nbsp', ' ']]);
const longestEntity = 10;
const controls = new Map([['n', '\n'], ['r', '\r'], ['t', '\t'], ['b', '\b'], ['f', '\f']]);

interface Letter {
  readonly text: string;
  /** Letters that it was spelled with. */
  readonly length: number;
}

function withoutEscapes(text: string): string {
  const plain: string[] = [];
  for (let at = 0; at < text.length;) {
    const letter = text.charAt(at);
    const read = letter === '&' ? entity(text, at) : letter === '\\' ? escaped(text, at) : null;
    plain.push(read?.text ?? letter);
    at += read?.length ?? 1;
  }
  return plain.join('');
}

/** `&amp;`, `&#47;`, `&#x2F;`. */
function entity(text: string, at: number): Letter | null {
  const end = text.slice(at, at + longestEntity + 2).indexOf(';');
  if (end < 2) return null;
  const name = text.slice(at + 1, at + end).toLowerCase();
  const code = name.startsWith('#x') ? numberIn(name.slice(2), 16) : name.startsWith('#') ? numberIn(name.slice(1), 10) : null;
  const letter = code === null ? entities.get(name) : String.fromCodePoint(code);
  return letter === undefined ? null : { text: letter, length: end + 1 };
}

/** `\/`, `\u002f`, `\x2f`, `\\`. */
function escaped(text: string, at: number): Letter | null {
  const next = text.charAt(at + 1);
  if (next === '') return null;
  const digits = next === 'u' || next === 'U' ? 4 : next === 'x' || next === 'X' ? 2 : 0;
  if (digits === 0) return { text: controls.get(next) ?? next, length: 2 };
  const spelling = text.slice(at + 2, at + 2 + digits);
  const code = spelling.length === digits ? numberIn(spelling, 16) : null;
  return code === null ? { text: next, length: 2 } : { text: String.fromCharCode(code), length: 2 + digits };
}

/** Null for what is no such number, or the number of no letter. */
function numberIn(digits: string, base: 10 | 16): number | null {
  const belongs = base === 16 ? isHex : (letter: string): boolean => letter >= '0' && letter <= '9';
  if (digits === '' || !Array.from(digits).every(belongs)) return null;
  const code = Number.parseInt(digits, base);
  return code <= 0x10_ff_ff ? code : null;
}

function withoutPercent(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: Buffer[] = [];
  let from = 0;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', at + 1)) {
    const code = at < from ? null : numberIn(text.slice(at + 1, at + 3), 16);
    if (code === null || at + 3 > text.length) continue;
    bytes.push(Buffer.from(text.slice(from, at)), Buffer.from([code]));
    from = at + 3;
  }
  bytes.push(Buffer.from(text.slice(from)));
  return Buffer.concat(bytes).toString();
}

/** Shorter halves of credentials are no secret, and would be taken out of words. */
const shortestHalf = 3;

/** What a server reads in Basic credentials: user and password, together and each alone. Nothing where the value is none. */
export function credentialsIn(value: string): readonly string[] {
  const token = value.slice(value.lastIndexOf(' ') + 1);
  const bytes = Buffer.from(token, 'base64');
  const text = bytes.toString();
  const colon = text.indexOf(':');
  const bare = (one: string): string => one.replaceAll('=', '').replaceAll('-', '+').replaceAll('_', '/');
  if (colon === -1 || bare(bytes.toString('base64')) !== bare(token) || !Buffer.from(text).equals(bytes)) return [];
  return [text, text.slice(0, colon), text.slice(colon + 1)].filter((one) => one.length >= shortestHalf);
}
