/**
 * The books of a run: every message that was sent, what the flows, the queues and the wire say of it, and every rule
 * that was broken. The witnesses write here; none of it comes from the relay.
 */
import type { Exchange } from './network.ts';
import type { Arrival } from './plan.ts';
import type { Trace } from './trace.ts';

/** A flow that ran and said that it took the message. */
export interface Run {
  readonly at: number;
  readonly exchange: Exchange;
}

export interface Tracked {
  /** What it must be called by the flow, every time. Another message may bear the same. */
  readonly id: string;
  readonly arrival: Arrival;
  readonly payload: Buffer;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  /** From here on it must not be lost. */
  accepted: boolean;
  /** Ids under which SQS has it, those of letters that were put back included. */
  readonly recordIds: Set<string>;
  readonly runs: Run[];
  /** How often the flow ran on it, whatever it said. */
  attempts: number;
  /** Letters that were stored for it. */
  letters: number;
  /** Moved away by SQS itself. */
  redriven: boolean;
  /** How often the operator has put it back. */
  putBack: number;
  /** How often SQS did not delete it when it should have. */
  undeleted: number;
  /** How often SQS was made to hand it out once more. */
  deliveredAgain: number;
  /** When SQS handed it out, tried then or not. */
  readonly handedOutAt: number[];
  /** Which it was among those that came into its queue; undefined while it has not. */
  place: number | undefined;
  /** When SQS last stored it in its queue for a webhook, epoch milliseconds. */
  storedAt: number | undefined;
  /** How often SQS took it once more from one and the same call, whose answers were lost. */
  takenAgain: number;
  /** How often a sender has sent it. */
  sends: number;
  /** The sides of a cut-over that were called with it. */
  readonly sides: Set<Side>;
}

export type Side = 'old' | 'new';

export interface Violation {
  readonly rule: string;
  readonly words: string;
}

/** What the books have of one invocation. */
export interface InvocationBooks {
  /** Messages whose 2xx arrived whole. */
  readonly delivered: Set<Tracked>;
  /** Messages for which a letter was stored. */
  readonly deadLettered: Set<Tracked>;
  /** The calls with a message, in their order. */
  readonly calls: Map<Tracked, Exchange[]>;
  /** Records that were hidden for a while, or were tried to be. */
  readonly hidden: Set<string>;
  isResultLost: boolean;
}

export interface Ledger {
  readonly messages: readonly Tracked[];
  /** By its id, and where several bear that, by its payload: else the first of them. */
  find(id: string | undefined, payload?: Uint8Array): Tracked | undefined;
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, Map<string, number>>>;
  add(message: Pick<Tracked, 'id' | 'arrival' | 'payload' | 'sentAt' | 'accepted'>): Tracked;
  ofRecord(recordId: string): Tracked | undefined;
  /** SQS has it under this id, too. */
  bind(recordId: string, message: Tracked): void;
  /** It has come into its queue. */
  enqueued(recordId: string, message: Tracked): void;
  /** Those that must keep the order in which they came into the queue, this one included; empty on a standard queue. */
  laneOf(message: Tracked): readonly Tracked[];
  books(invocation: object): InvocationBooks;
  count(table: string, key: string, by?: number): void;
  violate(rule: string, words: string): void;
  /** What must never be printed. */
  confidential(value: string): void;
  readonly secrets: ReadonlySet<string>;
  log(line: string): void;
  readonly output: readonly string[];
}

export function createLedger(trace: Trace): Ledger {
  const messages: Tracked[] = [];
  const byId = new Map<string, Tracked[]>();
  const byRecord = new Map<string, Tracked>();
  const books = new WeakMap<object, InvocationBooks>();
  const violations: Violation[] = [];
  const counts: Record<string, Map<string, number>> = {};
  const secrets = new Set<string>();
  const output: string[] = [];
  const lanes = new Map<string, Tracked[]>();
  let places = 0;

  function bind(recordId: string, message: Tracked): void {
    message.recordIds.add(recordId);
    byRecord.set(recordId, message);
  }

  return {
    messages,
    violations,
    counts,
    secrets,
    output,
    find(id = '', payload = Buffer.alloc(0)) {
      const namesakes = byId.get(id);
      if (namesakes === undefined || namesakes.length === 1) return namesakes?.[0];
      return namesakes.find((one) => one.payload.equals(payload)) ?? namesakes[0];
    },
    add(message) {
      const tracked: Tracked = {
        ...message,
        recordIds: new Set(),
        runs: [],
        attempts: 0,
        letters: 0,
        redriven: false,
        putBack: 0,
        undeleted: 0,
        deliveredAgain: 0,
        handedOutAt: [],
        place: undefined,
        storedAt: undefined,
        takenAgain: 0,
        sends: 0,
        sides: new Set(),
      };
      messages.push(tracked);
      byId.set(message.id, [...(byId.get(message.id) ?? []), tracked]);
      return tracked;
    },
    ofRecord: (recordId) => byRecord.get(recordId),
    bind,
    enqueued(recordId, message) {
      bind(recordId, message);
      if (message.place !== undefined) return;
      places += 1;
      message.place = places;
      const lane = lanes.get(laneName(message));
      if (lane === undefined) lanes.set(laneName(message), [message]);
      else lane.push(message);
    },
    laneOf: (message) => (message.arrival.group === undefined ? [] : (lanes.get(laneName(message)) ?? [])),
    books(invocation) {
      const known = books.get(invocation);
      if (known !== undefined) return known;
      const made: InvocationBooks = {
        delivered: new Set(),
        deadLettered: new Set(),
        calls: new Map(),
        hidden: new Set(),
        isResultLost: false,
      };
      books.set(invocation, made);
      return made;
    },
    count(table, key, by = 1) {
      counts[table] ??= new Map();
      counts[table].set(key, (counts[table].get(key) ?? 0) + by);
    },
    violate(rule, words) {
      violations.push({ rule, words });
      trace.note('RULE BROKEN', `${rule}: ${words}`);
    },
    confidential: (value) => secrets.add(value),
    log: (line) => output.push(line),
  };
}

function laneName({ arrival: { destination, group } }: Tracked): string {
  return `${destination} ${group}`;
}

/** SQS drops it then, wherever it lies. */
export const RETENTION_MS = 14 * 86_400_000;

/** How a message is called in words. */
export function named({ arrival: { number, destination, group } }: Tracked): string {
  return `m${number} of ${destination}${group === undefined ? '' : ` ${group}`}`;
}
