/**
 * With a certified authorization server that is none of SAP's, over its own HTTP: the same requests, the same
 * fallbacks.
 */
import { describe, expect, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { readCredentials } from '../../functions/token/credentials.ts';
import { warmToken } from '../../functions/token/token.ts';
import type { TokenWish } from '../../functions/token/token-endpoint.ts';
import { warm } from '../../functions/warm/warm.ts';
import { type CertifiedServerOptions, OTHER_SCOPE, SCOPE, startCertifiedServer } from './certified-server.ts';

/** Any character that RFC 6749 (appendix A) lets stand in a client secret; SAP's own rules are wider. */
const CLIENT = { clientId: 'sb-orders!b1234|it-rt-acme-dev!b56', clientSecret: 'a+b %2B$!|=&:;"\\~' };

interface Client extends Partial<CertifiedServerOptions> {
  readonly wanted?: Partial<TokenWish>;
  /** Client secrets by reading; the last one stays. Default: the one that the server knows. */
  readonly stored?: readonly string[];
}

async function start({ wanted, stored = [CLIENT.clientSecret], ...options }: Client = {}) {
  const server = await startCertifiedServer({ ...CLIENT, accessTokenFormat: 'jwt', ...options });
  const clock = { aheadMs: 0 };
  let reads = 0;
  const read = (clientSecret: string) => {
    const key = { oauth: { clientid: CLIENT.clientId, clientsecret: clientSecret, tokenurl: server.tokenUrl } };
    return readCredentials({ text: JSON.stringify(key), versionId: `v${reads}` }, 'cpi/orders');
  };
  const credentials = warm({
    load: async () => read(stored[Math.min(reads++, stored.length - 1)] ?? ''),
  });
  const token = warmToken({
    credentials,
    previousCredentials: async () => undefined,
    wanted: { tokenFormat: 'jwt', maxLifetimeMs: 7_200_000, ...wanted },
    send: createHttpClient(),
    now: () => Date.now() + clock.aheadMs,
  });
  return { server, clock, token, reads: () => reads };
}

describe('A certified authorization server', () => {
  test('a certified authorization server gives a JWT that its keys verify, once for all who ask', async () => {
    const { server, token } = await start();
    const got = await Promise.all(Array.from({ length: 50 }, () => token.get()));
    expect(new Set(got).size).toBe(1);
    const [first] = got;
    const claims = await server.verify(first?.accessToken ?? '');
    expect(claims).toMatchObject({ client_id: CLIENT.clientId, sub: CLIENT.clientId });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
    expect(server.counts).toEqual({ granted: 1, refused: 0 });
  });

  test('a certified authorization server gives an opaque token that it knows', async () => {
    const { server, token } = await start({ accessTokenFormat: 'opaque', wanted: { tokenFormat: 'opaque' } });
    const { accessToken, issuedAt, expiresAt } = await token.get();
    expect(accessToken.split('.')).toHaveLength(1);
    expect(await server.introspect(accessToken)).toMatchObject({ active: true, client_id: CLIENT.clientId });
    expect(expiresAt - issuedAt).toBe(600_000);
  });

  test.each([
    ['jwt', 'opaque'],
    ['opaque', 'jwt'],
  ] as const)(
    'a certified authorization server decides the format itself: asked for %s it gives %s, and that is used',
    async (tokenFormat, given) => {
      const { token } = await start({ accessTokenFormat: given, wanted: { tokenFormat } });
      const { accessToken, issuedAt, expiresAt } = await token.get();
      expect(accessToken.split('.')).toHaveLength(given === 'jwt' ? 3 : 1);
      expect(Math.abs(expiresAt - issuedAt - 600_000)).toBeLessThanOrEqual(2_000);
    },
  );

  test('a certified authorization server grants the scope that is asked for, and no other', async () => {
    const [asking, silent] = [await start({ wanted: { scope: SCOPE } }), await start()];
    expect(await asking.server.verify((await asking.token.get()).accessToken)).toMatchObject({ scope: SCOPE });
    expect(await silent.server.verify((await silent.token.get()).accessToken)).not.toHaveProperty('scope');
  });

  test('a certified authorization server refuses another client’s scope; the error says who must act', async () => {
    const { server, token } = await start({ wanted: { scope: OTHER_SCOPE } });
    await expect(token.get()).rejects.toMatchObject({
      code: 'TOKEN_REFUSED',
      status: 400,
      message: `token endpoint ${server.tokenUrl}: answered 400 invalid_scope; the operator must check the setting "scope": the client has no such scope there`,
    });
    expect(server.counts).toEqual({ granted: 0, refused: 1 });
  });

  test('a certified authorization server refuses an old client secret, and grants with the new one', async () => {
    const { server, token, reads } = await start({ stored: ['of-yesterday', CLIENT.clientSecret] });
    await server.verify((await token.get()).accessToken);
    expect([server.counts, reads()]).toEqual([{ granted: 1, refused: 1 }, 2]);
  });

  test('a certified authorization server refuses a wrong client secret once, then there is a pause', async () => {
    const { server, token, reads } = await start({ stored: ['wrong'] });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(token.get()).rejects.toMatchObject({ code: 'TOKEN_REFUSED', status: 401 });
    }
    expect([server.counts, reads()]).toEqual([{ granted: 0, refused: 1 }, 2]);
  });

  test('a certified authorization server is asked again at half of a token’s life, and at its end', async () => {
    const { server, token, clock } = await start();
    const first = await token.get();
    clock.aheadMs = 400_000;
    expect(await token.get()).toBe(first);
    await token.renewing();
    expect(server.counts.granted).toBe(2);
    const second = await token.get();
    clock.aheadMs += 600_000;
    const third = await token.get();
    expect(new Set([first, second, third].map(({ accessToken }) => accessToken)).size).toBe(3);
    expect(server.counts).toEqual({ granted: 3, refused: 0 });
  });
});
