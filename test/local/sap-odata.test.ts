/**
 * The OData sender over HTTP: entity sets in memory, both formats, refusals in the service's own words, and `$batch`.
 */

import { afterEach, describe, expect, test } from 'vitest';
import type { Deployment, FlowResult } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import { cookiesOf, page, type Reply, type Sending, startTenant, stopTenants } from './sap-tenant.ts';

const service = '/gw/odata/SAP/ORDERS;v=1';
const json = { accept: 'application/json', 'content-type': 'application/json' };

afterEach(stopTenants);

/** A tenant with one flow without CSRF protection, `Orders`, and a way to call below its service. */
async function odataFlow(deployment: Partial<Deployment> = {}) {
  const tenant = await startTenant('cf');
  const deploy = (more: Partial<Deployment> = {}): void =>
    tenant.node.deploy({
      name: 'OData',
      sender: 'odata',
      address: '/ORDERS',
      csrfProtected: false,
      ...deployment,
      ...more,
    });
  deploy();
  const bearer = await tenant.token();
  const call = (method: string, resource: string, { headers = json, ...sending }: Sending = {}): Promise<Reply> =>
    tenant.send(`${service}${resource}`, bearer, { method, headers, ...sending });
  const create = (entity: unknown): Promise<Reply> => call('POST', '/Orders', { body: JSON.stringify(entity) });
  return { ...tenant, bearer, deploy, call, create };
}

const bodyOf = (
  reply: Reply,
): { d?: Record<string, unknown>; error?: { code: null; message: { lang: string; value: string } } } =>
  JSON.parse(reply.body);

describe('entity sets', () => {
  test('an entity is created, read, replaced, changed in part, and deleted', async () => {
    const { node, call, create } = await odataFlow();
    const created = await create({ OrderID: '7', Note: 'new', Open: true });
    const url = `${node.url}${service}/Orders('7')`;
    expect(created).toMatchObject({ status: 201, headers: { location: url, dataserviceversion: '2.0' } });
    const entity = { __metadata: { id: url, uri: url, type: 'FLOW.Orders' }, OrderID: '7', Note: 'new', Open: true };
    expect(bodyOf(created).d).toEqual(entity);
    const read = async (): Promise<unknown> => bodyOf(await call('GET', "/Orders('7')")).d;
    expect(await read()).toEqual(entity);
    const noContent = { status: 204, body: '' };
    expect(await call('MERGE', "/Orders('7')", { body: '{"Note":"merged"}' })).toMatchObject(noContent);
    expect(await read()).toEqual({ ...entity, Note: 'merged' });
    expect(await call('PATCH', "/Orders('7')", { body: '{"Note":"patched"}' })).toMatchObject(noContent);
    expect(await read()).toEqual({ ...entity, Note: 'patched' });
    expect(await call('PUT', "/Orders('7')", { body: '{"OrderID":"7","Open":false}' })).toMatchObject(noContent);
    expect(await read()).toEqual({ __metadata: entity.__metadata, OrderID: '7', Open: false });
    expect(await call('DELETE', "/Orders(OrderID='7')")).toMatchObject(noContent);
    expect((await call('GET', "/Orders('7')")).status).toBe(404);
    expect(node.messages.map(({ odata }) => odata?.kind)).toEqual([
      ...['create', 'read', 'merge', 'read', 'merge', 'read', 'update', 'read', 'delete', 'read'],
    ]);
    expect(node.messages[0]).toMatchObject({
      sender: 'odata',
      method: 'POST',
      status: 201,
      body: Buffer.from('{"OrderID":"7","Note":"new","Open":true}'),
      odata: { entitySet: 'Orders', key: undefined, batch: false },
    });
  });

  test('an entity set is read as a whole, or a page of it', async () => {
    const { call, create } = await odataFlow();
    for (const OrderID of ['1', '2', '3']) await create({ OrderID });
    const ids = async (query: string): Promise<unknown> => {
      const { d } = JSON.parse((await call('GET', `/Orders${query}`)).body);
      return d.results.map(({ OrderID }: { OrderID: unknown }) => OrderID);
    };
    expect(await ids('')).toEqual(['1', '2', '3']);
    expect(await ids('?$top=1')).toEqual(['1']);
    expect(await ids('?$skip=1&$top=5')).toEqual(['2', '3']);
  });

  test('an entity without a key gets one', async () => {
    const { call, create } = await odataFlow();
    const { OrderID } = bodyOf(await create({ Note: 'x' })).d ?? {};
    expect(OrderID).toMatch(/^[0-9a-f-]{36}$/);
    expect((await call('GET', `/Orders('${OrderID}')`)).status).toBe(200);
  });

  test.each(["O'Neill", 'a b/c', 'ä€', "''"])('the key of an entity may be %s', async (key) => {
    const { call, create } = await odataFlow();
    const created = await create({ OrderID: key });
    const path = String(created.headers.location).split(service)[1] ?? '';
    expect(bodyOf(await call('GET', path)).d).toMatchObject({ OrderID: key });
  });

  test('the body of an entity may be wrapped in d', async () => {
    const { create } = await odataFlow();
    expect(bodyOf(await create({ d: { __metadata: {}, OrderID: '7' } })).d).toMatchObject({ OrderID: '7' });
  });

  test('a new deployment begins with empty entity sets', async () => {
    const { deploy, call, create } = await odataFlow();
    await create({ OrderID: '7' });
    deploy();
    expect((await call('GET', "/Orders('7')")).status).toBe(404);
  });
});

