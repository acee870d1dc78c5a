/**
 * SQS, and the one file that imports its client. It is loaded on first need: most invocations call SQS by no request.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { RelayError } from '../error.ts';

export interface Attribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}

/** A message to be sent. */
export interface OutgoingMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** FIFO alone. */
  readonly groupId?: string;
  readonly deduplicationId?: string;
}

/** How long a received message shall stay hidden. */
export interface Visibility {
  readonly receiptHandle: string;
  /** From now, at most 43,200,000 ms. SQS takes seconds: a part of one counts as a whole. */
  readonly waitMs: number;
}

export interface Sqs {
  /** @throws RelayError `QUEUE_UNAVAILABLE` if SQS did not confirm it; it may have taken it all the same */
  send(queueUrl: string, message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  /** At most ten. @returns how many SQS refused. @throws RelayError `QUEUE_UNAVAILABLE` */
  changeVisibility(queueUrl: string, entries: readonly Visibility[], signal: AbortSignal): Promise<number>;
}

/** @param environment for the region. Default `process.env` */
export function createSqs(environment: Readonly<Record<string, string | undefined>> = process.env): Sqs {
  let loading: Promise<{ client: SQSClient; sdk: typeof import('@aws-sdk/client-sqs') }> | undefined;

  function loaded() {
    loading ??= import('@aws-sdk/client-sqs').then((sdk) => {
      const { AWS_REGION: region } = environment;
      const client = new sdk.SQSClient({
        ...(region === undefined ? {} : { region }),
        maxAttempts: 3,
        useQueueUrlAsEndpoint: false,
        requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
      });
      return { client, sdk };
    });
    return loading;
  }

  return {
    async send(queueUrl, { body, attributes, groupId, deduplicationId }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageAttributes: { ...attributes },
        MessageGroupId: groupId,
        MessageDeduplicationId: deduplicationId,
      });
      await client.send(command, { abortSignal }).catch(unavailable);
    },
    async changeVisibility(queueUrl, entries, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.ChangeMessageVisibilityBatchCommand({
        QueueUrl: queueUrl,
        Entries: entries.map(({ receiptHandle, waitMs }, index) => ({
          Id: String(index),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: Math.ceil(waitMs / 1000),
        })),
      });
      const { Failed = [] } = await client.send(command, { abortSignal }).catch(unavailable);
      return Failed.length;
    },
  };
}

function unavailable(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : 'unknown error';
  throw new RelayError('QUEUE_UNAVAILABLE', `SQS did not confirm it (${name}); a later try may help`, { cause });
}
