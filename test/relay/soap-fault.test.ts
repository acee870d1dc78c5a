/** What a SOAP fault means for a message, whatever status it comes with, and what of it reaches a log line. */

import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer, MPL_ID } from '../doubles/answer.ts';
import { NOON } from '../doubles/time.ts';
import { attempt, message, outcome as outcomeOf, reasonOf } from './sender-adapter.ts';
import { NS } from './soap-namespaces.ts';

const inEnvelope = (body: string, version: '1.1' | '1.2' = '1.1') =>
  `<soap:Envelope xmlns:soap="${NS[version]}"><soap:Body>${body}</soap:Body></soap:Envelope>`;
const fault11 = (code: string, text = 'Something went wrong', detail = '') =>
  inEnvelope(`<soap:Fault><faultcode>${code}</faultcode><faultstring>${text}</faultstring>${detail}</soap:Fault>`);
const fault12 = (code: string, text = 'Something went wrong', detail = '') =>
  inEnvelope(
    `<soap:Fault><soap:Code><soap:Value>${code}</soap:Value><soap:Subcode><soap:Value>x:Sub</soap:Value></soap:Subcode></soap:Code>` +
      `<soap:Reason><soap:Text xml:lang="en">${text}</soap:Text><soap:Text xml:lang="de">Fehler</soap:Text></soap:Reason>${detail}</soap:Fault>`,
    '1.2',
  );
const XML = { 'content-type': 'text/xml; charset=utf-8' };
const RELATED = { 'content-type': 'multipart/related; type="text/xml"; boundary="b"' };
const attached = (root: string) =>
  `--b\r\nContent-Type: text/xml; charset=UTF-8\r\n\r\n${root}\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--b--\r\n`;
/** An envelope that nothing is wrong with, so that the fault alone decides. */
const ENVELOPE = message(inEnvelope('<o:Order xmlns:o="urn:o"/>'), { contentType: 'text/xml; charset=utf-8' });
const outcome = (settings: object, one: HttpAnswer, what = ENVELOPE) => outcomeOf(settings, one, what);
const faulty = (status: number, body: string | Buffer, headers = XML): HttpAnswer => ({
  ...answer(status, '', headers),
  body: Buffer.from(body),
});

const NEVER = 'it will never take this message; the sender must correct it';
const LATER = 'kept for a later try';
const VERSION =
  'the flow takes another version of SOAP; the operator must correct the setting "soapVersion" or the flow';
const DEMANDS = 'its envelope demands what the flow does not know; the sender must correct it';

const faults = [
  ['soap:Client', fault11('soap:Client'), 'rejected', 'Client', NEVER],
  ['Client, without a prefix', fault11('Client'), 'rejected', 'Client', NEVER],
  ['soap:Client.Order.Missing', fault11('soap:Client.Order.Missing'), 'rejected', 'Client.Order.Missing', NEVER],
  ['soap:Server', fault11('soap:Server'), 'failed', 'Server', LATER],
  ['soap:Server.Backend', fault11('soap:Server.Backend'), 'failed', 'Server.Backend', LATER],
  ['soap:VersionMismatch', fault11('soap:VersionMismatch'), 'blocked', 'VersionMismatch', VERSION],
  ['soap:MustUnderstand', fault11('soap:MustUnderstand'), 'rejected', 'MustUnderstand', DEMANDS],
  ['soap:Sender', fault12('soap:Sender'), 'rejected', 'Sender', NEVER],
  ['soap:Receiver', fault12('soap:Receiver'), 'failed', 'Receiver', LATER],
  ['soap:VersionMismatch of 1.2', fault12('soap:VersionMismatch'), 'blocked', 'VersionMismatch', VERSION],
  ['soap:MustUnderstand of 1.2', fault12('soap:MustUnderstand'), 'rejected', 'MustUnderstand', DEMANDS],
  ['soap:DataEncodingUnknown', fault12('soap:DataEncodingUnknown'), 'rejected', 'DataEncodingUnknown', NEVER],
] as const;