describe('Atom, to who does not accept JSON', () => {
  const atom = { 'content-type': 'application/atom+xml', accept: 'application/atom+xml' };
  const entry =
    '<entry xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><content type="application/xml"><m:properties><d:OrderID>7</d:OrderID><d:Note>a &amp; b</d:Note><d:Gone m:null="true"/></m:properties></content></entry>';

  test('an entity is created from an Atom entry, and answered as one', async () => {
    const { call } = await odataFlow();
    const created = await call('POST', '/Orders', { headers: atom, body: entry });
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/atom+xml;type=entry;charset=utf-8');
    expect(created.body).toContain('<d:OrderID>7</d:OrderID><d:Note>a &amp; b</d:Note><d:Gone m:null="true"/>');
    expect(bodyOf(await call('GET', "/Orders('7')")).d).toMatchObject({ Note: 'a & b', Gone: null });
    const feed = await call('GET', '/Orders', { headers: {} });
    expect(feed.headers['content-type']).toBe('application/atom+xml;type=feed;charset=utf-8');
    expect(feed.body).toMatch(/^<\?xml[^>]*><feed .*<entry><id>.*<\/feed>$/);
    expect(bodyOf(await call('GET', "/Orders('7')?$format=json", { headers: {} })).d).toMatchObject({ OrderID: '7' });
  });

  test('an error in Atom has the same parts', async () => {
    const { call } = await odataFlow();
    const reply = await call('GET', '/%3C7%3E', { headers: {} });
    expect(reply.headers['content-type']).toBe('application/xml');
    expect(reply.body).toMatch(
      /<code\/><message xml:lang="en">Could not match segment: '&lt;7&gt;'.<\/message><\/error>$/,
    );
  });

  test.each(['not XML', '<entry/>', `<!DOCTYPE e [<!ENTITY x "y">]>${entry}`])(
    'an Atom body of %s is 400',
    async (body) => {
      const { call, node } = await odataFlow();
      const reply = await call('POST', '/Orders', { headers: { ...atom, accept: 'application/json' }, body });
      expect(reply.status).toBe(400);
      expect(bodyOf(reply).error?.message.value).toBe('The request body is malformed.');
      expect(node.messages).toHaveLength(0);
    },
  );
});

/** A set with a property of each type. */
const typed = {
  Orders: {
    key: 'OrderID',
    properties: {
      Note: 'Edm.String',
      Price: 'Edm.Int32',
      Amount: 'Edm.Decimal',
      Open: 'Edm.Boolean',
      Day: 'Edm.DateTime',
    },
  },
} as const;

