/**
 * The operator at the dead-letter queue: puts letters back by the code of `npm run replay`, which reads, restores,
 * sends and deletes. Only where letters come from, and the journal, are simulated.
 */
import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { JsonObject } from '../../infra/local/aws/aws-json.ts';
import type { Queue, Sqs } from '../../infra/local/aws/sqs/sqs.ts';
import type { Journal, JournalEntry } from '../../infra/ops/replay/journal.ts';
import { type Letter, letterOf, type StoredMessage } from '../../infra/ops/replay/letter.ts';
import { createPutBack } from '../../infra/ops/replay/put-back.ts';
import { restored } from '../../infra/ops/replay/restored.ts';
import type { Source } from '../../infra/ops/replay/source.ts';
import type { Ledger } from './ledger.ts';
import type { Trace } from './trace.ts';

export interface OperatorOptions {
  readonly sqs: Sqs;
  readonly ledger: Ledger;
  readonly trace: Trace;
  readonly now: () => number;
  readonly randomId: () => string;
}

export interface Operator {
  /** Puts back every letter that can be had now. */
  replay(deadLetterQueue: Queue): Promise<void>;
}

export function createOperator({ sqs, ledger, trace, now, randomId }: OperatorOptions): Operator {
  const known = new Map<string, JournalEntry>();
  const journal: Journal = {
    path: 'replay-journal.jsonl',
    find: (letterId, as) => known.get(`${as} ${letterId}`),
    write: (entry) => known.set(`${entry.as} ${entry.letterId}`, entry),
    close: () => undefined,
  };

  async function replay(queue: Queue): Promise<void> {
    const handles = new Map<string, string>();
    const { signal } = new AbortController();
    const source = {
      renew: async () => true,
      delete: async ({ letterId }: Letter) => queue.delete(handles.get(letterId) ?? ''),
    } as Partial<Source> as Source;
    let sending: Letter | undefined;
    const client = {
      send: async ({ input }: SendMessageCommand) => {
        const message = sending === undefined ? undefined : ledger.ofRecord(sending.letterId);
        const { MessageId } = sqs.call('SendMessage', input as unknown as JsonObject);
        if (message === undefined) ledger.violate('dead letters are of messages', `${sending?.letterId} of nobody`);
        else {
          ledger.bind(String(MessageId), message);
          message.putBack += 1;
          trace.note('operator', `puts m${message.arrival.number} back`);
        }
        return { $metadata: { attempts: 1 } };
      },
    } as unknown as SQSClient;
    const { putBack } = createPutBack({
      client,
      source,
      journal,
      as: 'message',
      restore: (letter) =>
        restored(letter, { region: 'eu-central-1', allowNewId: false, deadLetterQueueUrl: queue.url }),
      randomId,
      note: () => undefined,
      pace: async () => undefined,
      now,
      signal,
    });
    const letters = queue.receive({ maxMessages: 10, visibilitySeconds: 900 }).map((message): Letter => {
      handles.set(message.messageId, message.receiptHandle);
      const attributes = Object.entries(message.messageAttributes).map(
        ([name, { dataType, stringValue, binaryValue }]) => [
          name,
          {
            DataType: dataType,
            ...(stringValue === undefined ? {} : { StringValue: stringValue }),
            ...(binaryValue === undefined ? {} : { BinaryValue: binaryValue }),
          },
        ],
      );
      const stored: StoredMessage = {
        MessageId: message.messageId,
        Body: message.body,
        MessageAttributes: Object.fromEntries(attributes),
        Attributes: message.attributes,
      };
      return letterOf(stored);
    });
    for (const letter of letters) {
      sending = letter;
      await putBack(letter);
    }
  }

  return { replay };
}
