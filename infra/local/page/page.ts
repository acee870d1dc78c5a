/**
 * The page on which the landscape is watched, and broken: its server. `GET /` is the page for a browser and a plain list
 * for curl, `GET /state` everything as JSON, `GET /events` what changes, `GET /messages/<key>` the life of a message,
 * `GET /payloads/<id>` its bytes, `GET /faults` the buttons, `POST /faults/<name>` presses one. Who may ask is for `origin.ts`.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Deployed, Landscape } from '../landscape.ts';
import type { Answer } from '../server/server.ts';
import { createFaults, FaultMistake } from './faults.ts';
import { lineOf, readFigures } from './figures.ts';
import { plainList } from './list.ts';
import { SAFE_HEADERS, strangerTo } from './origin.ts';
import { findPayload } from './payload.ts';
import { createStream } from './stream.ts';
import type { Watch } from './watch.ts';

export interface Page {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface PageOptions {
  readonly watch: Watch;
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Epoch ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** Of what a button is pressed with. */
const MOST_BODY_BYTES = 4_096;
const TEXT = 'text/plain; charset=utf-8';
const FILES: Readonly<Record<string, Answer>> = {
  '/page.css': file('page.css', 'text/css; charset=utf-8'),
  '/page.js': file('page.js', 'text/javascript; charset=utf-8'),
  '/icon.svg': file('icon.svg', 'image/svg+xml'),
};
const FRONT = file('page.html', 'text/html; charset=utf-8');

/** Listens on loopback alone. */
export async function startPage({ watch, landscape, deployed, port = 0, now = Date.now }: PageOptions): Promise<Page> {
  const { ledger, refused } = watch;
  const stopping = new AbortController();
  const faults = createFaults({ landscape, deployed, ledger, signal: stopping.signal, now });
  const figures = () => readFigures(watch, landscape, deployed, faults, now());
  let toldRefused = 0;
  const stream = createStream(() => {
    const newlyRefused = refused.filter(({ key }) => key > toldRefused);
    toldRefused = refused.at(-1)?.key ?? 0;
    return { figures: figures(), messages: ledger.takeChanged(), refused: newlyRefused };
  });
  const ignoreFacts = watch.onFact(stream.changed);

  async function answer(request: IncomingMessage, { pathname, searchParams }: URL): Promise<Answer> {
    const fault = /^\/faults\/([\w-]{1,100})$/.exec(pathname)?.[1];
    if (fault !== undefined) return press(fault, request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return only('GET, HEAD');
    if (pathname === '/') return front(request.headers.accept ?? '');
    if (pathname === '/state') return json(200, state());
    if (pathname === '/faults') return json(200, faults.buttons);
    const [, part, name = ''] = /^\/(messages|payloads)\/([^/]{1,1000})$/.exec(pathname) ?? [];
    if (part === 'messages') return life(Number(name));
    if (part === 'payloads') return payload(name, Number(searchParams.get('most') ?? Number.POSITIVE_INFINITY));
    return FILES[pathname] ?? plain(404, 'there is no such page');
  }

  function front(accept: string): Answer {
    const shown = accept.includes('text/html') ? FRONT : plain(200, plainList(ledger, figures()));
    return { ...shown, headers: { ...shown.headers, Vary: 'Accept' } };
  }

  function state(): object {
    // Named before the rest is read: what changes in between comes once more, and changes nothing.
    const { lastId } = stream;
    const shown = figures();
    const { sums, counts } = shown;
    return {
      lastId,
      ...lineOf(sums),
      tokenRequests: counts.tokenRequests,
      secretReads: counts.secretReads,
      figures: shown,
      messages: ledger.rows.toReversed().map((row) => ({
        ...row,
        messageId: row.id,
        behind: ledger.headOf(row)?.id,
        attempts: attemptsOf(row.key),
      })),
      refused: refused.toReversed(),
      faults: faults.buttons,
    };
  }

  function attemptsOf(key: number) {
    return (ledger.lifeOf(key) ?? []).filter(({ what }) => what === 'attempt');
  }

  function life(key: number): Answer {
    const events = ledger.lifeOf(key);
    return events === undefined ? plain(404, 'no such message is kept') : json(200, { life: events });
  }

  /** @param name the message's id, percent-encoded @param most bytes */
  function payload(name: string, most: number): Answer {
    const id = decoded(name);
    const found = id === undefined ? undefined : findPayload(landscape, id);
    if (found === undefined) return plain(404, 'no payload of such a message is here');
    // Whatever it is, a browser is to show it as text or not at all.
    return { status: 200, headers: { 'Content-Type': TEXT }, body: found.subarray(0, most) };
  }

  async function press(name: string, request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'POST') return only('POST');
    try {
      const done = await faults.press(name, await readFields(request));
      return json(200, { done });
    } catch (error) {
      if (error instanceof FaultMistake) return json(400, { error: error.message });
      return json(500, { error: `${name}: ${error instanceof Error ? error.message : 'unknown error'}` });
    } finally {
      stream.changed();
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [header, value] of Object.entries(SAFE_HEADERS)) response.setHeader(header, value);
    const stranger = strangerTo(request.headers, portOf(server), request.method);
    const url = URL.parse(request.url ?? '/', 'http://page');
    if (url === null) {
      response.writeHead(400).end();
      return;
    }
    if (stranger === undefined && request.method === 'GET' && url.pathname === '/events') {
      const lastId = request.headers['last-event-id'] ?? url.searchParams.get('after') ?? undefined;
      stream.connect(response, lastId?.toString());
      return;
    }
    const { status, headers, body } = stranger === undefined ? await answer(request, url) : plain(403, stranger);
    response.writeHead(status, { 'Cache-Control': 'no-store', ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      // Who goes away within a request is no fault of the page; everything else is one, and must not be lost.
      if (request.destroyed && !request.complete) return;
      queueMicrotask(() => {
        throw error;
      });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    stop: async () => {
      stopping.abort();
      ignoreFacts();
      stream.stop();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port;
}

/** @throws FaultMistake */
async function readFields(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > MOST_BODY_BYTES) throw new FaultMistake(`the body is larger than ${MOST_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  if (bytes === 0) return {};
  // A form of another site can send a body, but none of this type.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new FaultMistake('Content-Type: expected application/json');
  }
  try {
    const fields: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { ...fields };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new FaultMistake('the body: expected a JSON object');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function plain(status: number, text: string): Answer {
  return { status, headers: { 'Content-Type': TEXT }, body: text.endsWith('\n') ? text : `${text}\n` };
}

function json(status: number, value: object): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

function only(methods: string): Answer {
  const answer = plain(405, `expected ${methods}`);
  return { ...answer, headers: { ...answer.headers, Allow: methods } };
}

function file(name: string, type: string): Answer {
  return { status: 200, headers: { 'Content-Type': type }, body: readFileSync(new URL(name, import.meta.url)) };
}
