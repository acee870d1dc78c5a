/**
 * Which headers of a request reach the flow: the protocol's own, and those of the runtime configuration's "Allowed
 * Header(s)"; never Camel's, never credentials. What was dropped is told by name, which SAP itself does not do.
 */
import type { Request } from '../../server/server.ts';

export interface ExchangeHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** Names as sent, of headers that would have passed if they were allowed. */
  readonly dropped: readonly string[];
  /** Names as sent, of headers that no setting lets pass. */
  readonly removed: readonly string[];
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

/** The headers and query parameters of `request` that reach a flow which allows `allowedHeaders` (any case, `*` for all). */
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

/** The landscape's own words to the developer, in a header that SAP does not have; none when nothing was dropped. */
export function droppedHeadersNotice({ dropped, removed }: ExchangeHeaders): Record<string, string> {
  const sentences = [
    ...dropped.map((name) => `${name} dropped: not among Allowed Headers`),
    ...removed.map((name) => `${name} dropped: headers that begin with camel are always removed`),
  ];
  return sentences.length === 0 ? {} : { 'X-Landscape-Notice': sentences.join('; ') };
}
