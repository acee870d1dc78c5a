/**
 * The warm access token of one set of credentials, and the fallbacks when there is none. A failure that may pass by
 * itself is retried as SAP's table says. After a refusal the secret is read again, then its previous version, since a
 * rotation may be halfway through. If all are refused, a pause begins. It is also read again if nobody answers.
 */
import { type Clock, type Deadline, wait } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Send } from '../http/http.ts';
import { createPause, isWithin, REJECTION_PAUSE_MS } from '../warm/pause.ts';
import { type Warm, warm } from '../warm/warm.ts';
import { assertValid } from './certificate.ts';
import { type Credentials, sameCredentials } from './credentials.ts';
import { retryDelayMs } from './retry.ts';
import {
  readTokenResponse,
  TOKEN_TIMEOUT_MS,
  type Token,
  TokenRefused,
  type TokenWish,
  tokenRequest,
} from './token-endpoint.ts';

/** The rejections by endpoints of all tokens of one secret: they cause one token request in ten seconds. */
export interface Rejections {
  /** A token was given up for a 401, or its successor is requested now. */
  note(): void;
  /** Whether that was less than ten seconds ago. */
  isRecent(): boolean;
}

/** @param now epoch milliseconds */
export function createRejections(now: () => number): Rejections {
  let at = Number.NEGATIVE_INFINITY;
  return {
    note() {
      at = now();
    },
    isRecent: () => isWithin(REJECTION_PAUSE_MS, at, now()),
  };
}

export interface TokenOptions extends Clock {
  readonly credentials: Warm<Credentials>;
  /** The version before the current one; undefined if there is none. */
  readonly previousCredentials: (deadline: Deadline) => Promise<Credentials | undefined>;
  readonly wanted: TokenWish;
  readonly send: Send;
  /** Shared by all tokens of one secret. Default: one of its own. */
  readonly rejections?: Rejections;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Called before each token request. */
  readonly onRequest?: () => void;
  /** Called when the authorization server has refused whatever the secret holds. */
  readonly onRefused?: () => void;
  /** Called when a renewal ahead failed; the token is kept. */
  readonly onRenewalFailed?: (error: unknown) => void;
}

/** Errors that end only when an operator acts. */
const OPERATOR_MUST = new Set([
  'SECRET_NOT_FOUND',
  'SECRET_UNREADABLE',
  'SECRET_MALFORMED',
  'CERTIFICATE_EXPIRED',
  'TOKEN_REFUSED',
  'TOKEN_RESPONSE_INVALID',
]);

/** Shortest time between two readings of the secret because nobody answers, in milliseconds. */
const READ_AGAIN_PAUSE_MS = 300_000;

/**
 * The token to send with. At most one token request is in flight, and all callers share it. `forget` leaves the token
 * in use if another of the same secret was given up in the last ten seconds: rejections cause one token request in that
 * time, whichever endpoints they come from.
 *
 * @throws (from `get`) RelayError with a `SECRET_…`, `CERTIFICATE_…` or `TOKEN_…` code
 */
