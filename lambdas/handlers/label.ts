// Label: writes down what a tool says of a rollback, as it was typed, in a chain of its own.
import { fields, handle } from '../runtime/handle.ts';
import { addLabel, type LabelEvent, type LabelParts } from '../runtime/label.ts';
import { auditStore, dynamoClient } from '../runtime/wiring.ts';

let parts: LabelParts | undefined;

export const handler = handle<LabelEvent, { readonly chain: string; readonly added: boolean }>({
  name: 'Label',
  parse: fields<LabelEvent>({ id: 'string', time: 'string', detail: 'object' }),
  about: ({ detail: { rollback } }) => ({ rollbackId: typeof rollback === 'string' ? rollback : 'unknown', service: 'unknown' }),
  run: (event) => addLabel(event, (parts ??= wire())),
});

function wire(): LabelParts {
  return { audit: auditStore(dynamoClient()) };
}
