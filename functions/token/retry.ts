/**
 * When a token request is worth repeating within the same invocation: SAP's table for its token endpoints.
 *
 * @see SAP Help, "Best Practices When Handling Access Tokens"; for Neo "Achieving Resilient OAuth 2.0 Authorization"
 */
import type { RelayError } from '../error.ts';

/** On Neo SAP allows one or two attempts in all; more would meet its rate limit. */
const MAX_RETRIES = { neo: 1, cf: 3 } as const;

/**
 * @param retries how many there have been
 * @returns how long to wait before the next, in milliseconds; undefined if there shall be none
 */
export function retryDelayMs(error: RelayError, retries: number, environment: 'neo' | 'cf'): number | undefined {
  if (error.code !== 'TOKEN_UNAVAILABLE' || retries >= MAX_RETRIES[environment]) return undefined;
  switch (error.status) {
    case undefined:
    case 408:
    case 502:
    case 504:
      return 300 * 2 ** retries;
    case 500:
      return 1_000 * 3 ** retries;
    case 503:
      return Math.max(1_000 * 3 ** retries, error.retryAfterMs ?? 0);
    case 429:
      return error.retryAfterMs ?? 1_000 * 3 ** retries;
    default:
      return undefined;
  }
}
