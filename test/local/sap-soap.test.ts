/** The two SOAP senders over HTTP: envelopes of both versions, replies, acknowledgements, faults, and what the log has of them. */
import { createClientAsync } from 'soap';
import { afterEach, describe, expect, test } from 'vitest';
import type { Deployment, FlowResult } from '../../infra/local/sap/integration-flow.ts';
import { page, type Reply, type Sending, startTenant, stopTenants } from './sap-tenant.ts';

const namespaces = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
};
const contentTypes = { '1.1': 'text/xml; charset=utf-8', '1.2': 'application/soap+xml; charset=utf-8' };
const versions = ['1.1', '1.2'] as const;
type Version = (typeof versions)[number];

const envelope = (version: Version, body: string, header = ''): string =>
  `<e:Envelope xmlns:e="${namespaces[version]}"><e:Header>${header}</e:Header><e:Body>${body}</e:Body></e:Envelope>`;

afterEach(stopTenants);

/** A tenant with one flow, `Soap` at /soap, and a way to send to it. */
async function soapFlow(deployment: Partial<Deployment> = {}) {
  const tenant = await startTenant('cf');
  tenant.node.deploy({ name: 'Soap', sender: 'soap', address: '/soap', ...deployment });
  const bearer = await tenant.token();
  const send = (
    version: Version,
    body: string | Buffer,
    { headers = {}, ...sending }: Sending & { path?: string } = {},
  ): Promise<Reply> =>
    tenant.send(sending.path ?? '/cxf/soap', bearer, {
      ...sending,
      body,
      headers: { 'content-type': contentTypes[version], ...headers },
    });
  return { ...tenant, bearer, send };
}

const faultOf = {
  '1.1': (code: string): RegExp => new RegExp(`<faultcode>soap:${code}</faultcode><faultstring>`),
  '1.2': (code: string): RegExp =>
    new RegExp(`<soap:Code><soap:Value>soap:${code}</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang="en">`),
};
const clientCode = { '1.1': 'Client', '1.2': 'Sender' };
const serverCode = { '1.1': 'Server', '1.2': 'Receiver' };

