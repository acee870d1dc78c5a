/**
 * A payload that is no envelope or not well-formed: CXF's fault codes blame the version, the server or the client, as
 * it comes, so on those that do not blame the sender the payload is looked at. Only then, and never more than its
 * beginning.
 */

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../functions/message/message.ts';
import { answer, EXCEPTION } from '../doubles/answer.ts';
import { message, outcome, reasonOf } from './sender-adapter.ts';
import { NS } from './soap-namespaces.ts';

const envelope = (inside = '<o:Order xmlns:o="urn:o"/>', version: '1.1' | '1.2' = '1.1') =>
  `<s:Envelope xmlns:s="${NS[version]}"><s:Header/><s:Body>${inside}</s:Body></s:Envelope>`;
const fault = (code: string) =>
  ['Server', 'VersionMismatch', 'Client', 'MustUnderstand'].includes(code.split('.')[0] ?? '')
    ? envelope(`<s:Fault><faultcode>s:${code}</faultcode><faultstring>hunter22</faultstring></s:Fault>`)
    : envelope(`<s:Fault><s:Code><s:Value>s:${code}</s:Value></s:Code></s:Fault>`, '1.2');
const faulty = (code: string, status = 500) => answer(status, fault(code), { 'content-type': 'text/xml' });

const TYPE = { contentType: 'text/xml; charset=utf-8' };
const ENDING = 'the sender must correct it';
const NO_ENVELOPE = `the payload is no SOAP envelope; ${ENDING}`;
const MALFORMED = `the payload is not well-formed XML without a document type declaration; ${ENDING}`;
const CUT = `the payload is XML that is cut off; ${ENDING}`;
const NO_BODY = `the payload is an envelope without a body; ${ENDING}`;
const attached = (root: string | Buffer, headers = '') =>
  Buffer.concat([
    Buffer.from(`--b\r\n${headers}\r\n`),
    Buffer.from(root),
    Buffer.from('\r\n--b\r\n\r\nJPEG\r\n--b--\r\n'),
  ]);