describe('refusals', () => {
  const notAllowed = 'does not allow the HTTP method';
  const malformed = 'The request body is malformed.';
  test.each([
    ['GET', "/Orders('8')", undefined, 404, 'could not be found'],
    ['MERGE', "/Orders('8')", '{}', 404, 'could not be found'],
    ['PUT', "/Orders('8')", '{}', 404, 'could not be found'],
    ['DELETE', "/Orders('8')", undefined, 404, 'could not be found'],
    ['GET', '/Invoices', undefined, 404, "'Invoices'"],
    ['POST', '/Invoices', '{}', 404, "'Invoices'"],
    ['GET', '/Invoices(x)', undefined, 404, "'Invoices'"],
    ['GET', "/Orders('7'", undefined, 404, 'Could not match segment'],
    ['GET', '/Orders(x)', undefined, 400, "Unknown literal: '[x]'."],
    ['GET', '/Orders(7)', undefined, 400, "Format of '7' is not compatible with 'Edm.String'."],
    ['GET', '/Orders(OrderID=7)', undefined, 400, "Format of '7' is not compatible with 'Edm.String'."],
    ['GET', "/Orders(No='7')", undefined, 400, "Invalid key predicate: 'No='7''."],
    ['GET', '/%E0%A4%A', undefined, 400, 'percent-encoded'],
    ['POST', '/Orders', '{"OrderID":"7"}', 409, 'exists already'],
    ['POST', '/Orders', '{"OrderID":7}', 400, malformed],
    ['POST', '/Orders', '{"Order":', 400, malformed],
    ['POST', '/Orders', '[]', 400, malformed],
    ['POST', '/Orders', '', 400, malformed],
    ['POST', '/Orders', '{"Other":1}', 400, malformed],
    ['MERGE', "/Orders('7')", '{"Other":1}', 400, malformed],
    ['PUT', "/Orders('7')", '{"OrderID":"8"}', 400, 'cannot be changed'],
    ['PUT', '/Orders', '{}', 405, notAllowed],
    ['POST', "/Orders('7')", '{}', 405, notAllowed],
    ['POST', '/', '{}', 405, notAllowed],
    ['GET', '/$batch', undefined, 405, notAllowed],
    ['GET', '/Orders?$foo=1', undefined, 400, "Invalid system query option: '$foo'. "],
    ['GET', "/Orders('7')?$foo=1", undefined, 400, "Invalid system query option: '$foo'. "],
    ['GET', '/Orders?$top=x', undefined, 400, "Invalid value: 'x'."],
    ['GET', '/Orders?$skip=-1', undefined, 400, "Invalid value: '-1'."],
  ])('an OData request %s %s with %s is %i, without a code', async (method, resource, body, status, text) => {
    const { call, create } = await odataFlow({ odata: { entitySets: typed } });
    await create({ OrderID: '7' });
    const reply = await call(method, resource, body === undefined ? {} : { body });
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'application/json']);
    expect(bodyOf(reply).error).toEqual({ code: null, message: { lang: 'en', value: expect.stringContaining(text) } });
    expect(bodyOf(await call('GET', "/Orders('7')")).d).toMatchObject({ OrderID: '7' });
  });

  test.each(['foo=1', '$top=0', '$filter=true', '$select=Note', '$expand=Items', '$orderby=Note'])(
    'an OData request with %s is accepted',
    async (query) => {
      const { call } = await odataFlow();
      expect((await call('GET', `/Orders?${query}`)).status).toBe(200);
    },
  );

  test.each([
    ['1.0', 200],
    ['2.0', 200],
    ['2.0;SDK', 200],
    ['3.0', 400],
    ['x', 400],
  ])('an OData request with DataServiceVersion %s is %i', async (version, status) => {
    const { call } = await odataFlow();
    const reply = await call('GET', '/Orders', { headers: { ...json, DataServiceVersion: version } });
    expect(reply.status).toBe(status);
    if (status === 400) expect(reply.body).toContain(`Data Services Request version '${version}'`);
  });

  test.each([
    ['Price', 5, '5', ['"x"', '"5"', 'true', '{}']],
    ['Note', 'x', 'x', ['5', 'true', '[]']],
    ['Amount', '5.25', '5.25', ['"x"', 'true']],
    ['Open', true, 'true', ['"true"', '1']],
    ['Day', '/Date(0)/', '1970-01-01T00:00:00', ['"1970-01-01"', '5']],
  ])('a property %s takes %j, in Atom %s, and null; each of %j is 400', async (name, value, text, others) => {
    const { call, node } = await odataFlow({ odata: { entitySets: typed } });
    const post = (entity: string): Promise<Reply> => call('POST', '/Orders', { body: entity });
    expect(bodyOf(await post(JSON.stringify({ [name]: value }))).d?.[name]).toEqual(value);
    expect((await post(`{"${name}":null}`)).status).toBe(201);
    const atom = { accept: 'application/json', 'content-type': 'application/atom+xml' };
    const entry = (content: string): string =>
      `<entry xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><content type="application/xml"><m:properties><d:${name}>${content}</d:${name}></m:properties></content></entry>`;
    const created = await call('POST', '/Orders', { headers: atom, body: entry(text) });
    expect(bodyOf(created).d?.[name]).toEqual(value);
    const taken = node.messages.length;
    for (const other of others) {
      expect(bodyOf(await post(`{"${name}":${other}}`)).error?.message.value).toBe(malformed);
    }
    if (name !== 'Note') {
      expect((await call('POST', '/Orders', { headers: atom, body: entry('x') })).status).toBe(400);
    }
    expect(node.messages).toHaveLength(taken);
  });

  test.each(['5.5', '99999999999'])(
    'a value of %s for an Int32 is 500, an exception of the JSON reader',
    async (price) => {
      const { call } = await odataFlow({ odata: { entitySets: typed } });
      const reply = await call('POST', '/Orders', { body: `{"Price":${price}}` });
      expect([reply.status, bodyOf(reply).error?.message.value]).toEqual([500, `Expected an int but was ${price}`]);
    },
  );

  test.each(['text/plain', 'multipart/mixed', 'nonsense', ''])(
    'an OData body of content type %s is 415',
    async (contentType) => {
      const { call } = await odataFlow();
      const headers = { ...json, 'content-type': contentType };
      expect((await call('POST', '/Orders', { headers, body: '{}' })).status).toBe(415);
    },
  );

  test('a HEAD that fetches nothing, and OPTIONS, are 405', async () => {
    const { call } = await odataFlow();
    expect((await call('HEAD', '/Orders')).status).toBe(405);
    expect(await call('OPTIONS', '/Orders')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, POST, PUT, DELETE, PATCH, MERGE' },
    });
  });

  test.each([
    ['/gw/odata/SAP/ORDERS;v=1/Orders', 200],
    ['/gw/odata/SAP/ORDERS;v=1', 200],
    ['/gw/odata/SAP/ORDERS;v=2/Orders', 404],
    ['/gw/odata/SAP/ORDERS/Orders', 404],
    ['/gw/odata/SAP/orders;v=1/Orders', 404],
    ['/gw/odata/SAP/ORDERS;v=10', 404],
    ['/http/ORDERS', 404],
    ['/cxf/ORDERS', 404],
  ])('an OData request with %s is refused with %i', async (path, status) => {
    const { bearer, send } = await odataFlow();
    const reply = await send(path, bearer, { method: 'GET' });
    expect(reply.status).toBe(status);
    if (status === 404) expect(reply.body).toMatch(page(404, 'Not Found'));
  });
});

