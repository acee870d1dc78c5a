/** Replies to AWS's gateways: their shape, and what goes through them as text and what as base64. */
import { describe, expect, test } from 'vitest';
import { readHttpEvent, toReply } from '../../functions/webhook/event.ts';
import { functionUrl, httpApi1, httpApi2, loadBalancer, loadBalancerMultiValue, restApi } from './aws-http-events.ts';

const gzip = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x61]);

describe('The shape of a reply', () => {
  const reply = { status: 401, headers: { 'Content-Type': 'text/plain', 'X-A': '1' }, body: 'no' };

  test.each([
    ['an HTTP API, payload 2.0', httpApi2],
    ['a function URL', functionUrl],
    ['a load balancer', loadBalancer],
    ['nobody knows what', undefined],
  ])('a reply has single headers for %s', (_, event) => {
    expect(toReply(reply, readHttpEvent(event))).toStrictEqual({
      statusCode: 401,
      headers: { 'Content-Type': 'text/plain', 'X-A': '1' },
      body: 'no',
      isBase64Encoded: false,
    });
  });

  test.each([
    ['an HTTP API, payload 1.0', httpApi1],
    ['a REST API', restApi],
    ['a load balancer with multi-value headers', loadBalancerMultiValue],
  ])('a reply has lists of headers for %s', (_, event) => {
    expect(toReply(reply, readHttpEvent(event))).toStrictEqual({
      statusCode: 401,
      multiValueHeaders: { 'Content-Type': ['text/plain'], 'X-A': ['1'] },
      body: 'no',
      isBase64Encoded: false,
    });
  });
});

const utf8 = Buffer.from('Jörg \u{1F511}');
const latin1 = Buffer.from('Jörg', 'latin1');
const mark = Buffer.from('\uFEFFa');

const texts: readonly (readonly [string, string, Buffer])[] = [
  ['JSON', 'application/json', utf8],
  ['JSON with charset', 'application/json; charset=utf-8', utf8],
  ['JSON with charset, otherwise written', 'application/json;charset=UTF8', utf8],
  ['JSON with charset, quoted', 'application/json; charset="utf-8"', utf8],
  ['XML with charset, quoted', 'text/xml;charset="UTF-8"', utf8],
  ['XML', 'application/xml', utf8],
  ['XML of a kind', 'application/soap+xml; charset=UTF-8', utf8],
  ['JSON of a kind', 'application/problem+json', utf8],
  ['JavaScript', 'application/javascript', utf8],
  ['plain text', 'text/plain', utf8],
  ['XML as text', 'Text/XML', utf8],
  ['a byte order mark', 'text/csv', mark],
  ['no bytes', 'text/plain', Buffer.alloc(0)],
  ['text that looks like base64', 'text/plain', Buffer.from('AAAA')],
  ['ASCII control characters', 'text/plain', Buffer.from('\u0000\r\n\t\u007f')],
];

const binaries: readonly (readonly [string, Record<string, string>, Buffer])[] = [
  ['Latin-1 without charset', { 'Content-Type': 'text/plain' }, latin1],
  ['Latin-1 with charset', { 'Content-Type': 'text/plain; charset=ISO-8859-1' }, latin1],
  ['a charset that UTF-8 would be taken for', { 'Content-Type': 'text/plain; charset=iso-8859-1' }, Buffer.from('Ã¶')],
  ['Latin-1 with charset, quoted', { 'Content-Type': 'text/plain; charset="ISO-8859-1"' }, latin1],
  ['UTF-16', { 'Content-Type': 'text/xml; charset=utf-16' }, Buffer.from('<a/>', 'utf16le')],
  ['what is compressed', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, gzip],
  ['what is said to be compressed and reads as text', { 'Content-Type': 'text/plain', 'Content-Encoding': 'br' }, utf8],
  ['a sequence cut short', { 'Content-Type': 'text/plain' }, Buffer.from([0x4a, 0xc3])],
  ['an overlong sequence', { 'Content-Type': 'text/plain' }, Buffer.from([0xc0, 0xaf])],
  ['a surrogate', { 'Content-Type': 'text/plain' }, Buffer.from([0xed, 0xa0, 0x80])],
  ['a PDF', { 'Content-Type': 'application/pdf' }, Buffer.from('%PDF-1.7')],
  ['a picture in text', { 'Content-Type': 'image/svg+xml' }, Buffer.from('<svg/>')],
  ['bytes of no type', {}, Buffer.from('plain')],
  ['bytes of any type', { 'Content-Type': 'application/octet-stream' }, Buffer.from('plain')],
  ['a type that only begins alike', { 'Content-Type': 'application/jsonlines' }, Buffer.from('{}')],
  ['a type in which a textual one stands', { 'Content-Type': 'multipart/x; type="text/xml"' }, Buffer.from('<a/>')],
];

describe('Bytes go', () => {
  test.each(texts)('bytes go out as text: %s', (_, contentType, body) => {
    const reply = toReply({ status: 200, headers: { 'Content-Type': contentType }, body }, undefined);
    expect(reply).toMatchObject({ isBase64Encoded: false });
    expect(Buffer.from(reply.body)).toEqual(body);
  });

  test.each(binaries)('bytes go out as base64: %s', (_, headers, body) => {
    const reply = toReply({ status: 200, headers, body }, undefined);
    expect(reply).toMatchObject({ isBase64Encoded: true, body: body.toString('base64') });
    expect(Buffer.from(reply.body, 'base64')).toEqual(body);
  });
});

test('a text of our own goes out as it is, whatever its type', () => {
  expect(toReply({ status: 204, headers: {}, body: '' }, undefined)).toMatchObject({
    body: '',
    isBase64Encoded: false,
  });
});
