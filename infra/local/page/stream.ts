/**
 * The steps in which the page changes: each has an id, carries all that changed at one moment, and is kept for those who
 * come back with `Last-Event-ID`. What is in a step is for `page.ts`; the format is that of server-sent events.
 *
 * @see WHATWG HTML, "Server-sent events"
 */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type SetTimer, setRealTimer } from '../facts/timer.ts';

export const MOST_KEPT = 1_000;
/** A proxy or a browser that hears nothing for long takes a connection for dead. */
const HEARTBEAT_MS = 15_000;
/** What happens within so long is one step: nobody reads faster. */
const GATHER_MS = 50;
/**
 * A reader for which more than this waits gets nothing more: its connection is closed, and it comes back with its
 * `Last-Event-ID`. Who has missed more than this reads the state anew, which is less.
 */
export const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

export interface Stream {
  /** Something has changed: a step follows within 50 ms. */
  changed(): void;
  /** Of the newest step: `<stream>-<number>`. */
  readonly lastId: string;
  /**
   * Sends the steps after `lastEventId` and all that follow. Where one of them is no longer kept, they are more than 4 MiB,
   * or the id is not of this stream, the event `reset` comes instead: read the state anew.
   */
  connect(response: ServerResponse, lastEventId: string | undefined): void;
  /** Ends every connection. */
  stop(): void;
}

/** @param take what has changed since it was called last */
export function createStream(take: () => object, setTimer: SetTimer = setRealTimer): Stream {
  /** Whoever comes back to a landscape that was started anew must not go on in the middle of it. */
  const name = randomBytes(4).toString('hex');
  const kept: string[] = [];
  const readers = new Set<ServerResponse>();
  let count = 0;
  let callOffStep: (() => void) | undefined;
  let callOffHeartbeat = setTimer(beat, HEARTBEAT_MS);

  function beat(): void {
    callOffHeartbeat = setTimer(beat, HEARTBEAT_MS);
    send(': still here\n\n');
  }

  function step(): void {
    callOffStep = undefined;
    count += 1;
    const text = `id: ${name}-${count}\nevent: step\ndata: ${JSON.stringify(take())}\n\n`;
    kept.push(text);
    if (kept.length > MOST_KEPT) kept.shift();
    send(text);
  }

  /** So what is held for a reader is never more than the limit and one step. */
  function send(text: string): void {
    for (const reader of readers) {
      if (reader.writableLength > MOST_UNREAD_BYTES) reader.destroy();
      else reader.write(text);
    }
  }

  function connect(response: ServerResponse, lastEventId: string | undefined): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 1000\n\n');
    if (lastEventId !== undefined) response.write(missed(lastEventId));
    readers.add(response);
    response.once('close', () => readers.delete(response));
  }

  function missed(lastEventId: string): string {
    const [stream, number = ''] = lastEventId.split('-');
    const missing = stream === name && /^\d{1,15}$/.test(number) ? count - Number(number) : Number.NaN;
    const steps = missing >= 0 && missing <= kept.length ? kept.slice(kept.length - missing) : undefined;
    const isKept = steps !== undefined && steps.reduce((sum, { length }) => sum + length, 0) <= MOST_UNREAD_BYTES;
    return isKept ? steps.join('') : `id: ${name}-${count}\nevent: reset\ndata: {}\n\n`;
  }

  return {
    changed: () => {
      callOffStep ??= setTimer(step, GATHER_MS);
    },
    get lastId() {
      return `${name}-${count}`;
    },
    connect,
    stop: () => {
      callOffHeartbeat();
      callOffStep?.();
      for (const reader of readers) reader.end();
    },
  };
}
