/** The command line of `npm run send`: what may be written, what it means, and what is wrong with it in one line. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { PLACE_OPTIONS, readPlace } from '../place.ts';
import { Mistake } from '../replay/mistake.ts';
import type { Deployment } from '../replay/queues.ts';
import { type Entry, readEntry } from './entry.ts';

export const KINDS = [
  'basic',
  'api-key',
  'hmac',
  'standard-webhooks',
  'jwt',
  'iam',
  'none',
  'github',
  'shopify',
  'stripe',
  'sap-open-connectors',
] as const;
export type Kind = (typeof KINDS)[number];

/** To a queue. */
export interface QueueCommand {
  /** By its URL, or by the destination of a deployment. */
  readonly queue: string | Deployment;
  readonly body: Buffer;
  readonly contentType: string;
  /** Absent: SQS's own. */
  readonly messageId?: string;
  /** Attributes of the message by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Of a FIFO queue. */
  readonly group: string;
  readonly region?: string;
}

/** To a webhook. */
export interface SendCommand {
  readonly url: URL;
  /** `handshake`: asks whether an origin may send. */
  readonly kind: Kind | 'handshake';
  /** Absent for none and the handshake, and for iam where the credentials come as for the AWS CLI. */
  readonly entry?: Entry;
  /** The secret stood in the command line itself. */
  readonly isSecretPlain: boolean;
  readonly origin?: string;
  readonly method: string;
  /** As they were written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly messageId: string;
  readonly atMs: number;
  readonly keyHeader?: string;
  readonly signature: SignatureOptions;
  readonly region?: string;
  readonly service?: string;
  readonly curl: boolean;
}

/** In place of the preset's own. */
export interface SignatureOptions {
  readonly header?: string;
  readonly algorithm?: string;
  readonly encoding?: string;
  readonly prefix?: string;
  readonly timestampHeader?: string;
  readonly signedContent?: string;
}

/** Where the command's words lead outside the command line. */
export interface SendSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<Buffer>;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

const text = { type: 'string' } as const;
const OPTIONS = {
  url: text,
  queue: text,
  destination: text,
  group: text,
  verify: text,
  handshake: text,
  secret: text,
  data: text,
  'content-type': text,
  id: text,
  header: { type: 'string', multiple: true },
  method: text,
  'key-header': text,
  'signature-header': text,
  algorithm: text,
  encoding: text,
  prefix: text,
  'timestamp-header': text,
  'signed-content': text,
  at: text,
  ...PLACE_OPTIONS,
  curl: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const JSON_TYPE = 'application/json';
const ORDER = '{"orderNumber":"4711","currency":"EUR","items":[{"item":10,"material":"PUMP-100"}]}';

/** @throws Mistake */
export async function readSendCommand(
  argv: readonly string[],
  sources: SendSources,
): Promise<SendCommand | QueueCommand | 'help'> {
  const values = parse(await withFile(argv, sources));
  if (values.help) return 'help';
  const { queue, destination } = values;
  if (queue === undefined && destination === undefined) return readWebhookCommand(values, sources);
  return readQueueCommand(values, sources);
}

async function readQueueCommand(values: Values, sources: SendSources): Promise<QueueCommand> {
  const others = ['url', 'verify', 'handshake', 'secret', 'method'] as const;
  const by = values.queue === undefined ? 'destination' : 'queue';
  const ofDeployment = by === 'queue' ? (['destination', 'stage', 'service', 'port'] as const) : [];
  const other = [...others, ...ofDeployment].find((name) => values[name] !== undefined);
  if (other !== undefined) throw new Mistake(`--${by} and --${other} exclude each other`);
  return {
    queue: queueOf(values),
    body: await contents('data', values.data ?? ORDER, sources),
    contentType: values['content-type'] ?? JSON_TYPE,
    ...optional('messageId', values.id),
    attributes: namedValues(values),
    group: values.group ?? 'npm-run-send',
    ...optional('region', values.region),
  };
}

function queueOf({ queue, destination = '', ...place }: Values): string | Deployment {
  if (queue !== undefined) return httpUrl('queue', queue).href;
  if (destination === '') throw new Mistake('--destination is empty');
  return { ...readPlace(place), destination };
}

async function readWebhookCommand(values: Values, sources: SendSources): Promise<SendCommand> {
  const ofQueue = (['stage', 'port'] as const).find((name) => values[name] !== undefined);
  if (ofQueue !== undefined) throw new Mistake(`--${ofQueue} goes with --destination; see --help`);
  if (values.group !== undefined) throw new Mistake('--group is for a queue alone');
  const kind = kindOf(values);
  const words = (name: 'secret' | 'data', value: string) => contents(name, value, sources);
  const needsSecret = kind !== 'iam' && kind !== 'none' && kind !== 'handshake';
  if (needsSecret && values.secret === undefined) throw new Mistake(`--verify ${kind} wants --secret; see --help`);
  if (kind === 'hmac' && values['signature-header'] === undefined)
    throw new Mistake('--verify hmac wants --signature-header; see --help');
  const takesSecret = needsSecret || (kind === 'iam' && values.secret !== undefined);
  const secret = takesSecret
    ? (await words('secret', values.secret ?? '')).toString().replace(/\r?\n$/, '')
    : undefined;
  return {
    url: urlOf(values.url),
    kind,
    ...optional('entry', secret === undefined ? undefined : readEntry(kind, secret)),
    isSecretPlain: secret !== undefined && !IN_ANOTHER_PLACE.test(values.secret ?? ''),
    ...optional('origin', values.handshake),
    method: kind === 'handshake' ? 'OPTIONS' : (values.method ?? 'POST').toUpperCase(),
    headers: headersOf(values, kind),
    body: kind === 'handshake' ? Buffer.alloc(0) : await words('data', values.data ?? ORDER),
    messageId: values.id ?? randomUUID(),
    atMs: values.at === undefined ? sources.nowMs : secondsOf(values.at) * 1000,
    ...optional('keyHeader', nameOf('key-header', values)),
    signature: {
      ...optional('header', nameOf('signature-header', values)),
      ...optional('algorithm', oneOf('algorithm', values.algorithm, ['sha256', 'sha512', 'sha1'])),
      ...optional('encoding', oneOf('encoding', values.encoding, ['hex', 'base64'])),
      ...optional('prefix', values.prefix),
      ...optional('timestampHeader', nameOf('timestamp-header', values)),
      ...optional('signedContent', values['signed-content']),
    },
    ...optional('region', values.region),
    ...optional('service', values.service),
    curl: values.curl === true,
  };
}

/**
 * In front of all others `@<file>`: options from a file, one a line with its value behind a blank. What follows wins.
 */
async function withFile([first = '', ...rest]: readonly string[], { readFile }: SendSources): Promise<string[]> {
  if (!first.startsWith('@')) return first === '' ? rest : [first, ...rest];
  const lines = (await fileContents(first, readFile)).toString().split(/\r?\n/);
  const options = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return [...options.flatMap((line) => /^(\S+)(?: (.*))?$/.exec(line)?.slice(1) ?? [line]), ...rest].filter(
    (word) => word !== undefined,
  );
}

type Values = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's words would quote it, and it may be the rest of a secret that has a space in it.
    if ((error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
      throw new Mistake('a word too many: a value with spaces in it wants quotes; see --help');
    throw new Mistake(error.message.split(/\. (?:To specify|This command)|\n/)[0] ?? error.message);
  }
}

function kindOf({ verify, handshake }: Values): Kind | 'handshake' {
  if (handshake !== undefined && verify !== undefined) throw new Mistake('--verify and --handshake exclude each other');
  if (handshake !== undefined) return 'handshake';
  if (verify === undefined) throw new Mistake('how is it signed? --verify <kind>; see --help');
  return oneOf('verify', verify, KINDS) as Kind;
}

function urlOf(value: string | undefined): URL {
  if (value === undefined) throw new Mistake('where to? --url https://<api>/webhooks/<destination>; see --help');
  return httpUrl('url', value);
}

function httpUrl(option: 'url' | 'queue', value: string): URL {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new Mistake(`--${option}: expected an https: or http: URL`);
  const url = new URL(value);
  // The words of fetch would quote the password.
  if (url.username !== '' || url.password !== '')
    throw new Mistake(`--${option}: expected one without user and password`);
  return url;
}

function headersOf(values: Values, kind: SendCommand['kind']): Record<string, string> {
  const contentType = kind === 'handshake' ? {} : { 'Content-Type': values['content-type'] ?? JSON_TYPE };
  return { ...contentType, ...namedValues(values) };
}

function namedValues({ header: written = [] }: Values): Record<string, string> {
  const found = written.map((header): [string, string] => {
    const [, name = '', value = ''] = /^([^:]*):[ \t]*(.*?)[ \t]*$/.exec(header) ?? [];
    if (!NAME.test(name)) throw new Mistake("--header: expected '<name>: <value>'");
    return [name, value];
  });
  return Object.fromEntries(found);
}

/** A secret that is only named. */
const IN_ANOTHER_PLACE = /^(@|env:\w+$)/;

/** `@file`, `env:NAME` for a secret, or the text itself. */
async function contents(
  name: 'secret' | 'data',
  value: string,
  { environment, readFile }: SendSources,
): Promise<Buffer> {
  const variable = name === 'secret' ? /^env:(\w+)$/.exec(value)?.[1] : undefined;
  if (variable !== undefined) {
    const found = environment[variable];
    if (found === undefined || found === '') throw new Mistake(`--secret: the variable ${variable} is not set`);
    return Buffer.from(found);
  }
  return value.startsWith('@') ? fileContents(value, readFile, `--${name} `) : Buffer.from(value);
}

/** @param value `@<path>` */
async function fileContents(value: string, readFile: SendSources['readFile'], option = ''): Promise<Buffer> {
  try {
    return await readFile(value.slice(1));
  } catch (error) {
    throw new Mistake(`${option}${value}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function nameOf(option: 'key-header' | 'signature-header' | 'timestamp-header', values: Values): string | undefined {
  const value = values[option];
  if (value !== undefined && !NAME.test(value)) throw new Mistake(`--${option}: expected the name of a header`);
  return value;
}

function oneOf(option: string, value: string | undefined, allowed: readonly string[]): string | undefined {
  if (value !== undefined && !allowed.includes(value))
    throw new Mistake(`--${option}: expected ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`);
  return value;
}

function secondsOf(value: string): number {
  if (!/^\d{1,12}$/.test(value)) throw new Mistake('--at: expected Unix seconds');
  return Number(value);
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}
