/** Mistakes in the settings of a webhook: each gives exactly one line with its path and what was expected. */
import { basic, orders } from './destination.ts';
import { describeMistakes, type Mistake, whole } from './mistake.ts';

const METHODS = 'expected POST or PUT or PATCH or DELETE';
const NEVER = 'this header is never passed on';
const MESSAGE_ID = 'expected a header name or a JSON pointer that starts with /';

const mistakes: readonly Mistake[] = [
  ['a webhook that is true', { ...orders, webhook: true }, 'orders.webhook: expected an object'],
  ['a misspelt field of the webhook', webhookWith({ verfy: 'hunter' }), 'orders.webhook.verfy: unknown field'],
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
  ['an unknown verification', webhookWith({ verify: 'hunter22' }), 'orders.webhook.verify: expected basic'],
  [
    'a verification still to come',
    webhookWith({ verify: 'hmac' }),
    'orders.webhook.verify: expected basic: this version knows no other yet',
  ],
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

function webhookWith(fields: object) {
  return { ...orders, webhook: { ...basic, ...fields } };
}

describeMistakes('a webhook', mistakes);