describe.each(['X-HTTP-Method', 'X-HTTP-Method-Override'])('a POST with %s', (name) => {
  test.each([
    ['MERGE', 204, { OrderID: '7', Note: 'new', Open: true }],
    ['PATCH', 204, { OrderID: '7', Note: 'new', Open: true }],
    ['PUT', 204, { OrderID: '7', Note: 'new' }],
    ['DELETE', 204, undefined],
    ['GET', 200, { OrderID: '7', Note: 'old', Open: true }],
    ['POST', 405, { OrderID: '7', Note: 'old', Open: true }],
    ['merge', 501, { OrderID: '7', Note: 'old', Open: true }],
  ])('a tunnelled POST %s is %i', async (method, status, entity) => {
    const { node, call, create } = await odataFlow();
    await create({ OrderID: '7', Note: 'old', Open: true });
    const reply = await call('POST', "/Orders('7')", { headers: { ...json, [name]: method }, body: '{"Note":"new"}' });
    expect(reply.status).toBe(status);
    if (status < 300) expect(node.messages[1]).toMatchObject({ method, headers: { CamelHttpMethod: method } });
    const { __metadata, ...left } = bodyOf(await call('GET', "/Orders('7')")).d ?? {};
    expect(left).toEqual(entity ?? {});
  });
});

