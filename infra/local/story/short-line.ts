/**
 * A line of the relay's log as a person reads it while the landscape stays up: when, what, whither, which message. Knows the
 * log's field names, which are part of the product's outside, and nothing else of the product.
 */

const TOLD: Readonly<Record<string, (fields: Fields) => readonly unknown[]>> = {
  'delivery.attempted': ({ outcome, status, attempt, durationMs, reason }) => [
    outcome,
    status ?? '-',
    `attempt ${attempt}`,
    `${durationMs} ms`,
    ...(reason === undefined ? [] : [shortened(String(reason))]),
  ],
  'delivery.postponed': ({ messages, reason }) => ['postponed', `${messages} messages`, shortened(String(reason))],
  'webhook.queued': ({ bytes }) => ['queued', `${bytes} B`],
  'webhook.not-queued': ({ reason }) => ['not queued', shortened(String(reason))],
  'webhook.turned-away': ({ verify, why }) => [
    'refused',
    verify === undefined ? "no webhook's name" : `${verify}: ${why}`,
  ],
  'webhook.unavailable': ({ reason }) => ['unavailable', shortened(String(reason))],
  'message.dead-lettered': ({ outcome }) => ['dead letter', outcome],
};

type Fields = Readonly<Record<string, unknown>>;

/** @returns undefined for a line that tells of no message and no request */
export function shortLine(line: string): string | undefined {
  const fields = parse(line);
  const tell = TOLD[String(fields.message)];
  if (tell === undefined) return undefined;
  const time = String(fields.timestamp ?? '').slice(11, 23);
  const [what, ...rest] = tell(fields);
  return ['  ', time, fields.destination, fields.messageId, what, ...rest]
    .filter((part) => part !== undefined)
    .join('  ');
}

function shortened(reason: string): string {
  return reason.length > 60 ? `${reason.slice(0, 59)}…` : reason;
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
