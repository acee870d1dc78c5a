/**
 * The two SOAP senders over HTTP: envelopes of both versions, replies, acknowledgements, faults, and what the log has
 * of them.
 */
import { createClientAsync } from 'soap';
import { afterEach, describe, expect, test } from 'vitest';
import type { Deployment, FlowResult } from '../../infra/local/sap/runtime-node/integration-flow.ts';
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
const codeOf = ({ body }: Reply): string | undefined =>
  /<(?:faultcode|soap:Code><soap:Value)>soap:(\w+)</.exec(body)?.[1];
const clientCode = { '1.1': 'Client', '1.2': 'Sender' };
const serverCode = { '1.1': 'Server', '1.2': 'Receiver' };

describe.each(versions)('SOAP %s', (version) => {
  test('a request-reply flow gets the Body byte for byte, and its result goes back in an envelope', async () => {
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

  test('a flow without a result is answered with an empty Body, also where HTTPS would get 204', async () => {
    const { send } = await soapFlow({ runtime: 8 });
    const reply = await send(version, envelope(version, '<o/>'));
    expect(reply).toMatchObject({ status: 200, body: expect.stringContaining('<soap:Body></soap:Body>') });
  });

  test('the status of a receiver that the flow calls may become that of the answer', async () => {
    const { send } = await soapFlow({ answer: () => ({ status: 202, body: '<later/>' }) });
    expect(await send(version, envelope(version, '<o/>'))).toMatchObject({
      status: 202,
      body: expect.stringContaining('<later/>'),
    });
  });

  test('the action stands where the SOAP version says it does', async () => {
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
  const bare = (content: string): string => `<e:Envelope xmlns:e="${namespaces[version]}">${content}</e:Envelope>`;
  const deep = '<a>'.repeat(99) + '</a>'.repeat(99);
  test.each([
    // Up to the first start tag in the Body the fault is the client's.
    ['no XML', 'not XML at all', 'client', 'Error reading XMLStreamReader'],
    ['nothing', '', 'client', 'Error reading XMLStreamReader'],
    ['JSON', '{"order":1}', 'client', 'Error reading XMLStreamReader'],
    ['a root with an undeclared prefix', '<e:Envelope/>', 'client', 'Error reading XMLStreamReader'],
    ['a header that is malformed', envelope(version, '<o/>', '<h><x></h>'), 'client', 'Error reading XMLStreamReader'],
    ['a header that is cut off', envelope(version, '<o/>', '<h>').slice(0, 120), 'client', 'Error reading'],
    ['a header nested too deep', envelope(version, '<o/>', deep), 'client', 'Maximum Element Depth'],
    ['a Body that is cut off at once', bare('<e:Body>').slice(0, -13), 'client', 'Error reading XMLStreamReader'],
    ['an undeclared prefix first in the Body', envelope(version, '<p:o/>'), 'client', 'Error reading XMLStreamReader'],
    [
      'a root of SOAP with another name',
      `<e:Env xmlns:e="${namespaces[version]}"/>`,
      'client',
      'Invalid SOAP Envelope name',
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
    // What is behind it the flow would have read.
    ['a payload that is malformed', envelope(version, '<o><n></o>'), 'server', 'Error during type conversion'],
    [
      'a payload that is cut off',
      envelope(version, '<o><n>12').slice(0, -'</e:Body></e:Envelope>'.length),
      'server',
      'Error during type conversion',
    ],
    ['an undeclared prefix further in', envelope(version, '<o><p:n/></o>'), 'server', 'Error during type conversion'],
    ['an entity that is not declared', envelope(version, '<o>&nbsp;</o>'), 'server', 'Error during type conversion'],
    ['a payload nested too deep', envelope(version, deep), 'server', 'Maximum Element Depth'],
    ['an envelope that is cut off at its end', envelope(version, '<o/>').slice(0, -3), 'server', 'Error during type'],
    ['an envelope without a Body', bare(''), 'server', 'Fault occurred'],
    ['a header without a Body', bare('<e:Header/>'), 'server', 'Fault occurred'],
    ['a Body of the other version', bare(`<Body xmlns="${namespaces[other]}"/>`), 'server', 'Fault occurred'],
    [
      'bytes that are not UTF-8',
      Buffer.from(envelope(version, '<o>é</o>'), 'latin1'),
      'server',
      'Couldn&apos;t parse stream',
    ],
    [
      'bytes that are not UTF-8 in a header',
      Buffer.from(envelope(version, '<o/>', '<h>é</h>'), 'latin1'),
      'server',
      'Couldn&apos;t parse stream',
    ],
    // What is no envelope of SOAP.
    ['XML without an envelope', '<Order/>', 'mismatch', 'No namespace on &quot;Order&quot; element'],
    ['XML of a namespace without one', '<Order xmlns="urn:o"/>', 'mismatch', '&quot;urn:o&quot;, the namespace on'],
    ['an envelope of no version', '<Envelope><Body/></Envelope>', 'mismatch', 'You must send a SOAP message'],
    ['an envelope of an unknown version', '<Envelope xmlns="urn:x"/>', 'mismatch', 'is not a valid SOAP version'],
  ] as const)('a message with %s is a fault, and no flow runs', async (_what, body, code, text) => {
    const { node, send } = await soapFlow();
    const reply = await send(version, body as string | Buffer);
    expect(reply.status).toBe(500);
    const codes = { client: clientCode, server: serverCode, mismatch: { '1.1': 'VersionMismatch', '1.2': 'Receiver' } };
    expect(codeOf(reply)).toBe(codes[code][version]);
    expect(reply.body.includes('>ns1:VersionMismatch<')).toBe(version === '1.2' && code === 'mismatch');
    expect(reply.body).toContain(text.replaceAll('&apos;', "'"));
    expect(reply.headers['content-type']).toBe(`${contentTypes[version].split(';')[0]};charset=UTF-8`);
    expect(node.messages).toHaveLength(0);
    expect(node.requests).toMatchObject([{ status: 500, flowRan: false }]);
  });

  const next = {
    '1.1': ['e:actor=""', 'e:actor="http://schemas.xmlsoap.org/soap/actor/next"'],
    '1.2': [
      'e:role=""',
      'e:role="http://www.w3.org/2003/05/soap-envelope/role/next"',
      'e:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"',
    ],
  };
  test.each(['', ...next[version]])('a header block that must be understood, %s, is a fault', async (whose) => {
    const { node, send } = await soapFlow();
    const reply = await send(
      version,
      envelope(version, '<o/>', `<h:h xmlns:h="urn:h" e:mustUnderstand="1" ${whose}/>`),
    );
    expect([reply.status, codeOf(reply)]).toEqual([500, 'MustUnderstand']);
    expect(reply.body).toContain('[{urn:h}h] are not understood');
    expect(node.messages).toHaveLength(0);
  });

  test('the envelope is announced as secret, and its payload alone', async () => {
    const { announced, bearer, send } = await soapFlow();
    const body = envelope(version, '<secret/>');
    await send(version, body);
    await send(version, envelope(version, ''));
    expect(announced).toEqual(expect.arrayContaining([bearer, body, '<secret/>']));
    expect(announced).not.toContain('');
  });

  test('an envelope as deep as the limit is accepted', async () => {
    const { send } = await soapFlow();
    expect((await send(version, envelope(version, `${'<a>'.repeat(98)}${'</a>'.repeat(98)}`))).status).toBe(200);
  });

  test.each(['urn:elsewhere', 'http://www.w3.org/2003/05/soap-envelope/role/none'])(
    'a header block for another node, %s, need not be understood',
    async (role) => {
      const { send } = await soapFlow();
      const elsewhere = version === '1.1' ? 'e:actor' : 'e:role';
      const block = `<h:h xmlns:h="urn:h" e:mustUnderstand="1" ${elsewhere}="${role}"/><h:i xmlns:h="urn:h"/>`;
      expect((await send(version, envelope(version, '<o/>', block))).status).toBe(200);
    },
  );

  test('an exception is a server fault with the MPL id, and its text stays in the log', async () => {
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

  test('a one-way flow with WS Standard answers 202 before it runs; its failure is in the log alone', async () => {
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

  test('a one-way flow with Robust answers 202 when it has run, a fault when it has failed', async () => {
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

  test('an envelope that is too large is 413 with a fault and the MPL id, and no flow runs', async () => {
    const body = envelope(version, '<o/>');
    const { node, send } = await soapFlow({ maxBodyBytes: body.length });
    expect((await send(version, body)).status).toBe(200);
    const reply = await send(version, `${body} `);
    expect(reply).toMatchObject({ status: 413, body: expect.stringMatching(faultOf[version](serverCode[version])) });
    expect(reply.body).toMatch(/check MPL ID A[A-Za-z0-9_-]{27} in message monitoring/);
    expect(node.messages).toHaveLength(1);
  });
});

describe('an envelope of the other version', () => {
  test('an envelope of 1.2 without its content type meets an endpoint of 1.1 with VersionMismatch', async () => {
    const { node, send } = await soapFlow();
    const reply = await send('1.1', envelope('1.2', '<o/>'));
    expect([reply.status, codeOf(reply)]).toEqual([500, 'VersionMismatch']);
    expect(reply.body).toContain('A SOAP 1.2 message is not valid when sent to a SOAP 1.1 only endpoint.');
    expect(node.messages).toHaveLength(0);
  });

  test('an envelope of 1.1 with the content type of 1.2 is accepted, and answered in 1.1', async () => {
    const { node, send } = await soapFlow({ answer: () => ({ status: 200, body: '<ok/>' }) });
    const reply = await send('1.2', envelope('1.1', '<o/>'));
    expect(reply.body).toContain(`<soap:Envelope xmlns:soap="${namespaces['1.1']}">`);
    expect(reply.headers['content-type']).toBe('text/xml;charset=UTF-8');
    expect(node.messages).toMatchObject([{ soap: { version: '1.1' } }]);
  });

  test.each([
    ['that is malformed', envelope('1.1', '<o><n></o>'), 'Server'],
    ['without a Body', `<e:Envelope xmlns:e="${namespaces['1.1']}"/>`, 'Server'],
    ['with a block to be understood', envelope('1.1', '<o/>', '<h e:mustUnderstand="1"/>'), 'MustUnderstand'],
  ])('an envelope of the other version, %s, gets a fault of 1.1 as well', async (_what, body, code) => {
    const { send } = await soapFlow();
    const reply = await send('1.2', body);
    expect(reply.body).toMatch(faultOf['1.1'](code));
    expect(reply.headers['content-type']).toBe('text/xml;charset=UTF-8');
  });
});

describe.each(versions)('charsets of an envelope of SOAP %s', (version) => {
  const type = contentTypes[version].split(';')[0];
  const xml = (declaration = ''): string => `${declaration}${envelope(version, '<o>Österreich €</o>')}`;
  const utf16 = (order: 'le' | 'be', text: string): Buffer => {
    const bytes = Buffer.from(text, 'utf16le');
    return order === 'le' ? bytes : bytes.swap16();
  };
  const latin1 = xml().replace('€', '&#8364;');
  const misread = Buffer.from('Österreich €').toString('latin1');

  test.each([
    ['UTF-8', '; charset=utf-8', Buffer.from(xml()), 'UTF-8', 'Österreich €'],
    ['UTF-8 in quotes', '; charset="UTF-8"', Buffer.from(xml()), 'UTF-8', 'Österreich €'],
    ['UTF-8 with its mark', '; charset=utf-8', Buffer.from(`\uFEFF${xml()}`), 'UTF-8', 'Österreich €'],
    [
      'the type, not the declaration',
      '; charset=utf-8',
      Buffer.from(xml('<?xml version="1.0" encoding="ISO-8859-1"?>')),
      'UTF-8',
      'Österreich €',
    ],
    ['ISO-8859-1', '; charset=ISO-8859-1', Buffer.from(latin1, 'latin1'), 'ISO-8859-1', 'Österreich &#8364;'],
    [
      'windows-1252',
      '; charset=windows-1252',
      Buffer.from(xml().replace('€', '\x80'), 'latin1'),
      'windows-1252',
      'Österreich €',
    ],
    ['UTF-16 with its mark', '; charset=UTF-16', utf16('le', `\uFEFF${xml()}`), 'UTF-16', 'Österreich €'],
    ['UTF-16 without its mark, high byte first', '; charset=UTF-16', utf16('be', xml()), 'UTF-16', 'Österreich €'],
    ['UTF-16LE', '; charset=UTF-16LE', utf16('le', xml()), 'UTF-16LE', 'Österreich €'],
    ['none named, which is ISO-8859-1', '', Buffer.from(latin1, 'latin1'), 'ISO-8859-1', 'Österreich &#8364;'],
    ['none named, though it is UTF-8: read as ISO-8859-1', '', Buffer.from(xml()), 'ISO-8859-1', misread],
    [
      'none named, though the declaration does',
      '',
      Buffer.from(xml('<?xml version="1.0" encoding="UTF-8"?>')),
      'ISO-8859-1',
      misread,
    ],
  ])('the charset of an envelope is found: %s', async (_what, charset, bytes, answered, text) => {
    const { node, send } = await soapFlow({ answer: () => ({ status: 200, body: '<ok>Ä €</ok>' }) });
    const headers = { 'content-type': `${type}${charset}` };
    const reply = await send(version, bytes, { headers });
    expect([reply.status, reply.headers['content-type']]).toEqual([200, `${type};charset=${answered}`]);
    expect(node.messages[0]?.soap?.payload).toBe(`<o>${text}</o>`);
    const decoder = new TextDecoder(answered === 'UTF-16' ? 'utf-16be' : answered);
    const read = decoder.decode(reply.bytes).replace('&#x20ac;', '€').replace('&#xc4;', 'Ä');
    expect(read).toContain('<ok>Ä €</ok>');
    node.deploy({ name: 'Soap', sender: 'soap', address: '/soap', answer: () => ({ fault: 'server', text: 'Ä €' }) });
    const fault = await send(version, bytes, { headers });
    expect([fault.status, fault.headers['content-type']]).toEqual([500, `${type};charset=${answered}`]);
    expect(decoder.decode(fault.bytes)).toMatch(/>(Ä|&#xc4;) (€|&#x20ac;)</);
  });

  test.each([
    ['UTF-16 with its mark, none named', '', utf16('le', `\uFEFF${xml()}`), clientCode[version]],
    ['UTF-8 with its mark, none named', '', Buffer.from(`\uFEFF${xml()}`), serverCode[version]],
    ['an umlaut in US-ASCII', '; charset=us-ascii', Buffer.from(xml()), serverCode[version]],
    ['UTF-16, low byte first without its mark', '; charset=UTF-16', utf16('le', xml()), clientCode[version]],
  ])('an envelope with %s is a fault', async (_what, charset, bytes, code) => {
    const { node, send } = await soapFlow();
    const reply = await send(version, bytes, { headers: { 'content-type': `${type}${charset}` } });
    const [, answered = ''] = /charset=(.*)$/.exec(String(reply.headers['content-type'])) ?? [];
    const decoder = new TextDecoder(answered === 'UTF-16' ? 'utf-16be' : answered);
    expect([reply.status, codeOf({ ...reply, body: decoder.decode(reply.bytes) })]).toEqual([500, code]);
    expect(node.messages).toHaveLength(0);
  });

  test('a charset that nobody knows is 500 with a page', async () => {
    const { node, send } = await soapFlow();
    const reply = await send(version, xml(), { headers: { 'content-type': `${type}; charset=nobody` } });
    expect(reply).toMatchObject({ status: 500, body: expect.stringMatching(page(500, 'Internal Server Error')) });
    expect(node.messages).toHaveLength(0);
  });
});

describe.each(versions)('attachments of SOAP %s', (version) => {
  const type = contentTypes[version].split(';')[0];
  const related = `multipart/related; boundary=b; type="${type}"; start="<root>"`;
  const root = (charset = '; charset=UTF-8'): string =>
    `Content-Type: ${type}${charset}\r\nContent-ID: <root>\r\n\r\n${envelope(version, '<o>Ä</o>')}`;
  const attached = 'Content-Type: text/plain\r\nContent-ID: <a>\r\n\r\nattached';
  const bodyOf = (...parts: string[]): string => `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;

  test.each([
    ['the envelope and an attachment', related, bodyOf(root(), attached), '<o>Ä</o>'],
    ['the envelope alone', related, bodyOf(root()), '<o>Ä</o>'],
    ['lines that end with LF', related, bodyOf(root(), attached).replaceAll('\r\n', '\n'), '<o>Ä</o>'],
    ['no last boundary', related, bodyOf(root(), attached).replace('--b--', ''), '<o>Ä</o>'],
    ['no boundary named', `multipart/related; type="${type}"`, bodyOf(root(), attached), '<o>Ä</o>'],
    ['a root that names no charset', related, bodyOf(root('')), `<o>${Buffer.from('Ä').toString('latin1')}</o>`],
    ['a charset beside the boundary alone', `${related}; charset=utf-8`, bodyOf(root('')), '<o>Ä</o>'],
    [
      'XOP',
      `multipart/related; boundary=b; type="application/xop+xml"; start-info="${type}"`,
      bodyOf(root().replace(type ?? '', `application/xop+xml; type="${type}"`)),
      '<o>Ä</o>',
    ],
  ])('a flow gets the payload of an envelope with attachments: %s', async (_what, contentType, body, payload) => {
    const { node, send } = await soapFlow({ answer: () => ({ status: 200, body: '<ok/>' }) });
    const reply = await send(version, body, { headers: { 'content-type': contentType } });
    expect(reply).toMatchObject({ status: 200, body: expect.stringContaining('<ok/>') });
    expect(node.messages).toMatchObject([{ soap: { version, payload } }]);
  });

  test.each([
    ['a root that is not the first part', related, bodyOf(attached, root()), clientCode[version]],
    ['a boundary that is not there', related.replace('=b', '=z'), bodyOf(root()), serverCode[version]],
    ['multipart/mixed', `multipart/mixed; boundary=b; type="${type}"`, bodyOf(root()), clientCode[version]],
  ])('a message with attachments and %s is a fault', async (_what, contentType, body, code) => {
    const { node, send } = await soapFlow();
    const reply = await send(version, body, { headers: { 'content-type': contentType } });
    expect([reply.status, codeOf(reply)]).toEqual([500, code]);
    expect(node.messages).toHaveLength(0);
  });
});

describe('content types and methods', () => {
  test.each(['application/json', 'application/xml', 'text/plain; charset=utf-8', 'nonsense', ''])(
    'an envelope with the content type %s is accepted all the same',
    async (contentType) => {
      const { node, send } = await soapFlow();
      const reply = await send('1.1', envelope('1.1', '<o/>'), { headers: { 'content-type': contentType } });
      expect(reply.status).toBe(200);
      expect(reply.headers['content-type']).toMatch(/^text\/xml;charset=/);
      expect(node.messages).toMatchObject([{ soap: { payload: '<o/>' } }]);
    },
  );

  test.each([
    ['GET', 405, 'POST'],
    ['PUT', 405, 'GET, POST'],
    ['DELETE', 405, 'GET, POST'],
    ['HEAD', 405, 'GET, POST'],
  ])('a SOAP request with %s is %i', async (method, status, allow) => {
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
  ])('the address of a SOAP flow, %s, is %i', async (path, status) => {
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

  test('the longest address of a SOAP flow wins', async () => {
    const { node, send } = await soapFlow();
    node.deploy({ name: 'Deep', sender: 'soap', address: '/soap/deep' });
    await send('1.1', envelope('1.1', '<o/>'), { path: '/cxf/soap/deep/er' });
    await send('1.1', envelope('1.1', '<o/>'), { path: '/cxf/soap/deeper' });
    expect(node.messages.map(({ flow }) => flow)).toEqual(['Deep', 'Soap']);
  });

  test('a SOAP flow answers 401 without token, 403 without role, and asks for no CSRF token by default', async () => {
    const { node, account, send } = await soapFlow();
    expect((await send('1.1', '', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    node.deploy({ name: 'Soap', sender: 'soap', address: '/soap', csrfProtected: true });
    expect((await send('1.1', envelope('1.1', '<o/>'))).headers['x-csrf-token']).toBe('required');
    account.unassignRole({ user: 'oauth_client_orders', role: 'ESBMessaging.send', subscription: 'acme-dev.iflmap' });
    expect((await send('1.1', envelope('1.1', '<o/>'))).status).toBe(403);
  });

  test('a SOAP answer that is cut or lost leaves a message that was processed', async () => {
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
  ])('the message id of SAP RM is found: %s', async (_what, query, header, messageId) => {
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

  test('quality of service and queue of SAP RM reach the flow', async () => {
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
  ])('an SAP RM message with %s is a client fault', async (query) => {
    const { node, send } = await rmFlow();
    const reply = await send('1.1', envelope('1.1', '<o/>'), { path: `/cxf/soap${query}` });
    expect(reply.body).toMatch(faultOf['1.1']('Client'));
    expect(node.messages).toHaveLength(0);
  });

  test('a failure of SAP RM is a fault, and the same id runs the flow again', async () => {
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

  test('an SAP RM message may be acknowledged with 200 and an empty envelope', async () => {
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

  test('an idempotent process call does the work once for an id; duplicates are marked in the log', async () => {
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

  test('an idempotent process call forgets an id whose work has failed', async () => {
    const results: FlowResult[] = ['exception', { fault: 'server', text: 'again' }, undefined];
    const flow = await rm({ answer: () => results.shift() });
    expect(await sendIds(flow, 'a', 'a', 'a', 'a')).toEqual([500, 500, 202, 202]);
    expect(flow.node.messages.map(({ duplicate }) => duplicate)).toEqual([false, false, false, true]);
  });

  test('an idempotent process call remembers for 90 days, also over a new deployment', async () => {
    const flow = await rm({});
    await sendIds(flow, 'a');
    flow.node.deploy({ name: 'Soap', sender: 'soap-rm', address: '/soap', idempotentProcessCall: {} });
    flow.clock.advance(90 * 86_400_000 - 1);
    const later = await flow.token();
    const path = '/cxf/soap?MessageId=a';
    const again = { path, headers: { authorization: `Bearer ${later}` } };
    await flow.send('1.1', envelope('1.1', '<o/>'), again);
    flow.clock.advance(1);
    await flow.send('1.1', envelope('1.1', '<o/>'), again);
    expect(flow.node.messages.map(({ duplicate }) => duplicate)).toEqual([false, true, false]);
  });

  test('an idempotent process call does the work once for two at the same time', async () => {
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

  test('an idempotent process call answers a duplicate as it is set; without an id it does nothing', async () => {
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

  test('an idempotent process call works for every sender: HTTPS by SAP_ApplicationID', async () => {
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

  test.each([false, true])(
    'the npm package soap as a client calls request-reply by the WSDL, SOAP 1.2: %s',
    async (forceSoap12Headers) => {
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
    },
  );

  test.each([
    { sender: 'soap', soap: { operation, messageExchangePattern: 'one-way' } },
    { sender: 'soap-rm', soap: { operation } },
  ] as const)('the npm package soap as a client calls one-way: %o', async (deployment) => {
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
  ] as const)(
    'the npm package soap as a client gets a fault as its own error: SOAP 1.2 %s, %s',
    async (forceSoap12Headers, fault, expected) => {
      const answer = (): FlowResult => ({ fault, text: 'Order 7 is unknown', detail: '<order>7</order>' });
      const { client } = await soapClient({ soap: { operation }, answer }, { forceSoap12Headers });
      const error = await client.OrderAsync({ id: '7' }).then(
        () => undefined,
        (thrown: { root?: { Envelope?: { Body?: { Fault?: unknown } } } }) => thrown,
      );
      expect(error?.root?.Envelope?.Body?.Fault).toMatchObject(expected);
      expect(String(error)).toContain('Order 7 is unknown');
    },
  );

  test.each([
    [{}, true],
    [{ soap: { messageExchangePattern: 'one-way' } }, false],
    [{ sender: 'soap-rm' }, false],
  ] as const)(
    'the npm package soap as a client finds output in the WSDL where there is a reply: %o',
    async (deployment, replies) => {
      const { send } = await soapFlow(deployment);
      const { body } = await send('1.1', '', { method: 'GET', path: '/cxf/soap?wsdl' });
      expect(body.includes('<wsdl:output')).toBe(replies);
      expect(body.includes('SendResponse')).toBe(replies);
    },
  );

  test('the npm package soap as a client needs a token for the WSDL as well', async () => {
    const { node, send } = await soapFlow();
    await expect(createClientAsync(`${node.url}/cxf/soap?wsdl`)).rejects.toThrow(/401/);
    expect((await send('1.1', '', { method: 'GET', path: '/cxf/soap?wsdl' })).body).toContain('urn:landscape:messages');
    expect(node.requests.every(({ flowRan }) => !flowRan)).toBe(true);
  });
});
