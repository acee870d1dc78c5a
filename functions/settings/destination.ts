/** The schema of one destination under `custom.destinations`, every default included. */
import * as v from 'valibot';
import {
  bucket,
  fieldProblem,
  flag,
  headerName,
  headerPatterns,
  headerValue,
  notYet,
  oneOf,
  queue,
  secret,
  url,
  whole,
} from './fields.ts';
import { webhook } from './webhook.ts';

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
export const destination = v.pipe(
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
  v.transform((input) => {
    const fifo = input.fifo ?? input.queue?.endsWith('.fifo') ?? false;
    return { ...input, fifo, retryForHours: input.retryForHours ?? (fifo ? 24 : 72) };
  }),
  v.forward(
    v.check((input) => !input.fifo || input.batchSize <= 10, 'expected at most 10: a FIFO queue hands out no more'),
    ['batchSize'],
  ),
);
