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
/** A reader that does not read is dropped when so much waits for it, in bytes; it comes back by itself. */
const MOST_UNREAD_BYTES = 64 * 1024 * 1024;

export interface Stream {
  /** Something has changed: a step follows within 50 ms. */
  changed(): void;
  /** Of the newest step: `<stream>-<number>`. */
  readonly lastId: string;
  /**
   * Sends the steps after `lastEventId` and all that follow. Where one of them is no longer kept, or the id is not of this
   * stream, the event `reset` comes instead: read the state anew.
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
    for (const reader of readers) reader.write(': still here\n\n');
  }

  function step(): void {
    callOffStep = undefined;
    count += 1;
    const text = `id: ${name}-${count}\nevent: step\ndata: ${JSON.stringify(take())}\n\n`;
    kept.push(text);
    if (kept.length > MOST_KEPT) kept.shift();
    for (const reader of readers) {
      reader.write(text);
      if (reader.writableLength > MOST_UNREAD_BYTES) reader.destroy();
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
    if (!(missing >= 0 && missing <= kept.length)) return `id: ${name}-${count}\nevent: reset\ndata: {}\n\n`;
    return kept.slice(kept.length - missing).join('');
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
