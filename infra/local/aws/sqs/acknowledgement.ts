/**
 * What a consumer does with a receipt handle: delete the message, or change for how long it is hidden. Which handles
 * are still good differs between standard and FIFO queues, and stands here.
 *
 * @see AWS: API Reference "DeleteMessage", "ChangeMessageVisibility"
 */
import { invalidValue } from './error.ts';
import { checkVisibility, MAX_VISIBILITY_SECONDS } from './limits.ts';
import type { StoredMessage } from './message.ts';
import { type Receipt, readReceipt } from './receipt.ts';
import type { Store } from './store.ts';

export interface AcknowledgementContext {
  readonly arn: string;
  readonly fifo: boolean;
  readonly store: Store;
  readonly now: () => number;
}

/** The end of the reason why a handle is refused; batches answer it with another code. */
export const EXPIRED_HANDLE = 'The receipt handle has expired.';

/**
 * Deletes the message of a handle; one that is gone already is no error.
 *
 * FIFO: only while the flight lasts (recorded from AWS). Standard: a handle whose flight is over still deletes
 * (recorded), unless the message was received again: then "the request will succeed, but the message might not be
 * deleted", and here it is not.
 * @returns the id of the message that is gone now, if there is one
 * @throws AwsError ReceiptHandleIsInvalid, InvalidParameterValue
 */
export function deleteByHandle(context: AcknowledgementContext, handle: string): string | undefined {
  const { receipt, message } = find(context, handle);
  if (message === undefined) return undefined;
  const current = isCurrent(message, receipt);
  if (context.fifo && !(current && context.store.isInFlight(message))) throw expired(handle);
  if (!current) return undefined;
  context.store.remove(message.id);
  // A duplicate that is still to come comes, deleted or not.
  if (message.duplicate) context.store.duplicate(message.id);
  return message.id;
}

/**
 * Lets a message be hidden for `visibilitySeconds` from now. Beyond 12 hours since its receive SQS refuses, and does
 * not clamp.
 *
 * Standard: any handle of a stored message works, also of an earlier receive or after its flight (both recorded from
 * AWS).
 * @returns the message, and when it can be received again, epoch ms
 * @throws AwsError ReceiptHandleIsInvalid, InvalidParameterValue
 */
export function changeVisibilityByHandle(
  context: AcknowledgementContext,
  handle: string,
  visibilitySeconds: number,
): { readonly id: string; readonly visibleAt: number } {
  checkVisibility(visibilitySeconds);
  const { receipt, message } = find(context, handle);
  const flight = message?.flight;
  if (message === undefined || flight === undefined) throw unavailable(handle);
  if (context.fifo && !(isCurrent(message, receipt) && context.store.isInFlight(message))) throw unavailable(handle);
  const visibleAt = context.now() + visibilitySeconds * 1000;
  if (visibleAt - flight.receivedAt > MAX_VISIBILITY_SECONDS * 1000) {
    const reason = `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds]`;
    throw invalidValue('VisibilityTimeout', visibilitySeconds, reason);
  }
  message.flight = { ...flight, visibleAt };
  return { id: message.id, visibleAt };
}

function find({ arn, store, now }: AcknowledgementContext, handle: string) {
  const receipt = readReceipt(handle, arn);
  // Observed on a standard queue (boto/boto3#2898, after 55,000 s): no flight lasts longer than 12 hours.
  if (now() - receipt.receivedAt > MAX_VISIBILITY_SECONDS * 1000) throw expired(handle);
  return { receipt, message: store.find(receipt.messageId) };
}

function isCurrent(message: StoredMessage, receipt: Receipt): boolean {
  return message.flight?.receive === receipt.receive;
}

function expired(handle: string): Error {
  return invalidValue('ReceiptHandle', handle, EXPIRED_HANDLE);
}

function unavailable(handle: string): Error {
  const reason = 'Message does not exist or is not available for visibility timeout change.';
  return invalidValue('ReceiptHandle', handle, reason);
}
