/** What strangers send, made up by fast-check: events of every shape, half of them near to what would be let in. */
import fc from 'fast-check';
import { webhookEvent } from './aws-http-events.ts';
import { SENDERS, verifyAs } from './senders.ts';

/** How many are made up in all; more of them with `FUZZ_REQUESTS=10000`. */
export const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 500);
/** Makes up the same ones again, with `FUZZ_SEED=4711`. Default: others each time. */
export const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2_147_483_647);
/** In payloads, so that it is found wherever it turns up. */
export const MARK = 'hunter22';
export const BODY = `{"id":"evt_4711","note":"${MARK}"}`;

const header = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('Basic', 'Basic ', 'Bearer a.b.c', 't=,v1=', 'v1,', 'sha256=', 'v1=,'.repeat(500), '='.repeat(3_000)),
);
const NAMES = SENDERS.map(({ verify }) => verifyAs(verify)).flatMap(([one]) =>
  one !== undefined && 'header' in one ? [one.header] : [],
);
const names = fc.constantFrom(
  ...new Set([...NAMES, 'authorization', 'webhook-id', 'webhook-timestamp', 'webhook-signature', 'content-type']),
  'Connection',
  '__proto__',
  'constructor',
  'x-slack-request-timestamp',
  'webhook-request-origin',
);
const headerValue = fc.oneof(header, fc.array(header, { maxLength: 3 }), fc.constantFrom(null, 1, true, {}, [null]));
const headers = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(names, header, { maxKeys: 6 }) },
  { weight: 2, arbitrary: fc.dictionary(fc.oneof(names, fc.string()), headerValue, { maxKeys: 6 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const pathTo = (webhooks: readonly string[]) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .constantFrom(...webhooks, 'unknown')
        .chain((name) => fc.constantFrom(`/webhooks/${name}`, `/dev/webhooks/${name}`)),
    },
    { weight: 2, arbitrary: fc.string().map((name) => `/webhooks/${name}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('/webhooks/%6frders', '/webhooks/%zz', '/webhooks/__proto__', '/webhooks/', ''),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('POST', 'PUT', 'OPTIONS', 'GET', 'post', 'DELETE') },
  fc.jsonValue(),
);
const body = fc.oneof(
  fc.constant(BODY),
  fc.string({ unit: 'binary' }).map((text) => `${text}${MARK}`),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.constant(`${'['.repeat(20_000)}${MARK}`),
  fc.jsonValue(),
);
/** Events in which nothing is signed. @param webhooks names of destinations */
export function strangers(webhooks: readonly string[]): fc.Arbitrary<unknown> {
  return made(pathTo(webhooks)).map(eventOf);
}

const made = (path: fc.Arbitrary<unknown>) =>
  fc.record({
    shape: fc.constantFrom('2.0', '1.0', 'rest', 'load balancer', 'multi-value', 'anything'),
    method,
    path,
    headers,
    body,
    isBase64Encoded: fc.oneof({ weight: 4, arbitrary: fc.boolean() }, fc.jsonValue()),
    context: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, fc.jsonValue()),
    anything: fc.jsonValue(),
  });
type Made = ReturnType<typeof made> extends fc.Arbitrary<infer T> ? T : never;

/** As a gateway of this kind would hand it over, and as none would. */
function eventOf({ shape, method, path, headers, body, isBase64Encoded, context, anything }: Made): unknown {
  const requestContext = typeof context === 'object' && context !== null ? context : {};
  if (shape === 'anything') return anything;
  if (shape === '2.0') {
    return {
      ...webhookEvent(),
      requestContext: { ...requestContext, http: { method } },
      rawPath: path,
      headers,
      body,
      isBase64Encoded,
    };
  }
  const lists = shape === 'multi-value' ? { multiValueHeaders: headers } : { headers };
  return {
    ...(shape === '1.0' ? { version: '1.0' } : {}),
    requestContext: shape === 'load balancer' ? { elb: {}, ...requestContext } : requestContext,
    httpMethod: method,
    path,
    ...lists,
    body,
    isBase64Encoded,
  };
}
