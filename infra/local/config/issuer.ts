/**
 * An identity provider for webhooks with `verify: jwt`: under each path an issuer of its own, with its discovery document
 * (OpenID Connect Discovery 1.0), one set of keys (RFC 7517), and tokens.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Answer, type LocalServer, type Request, startServer } from '../server/server.ts';

export interface Issuers {
  readonly server: LocalServer;
  /** @param path begins with a slash @returns the claim `iss` of its tokens */
  issuer(path: string): string;
  token(claims: { readonly iss: string; readonly aud: string; readonly scope?: string }): Promise<string>;
}

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/keys';
const KEY_ID = 'local-1';
/** The file that has the token is made anew with each start. */
const TOKEN_LIFE_SECONDS = 30 * 24 * 60 * 60;

export async function startIssuers({ port }: { readonly port: number }): Promise<Issuers> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  const server = await startServer(answer, { port });

  function answer({ method, path }: Request): Answer {
    if (method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
    if (path === KEYS) return json({ keys: [jwk] });
    if (!path.endsWith(DISCOVERY)) return { status: 404 };
    const issuer = `${server.url}${path.slice(0, -DISCOVERY.length)}`;
    return json({ issuer, jwks_uri: `${server.url}${KEYS}` });
  }

  return {
    server,
    issuer: (path) => `${server.url}${path}`,
    token: (claims) =>
      new SignJWT({ sub: 'legacy', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + TOKEN_LIFE_SECONDS)
        .sign(privateKey),
  };
}

function json(value: unknown): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
