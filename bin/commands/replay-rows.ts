// Makes each decision, each round of proof and each conclusion of a Watch again, from nothing but what its row holds.
import { canonicalJson } from '../../lambdas/audit/canonical.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { type BakeQuestion, watchLook } from '../../lambdas/domain/bake.ts';
import { type FailedQuestion, failedLooked, left, type LeftQuestion, type SettleQuestion, settled } from '../../lambdas/domain/bake-end.ts';
import { started, type StartQuestion } from '../../lambdas/domain/bake-start.ts';
import type { Readings } from '../../lambdas/domain/captured-states.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import { judgeRound, type RoundQuestion } from '../../lambdas/domain/proof.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Json } from '../../lambdas/domain/vocabulary.ts';
import type { Conclusion } from '../../lambdas/runtime/watch-kept.ts';
import { readingsOf } from '../../lambdas/runtime/watch-readings.ts';

/** Kinds of rows that hold a decision: a verdict of Assess, a round of Verify, a conclusion of the Watch. */
export const replayedKinds = ['assessed', 'verified', 'watched'] as const;
export type ReplayedKind = (typeof replayedKinds)[number];

/** One row, decided again. */
export interface Replayed {
  readonly seq: number;
  readonly kind: ReplayedKind;
  /**
   * `unasked`: the input was refused before there was a question. `unkept`: written before rows of its kind kept what they were made from.
   * `different` also when the row cannot be read, or its question cannot be decided any more.
   */
  readonly result: 'same' | 'different' | 'unasked' | 'unkept';
  /** The recorded verdict or answer, or the code of the refusal; `?` where the row has none. */
  readonly verdict: string;
  /** What differs, one sentence each; empty unless `different`. */
  readonly differences: readonly string[];
  /** Version of the code that decided then. */
  readonly codeVersion: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Decides every `assessed`, `verified` and `watched` row of a record again, in order. */
export const replayRows = (rows: readonly AuditRow[]): Replayed[] =>
  rows.flatMap((row) => { const kind = replayedKinds.find((one) => one === row.kind); return kind === undefined ? [] : [replayRow(row, kind)]; });

function replayRow({ seq, data }: AuditRow, kind: ReplayedKind): Replayed {
  const fields = fieldsOf(data);
  if (typeof fields === 'string') return { seq, kind, result: 'different', verdict: '?', codeVersion: 'unknown', differences: [`cannot be read: row ${seq} ${fields}`] };
  const { codeVersion } = fields;
  return { seq, kind, codeVersion: typeof codeVersion === 'string' ? codeVersion : 'unknown', ...replayers[kind](seq, fields) };
}

const replayers: Readonly<Record<ReplayedKind, (seq: number, fields: Fields) => Outcome>> = { assessed: replayVerdict, verified: replayRound, watched: replayWatched };

type Outcome = Pick<Replayed, 'result' | 'verdict' | 'differences'>;

function replayVerdict(seq: number, { question, decision, refused }: Fields): Outcome {
  if (isObject(refused)) return { result: 'unasked', verdict: typeof refused['code'] === 'string' ? refused['code'] : 'refused', differences: [] };
  if (!isObject(question) || !isObject(decision)) return { result: 'different', verdict: '?', differences: [`cannot be read: row ${seq} holds no question with its decision`] };
  return compared(decision, 'verdict', () => decide(question as unknown as Question));
}

function replayRound(seq: number, { question, codeVersion, answer, passes, reasons, waitSeconds, triesNoMore }: Fields): Outcome {
  if (question === undefined && codeVersion === undefined) return { result: 'unkept', verdict: typeof answer === 'string' ? answer : '?', differences: [] };
  if (!isObject(question)) return { result: 'different', verdict: '?', differences: [`cannot be read: row ${seq} holds no question with its answer`] };
  return compared({ answer, passes, reasons, waitSeconds, triesNoMore }, 'answer', () => judgeRound(question as unknown as RoundQuestion));
}

/** The answer, what was kept as known good, and what was taken back. */
function replayWatched(seq: number, { verb, question, looked, good, withdrawn }: Fields): Outcome {
  const concluded = typeof verb === 'string' && Object.hasOwn(conclusions, verb) ? conclusions[verb] : undefined;
  if (concluded === undefined || !isObject(question) || !isObject(looked)) return { result: 'different', verdict: '?', differences: [`cannot be read: row ${seq} holds no question with its conclusion`] };
  if (isOlder(String(verb), question, good)) return { result: 'unkept', verdict: typeof looked['answer'] === 'string' ? looked['answer'] : '?', differences: [] };
  return compared({ ...looked, good, withdrawn }, 'answer', () => { const { looked: again, ...kept } = concluded(question); return { ...again, ...kept }; });
}

/** Its reason or its withdrawal was a given one, nothing tells that there was none, or what it kept as known good was not written down. */
const isOlder = (verb: string, question: Fields, good: unknown): boolean => ({
  record: question['event'] === undefined && question['reason'] !== undefined,
  start: question['withdrawal'] === undefined && question['withdrawn'] !== undefined,
  left: question['withdrawal'] === null || (question['withdrawal'] === undefined && question['withdrawn'] !== undefined),
  settle: good === undefined,
})[verb] === true;

/** By the verb of the Watch. */
const conclusions: Readonly<Record<string, (question: Fields) => Pick<Conclusion, 'looked'>>> = {
  record: (question) => ({ looked: failedLooked(question as unknown as FailedQuestion) }),
  start: (question) => { const asked = question as unknown as StartQuestion; return started(asked, readingsFor(asked)); },
  look: (question) => ({ looked: watchLook(question as unknown as BakeQuestion) }),
  left: (question) => { const asked = question as unknown as LeftQuestion; return left(asked, readingsFor(asked)); },
  settle: (question) => {
    const asked = question as unknown as SettleQuestion;
    return settled(asked, readingsOf(asked.strategies, asked.release));
  },
};

/** Nothing is compared where nothing could have to be taken back. */
const readingsFor = ({ withdrawal }: Pick<LeftQuestion, 'withdrawal'>): Readings => readingsOf(withdrawal?.strategies ?? {}, withdrawal?.release ?? { origin: 'event' });

/** @param name of the field that is the verdict. */
function compared(recorded: Fields, name: string, decideAgain: () => object): Outcome {
  const verdict = typeof recorded[name] === 'string' ? recorded[name] : '?';
  const differences = differencesOf(recorded, decideAgain);
  return { result: differences.length === 0 ? 'same' : 'different', verdict, differences };
}

/** Sentences are for people and may be worded anew; every other thing that was said has to be the same again. */
const sentences: ReadonlySet<string> = new Set(['headline', 'text', 'summary', 'unjudged']);

function differencesOf(recorded: Fields, decideAgain: () => object): string[] {
  try {
    const again = decideAgain() as Fields;
    return [...new Set([...Object.keys(again), ...Object.keys(recorded)])].filter((name) => !sentences.has(name)).flatMap((name) => {
      const [then, now] = [said(recorded[name]), said(again[name])];
      return then === now ? [] : [`${name}: recorded ${then}, now ${now}`];
    });
  } catch (error) {
    // A question of another version can lack what this code asks for.
    return [`cannot be decided again: ${isOfOtherForm(error) ? 'its question lacks, or has in another form, what this code decides from' : error instanceof Error ? error.message : String(error)}`];
  }
}

/** What the language itself says of a value that is not as its type has it, is no help to whoever reads it. */
const isOfOtherForm = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;

const said = (value: unknown): string => (value === undefined ? 'nothing' : canonicalJson(withoutSentences(value as Json)));

function withoutSentences(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => withoutSentences(item));
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === undefined || sentences.has(name) ? [] : [[name, withoutSentences(member)]])));
}

const isObject = (value: unknown): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value);

/** What is wrong with the data, where it holds no fields. */
function fieldsOf(data: string): Fields | string {
  try {
    const parsed: unknown = JSON.parse(data);
    return isObject(parsed) ? parsed : 'holds no object';
  } catch {
    return 'holds data that is not JSON';
  }
}
