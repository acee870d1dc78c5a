/**
 * The messages that a queue holds: their places, their states at a moment, and their end by retention. Who may take
 * one, and what that does to it, is for `sqs/receiving.ts` and `sqs/acknowledgement.ts`.
 */
import type { MessageView, StoredMessage } from './message.ts';

/** How many deleted messages `duplicate` still finds. */
const REMEMBERED_DELETIONS = 100;

export interface StoreOptions {
  readonly now: () => number;
  /** The queue's `MessageRetentionPeriod` in ms, as it is now. */
  readonly retentionMs: () => number;
  /** The queue's `DelaySeconds` in ms, as it is now. */
  readonly delayMs: () => number;
  /** Called with the ids of messages that retention has ended. */
  readonly expired: (ids: readonly string[]) => void;
}

export type StorableMessage = Omit<StoredMessage, 'place' | 'enteredAt' | 'flight' | 'receivesHere' | 'duplicate'>;

export interface Store {
  add(message: StorableMessage): void;
  find(id: string): StoredMessage | undefined;
  remove(id: string): void;
  clear(): void;
  /** Takes out what is older than the retention; told by `expired`. Called before anything is read. */
  expire(): void;
  /** To be called when the retention was changed. */
  retentionChanged(): void;
  readonly size: number;
  /** In queue order. */
  all(): Iterable<StoredMessage>;
  moveToBack(message: StoredMessage): void;
  /** When it can be received by its own delay and flight, epoch ms. */
  availableAt(message: StoredMessage): number;
  isInFlight(message: StoredMessage): boolean;
  view(message: StoredMessage): MessageView;
  /** How many are in each state. */
  counts(): Readonly<Record<MessageView['state'], number>>;
  nextVisibleAt(): number | undefined;
  /** Marks a stored or lately removed message for one delivery more; false where there is none. */
  duplicate(id: string): boolean;
}

export function createStore({ now, retentionMs, delayMs, expired }: StoreOptions): Store {
  const stored = new Map<string, StoredMessage>();
  const removed = new Map<string, StoredMessage>();
  let places = 0;
  let nothingExpiresBefore = Number.POSITIVE_INFINITY;

  function add(message: StorableMessage): void {
    const own = { place: places++, enteredAt: now(), flight: undefined, receivesHere: 0, duplicate: false };
    stored.set(message.id, { ...message, ...own });
    nothingExpiresBefore = Math.min(nothingExpiresBefore, message.sentAt + retentionMs());
  }

  /** AWS: API Reference "SetQueueAttributes", `MessageRetentionPeriod`: counted from the sending, in flight or not. */
  function expire(): void {
    if (now() < nothingExpiresBefore) return;
    const ended: string[] = [];
    nothingExpiresBefore = Number.POSITIVE_INFINITY;
    for (const [id, { sentAt }] of stored) {
      const expiresAt = sentAt + retentionMs();
      if (expiresAt <= now()) ended.push(id);
      else nothingExpiresBefore = Math.min(nothingExpiresBefore, expiresAt);
    }
    for (const id of ended) stored.delete(id);
    if (ended.length > 0) expired(ended);
  }

  function remove(id: string): void {
    const message = stored.get(id);
    if (message === undefined) return;
    stored.delete(id);
    removed.set(id, message);
    const [oldest] = removed.keys();
    if (removed.size > REMEMBERED_DELETIONS && oldest !== undefined) removed.delete(oldest);
  }

  function moveToBack(message: StoredMessage): void {
    message.place = places++;
    stored.delete(message.id);
    stored.set(message.id, message);
  }

  function availableAt({ flight, sentAt, delaySeconds }: StoredMessage): number {
    return flight?.visibleAt ?? sentAt + (delaySeconds === undefined ? delayMs() : delaySeconds * 1000);
  }

  function stateOf(message: StoredMessage): MessageView['state'] {
    if (availableAt(message) <= now()) return 'visible';
    return message.flight === undefined ? 'delayed' : 'in flight';
  }

  function counts(): Record<MessageView['state'], number> {
    const counted = { visible: 0, 'in flight': 0, delayed: 0 };
    for (const message of stored.values()) counted[stateOf(message)]++;
    return counted;
  }

  function nextVisibleAt(): number | undefined {
    let next: number | undefined;
    for (const message of stored.values()) {
      const at = availableAt(message);
      if (at > now() && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  function duplicate(id: string): boolean {
    const message = stored.get(id) ?? removed.get(id);
    if (message === undefined) return false;
    removed.delete(id);
    message.duplicate = true;
    stored.set(id, message);
    return true;
  }

  return {
    add,
    find: (id) => stored.get(id),
    remove,
    clear: () => {
      stored.clear();
      removed.clear();
    },
    expire,
    retentionChanged: () => {
      nothingExpiresBefore = 0;
    },
    get size() {
      return stored.size;
    },
    all: () => stored.values(),
    moveToBack,
    availableAt,
    isInFlight: (message) => stateOf(message) === 'in flight',
    view: (message) => viewOf(message, stateOf(message), availableAt(message)),
    counts,
    nextVisibleAt,
    duplicate,
  };
}

function viewOf(message: StoredMessage, state: MessageView['state'], visibleAt: number): MessageView {
  const { id, body, attributes, groupId, deduplicationId, deadLetterSourceArn, receiveCount, sentAt } = message;
  const sent = { id, body, attributes, groupId, deduplicationId, deadLetterSourceArn, sentAt };
  return { ...sent, state, receiveCount, visibleAt };
}
