/**
 * Every message that the landscape was given, by id and digest, and where it is: read from what the parts tell, never from
 * the relay's word. The one line that must add up is counted here. How a message looks is `message.ts`.
 */
import type { QueueEvent } from '../aws/sqs/sqs.ts';
import type { AttemptLine } from '../story/delivery-log.ts';
import type { Digest } from './digest.ts';
import { type LifeAttempt, type LifeCall, type LifeEvent, type MessageRow, PLACES, type Place } from './message.ts';
import { readRecord } from './queued.ts';

/** How many messages, and events of one message, are kept: the oldest delivered ones go first, and still count. */
const MOST_MESSAGES = 20_000;
const MOST_EVENTS = 300;

/** A queue of a destination. */
export interface KnownQueue {
  readonly destination: string;
  readonly deadLetters: boolean;
}

export type Sums = Readonly<Record<Place, number>> & { readonly sent: number };

export interface Ledger {
  readonly sums: Sums;
  /** Oldest first. */
  readonly rows: readonly MessageRow[];
  /** In the order of time; undefined where the key is not known. */
  lifeOf(key: number): readonly LifeEvent[] | undefined;
  /** The newest that has this id. */
  newestOf(id: string): MessageRow | undefined;
  /** The message that this one waits for: the head of its group in a FIFO queue, unless it is that itself. */
  headOf(row: MessageRow): MessageRow | undefined;
  /** Hidden until their next try, and with no invocation: SQS's own ids. */
  readonly hidden: readonly { readonly destination: string; readonly record: string }[];
  /** Messages that were taken out of the dead-letter queue, and sent again. */
  readonly replayed: number;
  /** When the next hidden message comes back that waits for no other, epoch ms. */
  readonly nextVisibleAt: number | undefined;
  /** Rows that have changed since the last call. */
  takeChanged(): readonly MessageRow[];

  queue(event: QueueEvent, queue: KnownQueue, to?: KnownQueue): void;
  begun(records: readonly string[]): void;
  over(records: readonly string[], error: { readonly at: number; readonly text: string } | undefined): void;
  /** A flow has run on these bytes. @returns the message that they are, if it is known */
  arrived(arrival: Arrival): number | undefined;
  /** @returns the message that was carried, if it is known */
  call(at: number, carried: Carried, call: LifeCall): number | undefined;
  /** By webhook, without a queue: it counts from its first sign on. */
  direct(message: DirectMessage): number;
  attempt(line: AttemptLine & LifeAttempt, at: number, byWebhook: boolean): number | undefined;
  event(key: number, event: LifeEvent): void;
  /** Those of the records that were handed back without an attempt, if it is they that were. */
  postponed(records: readonly string[], at: number, reason: string): void;
  /** Of a record of SQS. */
  idOf(record: string): string | undefined;
  /** It came by webhook, when its request arrived. */
  byWebhook(id: string, at: number): number | undefined;
}

export interface Carried {
  readonly destination: string;
  readonly id: string | undefined;
  /** Of all payloads that it may have been. */
  readonly digests: readonly Digest[];
}

export interface Arrival extends Carried {
  readonly status: number;
}

export interface DirectMessage {
  readonly destination: string;
  readonly id: string;
  readonly at: number;
  readonly bytes: number;
  readonly digests: readonly Digest[] | undefined;
}

interface Entry {
  row: MessageRow;
  /** Undefined: not known. */
  readonly digests: readonly Digest[] | undefined;
  readonly records: Map<string, Held>;
  readonly life: LifeEvent[];
  isDelivered: boolean;
  isReplayed: boolean;
  /** By webhook, without a queue: its caller waits, or was told. */
  direct: 'open' | 'over' | undefined;
}

/** A record of SQS that is this message. */
interface Held {
  readonly deadLetters: boolean;
  readonly group: string | undefined;
  readonly turn: number;
  isInvoked: boolean;
  visibleAt: number;
  receives: number;
}

