/**
 * A message that is put into a queue as any sender may do it: text as it is, bytes as base64, what belongs to it as
 * attributes.
 */
import { randomUUID } from 'node:crypto';
import { type MessageAttributeValue, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { withLandscapeHint } from '../place.ts';
import { createClient, type Deployment, findQueue } from '../replay/queues.ts';
import type { QueueCommand } from './arguments.ts';

/** @returns a line that says which message it is @throws Mistake; Error of the SDK */
export async function sendToQueue(
  { queue, body, contentType, messageId, attributes, group, region }: QueueCommand,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const place = typeof queue === 'string' ? { queueUrl: queue } : { deployment: queue };
  const client = createClient({ ...place, environment, ...(region === undefined ? {} : { region }) });
  const queueUrl = typeof queue === 'string' ? queue : await found(client, queue);
  const text = body.toString();
  const isText = Buffer.from(text).equals(body) && !/[^\t\n\r -\uFFFD]/.test(text);
  const { pathname } = new URL(queueUrl);
  const fifo = pathname.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: randomUUID() } : {};
  const sent = await client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: isText ? text : body.toString('base64'),
      MessageAttributes: strings({
        contentType,
        ...(messageId === undefined ? {} : { messageId }),
        ...(isText ? {} : { bodyEncoding: 'base64' }),
        ...attributes,
      }),
      ...fifo,
    }),
  );
  return `sent to ${pathname.split('/').at(-1)}: message ${messageId ?? sent.MessageId}`;
}

async function found(client: SQSClient, deployment: Deployment): Promise<string> {
  try {
    return await findQueue(client, deployment, { option: '--queue' });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('ECONNREFUSED')) throw error;
    throw new Error(withLandscapeHint(error.message, deployment));
  }
}

function strings(values: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(values).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
}
