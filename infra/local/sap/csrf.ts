/**
 * CSRF protection as the HTTPS sender adapter has it: a token that is valid only within the HTTP session in which it was
 * fetched, a session that lives in one worker of the runtime node, and cookies that must come back byte for byte. It owns
 * sessions and tokens; whether a flow is protected is the flow's setting, which worker gets a request `worker-nodes.ts`'s.
 */
import type { Request } from '../server.ts';
import { hex, type RandomBytes } from './identifiers.ts';
import { readCookies, unencoded } from './worker-nodes.ts';

/** `setCookies` are values of `Set-Cookie`; empty where the request's session goes on. */
export type CsrfDecision =
  | { readonly kind: 'pass' }
  /** The request has fetched a token; the flow is not to run. */
  | { readonly kind: 'fetched'; readonly token: string; readonly setCookies: readonly string[] }
  /** To be refused with 403 and `X-CSRF-Token: required`. */
  | { readonly kind: 'required'; readonly setCookies: readonly string[] };

export interface CsrfSessionsOptions {
  /** Part of the cookie name `JTENANTSESSIONID_<account>`. */
  readonly accountName: string;
  /** How many worker nodes there are, each with sessions of its own. */
  readonly workers: number;
  readonly now: () => number;
  readonly random: RandomBytes;
  /** A session that is not used for so long is gone. */
  readonly sessionIdleMs: number;
  readonly confidential: (value: string) => void;
}

export interface CsrfSessions {
  /** For a request to a protected flow that `worker` got; a new session's cookies end with the routing cookie. */
  check(request: Request, worker: number, routingCookie: readonly [string, string]): CsrfDecision;
  /** Ends every session, as a restart of the workers does. */
  drop(): void;
}

interface Session {
  readonly token: string;
  readonly tenantSessionId: string;
  usedAt: number;
}

/** What a request says of CSRF: it fetches a token, it has one, or neither. */
export function csrfIntent({ headers }: Request): 'fetch' | 'sent' | 'none' {
  const value = headers['x-csrf-token'];
  if (value === undefined) return 'none';
  return value.toLowerCase() === 'fetch' ? 'fetch' : 'sent';
}

/** No session yet. */
export function createCsrfSessions(options: CsrfSessionsOptions): CsrfSessions {
  const { now, random, confidential } = options;
  const tenantSession = `JTENANTSESSIONID_${options.accountName}`;
  const sessionsOf = Array.from({ length: options.workers }, () => new Map<string, Session>());

  return {
    check: (request, worker, routingCookie) => {
      const cookies = readCookies(request);
      const sessions = sessionsOf[worker];
      const found = sessions?.get(cookies.get('JSESSIONID') ?? '');
      const idle = found === undefined || now() - found.usedAt >= options.sessionIdleMs;
      const session = !idle && found.tenantSessionId === cookies.get(tenantSession) ? found : undefined;
      if (session !== undefined) session.usedAt = now();

      const reads = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
      if (reads && csrfIntent(request) !== 'fetch') return { kind: 'pass' };
      if (!reads && session !== undefined && request.headers['x-csrf-token'] === session.token) return { kind: 'pass' };

      const sessionId = unencoded(random, 15);
      const current = session ?? {
        token: hex(random, 16).toUpperCase(),
        tenantSessionId: escaped(random),
        usedAt: now(),
      };
      const named: readonly (readonly [string, string])[] = [
        ['JSESSIONID', sessionId],
        [tenantSession, current.tenantSessionId],
        routingCookie,
      ];
      if (session === undefined) {
        sessions?.set(sessionId, current);
        for (const secret of [current.token, sessionId, current.tenantSessionId]) confidential(secret);
      }
      const setCookies =
        session === undefined ? named.map(([name, value]) => `${name}=${value}; Path=/; Secure; HttpOnly`) : [];
      return reads ? { kind: 'fetched', token: current.token, setCookies } : { kind: 'required', setCookies };
    },
    drop: () => {
      for (const sessions of sessionsOf) sessions.clear();
    },
  };
}

/** A value that URL-decoding would change. */
function escaped(random: RandomBytes): string {
  return `${Buffer.from(random(12)).toString('base64url')}%2F%2B%3D`;
}