describe.each(versions)('SOAP %s', (version) => {
  test('request and reply: the flow gets the Body’s content byte for byte, the sender an envelope around the result', async () => {
    const { node, send } = await soapFlow({ answer: () => ({ status: 200, body: '<ok/>' }) });
    const content = ' <o:Order xmlns:o="urn:o" a=\'1\'><n>Ä&amp;€ 𝄞</n><![CDATA[<raw>]]><!-- c --></o:Order>\r\n';
    const body = envelope(version, content);
    const reply = await send(version, body);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe(
      version === '1.1' ? 'text/xml;charset=UTF-8' : 'application/soap+xml;charset=UTF-8',
    );
    expect(reply.body).toBe(
      `<soap:Envelope xmlns:soap="${namespaces[version]}"><soap:Body><ok/></soap:Body></soap:Envelope>`,
    );
    expect(node.messages).toMatchObject([
      {
        sender: 'soap',
        body: Buffer.from(body),
        soap: { version, payload: content },
        status: 200,
        mplStatus: 'COMPLETED',
      },
    ]);
  });

  test('a flow without a result is answered with an empty Body, also on a runtime that answers HTTPS with 204', async () => {
    const { send } = await soapFlow({ runtime: 8 });
    const reply = await send(version, envelope(version, '<o/>'));
    expect(reply).toMatchObject({ status: 200, body: expect.stringContaining('<soap:Body></soap:Body>') });
  });

  test('the status of a called receiver may come through', async () => {
    const { send } = await soapFlow({ answer: () => ({ status: 202, body: '<later/>' }) });
    expect(await send(version, envelope(version, '<o/>'))).toMatchObject({
      status: 202,
      body: expect.stringContaining('<later/>'),
    });
  });

  test('the action is what the version says it is', async () => {
    const { node, send } = await soapFlow();
    const headers =
      version === '1.1'
        ? { soapaction: '"urn:o/Send"' }
        : { 'content-type': 'application/soap+xml;action="urn:o/Send"' };
    await send(version, envelope(version, '<o/>'), { headers });
    await send(version, envelope(version, '<o/>'), { headers: version === '1.1' ? { soapaction: '""' } : {} });
    expect(node.messages.map(({ soap }) => soap?.action)).toEqual(['urn:o/Send', version === '1.1' ? '' : undefined]);
  });

  const other = version === '1.1' ? '1.2' : '1.1';
  test.each([
    ['no XML', 'not XML at all', 'client', 'Error reading XMLStreamReader'],
    ['nothing', '', 'client', 'Error reading XMLStreamReader'],
    ['JSON', '{"order":1}', 'client', 'Error reading XMLStreamReader'],
    ['XML that ends early', envelope(version, '<o/>').slice(0, -3), 'client', 'Error reading XMLStreamReader'],
    ['an undeclared prefix', envelope(version, '<p:o/>'), 'client', 'Error reading XMLStreamReader'],
    ['a payload without an envelope', '<Order/>', 'client', 'no Envelope'],
    ['an envelope of the other version', envelope(other, '<o/>'), 'VersionMismatch', 'is not a valid SOAP version'],
    ['an envelope of no version', '<Envelope><Body/></Envelope>', 'VersionMismatch', 'is not a valid SOAP version'],
    ['an envelope without a Body', `<e:Envelope xmlns:e="${namespaces[version]}"/>`, 'client', 'no Body'],
    [
      'a Body of the other version',
      `<e:Envelope xmlns:e="${namespaces[version]}"><Body xmlns="${namespaces[other]}"/></e:Envelope>`,
      'client',
      'no Body',
    ],
    [
      'a header block that must be understood',
      envelope(version, '<o/>', '<h:h xmlns:h="urn:h" e:mustUnderstand="1"/>'),
      'MustUnderstand',
      '[{urn:h}h] are not understood',
    ],
    ['a DOCTYPE', `<!DOCTYPE o>${envelope(version, '<o/>')}`, 'client', 'Received event DTD'],
    [
      'entities that grow',
      `<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${envelope(version, '<o>&b;</o>')}`,
      'client',
      'Received event DTD',
    ],
    [
      'an entity from elsewhere',
      `<!DOCTYPE o SYSTEM "file:///etc/passwd">${envelope(version, '<o/>')}`,
      'client',
      'Received event DTD',
    ],
    ['an entity that is not declared', envelope(version, '<o>&nbsp;</o>'), 'client', 'Error reading XMLStreamReader'],
    [
      'elements nested too deep',
      envelope(version, `${'<a>'.repeat(99)}${'</a>'.repeat(99)}`),
      'client',
      'Maximum Element Depth',
    ],
    ['bytes that are not UTF-8', Buffer.from(envelope(version, '<o>é</o>'), 'latin1'), 'client', 'Invalid byte'],
  ] as const)('%s is a fault, and no flow runs', async (_what, body, code, text) => {
    const { node, send } = await soapFlow();
    const reply = await send(version, body as string | Buffer);
    expect(reply.status).toBe(500);
    expect(reply.body).toMatch(faultOf[version](code === 'client' ? clientCode[version] : code));
    expect(reply.body).toContain(text);
    expect(reply.headers['content-type']).toContain(contentTypes[version].split(';')[0]);
    expect(node.messages).toHaveLength(0);
    expect(node.requests).toMatchObject([{ status: 500, flowRan: false }]);
  });

  test('what is secret is announced: the envelope, and its payload alone', async () => {
    const { announced, bearer, send } = await soapFlow();
    const body = envelope(version, '<secret/>');
    await send(version, body);
    await send(version, envelope(version, ''));
    expect(announced).toEqual(expect.arrayContaining([bearer, body, '<secret/>']));
    expect(announced).not.toContain('');
  });

  test('the deepest that is taken', async () => {
    const { send } = await soapFlow();
    expect((await send(version, envelope(version, `${'<a>'.repeat(98)}${'</a>'.repeat(98)}`))).status).toBe(200);
  });

  test('a header block for another node need not be understood', async () => {
    const { send } = await soapFlow();
    const elsewhere = version === '1.1' ? 'e:actor' : 'e:role';
    const block = `<h:h xmlns:h="urn:h" e:mustUnderstand="1" ${elsewhere}="urn:elsewhere"/><h:i xmlns:h="urn:h"/>`;
    expect((await send(version, envelope(version, '<o/>', block))).status).toBe(200);
  });

  test('an exception is a server fault with the log’s id, and its text stays in the log', async () => {
    const { node, send } = await soapFlow({ answer: () => ({ exception: 'Order 7 is unknown' }) });
    const reply = await send(version, envelope(version, '<o/>'));
    expect(reply).toMatchObject({ status: 500, body: expect.stringMatching(faultOf[version](serverCode[version])) });
    const [message] = node.messages;
    expect(reply.body).toContain(
      `An internal error occurred. For error details check MPL ID ${message?.mplId} in message monitoring`,
    );
    expect(reply.body).not.toContain('unknown');
    expect(message).toMatchObject({ status: 500, mplStatus: 'FAILED', error: 'Order 7 is unknown' });
  });

  test.each([
    ['client', {}, 500, clientCode[version]],
    ['client', { clientFaultStatus: 400 }, 400, clientCode[version]],
    ['server', { clientFaultStatus: 400 }, 500, serverCode[version]],
  ] as const)('a %s fault of the flow’s own, with %o, is %i', async (fault, soap, status, code) => {
    const result: FlowResult = { fault, text: 'Order <7> & co', detail: '<d>7</d>' };
    const { node, send } = await soapFlow({ soap, answer: () => result });
    const reply = await send(version, envelope(version, '<o/>'));
    expect(reply).toMatchObject({ status, body: expect.stringMatching(faultOf[version](code)) });
    expect(reply.body).toContain('Order &lt;7&gt; &amp; co');
    expect(reply.body).toContain(
      version === '1.1' ? '<detail><d>7</d></detail>' : '<soap:Detail><d>7</d></soap:Detail>',
    );
    expect(node.messages).toMatchObject([{ mplStatus: 'FAILED', error: 'Order <7> & co' }]);
  });

  test('one-way, WS Standard: 202 before the flow has run, and its failure is in the log alone', async () => {
    const failing = Promise.withResolvers<FlowResult>();
    const { node, send } = await soapFlow({
      soap: { messageExchangePattern: 'one-way' },
      answer: () => failing.promise,
    });
    const reply = await send(version, envelope(version, '<o/>'));
    expect(reply).toMatchObject({ status: 202, body: '' });
    expect(node.messages).toHaveLength(0);
    expect(node.requests).toMatchObject([{ status: 202, flowRan: true }]);
    failing.resolve({ exception: 'too late' });
    expect(await node.waitForMessages(1)).toMatchObject([{ status: 202, mplStatus: 'FAILED', error: 'too late' }]);
  });

  test('one-way, Robust: 202 when the flow has run, a fault when it has failed', async () => {
    const robust = { messageExchangePattern: 'one-way', processing: 'robust' } as const;
    const results: FlowResult[] = [undefined, { status: 202 }, 'exception', { fault: 'client', text: 'no such order' }];
    const { node, send } = await soapFlow({ soap: robust, answer: () => results.shift() });
    const body = envelope(version, '<o/>');
    const replies = [
      await send(version, body),
      await send(version, body),
      await send(version, body),
      await send(version, body),
    ];
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 500, 500]);
    expect(replies.slice(0, 2).map((reply) => reply.body)).toEqual(['', '']);
    expect(replies[2]?.body).toMatch(faultOf[version](serverCode[version]));
    expect(replies[3]?.body).toMatch(faultOf[version](clientCode[version]));
    expect(node.messages.map(({ mplStatus }) => mplStatus)).toEqual(['COMPLETED', 'COMPLETED', 'FAILED', 'FAILED']);
  });

  test('what is too large is 413 with a fault and the log’s id, and no flow runs', async () => {
    const body = envelope(version, '<o/>');
    const { node, send } = await soapFlow({ maxBodyBytes: body.length });
    expect((await send(version, body)).status).toBe(200);
    const reply = await send(version, `${body} `);
    expect(reply).toMatchObject({ status: 413, body: expect.stringMatching(faultOf[version](serverCode[version])) });
    expect(reply.body).toMatch(/check MPL ID A[A-Za-z0-9_-]{27} in message monitoring/);
    expect(node.messages).toHaveLength(1);
  });
});

