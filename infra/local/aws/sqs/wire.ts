/**
 * Messages and their attributes between the JSON protocol and the model, both ways. Operations are `sqs/api.ts`.
 *
 * @see AWS: API Reference "SendMessage", "ReceiveMessage", "MessageAttributeValue"
 */
import { type JsonObject, readInteger, readObjectMap, readString, readStrings } from '../aws-json.ts';
import { md5OfAttributes, md5OfBody } from './digest.ts';
import type { MessageAttribute, MessageAttributes, NewMessage, ReceivedMessage } from './message.ts';

/** The input of SendMessage, or an entry of SendMessageBatch. */
export function readMessage(input: JsonObject): NewMessage {
  const groupId = readString(input, 'MessageGroupId');
  const deduplicationId = readString(input, 'MessageDeduplicationId');
  const delaySeconds = readInteger(input, 'DelaySeconds');
  const trace = readObjectMap(input, 'MessageSystemAttributes').AWSTraceHeader;
  const traceHeader = trace === undefined ? undefined : readString(trace, 'StringValue');
  return {
    body: readString(input, 'MessageBody') ?? '',
    attributes: readAttributes(input),
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
  };
}

function readAttributes(input: JsonObject): MessageAttributes {
  const attributes = Object.entries(readObjectMap(input, 'MessageAttributes'));
  return Object.fromEntries(attributes.map(([name, value]) => [name, readAttribute(value)]));
}

function readAttribute(value: JsonObject): MessageAttribute {
  const stringValue = readString(value, 'StringValue');
  const binaryValue = readString(value, 'BinaryValue');
  return {
    dataType: readString(value, 'DataType') ?? '',
    ...(stringValue === undefined ? {} : { stringValue }),
    ...(binaryValue === undefined ? {} : { binaryValue: Buffer.from(binaryValue, 'base64') }),
  };
}

/** An entry of `Messages`, with the attributes that the input of ReceiveMessage asks for. */
export function writeMessage(message: ReceivedMessage, input: JsonObject): JsonObject {
  const names = [...readStrings(input, 'AttributeNames'), ...readStrings(input, 'MessageSystemAttributeNames')];
  const system = Object.entries(message.attributes).filter(([name]) => names.includes('All') || names.includes(name));
  const attributes = chosenAttributes(message.messageAttributes, readStrings(input, 'MessageAttributeNames'));
  const hasAttributes = Object.keys(attributes).length > 0;
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5OfBody(message.body),
    Body: message.body,
    Attributes: system.length > 0 ? Object.fromEntries(system) : undefined,
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    MessageAttributes: hasAttributes ? writeAttributes(attributes) : undefined,
  };
}

/** `All`, `.*`, a name, or a prefix as `order.*`. */
function chosenAttributes(attributes: MessageAttributes, wanted: readonly string[]): MessageAttributes {
  const isWanted = (name: string) =>
    wanted.some(
      (want) => want === 'All' || want === name || (want.endsWith('.*') && name.startsWith(want.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isWanted(name)));
}

function writeAttributes(attributes: MessageAttributes): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        StringValue: stringValue,
        BinaryValue: binaryValue && Buffer.from(binaryValue).toString('base64'),
      },
    ]),
  );
}
