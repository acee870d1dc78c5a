/**
 * Where a SOAP request has its envelope: its body, or the first part of a `multipart/related` one (SOAP with
 * Attachments, W3C Note of 11 December 2000), whatever `start` says. Attachments are not kept.
 */
import type { Request } from '../../../server/server.ts';
import { mediaType } from '../media-type.ts';
import type { SoapVersion } from './channel.ts';
import { type Charset, charsetNamed } from './charset.ts';

export interface RootPart {
  /** Undefined where a `multipart/related` body does not have its boundary. */
  readonly bytes: Buffer | undefined;
  /** Undefined for one that is not known. */
  readonly charset: Charset | undefined;
  /** What a fault is written in before the envelope says it: 1.2 to who sends its content type, else 1.1 [assumed]. */
  readonly version: SoapVersion;
}

export function readRootPart({ body, headers }: Request): RootPart {
  const outer = mediaType(headers['content-type']);
  const version = (headers['content-type'] ?? '').includes('application/soap+xml') ? '1.2' : '1.1';
  const named = outer?.params.get('charset');
  if (outer?.essence !== 'multipart/related') return { bytes: body, charset: charsetNamed(named), version };
  const part = firstPart(body, outer.params.get('boundary'));
  const own = mediaType(part?.contentType)?.params.get('charset');
  return { bytes: part?.bytes, charset: charsetNamed(own ?? named), version };
}

/** As CXF reads it: lines may end with LF alone, the boundary need not be named, and the last one may be missing. */
function firstPart(body: Buffer, boundary: string | null) {
  const text = body.toString('latin1');
  const delimiter = boundary === null ? /^--\S+/m.exec(text)?.[0] : `--${boundary}`;
  if (delimiter === undefined || !text.includes(delimiter)) return undefined;
  const part = text.slice(text.indexOf(delimiter) + delimiter.length);
  const gap = /\r?\n\r?\n/.exec(part);
  if (gap === null) return undefined;
  const contentType = /^content-type:\s*(.*?)\s*$/im.exec(part.slice(0, gap.index))?.[1];
  const content = part.slice(gap.index + gap[0].length);
  const end = content.indexOf(`\n${delimiter}`);
  const whole = end < 0 ? content : content.slice(0, end).replace(/\r$/, '');
  return { contentType, bytes: Buffer.from(whole, 'latin1') };
}