describe.each(['soap', 'soap-rm'])('With adapter %s', (adapter) => {
  const statuses = [200, 202, 400, 422, 500, 502] as const;
  const rows = faults.flatMap(([name, body, kind, code, conclusion]) =>
    statuses.map((status) => [name, status, body, kind, code, conclusion] as const),
  );

  test.each(rows)('a SOAP fault %s with status %i decides', async (_, status, body, kind, code, conclusion) => {
    const judged = await outcome({ adapter }, faulty(status, body));
    expect(judged).toMatchObject({ kind, status, executed: 'unknown', detail: 'Something went wrong' });
    expect(reasonOf(judged)).toBe(`the endpoint answered ${status} with fault ${code}: ${conclusion}`);
  });

  test.each([
    [403, 'blocked', 'no'],
    [404, 'blocked', 'no'],
    [405, 'blocked', 'no'],
    [300, 'blocked', 'unknown'],
    [302, 'blocked', 'unknown'],
    [399, 'blocked', 'unknown'],
    [408, 'failed', 'unknown'],
    [425, 'failed', 'no'],
    [429, 'failed', 'no'],
    [503, 'failed', 'no'],
    [413, 'rejected', 'no'],
  ])(
    'a status of %i speaks of the call: it decides, and the SOAP fault is reported',
    async (status, kind, executed) => {
      for (const body of [fault11('soap:Client'), fault11('soap:Server')]) {
        const judged = await outcome({ adapter }, faulty(status, body));
        expect(judged).toMatchObject({ kind, executed, detail: 'Something went wrong' });
        expect(reasonOf(judged)).toMatch(/^the endpoint answered \d+ with fault (Client|Server): /);
      }
    },
  );

  test('a 401 with a SOAP fault asks for a new token like any other', async () => {
    const delivered = await attempt({ adapter }, [faulty(401, fault11('soap:Client')), answer(202)]);
    expect(delivered).toMatchObject({ outcome: { kind: 'delivered' }, calls: 2 });
    const { outcome: blocked } = await attempt({ adapter }, [faulty(401, fault11('soap:Client'))]);
    expect(blocked).toMatchObject({ kind: 'blocked', executed: 'no', status: 401 });
  });

  test('a SOAP fault with 500 is the flow’s own, even if the token has expired on its way', async () => {
    const expired = { accessToken: 't', issuedAt: NOON - 60_000, expiresAt: NOON, expiryKnown: true };
    const healed = await attempt({ adapter }, [answer(500), answer(200)], ENVELOPE, expired);
    expect(healed).toMatchObject({ outcome: { kind: 'delivered' }, calls: 2 });
    const told = await attempt({ adapter }, [faulty(500, fault11('soap:Server')), answer(200)], ENVELOPE, expired);
    expect(told).toMatchObject({ outcome: { kind: 'failed' }, calls: 1 });
  });
});

describe('A code that is none of SOAP’s leaves it to the status', () => {
  const own = inEnvelope(
    '<soap:Fault xmlns:o="urn:o"><faultcode>o:Client</faultcode><faultstring>No</faultstring></soap:Fault>',
  );
  test.each([
    ['of another namespace', own, 400, 'rejected', 'fault Client of another namespace: '],
    ['of another namespace', own, 500, 'failed', 'fault Client of another namespace: '],
    [
      'of another namespace, which 2xx does not make a success',
      own,
      200,
      'failed',
      'fault Client of another namespace: ',
    ],
    [
      'of a prefix that is not declared',
      fault11('x:Server', 'No'),
      400,
      'rejected',
      'fault Server of another namespace: ',
    ],
    ['unknown', fault11('soap:Other', 'No'), 422, 'rejected', 'fault Other: '],
    ['unknown, like a method of every object', fault11('soap:constructor', 'No'), 500, 'failed', 'fault constructor: '],
    ['no name', fault11('soap:No such plant', 'No'), 500, 'failed', 'a fault whose code is no name: '],
    ['too long for a log line', fault11(`soap:${'x'.repeat(41)}`), 500, 'failed', 'a fault whose code is no name: '],
    ['of 40 characters', fault11(`soap:${'x'.repeat(40)}`), 400, 'rejected', `fault ${'x'.repeat(40)}: `],
    ['of no prefix before its colon', fault11(':Client'), 400, 'rejected', 'fault Client of another namespace: '],
    ['of another namespace, with a status beyond 2xx', own, 402, 'failed', 'fault Client of another namespace, which'],
    ['nothing behind its prefix', fault11('soap:'), 400, 'rejected', 'a fault whose code is no name: '],
    ['SOAP’s own, and more that is no name', fault11('soap:Client.Mü'), 500, 'rejected', 'fault Client: '],
    ['empty', fault11(''), 500, 'failed', 'a fault without a code: '],
    [
      'missing, where another element of the body has one',
      inEnvelope('<soap:Fault/><a><faultcode>soap:Client</faultcode></a>'),
      500,
      'failed',
      'a fault without a code: ',
    ],
    ['missing', inEnvelope('<soap:Fault/>'), 500, 'failed', 'a fault without a code: '],
    ['missing, with 2xx', inEnvelope('<soap:Fault/>'), 200, 'failed', 'a fault without a code: '],
  ])(
    'a fault code that is none of SOAP’s leaves the decision to the status: %s',
    async (_, body, status, kind, words) => {
      const judged = await outcome({ adapter: 'soap' }, faulty(status, body));
      expect(judged).toMatchObject({ kind });
      expect(reasonOf(judged)).toContain(words);
    },
  );
});