test('two headers that name different methods are 400', async () => {
  const { call, create } = await odataFlow();
  await create({ OrderID: '7' });
  const headers = { ...json, 'X-HTTP-Method': 'MERGE', 'X-HTTP-Method-Override': 'PUT' };
  expect((await call('POST', "/Orders('7')", { headers, body: '{}' })).status).toBe(400);
});

describe('what the flow answers itself', () => {
  const failure = /^An internal server error occured: (.*)The MPL ID for the failed message is : (A[A-Za-z0-9_-]{27})$/;
  test.each([
    ['an exception', 'exception', {}, 500, failure, ''],
    ['an exception with its text', { exception: 'Order is locked.' }, {}, 500, failure, 'Order is locked. '],
    [
      'an exception that is not returned',
      { exception: 'Order is locked.' },
      { returnException: false },
      500,
      failure,
      '',
    ],
    ['a fault of the client’s', { fault: 'client', text: 'no such shop' }, {}, 400, /^no such shop$/, undefined],
    ['a fault of the server’s', { fault: 'server', text: 'no backend' }, {}, 500, failure, 'no backend '],
    ['an empty payload', { status: 200 }, {}, 500, /payload of the integration flow is empty/, undefined],
    [
      'an empty payload with 201',
      { status: 201, body: '' },
      {},
      500,
      /payload of the integration flow is empty/,
      undefined,
    ],
  ] as const)('a flow behind OData answers itself with %s', async (_what, result, deployment, status, text, detail) => {
    const { node, create } = await odataFlow({ ...deployment, answer: () => result as FlowResult });
    const reply = await create({ OrderID: '7' });
    expect(reply.status).toBe(status);
    const value = bodyOf(reply).error?.message.value ?? '';
    expect(value).toMatch(text);
    if (detail !== undefined) expect(failure.exec(value)?.slice(1)).toEqual([detail, node.messages[0]?.mplId]);
    expect(node.messages).toMatchObject([{ status }]);
  });

  test('a flow behind OData answers itself with any status, body and headers', async () => {
    const { create } = await odataFlow({ answer: () => ({ status: 202, headers: { 'x-step': '3' }, body: '{}' }) });
    expect(await create({})).toMatchObject({ status: 202, headers: { 'x-step': '3' }, body: '{}' });
  });

  test('a 204 of a flow behind OData is no empty payload', async () => {
    const { call } = await odataFlow({ answer: () => ({ status: 204 }) });
    expect((await call('PUT', "/Orders('7')", { body: '{}' })).status).toBe(204);
  });

  test('what the flow does not answer its entity sets do', async () => {
    const results: FlowResult[] = ['exception', undefined];
    const { create } = await odataFlow({ answer: () => results.shift() });
    expect([(await create({ OrderID: '7' })).status, (await create({ OrderID: '7' })).status]).toEqual([500, 201]);
  });

  test('an idempotent process call lets no duplicate reach the entity sets', async () => {
    const { node, call } = await odataFlow({ idempotentProcessCall: {} });
    const post = () => call('POST', '/Orders', { headers: { ...json, SAP_ApplicationID: 'one' }, body: '{}' });
    expect([(await post()).status, (await post()).status]).toEqual([201, 204]);
    expect(bodyOf(await call('GET', '/Orders')).d?.results).toHaveLength(1);
    expect(node.messages.map(({ messageId, duplicate }) => [messageId, duplicate])).toEqual([
      ['one', false],
      ['one', true],
      [undefined, false],
    ]);
  });
});

