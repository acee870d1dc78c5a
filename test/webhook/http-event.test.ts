/** HTTP events of AWS, read: method, path, headers and body are the same whatever gateway the request came through. */
import { describe, expect, test } from 'vitest';
import { readHttpEvent } from '../../functions/webhook/event.ts';
import {
  functionUrl,
  httpApi1,
  httpApi2,
  loadBalancer,
  loadBalancerMultiValue,
  restApi,
  webhookEvent,
} from './aws-http-events.ts';

const joined = { header1: 'value1', header2: 'value1, value2' };

describe('AWS’s sample event', () => {
  test.each<[string, object, object]>([
    [
      'of an HTTP API, payload 2.0',
      httpApi2,
      {
        method: 'POST',
        path: '/my/path',
        headers: { header1: 'value1', header2: 'value1,value2' },
        isPathEncoded: false,
        body: Buffer.from('Hello from Lambda'),
        multiValue: false,
        isBodyText: true,
      },
    ],
    [
      'of a function URL',
      functionUrl,
      {
        method: 'POST',
        path: '/my/path',
        headers: { header1: 'value1', header2: 'value1,value2' },
        isPathEncoded: true,
        body: Buffer.from('Hello from client!'),
        multiValue: false,
        isBodyText: true,
        iamIdentity: 'AIDA...',
      },
    ],
    [
      'of an HTTP API, payload 1.0',
      httpApi1,
      {
        method: 'GET',
        path: '/my/path',
        isPathEncoded: false,
        headers: joined,
        body: Buffer.from('Hello from Lambda!'),
        multiValue: true,
        isBodyText: true,
      },
    ],
    [
      'of a REST API',
      restApi,
      {
        method: 'GET',
        path: '/my/path',
        isPathEncoded: true,
        headers: joined,
        body: Buffer.from('Hello from Lambda!'),
        multiValue: true,
        isBodyText: true,
      },
    ],
    [
      'of a load balancer',
      loadBalancer,
      {
        method: 'GET',
        path: '/lambda',
        isPathEncoded: true,
        headers: loadBalancer.headers,
        body: Buffer.alloc(0),
        multiValue: false,
        isBodyText: true,
      },
    ],
    [
      'of a load balancer with multi-value headers',
      loadBalancerMultiValue,
      {
        method: 'GET',
        path: '/lambda',
        isPathEncoded: true,
        headers: { accept: 'text/html', cookie: 'name1=value1, name2=value2', 'x-forwarded-port': '80' },
        body: Buffer.alloc(0),
        multiValue: true,
        isBodyText: true,
      },
    ],
  ])('the sample event of AWS is read: %s', (_, event, request) => {
    const { headers, ...read } = readHttpEvent(event) ?? { headers: {} };
    expect({ ...read, headers: { ...headers } }).toStrictEqual(request);
  });
});

describe('A body', () => {
  test.each<[string, object, Buffer]>([
    ['of text is its UTF-8', { body: 'Jörg \u{1F511}\u0000' }, Buffer.from('Jörg \u{1F511}\u0000')],
    ['in base64 is its bytes', { body: 'AP+A/w==', isBase64Encoded: true }, Buffer.from([0, 255, 128, 255])],
    ['that looks like base64 and is not said to be is text', { body: 'AP+A/w==' }, Buffer.from('AP+A/w==')],
    [
      'with a byte order mark keeps it',
      { body: '\uFEFF<a/>' },
      Buffer.from([0xef, 0xbb, 0xbf, 0x3c, 0x61, 0x2f, 0x3e]),
    ],
    ['that is absent is empty', { body: undefined }, Buffer.alloc(0)],
    ['that is null is empty', { body: null }, Buffer.alloc(0)],
    ['that is null and said to be base64 is empty', { body: null, isBase64Encoded: true }, Buffer.alloc(0)],
    ['of no bytes in base64 is empty', { body: '', isBase64Encoded: true }, Buffer.alloc(0)],
  ])('a body %s', (_, fields, body) => {
    expect(readHttpEvent({ ...webhookEvent(), ...fields })?.body).toEqual(body);
  });

  test.each(['AP+A/w', 'AP+A_w==', 'AP+A/w==\n', 'A', '====', 'AAA=AAA=', '{"order":4711}', 'AP A/w==', 'AAAA='])(
    'a body that is called base64 and is not is refused: %j',
    (body) => {
      expect(readHttpEvent(webhookEvent({ body, isBase64Encoded: true }))).toMatchObject({ body: undefined });
    },
  );

  test.each([[4711], [{ order: 4711 }], [true], [['x']]])('a body that is no text is refused: %j', (body) => {
    expect(readHttpEvent(webhookEvent({ body }))).toMatchObject({ method: 'POST', body: undefined });
  });
});

