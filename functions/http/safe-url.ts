/** Which URLs the relay may send a credential or a payload to: one rule for settings and secrets. A leaf. */

/**
 * True for `https:`, and for `http:` on loopback hosts, where the packet does not leave the machine (RFC 8252
 * section 7.3). False for a URL with a user or a fragment, and for other text.
 */
export function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
