/**
 * The warm access token of one set of credentials, and the ladder when it is not to be had: a refused token request
 * makes the secret be read again once, since it may have been rotated, and is tried once more with what has changed.
 */
import { RelayError } from '../error.ts';
import type { HttpAnswer, HttpRequest } from '../http-client.ts';
import { type Warm, warm } from '../warm.ts';
import { type Credentials, changedCredentials } from './credentials.ts';
import { readTokenResponse, TOKEN_TIMEOUT_MS, type Token, tokenRequest } from './token-endpoint.ts';

export interface TokenOptions {
  readonly credentials: Warm<Credentials>;
  readonly tokenFormat: 'jwt' | 'opaque';
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Called before each token request. */
  readonly onRequest?: () => void;
}

/**
 * The token to send with: at most one token request is in flight, whoever asks at once joins it.
 *
 * @throws (from `get`) RelayError with a `SECRET_…` or `TOKEN_…` code
 */
export function warmToken(options: TokenOptions): Warm<Token> {
  const { credentials, tokenFormat, send, now = Date.now, onRequest } = options;

  async function ask(client: Credentials, signal: AbortSignal): Promise<Token> {
    onRequest?.();
    const answer = await answered(
      send({ ...tokenRequest(client, tokenFormat), timeoutMs: TOKEN_TIMEOUT_MS, signal }),
      client,
    );
    return readTokenResponse(answer, client, now());
  }

  async function load(signal: AbortSignal): Promise<Token> {
    const client = await credentials.get(signal);
    try {
      return await ask(client, signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const changed = await changedCredentials(credentials, client, signal);
      if (changed === undefined) throw error;
      return ask(changed, signal);
    }
  }

  return warm({ load, isFresh: (token) => now() < token.expiresAt - marginMs(token) });
}

/** A token is not used to its last second: it must still be good when the runtime node looks at it. */
function marginMs({ issuedAt, expiresAt }: Token): number {
  return Math.min(60_000, 0.1 * (expiresAt - issuedAt));
}

function isRefusal(error: unknown): boolean {
  return error instanceof RelayError && error.code === 'TOKEN_REFUSED' && error.status === 401;
}

/** A token request that gets no answer has not touched the message. */
async function answered(answer: Promise<HttpAnswer>, { tokenUrl }: Credentials): Promise<HttpAnswer> {
  try {
    return await answer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'no answer';
    const { host } = new URL(tokenUrl);
    throw new RelayError('TOKEN_UNAVAILABLE', `token endpoint on ${host}: ${reason}; a later try may help`, { cause });
  }
}