export function warmToken(options: TokenOptions): Warm<Token> {
  const { credentials, previousCredentials, wanted, send, now = Date.now, random = Math.random } = options;
  const { onRequest, onRefused, onRenewalFailed = () => undefined, rejections = createRejections(now) } = options;
  const pause = createPause(now);
  /** Versions of the secret that were refused since the last token: one that is not among them ends the pause. */
  const refusedVersionIds = new Set<string | undefined>();
  let isSecretStale = false;
  /** The last token request had no answer. */
  let isUnanswered = false;
  let readAgainAt = Number.NEGATIVE_INFINITY;
  let wasRejected = false;
  /** The token that was good when a load began: it stays in use until the load ends, whatever the load finds. */
  let goodMeanwhile: Token | undefined;
  /** When a token is due for renewal, and which version of the secret was the current one when it was issued. */
  const issued = new WeakMap<Token, { readonly dueAt: number; readonly versionId: string | undefined }>();

  async function load(deadline: Deadline): Promise<Token> {
    let isRefused = false;
    const warm = tokens.peek();
    goodMeanwhile = warm && isGood(warm) ? warm : undefined;
    try {
      if (refusedVersionIds.size > 0 && !refusedVersionIds.has(credentials.peek()?.versionId)) pause.end();
      const inForce = pause.current();
      if (inForce !== undefined) throw inForce;
      const token = await requestByAnyVersion(deadline, () => {
        isRefused = true;
      });
      endPause();
      return token;
    } catch (error) {
      // The error of a pause was reported when the pause began.
      if (error instanceof TokenRefused && error !== pause.current()) onRefused?.();
      if (error instanceof RelayError) openPause(error, isRefused);
      const kept = keepUsable();
      if (kept === undefined || kept === goodMeanwhile) throw error;
      // Callers wait for this load, since there is a newer version of the secret. The token itself is still usable.
      onRenewalFailed(error);
      return kept;
    } finally {
      goodMeanwhile = undefined;
    }
  }

  function openPause(error: RelayError, isRefused: boolean): void {
    if (OPERATOR_MUST.has(error.code) || isRefused) {
      pause.open(error);
      refusedVersionIds.add(credentials.peek()?.versionId);
      isSecretStale = true;
    } else if (error.retryAfterMs !== undefined) {
      // A pause that the server asked for is no refusal: no newer secret ends it.
      refusedVersionIds.clear();
      pause.open(error, error.retryAfterMs);
    }
  }

  function endPause(): void {
    pause.end();
    refusedVersionIds.clear();
  }

  /** A token is not good if the secret has a newer version than when it was issued. */
  function isGood(token: Token): boolean {
    if (!isUsable(token)) return false;
    return token === goodMeanwhile || issued.get(token)?.versionId === credentials.peek()?.versionId;
  }

  function isUsable(token: Token): boolean {
    return now() < token.expiresAt - marginMs(token);
  }

  /** After a failed load a usable token is kept, although the secret has a newer version. */
  function keepUsable(): Token | undefined {
    const token = tokens.peek();
    if (token === undefined || !isUsable(token)) return undefined;
    issued.set(token, { dueAt: dueAtOf(token), versionId: credentials.peek()?.versionId });
    return token;
  }

  function dueAtOf(token: Token): number {
    return issued.get(token)?.dueAt ?? 0;
  }

  /**
   * By the warm secret; if that is refused, by the secret as it is now; then by its previous version.
   *
   * @param onRefusal called for each refusal
   */
  async function requestByAnyVersion(deadline: Deadline, onRefusal: () => void): Promise<Token> {
    const known = credentials.peek();
    const first = await firstStep(known, deadline);
    const tried: Credentials[] = [];
    let refusal: RelayError | undefined;

    async function asked(client: Credentials | undefined): Promise<Token | undefined> {
      if (client === undefined || tried.some((one) => sameCredentials(one, client))) return undefined;
      tried.push(client);
      try {
        return await ask(client, deadline);
      } catch (error) {
        if (!(error instanceof TokenRefused && error.isOfClient)) throw error;
        onRefusal();
        refusal = error;
        return undefined;
      }
    }
    let token: Token | undefined;
    try {
      token = await asked(first);
    } catch (error) {
      const latest = first === known ? await latestAfter(error, first, deadline) : first;
      if (first !== known && isUnanswered) readAgainAt = now();
      if (sameCredentials(latest, first)) throw error;
      token = await asked(latest);
    }
    token ??= await asked(await credentials.renew(first, deadline));
    const ofCurrent = refusal;
    token ??= await asked(await previousCredentials(deadline).catch(unlessMalformed));
    if (token === undefined) throw ofCurrent;
    return token;
  }

  async function firstStep(known: Credentials | undefined, deadline: Deadline): Promise<Credentials> {
    if (known !== undefined && !isSecretStale) return isUnanswered ? readAgain(known, deadline) : known;
    // Not forgotten first: as long as the old version is warm, a good token of that version is used.
    const current = await (known === undefined ? credentials.get(deadline) : credentials.renew(known, deadline));
    isSecretStale = false;
    return current;
  }

  /** The secret as it is now, if it may have changed meanwhile. One that has just been read is not read again. */
  async function latestAfter(error: unknown, known: Credentials, deadline: Deadline): Promise<Credentials> {
    const hasExpired = error instanceof RelayError && error.code === 'CERTIFICATE_EXPIRED';
    if (hasExpired) return credentials.renew(known, deadline);
    return isUnanswered ? readAgain(known, deadline) : known;
  }

  /** The secret as it is now; the warm one if it was read lately for this reason, or cannot be read. */
  async function readAgain(known: Credentials, deadline: Deadline): Promise<Credentials> {
    if (deadline.signal.aborted || isWithin(READ_AGAIN_PAUSE_MS, readAgainAt, now())) return known;
    readAgainAt = now();
    // The error to report is that nobody answers, not this one: the warm secret was in order.
    return credentials.renew(known, deadline).catch(() => known);
  }

  async function ask(client: Credentials, deadline: Deadline): Promise<Token> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await request(client, deadline);
      } catch (error) {
        const delayMs = error instanceof RelayError ? retryDelayMs(error, retries, client.environment) : undefined;
        // With less time left the next request would be cut off.
        if (delayMs === undefined || deadline.remainingMs() - delayMs < TOKEN_TIMEOUT_MS) throw error;
        await wait(delayMs, deadline.signal, options);
      }
    }
  }

  async function request(client: Credentials, { remainingMs, signal }: Deadline): Promise<Token> {
    if ('certificate' in client.clientAuthentication) assertValid(client.clientAuthentication.certificate, now());
    onRequest?.();
    // Only for a successor: the first token here replaces none, though another token of the secret was given up.
    if (wasRejected && tokens.peek() === undefined) rejections.note();
    const timeoutMs = Math.min(TOKEN_TIMEOUT_MS, remainingMs());
    isUnanswered = true;
    const answer = await send({ ...tokenRequest(client, wanted), timeoutMs, signal }).catch((cause: unknown) => {
      throw noAnswer(client, cause);
    });
    isUnanswered = false;
    const token = readTokenResponse(answer, client, wanted, now());
    issued.set(token, { dueAt: renewalPoint(token, random()), versionId: credentials.peek()?.versionId });
    return token;
  }

  const tokens = warm({
    load,
    now,
    isFresh: isGood,
    isDue: (token) => now() >= dueAtOf(token) && pause.current() === undefined,
    onRenewalFailed,
  });
  return {
    ...tokens,
    forget(rejected) {
      if (tokens.peek() !== rejected || rejections.isRecent()) return;
      rejections.note();
      wasRejected = true;
      tokens.forget(rejected);
    },
  };
}

/** The previous version of the secret may be anything, and is no fault of the current one. */
function unlessMalformed(error: unknown): undefined {
  if (!(error instanceof RelayError && error.code === 'SECRET_MALFORMED')) throw error;
}

/** About half of its lifetime, as SAP advises, spread by a tenth so that environments do not all renew at once. */
function renewalPoint({ issuedAt, expiresAt }: Token, random: number): number {
  return issuedAt + (expiresAt - issuedAt) * (0.45 + 0.1 * random);
}

/** How long before its end a token is no longer used: it must still be valid when the runtime node checks it. */
function marginMs({ issuedAt, expiresAt }: Token): number {
  return Math.min(60_000, 0.1 * (expiresAt - issuedAt));
}

/** Not `executed: unknown`, as of the request itself: the message was not sent. */
function noAnswer({ tokenUrl }: Credentials, cause: unknown): RelayError {
  if (cause instanceof RelayError && cause.code === 'DEADLINE') return cause;
  const reason = cause instanceof Error ? cause.message : 'no answer';
  const { host } = new URL(tokenUrl);
  return new RelayError('TOKEN_UNAVAILABLE', `token endpoint on ${host}: ${reason}; a later try may help`, { cause });
}
