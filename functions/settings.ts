/**
 * What the operator wrote, checked once: `DESTINATIONS` from the environment at the cold start, `custom.destinations`
 * when the service is packaged. Both go through the one schema here; a mistake is named by its path
 * (`orders.webhook.verfy`), never with a value in it, since a value may be a key.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { RelayError } from './error.ts';
import type { Destination } from './relay/destination.ts';
import { isOwned } from './relay/headers.ts';
import { isSafeUrl } from './safe-url.ts';

export interface Settings {
  /** In the order of the settings. */
  readonly destinations: ReadonlyMap<string, Destination | InvalidDestination>;
}

/** A destination that cannot be used: kept, so that its messages are told what is wrong with it. */
export interface InvalidDestination {
  readonly error: RelayError;
  /** Where it could be read. */
  readonly queue?: string;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+)$/;
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,62}$/;
const QUEUE_NAME = /^[\w-]{1,80}$|^[\w-]{1,75}\.fifo$/;
const QUEUE_ARN = /^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:([\w-]{1,80}|[\w-]{1,75}\.fifo)$/;

const text = (expected: string) => v.pipe(v.string(expected), v.minLength(1, expected));
const flag = v.boolean('expected true or false');
const whole = (minimum: number, maximum: number, unit: string) => {
  const expected = `expected a whole number of ${unit} from ${minimum} to ${maximum}`;
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(minimum, expected), v.maxValue(maximum, expected));
};
const oneOf = <const T extends readonly string[]>(...values: T) =>
  v.picklist(values, `expected ${values.join(' or ')}`);
/** What the contract knows already and this version does not: said as that, and not as a mistake of spelling. */
const notYet = <const T extends readonly string[], const L extends readonly string[]>(now: T, later: L) =>
  v.pipe(
    v.picklist([...now, ...later], `expected ${now.join(' or ')}`),
    v.check(
      (value) => (now as readonly string[]).includes(value),
      `expected ${now.join(' or ')}: this version knows no other yet`,
    ),
    v.transform((value) => value as T[number]),
  );

const SECRET = 'expected the name or ARN of a secret in Secrets Manager';
/** Errors name a secret: what is pasted here in place of its name must not get that far. */
const secret = v.pipe(text(SECRET), v.regex(/^[\w/+=.@:-]{1,2048}$/, SECRET));
const headerName = (expected: string) =>
  v.pipe(
    v.string(expected),
    v.regex(TOKEN, expected),
    v.check((name) => !isOwned(name), 'this header belongs to HTTP or to the relay and cannot be set'),
  );
const headerPatterns = v.pipe(
  v.array(
    v.pipe(
      v.string('expected a header name'),
      v.regex(TOKEN, 'expected a header name, * at its end allowed'),
      v.check((name) => !isOwned(name), 'this header is never passed on'),
      v.check((name) => !name.slice(0, -1).includes('*'), 'expected * at the end alone'),
      v.toLowerCase(),
    ),
    'expected a list of header names',
  ),
);
const url = v.pipe(
  v.string('expected a URL'),
  v.check(isSafeUrl, 'expected an https: URL without user and fragment (http: for loopback hosts alone)'),
);
const headerValue = v.pipe(
  v.string('expected a text'),
  v.regex(/^[\t\x20-\x7E]*$/, 'expected printable ASCII without line breaks'),
);
const queue = v.pipe(
  v.string('expected the ARN of a queue'),
  v.check((value) => QUEUE_ARN.test(value) || QUEUE_NAME.test(value), 'expected the ARN or the name of a queue'),
);
const bucket = v.pipe(
  v.string('expected the name of a bucket'),
  v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of a bucket'),
);

const webhookFields = {
  verify: notYet(
    ['basic'],
    [
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
    ],
  ),
  secret,
  // The default, queued, is still to come: until then the mode is said.
  mode: notYet(['direct'], ['queued', 'direct-else-queued']),
  messageId: v.optional(
    v.pipe(
      v.string('expected a header name or a JSON pointer'),
      v.check(
        (value) => (value.startsWith('/') ? /^(\/([^~/]|~[01])*)+$/.test(value) : TOKEN.test(value)),
        'expected a header name or a JSON pointer that starts with /',
      ),
      v.transform((value) => (value.startsWith('/') ? value : value.toLowerCase())),
    ),
  ),
  methods: v.optional(
    v.pipe(
      v.array(oneOf('POST', 'PUT', 'PATCH', 'DELETE'), 'expected a list of POST, PUT, PATCH, DELETE'),
      v.minLength(1, 'expected at least one method'),
    ),
    () => ['POST' as const],
  ),
  contentTypes: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string('expected a media type'),
          v.regex(MEDIA_TYPE, 'expected a media type without parameters'),
          v.toLowerCase(),
        ),
        'expected a list of media types',
      ),
      v.minLength(1, 'expected at least one media type; leave the field out for any'),
    ),
  ),
  maxBodyBytes: v.optional(whole(1, 6_291_456, 'bytes'), 6_291_456),
  maxHeaderBytes: v.optional(whole(256, 65_536, 'bytes'), 16_384),
  forwardHeaders: v.optional(headerPatterns),
  returnHeaders: v.optional(headerPatterns, () => []),
};
const webhook = v.object(webhookFields, fieldProblem);

