/** Mistakes in the settings of a webhook: each gives exactly one line with its path and what was expected. */
import { basic, orders } from './destination.ts';
import { describeMistakes, type Mistake, TEXT, whole } from './mistake.ts';

const WEBHOOK = 'expected an object with verify and secret; leave webhook out where there is to be none';
const UNUSED = 'orders.webhook.secret: nothing in verify goes by it; leave it out';
const METHODS = 'expected POST or PUT or PATCH or DELETE';
const KINDS =
  'expected basic or api-key or hmac or standard-webhooks or jwt or iam or none or github or shopify or stripe or sap-open-connectors';
const SECRET = 'expected the name or ARN of a secret in Secrets Manager';
const SECONDS = whole('seconds', 1, 86_400);
const URL = 'expected an https: URL without user and fragment (http: for loopback hosts alone)';
const ISSUER = 'expected an https: URL without query and fragment (http: for loopback hosts alone)';
const NEVER = 'this header is never passed on';
const MESSAGE_ID = 'expected a header name or a JSON pointer that starts with /';

const mistakes: readonly Mistake[] = [
  ['a webhook that is true', { ...orders, webhook: true }, `orders.webhook: ${WEBHOOK}`],
  ['a webhook that is empty', { ...orders, webhook: null }, `orders.webhook: ${WEBHOOK}`],
  [
    'a misspelt field of the webhook',
    webhookWith({ verfy: 'hunter' }),
    'orders.webhook.verfy: unknown field, did you mean verify?',
  ],
  [
    'a misspelt field in place of the one that must be there',
    { ...orders, webhook: { verfy: 'hunter', secret: 's' } },
    'orders.webhook.verfy: unknown field, did you mean verify?',
  ],
  ['a secret for iam', webhookWith({ verify: 'iam' }), UNUSED],
  ['a secret for none', webhookWith({ verify: 'none' }), UNUSED],
  ['a second secret', webhookWith({ verify: { type: 'basic', secret: 'erp/hunter' } }), UNUSED],
  [
    'no verification',
    { ...orders, webhook: { secret: 's', mode: 'direct' } },
    'orders.webhook.verify: required, but missing',
  ],
  [
    'no webhook secret',
    { ...orders, webhook: { verify: 'basic', mode: 'direct' } },
    'orders.webhook.secret: required, but missing',
  ],
  ['an unknown verification', webhookWith({ verify: 'hunter22' }), `orders.webhook.verify: ${KINDS}`],
  [
    'an unknown mode',
    webhookWith({ mode: 'hunter22' }),
    'orders.webhook.mode: expected queued or direct or direct-else-queued',
  ],
  ['a message id with a space', webhookWith({ messageId: 'my hunter' }), `orders.webhook.messageId: ${MESSAGE_ID}`],
  ['a JSON pointer with a bare ~', webhookWith({ messageId: '/a~b' }), `orders.webhook.messageId: ${MESSAGE_ID}`],
  [
    'a message group with a space',
    { ...webhookWith({ messageGroupId: 'my hunter' }), fifo: true },
    `orders.webhook.messageGroupId: ${MESSAGE_ID}`,
  ],
  [
    'message groups without a FIFO queue',
    webhookWith({ messageGroupId: 'X-Order' }),
    'orders.webhook.messageGroupId: is for FIFO queues alone; set fifo, or leave it out',
  ],
  [
    'a JSON pointer with a bare ~ behind many slashes, found at once',
    webhookWith({ messageId: `${'/'.repeat(60)}~` }),
    `orders.webhook.messageId: ${MESSAGE_ID}`,
  ],
  ['GET among the methods', webhookWith({ methods: ['POST', 'GET'] }), `orders.webhook.methods.1: ${METHODS}`],
  ['no methods', webhookWith({ methods: [] }), 'orders.webhook.methods: expected at least one method'],
  [
    'a media type with parameters',
    webhookWith({ contentTypes: ['text/xml; charset=utf-8'] }),
    'orders.webhook.contentTypes.0: expected a media type without parameters',
  ],
  [
    'no content types',
    webhookWith({ contentTypes: [] }),
    'orders.webhook.contentTypes: expected at least one media type; leave the field out for any',
  ],
  [
    'a body beyond Lambda’s',
    webhookWith({ maxBodyBytes: 6_291_457 }),
    `orders.webhook.maxBodyBytes: ${whole('bytes', 1, 6_291_456)}`,
  ],
  [
    'headers of next to nothing',
    webhookWith({ maxHeaderBytes: 255 }),
    `orders.webhook.maxHeaderBytes: ${whole('bytes', 256, 65_536)}`,
  ],
  ['a cookie to return', webhookWith({ returnHeaders: ['set-cookie'] }), `orders.webhook.returnHeaders.0: ${NEVER}`],
  [
    'a hop-by-hop header to forward',
    webhookWith({ forwardHeaders: ['TE'] }),
    `orders.webhook.forwardHeaders.0: ${NEVER}`,
  ],
];

