/**
 * Verification `hmac`, and the presets based on it: a header with an HMAC over the bytes as they were sent, with or
 * without a timestamp that protects against replay.
 *
 * @see RFC 2104; GitHub Docs, "Validating webhook deliveries"; Shopify, "Verify webhooks"; Stripe, "Verify webhook
 * signatures manually"; SAP Open Connectors, "Hash Verification"
 */
import { createHmac } from 'node:crypto';
import type { HmacVerification } from '../../settings/verification.ts';
import type { HttpEvent } from '../event.ts';
import { anyEqual, digest, digestOfEncoded, isTimely } from './checks.ts';
import type { Scheme } from './scheme.ts';

interface Presented {
  /** As they were sent, without the prefix. */
  readonly signatures: readonly string[];
  readonly timestamp: string;
}

/** A stranger chooses how many there are, and each costs a comparison with every key. */
const MOST_SIGNATURES = 16;

/** What is kept of an entry: the key, the UTF-8 bytes of the secret. */
export function hmac(settings: Omit<HmacVerification, 'type' | 'secret'>): Scheme<'secret', Buffer> {
  const { format, algorithm, encoding, signedContent, toleranceSeconds, messageId } = settings;
  const isTimed = format === 'list' || settings.timestampHeader !== undefined;
  return {
    fields: ['secret'],
    keep: ({ secret }) => Buffer.from(secret),
    isPresentedBy: ({ headers }) => Boolean(headers[settings.header]),
    judge({ headers, body = Buffer.alloc(0) }, keys, nowMs) {
      const { signatures, timestamp } =
        format === 'list' ? fromList(headers, settings) : fromHeaders(headers, settings);
      const presented = signatures.map((signature) => digestOfEncoded(signature, encoding));
      const expected = keys.map((key) => {
        const mac = createHmac(algorithm, key);
        for (const part of signedContent.split(/(\{body\}|\{timestamp\})/))
          mac.update(part === '{body}' ? body : part === '{timestamp}' ? timestamp : part);
        return digest(mac.digest());
      });
      if (!anyEqual(expected, presented)) return 'wrong-signature';
      return !isTimed || isTimely(timestamp, toleranceSeconds, nowMs) ? 'holds' : 'timestamp';
    },
    ...(messageId === undefined ? {} : { messageIdOf: () => messageId }),
  };
}

function fromHeaders(
  headers: HttpEvent['headers'],
  { header, prefix, timestampHeader }: Pick<HmacVerification, 'header' | 'prefix' | 'timestampHeader'>,
): Presented {
  const sent = headers[header] ?? '';
  return {
    signatures: [sent.startsWith(prefix) ? sent.slice(prefix.length) : ''],
    timestamp: timestampHeader === undefined ? '' : (headers[timestampHeader] ?? ''),
  };
}

/**
 * `t=1492774577,v1=5257a8…,v1=…,v0=…`: several signatures while the sender rolls its secret; other schemes are ignored.
 */
function fromList(headers: HttpEvent['headers'], { header }: Pick<HmacVerification, 'header'>): Presented {
  const pairs = (headers[header] ?? '').split(',').map((pair) => pair.trim().split('=', 2));
  const values = (wanted: string) => pairs.flatMap(([name, value = '']) => (name === wanted ? [value] : []));
  return { signatures: values('v1').slice(0, MOST_SIGNATURES), timestamp: values('t')[0] ?? '' };
}
