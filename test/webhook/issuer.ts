/** An issuer of tokens as an identity provider is one: discovery, a set of keys, and tokens that jose signs. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { type Answer, type LocalServer, type Request, startServer } from '../../infra/local/server/server.ts';
import { NOON } from '../doubles/time.ts';

export interface Issuer {
  /** Also the tokens' `iss`. */
  readonly url: string;
  readonly server: LocalServer;
  /** Paths in the order in which they were asked for. */
  readonly asked: string[];
  /** What the discovery document says; the test may change it. */
  document: Record<string, unknown>;
  /** What is published; the test may change it. */
  keys: JWK[];
  /** A new key, published, that signs from now on. */
  rotate(algorithm?: string): Promise<void>;
  /** A token that is good at noon, but for what is given. */
  token(claims?: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** What signs now. */
  readonly signing: { readonly key: CryptoKey; readonly publicKey: CryptoKey; readonly jwk: JWK };
}

/** Ended when the test is. @param path of the issuer's URL */
export async function startIssuer(path = ''): Promise<Issuer> {
  const asked: string[] = [];
  const json = (value: unknown): Answer => ({
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  });
  function answer({ path: asks }: Request): Answer {
    asked.push(asks);
    if (asks === `${path}/.well-known/openid-configuration`) return json(issuer.document);
    return asks === '/keys' ? json({ keys: issuer.keys }) : { status: 404 };
  }
  const server = await startServer(answer);
  onTestFinished(() => server.stop());
  const url = `${server.url}${path}`;
  let signing: Issuer['signing'] | undefined;
  let rotations = 0;
  const current = () => {
    if (signing === undefined) throw new Error('no key yet');
    return signing;
  };
  const issuer: Issuer = {
    url,
    server,
    asked,
    document: { issuer: url, jwks_uri: `${server.url}/keys` },
    keys: [],
    async rotate(algorithm = 'ES256') {
      const { privateKey: key, publicKey } = await generateKeyPair(algorithm, { extractable: true });
      rotations += 1;
      const jwk = { ...(await exportJWK(publicKey)), kid: `key-${rotations}`, alg: algorithm, use: 'sig' };
      signing = { key, publicKey, jwk };
      issuer.keys = [...issuer.keys, jwk];
    },
    token(claims = {}, header = {}) {
      const { key, jwk } = current();
      const at = NOON / 1000;
      return new SignJWT({ iss: url, aud: 'orders', sub: 'erp', iat: at, exp: at + 600, ...claims })
        .setProtectedHeader({ alg: String(jwk.alg), ...(jwk.kid === undefined ? {} : { kid: jwk.kid }), ...header })
        .sign(key);
    },
    get signing() {
      return current();
    },
  };
  await issuer.rotate();
  return issuer;
}
