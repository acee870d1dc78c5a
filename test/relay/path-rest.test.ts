/** The rest of a path, which a message brings: where it may lead, and that it can lead nowhere else. */
import { describe, expect, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { adapterOf } from '../../functions/relay/adapter/adapters.ts';
import { NOT_LISTENING } from '../doubles/call-listeners.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { tokenOf } from '../doubles/token.ts';
import { destinationWith, message, onWire, refusal, sent } from './sender-adapter.ts';

const settings = { pathFrom: 'X-Path' };
const withRest = (rest: string) => message('{}', { headers: { 'x-path': rest } });

describe('The rest of the path', () => {
  test.each([
    ['of one part', '4711', '/4711'],
    ['of several parts', 'de/hamburg/4711', '/de/hamburg/4711'],
    ['with a slash at its beginning', '/4711', '/4711'],
    ['of an OData entity', "Orders('4711')/Items(Order='1',Item=10)", "/Orders('4711')/Items(Order='1',Item=10)"],
    ['of an OData batch', '$batch', '/$batch'],
    ['with parameters of its parts', 'a;v=1/b', '/a;v=1/b'],
    ['with what must be escaped', 'ü b"<>`{}|^[]', '/%C3%BC%20b%22%3C%3E%60%7B%7D%7C%5E%5B%5D'],
    ['with characters beyond the first plane', '😀', '/%F0%9F%98%80'],
    ['with all that may stand there', "aZ09-._~!$&'()*+,;=:@/b", "/aZ09-._~!$&'()*+,;=:@/b"],
    ['with what is escaped beside what must be', '%5b[%7C|%41', '/%5b%5B%7C%7C%41'],
    ['with what is escaped already', 'a%20b%C3%BC%3F%23', '/a%20b%C3%BC%3F%23'],
    ['with an escaped percent sign', '100%25', '/100%25'],
    ['that ends in dots', 'a../b...', '/a../b...'],
    ['with three dots', '...', '/...'],
    ['with a colon, as in another scheme', 'https:host', '/https:host'],
    ['of 2,048 characters', 'x'.repeat(2_048), `/${'x'.repeat(2_048)}`],
  ])('the rest of the path %s follows the url', async (_, rest, path) => {
    expect((await onWire('/http/orders?a=1', settings, withRest(rest))).line).toBe(`POST /http/orders${path}?a=1`);
  });

  test.each(['', '/'])('the rest of the path follows a url that ends in "%s"', async (end) => {
    expect((await onWire(`/http/orders${end}`, settings, withRest('4711'))).line).toBe('POST /http/orders/4711');
  });

  test('the rest of the path may be missing or empty: the url stands alone', async () => {
    expect((await onWire('/http/orders', settings, message('{}'))).line).toBe('POST /http/orders');
    expect((await onWire('/http/orders', settings, withRest(''))).line).toBe('POST /http/orders');
  });

  test('the rest of the path may be named like a property that every object has', async () => {
    const what = message('{}', { attributes: {} });
    expect((await onWire('/http/orders', { pathFrom: 'constructor' }, what)).line).toBe('POST /http/orders');
  });

  test('the rest of the path comes from an attribute of the queue’s message, too', async () => {
    const what = message('{}', { attributes: { 'x-path': 'a/b' } });
    expect((await onWire('/http/orders', settings, what)).line).toBe('POST /http/orders/a/b');
  });

  test('the rest of the path comes from the header where there are both', async () => {
    const what = message('{}', { attributes: { 'x-path': 'a' }, headers: { 'x-path': 'h' } });
    expect((await onWire('/http/orders', settings, what)).line).toBe('POST /http/orders/h');
  });

  test('the rest of the path is only read where it is set, which does not forward its header', async () => {
    const { line, headers } = await onWire('/http/orders', {}, withRest('4711'));
    expect(line).toBe('POST /http/orders');
    expect((await onWire('/http/orders', settings, withRest('4711'))).headers).toEqual(headers);
    expect(headers.join()).not.toMatch(/x-path/i);
  });

  test.each(['https', 'soap', 'soap-rm', 'odata'])(
    'the rest of the path is the same for adapter %s',
    async (adapter) => {
      const [call] = await sent('/x/orders', { adapter, csrf: false, ...settings }, withRest('4711'));
      expect(call?.line).toMatch(/^POST \/x\/orders\/4711(\?MessageId=|$)/);
    },
  );

  test('the rest of the path is no part of the address where a CSRF token is fetched', async () => {
    const calls = await sent('/http/orders?a=1', { csrf: true, ...settings }, withRest('4711'));
    expect(calls.map(({ line }) => line)).toEqual(['HEAD /http/orders?a=1', 'POST /http/orders/4711?a=1']);
  });
});

test.each([
  ['path', '/http/a|b[1]^{c}', '/http/a%7Cb%5B1%5D%5E%7Bc%7D'],
  ['query', '/http/orders?a=[1]|{2}^`3`&b=%5b', '/http/orders?a=%5B1%5D%7C%7B2%7D%5E%603%60&b=%5b'],
  [
    'path and query, escaped as they should be',
    '/http/a%7cb;v=1?$filter=a%20eq%20(b)&c=/?',
    '/http/a%7cb;v=1?$filter=a%20eq%20(b)&c=/?',
  ],
])('the %s in the settings is one that every server takes', async (_, url, line) => {
  expect((await onWire(url, {}, message('{}'))).line).toBe(`POST ${line}`);
});

test('a query in the settings is one that every server takes', async () => {
  const { line } = await onWire('/http/orders?a=[1]', { query: { b: '[ ]|^{}"`\\ü' } }, message('{}'));
  expect(line).toBe('POST /http/orders?a=%5B1%5D&b=%5B+%5D%7C%5E%7B%7D%22%60%5C%C3%BC');
});

test('an error of a call does not quote the rest of its path', async () => {
  const adapter = adapterOf({
    destination: destinationWith({ url: 'http://127.0.0.1:1/http/orders', ...settings }),
    send: createHttpClient(),
  });
  const failed = adapter.exchange(withRest("Customers('smith')"), tokenOf('t'), deadlineOf(), NOT_LISTENING);
  await expect(failed).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: 'POST http://127.0.0.1:1/http/orders…: no answer (ECONNREFUSED)',
  });
});

describe('A rest of the path is refused', () => {
  test.each([
    '..',
    '.',
    '../invoices',
    'a/../../invoices',
    'a/./b',
    '%2e%2e/invoices',
    '.%2E',
    '%252e%252e/invoices',
    '..;/invoices',
    '..;v=1/invoices',
    ';v=1',
    '.. ',
    '..%20',
    '//flows.example.net/x',
    'a//b',
    'a/',
    'a\\b',
    'a%5cb',
    'a%2fb',
    'a%252Fb',
    'a?b=c',
    'a#b',
    'a%00b',
    'a\nb',
    'a\tb',
    'a%0d%0ab',
    '%',
    '%zz',
    '%ff',
    '\ud800',
    'x'.repeat(2_049),
  ])('a rest of the path like %j is refused', async (rest) => {
    const refused = await refusal(settings, withRest(rest));
    expect(refused).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
    expect(refused.message).toBe(
      '"x-path" of the message: expected the rest of a path, without dot segments, backslash, ? and #; the sender must correct it',
    );
  });
});