const RELATED = { contentType: 'multipart/related; boundary=b; charset=utf-8' };
const LATIN1 = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${envelope('<a>Jürgen</a>')}`, 'latin1');
const BARE_LATIN1 = LATIN1.subarray(LATIN1.indexOf('<s:'));
const LONG = 131_072;
/** The envelope's part behind another, as RFC 2387 allows: `start` names it. */
const started = (root: string, before = 'JPEG') =>
  `--b\r\nContent-ID: <image>\r\n\r\n${before}\r\n--b\r\nContent-ID: <root@x>\r\n\r\n${root}\r\n--b--\r\n`;
const STARTED = { contentType: `${RELATED.contentType}; start="<root@x>"` };
const transferred = (encoding: string, root: string) => attached(root, `Content-Transfer-Encoding: ${encoding}\r\n`);
const UTF_16 = { contentType: 'text/xml; charset=UTF-16' };
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

const faultyPayloads: readonly (readonly [string, string | Buffer, string, Partial<Message>?])[] = [
  ['XML of another kind', '<o:Order xmlns:o="urn:o"><b/></o:Order>', NO_ENVELOPE],
  ['an envelope of no version', '<Envelope xmlns="urn:mine"><Body/></Envelope>', NO_ENVELOPE],
  ['another element of SOAP’s', `<s:Body xmlns:s="${NS['1.1']}"/>`, NO_ENVELOPE],
  ['XML of another kind, cut off', '<Order><b>', NO_ENVELOPE],
  ['XML of another kind, very long', `<Order>${'x'.repeat(LONG)}</Order>`, NO_ENVELOPE],
  ['JSON', '{"order":4711}', MALFORMED],
  ['nothing', '', MALFORMED],
  ['an envelope that is not well-formed in its body', envelope('<a></b>'), MALFORMED],
  ['an envelope with an undeclared prefix', envelope('<x:a/>'), MALFORMED],
  ['an envelope with a document type', `<!DOCTYPE e>${envelope()}`, MALFORMED],
  ['an envelope behind a line', `\n<?xml version="1.0"?>${envelope()}`, MALFORMED],
  ['more than an envelope', `${envelope()}<b/>`, MALFORMED],
  ['an envelope that is cut off', envelope().slice(0, -5), CUT],
  [
    'an envelope with a body in its header',
    envelope().replaceAll('s:Body', 'b').replace('<s:Header/>', '<s:Header><s:Body/></s:Header>'),
    NO_BODY,
  ],
  ['an envelope with another body', envelope().replaceAll('s:Body', 'Body'), NO_BODY],
  [
    'an envelope with bytes that its charset lacks',
    BARE_LATIN1,
    `the payload has bytes that mean nothing in utf-8; ${ENDING}`,
    { contentType: 'text/xml; charset=UTF8' },
  ],
  ['XML of another kind before attachments', attached('<Order/>'), NO_ENVELOPE, RELATED],
  ['an envelope before attachments, cut off', attached(envelope().slice(0, -5)), CUT, RELATED],
  ['XML of another kind in the part that is named as the root', started('<Order/>', envelope()), NO_ENVELOPE, STARTED],
  ['XML of another kind, transferred as 8bit', transferred('8bit', '<Order/>'), NO_ENVELOPE, RELATED],
  ['XML of another kind in UTF-16, big-endian', utf16('\uFEFF<Order/>').swap16(), NO_ENVELOPE, UTF_16],
  ['an envelope in bytes that nobody explains, cut off', BARE_LATIN1.subarray(0, -5), CUT, { contentType: 'text/xml' }],
];

const goodPayloads: readonly (readonly [string, string | Buffer, Partial<Message>?])[] = [
  ['an envelope', envelope()],
  ['an envelope of the other version', envelope(undefined, '1.2')],
  ['an envelope behind a byte order mark', `\uFEFF${envelope()}`],
  ['an envelope in ISO-8859-1', LATIN1, { contentType: 'text/xml; charset=ISO-8859-1' }],
  ['an envelope in ISO-8859-1 that declares it', LATIN1, {}],
  ['an envelope in UTF-16', Buffer.from(`\uFEFF${envelope('<a>Jürgen</a>')}`, 'utf16le'), { contentType: 'text/xml' }],
  ['an envelope before attachments', attached(envelope()), RELATED],
  ['one in the root part’s own charset', attached(LATIN1, 'Content-Type: a/b; charset=ISO-8859-1\r\n'), RELATED],
  ['an envelope in the part that is named as the root', started(envelope()), STARTED],
  [
    'a root that is named without its brackets',
    started(envelope()),
    { contentType: `${RELATED.contentType};start=root@x` },
  ],
  ['a root that is named and not there', attached('JPEG'), STARTED],
  ['a root that is named, behind what is read', started(envelope(), 'x'.repeat(LONG)), STARTED],
  ['an envelope in base64', transferred('BASE64', Buffer.from(envelope()).toString('base64')), RELATED],
  ['one in quoted-printable', transferred('quoted-printable', envelope().replaceAll('=', '=3D')), RELATED],
  ['one in an unknown transfer encoding', transferred('x-uuencode', 'begin'), RELATED],
  ['an envelope transferred as binary', transferred('Binary', envelope()), RELATED],
  ['an envelope in UTF-16, big-endian', utf16(`\uFEFF${envelope()}`).swap16(), UTF_16],
  ['one in UTF-16, big-endian, without a mark', utf16(envelope()).swap16(), UTF_16],
  ['one in UTF-16, big-endian, behind white space', utf16(` ${envelope()}`).swap16(), UTF_16],
  ['one in UTF-16 whose mark says little-endian', utf16(`\uFEFF${envelope()}`), UTF_16],
  ['one in UTF-16, little-endian, without a mark', utf16(envelope()), UTF_16],
  ['attachments without their boundary', envelope(), RELATED],
  ['compressed bytes', Buffer.from('1f8b0800', 'hex'), { headers: { 'content-encoding': 'gzip' } }],
  ['an unknown charset', '<Order/>', { contentType: 'text/xml; charset=x-none' }],
  ['an envelope that is longer than is read', envelope('x'.repeat(LONG))],
  ['an envelope that breaks behind what is read', envelope(`${'x'.repeat(LONG)}</b>`)],
  ['an envelope in whose last character that is read the reading ends', ` ${envelope('ü'.repeat(LONG))}`],
  ['one whose last character ends behind what is read', envelope('ü'.repeat(LONG))],
  ['a comment that is longer than is read', `<!--${'x'.repeat(LONG)}-->${envelope()}`],
  ['an envelope with more elements in one another than are read', envelope(`${'<a>'.repeat(99)}${'</a>'.repeat(99)}`)],
];

const CODES = ['Server', 'Server.Backend', 'Receiver', 'VersionMismatch'];

describe.each(['soap', 'soap-rm'])('With adapter %s', (adapter) => {
  const rows = CODES.flatMap((code) =>
    faultyPayloads.map(
      ([what, payload, conclusion, fields = TYPE]) => [what, code, payload, conclusion, fields] as const,
    ),
  );

  test.each(rows)(
    '%s is the sender’s to correct, on a SOAP fault %s too',
    async (_, code, payload, conclusion, fields) => {
      for (const status of [200, 400, 500]) {
        const judged = await outcome({ adapter }, faulty(code, status), message(payload, fields));
        expect(judged).toMatchObject({ kind: 'rejected', status, executed: 'unknown' });
        expect(reasonOf(judged)).toBe(`the endpoint answered ${status} with fault ${code}: ${conclusion}`);
      }
    },
  );

  test.each(goodPayloads.map(([what, payload, fields = TYPE]) => [what, payload, fields] as const))(
    'a payload with %s leaves the decision to the fault',
    async (_, payload, fields) => {
      const what = message(payload, fields);
      expect(await outcome({ adapter }, faulty('Server'), what)).toMatchObject({ kind: 'failed' });
      expect(await outcome({ adapter }, faulty('Receiver'), what)).toMatchObject({ kind: 'failed' });
      expect(await outcome({ adapter }, faulty('VersionMismatch'), what)).toMatchObject({ kind: 'blocked' });
    },
  );
});

test('a payload that is wrapped need not be an envelope, but whole', async () => {
  const settings = { adapter: 'soap', soapWrap: true };
  expect(await outcome(settings, faulty('Server'), message('<Order/>'))).toMatchObject({ kind: 'failed' });
  expect(await outcome(settings, faulty('VersionMismatch'), message('<Order/>'))).toMatchObject({ kind: 'blocked' });
  const broken = await outcome(settings, faulty('Server'), message(envelope('<a>')));
  expect(reasonOf(broken)).toContain(MALFORMED);
});

test('attachments may come from the settings’ content type', async () => {
  const settings = { adapter: 'soap', contentType: RELATED.contentType };
  expect(await outcome(settings, faulty('Server'), message(attached(envelope())))).toMatchObject({ kind: 'failed' });
  const broken = await outcome(settings, faulty('Server'), message(attached(envelope('<a>'))));
  expect(reasonOf(broken)).toContain(MALFORMED);
});

test('bytes without a declared charset go out with the settings’ charset', async () => {
  const judged = await outcome({ adapter: 'soap' }, faulty('Server'), message(BARE_LATIN1));
  expect(reasonOf(judged)).toContain('the payload has bytes that mean nothing in utf-8; ');
});

test('a flow that ran on a bad payload keeps its MPL id in the outcome', async () => {
  const came = answer(500, fault('Server').replace('hunter22', EXCEPTION), { 'content-type': 'text/xml' });
  const judged = await outcome({ adapter: 'soap' }, came, message(envelope('<a>'), TYPE));
  expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown', mplId: expect.any(String) });
});

describe('The payload is opened', () => {
  async function openedFor(code: string, status: number) {
    let opened = 0;
    const bytes = Buffer.from('<Order/>');
    const open = async () => {
      opened += 1;
      return bytes;
    };
    const what = { ...message('', TYPE), body: { bytes: bytes.byteLength, open } };
    const judged = await outcome(
      { adapter: 'soap' },
      status < 300 && code === '' ? answer(status) : faulty(code, status),
      what,
    );
    return [judged.kind, opened];
  }

  test.each([
    ['', 200, 'delivered', 0],
    ['Client', 500, 'rejected', 0],
    ['MustUnderstand', 500, 'rejected', 0],
    ['Sender', 400, 'rejected', 0],
    ['Other', 500, 'failed', 0],
    ['Server', 503, 'failed', 0],
    ['Server', 404, 'blocked', 0],
    ['VersionMismatch', 302, 'blocked', 0],
    ['Server', 500, 'rejected', 1],
    ['VersionMismatch', 500, 'rejected', 1],
  ])(
    'a payload is opened after a fault "%s" with %i: %s, opened %i times beside its sends',
    async (code, status, kind, times) => {
      expect(await openedFor(code, status)).toEqual([kind, times]);
    },
  );

  test('a payload is opened no further than its beginning, and the rest is not fetched', async () => {
    let fetched = 0;
    function* chunks() {
      for (; fetched < 100; fetched += 1)
        yield Buffer.from(fetched === 0 ? '<Order>'.padEnd(65_536) : ' '.repeat(65_536));
    }
    const streams: Readable[] = [];
    const open = async () => {
      streams.push(Readable.from(chunks(), { highWaterMark: 1 }));
      return streams.at(-1) ?? Readable.from([]);
    };
    const what = { ...message('', TYPE), body: { bytes: 6_553_600, open } };
    const judged = await outcome({ adapter: 'soap' }, faulty('Server'), what);
    expect(reasonOf(judged)).toContain(NO_ENVELOPE);
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true]);
    expect(fetched).toBeLessThan(6);
  });

  test('a payload that can no longer be opened leaves the decision to the fault', async () => {
    const open = async () => Promise.reject(new Error('gone'));
    const what = { ...message('', TYPE), body: { bytes: 8, open } };
    const judged = await outcome({ adapter: 'soap' }, faulty('Server'), what);
    expect(judged).toMatchObject({
      kind: 'failed',
      status: 500,
      reason: expect.stringContaining('with fault Server: '),
    });
  });
});
