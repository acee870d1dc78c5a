/**
 * Nobody answers a token request: the secret may name another host or another certificate by now, and is read again.
 */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpRequest } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { CF_SECRET, cf, relayError } from './clients.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const gone = new RelayError('CONNECTION_FAILED', 'POST there: no answer (ENOTFOUND)');
const moved: Credentials = { ...cf, tokenUrl: 'https://moved.authentication.example/oauth/token', versionId: 'v2' };

/** From now on nobody answers at the old host. */
function leave(authorization: Authorization): void {
  authorization.respond = ({ url }, index) =>
    url.href === cf.tokenUrl ? Promise.reject(gone) : granted(`token-${index}`, { expires_in: 3600 });
}

/** An environment whose token is over, and whose authorization server is gone. */
async function left() {
  const authorization = createAuthorization();
  await authorization.token.get();
  leave(authorization);
  authorization.clock.advance(HOUR_MS);
  return authorization;
}

const codeOf = ({ token }: Authorization, remainingMs = 60_000) =>
  token.get(deadlineOf(remainingMs)).then(
    () => 'none',
    (error: unknown) => relayError(error).code,
  );
const hostsOf = (requests: readonly HttpRequest[]) => requests.map(({ url }) => url.host.split('.')[0]);

describe('Where nobody answers, the secret is read again', () => {
  test('where nobody answers, the secret is read again and used for the very message that waits', async () => {
    const authorization = await left();
    authorization.secret = moved;
    expect((await authorization.token.get()).accessToken).toBe('token-6');
    expect(hostsOf(authorization.requests)).toEqual([...Array(5).fill('acme-dev'), 'moved']);
    expect(authorization.counts).toMatchObject({ secretReads: 2, previousReads: 0 });
  });

  test.each<[string, Partial<Credentials>]>([
    ['client id', { clientId: 'sb-other' }],
    ['client secret', { clientAuthentication: { clientSecret: `of-today-${CF_SECRET}` } }],
    ['environment', { environment: 'neo' }],
  ])('where nobody answers, the secret is read again and used where its %s is another', async (_, change) => {
    const authorization = await left();
    authorization.secret = { ...cf, ...change };
    authorization.respond = (_, index) => (index < 6 ? Promise.reject(gone) : granted('new', { expires_in: 3600 }));
    expect((await authorization.token.get()).accessToken).toBe('new');
  });

  test('where nobody answers, the secret is read again at most every five minutes', async () => {
    const authorization = await left();
    const reads: number[] = [];
    const since = authorization.clock.now();
    while (authorization.clock.now() < since + 21 * MINUTE_MS) {
      const before = authorization.counts.secretReads;
      expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
      if (authorization.counts.secretReads > before) reads.push(authorization.clock.now());
      authorization.clock.advance(10_000);
    }
    expect(reads).toHaveLength(5);
    for (const [index, at] of reads.slice(1).entries())
      expect(at - (reads[index] ?? 0)).toBeGreaterThanOrEqual(300_000);
  });

  test('where nobody answers, the secret is read again at once after the clock was put back', async () => {
    const authorization = await left();
    authorization.clock.advance(5 * MINUTE_MS);
    await codeOf(authorization);
    const { secretReads } = authorization.counts;
    authorization.clock.advance(-5 * MINUTE_MS);
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.counts.secretReads).toBe(secretReads + 1);
  });

  test('where nobody answers, the secret is read again before a request five minutes later', async () => {
    const authorization = await left();
    await codeOf(authorization);
    authorization.secret = moved;
    // One after the other, the waits of the first included.
    authorization.clock.advance(5 * MINUTE_MS);
    const before = authorization.requests.length;
    await authorization.token.get();
    expect(hostsOf(authorization.requests.slice(before))).toEqual(['moved']);
  });

  test('where nobody answers, the secret is read in the next invocation if this one ends first', async () => {
    const authorization = await left();
    authorization.secret = moved;
    const over = new RelayError('DEADLINE', 'over');
    const invocation = new AbortController();
    authorization.respond = async () => {
      invocation.abort(over);
      throw over;
    };
    await expect(authorization.token.get(deadlineOf(5_000, invocation.signal))).rejects.toBe(over);
    expect(authorization.counts.secretReads).toBe(1);
    leave(authorization);
    const before = authorization.requests.length;
    await authorization.token.get();
    expect(hostsOf(authorization.requests.slice(before))).toEqual(['moved']);
    expect(authorization.counts.secretReads).toBe(2);
  });

  test('where nobody answers a renewal, the secret is read again beside the work', async () => {
    const authorization = createAuthorization();
    const first = await authorization.token.get();
    leave(authorization);
    authorization.secret = moved;
    authorization.clock.advance(HOUR_MS / 2);
    expect(await authorization.token.get()).toBe(first);
    await authorization.token.renewing();
    expect((await authorization.token.get()).accessToken).toBe('token-6');
    expect(authorization.renewalFailures).toEqual([]);
  });
});

describe('What is told is that nobody answers', () => {
  test.each<[string, Credentials | RelayError]>([
    ['holds the same', cf],
    ['holds the same in a newer version', { ...cf, versionId: 'v2' }],
    ['cannot be read', new RelayError('SECRET_UNAVAILABLE', 'not now')],
    ['is gone', new RelayError('SECRET_NOT_FOUND', 'gone')],
  ])('the error is that nobody answers where the secret %s; a later try asks at once', async (_, secret) => {
    const authorization = await left();
    authorization.secret = secret;
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.counts).toMatchObject({ secretReads: 2, previousReads: 0, onRequest: 5 });
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.counts).toMatchObject({ secretReads: 2, previousReads: 0, onRequest: 9 });
  });

  test('the error is a refusal where the secret’s new content is refused, and a pause begins', async () => {
    const authorization = await left();
    authorization.secret = moved;
    authorization.previous = cf;
    authorization.respond = ({ url }) =>
      url.href === cf.tokenUrl ? Promise.reject(gone) : answer(401, { error: 'invalid_client' });
    const refusal = await authorization.token.get().catch(relayError);
    expect(refusal).toMatchObject({ code: 'TOKEN_REFUSED', message: expect.stringContaining('moved.authentication') });
    // The version before is the one that nobody answers to.
    expect(hostsOf(authorization.requests)).toEqual([...Array(5).fill('acme-dev'), 'moved']);
    expect(await authorization.token.get().catch(relayError)).toBe(refusal);
    expect(authorization.requests).toHaveLength(6);
  });
});

describe('The secret is not read again', () => {
  test('the secret is not read again within five minutes after it was read', async () => {
    const authorization = createAuthorization();
    leave(authorization);
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    authorization.secret = moved;
    authorization.clock.advance(4 * MINUTE_MS);
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.counts.secretReads).toBe(1);
    authorization.clock.advance(MINUTE_MS);
    expect(await codeOf(authorization)).toBe('none');
    expect(authorization.counts.secretReads).toBe(2);
  });

  test.each([408, 429, 500, 502, 503, 504])(
    'the secret is not read again where somebody answers, be it %i',
    async (status) => {
      const authorization = await left();
      authorization.respond = () => answer(status);
      expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
      expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
      expect(authorization.counts.secretReads).toBe(1);
    },
  );

  test('the secret is not read again where somebody answered in the end', async () => {
    const authorization = await left();
    authorization.respond = (_, index) => (index < 4 ? Promise.reject(gone) : granted('late', { expires_in: 3600 }));
    await authorization.token.get();
    authorization.clock.advance(HOUR_MS);
    await authorization.token.get();
    expect(authorization.counts.secretReads).toBe(1);
  });
});
