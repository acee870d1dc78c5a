/** The request that goes out to the SOAP 1.x sender adapter, byte by byte: content type, action, envelope. */

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { message, onWire, refusal, type Sent } from './sender-adapter.ts';
import { NS } from './soap-namespaces.ts';

const PATH = '/cxf/orders';
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
  test('the call of a SOAP endpoint is a POST with the envelope as it came', async () => {
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

  test('the call of a SOAP endpoint passes on SAP’s passport and the trace, which came with the message', async () => {
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
      'application/soap+xml; action="urn:own"; charset=utf-8',
      undefined,
    ],
    [
      '1.1, with attachments',
      {},
      'multipart/related; type="text/xml"; boundary=b; charset=utf-8',
      'multipart/related; type="text/xml"; boundary=b; charset=utf-8',
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
    ['1.1, of the settings’ type', { contentType: 'text/xml' }, undefined, 'text/xml; charset=utf-8', '""'],
    [
      '1.2, of the settings’ type and action',
      { soapVersion: '1.2', soapAction: ACTION, contentType: 'application/soap+xml; action="urn:set"' },
      undefined,
      'application/soap+xml; action="urn:set"; charset=utf-8',
      undefined,
    ],
  ])(
    'the call of a SOAP endpoint has the headers of SOAP %s',
    async (_, settings, contentType, expectedType, expectedAction) => {
      const fields = contentType === undefined ? {} : { contentType };
      const call = await onWire(PATH, { adapter: 'soap', ...settings }, message(envelope('1.1'), fields));
      expect(header(call, 'Content-Type')).toBe(expectedType);
      expect(header(call, 'SOAPAction')).toBe(expectedAction);
      expect(call.body).toBe(envelope('1.1'));
    },
  );

  test('the call of a SOAP endpoint has the action that the sender gave, where that header is forwarded', async () => {
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
    ['declared over several lines', latin1('<?xml  version\n=\n"1.0"\nencoding="ISO-8859-1"?>'), 'ISO-8859-1'],
    ['declared where no declaration can be', latin1('<a><?xml version="1.0" encoding="ISO-8859-1"?>'), 'utf-8'],
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
  ])('an envelope’s encoding is declared as it is: %s', async (_, payload, charset) => {
    const call = await onWire(PATH, { adapter: 'soap' }, message(payload));
    expect(header(call, 'Content-Type')).toBe(`text/xml; charset=${charset}`);
    expect(call.body).toBe(payload.toString('latin1'));
  });

  test('an envelope’s encoding is declared in the settings’ words, where those mean the same', async () => {
    const settings = { adapter: 'soap', contentType: 'text/xml;charset="UTF8"' };
    expect(header(await onWire(PATH, settings, message(text)), 'Content-Type')).toBe('text/xml;charset="UTF8"');
  });
});

describe('The charset is named beside the message’s own type', () => {
  const umlauts = '<a>Jürgen</a>';
  const declared = `<?xml version="1.0" encoding="ISO-8859-1"?>${umlauts}`;
  const related = (headers: string, root: string, encoding: BufferEncoding = 'utf8') =>
    Buffer.from(`pre\r\n--b\r\n${headers}\r\n${root}\r\n--b\r\n\r\n\u00e4\r\n--b--\r\n`, encoding);
  const RELATED = 'multipart/related; type="text/xml"; boundary=b';

  test.each<[string, Buffer, string, string]>([
    ['UTF-8, for a type that names none', Buffer.from(umlauts), 'text/xml', 'text/xml; charset=utf-8'],
    ['the same, with white space', Buffer.from(umlauts), ' text/xml ; a=b', ' text/xml ; a=b; charset=utf-8'],
    ['the same, behind a semicolon', Buffer.from(umlauts), 'text/xml; ', 'text/xml; charset=utf-8'],
    ['the same, for an empty one', Buffer.from(umlauts), 'text/xml; charset=""', 'text/xml; charset=utf-8'],
    ['the same, for one without a value', Buffer.from(umlauts), 'Text/XML;charset=', 'Text/XML; charset=utf-8'],
    [
      'the same, in SOAP 1.2',
      Buffer.from(umlauts),
      'application/soap+xml;action="a"',
      'application/soap+xml;action="a"; charset=utf-8',
    ],
    ['what is declared', Buffer.from(declared, 'latin1'), 'text/xml', 'text/xml; charset=ISO-8859-1'],
    ['UTF-8, where a queue recoded it', Buffer.from(declared), 'text/xml', 'text/xml; charset=utf-8'],
    ['UTF-16', Buffer.from(`\uFEFF${umlauts}`, 'utf16le'), 'text/xml', 'text/xml; charset=utf-16le'],
    ['nothing, where nobody tells it', Buffer.from(umlauts, 'latin1'), 'text/xml', 'text/xml'],
    ['its own, with white space', Buffer.from(umlauts), 'text/xml; charset = x-own', 'text/xml; charset = x-own'],
    ['its own, whatever is declared', Buffer.from(declared), 'text/xml; charset=x-own', 'text/xml; charset=x-own'],
    ['that of a root part', related('Content-Type: text/xml\r\n', umlauts), RELATED, `${RELATED}; charset=utf-8`],
    ['that of one without headers', related('', umlauts), RELATED, `${RELATED}; charset=utf-8`],
    ['that of its declaration', related('', declared, 'latin1'), RELATED, `${RELATED}; charset=ISO-8859-1`],
    [
      'none, where the root part names its own',
      related('content-type: a/b; charset=utf-8\r\n', umlauts),
      RELATED,
      RELATED,
    ],
    [
      'UTF-8 for parts without a boundary',
      related('', umlauts),
      'multipart/related',
      'multipart/related; charset=utf-8',
    ],
  ])(
    'the charset is named beside the message’s own type %s; the bytes stay',
    async (_, payload, contentType, expected) => {
      const call = await onWire(PATH, { adapter: 'soap' }, message(payload, { contentType }));
      expect(header(call, 'Content-Type')).toBe(expected);
      expect(call.body).toBe(payload.toString('latin1'));
    },
  );

  test('the charset is named beside the settings’ type, even where payloads are wrapped', async () => {
    const payload = related('', declared, 'latin1');
    const call = await onWire(PATH, { adapter: 'soap', soapWrap: true, contentType: RELATED }, message(payload));
    expect(header(call, 'Content-Type')).toBe(`${RELATED}; charset=ISO-8859-1`);
    expect(call.body).toBe(payload.toString('latin1'));
  });

  test.each(['https', 'odata'])(
    'the charset is not named with adapter %s: bytes and type are the message’s own',
    async (adapter) => {
      const what = message(umlauts, { contentType: 'text/xml' });
      const call = await onWire('/http/orders', { adapter, csrf: false }, what);
      expect(header(call, 'Content-Type')).toBe('text/xml');
    },
  );
});

