/** The two headers of an answer that are about time: `Date` and `Retry-After`. A leaf. */
import type { IncomingHttpHeaders } from 'node:http';

/** The other side's clock, epoch milliseconds; undefined where the answer has none. */
export function dateOf(headers: IncomingHttpHeaders): number | undefined {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? undefined : date;
}

/**
 * What the other side asks us to wait, in milliseconds, given in seconds or as a date (RFC 9110 section 10.2.3).
 *
 * @param now our clock, for a date in an answer without a `Date` of its own
 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // Date.parse would read a year in "1.5"; an HTTP-date begins with the day of the week.
  const date = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - (dateOf(headers) ?? now));
}