describe('encodings of an envelope', () => {
  const body = (declaration = ''): string => `${declaration}${envelope('1.1', '<o>Österreich</o>')}`;
  const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
  test.each([
    ['UTF-8, said by nobody', 'text/xml', Buffer.from(body())],
    ['UTF-8 with a byte order mark', 'text/xml', Buffer.from(`\uFEFF${body()}`)],
    ['Latin-1, said by the content type', 'text/xml; charset=ISO-8859-1', Buffer.from(body(), 'latin1')],
    [
      'Latin-1, said by the declaration',
      'text/xml',
      Buffer.from(body('<?xml version="1.0" encoding="ISO-8859-1"?>'), 'latin1'),
    ],
    [
      'UTF-8 by the content type, which comes first',
      'text/xml; charset=utf-8',
      Buffer.from(body('<?xml version="1.0" encoding="ISO-8859-1"?>')),
    ],
    ['UTF-16 with a byte order mark', 'text/xml', utf16(body())],
  ])('%s', async (_what, contentType, bytes) => {
    const { node, send } = await soapFlow();
    expect((await send('1.1', bytes, { headers: { 'content-type': contentType } })).status).toBe(200);
    expect(node.messages[0]?.soap?.payload).toBe('<o>Österreich</o>');
  });
});

describe('content types and methods', () => {
  test.each(['application/json', 'application/xml', 'text/plain', 'nonsense', ''])(
    '%s is a client fault',
    async (contentType) => {
      const { node, send } = await soapFlow();
      const reply = await send('1.1', envelope('1.1', '<o/>'), { headers: { 'content-type': contentType } });
      expect(reply).toMatchObject({ status: 500, body: expect.stringMatching(faultOf['1.1']('Client')) });
      expect(node.messages).toHaveLength(0);
    },
  );

  test.each([
    ['GET', 405, 'POST'],
    ['PUT', 405, 'GET, POST'],
    ['DELETE', 405, 'GET, POST'],
    ['HEAD', 405, 'GET, POST'],
  ])('%s is %i', async (method, status, allow) => {
    const { send } = await soapFlow();
    expect(await send('1.1', '', { method })).toMatchObject({ status, headers: { allow } });
  });
});