describe('what the service says of itself', () => {
  const entitySets = {
    Orders: { key: 'OrderID', properties: { Amount: 'Edm.Decimal' } },
    Items: { key: 'ItemID' },
  } as const;

  test.each(['', '/'])('the service document is served at %s', async (root) => {
    const { call, node } = await odataFlow({ odata: { entitySets } });
    expect(bodyOf(await call('GET', root)).d).toEqual({ EntitySets: ['Orders', 'Items'] });
    const xml = await call('GET', root, { headers: {} });
    expect(xml.headers['content-type']).toBe('application/atomsvc+xml;charset=utf-8');
    expect(xml.body).toContain('<collection href="Orders">');
    expect(node.messages).toHaveLength(0);
  });

  test('the service serves $metadata', async () => {
    const { call } = await odataFlow({ odata: { entitySets } });
    const { status, body } = await call('GET', '/$metadata');
    expect(status).toBe(200);
    expect(body).toContain('<EntityType Name="Orders"><Key><PropertyRef Name="OrderID"/></Key>');
    expect(body).toContain('<Property Name="Amount" Type="Edm.Decimal"/>');
    expect(body).toContain('<EntitySet Name="Items" EntityType="FLOW.Items"/>');
  });
});

describe('CSRF protection, which is the default', () => {
  test.each(['POST', 'PUT', 'MERGE', 'PATCH', 'DELETE'])(
    'a request by %s without a CSRF token is 403 with Required',
    async (method) => {
      const { node, deploy, call } = await odataFlow();
      deploy({ csrfProtected: true });
      const reply = await call(method, "/Orders('7')", method === 'DELETE' ? {} : { body: '{}' });
      expect(reply).toMatchObject({ status: 403, headers: { 'x-csrf-token': 'Required' } });
      expect(node.messages).toHaveLength(0);
    },
  );

  test.each([
    ['HEAD', '/'],
    ['GET', '/'],
    ['HEAD', '/Orders'],
  ])('a CSRF token is fetched by %s %s, and good for the whole service', async (method, resource) => {
    const { node, deploy, call } = await odataFlow();
    node.undeploy('OData');
    deploy({ csrfProtected: true });
    const fetched = await call(method, resource, { headers: { 'X-CSRF-Token': 'Fetch' } });
    expect(fetched.status).toBe(200);
    const headers = { ...json, 'x-csrf-token': String(fetched.headers['x-csrf-token']), cookie: cookiesOf(fetched) };
    expect((await call('POST', '/Orders', { headers, body: '{}' })).status).toBe(201);
    const batch = { ...headers, 'content-type': 'multipart/mixed; boundary=b' };
    expect(
      (
        await call('POST', '/$batch', {
          headers: batch,
          body: '--b\r\nContent-Type: application/http\r\n\r\nGET Orders HTTP/1.1\r\n\r\n\r\n--b--',
        })
      ).status,
    ).toBe(202);
  });
});