const OWNED = 'this header belongs to HTTP or to the relay and cannot be set';
const NO_ID = 'this header is no id: it belongs to HTTP, or it is a credential';
const MISSING = 'required, but missing';
const TEMPLATE = 'expected a text with {body} in it, once, and no other braces than those of {timestamp}';
const jwt = { type: 'jwt', issuer: 'https://idp.example', audience: 'hunter22' };
const hmac = { type: 'hmac', header: 'X-Signature' };

/** What is written under `verify`, where the mistake is, what is said. */
const verifications: readonly (readonly [wrong: string, verify: unknown, path: string, expected: string])[] = [
  ['a verification that is a number', 4711, '', KINDS],
  ['a verification that is null', null, '', KINDS],
  ['a name with a letter left out', 'strip', '', `${KINDS}; did you mean stripe?`],
  ['a misspelt name in a list', ['basic', 'githbu'], '.1', `${KINDS}; did you mean github?`],
  ['an empty list', [], '', 'expected at least one way to verify'],
  ['a verification without a type', { header: 'hunter22' }, '.type', MISSING],
  ['a verification of an unknown type', { type: 'hunter22' }, '.type', KINDS],
  ['a type by a prototype’s name', 'constructor', '', KINDS],
  ['an unknown name in a list', ['basic', 'hunter22'], '.1', KINDS],
  ['a list in a list', [['basic']], '.0', KINDS],
  ['iam beside another', ['iam', 'basic'], '', 'iam and none stand alone'],
  ['none beside another', ['basic', { type: 'none' }], '', 'iam and none stand alone'],
  [
    'an option that is misspelt',
    { type: 'stripe', tolerance: 4711 },
    '.tolerance',
    'unknown field, did you mean toleranceSeconds?',
  ],
  [
    'an option of another kind',
    { type: 'basic', header: 'hunter22' },
    '.header',
    'unknown field; this kind takes secret',
  ],
  [
    'an option in a list',
    ['basic', { type: 'basic', header: 'hunter22' }],
    '.1.header',
    'unknown field; this kind takes secret',
  ],
  [
    'a secret of a token',
    { ...jwt, secret: 'hunter22' },
    '.secret',
    'unknown field; this kind takes issuer, audience, scope, jwksUri',
  ],
  ['an option of iam', { type: 'iam', region: 'hunter22' }, '.region', 'unknown field; this kind takes no options'],
  [
    'a prefix of Stripe',
    { type: 'stripe', prefix: 'hunter22' },
    '.prefix',
    'unknown field; this kind takes secret, header, algorithm, encoding, signedContent, toleranceSeconds',
  ],
  ['a secret that is an object', { type: 'basic', secret: {} }, '.secret', SECRET],
  ['a secret that is pasted', { type: 'basic', secret: 'hunter 22' }, '.secret', SECRET],
  ['an hmac by its name alone', 'hmac', '.header', MISSING],
  ['an hmac without its header', { type: 'hmac' }, '.header', MISSING],
  ['a header with a space', { type: 'api-key', header: 'hunter 22' }, '.header', 'expected a header name'],
  ['a header that is a number', { type: 'hmac', header: 4711 }, '.header', 'expected a header name'],
  ['an api-key in Authorization', { type: 'api-key', header: 'Authorization' }, '.header', OWNED],
  ['an api-key in a hop-by-hop header', { type: 'api-key', header: 'Proxy-Key' }, '.header', OWNED],
  ['a signature in a cookie', { type: 'hmac', header: 'Cookie' }, '.header', OWNED],
  ['a timestamp in Host', { ...hmac, timestampHeader: 'Host' }, '.timestampHeader', OWNED],
  ['an algorithm of old', { ...hmac, algorithm: 'md5' }, '.algorithm', 'expected sha256 or sha512 or sha1'],
  ['an encoding that is none', { type: 'github', encoding: 'utf8' }, '.encoding', 'expected hex or base64'],
  ['a prefix with a line break', { ...hmac, prefix: 'hunter\n22' }, '.prefix', 'expected printable ASCII'],
  ['a prefix that is true', { ...hmac, prefix: true }, '.prefix', 'expected a text'],
  ['a tolerance in words', { type: 'stripe', toleranceSeconds: '4711' }, '.toleranceSeconds', SECONDS + TEXT],
  ['a tolerance of nothing', { type: 'standard-webhooks', toleranceSeconds: 0 }, '.toleranceSeconds', SECONDS],
  ['content without the body', { ...hmac, signedContent: 'hunter22' }, '.signedContent', TEMPLATE],
  ['content with the body twice', { ...hmac, signedContent: '{body}{body}' }, '.signedContent', TEMPLATE],
  ['content with another field', { ...hmac, signedContent: '{id}.{body}' }, '.signedContent', TEMPLATE],
  [
    'a timestamp that is not sent',
    { ...hmac, signedContent: '{timestamp}.{body}' },
    '.signedContent',
    'expected no {timestamp} where no timestampHeader names one',
  ],
  [
    'a timestamp that is not signed',
    { ...hmac, timestampHeader: 'X-Time', signedContent: '{body}' },
    '.signedContent',
    'expected {timestamp} in it: a timestamp that is not signed proves nothing',
  ],
  [
    'a timestamp of Stripe’s that is not signed',
    { type: 'stripe', signedContent: '{body}' },
    '.signedContent',
    'expected {timestamp} in it: a timestamp that is not signed proves nothing',
  ],
  ['an issuer that is missing', { type: 'jwt', audience: 'hunter22' }, '.issuer', MISSING],
  ['an issuer in the clear', { ...jwt, issuer: 'http://idp.example' }, '.issuer', URL],
  ['an issuer with a query', { ...jwt, issuer: 'https://idp.example?x=1' }, '.issuer', ISSUER],
  ['an audience that is missing', { type: 'jwt', issuer: 'https://idp.example' }, '.audience', MISSING],
  [
    'an audience that is a list',
    { ...jwt, audience: ['hunter22'] },
    '.audience',
    'expected the audience of the tokens',
  ],
  ['two scopes', { ...jwt, scope: 'hunter 22' }, '.scope', 'expected one scope'],
  ['keys in the clear', { ...jwt, jwksUri: 'http://idp.example/keys' }, '.jwksUri', URL],
];