describe('where a SOAP flow answers', () => {
  test.each([
    ['/cxf/soap', 200],
    ['/cxf/soap/anything/else', 200],
    ['/cxf/soap?x=1', 200],
    ['/cxf/soapy', 404],
    ['/cxf/Soap', 404],
    ['/cxf/', 404],
    ['/http/soap', 404],
    ['/soap', 404],
    ['/gw/odata/SAP/soap;v=1', 404],
  ])('%s is %i', async (path, status) => {
    const { node, send } = await soapFlow();
    const reply = await send('1.1', envelope('1.1', '<o/>'), { path });
    expect(reply.status).toBe(status);
    expect(node.messages).toHaveLength(status === 200 ? 1 : 0);
    if (status === 404) expect(reply.body).toMatch(page(404, 'Not Found'));
  });

  test('an HTTPS flow is not found under /cxf, and may have the same address', async () => {
    const { node, send } = await soapFlow();
    node.deploy({ name: 'Https', address: '/soap', csrfProtected: false });
    await send('1.1', envelope('1.1', '<o/>'));
    await send('1.1', 'x', { path: '/http/soap' });
    expect((await send('1.1', 'x', { path: '/cxf/orders' })).status).toBe(404);
    expect(node.messages.map(({ flow }) => flow)).toEqual(['Soap', 'Https']);
    expect(() => node.deploy({ name: 'Other', sender: 'soap-rm', address: '/soap' })).toThrow(/already served by Soap/);
    expect(() => node.deploy({ name: 'Other', sender: 'soap', address: '/other/*' })).toThrow(
      /^address: must be a path/,
    );
  });

  test('the longest address wins', async () => {
    const { node, send } = await soapFlow();
    node.deploy({ name: 'Deep', sender: 'soap', address: '/soap/deep' });
    await send('1.1', envelope('1.1', '<o/>'), { path: '/cxf/soap/deep/er' });
    await send('1.1', envelope('1.1', '<o/>'), { path: '/cxf/soap/deeper' });
    expect(node.messages.map(({ flow }) => flow)).toEqual(['Deep', 'Soap']);
  });

  test('without a token it is 401, without the role 403, and no CSRF token is asked for unless the flow is set so', async () => {
    const { node, account, send } = await soapFlow();
    expect((await send('1.1', '', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    node.deploy({ name: 'Soap', sender: 'soap', address: '/soap', csrfProtected: true });
    expect((await send('1.1', envelope('1.1', '<o/>'))).headers['x-csrf-token']).toBe('required');
    account.unassignRole({ user: 'oauth_client_orders', role: 'ESBMessaging.send', subscription: 'acme-dev.iflmap' });
    expect((await send('1.1', envelope('1.1', '<o/>'))).status).toBe(403);
  });

  test('an answer that is cut or lost leaves a message that was processed', async () => {
    const { node, send } = await soapFlow();
    for (const fault of ['reset-after', 'half-answer'] as const) {
      node.server.fail({ fault });
      await expect(send('1.1', envelope('1.1', '<o/>'))).rejects.toThrow();
    }
    expect(node.messages).toHaveLength(2);
  });
});

describe('SOAP (SAP RM)', () => {
  const id = '00163ec1-abf4-1eeb-acbf-25ab61ffa285';
  const block = (text: string, namespace = 'http://www.sap.com/webas/640/soap/features/messageId/'): string =>
    `<m:messageId xmlns:m="${namespace}" e:mustUnderstand="1">${text}</m:messageId>`;
  const rmFlow = (deployment: Partial<Deployment> = {}) => soapFlow({ sender: 'soap-rm', ...deployment });

  test.each([
    ['?MessageId=x', '?MessageId=x', '', 'x'],
    ['a bare UUID in the query', `?MessageId=${id}`, '', id],
    ['uuid: in the query', `?MessageId=uuid:${id}`, '', id],
    ['urn:uuid: in the query', `?MessageId=urn%3Auuid%3A${id}`, '', id],
    ['a bare UUID in the header', '', block(id), id],
    ['uuid: in the header', '', block(`uuid:${id}`), id],
    ['urn:uuid: in the header', '', block(`\n urn:uuid:${id} `), id],
    ['the header before the query', '?MessageId=other', block(id), id],
    ['none', '', '', undefined],
    ['an empty one', '?MessageId=', '', undefined],
  ])('the message id: %s', async (_what, query, header, messageId) => {
    for (const version of versions) {
      const { node, send } = await rmFlow();
      const reply = await send(version, envelope(version, '<o/>', header), {
        path: `/cxf/soap${query}`,
        headers: { sap_applicationid: 'a' },
      });
      expect(reply).toMatchObject({ status: 202, body: '' });
      expect(node.messages).toMatchObject([{ sender: 'soap-rm', messageId, status: 202, soap: { payload: '<o/>' } }]);
      expect(node.messages[0]?.headers.SapMessageIdEx).toBe(messageId);
      expect(node.messages[0]?.headers.SapMessageId).toBe(messageId);
    }
  });

  test('a block of another namespace is no message id, and must be understood', async () => {
    const { send } = await rmFlow();
    const reply = await send('1.1', envelope('1.1', '<o/>', block(id, 'urn:elsewhere')));
    expect(reply.body).toMatch(faultOf['1.1']('MustUnderstand'));
  });

  test('quality of service and queue reach the flow', async () => {
    const { node, send } = await rmFlow();
    const path = `/cxf/soap?MessageId=${id}&QualityOfService=ExactlyOnceInOrder&QueueId=ORDERS_7`;
    await send('1.1', envelope('1.1', '<o/>'), { path });
    expect(node.messages).toMatchObject([
      {
        headers: { SapPlainSoapQoS: 'ExactlyOnceInOrder', SapPlainSoapQueueId: 'ORDERS_7' },
        soap: { qualityOfService: 'ExactlyOnceInOrder', queueId: 'ORDERS_7' },
      },
    ]);
  });

  test.each([
    '?QualityOfService=BestEffort',
    '?QualityOfService=ExactlyOnceInOrder',
    '?QualityOfService=ExactlyOnceInOrder&QueueId=',
  ])('%s is a client fault', async (query) => {
    const { node, send } = await rmFlow();
    const reply = await send('1.1', envelope('1.1', '<o/>'), { path: `/cxf/soap${query}` });
    expect(reply.body).toMatch(faultOf['1.1']('Client'));
    expect(node.messages).toHaveLength(0);
  });

  test('it is robust: a failure is a fault, and the same id runs the flow again', async () => {
    const results: FlowResult[] = ['exception', undefined, undefined];
    const { node, send } = await rmFlow({ answer: () => results.shift() });
    const statuses: number[] = [];
    for (let sends = 0; sends < 3; sends += 1) {
      statuses.push((await send('1.1', envelope('1.1', '<o/>'), { path: `/cxf/soap?MessageId=${id}` })).status);
    }
    expect(statuses).toEqual([500, 202, 202]);
    expect(node.messages.map(({ messageId, duplicate }) => [messageId, duplicate])).toEqual([
      [id, false],
      [id, false],
      [id, false],
    ]);
    expect(new Set(node.messages.map(({ mplId }) => mplId)).size).toBe(3);
    expect(results).toEqual([]);
  });

  test('it may be acknowledged with 200 and an empty envelope', async () => {
    const { send } = await rmFlow({ soap: { acknowledgement: 200 } });
    const reply = await send('1.2', envelope('1.2', '<o/>'));
    expect(reply).toMatchObject({ status: 200, body: expect.stringContaining('<soap:Body></soap:Body>') });
    expect(reply.headers['content-type']).toBe('application/soap+xml;charset=UTF-8');
  });
});

describe('an idempotent process call', () => {
  const sendIds = async ({ send }: Awaited<ReturnType<typeof soapFlow>>, ...ids: string[]): Promise<number[]> => {
    const statuses: number[] = [];
    for (const id of ids)
      statuses.push((await send('1.1', envelope('1.1', '<o/>'), { path: `/cxf/soap?MessageId=${id}` })).status);
    return statuses;
  };
  const rm = (deployment: Partial<Deployment>) =>
    soapFlow({ sender: 'soap-rm', idempotentProcessCall: {}, ...deployment });

  test('does the work once for an id; duplicates are in the log, with what they are', async () => {
    const worked: (string | undefined)[] = [];
    const flow = await rm({ answer: ({ messageId }) => void worked.push(messageId) });
    expect(await sendIds(flow, 'a', 'uuid:a', 'b', 'a')).toEqual([202, 202, 202, 202]);
    expect(worked).toEqual(['a', 'b']);
    expect(flow.node.messages.map(({ messageId, duplicate }) => [messageId, duplicate])).toEqual([
      ['a', false],
      ['a', true],
      ['b', false],
      ['a', true],
    ]);
  });

  test('forgets an id whose work has failed', async () => {
    const results: FlowResult[] = ['exception', { fault: 'server', text: 'again' }, undefined];
    const flow = await rm({ answer: () => results.shift() });
    expect(await sendIds(flow, 'a', 'a', 'a', 'a')).toEqual([500, 500, 202, 202]);
    expect(flow.node.messages.map(({ duplicate }) => duplicate)).toEqual([false, false, false, true]);
  });

  test('remembers for 90 days, also over a new deployment', async () => {
    const flow = await rm({});
    await sendIds(flow, 'a');
    flow.node.deploy({ name: 'Soap', sender: 'soap-rm', address: '/soap', idempotentProcessCall: {} });
    flow.clock.ms += 90 * 86_400_000 - 1;
    const later = await flow.token();
    const path = '/cxf/soap?MessageId=a';
    const again = { path, headers: { authorization: `Bearer ${later}` } };
    await flow.send('1.1', envelope('1.1', '<o/>'), again);
    flow.clock.ms += 1;
    await flow.send('1.1', envelope('1.1', '<o/>'), again);
    expect(flow.node.messages.map(({ duplicate }) => duplicate)).toEqual([false, true, false]);
  });

  test('of two at the same time one does the work', async () => {
    const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<FlowResult>()];
    const answer = (): Promise<FlowResult> => {
      begun.resolve();
      return done.promise;
    };
    const flow = await rm({ answer });
    const first = sendIds(flow, 'a');
    await begun.promise;
    expect(await sendIds(flow, 'a')).toEqual([202]);
    done.resolve(undefined);
    expect(await first).toEqual([202]);
    expect(flow.node.messages.map(({ duplicate }) => duplicate)).toEqual([true, false]);
  });

  test('answers a duplicate as it is set, and may take its id from elsewhere; without an id it does nothing', async () => {
    const { node, send } = await soapFlow({
      idempotentProcessCall: {
        id: ({ soap }) => (soap?.payload === '<none/>' ? undefined : soap?.payload),
        duplicate: { fault: 'client', text: 'known' },
      },
    });
    const replies: number[] = [];
    for (const payload of ['<a/>', '<a/>', '<b/>', '<none/>', '<none/>']) {
      replies.push((await send('1.1', envelope('1.1', payload))).status);
    }
    expect(replies).toEqual([200, 500, 200, 200, 200]);
    expect(node.messages.map(({ duplicate, mplStatus }) => [duplicate, mplStatus])[1]).toEqual([true, 'FAILED']);
  });

  test('is for every sender: HTTPS by SAP_ApplicationID', async () => {
    const { node, send } = await soapFlow();
    const idempotentProcessCall = { duplicate: { status: 208 } };
    node.deploy({ name: 'Once', address: '/once', csrfProtected: false, idempotentProcessCall });
    const post = () => send('1.1', 'x', { path: '/http/once', headers: { sap_applicationid: '7' } });
    expect([(await post()).status, (await post()).status]).toEqual([200, 208]);
  });
});

describe('the npm package soap as a client', () => {
  const operation = { name: 'Order', namespace: 'urn:acme:orders', fields: ['id', 'note'] };

  async function soapClient(deployment: Partial<Deployment>, { forceSoap12Headers = false } = {}) {
    const tenant = await soapFlow(deployment);
    const authorization = `Bearer ${tenant.bearer}`;
    const client = await createClientAsync(`${tenant.node.url}/cxf/soap?wsdl`, {
      wsdl_headers: { Authorization: authorization },
      forceSoap12Headers,
    });
    client.addHttpHeader('Authorization', authorization);
    return { ...tenant, client };
  }

  test.each([false, true])('calls request-reply by the WSDL, SOAP 1.2: %s', async (forceSoap12Headers) => {
    const { node, client } = await soapClient(
      {
        soap: { operation },
        answer: ({ soap }) => ({
          status: 200,
          body: `<OrderResponse xmlns="urn:acme:orders"><id>${/>(\d+)</.exec(soap?.payload ?? '')?.[1]}</id></OrderResponse>`,
        }),
      },
      { forceSoap12Headers },
    );
    const [result] = await client.OrderAsync({ id: '7', note: 'Ä & <b>' });
    expect(result).toEqual({ id: '7' });
    expect(node.messages).toMatchObject([
      { soap: { version: forceSoap12Headers ? '1.2' : '1.1', action: 'urn:acme:orders/Order' }, status: 200 },
    ]);
    expect(node.messages[0]?.soap?.payload).toContain('Ä &amp; &lt;b&gt;');
    expect(client.describe()).toMatchObject({
      OrderService: { OrderPort11: { Order: { input: { id: 'xsd:string' } } } },
    });
  });

  test.each([
    { sender: 'soap', soap: { operation, messageExchangePattern: 'one-way' } },
    { sender: 'soap-rm', soap: { operation } },
  ] as const)('calls one-way: %o', async (deployment) => {
    const { node, client } = await soapClient(deployment);
    const [result] = await client.OrderAsync({ id: '7' });
    expect(result).toBeNull();
    expect(await node.waitForMessages(1)).toMatchObject([{ status: 202 }]);
  });

  test.each([
    [false, 'client', { faultcode: 'soap:Client', faultstring: 'Order 7 is unknown', detail: { order: '7' } }],
    [false, 'server', { faultcode: 'soap:Server', faultstring: 'Order 7 is unknown', detail: { order: '7' } }],
    [true, 'client', { Code: { Value: 'soap:Sender' }, Reason: { Text: expect.anything() } }],
    [true, 'server', { Code: { Value: 'soap:Receiver' }, Reason: { Text: expect.anything() } }],
  ] as const)('gets a fault as its own error: SOAP 1.2 %s, %s', async (forceSoap12Headers, fault, expected) => {
    const answer = (): FlowResult => ({ fault, text: 'Order 7 is unknown', detail: '<order>7</order>' });
    const { client } = await soapClient({ soap: { operation }, answer }, { forceSoap12Headers });
    const error = await client.OrderAsync({ id: '7' }).then(
      () => undefined,
      (thrown: { root?: { Envelope?: { Body?: { Fault?: unknown } } } }) => thrown,
    );
    expect(error?.root?.Envelope?.Body?.Fault).toMatchObject(expected);
    expect(String(error)).toContain('Order 7 is unknown');
  });

  test.each([
    [{}, true],
    [{ soap: { messageExchangePattern: 'one-way' } }, false],
    [{ sender: 'soap-rm' }, false],
  ] as const)('finds output in the WSDL where there is a reply: %o', async (deployment, replies) => {
    const { send } = await soapFlow(deployment);
    const { body } = await send('1.1', '', { method: 'GET', path: '/cxf/soap?wsdl' });
    expect(body.includes('<wsdl:output')).toBe(replies);
    expect(body.includes('SendResponse')).toBe(replies);
  });

  test('needs a token for the WSDL as well', async () => {
    const { node, send } = await soapFlow();
    await expect(createClientAsync(`${node.url}/cxf/soap?wsdl`)).rejects.toThrow(/401/);
    expect((await send('1.1', '', { method: 'GET', path: '/cxf/soap?wsdl' })).body).toContain('urn:landscape:messages');
    expect(node.requests.every(({ flowRan }) => !flowRan)).toBe(true);
  });
});
