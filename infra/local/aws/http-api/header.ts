/**
 * Header fields as a gateway reads and passes them on: names and values off the wire, the ones it adds, the ones that
 * end with the connection.
 */

/** Name and value, in the order of the wire. */
export type Field = readonly [name: string, value: string];

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @param rawHeaders names and values in turns. */
export function readFields(rawHeaders: readonly string[]): readonly Field[] {
  const fields: Field[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return fields;
}

/** What the request line and the header fields took on the wire. */
export function requestHeadBytes(method: string, target: string, fields: readonly Field[]): number {
  const line = `${method} ${target} HTTP/1.1\r\n`;
  return fields.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(`${name}: ${value}\r\n`),
    Buffer.byteLength(line),
  );
}

export interface Hop {
  readonly sourceIp: string;
  readonly traceId: string;
  readonly bodyBytes: number;
}

/** Without those that end here, with those that a gateway adds; names as sent. */
export function forwardFields(fields: readonly Field[], hop: Hop): readonly Field[] {
  const kept = fields.filter(
    ([name]) =>
      !HOP_BY_HOP.has(name.toLowerCase()) && !['content-length', 'x-forwarded-for'].includes(name.toLowerCase()),
  );
  const clients = values(fields, 'x-forwarded-for');
  const has = (name: string) => fields.some(([other]) => other.toLowerCase() === name);
  return [
    ...kept,
    ...(hop.bodyBytes > 0 || has('content-length') ? [['Content-Length', String(hop.bodyBytes)] as const] : []),
    ...(has('x-amzn-trace-id') ? [] : [['X-Amzn-Trace-Id', hop.traceId] as const]),
    ['X-Forwarded-For', [...clients, hop.sourceIp].join(', ')],
    ...(has('x-forwarded-port') ? [] : [['X-Forwarded-Port', '443'] as const]),
    ...(has('x-forwarded-proto') ? [] : [['X-Forwarded-Proto', 'https'] as const]),
  ];
}

/** All values of a field. */
export function values(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** Values by name, in order. */
export function group(fields: readonly Field[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, value] of fields) {
    const list = groups[name];
    if (list === undefined) groups[name] = [value];
    else list.push(value);
  }
  return groups;
}

/** One value for each name, made of all of them. */
export function mapGroups(
  groups: Readonly<Record<string, readonly string[]>>,
  join: (values: readonly string[]) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, list]) => [name, join(list)]));
}
