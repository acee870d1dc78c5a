/** The request that goes out to the SOAP 1.x sender adapter, byte by byte: content type, action, envelope. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { message, onWire, refusal, type Sent } from './sender-adapter.ts';

const PATH = '/cxf/orders';
const NS = { '1.1': 'http://schemas.xmlsoap.org/soap/envelope/', '1.2': 'http://www.w3.org/2003/05/soap-envelope' };
const envelope = (version: '1.1' | '1.2', inside = '<o:Order xmlns:o="urn:o"/>') =>
  `<s:Envelope xmlns:s="${NS[version]}"><s:Body>${inside}</s:Body></s:Envelope>`;
const wrapped = (inside: string, version: '1.1' | '1.2' = '1.1') =>
  `<soapenv:Envelope xmlns:soapenv="${NS[version]}"><soapenv:Body>${inside}</soapenv:Body></soapenv:Envelope>`;

function header(call: Sent, name: string): string | undefined {
  const found = call.headers.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `));
  expect(found.length).toBeLessThan(2);
  return found[0]?.slice(name.length + 2);
}

describe('The call of a SOAP endpoint', () => {
  test('is a POST with the envelope as it came, and nothing that SAP does not want', async () => {
    const call = await onWire(PATH, { adapter: 'soap' }, message(envelope('1.1')));
    expect(call).toEqual({
      line: 'POST /cxf/orders',
      headers: [
        'SOAPAction: ""',
        'Content-Type: text/xml; charset=utf-8',
        'SAP_ApplicationID: order-4711',
        'Authorization: Bearer t0ken',
        `Content-Length: ${envelope('1.1').length}`,
      ],
      body: envelope('1.1'),
    });
  });

  test('passes on SAP’s passport and the trace, which came with the message', async () => {
    const headers = { traceparent: '00-a-b-01', tracestate: 'x=1', 'sap-passport': '2A54482A', other: 'x' };
    const call = await onWire(PATH, { adapter: 'soap' }, message(envelope('1.1'), { headers }));
    expect(call.headers).toEqual(
      expect.arrayContaining(['traceparent: 00-a-b-01', 'tracestate: x=1', 'sap-passport: 2A54482A']),
    );
    expect(header(call, 'other')).toBeUndefined();
  });

  const ACTION = 'http://sap.com/xi/WebService/soap1.1';
  test.each<[string, object, string | undefined, string, string | undefined]>([
    ['1.1, with its action', { soapAction: ACTION }, undefined, 'text/xml; charset=utf-8', `"${ACTION}"`],
    ['1.2', { soapVersion: 1.2 }, undefined, 'application/soap+xml; charset=utf-8', undefined],
    [
      '1.2, with its action in the content type',
      { soapVersion: '1.2', soapAction: ACTION },
      undefined,
      `application/soap+xml; charset=utf-8; action="${ACTION}"`,
      undefined,
    ],
    ['1.1, of the message’s own type', {}, 'Text/XML;charset="UTF-8"', 'Text/XML;charset="UTF-8"', '""'],
    [
      '1.2, of the message’s own type, action and all',
      { soapAction: ACTION },
      'application/soap+xml; action="urn:own"',
      'application/soap+xml; action="urn:own"',
      undefined,
    ],
    [
      '1.1, with attachments',
      {},
      'multipart/related; type="text/xml"; boundary=b',
      'multipart/related; type="text/xml"; boundary=b',
      '""',
    ],
    ['1.1, where the message’s type is none of SOAP’s', {}, 'application/xml', 'text/xml; charset=utf-8', '""'],
    ['1.1, where the message says something quite else', {}, 'text/plain', 'text/xml; charset=utf-8', '""'],
    [
      '1.1, with the charset of the message’s type',
      {},
      'application/xml; charset=ISO-8859-1',
      'text/xml; charset=ISO-8859-1',
      '""',
    ],
    [
      '1.1, with none of what a charset’s name hides',
      {},
      'application/xml; charset="utf-16; action=x"',
      'text/xml; charset=utf-8',
      '""',
    ],
    ['1.1, with a charset of odd characters', {}, 'application/xml; charset="$&x"', 'text/xml; charset=$&x', '""'],
    ['1.1, of the settings’ type', { contentType: 'text/xml' }, undefined, 'text/xml', '""'],
    [
      '1.2, of the settings’ type and action',
      { soapVersion: '1.2', soapAction: ACTION, contentType: 'application/soap+xml; action="urn:set"' },
      undefined,
      'application/soap+xml; action="urn:set"',
      undefined,
    ],
  ])('in SOAP %s', async (_, settings, contentType, expectedType, expectedAction) => {
    const fields = contentType === undefined ? {} : { contentType };
    const call = await onWire(PATH, { adapter: 'soap', ...settings }, message(envelope('1.1'), fields));
    expect(header(call, 'Content-Type')).toBe(expectedType);
    expect(header(call, 'SOAPAction')).toBe(expectedAction);
    expect(call.body).toBe(envelope('1.1'));
  });

  test('has the action that the sender gave, where that header is forwarded', async () => {
    const what = message(envelope('1.1'), { headers: { soapaction: '"urn:senders"' } });
    const settings = { adapter: 'soap', soapAction: 'urn:set' };
    expect(header(await onWire(PATH, settings, what), 'SOAPAction')).toBe('"urn:set"');
    const forwarded = { ...settings, forwardHeaders: ['soapaction'] };
    expect(header(await onWire(PATH, forwarded, what), 'SOAPAction')).toBe('"urn:senders"');
  });
});

describe('An envelope’s encoding is told as it is', () => {
  const text = '<a>Müller</a>';
  const latin1 = (declaration: string) => Buffer.from(`${declaration}${text}`, 'latin1');
  test.each([
    ['UTF-8', Buffer.from(text), 'utf-8'],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${text}`), 'utf-8'],
    ['declared', latin1('<?xml version="1.0" encoding="ISO-8859-1"?>'), 'ISO-8859-1'],
    ['declared in single quotes', latin1("<?xml version='1.0'  encoding = 'windows-1252' ?>"), 'windows-1252'],
    [
      'declared, but recoded to UTF-8 on its way through a queue',
      Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`),
      'utf-8',
    ],
    ['UTF-16 with a byte order mark', Buffer.from(`\uFEFF${text}`, 'utf16le'), 'utf-16le'],
    ['UTF-16, big-endian', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(), 'utf-16be'],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['UTF-16, big-endian, without a mark', Buffer.from(text, 'utf16le').swap16(), 'utf-16be'],
    ['told by nobody', latin1(''), 'utf-8'],
  ])('%s', async (_, payload, charset) => {
    const call = await onWire(PATH, { adapter: 'soap' }, message(payload));
    expect(header(call, 'Content-Type')).toBe(`text/xml; charset=${charset}`);
    expect(call.body).toBe(payload.toString('latin1'));
  });

  test('and in the settings’ words, where those mean the same', async () => {
    const settings = { adapter: 'soap', contentType: 'text/xml;charset="UTF8"' };
    expect(header(await onWire(PATH, settings, message(text)), 'Content-Type')).toBe('text/xml;charset="UTF8"');
  });
});

describe('A payload that comes as a stream', () => {
  const declaration = '<?xml version="1.0" encoding="ISO-8859-1"?>';
  const bytes = Buffer.from(`${declaration}<a>Müller</a>`, 'latin1');
  const open = async () => Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]);
  const streamed = { ...message(''), body: { bytes: bytes.byteLength, open } };

  test.each([
    ['goes out as it is', false, bytes.toString('latin1')],
    ['is wrapped', true, `${declaration}${wrapped('<a>Müller</a>')}`],
  ])('%s, in the encoding that it declares', async (_, soapWrap, body) => {
    const call = await onWire(PATH, { adapter: 'soap', soapWrap }, streamed);
    expect(call.body).toBe(body);
    expect(header(call, 'Content-Type')).toBe('text/xml; charset=ISO-8859-1');
  });

  test('goes through untouched, where its content type says all', async () => {
    const call = await onWire(PATH, { adapter: 'soap' }, { ...streamed, contentType: 'text/xml' });
    expect(call.body).toBe(bytes.toString('latin1'));
    expect(header(call, 'Content-Type')).toBe('text/xml');
  });
});

describe('Wrapped is', () => {
  const wrap = { adapter: 'soap', soapWrap: true };

  test.each([
    ['a payload, byte for byte', '<a  b = "1">\r\n<!-- c --><![CDATA[ & ]]>&#228;</a >\n', undefined],
    ['without its declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<a/>', '\n<a/>'],
    ['without its byte order mark', '\uFEFF<?xml version="1.0"?><a/>', '<a/>'],
    ['with what precedes its root', '<!-- c --><?pi x?><a/>', undefined],
    ['in no namespace of ours', '<Envelope xmlns="urn:mine"><Body/></Envelope>', undefined],
    ['one that only looks like an envelope', '<Envelope/>', undefined],
    ['beyond the basic plane', '<a>😀</a>', undefined],
  ])('%s', async (_, payload, inside = payload) => {
    const call = await onWire(PATH, wrap, message(payload));
    expect(Buffer.from(call.body, 'latin1').toString()).toBe(wrapped(inside));
    expect(header(call, 'Content-Type')).toBe('text/xml; charset=utf-8');
    expect(header(call, 'SOAPAction')).toBe('""');
  });

  test('in SOAP 1.2 where that is set', async () => {
    const call = await onWire(PATH, { ...wrap, soapVersion: '1.2' }, message('<a/>', { contentType: 'text/xml' }));
    expect(call.body).toBe(wrapped('<a/>', '1.2'));
    expect(header(call, 'Content-Type')).toBe('application/soap+xml; charset=utf-8');
  });

  test.each([
    ['by its declaration', '<?xml version="1.0" encoding="ISO-8859-15"?>', {}, 'ISO-8859-15'],
    ['by its content type', '', { contentType: 'application/xml; charset=ISO-8859-1' }, 'ISO-8859-1'],
    ['by a name that XML does not take', '', { contentType: 'text/xml; charset=ISO_8859-1:1987' }, 'windows-1252'],
  ])('a payload in another encoding, known %s, with a declaration of that', async (_, declaration, fields, charset) => {
    const payload = Buffer.from(`${declaration}<a>Müller</a>`, 'latin1');
    const call = await onWire(PATH, wrap, message(payload, fields));
    expect(call.body).toBe(`<?xml version="1.0" encoding="${charset}"?>${wrapped('<a>Müller</a>')}`);
    expect(header(call, 'Content-Type')).toBe(`text/xml; charset=${charset}`);
  });

  test.each<[string, string, Record<string, string>, string]>([
    ['an envelope', envelope('1.1'), {}, 'text/xml; charset=utf-8'],
    ['an envelope of the other version', envelope('1.2'), {}, 'application/soap+xml; charset=utf-8'],
    ['an envelope with a type of its own', envelope('1.1'), { contentType: 'text/xml' }, 'text/xml'],
    [
      'an envelope with attachments',
      `--b\r\n\r\n${envelope('1.1')}\r\n--b--`,
      { contentType: 'multipart/related; boundary=b' },
      'multipart/related; boundary=b',
    ],
    ['an envelope that is broken behind its body', envelope('1.1', '<a>'), {}, 'text/xml; charset=utf-8'],
  ])('not %s: it goes as it is', async (_, payload, fields, contentType) => {
    const call = await onWire(PATH, wrap, message(payload, fields));
    expect(call.body).toBe(payload);
    expect(header(call, 'Content-Type')).toBe(contentType);
  });

  const whole = 'expected well-formed XML without a document type declaration';
  test.each<[string, string | Buffer, string, Record<string, string>?]>([
    ['JSON', '{"hunter":22}', whole],
    ['nothing', '', whole],
    ['a text', 'hunter22', whole],
    ['XML that ends too early', '<hunter22><b></hunter22>', whole],
    ['XML that goes on', '<hunter22/><b/>', whole],
    ['XML that closes our body', '<a/></soapenv:Body></soapenv:Envelope>', whole],
    ['an undeclared prefix', '<hunter:a/>', whole],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY hunter "22">]><a>&hunter;</a>', whole],
    ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/hunter22"><a/>', whole],
    ['an undefined entity', '<a>&hunter;</a>', whole],
    ['XML 1.1', '<?xml version="1.1"?><hunter22/>', 'expected XML 1.0, as SOAP does'],
    ['depth beyond measure', '<a>'.repeat(1_001) + '</a>'.repeat(1_001), whole],
    [
      'UTF-16',
      Buffer.from('<hunter22/>', 'utf16le'),
      'expected an encoding that has ASCII in it, as UTF-8 and ISO-8859-1 have',
    ],
    [
      'an encoding that nobody knows',
      '<hunter22/>',
      'expected an encoding that has ASCII in it, as UTF-8 and ISO-8859-1 have',
      { contentType: 'text/xml; charset=ebcdic-hunter' },
    ],
    [
      'bytes that nobody explains',
      Buffer.from('<a>\xfchunter</a>', 'latin1'),
      'expected UTF-8, or an XML declaration that names the encoding',
    ],
    [
      'bytes that contradict the content type',
      Buffer.from('<a>\xfchunter</a>', 'latin1'),
      'the bytes are not what the encoding utf-8 allows',
      { contentType: 'text/xml; charset=UTF-8' },
    ],
    [
      'compressed bytes',
      Buffer.from('1f8b0800', 'hex'),
      'expected UTF-8, or an XML declaration that names the encoding',
    ],
  ])('not %s: it is refused before any call, in words without the payload', async (_, payload, problem, fields) => {
    const refused = await refusal(wrap, message(payload, fields));
    expect(refused).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
    expect(refused.message).toBe(`the payload cannot go out in an envelope: ${problem}; the sender must correct it`);
  });
});
