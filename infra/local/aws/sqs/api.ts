/**
 * SQS's operations from their input to their output, as the JSON protocol has them; synchronous, so that a simulation
 * can call them. Long polling and HTTP are `sqs.ts`, what a queue does is `sqs/queue.ts`.
 *
 * @see AWS: Amazon SQS API Reference
 */
import {
  AwsError,
  type JsonObject,
  readInteger,
  readObjects,
  readString,
  readStringMap,
  readStrings,
} from '../aws-json.ts';
import { EXPIRED_HANDLE } from './acknowledgement.ts';
import { md5OfAttributes, md5OfBody, messageBytes } from './digest.ts';
import { required, sqsError } from './error.ts';
import { checkBatch, MAX_BATCH_BYTES, missingDeduplicationId, tooLong } from './limits.ts';
import type { NewMessage } from './message.ts';
import type { Queue } from './queue.ts';
import { readRedrivePolicy } from './queue-attributes.ts';
import type { SqsService } from './service.ts';
import { readMessage, writeMessage } from './wire.ts';

type Operation = (service: SqsService, input: JsonObject, operation: string) => JsonObject;

const operations: Readonly<Record<string, Operation>> = {
  CreateQueue: (service, input) => {
    const name = required('QueueName', readString(input, 'QueueName'));
    const attributes = readStringMap(input, 'Attributes');
    if (name.endsWith('.fifo') && attributes.FifoQueue === undefined) {
      const text = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
      throw sqsError('InvalidParameterValue', text);
    }
    return { QueueUrl: service.createQueue(name, attributes).url };
  },

  GetQueueUrl: (service, input) => {
    const queue = service.findQueue(required('QueueName', readString(input, 'QueueName')));
    if (queue === undefined) throw noSuchQueue();
    return { QueueUrl: queue.url };
  },

  ListQueues: (service, input) => {
    const prefix = readString(input, 'QueueNamePrefix') ?? '';
    const urls = service.queues.filter(({ name }) => name.startsWith(prefix)).map(({ url }) => url);
    return urls.length === 0 ? {} : { QueueUrls: urls };
  },

  DeleteQueue: onQueue((queue, _input, service) => {
    service.deleteQueue(queue.name);
    return {};
  }),

  GetQueueAttributes: onQueue((queue, input) => {
    const names = readStrings(input, 'AttributeNames');
    const all = Object.entries(queue.attributes());
    const chosen = names.includes('All') ? all : all.filter(([name]) => names.includes(name));
    return chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) };
  }),

  SetQueueAttributes: onQueue((queue, input) => {
    queue.setAttributes(readStringMap(input, 'Attributes'));
    return {};
  }),

  ListDeadLetterSourceQueues: onQueue((queue, _input, service) => {
    const sources = service.queues.filter((source) => {
      const { RedrivePolicy: policy } = source.attributes();
      return policy !== undefined && readRedrivePolicy(policy).deadLetterTargetArn === queue.arn;
    });
    return { queueUrls: sources.map(({ url }) => url) };
  }),

  PurgeQueue: onQueue((queue) => {
    queue.purge();
    return {};
  }),

  SendMessage: onQueue((queue, input) => sendAnswer(queue, readMessage(input))),

  SendMessageBatch: onQueue((queue, input, _service, operation) => {
    const entries = readEntries(operation, input);
    const messages = new Map(entries.map((entry) => [entry, readMessage(entry)]));
    checkBatchOfMessages(queue, [...messages.values()]);
    return eachEntry(entries, (entry) => {
      const message = messages.get(entry) ?? readMessage(entry);
      const { maximumMessageBytes } = queue.rules();
      if (messageBytes(message.body, message.attributes ?? {}) > maximumMessageBytes) {
        throw tooLong('cannot be validated', maximumMessageBytes);
      }
      return sendAnswer(queue, message);
    });
  }),

  ReceiveMessage: onQueue((queue, input) => {
    const maxMessages = readInteger(input, 'MaxNumberOfMessages');
    const visibilitySeconds = readInteger(input, 'VisibilityTimeout');
    const received = queue.receive({
      ...(maxMessages === undefined ? {} : { maxMessages }),
      ...(visibilitySeconds === undefined ? {} : { visibilitySeconds }),
    });
    return received.length === 0 ? {} : { Messages: received.map((message) => writeMessage(message, input)) };
  }),

  DeleteMessage: onQueue((queue, input) => {
    queue.delete(readHandle(input));
    return {};
  }),

  DeleteMessageBatch: onQueue((queue, input, _service, operation) =>
    eachEntry(readEntries(operation, input), (entry) => {
      queue.delete(readHandle(entry));
      return {};
    }),
  ),

  ChangeMessageVisibility: onQueue((queue, input) => {
    queue.changeVisibility(readHandle(input), readVisibility(input));
    return {};
  }),

  ChangeMessageVisibilityBatch: onQueue((queue, input, _service, operation) =>
    eachEntry(readEntries(operation, input), (entry) => {
      queue.changeVisibility(readHandle(entry), readVisibility(entry));
      return {};
    }),
  ),
};