describe('Headers', () => {
  test.each<[string, object, object]>([
    [
      'are known by their names in lower case',
      { headers: { 'Content-Type': 'a', 'X-ID': 'B' } },
      { 'content-type': 'a', 'x-id': 'B' },
    ],
    ['that differ in case alone are one', { headers: { 'X-A': '1', 'x-a': '2' } }, { 'x-a': '1, 2' }],
    ['may be absent', { headers: undefined }, {}],
    ['may be null', { headers: null }, {}],
    ['may have no value', { headers: { 'x-a': null, 'x-b': '' } }, { 'x-a': '', 'x-b': '' }],
    [
      'may hold what is no text',
      { headers: { 'x-a': { toString: null }, 'x-b': [{}, 'b'] } },
      { 'x-a': '', 'x-b': ', b' },
    ],
    ['as lists win over single ones', { multiValueHeaders: { 'X-A': ['1', '2'] } }, { 'x-a': '1, 2' }],
    ['as lists that are null do not', { headers: { a: '1' }, multiValueHeaders: null }, { a: '1' }],
  ])('headers of an event %s', (_, fields, headers) => {
    expect(readHttpEvent(webhookEvent({ ...fields }))?.headers).toEqual(headers);
  });
});

test('a header named like something that every object has is read as it came', () => {
  const headers = JSON.parse('{"constructor":"a","__proto__":"b","toString":"c"}');
  const read = readHttpEvent(webhookEvent({ headers }))?.headers ?? {};
  expect(Object.entries(read)).toEqual([
    ['constructor', 'a'],
    ['__proto__', 'b'],
    ['tostring', 'c'],
  ]);
});

test('a domain that is no text belongs to no function URL, and breaks nothing', () => {
  const event = webhookEvent();
  const requestContext = { ...event.requestContext, domainName: { toString: null } };
  expect(readHttpEvent({ ...event, requestContext })).toMatchObject({ method: 'POST', isPathEncoded: false });
});

describe('What is no HTTP event', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'POST /webhooks/orders'],
    ['a list', [httpApi2]],
    ['an empty object', {}],
    ['a batch of SQS', { Records: [{ messageId: '1', body: '{}' }] }],
    ['a schedule', { version: '0', id: '1', 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} }],
    ['payload 2.0 without a method', { ...httpApi2, requestContext: {} }],
    ['payload 2.0 without a context', { ...httpApi2, requestContext: undefined }],
    ['payload 2.0 without a path', { ...httpApi2, rawPath: undefined }],
    ['payload 1.0 without a method', { ...restApi, httpMethod: null }],
    ['payload 1.0 without a path', { ...restApi, path: 7 }],
  ])('an event that is not of HTTP is recognised: %s', (_, event) => {
    expect(readHttpEvent(event)).toBeUndefined();
  });
});

test('a method is read in upper case', () => {
  expect(readHttpEvent(webhookEvent({ method: 'post' }))?.method).toBe('POST');
  expect(readHttpEvent({ ...restApi, httpMethod: 'put' })?.method).toBe('PUT');
});
