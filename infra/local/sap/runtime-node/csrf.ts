/**
 * CSRF protection as the HTTPS sender adapter has it: a token that is valid only within the HTTP session in which it
 * was fetched, a session that lives in one worker of the runtime node, and cookies that must come back byte for byte.
 * It owns sessions and tokens; whether a flow is protected is the flow's setting, which worker gets a request
 * `worker-nodes.ts`'s.
 */
import type { Request } from '../../server/server.ts';
import { hex, type RandomBytes } from '../identifiers.ts';
import { readCookies, unencoded } from './worker-nodes.ts';

/** `setCookies` are values of `Set-Cookie`; empty where the request's session goes on under its id. */
export type CsrfDecision =
  | { readonly kind: 'pass'; readonly setCookies: readonly string[] }
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
  /**
   * Each request that has a session gets a new id for it from now on, or with false no longer, as Spring Security does
   * against session fixation; the one before is gone at once. The token and the other cookies stay.
   */
  renewIds(renews: boolean): void;
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
  let renewsIds = false;

  /** @returns the cookie that tells the new id; none where ids stay */
  function renewed(sessions: Map<string, Session> | undefined, id: string, session: Session): readonly string[] {
    if (!renewsIds) return [];
    const renewedId = unencoded(random, 15);
    confidential(renewedId);
    sessions?.delete(id);
    sessions?.set(renewedId, session);
    return [setCookie(['JSESSIONID', renewedId])];
  }

  return {
    check: (request, worker, routingCookie) => {
      const cookies = readCookies(request);
      const sessions = sessionsOf[worker];
      const sentId = cookies.get('JSESSIONID') ?? '';
      const found = sessions?.get(sentId);
      const idle = found === undefined || now() - found.usedAt >= options.sessionIdleMs;
      const session = !idle && found.tenantSessionId === cookies.get(tenantSession) ? found : undefined;
      if (session !== undefined) session.usedAt = now();
      const goesOn = session === undefined ? [] : renewed(sessions, sentId, session);

      const reads = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
      if (reads && csrfIntent(request) !== 'fetch') return { kind: 'pass', setCookies: goesOn };
      if (!reads && session !== undefined && request.headers['x-csrf-token'] === session.token) {
        return { kind: 'pass', setCookies: goesOn };
      }

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
      const setCookies = session === undefined ? named.map(setCookie) : goesOn;
      return reads ? { kind: 'fetched', token: current.token, setCookies } : { kind: 'required', setCookies };
    },
    drop: () => {
      for (const sessions of sessionsOf) sessions.clear();
    },
    renewIds: (renews) => {
      renewsIds = renews;
    },
  };
}

function setCookie([name, value]: readonly [string, string]): string {
  return `${name}=${value}; Path=/; Secure; HttpOnly`;
}

/** A value that URL-decoding would change. */
function escaped(random: RandomBytes): string {
  return `${Buffer.from(random(12)).toString('base64url')}%2F%2B%3D`;
}
