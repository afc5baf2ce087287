// Takes a person's answer to an approval over the function URL; who it is was verified by IAM.
import { Approvals } from '../adapters/approvals.ts';
import { systemClock } from '../domain/clock.ts';
import { answer, type AnswerParts } from '../runtime/answer.ts';
import { type HttpAnswer, type HttpRequest, requestOf } from '../runtime/answer-request.ts';
import { read } from '../runtime/environment.ts';
import { handle } from '../runtime/handle.ts';
import { auditStore, dynamoClient, ledgerTable, sfnClient } from '../runtime/wiring.ts';

let parts: Omit<AnswerParts, 'log'> | undefined;

function build(): Omit<AnswerParts, 'log'> {
  const client = dynamoClient();
  return {
    audit: auditStore(client), table: ledgerTable(client), approvals: new Approvals(sfnClient()), clock: systemClock,
    approverRoleArns: read('approverRoleArns').split(','),
  };
}

export const handler = handle<HttpRequest, HttpAnswer>({
  name: 'Answer',
  parse: requestOf,
  about: ({ rollback }) => ({ rollbackId: rollback ?? 'in the body', service: 'approvals' }),
  run: (input, log) => answer(input, { ...(parts ??= build()), log }),
});