describe('A payload that comes as a text, as a queue has it,', () => {
  test('a payload that comes as a text, as a queue has it, goes out whole, read at once', async () => {
    const text = '<a>Jürgen 😀</a>'.repeat(30_000);
    const call = await onWire(
      PATH,
      { adapter: 'soap' },
      { ...message(''), body: { bytes: Buffer.byteLength(text), open: () => text } },
    );
    expect(Buffer.from(call.body, 'latin1').toString() === text).toBe(true);
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
  ])('a payload that comes as a stream %s, in the encoding that it declares', async (_, soapWrap, body) => {
    const call = await onWire(PATH, { adapter: 'soap', soapWrap }, streamed);
    expect(call.body).toBe(body);
    expect(header(call, 'Content-Type')).toBe('text/xml; charset=ISO-8859-1');
  });

  test.each(['text/xml; charset=ISO-8859-1', 'multipart/related; boundary=b; charset=iso-8859-1'])(
    'a payload that comes as a stream passes untouched, opened once, where its content type says all: %s',
    async (contentType) => {
      let opened = 0;
      const counted = async () => {
        opened += 1;
        return open();
      };
      const what = { ...streamed, contentType, body: { bytes: bytes.byteLength, open: counted } };
      const call = await onWire(PATH, { adapter: 'soap' }, what);
      expect(call.body).toBe(bytes.toString('latin1'));
      expect(header(call, 'Content-Type')).toBe(contentType);
      expect(opened).toBe(1);
    },
  );
});

