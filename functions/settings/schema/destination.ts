/** The schema of one destination under `custom.destinations`, every default included. */
import * as v from 'valibot';
import { adapterFields, defaultsOf, strangers } from './adapter.ts';
import { cutover } from './cutover.ts';
import {
  bucket,
  fieldProblem,
  flag,
  headerName,
  headerPatterns,
  headerValue,
  hostName,
  NEVER_PASSED_ON,
  named,
  oneOf,
  pathOf,
  queue,
  queueSenders,
  secret,
  url,
  whole,
} from './fields.ts';
import { keyHeaders, webhook } from './webhook.ts';

export const destinationFields = {
  secret,
  url: v.optional(url),
  path: v.optional(
    v.pipe(
      v.string('expected a path'),
      v.regex(/^\/[!-~]*$/, 'expected a path that starts with /'),
      v.check((value) => !/[?#]/.test(value), 'expected a path without ? and #; parameters belong into query'),
    ),
  ),
  pathFrom: v.optional(v.pipe(headerName('expected the name of a header or an attribute'), v.toLowerCase())),
  ...adapterFields,
  query: v.optional(named(v.string(), v.string('expected a text')), {}),
  headers: v.optional(named(headerName('expected a header name'), headerValue), {}),
  forwardHeaders: v.optional(headerPatterns, () => ['traceparent', 'tracestate', 'sap-passport']),
  tokenFormat: v.optional(oneOf(['jwt', 'opaque']), 'jwt'),
  scope: v.optional(
    v.pipe(
      v.string('expected scopes, separated by spaces'),
      v.regex(/^[!#-[\]-~]+( [!#-[\]-~]+)*$/, 'expected scopes, separated by single spaces'),
    ),
  ),
  maxTokenUseSeconds: v.optional(whole(60, 86_400, 'seconds'), 7_200),
  authentication: v.optional(oneOf(['oauth', 'certificate']), 'oauth'),
  timeoutSeconds: v.optional(whole(1, 600, 'seconds'), 60),
  monitor: v.optional(hostName),
  queue: v.optional(queue),
  queueSenders: v.optional(queueSenders, () => []),
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
  cutover: v.optional(cutover),
};
/** Of what is no object, or nothing: a name with a colon behind it. */
export const DESTINATION_EXPECTED = 'expected an object with secret, and url or path';

export const destination = v.pipe(
  v.object(destinationFields, fieldProblem(DESTINATION_EXPECTED)),
  v.forward(
    v.check(
      (input) => input.url !== undefined || input.path !== undefined,
      'expected either url, or path where the secret is a service key that names the host',
    ),
    ['url'],
  ),
  v.forward(
    v.check(
      (input) => input.url === undefined || input.path === undefined,
      'expected no path beside it: url is the whole endpoint, path is joined to the host that the service key names',
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
  v.forward(
    v.check(
      ({ webhook, fifo, queue, queueUrl }) =>
        webhook?.messageGroupId === undefined ||
        fifo === true ||
        [queue, queueUrl].some((name) => name?.endsWith('.fifo') === true),
      'is for FIFO queues alone; set fifo, or leave it out',
    ),
    ['webhook', 'messageGroupId'],
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { value: input } = dataset;
    for (const [key, message] of strangers(input)) {
      addIssue({ message, path: [{ type: 'object', origin: 'value', input: { ...input }, key, value: undefined }] });
    }
    for (const keys of keysPassedOn(input)) addIssue({ message: NEVER_PASSED_ON, path: pathOf(keys) });
  }),
  v.forward(
    v.check((input) => !isFifo(input) || input.batchSize <= 10, 'expected at most 10: a FIFO queue hands out no more'),
    ['batchSize'],
  ),
  v.forward(
    v.check(
      (input) => !(input.queueIdFromGroup ?? false) || isFifo(input),
      'only for a FIFO queue: the messages of others have no group',
    ),
    ['queueIdFromGroup'],
  ),
  v.transform((input) => {
    const fifo = isFifo(input);
    const retryForHours = input.retryForHours ?? (fifo ? 24 : 72);
    return { ...defaultsOf(input), ...input, ...withPathHeader(input), fifo, retryForHours };
  }),
);

function isFifo({ fifo, queue }: { readonly fifo?: boolean | undefined; readonly queue?: string | undefined }) {
  return fifo ?? queue?.endsWith('.fifo') ?? false;
}

interface KeyedWebhook {
  readonly verify: Parameters<typeof keyHeaders>[0];
  readonly forwardHeaders?: readonly string[] | undefined;
}

/** Where the destination's own settings name a header with an API key of its webhook, which is never forwarded. */
function keysPassedOn({
  pathFrom = '',
  forwardHeaders,
  webhook,
}: {
  readonly pathFrom?: string | undefined;
  readonly forwardHeaders: readonly string[];
  readonly webhook?: KeyedWebhook | undefined;
}): (string | number)[][] {
  const keys = webhook === undefined ? [] : keyHeaders(webhook.verify);
  const forwarded = webhook?.forwardHeaders === undefined ? forwardHeaders : [];
  return [
    ...(keys.includes(pathFrom) ? [['pathFrom']] : []),
    ...forwarded.flatMap((name, index) => (keys.includes(name) ? [['forwardHeaders', index]] : [])),
  ];
}

/** A webhook forwards only the headers that it lists, so the one with the rest of the path is added. */
function withPathHeader<W extends { readonly forwardHeaders?: readonly string[] | undefined }>({
  pathFrom,
  forwardHeaders,
  webhook,
}: {
  readonly pathFrom?: string | undefined;
  readonly forwardHeaders: readonly string[];
  readonly webhook?: W | undefined;
}) {
  if (pathFrom === undefined || webhook === undefined) return {};
  return { webhook: { ...webhook, forwardHeaders: [...(webhook.forwardHeaders ?? forwardHeaders), pathFrom] } };
}
