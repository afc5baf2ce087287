// What a person is asked about one rollback, the task token that waits for it, and the one answer that counts; and which messages were sent.
import type { Approval } from '../domain/workflow.ts';
import type { Instant, JsonObject } from '../domain/vocabulary.ts';
import { type LedgerTable, dataOf, get, json, putIf, rollbackKey, text, updateIf } from './ledger-table.ts';

export interface ApprovalRequest {
  readonly rollbackId: string;
  readonly service: string;
  /** Who asked for the rollback: may not answer. Null when it began by itself. */
  readonly requestedBy: string | null;
  readonly askedAt: Instant;
  readonly deadlineAt: Instant;
  readonly onDeadline: 'roll-back' | 'stop';
  /** What the person is shown: headline, reasons, plans. */
  readonly shown: JsonObject;
}

export interface StoredApproval {
  readonly request: ApprovalRequest;
  /** A bearer secret: whoever has it can answer. Never leaves the ledger but to answer. */
  readonly taskToken: string;
  readonly answer: Approval | null;
}

const approvalKey = (rollbackId: string) => rollbackKey(rollbackId, 'APPROVAL');

/**
 * Stores the request. A repeat, which comes with a new token, replaces a request that nobody answered yet.
 * @returns false when it was answered already.
 */
export async function putApproval(table: LedgerTable, request: ApprovalRequest, taskToken: string): Promise<boolean> {
  return putIf(table, approvalKey(request.rollbackId), {
    attributes: { data: json(request), taskToken: text(taskToken) },
    condition: 'attribute_not_exists(answer)',
  });
}

export async function readApproval(table: LedgerTable, rollbackId: string): Promise<StoredApproval | null> {
  const item = await get(table, approvalKey(rollbackId));
  if (item === null) return null;
  return {
    request: dataOf(item) as ApprovalRequest,
    taskToken: item['taskToken']?.S ?? '',
    answer: item['answer']?.S === undefined ? null : JSON.parse(item['answer'].S) as Approval,
  };
}

/** Records the answer if there is none yet. @returns true for exactly one caller; false when there is no request or another answer won. */
export async function answerApproval(table: LedgerTable, rollbackId: string, answer: Approval): Promise<boolean> {
  const stored = await updateIf(table, approvalKey(rollbackId), {
    UpdateExpression: 'SET answer = :answer',
    ConditionExpression: 'attribute_exists(taskToken) AND attribute_not_exists(answer)',
    ExpressionAttributeValues: { ':answer': json(answer) },
  });
  return stored !== null;
}

const messageKey = (rollbackId: string, kind: string) => rollbackKey(rollbackId, `MESSAGE#${kind}`);

/** Claims one message of a rollback before it is sent. @returns true for exactly one caller. */
export async function claimMessage(table: LedgerTable, rollbackId: string, kind: string, now: Date): Promise<boolean> {
  return putIf(table, messageKey(rollbackId, kind), {
    attributes: { claimedAt: text(now.toISOString()) },
    condition: 'attribute_not_exists(claimedAt)',
  });
}