export function createLedger(): Ledger {
  const entries = new Map<number, Entry>();
  const byId = new Map<string, Entry[]>();
  const byRecord = new Map<string, Entry>();
  /** Those not yet delivered, by destination and digest. */
  const outstanding = new Map<string, Set<Entry>>();
  const changed = new Set<Entry>();
  const hidden = new Set<Entry>();
  /** By group: its messages in their order. */
  const groups = new Map<string, Map<string, Entry>>();
  const sums: Record<Place, number> = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<Place, number>;
  let sent = 0;
  let keys = 0;
  let turns = 0;
  let replayed = 0;

  function add(
    known: Pick<MessageRow, 'id' | 'destination' | 'by' | 'at' | 'bytes'> & Partial<MessageRow>,
    digests?: readonly Digest[],
  ) {
    const row: MessageRow = { tries: 0, place: 'lost', ...known, key: ++keys };
    const entry: Entry = {
      row,
      digests,
      records: new Map(),
      life: [],
      isDelivered: false,
      isReplayed: false,
      direct: undefined,
    };
    entries.set(row.key, entry);
    const namesakes = byId.get(row.id);
    if (namesakes === undefined) byId.set(row.id, [entry]);
    else namesakes.push(entry);
    for (const alike of placesOfBytes(row.destination, digests)) {
      outstanding.set(alike, (outstanding.get(alike) ?? new Set()).add(entry));
    }
    sent += 1;
    sums.lost += 1;
    forget();
    return entry;
  }

  function forget(): void {
    if (entries.size <= MOST_MESSAGES) return;
    for (const entry of entries.values()) {
      if (entry.row.place !== 'delivered' || entry.records.size > 0) continue;
      entries.delete(entry.row.key);
      const namesakes = byId.get(entry.row.id)?.filter((other) => other !== entry) ?? [];
      if (namesakes.length === 0) byId.delete(entry.row.id);
      else byId.set(entry.row.id, namesakes);
      return;
    }
  }

  function update(entry: Entry, change: Partial<MessageRow> = {}): void {
    const { visibleAt: _, group: _group, turn: _turn, ...rest } = entry.row;
    const place = placeOf(entry);
    sums[entry.row.place] -= 1;
    sums[place] += 1;
    const visibleAt =
      place === 'hidden' ? Math.max(...[...entry.records.values()].map((held) => held.visibleAt)) : undefined;
    const inGroup = [...entry.records.values()].find(({ group }) => group !== undefined);
    entry.row = { ...rest, ...change, place, ...defined({ visibleAt, group: inGroup?.group, turn: inGroup?.turn }) };
    if (place === 'hidden') hidden.add(entry);
    else hidden.delete(entry);
    changed.add(entry);
  }

  function tell(entry: Entry, event: LifeEvent): void {
    entry.life.push(event);
    if (entry.life.length > MOST_EVENTS) entry.life.shift();
    changed.add(entry);
  }

  /** With this id, and these bytes where they are known; else the newest with the id. */
  function find(id: string | undefined, digests?: readonly Digest[]): Entry | undefined {
    const namesakes = id === undefined ? undefined : byId.get(id);
    return namesakes?.findLast((entry) => isAlike(entry.digests, digests));
  }

  /** SAP RM knows a message by a GUID that may be another than its id: there the bytes tell, of those not yet delivered. */
  function carried({ destination, id, digests }: Carried): Entry | undefined {
    if (id !== undefined && byId.has(id)) return find(id, digests);
    for (const alike of placesOfBytes(destination, digests)) {
      const [first] = outstanding.get(alike) ?? [];
      if (first !== undefined) return first;
    }
    return undefined;
  }

  function deliver(entry: Entry): void {
    for (const alike of placesOfBytes(entry.row.destination, entry.digests)) {
      const others = outstanding.get(alike);
      others?.delete(entry);
      if (others?.size === 0) outstanding.delete(alike);
    }
    entry.isDelivered = true;
    update(entry);
  }

  function laid(event: QueueEvent & { what: 'sent' }, { destination, deadLetters }: KnownQueue): void {
    const { at, id: record, queue } = event;
    const { messageId: id, bytes, digests, contentType, letter } = readRecord(record, event.body, event.attributes);
    const found = find(id, digests);
    const entry = found ?? add({ id, destination, by: 'queue', at, bytes, ...defined({ contentType }) }, digests);
    const group = event.groupId === undefined || deadLetters ? undefined : `${queue} ${event.groupId}`;
    if (!deadLetters && !entry.isReplayed && [...entry.records.values()].some((held) => held.deadLetters)) {
      entry.isReplayed = true;
      replayed += 1;
    }
    entry.records.set(record, { deadLetters, group, turn: ++turns, isInvoked: false, visibleAt: at, receives: 0 });
    if (group !== undefined) groups.set(group, (groups.get(group) ?? new Map<string, Entry>()).set(record, entry));
    byRecord.set(record, entry);
    if (deadLetters) {
      const { reason = 'no reason beside it', outcome, status } = letter ?? {};
      tell(entry, {
        at,
        what: 'letter',
        queue,
        reason,
        ...(outcome === undefined ? {} : { outcome }),
        ...(status === undefined ? {} : { status }),
      });
    } else tell(entry, { at, what: 'queued', queue, bytes, again: found !== undefined });
    update(entry);
  }

  function queue(event: QueueEvent, known: KnownQueue, to?: KnownQueue): void {
    if (event.what === 'sent') {
      laid(event, known);
      return;
    }
    const entry = byRecord.get(event.id);
    const held = entry?.records.get(event.id);
    if (entry !== undefined && held !== undefined) happened(event, entry, held, to);
  }

  function happened(
    event: Exclude<QueueEvent, { what: 'sent' }>,
    entry: Entry,
    held: Held,
    to: KnownQueue | undefined,
  ): void {
    const { at, id: record, what } = event;
    if (what === 'received' || what === 'hidden') {
      held.visibleAt = event.visibleAt;
      if (what === 'received') held.receives = event.receiveCount;
      // Who reads a letter does not take it.
      if (held.deadLetters) return;
      if (what === 'received') tell(entry, { at, what, attempt: event.receiveCount });
      else tell(entry, { at, what, visibleAt: event.visibleAt });
      update(entry, what === 'received' ? { tries: event.receiveCount } : {});
      return;
    }
    leaveGroup(record, held);
    if (what === 'redriven') {
      const deadLetters = to?.deadLetters ?? true;
      entry.records.set(record, { ...held, deadLetters, group: undefined, isInvoked: false });
      const reason = 'SQS has handed it out too often (maxReceiveCount), and moved it by itself';
      tell(entry, { at, what: 'letter', queue: event.to, reason });
    } else {
      entry.records.delete(record);
      byRecord.delete(record);
      if (what === 'deleted') tell(entry, { at, what: held.deadLetters ? 'letter taken' : 'deleted' });
      else tell(entry, { at, what: 'gone', how: what });
    }
    update(entry);
  }

  function leaveGroup(record: string, { group = '' }: Held): void {
    const members = groups.get(group);
    members?.delete(record);
    if (members?.size === 0) groups.delete(group);
  }

  function headOf({ group = '', key }: MessageRow): MessageRow | undefined {
    const [head] = groups.get(group)?.values() ?? [];
    return head?.row.key === key ? undefined : head?.row;
  }

  function invoked(records: readonly string[], isInvoked: boolean): readonly Entry[] {
    return records.flatMap((record) => {
      const entry = byRecord.get(record);
      const held = entry?.records.get(record);
      if (entry === undefined || held === undefined) return [];
      held.isInvoked = isInvoked;
      update(entry);
      return [entry];
    });
  }

  return {
    get sums() {
      return { ...sums, sent };
    },
    get rows() {
      return Array.from(entries.values(), ({ row }) => row);
    },
    // Lines of the log come a moment after what they tell of.
    lifeOf: (key) => entries.get(key)?.life.toSorted((one, other) => one.at - other.at),
    newestOf: (id) => byId.get(id)?.at(-1)?.row,
    headOf,
    get hidden() {
      return Array.from(hidden, ({ row: { destination }, records }) =>
        [...records].filter(([, held]) => !held.deadLetters).map(([record]) => ({ destination, record })),
      ).flat();
    },
    get replayed() {
      return replayed;
    },
    get nextVisibleAt() {
      let next: number | undefined;
      for (const { row } of hidden) {
        const { visibleAt = Number.POSITIVE_INFINITY } = row;
        if (visibleAt < (next ?? Number.POSITIVE_INFINITY) && headOf(row) === undefined) next = visibleAt;
      }
      return next;
    },
    takeChanged() {
      const rows = Array.from(changed, ({ row }) => row);
      changed.clear();
      return rows;
    },
    queue,
    begun: (records) => {
      invoked(records, true);
    },
    over(records, error) {
      for (const entry of invoked(records, false)) {
        if (error !== undefined) tell(entry, { at: error.at, what: 'invocation failed', error: error.text });
      }
    },
    arrived({ status, ...arrival }) {
      const entry = carried(arrival);
      if (entry !== undefined && status < 300) deliver(entry);
      return entry?.row.key;
    },
    call(at, what, call) {
      const exact = carried(what);
      const entry = exact ?? find(what.id);
      if (entry === undefined) return undefined;
      tell(entry, { at, what: 'call', ...call, ...(exact === undefined ? { otherBytes: true } : {}) });
      return entry.row.key;
    },
    direct({ digests, ...message }) {
      const entry = find(message.id, digests) ?? add({ ...message, by: 'webhook' }, digests);
      if (entry.records.size === 0) entry.direct = 'open';
      update(entry, { tries: Math.max(1, entry.row.tries) });
      return entry.row.key;
    },
    attempt({ destination, messageId, ...line }, at, byWebhook) {
      const entry = find(messageId);
      if (entry === undefined) return undefined;
      const { outcome, status, token, calls, durationMs, reason, mplId, side } = line;
      const { attempt, executed, tokenAgeMs, resent } = line;
      const told = defined({ status, token, reason, mplId, side });
      tell(entry, {
        at,
        what: 'attempt',
        attempt,
        outcome,
        executed,
        calls,
        durationMs,
        ...told,
        ...defined({ tokenAgeMs, resent }),
      });
      if (byWebhook) entry.direct = 'over';
      const { status: _status, reason: _reason, token: _token, ...rest } = entry.row;
      entry.row = rest;
      update(entry, { outcome, calls, durationMs, ...told });
      return entry.row.key;
    },
    event(key, event) {
      const entry = entries.get(key);
      // What served several tries is told once.
      if (entry !== undefined && !entry.life.includes(event)) tell(entry, event);
    },
    postponed(records, at, reason) {
      for (const record of records) {
        const entry = byRecord.get(record);
        if (entry === undefined) continue;
        tell(entry, { at, what: 'postponed', reason });
        update(entry, { reason });
      }
    },
    idOf: (record) => byRecord.get(record)?.row.id,
    byWebhook(id, at) {
      const entry = find(id);
      if (entry === undefined) return undefined;
      update(entry, { by: 'webhook', at });
      return entry.row.key;
    },
  };
}

function placesOfBytes(destination: string, digests: readonly Digest[] = []): string[] {
  return digests.map((digest) => `${destination} ${digest}`);
}

/** What is not known may be anything. */
function isAlike(one: readonly Digest[] | undefined, other: readonly Digest[] | undefined): boolean {
  return one === undefined || other === undefined || one.some((digest) => other.includes(digest));
}

function placeOf({ isDelivered, direct, records }: Entry): Place {
  if (isDelivered) return 'delivered';
  const held = [...records.values()].filter(({ deadLetters }) => !deadLetters);
  if (direct === 'open' || held.some(({ isInvoked }) => isInvoked)) return 'in flight';
  if (held.some(({ receives }) => receives === 0)) return 'waiting';
  if (held.length > 0) return 'hidden';
  if (records.size > 0) return 'dead';
  return direct === 'over' ? 'returned' : 'lost';
}

function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
