/**
 * Messages as SQS hands them out, and outcomes of attempts, with just what a test wants to be different. Names of
 * queues are those of a standard and a FIFO queue of one account.
 */

import type { QueuedMessage } from '../../functions/message/queued.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import { answer } from '../doubles/answer.ts';

export const STANDARD_ARN = 'arn:aws:sqs:eu-central-1:123456789012:orders';
export const FIFO_ARN = `${STANDARD_ARN}.fifo`;
/** When most of it happens, epoch ms. */
export const SENT_AT = Date.UTC(2026, 8, 1, 8);
export const HOUR_MS = 3_600_000;

/** @param overrides `group` makes it a message of the FIFO queue */
export function queuedMessage(overrides: Partial<QueuedMessage> = {}): QueuedMessage {
  const { recordId = '059f36b4-87a3-44ab-83d2-661975830a7d', body = '{"order":"4711"}', group } = overrides;
  const messageId = overrides.messageId ?? recordId;
  const bytes = Buffer.from(body);
  return {
    recordId,
    receiptHandle: `receipt of ${recordId}`,
    queueArn: group === undefined ? STANDARD_ARN : FIFO_ARN,
    receiveCount: 1,
    sentAt: SENT_AT,
    firstReceivedAt: SENT_AT,
    messageId,
    message: { id: messageId, headers: {}, body: { bytes: bytes.byteLength, open: async () => bytes } },
    bytes: bytes.byteLength,
    body,
    attributes: {},
    ...overrides,
  };
}

/** Message attributes of these texts, as a record has them. */
export function textAttributes(texts: Readonly<Record<string, string>>): QueuedMessage['attributes'] {
  return Object.fromEntries(
    Object.entries(texts).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' as const }]),
  );
}

export const REJECTED: Outcome = {
  kind: 'rejected',
  executed: 'unknown',
  status: 422,
  mplId: 'AGXYZabcdefghijklmnopqrstuvw',
  reason: 'the endpoint answered 422: it will never take this message; the sender must correct it',
};
export const FAILED: Outcome = { kind: 'failed', executed: 'no', status: 503, reason: 'the endpoint answered 503' };
export const BLOCKED: Outcome = { kind: 'blocked', executed: 'no', status: 404, reason: 'the endpoint answered 404' };
export const DELIVERED: Outcome = {
  kind: 'delivered',
  executed: 'yes',
  status: 200,
  answer: answer(200),
};
