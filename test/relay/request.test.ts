/**
 * The request that goes out to the HTTPS sender adapter: address, headers and payload, made of message and settings.
 */
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../functions/http/http.ts';
import type { Message } from '../../functions/message/message.ts';
import type { AdapterOptions } from '../../functions/relay/adapter/adapter.ts';
import { createAdapter } from '../../functions/relay/adapter/adapter.ts';
import type { Destination } from '../../functions/settings/destination.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { answer } from '../doubles/answer.ts';
import { NOT_LISTENING } from '../doubles/call-listeners.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';

const url = 'https://flows.example.com/http/orders';

function destinationWith(settings: object): Destination {
  const written = { secret: 'cpi/orders', ...('path' in settings ? {} : { url }), ...settings };
  const read = readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');
  if (read === undefined || 'error' in read) throw read?.error ?? new Error('no destination');
  return read;
}

async function requestOf(
  settings: object = {},
  message: Message = messageOf(),
  token: Token = tokenOf('t0ken'),
  options: Partial<AdapterOptions> & { remainingMs?: number; signal?: AbortSignal } = {},
): Promise<HttpRequest> {
  const requests: HttpRequest[] = [];
  const send = async (request: HttpRequest) => {
    requests.push(request);
    return answer(200);
  };
  const adapter = createAdapter({ destination: destinationWith(settings), send, ...options });
  await adapter.exchange(message, token, deadlineOf(options.remainingMs, options.signal), NOT_LISTENING);
  const [request] = requests;
  if (request === undefined) throw new Error('no request');
  return request;
}

describe('The address is', () => {
  test.each([
    ['the url', {}, undefined, url],
    ['the url with its own query', { url: `${url}?a=1` }, undefined, `${url}?a=1`],
    ['the url and the query setting', { query: { a: 'ü b', c: '&=' } }, undefined, `${url}?a=%C3%BC+b&c=%26%3D`],
    ['both queries', { url: `${url}?a=1`, query: { a: '2' } }, undefined, `${url}?a=1&a=2`],
    [
      'the path on the service key’s host',
      { path: '/http/orders' },
      'https://rt.example.com',
      'https://rt.example.com/http/orders',
    ],
    [
      'the same for a host with slashes',
      { path: '/http/o' },
      'https://rt.example.com//',
      'https://rt.example.com/http/o',
    ],
    [
      'in the very case of the path',
      { path: '/http/Orders%2FX' },
      'https://rt.example.com',
      'https://rt.example.com/http/Orders%2FX',
    ],
    ['the url, even if a service key names a host', {}, 'https://rt.example.com', url],
  ])('the address is %s', async (_, settings, serviceUrl, href) => {
    const token = { ...tokenOf('t'), ...(serviceUrl === undefined ? {} : { serviceUrl }) };
    expect((await requestOf(settings, messageOf(), token)).url.href).toBe(href);
  });

  test('a request has no address where there is only a path and the secret names no host', async () => {
    await expect(requestOf({ path: '/http/orders' })).rejects.toMatchObject({
      code: 'SECRET_MALFORMED',
      message:
        'secret "cpi/orders": expected a service key with "url", since destination "orders" has only a path; the operator must store the whole service key or set orders.url',
    });
  });
});

