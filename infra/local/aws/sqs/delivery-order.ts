/**
 * Which stored messages a receive may take, and in what order: any visible one of a standard queue, the open beginning
 * of each group of a FIFO queue. Taking them is for `sqs/queue.ts`.
 *
 * @see AWS: "FIFO queue delivery logic in Amazon SQS", "Avoid large message backlogs with the same message group ID"
 */
import type { StoredMessage } from './message.ts';

/** When a message can be received by its own delay and flight, epoch ms. */
export type AvailableAt = (message: StoredMessage) => number;

/**
 * Standard: those that have waited longest come first, or in any order with `random`. AWS: "Amazon SQS at-least-once
 * delivery" and "message ordering": best effort, so a consumer must stand any order.
 */
export function standardOrder(
  stored: Iterable<StoredMessage>,
  now: number,
  availableAt: AvailableAt,
  random?: () => number,
): StoredMessage[] {
  const visible: StoredMessage[] = [];
  for (const message of stored) if (message.duplicate || availableAt(message) <= now) visible.push(message);
  if (random === undefined) return visible.sort((a, b) => availableAt(a) - availableAt(b) || a.place - b.place);
  return visible
    .map((message) => ({ message, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ message }) => message);
}

/**
 * FIFO: group by group, in each the messages up to the first that is in flight or delayed. So a head in flight closes
 * its group, while a later message in flight only ends what is handed out before it. Recorded from AWS in localstack's
 * validated tests (`test_fifo_message_group_visibility_after_terminate_visibility_timeout`: the head, made visible,
 * comes again while the second is still in flight). AWS promises no order among groups; recorded is that a group which
 * was received goes behind those that were not.
 * @param backlog how many messages from the front are looked at; AWS: 120,000
 */
export function fifoOrder(
  stored: Iterable<StoredMessage>,
  now: number,
  availableAt: AvailableAt,
  backlog: number,
): StoredMessage[] {
  const groups = new Map<string, { open: boolean; run: StoredMessage[] }>();
  let seen = 0;
  for (const message of stored) {
    if (++seen > backlog) break;
    const id = message.groupId ?? '';
    const group = groups.get(id) ?? { open: true, run: [] };
    groups.set(id, group);
    group.open &&= availableAt(message) <= now;
    if (group.open) group.run.push(message);
  }
  return [...groups.values()]
    .flatMap(({ run }) => (run[0] === undefined ? [] : [{ run, head: run[0] }]))
    .sort((a, b) => availableAt(a.head) - availableAt(b.head) || wasReceived(a.head, b.head))
    .flatMap(({ run }) => run);
}

function wasReceived(a: StoredMessage, b: StoredMessage): number {
  return Number(a.flight !== undefined) - Number(b.flight !== undefined) || a.place - b.place;
}
