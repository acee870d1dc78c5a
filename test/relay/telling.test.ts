/** What an endpoint says in an error is told in one line, and nothing of the payload or the token goes with it. */

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { told } from '../../functions/relay/adapter/telling.ts';
import { answer, messageOf, tokenOf } from './http-answer.ts';
import { message, outcome, reasonOf } from './sender-adapter.ts';

const token = tokenOf('eyJhbGciOiJSUzI1NiJ9.hunter22hunter22.c2lnbmF0dXJl');
const ERROR = '{"error":{"code":"A1","message":{"lang":"en","value":"No such plant"}}}';

async function* brokenOff() {
  yield Buffer.from('<a>Smi');
  throw new RelayError('PAYLOAD_UNAVAILABLE', 'it broke off');
}

describe('Of a text is told', () => {
  test.each<[string, string, string | Buffer, string]>([
    [
      'all, where nothing of it is in the payload',
      'Field Quantity is not valid',
      '{"a":1}',
      'Field Quantity is not valid',
    ],
    ['no word of the payload', 'Customer Smith is unknown', '<a>John Smith</a>', 'Customer … is unknown'],
    ['no word of it in another case', 'Customer SMITH is unknown', '<a>smith</a>', 'Customer … is unknown'],
    ['no part of one of its words', "'Smith' is unknown", '<a>Blacksmith</a>', "'…' is unknown"],
    ['a short word that is only a part of one of its words', 'It is not here', '{"Note":"itself"}', 'It is not here'],
    ['no short word that is one of its words', 'Mr Kim, not Tom', '<a b="Kim"/>note ', 'Mr …, not Tom'],
    ['no number of it, however short', 'Position 7 of 4711.50', '{"item":7,"sum":4711.50}', 'Position … of ….…'],
    ['no name of one of its elements', 'Unexpected element {urn:x}Ordr', '<Ordr/>', 'Unexpected element {urn:x}…'],
    ['what is too short to tell anything', 'a is no b', 'a b', 'a is no b'],
    ['no word beyond ASCII', 'Müller und Söhne', 'Müller', '… und Söhne'],
    ['no word that the payload has in references of XML', 'Müller 12', '<a>M&#252;ller &#x31;2</a>', '… …'],
    ['no word that the payload has in escapes of JSON', 'Müller', String.raw`{"a":"M\u00fcller"}`, '…'],
    [
      'no word of a payload in ISO-8859-1',
      'Müller',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>Müller</a>', 'latin1'),
      '…',
    ],
    ['no word of a payload in UTF-16', 'Customer Smith', Buffer.from('\uFEFF<a>Smith</a>', 'utf16le'), 'Customer …'],
    ['no short word behind an escape of JSON', 'No Otto', String.raw`{"a":"Anna\nOtto"}`, 'No …'],
    ['no word of JSON in JSON', 'No Müller, Otto', String.raw`"{\"a\":\"M\\u00fcller\\tOtto\"}"`, 'No …, …'],
    ['no word that only looks like an escape', 'No temp', String.raw`<a>C:\temp</a>`, 'No …'],
    ['no word that a URL has escaped', 'No Müller, Otto', 'n=M%C3%BCller&v=Jo%20Otto', 'No …, …'],
    ['no word that is composed otherwise', 'No Müller'.normalize('NFC'), 'Müller'.normalize('NFD'), 'No …'],
    ['no word with a hyphen that nobody sees', 'No Mü\u00adller', 'Müller', 'No …'],
    ['no word of UTF-16 without a mark', 'No Smith', Buffer.from('{"a":"Smith"}', 'utf16le'), 'No …'],
    [
      'no word at which another one hangs',
      'No customer_Otto, ORDER_INVALID',
      '{"a":"Otto"}',
      'No customer_…, ORDER_INVALID',
    ],
    ['no number at which a word hangs', 'No ID4711, but 005056A50', '{"a":4711,"b":50}', 'No ID…, but 005056A50'],
    ['no number that is grouped otherwise', 'No DE89370400440532', 'DE89 3704 0044 0532', 'No …'],
    ['a short number that only others make up', 'No 12345', '<a>1 2345</a>', 'No 12345'],
    ['no date that is written otherwise', 'Born 19800201', '{"a":"1980-02-01"}', 'Born …'],
    ['no name of two characters', '王伟', '{"a":"王伟"}', '…'],
    ['no name in a script without spaces', '客户王伟不存在', '{"a":"王伟先生"}', '客户…不存在'],
    ['no name with a particle', '김철수는', '<a>김철수</a>', '…는'],
    ['no part of the token', 'Bearer eyJhbGciOiJSUzI1NiJ9.hunter22hunter22 is no good', '', 'Bearer ….… is no good'],
    ['no token at which a word hangs', 'token_hunter22hunter22', '', 'token_…'],
    ['nothing that is too long for a word', `key ${'k'.repeat(41)}`, '', 'key …'],
    ['one line', 'a\r\nb\tc\u0000d\u2028e\u202ef  g', '', 'a b c d e f g'],
    ['nothing in quotes that would end the quotation', 'say "no" now', '', 'say no now'],
    ['nothing for nothing', ' \n', '', ''],
    ['no more than 200 characters', 'ab '.repeat(100), '', `${'ab '.repeat(100).slice(0, 199)}…`],
    ['no half of a character', '😀'.repeat(250), '', `${'😀'.repeat(199)}…`],
    ['200 characters whole', 'ab '.repeat(67).slice(0, 200), '', 'ab '.repeat(67).slice(0, 200).trim()],
  ])('%s', async (_, text, payload, expected) => {
    expect(await told(text, message(payload), token)).toBe(expected);
  });

  test('nothing, where the payload is in an encoding that nobody names', async () => {
    const payload = Buffer.from('Müller', 'latin1');
    expect(await told('x', message(payload), token)).toBeUndefined();
    const named = message(payload, { contentType: 'text/plain; charset=iso-8859-1' });
    expect(await told('Müller', named, token)).toBe('…');
  });

  test('nothing, where the payload is compressed or larger than 1 MiB: it cannot be held against it', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await told('Smith', message(gzipSync('Smith'), { headers }), token)).toBeUndefined();
    expect(await told('Smith', message(Buffer.alloc(1_048_577, 'a')), token)).toBeUndefined();
    expect(await told('Smith', message(Buffer.alloc(1_048_576, 'a')), token)).toBe('Smith');
  });

  test('no word of a payload that comes as a stream', async () => {
    const open = async () => Readable.from([Buffer.from('<a>Smi'), Buffer.from('th</a>')]);
    expect(await told('Mr Smith', messageOf({ body: { bytes: 12, open } }), token)).toBe('Mr …');
  });

  test('nothing, where the payload is not to be had any more: the endpoint’s answer counts all the same', async () => {
    const open = async () => Promise.reject(new RelayError('PAYLOAD_MISSING', 'it is gone'));
    const gone = messageOf({ body: { bytes: 12, open } });
    expect(await told('Mr Smith', gone, token)).toBeUndefined();
    const fault = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Client</faultcode></e:Fault></e:Body></e:Envelope>`;
    const settings = { adapter: 'soap' };
    const judged = await outcome(settings, answer(500, fault), { ...gone, contentType: 'text/xml' });
    expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown', status: 500 });
    const broken = { open: async () => Readable.from(brokenOff()), bytes: 12 };
    const failed = await outcome({ adapter: 'odata' }, answer(503, ERROR), messageOf({ body: broken }));
    expect(failed).toMatchObject({ kind: 'failed', status: 503 });
    expect(reasonOf(failed)).toBe('the endpoint answered 503 with OData error: kept for a later try');
  });

  test('soon, even where its words stand in the payload again and again, but never alone', async () => {
    const startedAt = performance.now();
    const payload = message(`x${'a'.repeat(1_040_000)}`);
    expect(await told('aaa aaaa '.repeat(20).trim(), payload, token)).toBe('aaa aaaa '.repeat(20).trim());
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('soon, however long the text and the payload are', async () => {
    const startedAt = performance.now();
    const text = Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(' ');
    await told(text, message(Buffer.alloc(1_048_576, 'wor ')), token);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
