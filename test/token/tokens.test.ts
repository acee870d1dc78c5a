/** All tokens of one environment: who shares one, what is read of the secret for them, and what reaches the server. */

import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpRequest } from '../../functions/http/http.ts';
import type { Destination } from '../../functions/settings/destination.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { createTokens } from '../../functions/token/tokens.ts';
import { answer, granted } from '../doubles/answer.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { flatKey, VALID_UNTIL } from './client-certificate.ts';

const KEY = { clientId: 'orders', clientSecret: 's', tokenUrl: 'https://a.example/oauth/token' };

function start(settings: Readonly<Record<string, object>>) {
  const clock = createSimulatedTime(NOON, { passesAtOnce: true });
  const reads: string[] = [];
  const requests: HttpRequest[] = [];
  const failures: string[] = [];
  const refused: string[] = [];
  const certificates: object[] = [];
  const state = {
    read: async (_secretId: string, stage: string): Promise<object> => {
      if (stage === 'AWSPREVIOUS') throw new RelayError('SECRET_NOT_FOUND', 'no such version');
      return KEY;
    },
    respond: () => granted(`token-${requests.length}`, { expires_in: 43_199 }),
    counted: 0,
  };
  const tokens = createTokens({
    readSecret: async (secretId, signal, stage = 'AWSCURRENT') => {
      expect(signal).toBeInstanceOf(AbortSignal);
      reads.push(`${secretId} ${stage}`);
      return { text: JSON.stringify(await state.read(secretId, stage)), versionId: 'v1' };
    },
    send: async (request) => {
      requests.push(request);
      return state.respond();
    },
    random: () => 0.5,
    onRequest: () => {
      state.counted += 1;
    },
    onRefused: (destination) => void refused.push(destination),
    onRenewalFailed: (reason) => void failures.push(reason),
    onCertificate: (certificate) => void certificates.push(certificate),
    now: clock.now,
    after: clock.after,
  });
  const entries = Object.entries(settings).map(([name, own]) => {
    return [name, { secret: 'cpi/orders', url: 'https://b.example/http/orders', ...own }] as const;
  });
  const { destinations } = readSettings({ DESTINATIONS: JSON.stringify(Object.fromEntries(entries)) });
  const destination = (name: string): Destination => {
    const found = destinations.get(name);
    if (found === undefined || 'error' in found) throw found?.error ?? new Error(name);
    return found;
  };
  const tokenOf = (name: string) => tokens.of(destination(name));
  return { state, clock, reads, requests, failures, refused, certificates, tokens, tokenOf };
}

const form = async (request: HttpRequest | undefined) =>
  Object.fromEntries(new URLSearchParams(String(await request?.body?.open())));

