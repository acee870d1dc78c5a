/**
 * CSRF protection as the HTTPS sender adapter has it: a token that is valid only within the HTTP session in which it was
 * fetched, a session that lives in one worker of the runtime node, and cookies that must come back byte for byte. It owns
 * sessions and tokens; whether a flow is protected is the flow's setting.
 */
import type { Request } from '../server.ts';
import { hex, type RandomBytes } from './identifiers.ts';
import type { Environment } from './oauth-client.ts';

/** `setCookies` are values of `Set-Cookie`; empty where the request's session goes on. */
export type CsrfDecision =
  | { readonly kind: 'pass' }
  /** The request has fetched a token; the flow is not to run. */
  | { readonly kind: 'fetched'; readonly token: string; readonly setCookies: readonly string[] }
  /** To be refused with 403 and `X-CSRF-Token: required`. */
  | { readonly kind: 'required'; readonly setCookies: readonly string[] };

export interface CsrfSessionsOptions {
  readonly environment: Environment;
  /** Part of the cookie name `JTENANTSESSIONID_<account>`. */
  readonly accountName: string;
  /** Part of Neo's cookie name `BIGipServer<host>`. */
  readonly host: string;
  /** How many worker nodes there are, each with sessions of its own. */
  readonly workers: number;
  readonly now: () => number;
  readonly random: RandomBytes;
  /** A session that is not used for so long is gone. */
  readonly sessionIdleMs: number;
  readonly confidential: (value: string) => void;
}

export interface CsrfSessions {
  /** For a request to a protected flow. */
  check(request: Request): CsrfDecision;
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
  // F5's cookie begins with `!`; cf-deployment's is the id of the application instance.
  const routing = options.environment === 'neo' ? `BIGipServer${options.host}` : '__VCAP_ID__';
  const tenantSession = `JTENANTSESSIONID_${options.accountName}`;
  const workers = Array.from({ length: options.workers }, () => ({
    route: options.environment === 'neo' ? `!${unsafe(random, 12)}` : hex(random, 16),
    sessions: new Map<string, Session>(),
  }));
  let turn = 0;

  /** The load balancer: a routing cookie that it knows decides, else the workers take turns. */
  function workerFor(cookies: ReadonlyMap<string, string>): (typeof workers)[number] {
    const routed = workers.find(({ route }) => route === cookies.get(routing));
    const next = routed ?? workers[turn++ % workers.length];
    if (next === undefined) throw new Error('workers: a runtime node has at least one');
    return next;
  }

  return {
    check: (request) => {
      const cookies = readCookies(request);
      const worker = workerFor(cookies);
      const found = worker.sessions.get(cookies.get('JSESSIONID') ?? '');
      const idle = found === undefined || now() - found.usedAt >= options.sessionIdleMs;
      const session = !idle && found.tenantSessionId === cookies.get(tenantSession) ? found : undefined;
      if (session !== undefined) session.usedAt = now();

      const reads = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
      if (reads && csrfIntent(request) !== 'fetch') return { kind: 'pass' };
      if (!reads && session !== undefined && request.headers['x-csrf-token'] === session.token) return { kind: 'pass' };

      const sessionId = unsafe(random, 15);
      const current = session ?? {
        token: hex(random, 16).toUpperCase(),
        tenantSessionId: escaped(random),
        usedAt: now(),
      };
      const named: readonly [string, string][] = [
        ['JSESSIONID', sessionId],
        [tenantSession, current.tenantSessionId],
        [routing, worker.route],
      ];
      if (session === undefined) {
        worker.sessions.set(sessionId, current);
        for (const secret of [current.token, sessionId, current.tenantSessionId]) confidential(secret);
      }
      const setCookies =
        session === undefined ? named.map(([name, value]) => `${name}=${value}; Path=/; Secure; HttpOnly`) : [];
      return reads ? { kind: 'fetched', token: current.token, setCookies } : { kind: 'required', setCookies };
    },
    drop: () => {
      for (const { sessions } of workers) sessions.clear();
    },
  };
}

/** A value that URL-encoding would change: "cookies … must be returned un-encoded" (SAP note 2681175). */
function unsafe(random: RandomBytes, size: number): string {
  return `${Buffer.from(random(size)).toString('base64')}/+!==`;
}

/** A value that URL-decoding would change. */
function escaped(random: RandomBytes): string {
  return `${Buffer.from(random(12)).toString('base64url')}%2F%2B%3D`;
}

function readCookies({ headers }: Request): ReadonlyMap<string, string> {
  const pairs = (headers.cookie ?? '').split(/; */).map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)];
  });
  return new Map(pairs);
}
