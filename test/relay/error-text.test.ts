/**
 * What of an endpoint's error is reported, and where: its code in the reason, which a log line has; its text, which may
 * quote the payload, in the detail, which only a dead letter has. And what reading it costs: the payload is not opened
 * for it.
 */
import { describe, expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { messageOf } from '../doubles/message.ts';
import { tokenOf } from '../doubles/token.ts';
import { attempt, reasonOf } from './sender-adapter.ts';

/** As the first one that `attempt` mints: `-1` is its end. */
const JWT = `eyJhbGciOiJSUzI1NiJ9.${'hunter22hunter22'.repeat(20)}.c2lnbmF0dXJl`;
const OPAQUE = '8271a067126f0aa93b46c2fe07c6880';

const fault = (code: string, text: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:${code}</faultcode><faultstring>${text}</faultstring></s:Fault></s:Body></s:Envelope>`;
const odataError = (code: string, value: string) => JSON.stringify({ error: { code, message: { value } } });

const errors = [
  ['soap', 'fault', fault],
  ['soap-rm', 'fault', fault],
  ['odata', 'OData error', odataError],
] as const;

describe.each(errors)('Adapter %s: of a %s', (adapter, what, errorWith) => {
  async function told(code: string, text: string, accessToken = JWT, payload?: string) {
    const settings = { adapter, csrf: false };
    const came = [answer(400, errorWith(code, text))];
    const { outcome } = await attempt(settings, came, messageOf({}, payload), tokenOf(accessToken));
    return { reason: reasonOf(outcome), detail: 'detail' in outcome ? outcome.detail : undefined };
  }

  test('a code of a SOAP fault or OData error stands in the reason, its text in the detail alone', async () => {
    const payload = '{"Name":"Müller"}';
    const { reason, detail } = await told('Client', 'Customer Müller is unknown', JWT, payload);
    expect(reason).toMatch(new RegExp(`^the endpoint answered 400 with ${what} Client: it will never take`));
    expect(detail).toBe('Customer Müller is unknown');
  });

  test.each([
    ['one line', 'a\r\nb\tc\u2028d\u202ee\ufefff  g ', 'a b c d e f g'],
    ['what stands in quotes', 'say "no" now', 'say "no" now'],
    ['nothing for nothing', ' \n', undefined],
    ['1,000 characters whole', 'ab '.repeat(334).slice(0, 1_000), 'ab '.repeat(334).slice(0, 1_000)],
    ['of 1,001 characters all but two', 'ab '.repeat(334).slice(0, 1_001), `${'ab '.repeat(333)}…`],
    ['no half of a character', `a${'😀'.repeat(500)}`, `a${'😀'.repeat(499)}…`],
    ['nor half of one where the cut goes through it', '😀'.repeat(501), `${'😀'.repeat(499)}…`],
    ['not the token', `no good: Bearer ${JWT}-1, sorry`, 'no good: Bearer …, sorry'],
    ['no long part of it', 'no good: x_hunter22hunter2', 'no good: x_…'],
    ['what is in it only by chance', 'no hunter2', 'no hunter2'],
    ['no second part of it', 'hunter22, and c2lnbmF0dXJl', '…, and …'],
    [
      'no word that is too long to be one',
      `key ${'k'.repeat(41)} is no ${'k'.repeat(40)}`,
      `key … is no ${'k'.repeat(40)}`,
    ],
  ])('the detail of a SOAP fault or OData error has %s', async (_, text, detail) => {
    expect((await told('Client', text)).detail).toBe(detail);
  });

  test('the detail of a SOAP fault or OData error has no opaque token', async () => {
    expect((await told('Client', `token=${OPAQUE}-1`, OPAQUE)).detail).toBe('token=…');
  });

  test.each([
    ['words', 'No such plant'],
    ['more than 40 characters', 'x'.repeat(41)],
    ['characters beyond ASCII', 'Größe'],
    ['a line break', 'A1\nforged'],
    ['the token', `${OPAQUE}-1`],
    ['a part of the token', 'x.f0aa93b46c2fe0'],
  ])('a code that has %s does not stand in the reason', async (_, code) => {
    const { reason } = await told(code, 'no', OPAQUE);
    expect(reason).toMatch(/^the endpoint answered 400 with (a fault whose code is no name|OData error): it/);
  });

  test.each(['A', 'SY/530', 'Client.Order-1_b', 'x'.repeat(40)])(
    'a code like %s stands in the reason',
    async (code) => {
      expect((await told(code, 'no')).reason).toContain(` with ${what} ${code}: `);
    },
  );

  test('a SOAP fault or OData error does not make the payload be opened once more', async () => {
    let opened = 0;
    const open = async () => {
      opened += 1;
      return Buffer.from('\\'.repeat(50_000));
    };
    const what = messageOf({ contentType: 'text/xml; charset=utf-8', body: { bytes: 50_000, open } });
    const { requests, calls } = await attempt({ adapter, csrf: false }, [answer(400, errorWith('Client', 'no'))], what);
    for (const { body } of requests) await body?.open();
    expect([opened, calls]).toEqual([1, 1]);
  });
});