describe('Two destinations', () => {
  test.each<[string, object, object, boolean]>([
    ['with the same of everything share one token', {}, {}, true],
    ['whose endpoints differ share one', {}, { url: 'https://c.example/', method: 'PUT' }, true],
    ['with another secret have one each', {}, { secret: 'cpi/invoices' }, false],
    ['with another format have one each', {}, { tokenFormat: 'opaque' }, false],
    ['with another scope have one each', { scope: 'a' }, { scope: 'a b' }, false],
    ['of which one has a scope have one each', {}, { scope: 'a' }, false],
    ['with another longest use have one each', {}, { maxTokenUseSeconds: 60 }, false],
    ['of which one goes by its certificate have one each', {}, { authentication: 'certificate' }, false],
  ])('two destinations %s', (_, one, other, isShared) => {
    const { tokens, tokenOf } = start({ one, other });
    expect(tokenOf('one') === tokenOf('other')).toBe(isShared);
    expect(tokenOf('one')).toBe(tokenOf('one'));
    expect([...tokens.all]).toEqual(isShared ? [tokenOf('one')] : [tokenOf('one'), tokenOf('other')]);
  });

  test('two destinations with one secret and two tokens read the secret once, whoever comes first', async () => {
    const { tokenOf, reads, requests, state } = start({ one: {}, other: { tokenFormat: 'opaque' } });
    await tokenOf('one').get();
    await tokenOf('other').get();
    expect(reads).toEqual(['cpi/orders AWSCURRENT']);
    expect([requests.length, state.counted]).toEqual([2, 2]);
  });

  test.each<[string, object, boolean]>([
    ['one secret', { scope: 'b' }, true],
    ['two secrets', { scope: 'b', secret: 'cpi/invoices' }, false],
  ])(
    'two rejected tokens of destinations with %s are not both given up: one is kept for ten seconds',
    async (_, own, isKept) => {
      const { tokenOf, requests, clock } = start({ one: { scope: 'a' }, other: own });
      const [one, other] = [tokenOf('one'), tokenOf('other')];
      const [, second] = [await one.get(), await other.get()];
      one.forget(await one.get());
      await one.get();
      clock.advance(9_999);
      other.forget(second);
      expect((await other.get()) === second).toBe(isKept);
      expect(requests).toHaveLength(isKept ? 3 : 4);
      clock.advance(1);
      other.forget(second);
      expect(await other.get()).not.toBe(second);
      expect(requests).toHaveLength(4);
    },
  );

  test('two destinations with two secrets read each once', async () => {
    const { tokenOf, reads } = start({ one: {}, other: { secret: 'cpi/invoices' } });
    await Promise.all([tokenOf('one').get(), tokenOf('other').get(), tokenOf('one').get()]);
    expect(reads).toEqual(['cpi/orders AWSCURRENT', 'cpi/invoices AWSCURRENT']);
  });
});

describe('A token', () => {
  test('a token is requested in the destination’s format and scope, and used as long as it says', async () => {
    const { tokenOf, requests } = start({
      plain: {},
      special: { tokenFormat: 'opaque', scope: 'a b', maxTokenUseSeconds: 600 },
    });
    const [plain, special] = [await tokenOf('plain').get(), await tokenOf('special').get()];
    expect([plain.expiresAt - NOON, special.expiresAt - NOON]).toEqual([7_200_000, 600_000]);
    const common = { grant_type: 'client_credentials', client_id: 'orders', client_secret: 's' };
    expect(await form(requests[0])).toEqual({ ...common, token_format: 'jwt' });
    expect(await form(requests[1])).toEqual({ ...common, token_format: 'opaque', scope: 'a b' });
  });

  test('the client certificate takes the place of a token where the destination says so', async () => {
    const { tokenOf, requests, state } = start({ one: { authentication: 'certificate' } });
    state.read = async () => flatKey;
    const access = await tokenOf('one').get();
    expect([access.accessToken, access.certificate?.cert.startsWith('-----BEGIN'), requests]).toEqual(['', true, []]);
  });
});

