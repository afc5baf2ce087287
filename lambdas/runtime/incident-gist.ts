// The one line of an audit row that a person reads: in the timeline of the incident report and on the command line.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';
import { plain } from './messages-text.ts';

const facts = ['targetId', 'verdict', 'status', 'outcome', 'answer', 'code', 'by'] as const;
/** The first of these says it in words. */
const sentences = ['headline', 'summary', 'detail', 'subject', 'message', 'text'] as const;

/** Empty when the row says nothing in words. */
export function gist(row: Pick<AuditRow, 'data'>): string {
  const fields = fieldsOf(row);
  const word = (name: string): string[] => (typeof fields[name] === 'string' && fields[name] !== '' ? [plain(fields[name], 200)] : []);
  return [...facts.flatMap((name) => word(name)), ...sentences.flatMap((name) => word(name)).slice(0, 1)].join(', ');
}

function fieldsOf(row: Pick<AuditRow, 'data'>): Readonly<Record<string, unknown>> {
  const said = dataIn(row);
  if (said === null) return { summary: 'data that is not JSON: check this rollback with `ripcord audit verify`' };
  const inner = ['decision', 'refused', 'reason', 'ending'].map((name) => said[name]).filter((one) => one !== null && typeof one === 'object');
  return Object.assign({}, ...inner, said) as Record<string, unknown>;
}
