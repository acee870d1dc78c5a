/** Whether a signed timestamp is near enough to now for the request not to be an old one, sent again. A leaf. */

/** @param timestamp Unix seconds, as it was sent */
export function isTimely(timestamp: string, toleranceSeconds: number, nowMs: number): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(nowMs / 1000 - Number(timestamp)) <= toleranceSeconds;
}