describe('$batch', () => {
  const operation = (request: string, body = '', headers = ''): string =>
    `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-Id: 1\r\n\r\n${request} HTTP/1.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n${headers}\r\n${body}`;
  const changeset = (...operations: string[]): string =>
    `Content-Type: multipart/mixed; boundary=c\r\n\r\n${operations.map((one) => `--c\r\n${one}\r\n`).join('')}--c--\r\n`;
  const batchOf = (...parts: string[]): string => `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;
  const headers = { 'content-type': 'multipart/mixed; boundary=b', SAP_ApplicationID: 'batch-1' };
  const statuses = ({ body }: Reply): number[] =>
    [...body.matchAll(/^HTTP\/1\.1 (\d{3}) \w+/gm)].map(([, status]) => Number(status));

  test('operations of a batch run in order, one message each, and an inner failure stops nothing', async () => {
    const { node, call } = await odataFlow();
    const parts = [
      changeset(operation('POST Orders', '{"OrderID":"1","Note":"ä"}')),
      changeset(operation("MERGE Orders('9')", '{}')),
      operation("GET Orders('1')"),
      changeset(operation("MERGE Orders('1')", '{"Note":"b"}', 'SAP_ApplicationID: own\r\n')),
      changeset(operation("DELETE Orders('1')")),
      operation("GET Orders('1')"),
    ];
    const reply = await call('POST', '/$batch', { headers, body: Buffer.from(batchOf(...parts)) });
    expect(reply.status).toBe(202);
    expect(reply.headers['content-type']).toMatch(/^multipart\/mixed; boundary=batch_[0-9a-f-]{36}$/);
    expect(statuses(reply)).toEqual([201, 404, 200, 204, 204, 404]);
    expect(reply.body).toContain('"Note":"ä"');
    expect(reply.body).toContain('Content-Id: 1');
    expect(node.messages.map(({ odata, messageId, status }) => [odata?.kind, odata?.batch, messageId, status])).toEqual(
      [
        ['create', true, 'batch-1', 201],
        ['merge', true, 'batch-1', 404],
        ['read', true, 'batch-1', 200],
        ['merge', true, 'own', 204],
        ['delete', true, 'batch-1', 204],
        ['read', true, 'batch-1', 404],
      ],
    );
    expect(node.messages[0]?.body.toString()).toBe('{"OrderID":"1","Note":"ä"}');
    expect(new Set(node.messages.map(({ mplId }) => mplId)).size).toBe(6);
    expect(node.requests).toMatchObject([{ status: 202 }]);
  });

  test('a changeset that fails is one answer in its place, in the error’s shape', async () => {
    const { call } = await odataFlow();
    const reply = await call('POST', '/$batch', {
      headers,
      body: batchOf(changeset(operation("MERGE Orders('9')", '{}'))),
    });
    expect(reply.body).not.toContain('changeset_');
    expect(JSON.parse(/\{.*\}/.exec(reply.body)?.[0] ?? '')).toMatchObject({
      error: { code: null, message: { lang: 'en' } },
    });
  });

  test.each([
    ['a changeset of two operations', changeset(operation('POST Orders', '{}'), operation('POST Orders', '{}')), [400]],
    ['a batch in the batch', changeset(operation('POST $batch', '')), [405]],
    ['a set that there is not', changeset(operation('POST Invoices', '{}')), [404]],
    ['a method by a header', changeset(operation("POST Orders('1')", '{}', 'X-HTTP-Method: MERGE\r\n')), [405]],
    ['an option that there is not', operation('GET Orders?$foo=1'), [400]],
    [
      'a body that is cut off by its length',
      changeset(operation('POST Orders', '{"a":1}', 'Content-Length: 3\r\n')),
      [400],
    ],
  ])('%s is refused in its place in the batch: %j', async (_what, part, expected) => {
    const { node, call } = await odataFlow();
    const reply = await call('POST', '/$batch', { headers, body: batchOf(part, operation('GET Orders')) });
    expect([reply.status, statuses(reply)]).toEqual([202, [...expected, 200]]);
    expect(node.messages).toHaveLength(1);
  });

  const line = (text: string): string =>
    `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n${text}\r\n\r\n`;
  test.each([
    ['a query in a changeset', changeset(operation('POST Orders', '{}'), operation('GET Orders'))],
    ['a changeset of a query alone', changeset(operation('GET Orders'))],
    ['a changeset of none', 'Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n'],
    ['a changeset without its end', changeset(operation('POST Orders', '{}')).replace('--c--', '')],
    [
      'a change without Content-Transfer-Encoding',
      changeset(operation('POST Orders', '{}').replace(/Content-T.*\r\n/, '')),
    ],
    ['a change outside of a changeset', operation('POST Orders', '{}')],
    ['no HTTP request', line('hello')],
    ['a request line without a version', line('GET Orders')],
    ['HTTP/1.0', line('GET Orders HTTP/1.0')],
    ['a method that there is not', line('NOPE Orders HTTP/1.1')],
    ['a part of another content type', operation('GET Orders').replace('application/http', 'text/plain')],
    ['a part without headers', '\r\nGET Orders HTTP/1.1\r\n\r\n'],
    ['a header line without a name', operation('GET Orders', '', 'bad\r\n')],
    ['no empty line behind the headers', `${line('GET Orders HTTP/1.1').trimEnd()}\r\n`],
    ['a length that is no number', operation('GET Orders', '', 'Content-Length: x\r\n')],
    ['a URL elsewhere', operation('GET http://elsewhere.example/gw/odata/SAP/ORDERS;v=1/Orders')],
  ])('%s makes the whole batch 400, and nothing of it is carried out', async (_what, part) => {
    const { node, call } = await odataFlow();
    const good = changeset(operation('POST Orders', '{}'));
    const reply = await call('POST', '/$batch', { headers: { ...json, ...headers }, body: batchOf(good, part, good) });
    expect(reply.status).toBe(400);
    expect(bodyOf(reply).error?.code).toBeNull();
    expect(node.messages).toHaveLength(0);
  });

  test('a batch with lines that end with LF alone is 400 as a whole; in a body they may', async () => {
    const { node, call } = await odataFlow();
    const body = batchOf(changeset(operation('POST Orders', '{"OrderID":"1",\n"Note":"x"}')));
    const post = (text: string): Promise<Reply> => call('POST', '/$batch', { headers, body: text });
    expect((await post(body.replaceAll('\r\n', '\n'))).status).toBe(400);
    expect((await post(body.replaceAll('\r\n\r\n', '\r\n\n'))).status).toBe(400);
    expect(node.messages).toHaveLength(0);
    expect(statuses(await post(body))).toEqual([201]);
  });

  test('a part of a batch without Accept is answered in Atom, whatever the batch accepts', async () => {
    const { call } = await odataFlow();
    const silent = (request: string): string => operation(request).replace('Accept: application/json\r\n', '');
    const body = batchOf(silent('GET Orders'), silent("GET Orders('9')"), operation("GET Orders('9')"));
    const reply = await call('POST', '/$batch', { headers: { ...json, ...headers }, body });
    expect(statuses(reply)).toEqual([200, 404, 404]);
    expect(reply.body.match(/Content-Type: application\/(?:atom|xml|json)[^\r]*/g)).toEqual([
      'Content-Type: application/atom+xml;type=feed;charset=utf-8',
      'Content-Type: application/xml',
      'Content-Type: application/json',
    ]);
  });

  test.each([
    ['a URL', 'http://127.0.0.1:<port>/gw/odata/SAP/ORDERS;v=1/Orders'],
    ['a path from the root', '/gw/odata/SAP/ORDERS;v=1/Orders'],
    ['a path from the service', 'Orders'],
    ['a path from the service with a slash', '/Orders'],
  ])('an operation of a batch may name %s', async (_what, target) => {
    const { node, call } = await odataFlow();
    const named = target.replace('<port>', String(node.server.port));
    const body = batchOf(changeset(operation(`POST ${named}`, '{}')));
    expect(statuses(await call('POST', '/$batch', { headers, body }))).toEqual([201]);
    expect(node.messages).toHaveLength(1);
  });

  test('a body in a batch has as many bytes as its length says', async () => {
    const { call } = await odataFlow();
    const body = batchOf(changeset(operation('POST Orders', '{"OrderID":"1"} trailing', 'Content-Length: 15\r\n')));
    expect(statuses(await call('POST', '/$batch', { headers, body }))).toEqual([201]);
  });

  test.each([
    ['another content type', batchOf(operation('GET Orders')), 'application/json'],
    ['no boundary', batchOf(operation('GET Orders')), 'multipart/mixed'],
    ['a boundary that does not occur', batchOf(operation('GET Orders')), 'multipart/mixed; boundary=x'],
    ['no end', batchOf(operation('GET Orders')).replace('--b--', ''), 'multipart/mixed; boundary=b'],
    ['no part', '--b--\r\n', 'multipart/mixed; boundary=b'],
    ['nothing', '', 'multipart/mixed; boundary=b'],
  ])('%s makes a batch 400 as a whole', async (_what, body, contentType) => {
    const { node, call } = await odataFlow();
    const reply = await call('POST', '/$batch', { headers: { ...json, 'content-type': contentType }, body });
    expect(reply.status).toBe(400);
    expect(bodyOf(reply).error?.code).toBeNull();
    expect(node.messages).toHaveLength(0);
  });

  test('a batch that is too large is 413 as at every sender, and its secrets are announced part by part', async () => {
    const { announced, call, deploy } = await odataFlow();
    await call('POST', '/$batch', { headers, body: batchOf(changeset(operation('POST Orders', '{"Note":"secret"}'))) });
    expect(announced).toContain('{"Note":"secret"}');
    deploy({ maxBodyBytes: 3 });
    expect(await call('POST', '/Orders', { body: '{"a":1}' })).toMatchObject({
      status: 413,
      body: expect.stringContaining('Message body exceeds configured size limit'),
    });
  });
});
