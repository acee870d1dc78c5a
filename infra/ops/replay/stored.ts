/** A message as the SDK hands it out, as one that is stored: what is absent there is empty here. */
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { Attribute } from '../../../functions/aws/sqs.ts';
import type { Attributes, StoredMessage } from './letter.ts';

export function readMessage({
  MessageId = '',
  Body = '',
  Attributes = {},
  MessageAttributes = {},
}: Message): StoredMessage {
  return { MessageId, Body, Attributes, MessageAttributes: readAttributes(MessageAttributes) };
}

function readAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType = 'String', StringValue, BinaryValue }]): [string, Attribute] => [
      name,
      BinaryValue === undefined ? { DataType, StringValue: StringValue ?? '' } : { DataType, BinaryValue },
    ]),
  );
}