describe('Wrapped is', () => {
  const wrap = { adapter: 'soap', soapWrap: true };
  const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;

  test.each([
    ['a payload, byte for byte', '<a  b = "1">\r\n<!-- c --><![CDATA[ & ]]>&#228;</a >\n', undefined],
    ['without its declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<a/>', '\n<a/>'],
    ['without its byte order mark', '\uFEFF<?xml version="1.0"?><a/>', '<a/>'],
    ['with what precedes its root', '<!-- c --><?pi x?><a/>', undefined],
    ['in no namespace of ours', '<Envelope xmlns="urn:mine"><Body/></Envelope>', undefined],
    ['another element of SOAP’s', `<s:Other xmlns:s="${NS['1.1']}"><s:Body/></s:Other>`, undefined],
    ['one that only looks like an envelope', '<Envelope/>', undefined],
    ['beyond the basic plane', '<a>😀</a>', undefined],
    ['with 100 elements in one another', nested(100), undefined],
    [
      'with prefixes that are declared, hidden and declared again',
      '<p:a xmlns:p="urn:1" xmlns="urn:0"><p:b xmlns:p="urn:2" xmlns=""><c/></p:b><p:c xml:lang="de"/></p:a>',
      undefined,
    ],
  ])('a payload is wrapped as it is: %s', async (_, payload, inside = payload) => {
    const call = await onWire(PATH, wrap, message(payload));
    expect(Buffer.from(call.body, 'latin1').toString()).toBe(wrapped(inside));
    expect(header(call, 'Content-Type')).toBe('text/xml; charset=utf-8');
    expect(header(call, 'SOAPAction')).toBe('""');
  });

  test('a wrapped payload is in UTF-8, whatever charset the settings’ type names', async () => {
    const call = await onWire(PATH, { ...wrap, contentType: 'text/xml; charset=ISO-8859-1' }, message('<a>ü</a>'));
    expect(header(call, 'Content-Type')).toBe('text/xml; charset=utf-8');
  });

  test('a wrapped payload is in SOAP 1.2 where that is set', async () => {
    const call = await onWire(PATH, { ...wrap, soapVersion: '1.2' }, message('<a/>', { contentType: 'text/xml' }));
    expect(call.body).toBe(wrapped('<a/>', '1.2'));
    expect(header(call, 'Content-Type')).toBe('application/soap+xml; charset=utf-8');
  });

  test.each([
    ['by its declaration', '<?xml version="1.0" encoding="ISO-8859-15"?>', {}, 'ISO-8859-15'],
    ['by its content type, with white space', '', { contentType: 'a/b; charset=" ISO-8859-1 "' }, 'ISO-8859-1'],
    ['by its content type', '', { contentType: 'application/xml; charset=ISO-8859-1' }, 'ISO-8859-1'],
    ['by a name that XML does not take', '', { contentType: 'text/xml; charset=ISO_8859-1:1987' }, 'windows-1252'],
  ])(
    'a wrapped payload in another encoding, known %s, has a declaration of that',
    async (_, declaration, fields, charset) => {
      const payload = Buffer.from(`${declaration}<a>Müller</a>`, 'latin1');
      const call = await onWire(PATH, wrap, message(payload, fields));
      expect(call.body).toBe(`<?xml version="1.0" encoding="${charset}"?>${wrapped('<a>Müller</a>')}`);
      expect(header(call, 'Content-Type')).toBe(`text/xml; charset=${charset}`);
    },
  );

  test.each<[string, string, Record<string, string>, string]>([
    ['an envelope', envelope('1.1'), {}, 'text/xml; charset=utf-8'],
    ['an envelope of the other version', envelope('1.2'), {}, 'application/soap+xml; charset=utf-8'],
    ['an envelope with a type of its own', envelope('1.1'), { contentType: 'text/xml' }, 'text/xml; charset=utf-8'],
    [
      'an envelope with a charset of its own',
      envelope('1.1'),
      { contentType: 'Text/XML; charset=us-ascii; a=b' },
      'Text/XML; charset=us-ascii; a=b',
    ],
    [
      'an envelope with attachments',
      `--b\r\n\r\n${envelope('1.1')}\r\n--b--`,
      { contentType: 'multipart/related; boundary=b' },
      'multipart/related; boundary=b; charset=utf-8',
    ],
    ['an envelope of XML 1.1', `<?xml version="1.1"?>${envelope('1.1')}`, {}, 'text/xml; charset=utf-8'],
    ['an envelope whose body is nested deeper', envelope('1.1', nested(101)), {}, 'text/xml; charset=utf-8'],
    ['an envelope that is broken behind its body', envelope('1.1', '<a>'), {}, 'text/xml; charset=utf-8'],
  ])('%s is not wrapped: it goes as it is', async (_, payload, fields, contentType) => {
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
    [
      'the second of three prefixes behind the element that declares them',
      '<a xmlns:o="urn:o"><h:b xmlns:h="urn:hunter" xmlns:i="urn:i" xmlns:j="urn:j"/><i:c/></a>',
      whole,
    ],
    ['a prefix behind the element that declares it', '<a><h:b xmlns:h="urn:hunter"/><h:b/></a>', whole],
    ['an attribute twice', '<a xmlns:h="urn:22" xmlns:i="urn:22" h:hunter="" i:hunter=""/>', whole],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY hunter "22">]><a>&hunter;</a>', whole],
    ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/hunter22"><a/>', whole],
    ['an undefined entity', '<a>&hunter;</a>', whole],
    ['XML 1.1', '<?xml version="1.1"?><hunter22/>', 'expected XML 1.0, as SOAP does'],
    ['more than 100 elements in one another', nested(101), 'expected elements nested 100 deep at most'],
    ['4 MiB of them', nested(599_000), 'expected elements nested 100 deep at most'],
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
  ])('%s is refused before any call, in words without the payload', async (_, payload, problem, fields) => {
    const refused = await refusal(wrap, message(payload, fields));
    expect(refused).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
    expect(refused.message).toBe(`the payload cannot go out in an envelope: ${problem}; the sender must correct it`);
  });
});

describe('A payload that must be read through for its envelope', () => {
  const ofBytes = (bytes: number) => `<o>${'x'.repeat(bytes - '<o></o>'.length)}</o>`;
  const wrap = { adapter: 'soap', soapWrap: true };

  test('a payload that must be read through for its envelope may have 4 MiB', async () => {
    const { body } = await onWire(PATH, wrap, message(ofBytes(4_194_304)));
    expect(body === wrapped(ofBytes(4_194_304))).toBe(true);
  });

  test('a payload that must be read through is rejected beyond 4 MiB: it would delay its batch', async () => {
    const refused = await refusal(wrap, message(ofBytes(4_194_305)));
    expect(refused).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  test('a payload that goes out as it is may have more than 4 MiB', async () => {
    const large = envelope('1.1', ofBytes(4_194_305));
    expect((await onWire(PATH, { adapter: 'soap' }, message(large))).body === large).toBe(true);
  });
});
