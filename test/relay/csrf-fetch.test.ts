/** CSRF tokens that cannot be had: what follows a fetch that brings none, and who must act. */
import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { tokenOf } from '../doubles/token.ts';
import { BARE, startHandshake } from './handshake.ts';
import { pair } from './protected-endpoint.ts';

/** Answers to a fetch that bring no token, each in the form in which an endpoint gives it. */
const noToken = [
  ['200 without a token', answer(200)],
  ['200 with an empty token', answer(200, '', { 'x-csrf-token': '' })],
  ['200 with the word Required', answer(200, '', { 'x-csrf-token': 'Required' })],
  ['200 with the word Fetch', answer(200, '', { 'x-csrf-token': 'fetch' })],
] as const;
const noHead = [
  ['404', answer(404)],
  ['405, where the endpoint takes no HEAD', answer(405)],
  ['501', answer(501)],
] as const;
const broken = [
  ['500', answer(500)],
  ['503', answer(503)],
] as const;

describe('A fetch by HEAD, after the endpoint has demanded a token,', () => {
  test.each([...noToken, ...noHead, ...broken])(
    'a fetch by HEAD of a demanded token that is answered %s is followed by GET',
    async (_, refused) => {
      const { exchange, seen, endpoint } = startHandshake(false);
      endpoint.onFetch = (method) => (method === 'HEAD' ? refused : undefined);
      expect((await exchange(tokenOf('a'))).answer.status).toBe(200);
      expect(seen).toEqual([BARE, 'HEAD', 'GET', pair(1)]);
      expect(endpoint.ran).toBe(1);
    },
  );

  test.each([401, 403])(
    'a fetch by HEAD of a demanded token that is answered %i ends there, as GET would be no better',
    async (status) => {
      const { exchange, seen, endpoint } = startHandshake(false);
      endpoint.onFetch = () => answer(status, 'why');
      expect(await exchange(tokenOf('a'))).toMatchObject({ answer: { status }, reachedFlow: false });
      expect(seen).toEqual([BARE, 'HEAD']);
    },
  );

  test.each([404, 405, 500, 503, 302])(
    'a fetch by HEAD and by GET that is answered %i ends with that answer',
    async (status) => {
      const { exchange, seen, endpoint } = startHandshake(false);
      endpoint.onFetch = (method) => answer(status, method);
      const exchanged = await exchange(tokenOf('a'));
      expect(exchanged).toMatchObject({ answer: { status, body: Buffer.from('GET') }, reachedFlow: false });
      expect(seen).toEqual([BARE, 'HEAD', 'GET']);
    },
  );

  test.each(noToken)(
    'a fetch by HEAD and by GET that is answered %s is the operator’s to correct',
    async (_, refused) => {
      const { exchange, endpoint, calls } = startHandshake(false);
      endpoint.onFetch = () => refused;
      await expect(exchange(tokenOf('a'))).rejects.toMatchObject({
        code: 'CSRF_UNAVAILABLE',
        executed: 'no',
        message:
          'the endpoint demands a CSRF token and gives none when asked for one; the operator must check the sender channel',
      });
      expect([calls.count, endpoint.ran]).toEqual([1, 0]);
    },
  );
});

describe('A fetch by HEAD, before the endpoint has shown that it is protected,', () => {
  // GET would run the flow of an endpoint that is not, with an empty body.
  test.each([...noToken, ...noHead])(
    'a fetch by HEAD ahead of any demand that is answered %s is followed by the message alone',
    async (_, refused) => {
      const { exchange, seen, endpoint, calls } = startHandshake(true);
      endpoint.onFetch = () => refused;
      endpoint.onMessage = () => answer(202);
      const a = tokenOf('a');
      expect((await exchange(a)).answer.status).toBe(202);
      expect((await exchange(a)).answer.status).toBe(202);
      // That it is not protected is found out once.
      expect(seen).toEqual(['HEAD', BARE, BARE]);
      expect(calls.count).toBe(2);
    },
  );

  test.each([...noToken, ...noHead])(
    'a fetch by HEAD ahead of any demand, answered %s, is followed by GET once the message was refused',
    async (_, refused) => {
      const { exchange, seen, endpoint } = startHandshake(true);
      endpoint.onFetch = (method) => (method === 'HEAD' ? refused : undefined);
      expect((await exchange(tokenOf('a'))).answer.status).toBe(200);
      expect(seen).toEqual(['HEAD', BARE, 'HEAD', 'GET', pair(1)]);
      expect(endpoint.ran).toBe(1);
    },
  );

  test.each(broken)(
    'a fetch by HEAD ahead of any demand, answered %s, ends there, and is repeated for the next message',
    async (_, refused) => {
      const { exchange, seen, endpoint, calls } = startHandshake(true);
      const a = tokenOf('a');
      endpoint.onFetch = () => refused;
      expect(await exchange(a)).toEqual({ answer: refused, reachedFlow: false });
      expect(seen.splice(0)).toEqual(['HEAD']);
      expect(calls.count).toBe(0);
      endpoint.onFetch = () => undefined;
      await exchange(a);
      expect(seen).toEqual(['HEAD', pair(1)]);
    },
  );

  test.each([401, 403])(
    'a fetch by HEAD ahead of any demand, answered %i, ends there, with nothing executed',
    async (status) => {
      const { exchange, seen, endpoint, calls } = startHandshake(true);
      endpoint.onFetch = () => answer(status, 'why');
      expect(await exchange(tokenOf('a'))).toMatchObject({ answer: { status }, reachedFlow: false });
      expect(seen).toEqual(['HEAD']);
      expect(calls.count).toBe(0);
    },
  );
});

describe('A fetch', () => {
  test('a fetch of a CSRF token that failed is not kept: the next message fetches again', async () => {
    const { exchange, seen, endpoint } = startHandshake(true);
    const a = tokenOf('a');
    endpoint.onFetch = () => answer(401);
    await exchange(a);
    endpoint.onFetch = () => undefined;
    expect((await exchange(a)).answer.status).toBe(200);
    expect(seen).toEqual(['HEAD', 'HEAD', pair(1)]);
  });

  test('a fetch of a CSRF token ends when the last who waits for it gives up', async () => {
    const { exchange, endpoint, requests } = startHandshake(true);
    const impatient = new AbortController();
    endpoint.onFetch = () => {
      impatient.abort(new Error('no time'));
      return new Promise(() => undefined);
    };
    const deadline = deadlineOf(5_000, impatient.signal);
    await expect(exchange(tokenOf('a'), {}, deadline)).rejects.toThrow('no time');
    expect(requests[0]?.signal?.aborted).toBe(true);
  });

  test('a fetch of a CSRF token does not end with the call of one who gives up while another waits', async () => {
    const { exchange, endpoint, requests, seen } = startHandshake(true);
    const impatient = new AbortController();
    const { promise: held, resolve } = Promise.withResolvers<HttpAnswer>();
    endpoint.onFetch = () => held;
    const a = tokenOf('a');
    const givenUp = exchange(a, { signal: impatient.signal }, deadlineOf(5_000, impatient.signal));
    const patient = exchange(a);
    impatient.abort(new Error('no time'));
    await expect(givenUp).rejects.toThrow('no time');
    expect(requests[0]?.signal?.aborted).toBe(false);
    endpoint.onMessage = () => answer(202);
    resolve(answer(200, '', { 'x-csrf-token': 'late' }));
    expect((await patient).answer.status).toBe(202);
    expect(seen).toEqual(['HEAD', 'POST late/']);
  });
});