describe('A fault is read', () => {
  const settings = { adapter: 'soap' };
  const client = fault11('soap:Client', 'Müller & Söhne'.replace('&', '&amp;'));
  const base64 = Buffer.from(client).toString('base64');
  const transferred = (encoding: string, text: string) =>
    Buffer.from(`--b\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${text}\r\n--b--`);
  test.each<[string, Buffer, Record<string, string>, string?]>([
    ['in UTF-8 that nobody names', Buffer.from(client), {}],
    [
      'in ISO-8859-1 by its content type',
      Buffer.from(client, 'latin1'),
      { 'content-type': 'text/xml;charset=iso-8859-1' },
    ],
    [
      'in ISO-8859-1 by its declaration',
      Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${client}`, 'latin1'),
      {},
    ],
    ['in UTF-16', Buffer.from(`\uFEFF${client}`, 'utf16le'), {}],
    [
      'in UTF-16 without a mark, big-endian, that its content type calls UTF-16',
      Buffer.from(client, 'utf16le').swap16(),
      {
        'content-type': 'text/xml; charset=utf-16',
      },
    ],
    [
      'in the part that is named as the root',
      Buffer.from(`--b\r\nContent-ID: <a>\r\n\r\nJPEG\r\n--b\r\nContent-ID: <b>\r\n\r\n${client}\r\n--b--`),
      { 'content-type': `${RELATED['content-type']}; start="<b>"` },
    ],
    [
      'in the first part, where the named one is not there',
      Buffer.from(attached(client)),
      { 'content-type': `${RELATED['content-type']}; start="<b>"` },
    ],
    ['in base64', transferred('base64', base64), RELATED],
    ['in base64 that is cut off', transferred('Base64', base64.slice(0, -3)).subarray(0, -7), RELATED],
    [
      'in quoted-printable',
      transferred(
        'Quoted-Printable',
        client.replaceAll('=', '=3d').replaceAll('ü', '=C3=BC').replaceAll('ult', '= \r\n=75=\nlt'),
      ),
      RELATED,
    ],
    ['in UTF-16 without a mark, big-endian', Buffer.from(client, 'utf16le').swap16(), {}],
    ['behind a byte order mark', Buffer.from(`\uFEFF${client}`), {}],
    [
      'in UTF-8, though its content type says UTF-16',
      Buffer.from(client),
      { 'content-type': 'text/xml; charset=utf-16' },
    ],
    ['in an encoding that nobody knows', Buffer.from(client), { 'content-type': 'text/xml; charset=x-none' }],
    ['in an encoding without a name', Buffer.from(client), { 'content-type': 'text/xml; charset=""' }],
    ['in an encoding in the wrong quotes', Buffer.from(client), { 'content-type': "text/xml; charset='utf-8'" }],
    ['behind white space and its declaration', Buffer.from(`\r\n <?xml version="1.0"?>${client}`), XML],
    ['before attachments', Buffer.from(attached(client)), RELATED],
    ['before attachments that are cut off', Buffer.from(attached(client).slice(0, -40)), RELATED],
    ['before attachments, and cut off itself', Buffer.from(attached(client).split('</soap:Fault>')[0] ?? ''), RELATED],
    ['in bytes that nobody explains', Buffer.from(client, 'latin1'), {}, 'M\uFFFDller & S\uFFFDhne'],
    ['under another content type', Buffer.from(client), { 'content-type': 'text/html' }],
  ])('a SOAP fault is read %s', async (_, body, headers, detail = 'Müller & Söhne') => {
    const judged = await outcome(settings, { ...answer(500, '', headers), body });
    expect(judged).toMatchObject({ kind: 'rejected', detail });
    expect(reasonOf(judged)).toContain('fault Client: ');
  });

  test.each([
    ['under another prefix', fault11('soap:Client').replaceAll('soap:', 'e:').replace('xmlns:soap', 'xmlns:e')],
    [
      'of the namespace around it, and not of its attributes',
      fault11('Client')
        .replaceAll('soap:', '')
        .replace(/xmlns:soap="([^"]*)"/, 'xmlns="$1" lang="de"'),
    ],
    ['without any prefix', fault11('Client').replaceAll('soap:', '').replace('xmlns:soap', 'xmlns')],
    [
      'behind a header with a fault in it',
      fault11('soap:Client').replace('<soap:Body>', '<soap:Header><soap:Fault>x</soap:Fault></soap:Header><soap:Body>'),
    ],
    [
      'behind other elements of the body',
      fault11('soap:Client').replace('<soap:Body>', '<soap:Body><a><b/></a><soap:Other>Fault</soap:Other>'),
    ],
    ['with white space around its words', fault11(' soap:Client\n', '\n Something went wrong ')],
    ['before other elements of the body', fault11('soap:Client').replace('</soap:Body>', '<a>b</a></soap:Body>')],
    [
      'with its text first',
      inEnvelope(
        '<soap:Fault><faultstring>Something went wrong</faultstring><faultcode>soap:Client</faultcode></soap:Fault>',
      ),
    ],
    ['with its text in CDATA', fault11('soap:Client', '<![CDATA[Something went wrong]]>')],
    ['of which the detail is cut off', fault11('soap:Client', undefined, '<detail>').split('</soap:Fault>')[0] ?? ''],
    [
      'with a prefix declared on its own code',
      fault11('soap:Client').replace('<faultcode>soap:', `<faultcode xmlns:q="${NS['1.1']}">q:`),
    ],
  ])('a SOAP fault is read in any form: %s', async (_, body) => {
    const judged = await outcome(settings, faulty(500, body));
    expect(judged).toMatchObject({ kind: 'rejected', detail: 'Something went wrong' });
    expect(reasonOf(judged)).toContain('fault Client: ');
  });

  test('a SOAP fault whose code stands behind its subcode has no code', async () => {
    const code = '<soap:Value>soap:Sender</soap:Value>';
    const subcode = '<soap:Subcode><soap:Value>soap:Receiver</soap:Value></soap:Subcode>';
    const judged = await outcome(settings, faulty(500, fault12('soap:Sender').replace(code, `${subcode}${code}`)));
    expect(judged).toMatchObject({ kind: 'rejected', reason: `the endpoint answered 500 with fault Sender: ${NEVER}` });
  });

  test('a SOAP fault whose text is cut off keeps its code, which stands before that', async () => {
    const cut = fault11('soap:Client', 'x'.repeat(100)).slice(0, -100);
    const judged = await outcome(settings, { ...faulty(200, cut), truncated: true });
    expect(judged).toMatchObject({ kind: 'rejected', reason: `the endpoint answered 200 with fault Client: ${NEVER}` });
    expect(judged).not.toHaveProperty('detail');
  });

  test('a SOAP fault is read with the MPL id, as SAP’s SOAP adapters write it', async () => {
    const text = `An internal error occurred. For error details check MPL ID ${MPL_ID} in message monitoring`;
    expect(await outcome(settings, faulty(500, fault11('soap:Server', text)))).toMatchObject({ mplId: MPL_ID });
  });
});

describe('No fault is', () => {
  const isNone: readonly (readonly [string, string, Record<string, string>?])[] = [
    ['a reply', inEnvelope('<o:Confirmation xmlns:o="urn:o"/>')],
    [
      'a reply that speaks of faults',
      inEnvelope('<o:Order xmlns:o="urn:o"><Fault><faultcode>soap:Client</faultcode></Fault></o:Order>'),
    ],
    [
      'a reply whose own element has that name',
      inEnvelope('<o:Fault xmlns:o="urn:o"><faultcode>Client</faultcode></o:Fault>'),
    ],
    ['deeper in the body', inEnvelope('<a><soap:Fault><faultcode>soap:Client</faultcode></soap:Fault></a><b/>')],
    [
      'in a body that is not SOAP’s',
      fault11('soap:Client').replace('<soap:Body>', '<Body>').replace('</soap:Body>', '</Body>'),
    ],
    ['an envelope of no namespace', '<Envelope><Body><Fault><faultcode>Client</faultcode></Fault></Body></Envelope>'],
    ['another element of SOAP’s', fault11('soap:Client').replaceAll('soap:Envelope', 'soap:Other')],
    [
      'a fault without an envelope',
      `<soap:Fault xmlns:soap="${NS['1.1']}"><faultcode>soap:Client</faultcode></soap:Fault>`,
    ],
    ['an envelope of nobody', fault11('soap:Client').replace(NS['1.1'], 'urn:other')],
    ['a text', 'Fault soap:Client'],
    ['a page', '<!DOCTYPE html><html><body>Fault</body></html>'],
    ['an answer without content', ''],
    [
      'a fault in an attachment',
      attached(inEnvelope('<o:Confirmation xmlns:o="urn:o"/>')).replace('JPEG', fault11('soap:Client')),
      RELATED,
    ],
    ['a fault beside the parts', fault11('soap:Client'), RELATED],
    ['a fault in parts without a boundary', attached(fault11('soap:Client')), { 'content-type': 'multipart/related' }],
    ['a fault behind a document type', `<!DOCTYPE e>${fault11('soap:Client')}`],
    [
      'a fault that comes too late',
      inEnvelope('').replace('<soap:Body>', `<soap:Header>${' '.repeat(65_536)}</soap:Header><soap:Body><soap:Fault>`),
    ],
    ['broken XML', `<a></b>${fault11('soap:Client')}`],
  ];

  test.each<readonly [string, string, Record<string, string>]>(
    isNone.map(([what, body, headers = XML]) => [what, body, headers]),
  )('no SOAP fault is found: %s', async (_, body, headers) => {
    expect(await outcome({ adapter: 'soap' }, { ...answer(200, '', headers), body: Buffer.from(body) })).toMatchObject({
      kind: 'delivered',
    });
    const judged = await outcome({ adapter: 'soap' }, { ...answer(500, '', headers), body: Buffer.from(body) });
    expect(reasonOf(judged)).toBe(`the endpoint answered 500: ${LATER}`);
  });

  test('no SOAP fault counts for the HTTPS adapter', async () => {
    expect(await outcome({}, faulty(200, fault11('soap:Client')))).toMatchObject({ kind: 'delivered' });
  });
});

describe('Of a hostile answer', () => {
  const lol = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  test.each([
    ['entities that multiply', `<!DOCTYPE e [<!ENTITY l0 "lol">${lol}]>${fault11('soap:Client', '&l9;')}`],
    ['an external entity', `<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>${fault11('soap:Client', '&x;')}`],
    ['an external subset', `<!DOCTYPE e SYSTEM "http://127.0.0.1:1/x.dtd">${fault11('soap:Client')}`],
    ['a parameter entity', `<!DOCTYPE e [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p">%p;]>${fault11('soap:Client')}`],
    ['an undefined entity', fault11('&x;')],
    ['depth', `${inEnvelope('').split('</soap:Body>')[0]}<soap:Fault>${'<a>'.repeat(15_000)}`],
    [
      'attributes',
      `<soap:Envelope xmlns:soap="${NS['1.1']}" ${Array.from({ length: 4_000 }, (_, i) => `a${i}="Fault"`).join(' ')}/>`,
    ],
    ['four megabytes', `${fault11('soap:Server').replace('</soap:Fault>', `<detail>${'x'.repeat(4_400_000)}`)}`],
  ])('a hostile answer, %s, decides by its status at once: nothing is expanded or fetched', async (_, body) => {
    const startedAt = performance.now();
    const judged = await outcome({ adapter: 'soap' }, faulty(500, body));
    expect(judged).toMatchObject({ kind: 'failed', status: 500 });
    expect(reasonOf(judged)).not.toMatch(/lol|root:/);
    expect(reasonOf(judged).length).toBeLessThan(300);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
