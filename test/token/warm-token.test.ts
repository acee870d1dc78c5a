/**
 * The token between invocations: one request for all who ask at once, used until a margin before its end, then anew.
 */
import { describe, expect, test } from 'vitest';
import { granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';
import { createAuthorization } from './authorization.ts';
import { CF_AT, relayError } from './clients.ts';

describe('A token', () => {
  test('a token is requested once, however many want it at once, and counted once', async () => {
    const { token, requests, counts } = createAuthorization();
    const got = await Promise.all(Array.from({ length: 50 }, () => token.get()));
    expect(new Set(got).size).toBe(1);
    expect(requests).toHaveLength(1);
    expect(counts).toEqual({ secretReads: 1, previousReads: 0, onRequest: 1 });
  });

  test('a token is requested within ten seconds, and with a signal that ends the request', async () => {
    const { token, requests } = createAuthorization();
    await token.get();
    expect(requests).toMatchObject([{ method: 'POST', timeoutMs: 10_000, signal: expect.any(AbortSignal) }]);
  });

  test.each([
    [4_000, 4_000],
    [9_999, 9_999],
    [10_000, 10_000],
    [600_000, 10_000],
  ])(
    'a token is requested within what the invocation leaves, %d ms, and never longer: %d ms',
    async (remainingMs, timeoutMs) => {
      const { token, requests } = createAuthorization();
      await token.get(deadlineOf(remainingMs));
      expect(requests).toMatchObject([{ timeoutMs }]);
    },
  );

  test('a token is not requested before somebody wants it', () => {
    expect(createAuthorization().requests).toHaveLength(0);
  });

  test.each([
    [7200, 60],
    [3600, 60],
    [601, 60],
    [600, 60],
    [599, 59.9],
    [300, 30],
    [10, 1],
  ])('a token that lives %d s is used until %d s before its end', async (expiresInSeconds, marginSeconds) => {
    const authorization = createAuthorization();
    const { token, clock, requests } = authorization;
    const { promise: renewed, resolve } = Promise.withResolvers<void>();
    authorization.respond = async (_, index) => {
      // The renewal ahead, which is due long before, is held back: the margin alone decides.
      if (index > 1) await renewed;
      return granted(`token-${index}`, { expires_in: expiresInSeconds });
    };
    const { expiresAt } = await token.get();
    clock.moveTo(expiresAt - marginSeconds * 1000 - 1);
    expect(await Promise.race([token.get(), turn()])).toMatchObject({ accessToken: 'token-1' });
    clock.advance(1);
    const waiting = token.get();
    expect(await Promise.race([waiting, turn()])).toBeUndefined();
    resolve();
    expect((await waiting).accessToken).toBe('token-2');
    expect(requests).toHaveLength(2);
  });

  test('a token that is over when it comes is not handed out, and the operator must act', async () => {
    const authorization = createAuthorization();
    const over = `e30.${Buffer.from('{"exp":1}').toString('base64url')}.c`;
    authorization.respond = () => granted(over);
    const error = await authorization.token.get().catch((thrown: unknown) => relayError(thrown, [over]));
    expect(error).toMatchObject({
      code: 'TOKEN_RESPONSE_INVALID',
      message: `${CF_AT}: gave a token that has expired already; the operator must check the token URL in the secret`,
    });
    expect(authorization.token.peek()).toBeUndefined();
  });

  test('a token that is renewed does not make the secret be read again', async () => {
    const { token, clock, counts } = createAuthorization();
    await token.get();
    clock.advance(3_600_000);
    await token.get();
    expect(counts).toEqual({ secretReads: 1, previousReads: 0, onRequest: 2 });
  });

  test('a token is stamped when its answer came, not when it was requested', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.clock.advance(4_000);
      return granted('slow', { expires_in: 3600 });
    };
    const { issuedAt, expiresAt } = await authorization.token.get();
    expect(issuedAt).toBe(authorization.clock.now());
    expect(expiresAt - issuedAt).toBe(3_600_000);
  });
});

describe('A token that was refused', () => {
  test('a refused token is forgotten, and the next is a new one', async () => {
    const { token } = createAuthorization();
    const first = await token.get();
    token.forget(first);
    expect((await token.get()).accessToken).toBe('token-2');
  });

  test('a refused token does not take its successor along, however often it is forgotten', async () => {
    const { token, requests } = createAuthorization();
    const first = await token.get();
    token.forget(first);
    const second = await token.get();
    token.forget(first);
    expect(await token.get()).toBe(second);
    expect(requests).toHaveLength(2);
  });

  test('a refused token is known by its identity: an equal one is another', async () => {
    const { token } = createAuthorization();
    const first = await token.get();
    token.forget({ ...first });
    expect(await token.get()).toBe(first);
  });
});

describe('One who waits for a token', () => {
  test('one who waits for a token and gives up alone leaves it to the others', async () => {
    const authorization = createAuthorization();
    const { promise, resolve } = Promise.withResolvers<void>();
    authorization.respond = async () => {
      await promise;
      return granted('late', { expires_in: 3600 });
    };
    const impatient = new AbortController();
    const [givenUp, patient] = [
      authorization.token.get(deadlineOf(9_000, impatient.signal)),
      authorization.token.get(),
    ];
    impatient.abort(new Error('no time'));
    await expect(givenUp).rejects.toThrow('no time');
    resolve();
    expect((await patient).accessToken).toBe('late');
    expect(authorization.requests).toMatchObject([{ signal: { aborted: false } }]);
  });

  test('one who waits for a token and is the last to give up ends the request', async () => {
    const authorization = createAuthorization();
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<AbortSignal | undefined>();
    authorization.respond = (request) => {
      isAsked(request.signal);
      return new Promise((_, reject) =>
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason)),
      );
    };
    const impatient = new AbortController();
    const givenUp = authorization.token.get(deadlineOf(9_000, impatient.signal));
    const signal = await asked;
    impatient.abort(new Error('no time'));
    await expect(givenUp).rejects.toThrow('no time');
    expect(signal?.aborted).toBe(true);
    authorization.respond = () => granted('afterwards');
    expect((await authorization.token.get()).accessToken).toBe('afterwards');
  });

  test('one who has given up before is not waited for', async () => {
    const { token, requests } = createAuthorization();
    const over = deadlineOf(0, AbortSignal.abort(new Error('no time')));
    await expect(token.get(over)).rejects.toThrow('no time');
    expect(requests).toHaveLength(0);
  });
});

test('a failure goes to all who wait, and is not kept', async () => {
  const authorization = createAuthorization();
  const { token, requests } = authorization;
  const respond = authorization.respond;
  authorization.respond = () => ({ ...granted(''), status: 503 });
  const results = await Promise.allSettled([token.get(), token.get(), token.get()]);
  for (const result of results) {
    expect(relayError(result.status === 'rejected' ? result.reason : undefined).code).toBe('TOKEN_UNAVAILABLE');
  }
  // One request and its three repetitions, for all of them together.
  expect(requests).toHaveLength(4);
  authorization.respond = respond;
  expect((await token.get()).accessToken).toBe('token-5');
});