/**
 * Carries out one operation.
 * @throws AwsError what the service answers with; UnknownOperationException for one that is not imitated
 */
export function callSqs(service: SqsService, operation: string, input: JsonObject): JsonObject {
  const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (run === undefined) {
    throw new AwsError('com.amazon.coral.service#UnknownOperationException', 404, `${operation} is not imitated.`);
  }
  return run(service, input, operation);
}

/**
 * The queue that `QueueUrl` names, by account and name alone: hosts differ between inside and outside.
 * @throws AwsError MissingParameter, QueueDoesNotExist, AccessDenied
 */
export function findByUrl(service: SqsService, operation: string, input: JsonObject): Queue {
  const url = required('QueueUrl', readString(input, 'QueueUrl'));
  const [name, accountId] = url.split('/').reverse();
  const queue = service.findQueue(name ?? '');
  if (queue === undefined || accountId !== service.accountId) throw noSuchQueue();
  if (service.isDenied(queue.name)) {
    const caller = `arn:aws:sts::${service.accountId}:assumed-role/relay/relay`;
    const action = `sqs:${operation.replace(/Batch$/, '').toLowerCase()}`;
    const text = `User: ${caller} is not authorized to perform: ${action} on resource: ${queue.arn}`;
    throw sqsError('AccessDenied', `${text} because no identity-based policy allows the ${action} action`);
  }
  return queue;
}

function onQueue(
  run: (queue: Queue, input: JsonObject, service: SqsService, operation: string) => JsonObject,
): Operation {
  return (service, input, operation) => run(findByUrl(service, operation, input), input, service, operation);
}

function noSuchQueue(): Error {
  return sqsError('QueueDoesNotExist', 'The specified queue does not exist.');
}

function readHandle(input: JsonObject): string {
  return required('ReceiptHandle', readString(input, 'ReceiptHandle'));
}

function readVisibility(input: JsonObject): number {
  return required('VisibilityTimeout', readInteger(input, 'VisibilityTimeout'));
}

function readEntries(operation: string, input: JsonObject): readonly JsonObject[] {
  const entries = readObjects(input, 'Entries');
  checkBatch(
    operation,
    entries.map((entry) => readString(entry, 'Id') ?? ''),
  );
  return entries;
}

/** What is wrong with one entry fails that entry; the others go on. */
function eachEntry(entries: readonly JsonObject[], run: (entry: JsonObject) => JsonObject): JsonObject {
  const successful: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const entry of entries) {
    try {
      successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failed.push({ Id: entry.Id, SenderFault: true, ...entryError(error) });
    }
  }
  // Both lists are always there in AWS's output shapes, but an empty Failed is left out (recorded).
  return { Successful: successful, ...(failed.length === 0 ? {} : { Failed: failed }) };
}

/** In a batch an expired handle has a code of its own (observed: smaskalik/sqsmover#54). */
function entryError({ message, queryCode, type }: AwsError): JsonObject {
  if (message.endsWith(EXPIRED_HANDLE)) {
    return { Code: 'ReceiptHandleIsInvalid', Message: EXPIRED_HANDLE.replace(/\.$/, '') };
  }
  return { Code: queryCode ?? type, Message: message };
}

/** What fails a batch as a whole, although it stands in an entry (recorded). */
function checkBatchOfMessages(queue: Queue, messages: readonly NewMessage[]): void {
  const { fifo, contentBasedDeduplication } = queue.rules();
  if (fifo && messages.some(({ groupId }) => groupId === undefined)) {
    throw sqsError('InvalidParameterValue', 'The request must contain the parameter MessageGroupId.');
  }
  if (fifo && !contentBasedDeduplication && messages.some(({ deduplicationId }) => deduplicationId === undefined)) {
    throw missingDeduplicationId();
  }
  const bytes = messages.reduce((sum, { body, attributes = {} }) => sum + messageBytes(body, attributes), 0);
  if (bytes > MAX_BATCH_BYTES) {
    const text = `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`;
    throw sqsError('BatchRequestTooLong', text);
  }
}

function sendAnswer(queue: Queue, message: NewMessage): JsonObject {
  const { messageId, sequenceNumber } = queue.send(message);
  return {
    MessageId: messageId,
    MD5OfMessageBody: md5OfBody(message.body),
    MD5OfMessageAttributes: md5OfAttributes(message.attributes ?? {}),
    MD5OfMessageSystemAttributes:
      message.traceHeader === undefined
        ? undefined
        : md5OfAttributes({ AWSTraceHeader: { dataType: 'String', stringValue: message.traceHeader } }),
    SequenceNumber: sequenceNumber,
  };
}
