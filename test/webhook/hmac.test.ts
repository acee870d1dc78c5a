/** Verification `hmac` and `standard-webhooks`: published examples, the forms of the headers, and malformed secrets. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HmacVerification } from '../../functions/settings/verification.ts';
import { apiKey } from '../../functions/webhook/verification/api-key.ts';
import { hmac } from '../../functions/webhook/verification/hmac.ts';
import { readEntries } from '../../functions/webhook/verification/scheme.ts';
import { standardWebhooks } from '../../functions/webhook/verification/standard-webhooks.ts';
import { NOON } from '../doubles/time.ts';
import { openWebhook, statusOf } from './open-webhook.ts';
import { verifyAs } from './senders.ts';

const BODY = '{"id":"evt_1"}';

/** A request that must hold, or not, against a secret at a time. */
async function isLetIn(
  verify: unknown,
  secret: unknown,
  headers: Record<string, string>,
  { body = BODY, atMs = NOON } = {},
): Promise<boolean> {
  const opened = openWebhook({ verify: verifyAs(verify) });
  opened.secret = secret;
  opened.clock.moveTo(atMs);
  return statusOf(await opened.admit({ body, headers: { authorization: '', ...headers } })) === undefined;
}

describe('The published example', () => {
  test.each<
    [where: string, verify: string, secret: string, headers: Record<string, string>, body: string, atMs?: number]
  >([
    [
      'of GitHub: docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation"',
      'github',
      "It's a Secret to Everybody",
      { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
      'Hello, World!',
    ],
    [
      'of SAP Open Connectors: help.openconnectors.ext.hana.ondemand.com, "Hash Verification"',
      'sap-open-connectors',
      'MySecretEventSignatureKey',
      { 'elements-webhook-signature': 'sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=' },
      '<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>',
    ],
    [
      'of Shopify, by SQLPage’s tests (sqlpage.hmac, "Shopify webhook HMAC validation")',
      'shopify',
      'test-webhook-secret',
      { 'x-shopify-hmac-sha256': 'QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=' },
      '{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}',
    ],
    [
      'of Standard Webhooks: standard-webhooks/standard-webhooks, libraries/javascript, "sign function works"',
      'standard-webhooks',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      '{"test": 2432232314}',
      1_614_265_330_000,
    ],
  ])('the published example of a signature %s is accepted', async (_, verify, secret, headers, body, atMs = NOON) => {
    expect(await isLetIn(verify, { secret }, headers, { body, atMs })).toBe(true);
    expect(await isLetIn(verify, { secret: `${secret}AQID` }, headers, { body, atMs })).toBe(false);
    expect(await isLetIn(verify, { secret }, headers, { body: `${body}\n`, atMs })).toBe(false);
  });
});

const key = 'a shared secret';
const at = NOON / 1000;
const mac = (content: string, algorithm = 'sha256', encoding: 'hex' | 'base64' = 'hex', secret = key) =>
  createHmac(algorithm, secret).update(content).digest(encoding);

describe('A signature in a header of its own', () => {
  const own = { type: 'hmac', header: 'X-Signature' };
  test.each<[string, object, string, boolean]>([
    ['in lower-case hex', {}, mac(BODY), true],
    ['in upper-case hex', {}, mac(BODY).toUpperCase(), true],
    ['with a space before it', {}, ` ${mac(BODY)}`, false],
    ['in base64 where hex is expected', {}, mac(BODY, 'sha256', 'base64'), false],
    ['in hex where base64 is expected', { encoding: 'base64' }, mac(BODY), false],
    ['in base64 without padding', { encoding: 'base64' }, mac(BODY, 'sha256', 'base64').replace('=', ''), true],
    ['with half a byte more', {}, `${mac(BODY)}0`, false],
    ['with garbage behind it, which a decoder would drop', {}, `${mac(BODY)}zz`, false],
    ['by sha1 where that is the setting', { algorithm: 'sha1' }, mac(BODY, 'sha1'), true],
    ['by sha1 where it is not', {}, mac(BODY, 'sha1'), false],
    ['by sha512', { algorithm: 'sha512' }, mac(BODY, 'sha512'), true],
    ['with its prefix', { prefix: 'sha256=' }, `sha256=${mac(BODY)}`, true],
    ['without its prefix', { prefix: 'sha256=' }, mac(BODY), false],
    ['with a prefix that is none of the setting', {}, `sha256=${mac(BODY)}`, false],
    ['with its prefix twice', { prefix: 'sha256=' }, `sha256=sha256=${mac(BODY)}`, false],
    ['of content with words around the body', { signedContent: 'x{body}y' }, mac(`x${BODY}y`), true],
    ['of an empty secret', {}, mac(BODY, 'sha256', 'hex', ''), false],
  ])('a signature in a header of its own is held against the secret: %s', async (_, options, signature, holds) => {
    expect(await isLetIn({ ...own, ...options }, { secret: key }, { 'x-signature': signature })).toBe(holds);
  });

  test('a signature by a secret that is not ASCII has its UTF-8 bytes as the key', async () => {
    const secret = 'Schlüssel €';
    const headers = { 'x-signature': mac(BODY, 'sha256', 'hex', secret) };
    expect(await isLetIn(own, { secret }, headers)).toBe(true);
  });

  test.each(['', ' ', 'now', '1e9', '0x10', `${at}.5`, `-${at}`, `${at}, ${at}`, `${at}000`, '9'.repeat(13)])(
    'a signature with the timestamp %j, signed as it is, is refused',
    async (timestamp) => {
      const verify = { ...own, timestampHeader: 'X-Time' };
      const headers = { 'x-signature': mac(`${timestamp}.${BODY}`), 'x-time': timestamp };
      expect(await isLetIn(verify, { secret: key }, headers)).toBe(false);
    },
  );

  test('a signed body that looks like a template is taken as it is', async () => {
    const body = '{body}{timestamp}$&';
    expect(await isLetIn(own, { secret: key }, { 'x-signature': mac(body) }, { body })).toBe(true);
  });
});

describe('Stripe’s header', () => {
  const v1 = mac(`${at}.${BODY}`);
  test.each<[string, string, boolean]>([
    ['as it is sent', `t=${at},v1=${v1}`, true],
    ['with the other scheme behind', `t=${at},v1=${v1},v0=${'0'.repeat(64)}`, true],
    ['with spaces', `t=${at}, v1=${v1}`, true],
    ['with the signature of the secret that is rolled out first', `t=${at},v1=${'0'.repeat(64)},v1=${v1}`, true],
    ['in another order', `v1=${v1},t=${at}`, true],
    ['with the signature as another scheme’s', `t=${at},v0=${v1}`, false],
    ['without a timestamp', `v1=${v1}`, false],
    ['with a timestamp that was not signed', `t=${at + 1},v1=${v1}`, false],
    ['with the right timestamp behind another', `t=${at + 1},t=${at},v1=${v1}`, false],
    ['with a signature of the body alone', `t=${at},v1=${mac(BODY)}`, false],
    ['without a signature', `t=${at}`, false],
    ['with an empty signature', `t=${at},v1=`, false],
    ['with no names', v1, false],
    ['with the right signature behind hundreds', `t=${at}${`,v1=${'0'.repeat(64)}`.repeat(200)},v1=${v1}`, false],
  ])('the signature header of Stripe is checked: %s', async (_, header, holds) => {
    expect(await isLetIn('stripe', { secret: key }, { 'stripe-signature': header })).toBe(holds);
  });
});

describe('Standard Webhooks’ header', () => {
  const secret = `whsec_${Buffer.from('a shared secret, 24 byte').toString('base64')}`;
  const signed = (id = 'msg_1', time = String(at)) => {
    const hash = createHmac('sha256', 'a shared secret, 24 byte').update(`${id}.${time}.${BODY}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${hash}` };
  };
  const good = signed()['webhook-signature'];
  test.each<[string, string, boolean]>([
    ['as it is sent', good, true],
    ['among others', `v1,${'A'.repeat(43)}= v2,${'A'.repeat(43)}= ${good} v1a,AAAA`, true],
    ['of another version', good.replace('v1,', 'v2,'), false],
    ['of the asymmetric version', good.replace('v1,', 'v1a,'), false],
    ['without a version', good.replace('v1,', ''), false],
    ['in part', good.slice(0, 8), false],
    ['with nothing but its version', 'v1,', false],
    ['in base64url', good.replace('v1,', 'v1,-_'), false],
    ['with commas between', `v1,AAAA,${good}`, false],
    ['behind hundreds', `${'v1,AAAA '.repeat(200)}${good}`, false],
  ])('the signature header of Standard Webhooks is checked: %s', async (_, signature, holds) => {
    const headers = { ...signed(), 'webhook-signature': signature };
    expect(await isLetIn('standard-webhooks', { secret }, headers)).toBe(holds);
  });

  test.each<[string, Record<string, string>]>([
    ['an empty id', signed('')],
    ['a timestamp in words', signed('msg_1', 'hello')],
    ['a timestamp that is not signed', { ...signed(), 'webhook-timestamp': String(at + 1) }],
    ['another id', { ...signed(), 'webhook-id': 'msg_2' }],
  ])('the signature header of Standard Webhooks with %s is refused', async (_, headers) => {
    expect(await isLetIn('standard-webhooks', { secret }, headers)).toBe(false);
  });
});

describe('Of Standard Webhooks’ two families of headers', () => {
  const secret = `whsec_${Buffer.from('a shared secret, 24 byte').toString('base64')}`;
  const of = (family: 'webhook' | 'svix', id: string) => ({
    [`${family}-id`]: id,
    [`${family}-timestamp`]: String(at),
    [`${family}-signature`]: `v1,${createHmac('sha256', 'a shared secret, 24 byte').update(`${id}.${at}.${BODY}`).digest('base64')}`,
  });
  const svix = of('svix', 'signed');
  const webhook = of('webhook', 'signed');

  test.each<[string, Record<string, string>, string | undefined]>([
    ['Svix’s counts', svix, 'signed'],
    [
      'Svix’s counts beside an id of the other that nobody signed, which does not',
      { ...svix, 'webhook-id': 'stray' },
      'signed',
    ],
    [
      'the other counts beside an id of Svix’s that nobody signed, which does not',
      { ...webhook, 'svix-id': 'stray' },
      'signed',
    ],
    ['the other counts where both are signed', { ...of('svix', 'svix'), ...webhook }, 'signed'],
    [
      'the other counts though it is wrong and Svix’s is good',
      { ...svix, ...webhook, 'webhook-id': 'other' },
      undefined,
    ],
    ['Svix’s counts where the other is empty', { ...svix, 'webhook-signature': '' }, 'signed'],
    [
      'no signature is lent to the other’s id',
      { 'webhook-id': 'signed', 'svix-timestamp': String(at), 'svix-signature': svix['svix-signature'] ?? '' },
      undefined,
    ],
    [
      'no signature is lent to the other’s time',
      { ...webhook, 'svix-timestamp': String(at), 'webhook-timestamp': String(at + 1) },
      undefined,
    ],
  ])('one of Standard Webhooks’ two families of headers is used: %s', async (_, headers, id) => {
    const opened = openWebhook({ verify: verifyAs('standard-webhooks') });
    opened.secret = { secret };
    const admission = await opened.admit({ body: BODY, headers: { authorization: '', ...headers } });
    expect('message' in admission ? admission.message.id : undefined).toBe(id);
  });
});

describe('A secret of the wrong form is named by its field, without its content', () => {
  const read = (scheme: { fields: readonly string[] }, text: string) =>
    readEntries({ text, versionId: 'v1' }, 'webhooks/orders', scheme as never);
  const text = (field: string) => `"${field}": expected a text that is not empty`;
  const github = hmac({ header: 'x-signature' } as HmacVerification);
  const standard = standardWebhooks({ toleranceSeconds: 300 });
  const keyed = apiKey({ header: 'x-api-key' });

  type Row = [string, { fields: readonly string[] }, string, string];
  test.each<Row>([
    ['hmac: no JSON', github, 'hunter22', 'expected an object with secret'],
    ['hmac: an empty list', github, '[]', 'expected an object with secret, or a list of them'],
    ['hmac: a list in a list', github, '[[{"secret":"hunter22"}]]', 'expected an object with secret'],
    ['hmac: another kind’s', github, '{"key":"hunter22"}', text('secret')],
    ['hmac: an empty one', github, '{"secret":""}', text('secret')],
    ['hmac: a bad one behind a good one', github, '[{"secret":"hunter22"},{"secret":4711}]', text('secret')],
    ['api-key: a text', keyed, '"hunter22"', 'expected an object with key'],
    ['api-key: another kind’s', keyed, '{"secret":"hunter22"}', text('key')],
    ...['hünter22', ' hunter22', 'hunter22\\n', 'hunter\\u000022'].map(
      (key): Row => [
        `api-key: what no header carries, ${key}`,
        keyed,
        `{"key":"${key}"}`,
        '"key": expected printable ASCII without spaces around it, as a header carries',
      ],
    ),
    // The last two are of base64's alphabet and stand for no byte: with that key every stranger can sign.
    ...['hunter22', 'whsec_', 'whsec_hünter22', 'whsec_hunter-22', 'Whsec_hunter22', 'whsec_h', 'whsec_h=='].map(
      (secret): Row => [
        `standard-webhooks: ${secret}`,
        standard,
        `{"secret":"${secret}"}`,
        '"secret": expected whsec_ and a key in base64',
      ],
    ),
  ])('a secret of the wrong form is named by its field, without its content: %s', (_, scheme, json, problem) => {
    let error: unknown;
    try {
      read(scheme, json);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RelayError);
    const { code, message, stack } = error as RelayError;
    expect(code).toBe('SECRET_MALFORMED');
    expect(message).toBe(`secret "webhooks/orders": ${problem}; the operator must correct the secret`);
    expect(`${stack}`).not.toMatch(/h.nter/);
  });
});
