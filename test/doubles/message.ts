/** A message on its way to a flow. */
import type { Message } from '../../functions/message/message.ts';

export function messageOf(fields: Partial<Message> = {}, payload: string | Buffer = '{"order":4711}'): Message {
  const bytes = Buffer.from(payload);
  return { id: 'order-4711', headers: {}, body: { bytes: bytes.byteLength, open: async () => bytes }, ...fields };
}
