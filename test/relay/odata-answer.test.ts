/** What an OData service's answers mean: the error's code and message, in whatever form they come. */

import { describe, expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { jsonError } from './odata-parts.ts';
import { attempt, message, outcome, reasonOf } from './sender-adapter.ts';

const odata = { adapter: 'odata' };
const JSON_TYPE = { 'content-type': 'application/json' };
const atom = (code: string, value: string) =>
  `<?xml version="1.0" encoding="utf-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>${code}</code><message xml:lang="en">${value}</message><innererror><code>in</code></innererror></error>`;

describe('An answer', () => {
  test.each([
    ['a created entity', 201, '{"d":{"Id":"1"}}'],
    ['a changed one', 204, ''],
    ['a read one', 200, '{"d":{"Id":"1"}}'],
    ['a body that looks like an error', 200, jsonError('X', 'no')],
  ])('an OData answer with %s delivers', async (_, status, body) => {
    expect(await outcome(odata, answer(status, body, JSON_TYPE))).toMatchObject({ kind: 'delivered', status });
  });

  test.each([
    [300, 'blocked', 'unknown'],
    [400, 'rejected', 'unknown'],
    [403, 'blocked', 'no'],
    [404, 'blocked', 'no'],
    [405, 'blocked', 'no'],
    [409, 'rejected', 'unknown'],
    [413, 'rejected', 'no'],
    [429, 'failed', 'no'],
    [500, 'failed', 'unknown'],
    [501, 'blocked', 'unknown'],
    [503, 'failed', 'no'],
  ])(
    'an OData answer of %i means what the status means, and the error’s code is quoted',
    async (status, kind, executed) => {
      const judged = await outcome(
        odata,
        answer(status, jsonError('SY/530', 'Field Quantity is not valid'), JSON_TYPE),
      );
      expect(judged).toMatchObject({ kind, executed, status, detail: 'Field Quantity is not valid' });
      expect(reasonOf(judged)).toContain(`the endpoint answered ${status} with OData error SY/530: `);
    },
  );

  test('an OData answer of 100 is no success, and the error’s code is quoted', async () => {
    const judged = await outcome(odata, answer(100, jsonError('SY/530', 'no'), JSON_TYPE));
    expect(judged).toMatchObject({ kind: 'failed', executed: 'unknown', status: 100 });
    expect(reasonOf(judged)).toContain('the endpoint answered 100 with OData error SY/530, which is not foreseen');
  });

  test('an OData answer of 401 asks for a new token', async () => {
    const { calls, outcome: judged } = await attempt({ ...odata, csrf: false }, [
      answer(401, jsonError('401', 'Unauthorized'), JSON_TYPE),
      answer(201),
    ]);
    expect([calls, judged.kind]).toEqual([2, 'delivered']);
  });

  test.each([
    [404, 'Not Found'],
    [405, 'Method Not Allowed'],
  ])('an OData service’s %i rejects the message, where the message names the entity', async (status, title) => {
    const settings = { ...odata, pathFrom: 'x-entity' };
    const refused = answer(status, jsonError('X', 'Resource not found'), JSON_TYPE);
    const named = message('', { headers: { 'x-entity': 'Orders' } });
    expect(await outcome(settings, refused, named)).toMatchObject({
      kind: 'rejected',
      executed: 'no',
      reason: expect.stringContaining(': it will never take this message; the sender must correct it'),
    });
    // It has nothing but the settings' own address.
    expect(await outcome(settings, refused)).toMatchObject({ kind: 'blocked' });
    expect(await outcome(odata, refused, named)).toMatchObject({ kind: 'blocked' });
    const before = answer(status, `<!doctype html><h1>HTTP Status ${status} – ${title}</h1>`);
    expect(await outcome(settings, before, named)).toMatchObject({ kind: 'blocked' });
  });

  test('an OData service’s 501 is the operator’s to correct; that of a server before it may pass', async () => {
    for (const settings of [odata, { ...odata, pathFrom: 'x-entity' }]) {
      const judged = await outcome(settings, answer(501, jsonError('X', 'no'), JSON_TYPE));
      expect(judged).toMatchObject({ kind: 'blocked', executed: 'unknown' });
      expect(reasonOf(judged)).toContain(
        ': the service cannot do what it is asked for; the operator must check the settings "method" and "adapter", and the flow',
      );
    }
    expect(await outcome(odata, answer(501, '<h1>Not Implemented</h1>'))).toMatchObject({ kind: 'failed' });
  });

  test('an OData error in answer to the fetch of a CSRF token says nothing of the message', async () => {
    const refused = answer(400, jsonError('X', 'no'), JSON_TYPE);
    const { outcome: judged, calls } = await attempt(odata, [refused]);
    expect([judged.kind, calls]).toEqual(['failed', 0]);
    expect(reasonOf(judged)).not.toContain('OData error');
  });
});

describe('The error is read', () => {
  const text = 'Field Quantity is not valid';
  test.each<[string, string | Buffer, Record<string, string>, string, string?]>([
    ['of OData V2 in JSON', jsonError('A1', text), JSON_TYPE, ' A1', text],
    ['of OData V4 in JSON', JSON.stringify({ error: { code: 'A1', message: text } }), JSON_TYPE, ' A1', text],
    ['of OData V2 in XML', atom('A1', text), {}, ' A1', text],
    [
      'of OData V4 in XML',
      atom('A1', text).replace(/xmlns="[^"]*"/, 'xmlns="http://docs.oasis-open.org/odata/ns/metadata"'),
      {},
      ' A1',
      text,
    ],
    [
      'under another prefix',
      atom('A1', text)
        .replace(/<(\/?)/g, '<$1m:')
        .replace('<m:?', '<?')
        .replace('xmlns=', 'xmlns:m='),
      {},
      ' A1',
      text,
    ],
    ['behind a byte order mark', `\uFEFF${jsonError('A1', text)}`, JSON_TYPE, ' A1', text],
    [
      'in another encoding',
      Buffer.from(jsonError('A1', 'Größe'), 'latin1'),
      { 'content-type': 'application/json;charset=iso-8859-1' },
      ' A1',
      'Größe',
    ],
    ['without a text', '{"error":{"code":"A1"}}', JSON_TYPE, ' A1'],
    ['without a code', '{"error":{"message":{"value":"no"}}}', JSON_TYPE, '', 'no'],
    ['with a code that is a number', '{"error":{"code":7,"message":{"value":"no"}}}', JSON_TYPE, '', 'no'],
    ['with nothing in it', '{"error":{}}', JSON_TYPE, ''],
    ['behind white space', ` \n${jsonError('A1', text)}`, JSON_TYPE, ' A1', text],
    ['with white space around its words', atom(' A1\n', ` ${text} `), {}, ' A1', text],
    [
      'behind others of those names',
      atom('A1', text).replace('<code>', '<innererror><code>in</code></innererror><code>'),
      {},
      ' A1',
      text,
    ],
    ['before others of those names', atom('A1', text).replace('</code>', '</code><code>B2</code>'), {}, ' A1', text],
    ['with a text that is null', '{"error":{"code":"A1","message":null}}', JSON_TYPE, ' A1'],
    ['with a text that is a number', '{"error":{"code":"A1","message":{"value":7}}}', JSON_TYPE, ' A1'],
    ['in bytes that nobody explains', Buffer.from(jsonError('A1', 'Größe'), 'latin1'), {}, ' A1', 'Gr\uFFFD\uFFFDe'],
    ['with a code that is no name', jsonError('No such plant', 'no'), JSON_TYPE, '', 'no'],
  ])('an OData error is read %s', async (_, body, headers, code, detail) => {
    const judged = await outcome(odata, { ...answer(400, '', headers), body: Buffer.from(body) });
    expect(reasonOf(judged)).toContain(`the endpoint answered 400 with OData error${code}: it will`);
    expect('detail' in judged ? judged.detail : undefined).toBe(detail);
  });

  test.each([
    ['a page', '<!doctype html><html></html>'],
    ['a text', 'An internal server error occured'],
    ['nothing', ''],
    ['JSON of another kind', '{"fault":"hunter22"}'],
    ['JSON that is cut off', jsonError('A1', 'hunter22').slice(0, -2)],
    ['an error that is null', '{"error":null}'],
    ['another element of that namespace', atom('A1', 'hunter22').replaceAll('error', 'other')],
    [
      'an error of another namespace',
      atom('A1', 'hunter22').replace('xmlns="', 'xmlns:m="').replace('<error', '<error xmlns="urn:x"'),
    ],
    ['an error that is a text', '{"error":"hunter22"}'],
    ['XML of another kind', '<fault>hunter22</fault>'],
    [
      'XML that only mentions the namespace',
      '<a b="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">hunter22</a>',
    ],
    ['an expanding entity', atom('A1', '&x;').replace('<error', '<!DOCTYPE error [<!ENTITY x "hunter22">]><error')],
    [
      'an external entity',
      atom('A1', '&x;').replace('<error', '<!DOCTYPE error [<!ENTITY x SYSTEM "file:///etc/passwd">]><error'),
    ],
  ])('an OData error is not read in %s: the status alone is reported', async (_, body) => {
    expect(reasonOf(await outcome(odata, answer(400, body, JSON_TYPE)))).toBe(
      'the endpoint answered 400: it will never take this message; the sender must correct it',
    );
  });

  test('an OData error in an unknown encoding is not read', async () => {
    const type = { 'content-type': 'application/json; charset=x-none' };
    expect(reasonOf(await outcome(odata, answer(400, jsonError('A1', text), type)))).toMatch(
      /^the endpoint answered 400: /,
    );
  });
});
