/**
 * What the relay and its peers talk to, constant and counted: a secret, tokens that live an hour, an endpoint that
 * takes a message with a token that counts. The clock may be turned on, and all tokens revoked.
 */
import { randomBytes } from 'node:crypto';
import type { Received, Respond, Response } from './http-server.ts';

export interface Counts {
  secret: number;
  token: number;
  /** Calls of the endpoint, whatever came of them. */
  endpoint: number;
  delivered: number;
  unauthorized: number;
}

export interface Services {
  readonly secretsManager: Respond;
  readonly tokenEndpoint: Respond;
  readonly endpoint: Respond;
  /** @returns the counts since the last time */
  takeCounts(): Counts;
  /** A token that counts, for those who fetch none. */
  issue(): string;
  /** Every token issued so far is answered 401. */
  revoke(): void;
  shiftClock(shiftMs: number): void;
}

const LIFETIME_SECONDS = 3600;
const none = (): Counts => ({ secret: 0, token: 0, endpoint: 0, delivered: 0, unauthorized: 0 });

/** @param tokenUrl of the token endpoint, for the secret */
export function createServices(tokenUrl: () => string): Services {
  const expiries = new Map<string, number>();
  let counts = none();
  let shiftMs = 0;
  let issued = 0;
  // As long as an RS256 signature; it is not verified here.
  const signature = randomBytes(256).toString('base64url');
  const now = () => Date.now() + shiftMs;

  function issue(): string {
    issued += 1;
    const exp = Math.floor(now() / 1000) + LIFETIME_SECONDS;
    const claims = {
      jti: `${issued}-${randomBytes(12).toString('hex')}`,
      sub: 'sb-00000000-0000-4000-8000-6f7264657273!b1234|it-rt-acme-dev!b56',
      authorities: ['it-rt-acme-dev!b56.ESBMessaging.send', 'uaa.resource'],
      scope: ['it-rt-acme-dev!b56.ESBMessaging.send', 'uaa.resource'],
      client_id: 'sb-00000000-0000-4000-8000-6f7264657273!b1234|it-rt-acme-dev!b56',
      grant_type: 'client_credentials',
      iss: 'https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token',
      aud: ['uaa', 'it-rt-acme-dev!b56.ESBMessaging'],
      exp,
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'RS256', typ: 'JWT', kid: 'default-jwt-key' })}.${part(claims)}.${signature}`;
    expiries.set(token, exp * 1000);
    return token;
  }

  function secretsManager({ body }: Received): Response {
    counts.secret += 1;
    const secretId = /"SecretId":"([^"]+)"/.exec(body)?.[1] ?? 'unknown';
    const oauth = { clientid: `sb-${secretId}`, clientsecret: 'q1w2e3r4', tokenurl: tokenUrl(), url: tokenUrl() };
    const answer = {
      ARN: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${secretId}-a1b2c3`,
      Name: secretId,
      VersionId: '5a1b2c3d-0000-4000-8000-000000000001',
      SecretString: JSON.stringify({ oauth }),
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 1_760_000_000,
    };
    return { status: 200, contentType: 'application/x-amz-json-1.1', body: JSON.stringify(answer), now: now() };
  }

  function tokenEndpoint(): Response {
    counts.token += 1;
    const answer = { access_token: issue(), token_type: 'bearer', expires_in: LIFETIME_SECONDS, scope: 'uaa.resource' };
    return { status: 200, body: JSON.stringify(answer), now: now() };
  }

  function endpoint({ head }: Received): Response {
    counts.endpoint += 1;
    const token = /\r\nauthorization: *bearer ([^\r]+)/i.exec(head)?.[1] ?? '';
    const isGood = (expiries.get(token) ?? 0) > now();
    if (isGood) counts.delivered += 1;
    else counts.unauthorized += 1;
    return isGood ? { status: 202, body: '{}', now: now() } : { status: 401, now: now() };
  }

  return {
    secretsManager,
    tokenEndpoint,
    endpoint,
    takeCounts: () => {
      const taken = counts;
      counts = none();
      return taken;
    },
    issue,
    revoke: () => expiries.clear(),
    shiftClock: (ms) => {
      shiftMs = ms;
    },
  };
}
