/**
 * The warm access token of one set of credentials, and the ladder when it is not to be had: what may pass by itself is
 * tried again as SAP's table says; a refusal makes the secret be read again, then its previous version, since a rotation
 * may be halfway through; if all are refused, a pause begins. Where nobody answers, the secret is read again, too.
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

/** When a token was last given up for a 401, or one was last asked for in its place, epoch milliseconds. */
export interface LastRejection {
  at: number;
}

export interface TokenOptions extends Clock {
  readonly credentials: Warm<Credentials>;
  /** The version before the current one; undefined if there is none. */
  readonly previousCredentials: (deadline: Deadline) => Promise<Credentials | undefined>;
  readonly wanted: TokenWish;
  readonly send: Send;
  /** Shared by all tokens of one secret. Default: one of its own. */
  readonly lastRejection?: LastRejection;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Called before each token request. */
  readonly onRequest?: () => void;
  /** Called when the authorization server has refused whatever the secret holds. */
  readonly onRefused?: () => void;
  /** Told why a renewal ahead failed; the token is kept. */
  readonly onRenewalFailed?: (error: unknown) => void;
}

/** Errors that no later try ends before an operator has acted. */
const OPERATOR_MUST = new Set([
  'SECRET_NOT_FOUND',
  'SECRET_UNREADABLE',
  'SECRET_MALFORMED',
  'CERTIFICATE_EXPIRED',
  'TOKEN_REFUSED',
  'TOKEN_RESPONSE_INVALID',
]);

/** How long the secret is left alone after it was read because nobody answered, in milliseconds. */
const READ_AGAIN_PAUSE_MS = 300_000;

/**
 * The token to send with: at most one token request is in flight, whoever asks at once joins it. `forget` leaves the token
 * in use where another of the same secret was given up in the last ten seconds: rejections cause one token request in that
 * time, whichever endpoints they come from.
 *
 * @throws (from `get`) RelayError with a `SECRET_…`, `CERTIFICATE_…` or `TOKEN_…` code
 */