const destinationFields = {
  secret,
  url: v.optional(url),
  path: v.optional(
    v.pipe(
      v.string('expected a path'),
      v.regex(/^\/[!-~]*$/, 'expected a path that starts with /'),
      v.check((value) => !/[?#]/.test(value), 'expected a path without ? and #; parameters belong into query'),
    ),
  ),
  adapter: v.optional(notYet(['https'], ['soap', 'soap-rm', 'odata']), 'https'),
  method: v.optional(oneOf('POST', 'PUT', 'PATCH', 'DELETE'), 'POST'),
  query: v.optional(v.record(v.string(), v.string('expected a text'), 'expected names and texts'), {}),
  headers: v.optional(v.record(headerName('expected a header name'), headerValue, 'expected names and texts'), {}),
  contentType: v.optional(
    v.pipe(headerValue, v.includes('/', 'expected a media type, such as application/xml')),
    'application/json',
  ),
  forwardHeaders: v.optional(headerPatterns, () => ['traceparent', 'tracestate', 'sap-passport']),
  tokenFormat: v.optional(oneOf('jwt', 'opaque'), 'jwt'),
  scope: v.optional(
    v.pipe(
      v.string('expected scopes, separated by spaces'),
      v.regex(/^[!#-[\]-~]+( [!#-[\]-~]+)*$/, 'expected scopes, separated by single spaces'),
    ),
  ),
  maxTokenUseSeconds: v.optional(whole(60, 86_400, 'seconds'), 7_200),
  authentication: v.optional(oneOf('oauth', 'certificate'), 'oauth'),
  csrf: v.optional(flag, false),
  idHeader: v.optional(headerName('expected a header name'), 'SAP_ApplicationID'),
  timeoutSeconds: v.optional(whole(1, 600, 'seconds'), 60),
  queue: v.optional(queue),
  fifo: v.optional(flag),
  batchSize: v.optional(whole(1, 10_000, 'messages'), 10),
  maximumConcurrency: v.optional(whole(2, 1_000, 'invocations'), 2),
  enabled: v.optional(flag, true),
  concurrency: v.optional(whole(1, 100, 'calls'), 10),
  retryForHours: v.optional(whole(1, 264, 'hours')),
  queueUrl: v.optional(url),
  deadLetterQueueUrl: v.optional(url),
  payloadBucket: v.optional(bucket),
  payloadBuckets: v.optional(v.array(bucket, 'expected a list of bucket names'), () => []),
  deletePayloads: v.optional(flag, false),
  webhook: v.optional(webhook),
};
const destination = v.pipe(
  v.object(destinationFields, fieldProblem),
  v.forward(
    v.check(
      (input) => (input.url === undefined) !== (input.path === undefined),
      'expected either url, or path where the secret is a service key that names the host',
    ),
    ['url'],
  ),
  v.forward(
    v.check(
      (input) => input.fifo === undefined || input.queue === undefined || input.queue.endsWith('.fifo') === input.fifo,
      'contradicts the name of the queue; leave it out, the name tells',
    ),
    ['fifo'],
  ),
  v.transform((input) => {
    const fifo = input.fifo ?? input.queue?.endsWith('.fifo') ?? false;
    return { ...input, fifo, retryForHours: input.retryForHours ?? (fifo ? 24 : 72) };
  }),
  v.forward(
    v.check((input) => !input.fifo || input.batchSize <= 10, 'expected at most 10: a FIFO queue hands out no more'),
    ['batchSize'],
  ),
);

/**
 * Checks all destinations; every mistake is found, not the first alone.
 *
 * @param input what stands under `custom.destinations`, or the parsed value of `DESTINATIONS`
 * @returns one line for each mistake, `<path>: <what was expected>`; empty if all is well
 */
export function problems(input: unknown): string[] {
  if (!isRecord(input) || Object.keys(input).length === 0) {
    return ['destinations: expected an object with at least one destination'];
  }
  return [...Object.entries(input).flatMap(([name, value]) => problemsOf(name, value)), ...sharedQueues(input)];
}

/**
 * Reads the settings of this execution environment.
 *
 * @param environment default `process.env`
 * @param readFile reads the file that `DESTINATIONS=@destinations.json` names, beside the bundle
 * @throws RelayError `SETTING_INVALID` if `DESTINATIONS` is absent or not a JSON object: nothing could be delivered
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  readFile: (name: string) => string = (name) => readFileSync(new URL(name, import.meta.url), 'utf8'),
): Settings {
  const input = parse(environment.DESTINATIONS, readFile);
  const shared = sharedQueues(input);
  const destinations = new Map<string, Destination | InvalidDestination>();
  for (const [name, value] of Object.entries(input)) {
    const [problem] = [...problemsOf(name, value), ...shared.filter((line) => line.startsWith(`${name}.`))];
    destinations.set(name, problem === undefined ? checked(name, value) : invalid(problem, value));
  }
  return { destinations };
}

/** By the ARN, else by the queue's name, else the only destination that there is. */
export function destinationOfQueue(
  queueArn: string,
  { destinations }: Settings,
): [string, Destination | InvalidDestination] | undefined {
  const entries = [...destinations];
  return (
    entries.find(([, { queue }]) => queue === queueArn) ??
    // A bare name is of this account; the name in an ARN may be another's, and comes last.
    entries.find(([, { queue }]) => queue === queueName(queueArn)) ??
    entries.find(([, { queue }]) => queue !== undefined && queueName(queue) === queueName(queueArn)) ??
    (entries.length === 1 ? entries[0] : undefined)
  );
}

function parse(value: string | undefined, readFile: (name: string) => string): Record<string, unknown> {
  if (value === undefined || value === '') throw settingInvalid('expected a JSON object, found nothing');
  let input: unknown;
  try {
    input = JSON.parse(value.startsWith('@') ? readFile(`./${value.slice(1)}`) : value);
  } catch {
    // The message of the error that JSON.parse throws quotes its input: it is left out on purpose.
    throw settingInvalid(value.startsWith('@') ? 'expected a readable JSON file' : 'expected JSON');
  }
  if (!isRecord(input) || Object.keys(input).length === 0) {
    throw settingInvalid('expected a JSON object with at least one destination');
  }
  return input;
}

function invalid(problem: string, value: unknown): InvalidDestination {
  const queue = queueOf(value);
  return { error: settingInvalid(problem), ...(queue === undefined ? {} : { queue }) };
}

function settingInvalid(problem: string): RelayError {
  return new RelayError(
    'SETTING_INVALID',
    `DESTINATIONS: ${problem}; the operator must correct custom.destinations in serverless.yml and deploy again`,
  );
}

/** Only for input that `problemsOf` found nothing in. */
function checked(name: string, value: unknown): Destination {
  return { name, ...v.parse(destination, value) } as Destination;
}

function problemsOf(name: string, value: unknown): string[] {
  const named = NAME.test(name)
    ? []
    : [`${name}: expected a name of letters, digits and -, 63 at most, a letter first`];
  if (!isRecord(value)) return [...named, `${name}: expected an object`];
  const parsed = v.safeParse(destination, value);
  const issues = parsed.success ? [] : parsed.issues;
  const lines = issues.map((issue) => `${[name, v.getDotPath(issue)].filter(Boolean).join('.')}: ${issue.message}`);
  const unknown = [
    ...unknownFields(value, destinationFields, name),
    ...(isRecord(value.webhook) ? unknownFields(value.webhook, webhookFields, `${name}.webhook`) : []),
  ];
  return [...named, ...unknown, ...new Set(lines)].map(oneLine);
}

/** A name may hold anything, a line break too. */
function oneLine(line: string): string {
  return line.replace(/\p{Cc}/gu, '?');
}

/** All of them, where the schema's own strictness would stop at the first. */
function unknownFields(value: Record<string, unknown>, fields: object, path: string): string[] {
  const unknown = Object.keys(value).filter((field) => !Object.hasOwn(fields, field));
  return unknown.map((field) => `${path}.${field}: unknown field`);
}

function sharedQueues(input: Record<string, unknown>): string[] {
  const owners: { readonly name: string; readonly queue: string }[] = [];
  const lines: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    const queue = queueOf(value);
    if (queue === undefined) continue;
    const owner = owners.find((other) => isSameQueue(other.queue, queue));
    if (owner === undefined) owners.push({ name, queue });
    else lines.push(`${name}.queue: expected a queue of its own, ${owner.name}.queue is the same`);
  }
  return lines;
}

function queueOf(value: unknown): string | undefined {
  return isRecord(value) && typeof value.queue === 'string' ? value.queue : undefined;
}

/** A bare name may be the name in an ARN; two ARNs of one name are two queues. */
function isSameQueue(one: string, other: string): boolean {
  if (one.startsWith('arn:') === other.startsWith('arn:')) return one === other;
  return queueName(one) === queueName(other);
}

/** The last part of an ARN, or the name itself. */
function queueName(queue: string): string {
  return queue.slice(queue.lastIndexOf(':') + 1);
}

/** The message of valibot for a field that is missing, or not inside an object at all. */
function fieldProblem(issue: v.ObjectIssue): string {
  return issue.expected === 'Object' ? 'expected an object' : 'required, but missing';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
