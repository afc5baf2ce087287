// Label: writes down what a person says of a rollback, as IAM verified them, or what a tool does, as it was typed. Each in a chain of its own.
import { systemClock } from '../domain/clock.ts';
import type { HttpAnswer } from '../runtime/answer-request.ts';
import { fields, handle } from '../runtime/handle.ts';
import { type AddedLabel, type LabelEvent, type LabelParts, takeLabel } from '../runtime/label.ts';
import { labelByPerson, type LabelRequest, labelRequestOf } from '../runtime/label-request.ts';
import { dynamoClient, labelRecord } from '../runtime/wiring.ts';

let parts: LabelParts | undefined;

const eventOf = fields<LabelEvent>({ id: 'string', time: 'string', detail: 'object' });
const isRequest = (input: LabelEvent | LabelRequest): input is LabelRequest => 'method' in input;

export const handler = handle<LabelEvent | LabelRequest, AddedLabel | { readonly refused: string } | HttpAnswer>({
  name: 'Label',
  // What EventBridge hands over has no `requestContext`, whoever put the event: only a request to the URL brings an identity.
  parse: (event) => labelRequestOf(event) ?? eventOf(event),
  about: (input) => ({ rollbackId: isRequest(input) ? 'in the body' : rollbackIn(input), service: 'unknown' }),
  run: (input, log) => {
    parts ??= { audit: labelRecord(dynamoClient()) };
    return isRequest(input) ? labelByPerson(input, { ...parts, clock: systemClock }) : takeLabel(input, parts, log);
  },
});

const rollbackIn = ({ detail: { rollback } }: LabelEvent): string => (typeof rollback === 'string' ? rollback : 'unknown');
