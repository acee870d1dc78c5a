/**
 * All tokens of one execution environment: destinations with the same credentials that want the same token share one,
 * and all that use a secret share what was read of it, so that a new version is a new version for everyone.
 */
import type { ReadSecret } from '../aws/secrets-manager.ts';
import type { Clock, Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Send } from '../http/http.ts';
import type { Destination } from '../settings/destination.ts';
import { type Warm, warm } from '../warm/warm.ts';
import { certificateAccess } from './certificate-access.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { type LastRejection, warmToken } from './token.ts';
import type { Token } from './token-endpoint.ts';

export interface TokensOptions extends Clock {
  readonly readSecret: ReadSecret;
  readonly send: Send;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onRequest: () => void;
  readonly onRenewalFailed: (reason: string) => void;
}

export interface Tokens {
  of(destination: Destination): Warm<Token>;
  readonly all: Iterable<Warm<Token>>;
}

export function createTokens({ readSecret, onRenewalFailed, ...options }: TokensOptions): Tokens {
  const { now = Date.now } = options;
  const secrets = new Map<string, { readonly credentials: Warm<Credentials>; readonly lastRejection: LastRejection }>();
  const tokens = new Map<string, Warm<Token>>();

  function sharedBy(secret: string) {
    const known = secrets.get(secret);
    if (known !== undefined) return known;
    const made = {
      credentials: warm({ load: async ({ signal }) => readCredentials(await readSecret(secret, signal), secret) }),
      lastRejection: { at: Number.NEGATIVE_INFINITY },
    };
    secrets.set(secret, made);
    return made;
  }

  async function previousCredentials(secret: string, { signal }: Deadline): Promise<Credentials | undefined> {
    try {
      return readCredentials(await readSecret(secret, signal, 'AWSPREVIOUS'), secret);
    } catch (error) {
      // A secret that was never rotated has no version before.
      if (error instanceof RelayError && error.code === 'SECRET_NOT_FOUND') return undefined;
      throw error;
    }
  }

  function tokenFor({ secret, authentication }: Destination, wanted: ReturnType<typeof wantedBy>): Warm<Token> {
    const { credentials, lastRejection } = sharedBy(secret);
    if (authentication === 'certificate') return certificateAccess(credentials, secret, now);
    return warmToken({
      ...options,
      credentials,
      lastRejection,
      previousCredentials: (deadline) => previousCredentials(secret, deadline),
      wanted,
      onRenewalFailed: (error) => onRenewalFailed(error instanceof RelayError ? error.message : 'unexpected error'),
    });
  }

  return {
    of(destination) {
      const wanted = wantedBy(destination);
      const key = JSON.stringify([destination.authentication, destination.secret, wanted]);
      const known = tokens.get(key);
      if (known !== undefined) return known;
      const made = tokenFor(destination, wanted);
      tokens.set(key, made);
      return made;
    },
    get all() {
      return tokens.values();
    },
  };
}

function wantedBy({ tokenFormat, scope, maxTokenUseSeconds }: Destination) {
  return { tokenFormat, maxLifetimeMs: maxTokenUseSeconds * 1000, ...(scope === undefined ? {} : { scope }) };
}
