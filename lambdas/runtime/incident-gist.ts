// The one line of an audit row that a person reads: in the timeline of the incident report and on the command line.
import type { AuditRow } from '../audit/entry.ts';
import { plain } from './messages-text.ts';

const facts = ['targetId', 'verdict', 'status', 'outcome', 'answer', 'code', 'by'] as const;
/** The first of these says it in words. */
const sentences = ['headline', 'summary', 'detail', 'subject', 'message', 'text'] as const;

/** Empty when the row says nothing in words. */
export function gist({ data }: Pick<AuditRow, 'data'>): string {
  const fields = fieldsOf(data);
  const word = (name: string): string[] => (typeof fields[name] === 'string' && fields[name] !== '' ? [plain(fields[name], 200)] : []);
  return [...facts.flatMap((name) => word(name)), ...sentences.flatMap((name) => word(name)).slice(0, 1)].join(', ');
}

function fieldsOf(data: string): Readonly<Record<string, unknown>> {
  try {
    const parsed = JSON.parse(data) as Record<string, unknown> | null;
    const inner = ['decision', 'refused', 'reason', 'ending'].map((name) => parsed?.[name]).filter((one) => one !== null && typeof one === 'object');
    return Object.assign({}, ...inner, parsed) as Record<string, unknown>;
  } catch {
    return { summary: 'data that is not JSON: check this rollback with `ripcord audit verify`' };
  }
}
