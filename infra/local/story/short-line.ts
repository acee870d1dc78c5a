/**
 * A line of the relay's log as a person reads it while the landscape stays up: when, what, whither, which message. Knows the
 * log's field names, which are part of the product's outside, and nothing else of the product.
 */

import { fitted, wrapped } from './width.ts';

const TOLD: Readonly<Record<string, (fields: Fields) => readonly unknown[]>> = {
  'delivery.attempted': ({ outcome, status, attempt, durationMs, reason }) => [
    outcome,
    status,
    attempt === 1 ? undefined : `attempt ${attempt}`,
    reason ?? `${durationMs} ms`,
  ],
  'delivery.postponed': ({ messages, reason }) => [
    'postponed',
    `${messages} message${messages === 1 ? '' : 's'}`,
    reason,
  ],
  'webhook.queued': ({ bytes }) => ['queued', `${bytes} B`],
  'webhook.not-queued': ({ reason }) => ['not queued', reason],
  'webhook.turned-away': ({ verify, why }) => [
    'refused',
    verify === undefined ? "no webhook's name" : `${verify}: ${why}`,
  ],
  'webhook.unavailable': ({ reason }) => ['unavailable', reason],
  'message.dead-lettered': ({ outcome }) => ['dead letter', outcome],
};

type Fields = Readonly<Record<string, unknown>>;

/** Of an id; its beginning tells it from others, and the page and the log have it whole. */
const ID_COLUMNS = 8;
/** Of the time and what is behind it. */
const INDENT = 10;

/** @returns in lines of at most `columns`; undefined for a line that tells of no message and no request */
export function shortLine(line: string, columns: number): string | undefined {
  const fields = parse(line);
  const tell = TOLD[String(fields.message)];
  if (tell === undefined) return undefined;
  const time = String(fields.timestamp ?? '').slice(11, 19);
  const id = fields.messageId === undefined ? undefined : fitted(String(fields.messageId), ID_COLUMNS);
  const parts = [time, fields.destination, id, ...tell(fields)].filter((part) => part !== undefined);
  return wrapped(parts.join('  '), INDENT, columns);
}

function parse(line: string): Fields {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null ? { ...json } : {};
  } catch {
    // Lambda's own lines between those of the log are no JSON.
    return {};
  }
}
