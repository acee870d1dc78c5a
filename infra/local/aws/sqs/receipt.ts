/**
 * Receipt handles: which message of which queue by which receive. Opaque to consumers, read back here. Whether a handle
 * is still good is for `sqs/queue.ts`.
 */
import { sqsError } from './error.ts';

export interface Receipt {
  readonly queueArn: string;
  readonly messageId: string;
  readonly receive: number;
  /** Epoch ms. */
  readonly receivedAt: number;
}

export function writeReceipt({ queueArn, messageId, receive, receivedAt }: Receipt): string {
  return `AQEB${Buffer.from([queueArn, messageId, receive, receivedAt].join('|')).toString('base64')}`;
}

/**
 * @param queueArn of the queue that was asked
 * @throws AwsError ReceiptHandleIsInvalid if it is no handle or another queue's
 */
export function readReceipt(handle: string, queueArn: string): Receipt {
  const text = Buffer.from(handle.slice(4), 'base64').toString('utf8');
  const [arn, messageId, receive, receivedAt, ...rest] = text.split('|');
  if (
    !handle.startsWith('AQEB') ||
    arn === undefined ||
    messageId === undefined ||
    !receive ||
    !receivedAt ||
    rest[0]
  ) {
    throw invalidReceipt(`The input receipt handle "${handle}" is not a valid receipt handle.`);
  }
  if (arn !== queueArn) throw invalidReceipt(`The input receipt handle "${handle}" is not valid for this queue.`);
  return { queueArn, messageId, receive: Number(receive), receivedAt: Number(receivedAt) };
}

function invalidReceipt(message: string): Error {
  return sqsError('ReceiptHandleIsInvalid', message);
}