export function warmToken(options: TokenOptions): Warm<Token> {
  const { credentials, previousCredentials, wanted, send, now = Date.now, random = Math.random } = options;
  const {
    onRequest,
    onRefused,
    onRenewalFailed = () => undefined,
    lastRejection = { at: Number.NEGATIVE_INFINITY },
  } = options;
  const pause = createPause(now);
  let isSecretStale = false;
  /** The last token request had no answer. */
  let isUnanswered = false;
  let readAgainAt = Number.NEGATIVE_INFINITY;
  let wasRejected = false;
  /** What was good when the ladder was begun beside it: it goes out until the ladder's end, whatever that finds. */
  let goodMeanwhile: Token | undefined;
  /** When a token is due for renewal, and which version of the secret was the current one when it was bought. */
  const bought = new WeakMap<Token, { readonly dueAt: number; readonly versionId: string | undefined }>();

  async function load(deadline: Deadline): Promise<Token> {
    const refused: Credentials[] = [];
    const warm = tokens.peek();
    goodMeanwhile = warm && isGood(warm) ? warm : undefined;
    try {
      const inForce = pause.current();
      if (inForce !== undefined) throw inForce;
      const token = await climb(deadline, refused);
      pause.end();
      return token;
    } catch (error) {
      // That of a pause was told when the pause began.
      if (error instanceof TokenRefused && error !== pause.current()) onRefused?.();
      if (error instanceof RelayError) openPause(error, refused);
      const kept = keepUsable();
      if (kept === undefined || kept === goodMeanwhile) throw error;
      // Nobody waits for a renewal, but somebody for this: a newer version of the secret was all that spoke against it.
      onRenewalFailed(error);
      return kept;
    } finally {
      goodMeanwhile = undefined;
    }
  }

  function openPause(error: RelayError, refused: readonly Credentials[]): void {
    if (OPERATOR_MUST.has(error.code) || refused.length > 0) {
      pause.open(error);
      isSecretStale = true;
    } else if (error.retryAfterMs !== undefined) {
      pause.open(error, error.retryAfterMs);
    }
  }

  /** A token is not kept beside a newer version of the secret than it was bought under. */
  function isGood(token: Token): boolean {
    if (!isUsable(token)) return false;
    return token === goodMeanwhile || bought.get(token)?.versionId === credentials.peek()?.versionId;
  }

  function isUsable(token: Token): boolean {
    return now() < token.expiresAt - marginMs(token);
  }

  /** Nothing better is to be had: a token that can be used is not given up for a newer version of the secret. */
  function keepUsable(): Token | undefined {
    const token = tokens.peek();
    if (token === undefined || !isUsable(token)) return undefined;
    bought.set(token, { dueAt: dueAtOf(token), versionId: credentials.peek()?.versionId });
    return token;
  }

  function dueAtOf(token: Token): number {
    return bought.get(token)?.dueAt ?? 0;
  }

  /** The ladder: the secret as it is warm, as it is now, as it was before. */
  async function climb(deadline: Deadline, refused: Credentials[]): Promise<Token> {
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
        refused.push(client);
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
    // What is replaced stays until its successor is there: a good token goes by the version it was bought under.
    const current = await (known === undefined ? credentials.get(deadline) : credentials.renew(known, deadline));
    isSecretStale = false;
    return current;
  }

  /** What the secret may have changed meanwhile; a secret that has just been read is not read again. */
  async function latestAfter(error: unknown, known: Credentials, deadline: Deadline): Promise<Credentials> {
    const hasExpired = error instanceof RelayError && error.code === 'CERTIFICATE_EXPIRED';
    if (hasExpired) return credentials.renew(known, deadline);
    return isUnanswered ? readAgain(known, deadline) : known;
  }

  /** The secret as it is now, or what is warm where it was read for this reason a while ago, or cannot be read. */
  async function readAgain(known: Credentials, deadline: Deadline): Promise<Credentials> {
    if (deadline.signal.aborted || isWithin(READ_AGAIN_PAUSE_MS, readAgainAt, now())) return known;
    readAgainAt = now();
    // That nobody answers is what is told: the secret was in order when it was read.
    return credentials.renew(known, deadline).catch(() => known);
  }

  async function ask(client: Credentials, deadline: Deadline): Promise<Token> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await request(client, deadline);
      } catch (error) {
        const delayMs = error instanceof RelayError ? retryDelayMs(error, retries, client.environment) : undefined;
        // A call that the time left cannot carry would only be cut off.
        if (delayMs === undefined || deadline.remainingMs() - delayMs < TOKEN_TIMEOUT_MS) throw error;
        await wait(delayMs, deadline.signal, options);
      }
    }
  }

  async function request(client: Credentials, { remainingMs, signal }: Deadline): Promise<Token> {
    if ('certificate' in client.proof) assertValid(client.proof.certificate, now());
    onRequest?.();
    // One that is bought for the first time is no successor, though another of the same secret was given up.
    if (wasRejected && tokens.peek() === undefined) lastRejection.at = now();
    const timeoutMs = Math.min(TOKEN_TIMEOUT_MS, remainingMs());
    isUnanswered = true;
    const answer = await send({ ...tokenRequest(client, wanted), timeoutMs, signal }).catch((cause: unknown) => {
      throw noAnswer(client, cause);
    });
    isUnanswered = false;
    const token = readTokenResponse(answer, client, wanted, now());
    bought.set(token, { dueAt: renewalPoint(token, random()), versionId: credentials.peek()?.versionId });
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
      if (tokens.peek() !== rejected || isWithin(REJECTION_PAUSE_MS, lastRejection.at, now())) return;
      lastRejection.at = now();
      wasRejected = true;
      tokens.forget(rejected);
    },
  };
}

/** What was in the secret before may be anything: it says nothing of what is in it now. */
function unlessMalformed(error: unknown): undefined {
  if (!(error instanceof RelayError && error.code === 'SECRET_MALFORMED')) throw error;
}

/** About half of the life, as SAP advises, spread by a tenth so that environments do not all renew at once. */
function renewalPoint({ issuedAt, expiresAt }: Token, random: number): number {
  return issuedAt + (expiresAt - issuedAt) * (0.45 + 0.1 * random);
}

/** A token is not used to its last second: it must still be good when the runtime node looks at it. */
function marginMs({ issuedAt, expiresAt }: Token): number {
  return Math.min(60_000, 0.1 * (expiresAt - issuedAt));
}

/** A token request that gets no answer has not touched the message. */
function noAnswer({ tokenUrl }: Credentials, cause: unknown): RelayError {
  if (cause instanceof RelayError && cause.code === 'DEADLINE') return cause;
  const reason = cause instanceof Error ? cause.message : 'no answer';
  const { host } = new URL(tokenUrl);
  return new RelayError('TOKEN_UNAVAILABLE', `token endpoint on ${host}: ${reason}; a later try may help`, { cause });
}