describe('The headers are', () => {
  test('the headers of a message that brings nothing are content type, id and token', async () => {
    expect((await requestOf()).headers).toEqual({
      'Content-Type': 'application/json',
      SAP_ApplicationID: 'order-4711',
      Authorization: 'Bearer t0ken',
    });
  });

  test.each([
    [
      'the message’s content type, as its sender gave it',
      {},
      'Text/XML; Charset="ISO-8859-1"',
      'Text/XML; Charset="ISO-8859-1"',
    ],
    ['the destination’s, where the message has none', { contentType: 'text/xml' }, undefined, 'text/xml'],
    ['the message’s before the destination’s', { contentType: 'text/xml' }, 'text/csv', 'text/csv'],
  ])('the headers of a request are %s', async (_, settings, contentType, expected) => {
    const message = messageOf(contentType === undefined ? {} : { contentType });
    expect((await requestOf(settings, message)).headers).toMatchObject({ 'Content-Type': expected });
  });

  test.each(['text/xml\r\nX-Evil: 1', 'text/☃', 'text/\u0000', 'a\u007f'])(
    'a request does not go out with a content type that cannot stand in a header: %j',
    async (contentType) => {
      const error = await requestOf({}, messageOf({ contentType })).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
      expect(error.message).toBe('contentType: expected a media type; the sender must correct it');
    },
  );

  test('the headers of a request hold the id in the header that the settings name', async () => {
    const { headers } = await requestOf({ idHeader: 'X-Message-Id' });
    expect(headers).toMatchObject({ 'X-Message-Id': 'order-4711' });
    expect(headers).not.toHaveProperty('SAP_ApplicationID');
  });

  test.each<[string, object, Record<string, string>, string[]]>([
    ['the id before one of the message', { forwardHeaders: ['*'] }, { sap_applicationid: 'x' }, ['order-4711']],
    ['a static one before the id', { headers: { sap_applicationid: 'static' } }, {}, ['static']],
    [
      'a static one before one of the message',
      { forwardHeaders: ['*'], headers: { Sap_ApplicationId: 'static' } },
      { sap_applicationid: 'x' },
      ['static'],
    ],
  ])(
    'the headers of a request have each name once, upper and lower case alike: %s',
    async (_, settings, headers, expected) => {
      const request = await requestOf(settings, messageOf({ headers }));
      const named = Object.entries(request.headers).filter(([name]) => name.toLowerCase() === 'sap_applicationid');
      expect(named.map(([, value]) => value)).toEqual(expected);
    },
  );

  test('the headers of a request hold those of the settings', async () => {
    expect((await requestOf({ headers: { SOAPAction: '"urn:x"' } })).headers).toMatchObject({ SOAPAction: '"urn:x"' });
  });

  test.each<[string, object, string[]]>([
    ['by default', {}, ['traceparent', 'tracestate', 'sap-passport', 'content-encoding', 'content-language']],
    ['none but the body’s', { forwardHeaders: [] }, ['content-encoding', 'content-language']],
    ['by name', { forwardHeaders: ['X-One'] }, ['x-one', 'content-encoding', 'content-language']],
    ['by a beginning', { forwardHeaders: ['x-*'] }, ['x-one', 'x-two', 'content-encoding', 'content-language']],
    [
      'all that may',
      { forwardHeaders: ['*'] },
      ['traceparent', 'tracestate', 'sap-passport', 'x-one', 'x-two', 'content-encoding', 'content-language'],
    ],
  ])('the headers of a request hold those of the message that are forwarded, %s', async (_, settings, names) => {
    const brought = Object.fromEntries(
      `traceparent tracestate sap-passport x-one x-two content-encoding content-language authorization cookie set-cookie
       host content-length content-type connection keep-alive te trailer transfer-encoding upgrade expect x-csrf-token
       proxy-authorization proxy-connection`
        .split(/\s+/)
        .map((name) => [name, `of ${name}`]),
    );
    const { headers } = await requestOf(settings, messageOf({ headers: brought }));
    const own = ['Authorization', 'Content-Type', 'SAP_ApplicationID'];
    expect(Object.keys(headers).sort()).toEqual([...names, ...own].sort());
    for (const name of names) expect(headers[name]).toBe(`of ${name}`);
    expect(headers.Authorization).toBe('Bearer t0ken');
  });

  test.each(['a\r\nX-Evil: 1', 'a\nb', '\u0000', '☃', '\u007f'])(
    'a forwarded header that cannot stand in a request makes the sender correct the message: %j',
    async (value) => {
      const message = messageOf({ headers: { 'x-one': value, 'x-two': 'fine' } });
      await expect(requestOf({ forwardHeaders: ['x-*'] }, message)).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
        message: 'header "x-one" of the message has a value that no HTTP request can carry; the sender must correct it',
      });
      const others = { forwardHeaders: ['x-two'] };
      expect((await requestOf(others, message)).headers).toHaveProperty('x-two', 'fine');
      const ours = { forwardHeaders: ['x-*'], headers: { 'X-One': 'ours' } };
      expect((await requestOf(ours, message)).headers).toMatchObject({ 'X-One': 'ours', 'x-two': 'fine' });
    },
  );

  test('a header in Latin-1 and with a tab is sent as it came', async () => {
    const { headers } = await requestOf(
      { forwardHeaders: ['x-*'] },
      messageOf({ headers: { 'x-one': 'J\u00f6rg\ta' } }),
    );
    expect(headers['x-one']).toBe('J\u00f6rg\ta');
  });
});

describe('The call', () => {
  test('the call has the method of the settings and the payload of the message', async () => {
    const message = messageOf({}, '<a/>');
    const request = await requestOf({ method: 'PUT' }, message);
    expect(request.method).toBe('PUT');
    expect(request.body).toBe(message.body);
  });

  test.each([
    ['the destination’s', {}, {}, 60_000],
    ['what is set', { timeoutSeconds: 5 }, {}, 5_000],
    ['what the caller allows', { timeoutSeconds: 60 }, { maxCallMs: 25_000 }, 25_000],
    ['what is set, where the caller allows more', { timeoutSeconds: 5 }, { maxCallMs: 25_000 }, 5_000],
    [
      'what the caller allows, where the invocation leaves less: its end is the signal’s',
      {},
      { maxCallMs: 25_000, remainingMs: 700 },
      25_000,
    ],
  ])('the call takes at most %s', async (_, settings, options, timeoutMs) => {
    const request = await requestOf(settings, messageOf(), tokenOf('t'), { remainingMs: 100_000, ...options });
    expect(request.timeoutMs).toBe(timeoutMs);
  });

  test('the call goes out with the client certificate in place of a token, where the destination says so', async () => {
    const certificate = { cert: 'PEM', key: 'PEM', validUntil: NOON + 1 };
    const request = await requestOf({}, messageOf(), tokenOf('', { certificate }));
    expect(request.certificate).toBe(certificate);
    expect(request.headers).toEqual({ 'Content-Type': 'application/json', SAP_ApplicationID: 'order-4711' });
    expect(await requestOf()).not.toHaveProperty('certificate');
  });

  test('the call goes out with certificate and token, where the token is bound to it (RFC 8705)', async () => {
    const certificate = { cert: 'PEM', key: 'PEM', validUntil: NOON + 1 };
    const request = await requestOf({}, messageOf(), tokenOf('bound', { certificate }));
    expect(request.certificate).toBe(certificate);
    expect(request.headers.Authorization).toBe('Bearer bound');
  });

  test('the call ends with the invocation, and keeps of the answer what it is told to', async () => {
    const { signal } = new AbortController();
    const request = await requestOf({}, messageOf(), tokenOf('t'), { keepBytes: 4_400_000, signal });
    expect(request.signal).toBe(signal);
    expect(request.keepBytes).toBe(4_400_000);
    expect(await requestOf()).not.toHaveProperty('keepBytes');
  });
});
