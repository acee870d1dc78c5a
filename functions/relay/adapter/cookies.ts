/**
 * The cookies of one session with one endpoint, as RFC 6265 section 5.3 keeps them. All of them are sent back, whatever
 * path or domain they name: behind a proxy the endpoint may know itself by another address.
 */

/** Name and path, which identify a cookie → `name=value`. In the order in which they first came. */
export type Cookies = ReadonlyMap<string, string>;

/** As many as RFC 6265 section 6.1 asks a client to keep. The oldest are dropped first. */
const MAX_COOKIES = 50;
/** Of the header `Cookie`: half of the 8 KB that servers take for all headers, access token included. */
const MAX_BYTES = 4_096;

/** @param lines values of `Set-Cookie`; invalid ones are ignored, as section 5.2 says */
export function cookiesAfter(cookies: Cookies, lines: readonly string[], nowMs: number): Cookies {
  const after = new Map(cookies);
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split(';');
    const [name, value] = halves(pair, '=');
    if (name === '' || value === undefined) continue;
    let path = '';
    let expires: boolean | undefined;
    let ages: boolean | undefined;
    for (const attribute of attributes) {
      const [key, text = ''] = halves(attribute, '=');
      switch (key.toLowerCase()) {
        case 'path':
          path = text;
          break;
        case 'expires':
          expires = Date.parse(text) <= nowMs;
          break;
        case 'max-age':
          if (/^-?\d+$/.test(text)) ages = Number(text) <= 0;
      }
    }
    const key = `${name};${path}`;
    // Section 5.3, step 3: Max-Age wins.
    if (ages ?? expires ?? false) after.delete(key);
    else after.set(key, `${name}=${value}`);
  }
  let bytes = [...after.values()].join('; ').length;
  for (const [key, pair] of after) {
    // A single cookie is kept whatever its length: without it there is no session.
    if (after.size <= MAX_COOKIES && (bytes <= MAX_BYTES || after.size === 1)) break;
    after.delete(key);
    bytes -= `${pair}; `.length;
  }
  return after;
}

function halves(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text.trim()] : [text.slice(0, index).trim(), text.slice(index + 1).trim()];
}
