/**
 * The request that goes out to the OData sender adapter: method, JSON, and the CSRF token of the service beforehand.
 */
import { describe, expect, test } from 'vitest';
import { message, onWire, sent } from './sender-adapter.ts';

const SERVICE = '/gw/odata/SAP/ORDERS;v=1';
const odata = { adapter: 'odata' };
const plain = { ...odata, csrf: false };

test('the call of an OData service follows the fetch of a CSRF token at the service’s root', async () => {
  const payload = '{"Id":"4711"}';
  expect(await sent(`${SERVICE}/Orders?sap-language=DE`, odata, message(payload))).toEqual([
    {
      line: `HEAD ${SERVICE}/?sap-language=DE`,
      headers: ['Authorization: Bearer t0ken', 'X-CSRF-Token: Fetch'],
      body: '',
    },
    {
      line: `POST ${SERVICE}/Orders?sap-language=DE`,
      headers: [
        'Accept: application/json',
        'Content-Type: application/json',
        'SAP_ApplicationID: order-4711',
        'Authorization: Bearer t0ken',
        'X-CSRF-Token: abc',
        'Cookie: SESSION=1',
        `Content-Length: ${payload.length}`,
      ],
      body: payload,
    },
  ]);
});

describe('The CSRF token is fetched', () => {
  test.each([
    ['at the root of a service', `${SERVICE}/Orders('1')/Items`, `${SERVICE}/`],
    ['at the root itself', SERVICE, `${SERVICE}/`],
    ['at the root with its slash', `${SERVICE}/`, `${SERVICE}/`],
    ['below a path of a proxy', `/api${SERVICE}/$batch`, `/api${SERVICE}/`],
    ['at the endpoint, where it has another form', '/odata/orders', '/odata/orders'],
  ])('the CSRF token of an OData service is fetched %s', async (_, path, fetched) => {
    const [fetch] = await sent(path, odata, message('{}'));
    expect(fetch?.line).toBe(`HEAD ${fetched}`);
  });

  test('no CSRF token of an OData service is fetched, where the settings say so', async () => {
    expect((await onWire(`${SERVICE}/Orders`, plain, message('{}'))).line).toBe(`POST ${SERVICE}/Orders`);
  });
});

describe('The call', () => {
  test.each(['POST', 'PUT', 'MERGE', 'PATCH', 'DELETE'])(
    'the call of an OData service has the method of the settings: %s',
    async (method) => {
      const call = await onWire(`${SERVICE}/Orders('1')`, { ...plain, method }, message('{}'));
      expect(call.line).toBe(`${method} ${SERVICE}/Orders('1')`);
    },
  );

  test('the call of an OData service goes to the entity that the message names', async () => {
    const what = message('{}', { headers: { 'x-entity': "Orders('4711')" } });
    const call = await onWire(SERVICE, { ...plain, method: 'MERGE', pathFrom: 'X-Entity' }, what);
    expect(call.line).toBe(`MERGE ${SERVICE}/Orders('4711')`);
  });

  test('the call of an OData service has the message’s content type, of Atom, too', async () => {
    const contentType = 'application/atom+xml;type=entry';
    const call = await onWire(`${SERVICE}/Orders`, plain, message('<entry/>', { contentType }));
    expect(call.headers).toContain(`Content-Type: ${contentType}`);
  });

  test('the call of an OData service asks for the format of the settings or the message in place of JSON', async () => {
    const set = await onWire(SERVICE, { ...plain, headers: { accept: 'application/atom+xml' } }, message('{}'));
    const what = message('{}', { headers: { accept: 'text/xml' } });
    const forwarded = await onWire(SERVICE, { ...plain, forwardHeaders: ['accept'] }, what);
    const accepts = [set, forwarded].map(({ headers }) => headers.filter((line) => /^accept:/i.test(line)));
    expect(accepts).toEqual([['accept: application/atom+xml'], ['accept: text/xml']]);
  });

  test('the call of an OData service passes a batch through, byte for byte', async () => {
    const contentType = 'multipart/mixed; boundary="batch_4711"';
    const payload = Buffer.from(
      '--batch_4711\r\nContent-Type: application/http\r\n\r\n\xfc\0\r\n--batch_4711--',
      'latin1',
    );
    const call = await onWire(`${SERVICE}/$batch`, plain, message(payload, { contentType }));
    expect(call.headers).toContain(`Content-Type: ${contentType}`);
    expect(call.body).toBe(payload.toString('latin1'));
  });

  test('the call of an OData service passes on SAP’s passport and the trace, which came with the message', async () => {
    const headers = { traceparent: '00-a-b-01', 'sap-passport': '2A54482A' };
    const call = await onWire(SERVICE, plain, message('{}', { headers }));
    expect(call.headers).toEqual(expect.arrayContaining(['traceparent: 00-a-b-01', 'sap-passport: 2A54482A']));
  });
});
