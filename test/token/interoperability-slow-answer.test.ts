/** Answers of a token endpoint that only a socket can show: endless, dripping, cut, held back; one outcome for each. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Deadline } from '../../functions/deadline.ts';
import { createHttpClient } from '../../functions/http/http.ts';
import { warmToken } from '../../functions/token/token.ts';
import { warm } from '../../functions/warm/warm.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { cf, relayError } from './clients.ts';

/** The time that is left: less than a second try would need. */
const LEFT_MS = 400;

async function start(respond: (response: ServerResponse) => void, leftMs = LEFT_MS) {
  let requests = 0;
  let closed = 0;
  const server = createServer((request, response) => {
    requests += 1;
    response.on('close', () => {
      closed += 1;
    });
    request.resume().on('end', () => respond(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/token`;
  const token = warmToken({
    credentials: warm({ load: async () => ({ ...cf, tokenUrl }) }),
    previousCredentials: async () => undefined,
    wanted: { tokenFormat: 'jwt', maxLifetimeMs: 7_200_000 },
    send: createHttpClient(),
  });
  const deadline: Deadline = deadlineOf(leftMs);
  const errorOfGet = () =>
    token.get(deadline).then(
      () => Promise.reject(new Error('expected an error')),
      (error: unknown) => relayError(error),
    );
  return { errorOfGet, get: () => token.get(deadline), counts: () => ({ requests, closed }) };
}

/** Writes a piece each few milliseconds for as long as somebody listens. */
function drip(response: ServerResponse, piece: string, everyMs: number): void {
  const timer = setInterval(() => response.write(piece), everyMs);
  response.on('close', () => clearInterval(timer));
}

const begin = (response: ServerResponse) => response.writeHead(200, { 'Content-Type': 'application/json' });

describe('A token endpoint', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['that does not answer', () => undefined],
    ['that answers with headers alone', (response) => begin(response).flushHeaders()],
    ['whose answer drips without end', (response) => drip(begin(response), ' ', 20)],
    [
      'whose token comes, and then the answer does not end',
      (response) => begin(response).write('{"access_token":"a","token_type":"bearer","expires_in":3600}'),
    ],
  ])('a token endpoint %s is given up within the time: a later try may help', async (_, respond) => {
    const { errorOfGet, counts } = await start(respond);
    const before = performance.now();
    const error = await errorOfGet();
    expect(performance.now() - before).toBeLessThan(LEFT_MS + 2_000);
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', executed: 'no' });
    expect(error.message).toMatch(/^token endpoint on 127\.0\.0\.1:\d+: .*within 400 ms.*; a later try may help$/);
    expect(counts().requests).toBe(1);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['cut before it', (response) => response.destroy()],
    ['cut in its headers', (response) => void begin(response).socket?.end('HTTP/1.1 200 OK\r\nContent-Ty')],
    [
      'cut in its body',
      (response) => {
        response.writeHead(200, { 'Content-Length': '500' });
        response.write('{"access_token":"a"', () => response.destroy());
      },
    ],
  ])('a token endpoint whose answer is %s leaves the message to a later try', async (_, respond) => {
    const { errorOfGet } = await start(respond);
    expect(await errorOfGet()).toMatchObject({ code: 'TOKEN_UNAVAILABLE', executed: 'no' });
  });

  test.each([
    ['100 KB', 100],
    ['20 MB', 20_000],
  ])(
    'a token endpoint whose page has %s is read to its end without keeping it, and the operator must act',
    async (_, kilobytes) => {
      const { errorOfGet, counts } = await start(
        (response) => begin(response).end(`{"a":"${'x'.repeat(kilobytes * 1_024)}"}`),
        9_000,
      );
      expect(await errorOfGet()).toMatchObject({
        code: 'TOKEN_RESPONSE_INVALID',
        status: 200,
        message: expect.stringMatching(
          /answered 200 with more than 65536 bytes; the operator must check the token URL/,
        ),
      });
      expect(counts().requests).toBe(1);
    },
  );

  test('a token endpoint whose redirect points elsewhere is not followed there', async () => {
    let followed = 0;
    const { errorOfGet } = await start((response) => {
      followed += 1;
      response.writeHead(307, { Location: '/elsewhere' }).end();
    });
    expect(await errorOfGet()).toMatchObject({ code: 'TOKEN_RESPONSE_INVALID', status: 307 });
    expect(followed).toBe(1);
  });

  test('a token endpoint whose token comes in pieces gives it', async () => {
    const { get } = await start((response) => {
      const pieces = ['{"access_token":', '"ab', 'cd","token_type":"be', 'arer","expires_in":3600}'];
      const next = () => {
        const piece = pieces.shift();
        if (piece === undefined) response.end();
        else response.write(piece, () => setImmediate(next));
      };
      begin(response);
      next();
    });
    expect((await get()).accessToken).toBe('abcd');
  });
});
