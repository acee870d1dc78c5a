import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { setStage, sha256 } from '../stage.ts';

const TEXT = '\u{FEFF}<Bestellung>Größe: 42 – für Zoë ✓ 😀\r\n\t</Bestellung>';
const BINARY = randomBytes(100_000);
const GZIP = gzipSync(TEXT);

const CASES = [
  {
    what: 'text with umlauts, a byte order mark and line breaks',
    message: { body: TEXT, attributes: { contentType: 'application/xml; charset=utf-8' } },
    contentType: 'application/xml; charset=utf-8',
  },
  {
    what: 'JSON with blanks and an order of its own',
    message: { body: '{ "b": 1.0,\n  "a": "\\u00e4" }  ', attributes: { contentType: 'application/vnd.acme+json' } },
    contentType: 'application/vnd.acme+json',
  },
  {
    what: 'bytes in base64',
    message: {
      body: BINARY.toString('base64'),
      payload: BINARY,
      attributes: { contentType: 'application/pdf', bodyEncoding: 'base64' },
    },
    contentType: 'application/pdf',
  },
  {
    what: 'no bytes at all',
    message: { body: '-', payload: Buffer.alloc(0), attributes: { contentType: 'text/plain', bodyEncoding: 'empty' } },
    contentType: 'text/plain',
  },
  {
    what: 'a body sent by hand, with nothing else',
    message: { body: '{"order":"4711"}' },
    contentType: 'application/json',
  },
  {
    what: 'text that looks like base64',
    message: { body: 'QUJDREVGR0g=', attributes: { contentType: 'text/plain' } },
    contentType: 'text/plain',
  },
] as const;

test.each(CASES)('$what arrives byte for byte, as $contentType', async ({ message, contentType }) => {
  const stage = await setStage({ plans: [{ name: 'orders' }] });
  const id = stage.send(stage.orders, message);

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  expect(stage.runtimeNode.messages[0]?.headers['content-type']).toBe(contentType);
  expect(stage.attemptsOf(id)[0]?.bytes).toBe(stage.runtimeNode.messages[0]?.body.byteLength);
});

test('compressed bytes stay compressed, and Content-Encoding and Content-Language go along', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { allowedHeaders: ['*'] } }] });
  const headers = JSON.stringify({ 'Content-Encoding': 'gzip', 'content-language': 'de' });
  const attributes = { contentType: 'text/xml', bodyEncoding: 'base64', headers };
  const id = stage.send(stage.orders, { body: GZIP.toString('base64'), payload: GZIP, attributes });

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  expect(stage.runtimeNode.messages[0]?.headers).toMatchObject({
    'content-type': 'text/xml',
    'content-encoding': 'gzip',
    'content-language': 'de',
  });
});

test('headers reach the flow when the destination forwards them, except the relay’s own', async () => {
  const stage = await setStage({
    plans: [
      {
        name: 'orders',
        flow: { allowedHeaders: ['*'] },
        settings: { forwardHeaders: ['traceparent', 'x-acme-*'], headers: { 'X-Static': 'fixed' } },
      },
    ],
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers = {
    traceparent,
    'X-Acme-Region': 'emea',
    'X-Other': 'no',
    Cookie: 'no',
    Host: 'no',
    Authorization: 'no',
  };
  const id = stage.send(stage.orders, { attributes: { headers: JSON.stringify(headers) } });

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  const arrived = stage.runtimeNode.messages[0]?.headers;
  expect(arrived).toMatchObject({ traceparent, 'x-acme-region': 'emea', 'x-static': 'fixed' });
  expect(arrived).not.toHaveProperty('x-other');
  expect(Object.values(arrived ?? {})).not.toContain('no');
});

test.each([
  { messageId: 'order-4711/2', as: 'it is', arrives: 'order-4711/2' },
  { messageId: 'Auftrag 4711 für Zoë', as: 'its SHA-256', arrives: sha256('Auftrag 4711 für Zoë') },
])('the attribute messageId "$messageId" names the message at every try, as $as', async ({ messageId, arrives }) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  stage.runtimeNode.server.fail({ fault: 'reset-after' });
  stage.send(stage.orders, { attributes: { messageId } });

  await stage.poll();
  await stage.pollAgain();

  expect(stage.runtimeNode.messages.map((message) => message.messageId)).toEqual([arrives, arrives]);
  expect(stage.attempts.map((attempt) => attempt.messageId)).toEqual([arrives, arrives]);
});

test('the largest message that SQS takes arrives whole', async () => {
  const stage = await setStage({ plans: [{ name: 'orders' }] });
  const id = stage.send(stage.orders, { body: randomBytes(786_432).toString('base64') });

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'delivered', bytes: 1_048_576 }]);
});
