import { createServer, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createStream, MOST_KEPT, MOST_UNREAD_BYTES } from '../../../infra/local/page/stream.ts';
import { found, openPage } from './opened.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('the page over HTTP', () => {
  test('the page over HTTP is a page for a browser, and for curl a plain list with the sum below it', async () => {
    const { page, orders, send } = await openPage();
    const id = send(orders);
    const html = await fetch(page, { headers: { Accept: BROWSER } });
    expect([html.headers.get('content-type'), html.headers.get('vary')]).toEqual([
      'text/html; charset=utf-8',
      'Accept',
    ]);
    expect(await html.text()).toContain('<script src="/page.js" type="module">');

    const list = await fetch(page, { headers: { Accept: '*/*' } });
    expect(list.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await list.text()).toMatch(
      new RegExp(
        `orders {2}waiting {2}${id}.*\n\nsent 1 = delivered 0 \\+ waiting 1 \\+ in flight 0 \\+ dead 0; lost 0\n$`,
      ),
    );
  });

  test('the page over HTTP answers nobody but programs on this machine and itself', async () => {
    const { page } = await openPage();
    const { host, port } = new URL(page);
    const asked = async (headers: Record<string, string>, method = 'GET', path = '/state') =>
      (await ask(page, method, path, { host, ...headers })).status;
    expect(await asked({})).toBe(200);
    expect(await asked({ host: `localhost:${port}` })).toBe(200);
    expect(await asked({ origin: page })).toBe(200);
    expect(await asked({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    // A link to it on another site may be followed.
    expect(await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'GET', '/')).toBe(200);

    expect(await asked({}, 'GET', '//')).toBe(400);
    const navigated = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(await asked(navigated, 'POST', '/faults/take-role')).toBe(403);
    // A name that somebody has pointed at this machine.
    expect(await asked({ host: `evil.example:${port}` })).toBe(403);
    expect(await asked({ host: '127.0.0.1' })).toBe(403);
    for (const path of ['/', '/state', '/events', '/page.js', '/messages/1', '/payloads/1']) {
      expect(await asked({ host: 'evil.example' }, 'GET', path)).toBe(403);
      expect(await asked({ origin: 'https://evil.example' }, 'GET', path)).toBe(403);
      expect(await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'GET', path)).toBe(403);
    }
    for (const origin of ['https://evil.example', 'null', `https://127.0.0.1:${port}`, 'http://127.0.0.1:1']) {
      expect(await asked({ origin }, 'POST', '/faults/rotate-signing-key')).toBe(403);
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = await ask(page, 'POST', '/faults/send-sample', { host, ...form }, 'times=1');
    expect([posted.status, posted.body]).toEqual([400, '{"error":"Content-Type: expected application/json"}']);
  });

  test('the state of the page adds up, and names messages, tries and buttons for scripts', async () => {
    const { page, orders, send, poll } = await openPage();
    const messageId = send(orders, { body: '{"order":1}' });
    await poll();
    send(orders, { body: '{"order":2}' });
    const state = (await (await fetch(`${page}/state`)).json()) as { messages: object[] };
    expect(state).toMatchObject({ sent: 2, delivered: 1, waiting: 1, inFlight: 0, dead: 0, lost: 0, secretReads: 1 });
    expect(state).toMatchObject({
      tokenRequests: 1,
      messages: [{ attempts: [] }, { messageId, outcome: 'delivered' }],
    });
    expect(state.messages[1]).toMatchObject({
      destination: 'orders',
      attempts: [{ outcome: 'delivered', status: 200 }],
    });
    const buttons = (await (await fetch(`${page}/faults`)).json()) as { name: string }[];
    const names = buttons.map(({ name }) => name);
    for (const at of ['node', 'authorization-server'])
      expect(names).toEqual(expect.arrayContaining([`stop-${at}`, `start-${at}`]));
    expect(names).toEqual(expect.arrayContaining(['rotate-secret', 'rotate-secret-at-sap', 'take-role', 'give-role']));
  });

  test('the page over HTTP lets nothing in but its own files, on each answer', async () => {
    const { page, orders, send } = await openPage();
    const id = send(orders, { body: '<script>alert(1)</script>', attributes: { contentType: 'text/html' } });
    for (const path of ['/', '/page.js', '/page.css', '/state', '/no-such-page', `/payloads/${id}`]) {
      const { headers } = await fetch(`${page}${path}`, { headers: { Accept: BROWSER } });
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'self'; .*require-trusted-types-for 'script'/,
      );
      expect([headers.get('x-content-type-options'), headers.get('access-control-allow-origin')]).toEqual([
        'nosniff',
        null,
      ]);
    }
    const payload = await fetch(`${page}/payloads/${id}`);
    expect([payload.headers.get('content-type'), await payload.text()]).toEqual([
      'text/plain; charset=utf-8',
      '<script>alert(1)</script>',
    ]);
    expect((await fetch(`${page}/payloads/%E0%A4`)).status).toBe(404);
    expect((await fetch(`${page}/messages/99`)).status).toBe(404);
    expect((await fetch(`${page}/state`, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD');
    expect((await fetch(`${page}/faults/heal`)).headers.get('allow')).toBe('POST');
  });

  test('the page over HTTP shows the life of a message in order, with its calls, dropped headers and token', async () => {
    const stage = await openPage({ plans: [{ name: 'orders', settings: { forwardHeaders: ['X-Region'] } }] });
    const { orders, send, poll } = stage;
    const id = send(orders, { attributes: { contentType: 'text/plain', headers: '{"X-Region":"EU"}' } });
    await poll();
    const { messages, figures } = await stage.until(
      'all is delivered',
      ({ figures: { sums } }) => sums.delivered === 1,
    );
    const [row] = messages;
    expect(row).toMatchObject({
      id,
      destination: 'orders',
      by: 'queue',
      place: 'delivered',
      status: 200,
      token: 'new',
      calls: 2,
    });
    const life = row === undefined ? [] : await stage.lifeOf(row);
    expect(life.map(({ what }) => what)).toEqual([
      'queued',
      'received',
      'secret read',
      'token request',
      'call',
      'call',
      'call',
      'attempt',
      'deleted',
    ]);
    const calls = life.filter((event) => event.what === 'call');
    expect(
      calls.map(({ method, path, status, carries, executed, why }) => [method, path, status, carries, executed, why]),
    ).toEqual([
      ['POST', '/http/orders', 403, 'message', false, 'the flow wants a CSRF token, and the cookies of its session'],
      ['HEAD', '/http/orders', 200, 'csrf', false, undefined],
      ['POST', '/http/orders', 200, 'message', true, undefined],
    ]);
    expect(calls[2]?.mplIds).toEqual([stage.runtimeNode.messages[0]?.mplId]);
    const headers = calls[2]?.headers ?? [];
    expect(headers.filter(({ dropped }) => dropped)).toEqual([{ name: 'x-region', value: 'EU', dropped: true }]);
    expect(headers.find(({ name }) => name === 'Authorization')?.value).toMatch(/^Bearer \(sha256 [0-9a-f]{12}…\)$/);
    expect(figures).toMatchObject({
      counts: { secretReads: 1, tokenRequests: 1, calls: 3, unauthorized: 0, arrivals: 1 },
      functions: { queue: { environments: 1, coldStarts: 1 } },
      token: { client: 'legacy-orders', isVoid: false },
    });
  });

  test('the page over HTTP gives the true reason of each request that a webhook refused', async () => {
    const stage = await openPage();
    await stage.post('/webhooks/orders', { user: { username: 'stranger', password: 'wrong' } });
    await stage.post('/webhooks/nowhere');
    await stage.post('/elsewhere');
    const { refused } = await stage.until('three are refused', ({ refused: all }) => all.length === 3);
    expect(refused.map(({ path, status, verify, why }) => [path, status, verify, why])).toEqual([
      ['/elsewhere', 404, undefined, 'Not Found'],
      ['/webhooks/nowhere', 401, undefined, 'there is no webhook of this name'],
      ['/webhooks/orders', 401, 'basic', expect.stringMatching(/password|user|credential/i)],
    ]);
  });

  test('the page over HTTP knows a message by webhook, and one whose caller got the outcome', async () => {
    const direct = {
      name: 'stock',
      webhook: { username: 'legacy-erp', password: 'synthetic+pass:word%é', mode: 'direct' as const },
    };
    const stage = await openPage({
      plans: [{ name: 'orders', webhook: { ...direct.webhook, mode: 'queued' } }, direct],
    });
    await stage.post('/webhooks/orders', { headers: { 'X-Request-Id': 'order-1' } });
    await stage.poll();
    await stage.post('/webhooks/stock', { headers: { 'X-Request-Id': 'stock-1' } });
    await stage.runtimeNode.server.stop();
    await stage.post('/webhooks/stock', { headers: { 'X-Request-Id': 'stock-2' } });
    const { messages, figures } = await stage.until('three were sent', ({ figures: { sums } }) => sums.sent === 3);
    expect(messages.map(({ id, by, place, status }) => [id, by, place, status])).toEqual([
      ['stock-2', 'webhook', 'returned', undefined],
      ['stock-1', 'webhook', 'delivered', 200],
      ['order-1', 'webhook', 'delivered', 200],
    ]);
    expect([figures.sums.sent, found(figures), figures.sums.lost]).toEqual([3, 3, 0]);
    const lives = await Promise.all(messages.map(stage.lifeOf));
    expect(lives.map(([first]) => first)).toMatchObject([
      { what: 'webhook', method: 'POST', path: '/webhooks/stock', status: 502 },
      { what: 'webhook', method: 'POST', path: '/webhooks/stock', status: 200 },
      { what: 'webhook', method: 'POST', path: '/webhooks/orders', status: 202 },
    ]);
  });
});

describe('the stream of events', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** Its steps are made when `pass` is called. */
  async function open({ bytes = 0 } = {}) {
    const due = new Set<() => void>();
    let number = 0;
    const stream = createStream(
      () => ({ number: ++number, ...(bytes === 0 ? {} : { filling: 'x'.repeat(bytes) }) }),
      (run) => {
        due.add(run);
        return () => due.delete(run);
      },
    );
    const responses: ServerResponse[] = [];
    const server = createServer((request, response) => {
      responses.push(response);
      stream.connect(response, request.headers['last-event-id']?.toString());
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    const pass = () => {
      for (const run of [...due]) {
        due.delete(run);
        run();
      }
    };
    return {
      stream,
      server,
      responses,
      pass,
      steps: (count: number) => {
        for (let made = 0; made < count; made += 1) {
          stream.changed();
          pass();
        }
      },
      /** It asks, and then never reads. */
      sleeper: () =>
        new Promise<Socket>((resolve) => {
          const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
            socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
          );
          socket.pause();
          server.once('request', () => resolve(socket));
        }),
      read: (lastEventId: string | undefined, isEnough: (text: string) => boolean) =>
        readUntil(url, lastEventId, isEnough),
    };
  }

  test('the stream of events goes on after Last-Event-ID with what was missed, and then with what comes', async () => {
    const { stream, steps, read } = await open();
    steps(3);
    const seen = stream.lastId;
    steps(2);
    const resumed = read(seen, (text) => text.includes('"number":6'));
    const missed = read(seen, (text) => text.includes('"number":5'));
    expect(numbersIn(await missed)).toEqual([4, 5]);
    steps(1);
    expect(numbersIn(await resumed)).toEqual([4, 5, 6]);
    expect(await read(stream.lastId, (text) => text.includes('retry'))).not.toContain('event:');
  });

  test('the stream of events keeps 1,000 steps, and sends whoever was away longer back to the start', async () => {
    const { stream, steps, read } = await open();
    steps(1);
    const first = stream.lastId;
    steps(MOST_KEPT);
    expect(numbersIn(await read(first, (text) => text.includes(`"number":${MOST_KEPT + 1}}`)))).toHaveLength(1_000);
    steps(1);
    for (const old of [first, 'another-3', 'nonsense', `${first.split('-')[0]}-99999`]) {
      const text = await read(old, (read) => read.includes('event:'));
      expect(text).toBe(`retry: 1000\n\nid: ${stream.lastId}\nevent: reset\ndata: {}\n\n`);
    }
  });

  test('the stream of events holds 4 MiB and a step for one that does not read, then closes it; it goes on later', async () => {
    const stepBytes = 512 * 1024;
    const { stream, steps, read, sleeper, responses } = await open({ bytes: stepBytes });
    steps(1);
    const seen = stream.lastId;
    const socket = await sleeper();
    const [response] = responses;
    const closed = new Promise((resolve) => response?.once('close', resolve));
    let held = 0;
    // The system holds some megabytes of its own for a connection.
    for (let made = 0; made < 100 && response?.destroyed === false; made += 1) {
      steps(1);
      held = Math.max(held, response.writableLength);
    }
    await closed;
    socket.destroy();
    expect(held).toBeGreaterThan(MOST_UNREAD_BYTES);
    expect(held).toBeLessThan(MOST_UNREAD_BYTES + 2 * stepBytes);
    // More was missed than a reader may have before it.
    expect(await read(seen, (text) => text.includes('event:'))).toContain('event: reset');
    const later = stream.lastId;
    steps(2);
    const last = stream.lastId.split('-')[1];
    const resumed = await read(later, (text) => text.endsWith('\n\n') && text.includes(`"number":${last},`));
    expect(numbersIn(resumed)).toHaveLength(2);
  });

  test('the stream of events has a heartbeat where nothing happens', async () => {
    const { pass, read } = await open();
    // It passes as soon as the stream has begun.
    const text = await read(undefined, (begun) => {
      pass();
      return begun.includes('still here');
    });
    expect(text).toBe('retry: 1000\n\n: still here\n\n');
  });
});

function numbersIn(text: string): number[] {
  return [...text.matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
}

function readUntil(url: string, lastEventId: string | undefined, isEnough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const request = httpRequest(url, { headers }, (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!isEnough(text)) return;
        resolve(text);
        request.destroy();
      });
    });
    request.once('error', reject).end();
  });
}

function ask(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      // The stream of events has no end.
      if (response.headers['content-type'] === 'text/event-stream') request.destroy();
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('close', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.once('error', reject).end(body);
  });
}