describe('A refused client', () => {
  const refusing = () => {
    const started = start({ one: {} });
    started.state.respond = () => answer(401);
    return started;
  };

  test('a refused client has its secret read again, then the version before, which need not exist', async () => {
    const { tokenOf, reads } = refusing();
    await expect(tokenOf('one').get()).rejects.toMatchObject({ code: 'TOKEN_REFUSED', status: 401 });
    expect(reads).toEqual(['cpi/orders AWSCURRENT', 'cpi/orders AWSCURRENT', 'cpi/orders AWSPREVIOUS']);
  });

  test('a refused client gets a token with the version before, where that is known to the server', async () => {
    const { tokenOf, requests, state } = refusing();
    state.read = async (_, stage) => (stage === 'AWSPREVIOUS' ? { ...KEY, clientSecret: 'before' } : KEY);
    state.respond = () => (requests.length === 1 ? answer(401) : granted('bought', { expires_in: 3_600 }));
    expect((await tokenOf('one').get()).accessToken).toBe('bought');
    expect(await form(requests[1])).toMatchObject({ client_secret: 'before' });
  });

  test.each(['SECRET_UNAVAILABLE', 'SECRET_UNREADABLE'] as const)(
    'a refused client whose version before is %s fails with that',
    async (code) => {
      const { tokenOf, state } = refusing();
      state.read = async (_, stage) => {
        if (stage === 'AWSPREVIOUS') throw new RelayError(code, 'why');
        return KEY;
      };
      await expect(tokenOf('one').get()).rejects.toMatchObject({ code });
    },
  );

  test('a refused client is reported for each destination that shares it, once in each pause', async () => {
    const { tokenOf, state, refused, clock } = start({ one: {}, other: {}, apart: { secret: 'cpi/invoices' } });
    state.respond = () => answer(401);
    for (const name of ['one', 'other', 'apart']) tokenOf(name);
    for (const name of ['one', 'other', 'one']) await expect(tokenOf(name).get()).rejects.toThrow();
    expect(refused).toEqual(['one', 'other']);
    clock.advance(30_000);
    await expect(tokenOf('other').get()).rejects.toThrow();
    expect(refused).toEqual(['one', 'other', 'one', 'other']);
  });

  test('a refused client is not reported where the version before gets a token, nor where nobody answers', async () => {
    const { tokenOf, requests, state, refused } = refusing();
    state.read = async (_, stage) => (stage === 'AWSPREVIOUS' ? { ...KEY, clientSecret: 'before' } : KEY);
    state.respond = () => (requests.length === 1 ? answer(401) : granted('bought', { expires_in: 3_600 }));
    await tokenOf('one').get();
    const unanswered = start({ one: {} });
    unanswered.state.respond = () => answer(503);
    await expect(unanswered.tokenOf('one').get()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
    expect([refused, unanswered.refused]).toEqual([[], []]);
  });

  test('a refused client is reported when its token is renewed ahead, while messages still go out', async () => {
    const { tokenOf, state, refused, clock } = start({ one: {} });
    await tokenOf('one').get();
    state.respond = () => answer(401);
    clock.advance(3_600_000);
    await tokenOf('one').get();
    await tokenOf('one').renewing();
    expect(refused).toEqual(['one']);
  });

  test('a refused client whose version before is no client credentials stays refused', async () => {
    const { tokenOf, state } = refusing();
    state.read = async (_, stage) => (stage === 'AWSPREVIOUS' ? { of: 'before' } : KEY);
    await expect(tokenOf('one').get()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  });
});

describe('A renewal ahead that fails is told', () => {
  async function failing(respond: () => never | ReturnType<typeof answer>) {
    const started = start({ one: {} });
    const { tokenOf, state, clock, failures } = started;
    await tokenOf('one').get();
    state.respond = respond;
    clock.advance(3_600_000);
    await tokenOf('one').get();
    await tokenOf('one').renewing();
    return failures;
  }

  test('a renewal ahead that fails is reported in the words of the error', async () => {
    const at = 'token endpoint https://a.example/oauth/token';
    expect(await failing(() => answer(404))).toEqual([
      `${at}: answered 404; the operator must check the token URL in the secret`,
    ]);
  });

  test('a renewal ahead that fails with an error not ours is reported without its words', async () => {
    const failures = await failing(() => {
      const broken = answer(200);
      Object.defineProperty(broken, 'status', {
        get: () => {
          throw new Error('hunter22');
        },
      });
      return broken;
    });
    expect(failures).toEqual(['unexpected error']);
  });
});

describe('A secret that holds a certificate', () => {
  const DAY_MS = 86_400_000;

  test.each([
    ['for its token', {}, { ...flatKey }],
    ['in place of a token', { authentication: 'certificate' }, { ...flatKey }],
  ])(
    'a certificate in a secret is reported with the whole days that are left, each time it is read: %s',
    async (_, own, key) => {
      const { tokenOf, state, certificates, clock } = start({ one: own });
      state.read = async () => key;
      await tokenOf('one').get();
      expect(certificates).toEqual([{ secret: 'cpi/orders', daysLeft: Math.floor((VALID_UNTIL - NOON) / DAY_MS) }]);
      clock.moveTo(VALID_UNTIL);
      await expect(tokenOf('one').get()).rejects.toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
      expect(certificates.at(-1)).toEqual({ secret: 'cpi/orders', daysLeft: 0 });
    },
  );

  test('no certificate is reported where the secret holds a client secret', async () => {
    const { tokenOf, certificates } = start({ one: {} });
    await tokenOf('one').get();
    expect(certificates).toEqual([]);
  });
});
