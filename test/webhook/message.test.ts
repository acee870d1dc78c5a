/** The message that a webhook's request becomes: payload, content type, and which of its headers go along. */
import { describe, expect, test } from 'vitest';
import type { Message } from '../../functions/message/message.ts';
import type { WebhookSettings } from '../../functions/settings/destination.ts';
import { openWebhook } from './open-webhook.ts';

async function messageOf(
  fields: { headers?: Record<string, string>; body?: string; isBase64Encoded?: boolean },
  webhook: Partial<WebhookSettings> = {},
  ofDestination: readonly string[] = [],
): Promise<Message> {
  const admission = await openWebhook(webhook, ofDestination).admit(fields);
  if ('reply' in admission) throw new Error(`refused with ${admission.reply.status}`);
  return admission.message;
}

const OWNED = `cookie set-cookie host content-length content-type keep-alive te trailer transfer-encoding upgrade expect
  x-csrf-token proxy-authorization proxy-authenticate proxy-connection`.split(/\s+/);

describe('The headers that go along', () => {
  const brought = {
    'x-one': '1',
    'x-two': '2',
    'ce-id': 'c',
    traceparent: 't',
    'content-language': 'de',
    'content-encoding': 'gzip',
  };
  const body = ['content-encoding', 'content-language'];

  test.each<[string, string[] | undefined, string[], string[]]>([
    ['none but the body’s, where nothing is listed', undefined, [], body],
    ['the destination’s, where the webhook says nothing', undefined, ['traceparent'], [...body, 'traceparent']],
    ['the webhook’s alone, where it says something', ['x-one'], ['traceparent'], [...body, 'x-one']],
    ['none but the body’s, where the webhook says none', [], ['traceparent'], body],
    ['all of a beginning', ['x-*', 'ce-*'], [], [...body, 'ce-id', 'x-one', 'x-two']],
    ['a name is no beginning', ['x-on', 'x'], [], body],
    ['all', ['*'], [], [...body, 'ce-id', 'traceparent', 'x-one', 'x-two']],
  ])('the forwarded headers are %s', async (_, ofWebhook, ofDestination, names) => {
    const webhook = ofWebhook === undefined ? {} : { forwardHeaders: ofWebhook };
    const { headers } = await messageOf({ headers: brought }, webhook, ofDestination);
    expect(Object.keys(headers).sort()).toEqual(names.sort());
    for (const name of names) expect(headers[name]).toBe(brought[name as keyof typeof brought]);
  });

  test.each([['*'], ['a*', 'c*', 'e*', 'h*', 'k*', 'p*', 's*', 't*', 'u*', 'x*']])(
    'the sender’s credentials and what HTTP writes itself are never forwarded: with %s',
    async (...patterns) => {
      const headers = Object.fromEntries(OWNED.map((name) => [name, 'a/b']));
      const message = await messageOf({ headers }, { forwardHeaders: patterns });
      expect(message.headers).toEqual({});
    },
  );

  test.each(['x-hop', 'X-Hop', 'close, x-hop', 'x-hop,keep-alive', 'keep-alive , X-HOP , upgrade'])(
    'headers that Connection lists are not forwarded: %s',
    async (connection) => {
      const headers = { connection, 'x-hop': '1', 'x-end': '2' };
      expect((await messageOf({ headers }, { forwardHeaders: ['*'] })).headers).toEqual({ 'x-end': '2' });
    },
  );

  test.each(['a\nb', '☃', '\u0000'])(
    'a header that cannot stand in a request makes the request be refused: %j',
    async (value) => {
      const { headers } = await messageOf({ headers: { 'x-one': value, 'y-two': value } }, { forwardHeaders: ['x-*'] });
      expect(headers).toEqual({ 'x-one': value });
    },
  );
});

describe('The payload', () => {
  test('the payload is the bytes of the body, and opens as often as it is sent', async () => {
    const { body } = await messageOf({ body: 'H4sIAAAA/w==', isBase64Encoded: true });
    const bytes = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 255]);
    expect(body.bytes).toBe(7);
    expect(await body.open()).toEqual(bytes);
    expect(await body.open()).toEqual(bytes);
  });

  test('the payload is not read: what looks like JSON and is none goes as it came', async () => {
    const { body } = await messageOf({ body: '{"a": 1,, }\n' });
    expect(String(await body.open())).toBe('{"a": 1,, }\n');
  });
});

describe('The message bears', () => {
  test('the message has the sender’s content type, as sent', async () => {
    const contentType = 'Text/XML; Charset="ISO-8859-1"';
    expect(await messageOf({ headers: { 'content-type': contentType } })).toMatchObject({ contentType });
  });

  test('the message has no content type where the sender’s is empty, so that the destination’s counts', async () => {
    expect(await messageOf({ headers: { 'content-type': '' } })).not.toHaveProperty('contentType');
  });

  test('the message has the id that the setting points at', async () => {
    const message = await messageOf(
      { headers: { 'x-id': 'by-header' }, body: '{"id":"by-pointer"}' },
      { messageId: '/id' },
    );
    expect(message.id).toBe('by-pointer');
    expect((await messageOf({ headers: { 'x-id': 'by-header' } }, { messageId: 'x-id' })).id).toBe('by-header');
  });
});

describe('The message group', () => {
  const headers = { 'x-customer': 'customer-7' };
  const body = JSON.stringify({ customer: { id: 4711 } });

  test.each<[string, Record<string, string>, string | undefined, string | undefined]>([
    ['is the header that the webhook names', headers, 'x-customer', 'customer-7'],
    ['is what the webhook’s JSON pointer names', headers, '/customer/id', '4711'],
    [
      'is the SHA-256 of a name that SQS does not take',
      { 'x-customer': 'Jörg' },
      'x-customer',
      '8e63741c42f7c08025339f1a380d98030a698aa04f1fa3c595dcb581632af452',
    ],
    ['is none where the request names none', {}, 'x-customer', undefined],
    ['is none where the header is empty', { 'x-customer': '' }, 'x-customer', undefined],
    ['is none where the webhook asks for none', headers, undefined, undefined],
  ])('the message group %s', async (_, sent, messageGroupId, group) => {
    const message = await messageOf({ headers: sent, body }, messageGroupId === undefined ? {} : { messageGroupId });
    expect(message.group).toBe(group);
  });
});
