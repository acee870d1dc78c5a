/** The payload of a message, byte for byte, from where it is now: the runtime node's log, or its queue. */
import type { Landscape } from '../landscape.ts';
import { payloadOf, readRecord } from './queued.ts';

/** Undefined where it has not arrived and lies in no queue, or in S3. */
export function findPayload({ runtimeNode, destinations }: Landscape, id: string): Buffer | undefined {
  const arrived = runtimeNode.messages.findLast(({ messageId }) => messageId === id);
  if (arrived !== undefined) return arrived.body;
  for (const { queue, deadLetterQueue } of destinations) {
    for (const { id: record, body, attributes } of [...queue.messages, ...deadLetterQueue.messages]) {
      if (readRecord(record, body, attributes).messageId === id) return payloadOf(body, attributes);
    }
  }
  return undefined;
}
