/**
 * Which headers of a request reach the flow: the protocol's own, and those of the runtime configuration's "Allowed
 * Header(s)"; never Camel's, never credentials. What was dropped is told by name, which SAP itself does not do.
 */
import type { Request } from '../../server/server.ts';
import { fingerprint } from './bearer-token.ts';

export interface ExchangeHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** Names as sent, of headers that would have passed if they were allowed. */
  readonly dropped: readonly string[];
  /** Names as sent, of headers that no setting lets pass. */
  readonly removed: readonly string[];
}

/** A header as it was sent; of what is secret only how it begins. */
export interface SentHeader {
  readonly name: string;
  readonly value: string;
  /** It did not reach the flow: it is not among its allowed headers, or one of Camel's own. */
  readonly dropped: boolean;
}

/** What passes without being allowed [assumed: the HTTP protocol's own]; credentials never do. */
const standardHeaders = [
  'accept',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'soapaction',
];
const withheldHeaders = ['authorization', 'cookie', 'x-csrf-token'];
/** Of the connection to the load balancer, which no developer would miss. */
const connectionHeaders = ['connection', 'keep-alive', 'transfer-encoding', 'te', 'expect', 'accept-encoding'];

/**
 * The headers and query parameters of `request` that reach a flow which allows `allowedHeaders` (any case, `*` for
 * all).
 */
export function exchangeHeaders(
  { headers, rawHeaders, query }: Request,
  allowedHeaders: readonly string[],
): ExchangeHeaders {
  const allowed = allowedHeaders.map((name) => name.toLowerCase());
  const camels = (name: string): boolean => name.toLowerCase().startsWith('camel');
  const passes = (name: string): boolean =>
    !camels(name) &&
    !withheldHeaders.includes(name) &&
    (standardHeaders.includes(name) || allowed.includes(name) || allowed.includes('*'));
  const names = [...new Set(rawHeaders.filter((_, index) => index % 2 === 0))];
  const unmissed = [...withheldHeaders, ...connectionHeaders];
  const missing = names.filter((name) => !passes(name.toLowerCase()) && !unmissed.includes(name.toLowerCase()));
  return {
    headers: {
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => passes(name))),
      ...Object.fromEntries([...query].filter(([name]) => !camels(name))),
    },
    dropped: missing.filter((name) => !camels(name)),
    removed: missing.filter(camels),
  };
}

/** All of them in the order in which they were sent; `allowedHeaders` as above. */
export function sentHeaders(request: Request, allowedHeaders: readonly string[]): SentHeader[] {
  const { dropped, removed } = exchangeHeaders(request, allowedHeaders);
  const sent: SentHeader[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(index, index + 2);
    sent.push({ name, value: shown(name.toLowerCase(), value), dropped: [...dropped, ...removed].includes(name) });
  }
  return sent;
}

/** A token is told by its fingerprint, other secrets by their length. */
function shown(name: string, value: string): string {
  if (!withheldHeaders.includes(name) || (name === 'x-csrf-token' && value.toLowerCase() === 'fetch')) return value;
  const [scheme, token] = name === 'authorization' ? value.split(' ', 2) : [];
  return token === undefined ? `(${value.length} characters)` : `${scheme} (sha256 ${fingerprint(token)}…)`;
}

/** The landscape's own words to the developer, in a header that SAP does not have; none when nothing was dropped. */
export function droppedHeadersNotice({ dropped, removed }: ExchangeHeaders): Record<string, string> {
  const sentences = [
    ...dropped.map((name) => `${name} dropped: not among Allowed Headers`),
    ...removed.map((name) => `${name} dropped: headers that begin with camel are always removed`),
  ];
  return sentences.length === 0 ? {} : { 'X-Landscape-Notice': sentences.join('; ') };
}
