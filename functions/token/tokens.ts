/**
 * All tokens of one execution environment. Destinations that ask for the same token with the same credentials share it,
 * and all that use a secret share what was read of it, so that a new version is new for all of them at once.
 */
import type { ReadSecret } from '../aws/secrets-manager.ts';
import type { Clock, Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Send } from '../http/http.ts';
import type { Destination } from '../settings/destination.ts';
import { type Warm, warm } from '../warm/warm.ts';
import { certificateAccess } from './certificate-access.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { createRejections, type Rejections, warmToken } from './token.ts';
import type { Token } from './token-endpoint.ts';

export interface TokensOptions extends Clock {
  readonly readSecret: ReadSecret;
  readonly send: Send;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onRequest: () => void;
  /**
   * The authorization server refused the credentials of this destination, or of this side of its cut-over; called for each
   * that shares them.
   */
  readonly onRefused?: (destination: string, side?: Destination['side']) => void;
  readonly onRenewalFailed: (reason: string) => void;
  /** A secret was read that holds a client certificate. `daysLeft`: whole days; below zero once it has expired. */
  readonly onCertificate?: (certificate: { readonly secret: string; readonly daysLeft: number }) => void;
}

export interface Tokens {
  of(destination: Destination): Warm<Token>;
  readonly all: Iterable<Warm<Token>>;
}

export function createTokens(all: TokensOptions): Tokens {
  const { readSecret, onRefused, onRenewalFailed, onCertificate, ...options } = all;
  const { now = Date.now } = options;
  const secrets = new Map<string, { readonly credentials: Warm<Credentials>; readonly rejections: Rejections }>();
  const tokens = new Map<string, { readonly token: Warm<Token>; readonly destinations: Set<Destination> }>();

  function sharedBy(secret: string) {
    const known = secrets.get(secret);
    if (known !== undefined) return known;
    const made = {
      credentials: warm({ load: ({ signal }) => currentCredentials(secret, signal) }),
      rejections: createRejections(now),
    };
    secrets.set(secret, made);
    return made;
  }

  async function currentCredentials(secret: string, signal: AbortSignal): Promise<Credentials> {
    const credentials = readCredentials(await readSecret(secret, signal), secret);
    if ('certificate' in credentials.clientAuthentication) {
      const { validUntil } = credentials.clientAuthentication.certificate;
      onCertificate?.({ secret, daysLeft: Math.floor((validUntil - now()) / DAY_MS) });
    }
    return credentials;
  }

  async function previousCredentials(secret: string, { signal }: Deadline): Promise<Credentials | undefined> {
    try {
      return readCredentials(await readSecret(secret, signal, 'AWSPREVIOUS'), secret);
    } catch (error) {
      // A secret that was never rotated has no previous version.
      if (error instanceof RelayError && error.code === 'SECRET_NOT_FOUND') return undefined;
      throw error;
    }
  }

  function tokenFor(
    { secret, authentication }: Destination,
    wanted: ReturnType<typeof wantedBy>,
    destinations: ReadonlySet<Destination>,
  ): Warm<Token> {
    const { credentials, rejections } = sharedBy(secret);
    if (authentication === 'certificate') return certificateAccess(credentials, secret, now);
    return warmToken({
      ...options,
      credentials,
      rejections,
      previousCredentials: (deadline) => previousCredentials(secret, deadline),
      wanted,
      onRefused: () => {
        for (const { name, side } of destinations) onRefused?.(name, side);
      },
      onRenewalFailed: (error) => onRenewalFailed(error instanceof RelayError ? error.message : 'unexpected error'),
    });
  }

  return {
    of(destination) {
      const wanted = wantedBy(destination);
      const key = JSON.stringify([destination.authentication, destination.secret, wanted]);
      const known = tokens.get(key);
      if (known !== undefined) {
        known.destinations.add(destination);
        return known.token;
      }
      const destinations = new Set([destination]);
      const token = tokenFor(destination, wanted, destinations);
      tokens.set(key, { token, destinations });
      return token;
    },
    get all() {
      return [...tokens.values()].map(({ token }) => token);
    },
  };
}

const DAY_MS = 86_400_000;

function wantedBy({ tokenFormat, scope, maxTokenUseSeconds }: Destination) {
  return { tokenFormat, maxLifetimeMs: maxTokenUseSeconds * 1000, ...(scope === undefined ? {} : { scope }) };
}