const together: readonly Mistake[] = [
  [
    'a list of which one has no secret',
    { ...orders, webhook: { verify: [{ type: 'basic', secret: 'hunter22' }, 'stripe'], mode: 'direct' } },
    'orders.webhook.secret: required, but missing',
  ],
  [
    'an api-key to forward',
    webhookWith({ verify: 'api-key', forwardHeaders: ['x-*', 'X-Api-Key'] }),
    `orders.webhook.forwardHeaders.1: ${NEVER}`,
  ],
  [
    'an api-key to forward, by the destination',
    { ...webhookWith({ verify: 'api-key' }), forwardHeaders: ['traceparent', 'X-Api-Key'] },
    `orders.forwardHeaders.1: ${NEVER}`,
  ],
  [
    'an api-key to say the path',
    { ...webhookWith({ verify: 'api-key' }), pathFrom: 'X-Api-Key' },
    `orders.pathFrom: ${NEVER}`,
  ],
  [
    'an api-key to return',
    webhookWith({ verify: { type: 'api-key', header: 'X-Key' }, returnHeaders: ['x-key'] }),
    `orders.webhook.returnHeaders.0: ${NEVER}`,
  ],
  [
    'an api-key as message id',
    webhookWith({ verify: 'api-key', messageId: 'X-API-Key' }),
    `orders.webhook.messageId: ${NO_ID}`,
  ],
  [
    'an api-key as group',
    webhookWith({ verify: 'api-key', messageGroupId: 'X-API-Key' }),
    `orders.webhook.messageGroupId: ${NO_ID}`,
  ],
  ['a cookie as group', webhookWith({ messageGroupId: 'Cookie' }), `orders.webhook.messageGroupId: ${NO_ID}`],
  ['a credential as message id', webhookWith({ messageId: 'Authorization' }), `orders.webhook.messageId: ${NO_ID}`],
  [
    'an origin that is none',
    webhookWith({ allowedOrigins: ['em.example.com', 'hunter 22'] }),
    'orders.webhook.allowedOrigins.1: expected an origin, such as eventemitter.example.com',
  ],
  [
    'origins that are true',
    webhookWith({ allowedOrigins: true }),
    "orders.webhook.allowedOrigins: expected a list of origins, or '*' for all",
  ],
];

function hasNoSecret(verify: unknown): boolean {
  return ['jwt', 'iam'].includes((verify as { type?: string } | null)?.type ?? '');
}

function webhookWith(fields: object) {
  return { ...orders, webhook: { ...basic, ...fields } };
}

describeMistakes('a webhook', [...mistakes, ...together]);
describeMistakes(
  'a verification',
  verifications.map(([wrong, verify, path, expected]) => [
    wrong,
    webhookWith({ verify, ...(hasNoSecret(verify) ? { secret: undefined } : {}) }),
    `orders.webhook.verify${path}: ${expected}`,
  ]),
);
