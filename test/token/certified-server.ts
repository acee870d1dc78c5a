/**
 * `oidc-provider`, a certified authorization server, on loopback: one client with the client credentials grant, one
 * resource server that wants its access tokens as JWT or opaque. A witness that knows neither SAP nor the relay.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import Provider, { type ResourceServer } from 'oidc-provider';
import { onTestFinished } from 'vitest';

export interface CertifiedServerOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly accessTokenFormat: 'jwt' | 'opaque';
  readonly lifetimeSeconds?: number;
}

export interface CertifiedServer {
  readonly tokenUrl: string;
  /** Tokens granted, and requests refused, so far. */
  readonly counts: { granted: number; refused: number };
  /** The claims of a JWT that the server's published keys verify. */
  verify(token: string): Promise<JWTPayload>;
  /** What the server says of an opaque token (RFC 7662). */
  introspect(token: string): Promise<Record<string, unknown>>;
}

export const SCOPE = 'orders:send';
/** Known to the server, and not the client's. */
export const OTHER_SCOPE = 'invoices:send';
const AUDIENCE = 'https://flows.example';

export async function startCertifiedServer(options: CertifiedServerOptions): Promise<CertifiedServer> {
  const { clientId, clientSecret, accessTokenFormat, lifetimeSeconds = 600 } = options;
  const counts = { granted: 0, refused: 0 };
  let handle: ReturnType<Provider['callback']> | undefined;
  const server = createServer((request, response) => handle?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const resourceServer: ResourceServer = {
    scope: `${SCOPE} ${OTHER_SCOPE}`,
    audience: AUDIENCE,
    accessTokenFormat,
    accessTokenTTL: lifetimeSeconds,
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
        scope: SCOPE,
      },
    ],
    scopes: [SCOPE, OTHER_SCOPE],
    ttl: { ClientCredentials: lifetimeSeconds },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'key-1' }] },
    adapter: memoryOf,
    cookies: { keys: ['not-used-by-this-grant'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      // The relay names no resource (RFC 8707), as SAP's servers want none: the server has to know which is meant.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => resourceServer,
        useGrantedResource: () => true,
      },
    },
  });
  provider.on('grant.success', () => {
    counts.granted += 1;
  });
  provider.on('grant.error', () => {
    counts.refused += 1;
  });
  handle = provider.callback();
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

  return {
    tokenUrl: `${issuer}/token`,
    counts,
    verify: async (token) => (await jwtVerify(token, keys, { issuer, audience: AUDIENCE })).payload,
    async introspect(token) {
      const body = new URLSearchParams({ token, client_id: clientId, client_secret: clientSecret });
      const response = await fetch(`${issuer}/token/introspection`, { method: 'POST', body });
      return (await response.json()) as Record<string, unknown>;
    },
  };
}

/** Where the server keeps what it issues; one for each kind, and for the process. */
function memoryOf() {
  const kept = new Map<string, object>();
  return {
    upsert: async (id: string, payload: object) => void kept.set(id, payload),
    find: async (id: string) => kept.get(id),
    destroy: async (id: string) => void kept.delete(id),
  };
}
